package arm_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/identity"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/internal/capi"
)

const other = "66666666-6666-6666-6666-666666666666"

// write makes a file and is its path.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestClientsSignInAsTheClusters: each type of identity gets a token and asks with it; no cluster is asked for as another.
func TestClientsSignInAsTheClusters(t *testing.T) {
	a := newAzure(t)
	d := newDoor(t, a.server)
	for name, make := range map[string]func(t *testing.T, m *management) capi.Cluster{
		"ServicePrincipal": func(_ *testing.T, m *management) capi.Cluster {
			m.secret("shop", map[string]string{"clientSecret": secret})
			return m.capz("shop", identitySpec("ServicePrincipal", other, secretRef("shop")))
		},
		"ManualServicePrincipal": func(_ *testing.T, m *management) capi.Cluster {
			m.secret("shop", map[string]string{"clientSecret": secret})
			return m.capz("shop", identitySpec("ManualServicePrincipal", other, secretRef("shop")))
		},
		"ServicePrincipalCertificate": func(t *testing.T, m *management) capi.Cluster {
			m.secret("shop", map[string]string{"certificate": certificate(t)})
			return m.capz("shop", identitySpec("ServicePrincipalCertificate", other, secretRef("shop")))
		},
		"ServicePrincipalCertificate in a file": func(t *testing.T, m *management) capi.Cluster {
			return m.capz("shop", identitySpec("ServicePrincipalCertificate", other, map[string]any{"certPath": write(t, certificate(t))}))
		},
		"WorkloadIdentity": func(t *testing.T, m *management) capi.Cluster {
			t.Setenv("AZURE_FEDERATED_TOKEN_FILE", write(t, "a.b.c"))
			return m.capz("shop", identitySpec("WorkloadIdentity", other, nil))
		},
		"UserAssignedIdentityCredential": func(t *testing.T, m *management) capi.Cluster {
			file, err := json.Marshal(map[string]string{
				"tenant_id": tenant, "client_id": other, "client_secret": base64.StdEncoding.EncodeToString([]byte(certificate(t))), "authentication_endpoint": d.URL + "/",
			})
			if err != nil {
				t.Fatal(err)
			}
			return m.capz("shop", identitySpec("UserAssignedIdentityCredential", "", map[string]any{"userAssignedIdentityCredentialsPath": write(t, string(file))}))
		},
		"a secret of Azure Service Operator": func(_ *testing.T, m *management) capi.Cluster {
			m.secret("mine", map[string]string{"AZURE_SUBSCRIPTION_ID": subscription, "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": other, "AZURE_CLIENT_SECRET": secret})
			return m.aso("shop", "mine")
		},
		"workload identity of Azure Service Operator": func(t *testing.T, m *management) capi.Cluster {
			t.Setenv("AZURE_FEDERATED_TOKEN_FILE", write(t, "a.b.c"))
			m.secret("mine", map[string]string{"AZURE_SUBSCRIPTION_ID": subscription, "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": other})
			return m.aso("shop", "mine")
		},
	} {
		t.Run(name, func(t *testing.T) {
			noIdentity(t)
			m := newManagement(t)
			cluster := make(t, m)
			d.who()
			c, err := clients(t, d.options(a), m).For(t.Context(), cluster)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.Capacity(t.Context(), query()); err != nil || !got.SKU.Known {
				t.Errorf("it is answered %+v %v", got.SKU, err)
			}
			if who := d.who(); len(who) == 0 || slices.ContainsFunc(who, func(id string) bool { return id != other }) {
				t.Errorf("signed in: %q", who)
			}
			if c.Principal() != other {
				t.Errorf("the principal is %s", c.Principal())
			}
		})
	}
}

