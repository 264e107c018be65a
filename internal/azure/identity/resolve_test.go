package identity_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/internal/azure/identity"
)

const (
	tenant = "33333333-3333-3333-3333-333333333333"
	client = "44444444-4444-4444-4444-444444444444"
)

// world is a management cluster in which Sources are read; asked says in which order.
type world struct {
	object  *identity.ClusterIdentity
	labels  map[string]string
	secrets map[string]map[string][]byte
	asked   []string
}

// resolve reads whatever is asked for, once.
func (w *world) resolve(t *testing.T, s identity.Sources) (identity.Identity, error) {
	t.Helper()
	s.Secrets = map[types.NamespacedName]identity.Read[map[string][]byte]{}
	for range 5 {
		step, err := identity.Resolve(s)
		if err != nil {
			return step.Identity, err
		}
		switch step.Need {
		case identity.NeedNothing:
			return step.Identity, nil
		case identity.NeedObject:
			w.asked = append(w.asked, "object")
			s.Object.Asked = true
			if w.object != nil {
				s.Object.Found, s.Object.Value = true, *w.object
			}
		case identity.NeedLabels:
			w.asked = append(w.asked, "labels")
			s.Labels = identity.Read[map[string]string]{Asked: true, Found: w.labels != nil, Value: w.labels}
		case identity.NeedSecret:
			w.asked = append(w.asked, "secret "+step.Secret.String())
			data, found := w.secrets[step.Secret.String()]
			s.Secrets[step.Secret] = identity.Read[map[string][]byte]{Asked: true, Found: found, Value: data}
		}
	}
	t.Fatalf("it asks for ever: %v", w.asked)
	return identity.Identity{}, nil
}

func capz() identity.Sources {
	return identity.Sources{
		ControlPlane: "AzureManagedControlPlane team-a/shop", Namespace: "team-a", Ref: types.NamespacedName{Namespace: "infra", Name: "fleet"},
	}
}

func aso(from string) identity.Sources {
	return identity.Sources{ControlPlane: "AzureASOManagedControlPlane team-a/shop", Namespace: "team-a", ASO: true, CredentialFrom: from}
}

// object is an AzureClusterIdentity that everybody may use.
func object(kind string, change ...func(*identity.ClusterIdentity)) *identity.ClusterIdentity {
	o := &identity.ClusterIdentity{
		Type: kind, TenantID: tenant, ClientID: client, Secret: types.NamespacedName{Namespace: "infra", Name: "secret"},
		Allowed: &identity.Namespaces{Any: true},
	}
	for _, c := range change {
		c(o)
	}
	return o
}

func data(pairs ...string) map[string][]byte {
	out := map[string][]byte{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = []byte(pairs[i+1])
	}
	return out
}

func asoData(pairs ...string) map[string][]byte {
	return data(append([]string{"AZURE_SUBSCRIPTION_ID", "0", "AZURE_TENANT_ID", tenant, "AZURE_CLIENT_ID", client}, pairs...)...)
}

