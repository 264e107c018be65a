package arm_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

func TestOptions(t *testing.T) {
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", "")
	t.Setenv("AZURE_TENANT_ID", tenant)
	t.Setenv("AZURE_CLIENT_ID", client)
	t.Setenv("AZURE_CLIENT_SECRET", secret)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	own := arm.Options{ResourceManagerEndpoint: "https://arm.example", ResourceManagerAudience: "https://arm.example", AuthorityHost: "https://login.example/"}
	for name, tc := range map[string]struct {
		change func(*arm.Options)
		want   string
	}{
		"the public cloud":   {func(o *arm.Options) { *o = arm.Options{} }, ""},
		"by name":            {func(o *arm.Options) { *o = arm.Options{Cloud: "azureusgovernmentcloud"} }, ""},
		"China":              {func(o *arm.Options) { *o = arm.Options{Cloud: "AzureChinaCloud"} }, ""},
		"by endpoints":       {func(*arm.Options) {}, ""},
		"an unknown name":    {func(o *arm.Options) { *o = arm.Options{Cloud: "Elsewhere"} }, `cloud "Elsewhere" is not`},
		"both":               {func(o *arm.Options) { o.Cloud = "AzurePublicCloud" }, "give one of them"},
		"tokens in the open": {func(o *arm.Options) { o.ResourceManagerEndpoint = "http://arm.example" }, `endpoint of Azure "http://arm.example" is not an https address`},
		"no authority":       {func(o *arm.Options) { o.AuthorityHost = "" }, `authority host of Azure "" is not an https address`},
		"no audience":        {func(o *arm.Options) { o.ResourceManagerAudience = "" }, "audience of Azure Resource Manager at https://arm.example is missing"},
		"no such file":       {func(o *arm.Options) { o.CAFile = empty + "x" }, "empty.pemx"},
		"no certificate":     {func(o *arm.Options) { o.CAFile = empty }, "no certificate in " + empty},
	} {
		t.Run(name, func(t *testing.T) {
			o := own
			tc.change(&o)
			_, err := arm.New(o)
			if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestWorkloadIdentityGoesBeforeASecret(t *testing.T) {
	a := newAzure(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a.b.c"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", token)
	t.Setenv("AZURE_CLIENT_SECRET", "")
	c, err := arm.New(a.options())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Capacity(t.Context(), query()); err != nil || !got.SKU.Known {
		t.Errorf("with a workload identity: %v %+v", err, got.SKU)
	}
	t.Setenv("AZURE_CLIENT_SECRET", secret)
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", token+"x")
	if c, err = arm.New(a.options()); err != nil {
		t.Fatal(err)
	}
	// The secret would have worked, as somebody else.
	if got, _ := c.Capacity(t.Context(), query()); got.SKU.Known {
		t.Error("a workload identity that fails becomes a service principal")
	}
}

func TestNoCredentials(t *testing.T) {
	for _, name := range []string{"AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"} {
		t.Setenv(name, "")
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := arm.New(arm.Options{}); !errors.Is(err, arm.ErrNoCredentials) {
		t.Errorf("got %v", err)
	}
	// A Pod may have a token for the identities of clusters and none of its own.
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", "/token")
	t.Setenv("AZURE_CLIENT_ID", "")
	if _, err := arm.New(arm.Options{}); !errors.Is(err, arm.ErrNoCredentials) || !strings.Contains(err.Error(), "AZURE_CLIENT_ID, which names the identity, is not") {
		t.Errorf("got %v", err)
	}
}

// TestIdentityThatIsRefused: what Entra does not accept is denied, not tried again, and the secret is not told.
func TestIdentityThatIsRefused(t *testing.T) {
	a := newAzure(t)
	t.Setenv("AZURE_CLIENT_ID", "not-a-client")
	c, err := arm.New(a.options())
	if err != nil {
		t.Fatal(err)
	}
	err = c.DeleteMachines(t.Context(), poolID, []string{"x"})
	r, refused := refusal.Of(err)
	if !refused || r.Kind != refusal.Denied || !strings.Contains(err.Error(), "Azure does not accept the operator's identity") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n") {
		t.Errorf("tells too much: %v", err)
	}
	got, err := c.Capacity(t.Context(), query())
	if err != nil || got.SKU.Known || got.Quotas.Known || got.Subnets[0].Known {
		t.Errorf("capacity: %v %+v", err, got)
	}
}

func TestAzureThatCannotBeReached(t *testing.T) {
	a := newAzure(t)
	if _, err := a.client.Capacity(t.Context(), query()); err != nil { // it has a token now
		t.Fatal(err)
	}
	a.server.Close()
	if err := a.client.DeleteMachines(t.Context(), poolID, []string{"x"}); !refusal.Is(err, refusal.Passing) {
		t.Errorf("got %v", err)
	}
}
