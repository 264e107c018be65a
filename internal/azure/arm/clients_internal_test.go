package arm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"github.com/fleetwright/fleetwright/internal/azure/identity"
)

// TestCloudOfAnIdentity: names of clouds are taken, endpoints only from the operator's own options.
func TestCloudOfAnIdentity(t *testing.T) {
	const environment = "AzureManagedControlPlane team-a/shop: spec.azureEnvironment"
	own := Options{ResourceManagerEndpoint: "https://arm.example", ResourceManagerAudience: "https://arm.example", AuthorityHost: "https://login.example/"}
	shop := identity.Identity{Method: identity.WorkloadIdentity, From: "AzureClusterIdentity team-a/shop"}
	named := func(i identity.Identity, name string) identity.Identity {
		i.Cloud = identity.Cloud{Name: name, From: environment}
		return i
	}
	endpoints := func(endpoint, audience, authority string) identity.Identity {
		i := shop
		i.Cloud = identity.Cloud{Endpoint: endpoint, Audience: audience, Authority: authority, From: "Secret team-a/mine: keys A, B and C"}
		return i
	}
	for name, tc := range map[string]struct {
		options Options
		of      identity.Identity
		want    string
		says    string
	}{
		"none is named":                       {Options{Cloud: "AzureChinaCloud"}, shop, "AzureChinaCloud", ""},
		"one is named":                        {Options{}, named(shop, "AzureUSGovernmentCloud"), "AzureUSGovernmentCloud", ""},
		"another than the operator's":         {Options{Cloud: "AzureChinaCloud"}, named(shop, "AzurePublicCloud"), "AzurePublicCloud", ""},
		"none that exists":                    {Options{}, named(shop, "AzureGermanCloud"), "", environment + `: cloud "AzureGermanCloud" is not AzurePublicCloud, AzureUSGovernmentCloud or AzureChinaCloud`},
		"a cloud of one's own":                {own, named(shop, "AzurePublicCloud"), "", ""},
		"the operator's own identity":         {Options{}, named(identity.Identity{}, "azurepubliccloud"), "azurepubliccloud", ""},
		"the operator's own of another one":   {Options{}, named(identity.Identity{}, "AzureChinaCloud"), "", environment + " is AzureChinaCloud, and the operator's own identity is of AzurePublicCloud: name an identity in spec.identityRef"},
		"endpoints that are the operator's":   {own, endpoints("https://ARM.example/", "https://arm.example", "https://login.example"), "", ""},
		"endpoints of a cloud with a name":    {Options{}, endpoints("https://management.azure.com", "https://management.core.windows.net/", "https://login.microsoftonline.com"), "", ""},
		"an endpoint that is somebody's":      {Options{}, endpoints("https://evil", "https://management.core.windows.net/", "https://login.microsoftonline.com"), "", "Secret team-a/mine: keys A, B and C name another cloud than the operator's, https://management.azure.com: remove them, or"},
		"an authority that is somebody's":     {own, endpoints("https://arm.example", "https://arm.example", "https://evil"), "", "name another cloud"},
		"an audience that is somebody else's": {own, endpoints("https://arm.example", "https://vault", "https://login.example"), "", "name another cloud"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tc.options.optionsFor(tc.of)
			refused, ok := errors.AsType[*identity.Refusal](err)
			switch {
			case tc.says == "" && err != nil:
				t.Fatal(err)
			case tc.says != "" && (!ok || refused.Reason != identity.Invalid || !strings.Contains(refused.Message, tc.says)):
				t.Errorf("it says %v, want %s", err, tc.says)
			case tc.says == "" && (got.Cloud != tc.want || got.ResourceManagerEndpoint != tc.options.ResourceManagerEndpoint):
				t.Errorf("it is %q, want %q", got.Cloud, tc.want)
			}
		})
	}
}