func TestResolve(t *testing.T) {
	const from = "AzureClusterIdentity infra/fleet"
	const asoFrom = "Secret team-a/mine"
	secret := func(d map[string][]byte) map[string]map[string][]byte {
		return map[string]map[string][]byte{"infra/secret": d}
	}
	mine := func(d map[string][]byte) map[string]map[string][]byte {
		return map[string]map[string][]byte{"team-a/mine": d}
	}
	of := func(method identity.Method, change ...func(*identity.Identity)) identity.Identity {
		i := identity.Identity{Method: method, From: from, TenantID: tenant, ClientID: client}
		for _, c := range change {
			c(&i)
		}
		return i
	}
	fromASO := func(i *identity.Identity) { i.From = asoFrom }
	proof := func(s, password string) func(*identity.Identity) {
		return func(i *identity.Identity) { i.Secret, i.Password = identity.NewSecret(s), identity.NewSecret(password) }
	}
	for name, tc := range map[string]struct {
		sources identity.Sources
		world   world
		want    identity.Identity
		reason  identity.Reason
		says    string
		asked   []string
	}{
		"none is named": {sources: identity.Sources{ControlPlane: "AzureManagedControlPlane team-a/shop", Namespace: "team-a"}},
		"none is named in another cloud": {
			sources: identity.Sources{ControlPlane: "AzureManagedControlPlane team-a/shop", Namespace: "team-a", Environment: "AzureChinaCloud"},
			want:    identity.Identity{Cloud: identity.Cloud{Name: "AzureChinaCloud", From: "AzureManagedControlPlane team-a/shop: spec.azureEnvironment"}},
		},
		"a missing object": {
			sources: capz(), reason: identity.NotFound, asked: []string{"object"},
			says: "AzureManagedControlPlane team-a/shop: spec.identityRef names AzureClusterIdentity infra/fleet, which does not exist: create it or name another",
		},
		"workload identity": {
			sources: capz(), world: world{object: object("WorkloadIdentity")}, want: of(identity.WorkloadIdentity), asked: []string{"object"},
		},
		"user-assigned identity": {
			sources: capz(), world: world{object: object("UserAssignedMSI", func(o *identity.ClusterIdentity) { o.TenantID = "" })},
			want: of(identity.ManagedIdentity, func(i *identity.Identity) { i.TenantID = "" }), asked: []string{"object"},
		},
		"service principal": {
			sources: capz(), world: world{object: object("ServicePrincipal"), secrets: secret(data("clientSecret", "s3cret"))},
			want: of(identity.ClientSecret, proof("s3cret", "")), asked: []string{"object", "secret infra/secret"},
		},
		"manual service principal": {
			sources: capz(), world: world{object: object("ManualServicePrincipal"), secrets: secret(data("clientSecret", "s3cret"))},
			want: of(identity.ClientSecret, proof("s3cret", "")), asked: []string{"object", "secret infra/secret"},
		},
		"certificate": {
			sources: capz(), world: world{object: object("ServicePrincipalCertificate"), secrets: secret(data("certificate", "pem", "password", "pw", "clientSecret", "no"))},
			want: of(identity.ClientCertificate, proof("pem", "pw")), asked: []string{"object", "secret infra/secret"},
		},
		"certificate where CAPZ itself looks": {
			sources: capz(), world: world{object: object("ServicePrincipalCertificate"), secrets: secret(data("password", "pw", "clientSecret", "pem"))},
			want: of(identity.ClientCertificate, proof("pem", "")), asked: []string{"object", "secret infra/secret"},
		},
		"certificate in a file": {
			sources: capz(), world: world{object: object("ServicePrincipalCertificate", func(o *identity.ClusterIdentity) { o.CertPath = "/c.pem" })},
			want: of(identity.ClientCertificate, func(i *identity.Identity) { i.File = "/c.pem" }), asked: []string{"object"},
		},
		"credentials in a file": {
			sources: capz(), world: world{object: object("UserAssignedIdentityCredential", func(o *identity.ClusterIdentity) {
				o.TenantID, o.ClientID, o.CredentialsPath, o.CredentialsCloud = "", "", "/c.json", "USGovernment"
			})},
			want: identity.Identity{
				Method: identity.ManagedIdentityFile, From: from, File: "/c.json",
				Cloud: identity.Cloud{Name: "AzureUSGovernmentCloud", From: from + ": spec.userAssignedIdentityCredentialsCloudType"},
			},
			asked: []string{"object"},
		},
		"credentials in no file": {
			sources: capz(), world: world{object: object("UserAssignedIdentityCredential")}, reason: identity.Invalid, asked: []string{"object"},
			says: from + ": spec.userAssignedIdentityCredentialsPath is empty: set it to the path of the file with the credentials",
		},
		"credentials of no cloud": {
			sources: capz(), reason: identity.Invalid, asked: []string{"object"},
			world: world{object: object("UserAssignedIdentityCredential", func(o *identity.ClusterIdentity) { o.CredentialsPath, o.CredentialsCloud = "/c", "moon" })},
			says:  from + `: spec.userAssignedIdentityCredentialsCloudType "moon" is none of public, china and usgovernment`,
		},
		"another type": {
			sources: capz(), world: world{object: object("PodIdentity")}, reason: identity.Invalid, asked: []string{"object"},
			says: from + `: spec.type "PodIdentity" is none of WorkloadIdentity, ServicePrincipal, ManualServicePrincipal, ServicePrincipalCertificate, UserAssignedMSI and UserAssignedIdentityCredential`,
		},
		"no tenant": {
			sources: capz(), world: world{object: object("WorkloadIdentity", func(o *identity.ClusterIdentity) { o.TenantID = "" })},
			reason: identity.Invalid, asked: []string{"object"}, says: from + ": spec.tenantID is empty: set it to the id of the Entra tenant",
		},
		"no client": {
			sources: capz(), world: world{object: object("UserAssignedMSI", func(o *identity.ClusterIdentity) { o.ClientID = "" })},
			reason: identity.Invalid, asked: []string{"object"}, says: from + ": spec.clientID is empty: set it to the client id of the identity",
		},
		"a Secret without a namespace": {
			sources: capz(), world: world{object: object("ServicePrincipal", func(o *identity.ClusterIdentity) { o.Secret.Namespace = "" })},
			reason: identity.Invalid, asked: []string{"object"},
			says: from + `: spec.clientSecret names Secret "secret" of namespace "", and spec.type ServicePrincipal needs both: set name and namespace`,
		},
		"a Secret that is missing": {
			sources: capz(), world: world{object: object("ServicePrincipal")}, reason: identity.NotFound, asked: []string{"object", "secret infra/secret"},
			says: from + ": spec.clientSecret names Secret infra/secret, which does not exist: create it or name another",
		},
		"a Secret without the key": {
			sources: capz(), world: world{object: object("ServicePrincipal"), secrets: secret(data("ClientSecret", "s3cret"))},
			reason: identity.Invalid, asked: []string{"object", "secret infra/secret"},
			says: "Secret infra/secret, which " + from + " names in spec.clientSecret, has no key clientSecret: put the client secret there",
		},
		"a Secret without a certificate": {
			sources: capz(), world: world{object: object("ServicePrincipalCertificate"), secrets: secret(data("password", "s3cret"))},
			reason: identity.Invalid, asked: []string{"object", "secret infra/secret"},
			says: "Secret infra/secret, which " + from + " names in spec.clientSecret, has no key certificate: put the certificate with its private key there, as PEM or PKCS#12",
		},
		"a namespace that is not allowed has no Secret read": {
			sources: capz(), world: world{object: object("ServicePrincipal", func(o *identity.ClusterIdentity) { o.Allowed = nil }), secrets: secret(data("clientSecret", "s3cret"))},
			reason: identity.NotAllowed, asked: []string{"object"},
			says: from + ": spec.allowedNamespaces does not allow namespace team-a: add it to spec.allowedNamespaces.list",
		},

		"a Secret of Azure Service Operator": {
			sources: aso("mine"), world: world{secrets: mine(asoData("AZURE_CLIENT_SECRET", "s3cret", "AUTH_MODE", "podidentity"))},
			want: of(identity.ClientSecret, fromASO, proof("s3cret", "")), asked: []string{"secret team-a/mine"},
		},
		"a certificate of Azure Service Operator": {
			sources: aso("mine"), world: world{secrets: mine(asoData("AZURE_CLIENT_CERTIFICATE", "pem", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "pw"))},
			want: of(identity.ClientCertificate, fromASO, proof("pem", "pw")), asked: []string{"secret team-a/mine"},
		},
		"workload identity of Azure Service Operator": {
			sources: aso("mine"), world: world{secrets: mine(asoData("USE_WORKLOAD_IDENTITY_AUTH", "true"))},
			want: of(identity.WorkloadIdentity, fromASO), asked: []string{"secret team-a/mine"},
		},
		"workload identity of Azure Service Operator by its mode": {
			sources: aso("mine"), world: world{secrets: mine(asoData("AUTH_MODE", "workloadidentity"))},
			want: of(identity.WorkloadIdentity, fromASO), asked: []string{"secret team-a/mine"},
		},
		"a managed identity of Azure Service Operator": {
			sources: aso("mine"), world: world{secrets: mine(asoData("AUTH_MODE", "podidentity"))},
			want: of(identity.ManagedIdentity, fromASO), asked: []string{"secret team-a/mine"},
		},
		"a file of Azure Service Operator": {
			sources: aso("mine"), world: world{secrets: mine(asoData("AZURE_USER_ASSIGNED_IDENTITY_CREDENTIALS", "/c.json"))},
			want: of(identity.ManagedIdentityFile, fromASO, func(i *identity.Identity) { i.File = "/c.json" }), asked: []string{"secret team-a/mine"},
		},
		"a mode that does not exist": {
			sources: aso("mine"), world: world{secrets: mine(asoData("AUTH_MODE", "s3cret"))}, reason: identity.Invalid, asked: []string{"secret team-a/mine"},
			says: asoFrom + ": key AUTH_MODE is neither workloadidentity nor podidentity",
		},
		"an empty client secret decides": {
			sources: aso("mine"), world: world{secrets: mine(asoData("AZURE_CLIENT_SECRET", ""))}, reason: identity.Invalid, asked: []string{"secret team-a/mine"},
			says: asoFrom + ": key AZURE_CLIENT_SECRET is empty: fill it, or remove it for workload identity",
		},
		"no subscription": {
			sources: aso("mine"), world: world{secrets: mine(data("AZURE_TENANT_ID", tenant, "AZURE_CLIENT_ID", client))},
			reason: identity.Invalid, asked: []string{"secret team-a/mine"},
			says: asoFrom + " has no key AZURE_SUBSCRIPTION_ID, which Azure Service Operator asks for: add it",
		},
		"a Secret of the annotation that is missing does not fall back": {
			sources: aso("mine"), world: world{secrets: map[string]map[string][]byte{"team-a/aso-credential": asoData()}},
			reason: identity.NotFound, asked: []string{"secret team-a/mine"},
			says: "AzureASOManagedControlPlane team-a/shop: annotation serviceoperator.azure.com/credential-from names Secret team-a/mine, which does not exist: create it or name another",
		},
		"a Secret of another namespace": {
			sources: aso("infra/secret"), world: world{secrets: secret(asoData())}, reason: identity.Invalid,
			says: `AzureASOManagedControlPlane team-a/shop: annotation serviceoperator.azure.com/credential-from is "infra/secret": name a Secret of namespace team-a, without a slash`,
		},
		"the Secret of the namespace": {
			sources: aso(""), world: world{secrets: map[string]map[string][]byte{"team-a/aso-credential": asoData("AZURE_CLIENT_SECRET", "s3cret")}},
			want: of(identity.ClientSecret, proof("s3cret", ""), func(i *identity.Identity) { i.From = "Secret team-a/aso-credential" }), asked: []string{"secret team-a/aso-credential"},
		},
		"no Secret in the namespace": {sources: aso(""), asked: []string{"secret team-a/aso-credential"}},
		"endpoints of Azure Service Operator": {
			sources: aso("mine"), asked: []string{"secret team-a/mine"},
			world: world{secrets: mine(asoData("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://arm", "AZURE_RESOURCE_MANAGER_AUDIENCE", "aud", "AZURE_AUTHORITY_HOST", "https://login"))},
			want: of(identity.WorkloadIdentity, fromASO, func(i *identity.Identity) {
				i.Cloud = identity.Cloud{
					Endpoint: "https://arm", Audience: "aud", Authority: "https://login",
					From: asoFrom + ": keys AZURE_RESOURCE_MANAGER_ENDPOINT, AZURE_RESOURCE_MANAGER_AUDIENCE and AZURE_AUTHORITY_HOST",
				}
			}),
		},
		"two endpoints of three": {
			sources: aso("mine"), world: world{secrets: mine(asoData("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://arm", "AZURE_AUTHORITY_HOST", "https://login"))},
			reason: identity.Invalid, asked: []string{"secret team-a/mine"},
			says: asoFrom + " has no key AZURE_RESOURCE_MANAGER_AUDIENCE beside the others of a cloud: set all three or none",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tc.world.resolve(t, tc.sources)
			var refused *identity.Refusal
			errors.As(err, &refused)
			switch {
			case tc.says == "" && err != nil:
				t.Fatal(err)
			case tc.says != "" && (refused == nil || refused.Reason != tc.reason || refused.Message != tc.says):
				t.Errorf("it says %#v\nwant %s %s", refused, tc.reason, tc.says)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" && tc.says == "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("it tells a secret: %v", err)
			}
			if !slices.Equal(tc.world.asked, tc.asked) {
				t.Errorf("it reads %q, want %q", tc.world.asked, tc.asked)
			}
		})
	}
}

