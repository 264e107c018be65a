package identity

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// ClusterIdentity is what an AzureClusterIdentity of CAPZ says.
type ClusterIdentity struct {
	Type, TenantID, ClientID string
	// Secret is spec.clientSecret.
	Secret types.NamespacedName
	// CertPath is spec.certPath. CredentialsPath and CredentialsCloud are spec.userAssignedIdentityCredentialsPath and
	// spec.userAssignedIdentityCredentialsCloudType.
	CertPath, CredentialsPath, CredentialsCloud string
	// Allowed is spec.allowedNamespaces, nil when that is not set.
	Allowed *Namespaces
}

// Namespaces are those whose clusters may use an AzureClusterIdentity.
type Namespaces struct {
	// Any is true for allowedNamespaces: {}.
	Any      bool
	List     []string
	Selector *metav1.LabelSelector
}

// Keys of the Secrets that an AzureClusterIdentity names.
const (
	keyClientSecret = "clientSecret"
	keyCertificate  = "certificate"
	keyPassword     = "password"
)

// ofCAPZ follows spec.identityRef, as azure/scope/identity.go of CAPZ does.
func (s Sources) ofCAPZ() (Step, error) {
	switch {
	case !s.Object.Asked:
		return Step{Need: NeedObject}, nil
	case !s.Object.Found:
		return Step{}, refuse(NotFound, "%s: spec.identityRef names AzureClusterIdentity %s, which does not exist: create it or name another", s.ControlPlane, s.Ref)
	}
	object := s.Object.Value
	from := "AzureClusterIdentity " + s.Ref.String()
	allowed, needsLabels := object.Allowed.allow(s.Namespace, s.Labels)
	switch {
	case needsLabels:
		return Step{Need: NeedLabels}, nil
	case !allowed:
		return Step{}, refuse(NotAllowed, "%s: spec.allowedNamespaces does not allow namespace %s: add it to spec.allowedNamespaces.list", from, s.Namespace)
	}
	if err := object.lacksID(from); err != nil {
		return Step{}, err
	}
	i := Identity{From: from, TenantID: object.TenantID, ClientID: object.ClientID, Cloud: s.cloud()}
	switch object.Type {
	case "WorkloadIdentity":
		i.Method = WorkloadIdentity
	case "UserAssignedMSI":
		i.Method = ManagedIdentity
	case "ServicePrincipal", "ManualServicePrincipal":
		i.Method = ClientSecret
		return s.withSecret(i, object, Identity.withClientSecret)
	case "ServicePrincipalCertificate":
		i.Method, i.File = ClientCertificate, object.CertPath
		if i.File == "" {
			return s.withSecret(i, object, Identity.withCertificate)
		}
	case "UserAssignedIdentityCredential":
		return ofFile(i, object)
	default:
		return Step{}, refuse(Invalid, "%s: spec.type %q is none of WorkloadIdentity, ServicePrincipal, ManualServicePrincipal, "+
			"ServicePrincipalCertificate, UserAssignedMSI and UserAssignedIdentityCredential", from, object.Type)
	}
	return Step{Identity: i}, nil
}

// lacksID refuses an identity without the ids that its type needs.
func (c ClusterIdentity) lacksID(from string) error {
	// A managed identity belongs to the machine's tenant, and some have their ids in a file.
	inFile := c.Type == "UserAssignedIdentityCredential"
	switch {
	case c.TenantID == "" && !inFile && c.Type != "UserAssignedMSI":
		return refuse(Invalid, "%s: spec.tenantID is empty: set it to the id of the Entra tenant", from)
	case c.ClientID == "" && !inFile:
		return refuse(Invalid, "%s: spec.clientID is empty: set it to the client id of the identity", from)
	}
	return nil
}

// allow tells whether clusters of a namespace may use the identity, as IsClusterNamespaceAllowed of CAPZ does: not set allows
// none, empty allows all, and then the list and the selector are asked, of which an empty one selects nothing.
func (n *Namespaces) allow(namespace string, of Read[map[string]string]) (allowed, needsLabels bool) {
	switch {
	case n == nil:
		return false, false
	case n.Any, slices.Contains(n.List, namespace):
		return true, false
	}
	selector, err := metav1.LabelSelectorAsSelector(n.Selector)
	if n.Selector == nil || err != nil || selector.Empty() {
		return false, false
	}
	if !of.Asked {
		return false, true
	}
	return of.Found && selector.Matches(labels.Set(of.Value)), false
}

// withSecret takes over what the Secret of spec.clientSecret has.
func (s Sources) withSecret(i Identity, object ClusterIdentity, take func(Identity, map[string][]byte, string) (Identity, error)) (Step, error) {
	if object.Secret.Name == "" || object.Secret.Namespace == "" {
		return Step{}, refuse(Invalid, "%s: spec.clientSecret names Secret %q of namespace %q, and spec.type %s needs both: set name and namespace",
			i.From, object.Secret.Name, object.Secret.Namespace, object.Type)
	}
	data, need, err := s.secret(object.Secret, i.From+": spec.clientSecret")
	if err != nil {
		return Step{}, err
	}
	if need != nil {
		return *need, nil
	}
	i, err = take(i, data, "Secret "+object.Secret.String()+", which "+i.From+" names in spec.clientSecret,")
	return Step{Identity: i}, err
}

func (i Identity) withClientSecret(data map[string][]byte, where string) (Identity, error) {
	i.Secret = NewSecret(string(data[keyClientSecret]))
	if i.Secret.Empty() {
		return Identity{}, refuse(Invalid, "%s has no key %s: put the client secret there", where, keyClientSecret)
	}
	return i, nil
}

// withCertificate reads the keys that CAPZ documents and hands to Azure Service Operator; CAPZ itself looks for the certificate
// where a client secret is, and then knows no password.
func (i Identity) withCertificate(data map[string][]byte, where string) (Identity, error) {
	i.Secret, i.Password = NewSecret(string(data[keyCertificate])), NewSecret(string(data[keyPassword]))
	if i.Secret.Empty() {
		i.Secret, i.Password = NewSecret(string(data[keyClientSecret])), Secret{}
	}
	if i.Secret.Empty() {
		return Identity{}, refuse(Invalid, "%s has no key %s: put the certificate with its private key there, as PEM or PKCS#12", where, keyCertificate)
	}
	return i, nil
}

// ofFile is an identity that services of Microsoft's own have in a file.
func ofFile(i Identity, object ClusterIdentity) (Step, error) {
	const field = "spec.userAssignedIdentityCredentials"
	i.Method, i.File = ManagedIdentityFile, object.CredentialsPath
	if i.File == "" {
		return Step{}, refuse(Invalid, "%s: %sPath is empty: set it to the path of the file with the credentials", i.From, field)
	}
	name, known := map[string]string{"": "", "public": "AzurePublicCloud", "china": "AzureChinaCloud", "usgovernment": "AzureUSGovernmentCloud"}[strings.ToLower(object.CredentialsCloud)]
	if !known {
		return Step{}, refuse(Invalid, "%s: %sCloudType %q is none of public, china and usgovernment", i.From, field, object.CredentialsCloud)
	}
	if name != "" {
		i.Cloud = Cloud{Name: name, From: i.From + ": " + field + "CloudType"}
	}
	return Step{Identity: i}, nil
}