// TestProofsThatAreNone: what cannot be used is said, and nothing of what is in a Secret or a file.
func TestProofsThatAreNone(t *testing.T) {
	const canary = "canary-in-the-file"
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(folder, "large")
	if err := os.WriteFile(large, make([]byte, maxCredentialFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	noBase64 := filepath.Join(folder, "base64")
	if err := os.WriteFile(noBase64, []byte(`{"tenant_id":"t","client_id":"c","authentication_endpoint":"https://x/","client_secret":"`+canary+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	const from = "AzureClusterIdentity team-a/shop: "
	for name, tc := range map[string]struct {
		of   identity.Identity
		says string
	}{
		"no token": {identity.Identity{Method: identity.WorkloadIdentity}, from + "it is a workload identity, and the operator has no token for one in " + file + "x: " +
			"give its Pods the label azure.workload.identity/use"},
		"no file":            {identity.Identity{Method: identity.ClientCertificate, File: file + "x"}, from + "it names file " + file + "x, which the operator cannot read: mount it into its Pods"},
		"a folder":           {identity.Identity{Method: identity.ClientCertificate, File: folder}, from + "it names file " + folder + ", which is no file of at most 1 MiB"},
		"a large file":       {identity.Identity{Method: identity.ClientCertificate, File: large}, from + "it names file " + large + ", which is no file of at most 1 MiB"},
		"no certificate":     {identity.Identity{Method: identity.ClientCertificate, File: file}, from + "its certificate is no PEM or PKCS#12 with one private key, or the password is wrong"},
		"none in the Secret": {identity.Identity{Method: identity.ClientCertificate, Secret: identity.NewSecret(canary), Password: identity.NewSecret(canary)}, from + "its certificate is no PEM"},
		"no JSON":            {identity.Identity{Method: identity.ManagedIdentityFile, File: file}, from + "file " + file + " is not JSON with tenant_id, client_id, client_secret and authentication_endpoint"},
		"no base64":          {identity.Identity{Method: identity.ManagedIdentityFile, File: noBase64}, from + "client_secret of file " + noBase64 + " is not base64"},
		"no tenant":          {identity.Identity{Method: identity.ClientSecret, TenantID: "a b", Secret: identity.NewSecret(canary)}, from + "it cannot be used: invalid tenantID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AZURE_FEDERATED_TOKEN_FILE", file+"x")
			tc.of.From = "AzureClusterIdentity team-a/shop"
			c := &Clients{clock: testclock.NewFakePassiveClock(time.Time{}), kept: map[signature]*keptClient{}}
			p, err := prove(tc.of)
			if err == nil {
				_, err = c.clientOf(p, Options{})
			}
			refused, ok := errors.AsType[*identity.Refusal](err)
			if !ok || refused.Reason != identity.Invalid || !strings.HasPrefix(refused.Message, tc.says) || strings.Contains(refused.Message, canary) {
				t.Errorf("it says %v\nwant %s", err, tc.says)
			}
			if len(c.kept) != 0 {
				t.Error("it is kept")
			}
		})
	}
}

// TestClientsAreBounded: those that are not used go, the oldest first.
func TestClientsAreBounded(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC))
	c := &Clients{clock: clock, kept: map[signature]*keptClient{}}
	look := func(client int, cloud string) *Client {
		t.Helper()
		got, err := c.clientOf(proof{Identity: identity.Identity{
			Method: identity.ClientSecret, TenantID: "33333333-3333-3333-3333-333333333333", ClientID: fmt.Sprintf("client-%d", client), Secret: identity.NewSecret("s"),
		}}, Options{Cloud: cloud})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := look(0, "")
	if look(0, "AzureChinaCloud") == first {
		t.Error("two clouds share a client")
	}
	second := look(1, "")
	for i := range maxClients + 10 {
		clock.SetTime(clock.Now().Add(time.Second))
		look(100+i, "")
		if look(0, "") != first {
			t.Fatal("a client that is used goes")
		}
		if len(c.kept) > maxClients {
			t.Fatalf("%d clients are kept", len(c.kept))
		}
	}
	if look(1, "") == second {
		t.Error("the oldest one stays")
	}
	clock.SetTime(clock.Now().Add(idle))
	look(2, "")
	if len(c.kept) != 1 {
		t.Errorf("%d clients are kept, of which one was used", len(c.kept))
	}
}

// TestWhoSharesABudget: an identity has one, whichever way it signs in, and two that have their ids in files have two.
func TestWhoSharesABudget(t *testing.T) {
	const tenant, a, b = "33333333-3333-3333-3333-333333333333", "aaaaaaaa-4444-4444-4444-444444444444", "bbbbbbbb-4444-4444-4444-444444444444"
	file := func(client string) string {
		path := filepath.Join(t.TempDir(), "file")
		content := fmt.Sprintf(`{"tenant_id":%q,"client_id":%q,"authentication_endpoint":"https://x/","client_secret":"x"}`, tenant, client)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", file(a))
	for name, tc := range map[string]struct {
		of   identity.Identity
		want string
	}{
		"a managed identity":                           {identity.Identity{Method: identity.ManagedIdentity, ClientID: a}, a},
		"the same as a workload identity":              {identity.Identity{Method: identity.WorkloadIdentity, TenantID: tenant, ClientID: strings.ToUpper(a)}, a},
		"the same by a file":                           {identity.Identity{Method: identity.ManagedIdentityFile, File: file(a)}, a},
		"another by a file":                            {identity.Identity{Method: identity.ManagedIdentityFile, File: file(b)}, b},
		"a file of another than the object says it is": {identity.Identity{Method: identity.ManagedIdentityFile, File: file(b), TenantID: tenant, ClientID: a}, b},
	} {
		p, err := prove(tc.of)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Principal(); got != tc.want {
			t.Errorf("%s counts as %s, want %s", name, got, tc.want)
		}
	}
	// An application that is in two tenants signs in to each of them.
	c := &Clients{clock: testclock.NewFakePassiveClock(time.Unix(0, 0)), kept: map[signature]*keptClient{}}
	for _, in := range []string{tenant, a, tenant} {
		if _, err := c.clientOf(proof{Identity: identity.Identity{Method: identity.ClientSecret, TenantID: in, ClientID: b, Secret: identity.NewSecret("s")}}, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.kept) != 2 {
		t.Errorf("%d clients for two tenants", len(c.kept))
	}
}

// TestWhoIsDiscreet: secrets and tokens do not come back out of an answer.
func TestWhoIsDiscreet(t *testing.T) {
	w := who{secrets: []identity.Secret{{}, identity.NewSecret("s3cret-value")}}
	for text, want := range map[string]string{
		"the secret s3cret-value is wrong":                         "the secret (hidden) is wrong",
		"token eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.abc_-1 is old": "token (token) is old",
		"eyJ is no token": "eyJ is no token",
	} {
		if got := w.discreet(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
