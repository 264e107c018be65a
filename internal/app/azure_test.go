package app

import (
	"testing"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool"
)

// Nobody to be is no error, and no Azure that is not nil and panics when it is asked.
func TestNoIdentityIsNoAzure(t *testing.T) {
	for _, name := range []string{"AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"} {
		t.Setenv(name, "")
	}
	t.Setenv("PATH", t.TempDir())
	clients, err := arm.NewClients(arm.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	azures := azuresFor[nodepool.Azure]{clients, func(c *arm.Client) nodepool.Azure { return c }}
	if azure, err := azures.For(t.Context(), capi.Cluster{}); azure != nil || err != nil {
		t.Errorf("got %v %v", azure, err)
	}
	if azure, err := azures.For(t.Context(), capi.Cluster{Found: true}); azure != nil || err == nil {
		t.Errorf("of a cluster whose identity is not known yet: %v %v", azure, err)
	}
}