// TestClientsWithManagedIdentity gets the token of a managed identity from the machine that the operator runs on.
func TestClientsWithManagedIdentity(t *testing.T) {
	a := newAzure(t)
	noIdentity(t)
	token, err := a.sdk.Credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{simclient.Audience + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	asked := ""
	machine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query().Get("client_id")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{
			"access_token": token.Token, "token_type": "Bearer", "resource": simclient.Audience, "expires_on": strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10),
		})
	}))
	defer machine.Close()
	t.Setenv("IDENTITY_ENDPOINT", machine.URL)
	t.Setenv("IDENTITY_HEADER", "x")
	m := newManagement(t)
	cluster := m.capz("shop", identitySpec("UserAssignedMSI", other, nil))
	c, err := clients(t, a.options(), m).For(t.Context(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Capacity(t.Context(), query()); err != nil || !got.SKU.Known || asked != other {
		t.Errorf("it is answered %+v %v, and asked for %q", got.SKU, err, asked)
	}
}

// TestClientsFallBackToTheOperators where a cluster names nobody, and nowhere else.
func TestClientsFallBackToTheOperators(t *testing.T) {
	a := newAzure(t) // its service principal is in the environment
	m := newManagement(t)
	nobody := m.capz("nobody", nil)
	missing := m.capz("missing", identitySpec("ServicePrincipal", other, secretRef("missing")))
	all := clients(t, a.options(), m)
	own, err := all.Own()
	if err != nil || own.Principal() != client {
		t.Fatalf("the operator's own is %v %v", own, err)
	}
	if c, err := all.For(t.Context(), nobody); err != nil || c != own {
		t.Errorf("for a cluster that names nobody: %v", err)
	}
	if c, err := all.For(t.Context(), capi.Cluster{Namespace: "team-a", Name: "elsewhere"}); err != nil || c != own {
		t.Errorf("for a cluster that does not exist: %v", err)
	}
	if _, err := all.For(t.Context(), capi.Cluster{Namespace: "team-a", Name: "young", Found: true}); err == nil {
		t.Error("a cluster without a control plane yet has the operator's own")
	}
	refused := (*identity.Refusal)(nil)
	if _, err := all.For(t.Context(), missing); !errors.As(err, &refused) || refused.Reason != identity.NotFound {
		t.Errorf("for a cluster whose Secret is missing: %v", err)
	}
	o := a.options()
	o.Whose = "operator"
	m.reads = 0
	if c, err := clients(t, o, m).For(t.Context(), missing); err != nil || c.Principal() != own.Principal() || m.reads != 0 {
		t.Errorf("with the operator's identity for all: %v after %d readings", err, m.reads)
	}
	o.Whose = "somebody"
	if _, err := arm.NewClients(o, m.Client); err == nil || !strings.Contains(err.Error(), `identity "somebody" for Azure is neither Cluster nor Operator`) {
		t.Errorf("somebody: %v", err)
	}
	noIdentity(t)
	all = clients(t, a.options(), m)
	if _, err := all.For(t.Context(), nobody); !errors.Is(err, arm.ErrNoCredentials) {
		t.Errorf("nobody at all: %v", err)
	}
}

// TestClientsFollowTheSecret: what counts is what is in it, from the next look on.
func TestClientsFollowTheSecret(t *testing.T) {
	a := newAzure(t)
	noIdentity(t)
	d := newDoor(t, a.server)
	d.lets(other, "the-second-secret")
	m := newManagement(t)
	m.secret("shop", map[string]string{"clientSecret": "the-first-secret"})
	m.secret("copy", map[string]string{"clientSecret": "the-first-secret"})
	shop := m.capz("shop", identitySpec("ServicePrincipal", other, secretRef("shop")))
	copied := m.capz("copy", identitySpec("ServicePrincipal", other, secretRef("copy")))
	all := clients(t, d.options(a), m)
	look := func(c capi.Cluster) *arm.Client {
		t.Helper()
		got, err := all.For(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := look(shop)
	err := first.DeleteMachines(t.Context(), poolID, []string{"x"})
	if !refusal.Is(err, refusal.Denied) || !strings.Contains(err.Error(), "Azure does not accept client "+other+": invalid_client: AADSTS7000215") || strings.Contains(err.Error(), "first") {
		t.Errorf("with the old secret: %v", err)
	}
	m.changeSecret("shop", "unrelated", "x") // it has another resourceVersion
	if look(shop) != first || look(copied) != first {
		t.Error("the same secret is signed in with twice")
	}
	m.changeSecret("shop", "clientSecret", "the-second-secret")
	second := look(shop)
	if second == first || look(shop) != second {
		t.Error("another secret is not signed in with once")
	}
	if got, err := second.Capacity(t.Context(), query()); err != nil || !got.SKU.Known {
		t.Errorf("with the new secret: %+v %v", got.SKU, err)
	}
	if look(copied) != first {
		t.Error("the copy has changed")
	}
	if err := m.Delete(t.Context(), secretNamed(t, m, "shop")); err != nil {
		t.Fatal(err)
	}
	if _, err := all.For(t.Context(), shop); err == nil {
		t.Error("a Secret that is gone is gone on with")
	}
}

func secretNamed(t *testing.T, m *management, name string) *corev1.Secret {
	t.Helper()
	var s corev1.Secret
	if err := m.Get(t.Context(), types.NamespacedName{Namespace: "team-a", Name: name}, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// TestClientsOfTheWrongTenant: Azure says so in two places.
func TestClientsOfTheWrongTenant(t *testing.T) {
	a := newAzure(t)
	noIdentity(t)
	m := newManagement(t)
	m.secret("shop", map[string]string{"clientSecret": secret})
	cluster := m.capz("shop", identitySpec("ServicePrincipal", other, secretRef("shop")))
	c, err := clients(t, a.options(), m).For(t.Context(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	a.fault("/deleteMachines", 1, sim.FaultError{
		Status: 401, Code: "InvalidAuthenticationTokenTenant", Message: "The access token is from the wrong issuer 'https://sts.windows.net/" + tenant + "/'.",
	})
	err = c.DeleteMachines(t.Context(), poolID, []string{"x"})
	if !refusal.Is(err, refusal.Denied) || !strings.Contains(err.Error(), "Azure does not accept client "+other+": InvalidAuthenticationTokenTenant: The access token is from the wrong issuer") {
		t.Errorf("a token of another tenant: %v", err)
	}
	d := newDoor(t, a.server)
	d.said(func(w http.ResponseWriter, r *http.Request, _ url.Values) bool {
		if !strings.HasPrefix(r.URL.Path, "/"+tenant+"/") {
			return false
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_request","error_description":"AADSTS90002: Tenant '` + tenant + `' not found."}`))
		return true
	})
	if c, err = clients(t, d.options(a), m).For(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	if err = c.DeleteMachines(t.Context(), poolID, []string{"x"}); err == nil || !strings.Contains(err.Error(), "AADSTS90002") || !refusal.Is(err, refusal.Denied) {
		t.Errorf("a tenant that does not exist: %v", err)
	}
}