// TestAllowedNamespaces is IsClusterNamespaceAllowed of CAPZ 1.26, case by case.
func TestAllowedNamespaces(t *testing.T) {
	some := map[string]string{"env": "prod"}
	selector := func(s metav1.LabelSelector) *metav1.LabelSelector { return &s }
	for name, tc := range map[string]struct {
		allowed *identity.Namespaces
		labels  map[string]string
		want    bool
		asks    bool
	}{
		"not set":                         {nil, some, false, false},
		"empty":                           {&identity.Namespaces{Any: true}, nil, true, false},
		"an empty list":                   {&identity.Namespaces{List: []string{}}, some, false, false},
		"in the list":                     {&identity.Namespaces{List: []string{"x", "team-a"}}, nil, true, false},
		"not in the list":                 {&identity.Namespaces{List: []string{"team-ab"}}, some, false, false},
		"an empty selector selects none":  {&identity.Namespaces{Selector: selector(metav1.LabelSelector{})}, some, false, false},
		"selected":                        {&identity.Namespaces{Selector: selector(metav1.LabelSelector{MatchLabels: some})}, some, true, true},
		"not selected":                    {&identity.Namespaces{Selector: selector(metav1.LabelSelector{MatchLabels: some})}, map[string]string{}, false, true},
		"not in the list and selected":    {&identity.Namespaces{List: []string{"x"}, Selector: selector(metav1.LabelSelector{MatchLabels: some})}, some, true, true},
		"in the list and not selected":    {&identity.Namespaces{List: []string{"team-a"}, Selector: selector(metav1.LabelSelector{MatchLabels: some})}, nil, true, false},
		"selected by absence":             {&identity.Namespaces{Selector: selector(metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "x", Operator: metav1.LabelSelectorOpDoesNotExist}}})}, some, true, true},
		"a namespace that does not exist": {&identity.Namespaces{Selector: selector(metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "x", Operator: metav1.LabelSelectorOpDoesNotExist}}})}, nil, false, true},
		"a selector that is none":         {&identity.Namespaces{Selector: selector(metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "x", Operator: "Like"}}})}, some, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{object: object("WorkloadIdentity", func(o *identity.ClusterIdentity) { o.Allowed = tc.allowed }), labels: tc.labels}
			_, err := w.resolve(t, capz())
			if (err == nil) != tc.want {
				t.Errorf("allowed is %v: %v", err == nil, err)
			}
			if slices.Contains(w.asked, "labels") != tc.asks {
				t.Errorf("it reads %q", w.asked)
			}
		})
	}
}
