package clusterautoscaler

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// nobody is Kubernetes behind the simulated cluster: nobody looks at it here.
type nobody struct{}

func (nobody) EnsureCluster(context.Context, sim.Cluster) ([]byte, error) { return []byte("x"), nil }
func (nobody) DeleteCluster(context.Context, string) error                { return nil }
func (nobody) EnsureNode(context.Context, string, sim.Node) error         { return nil }
func (nobody) DeleteNode(context.Context, string, string) error           { return nil }

type simulated struct{ client *arm.Client }

func (s simulated) For(context.Context, capi.Cluster) (Azure, error) { return s.client, nil }

// By the real client, a cluster of the simulated Azure gets the profile, and a change made with Azure's own SDK is healed by exactly one PUT.
func TestDriftInTheSimulatedAzure(t *testing.T) {
	s := newStage(t, managedKind, byARM)
	const subscription = "00000000-0000-0000-0000-000000000001"
	settings := sim.DefaultSettings()
	settings.Durations = sim.Durations{}
	server, err := sim.Start(t.Context(), sim.Options{Dir: t.TempDir(), Kubernetes: nobody{}, Settings: &settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	identity := simclient.Identity{TenantID: "33333333-3333-3333-3333-333333333333", ClientID: "44444444-4444-4444-4444-444444444444", ClientSecret: "x"}
	sdk, err := simclient.New(server.URL(), server.CAFile(), identity)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AZURE_TENANT_ID": identity.TenantID, "AZURE_CLIENT_ID": identity.ClientID, "AZURE_CLIENT_SECRET": identity.ClientSecret, "AZURE_FEDERATED_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
	client, err := arm.New(arm.Options{
		ResourceManagerEndpoint: server.URL(), ResourceManagerAudience: simclient.Audience, AuthorityHost: server.URL() + "/", CAFile: server.CAFile(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.reconciler.Azures = simulated{client}
	groups, err := armresources.NewResourceGroupsClient(subscription, sdk.Credential, sdk.Options)
	if err != nil {
		t.Fatal(err)
	}
	clusters, err := aks.NewManagedClustersClient(subscription, sdk.Credential, sdk.Options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := groups.CreateOrUpdate(t.Context(), s.key.Namespace, armresources.ResourceGroup{Location: to.Ptr("westeurope")}, nil); err != nil {
		t.Fatal(err)
	}
	put := func(body aks.ManagedCluster) {
		t.Helper()
		var last error
		err := wait.PollUntilContextTimeout(t.Context(), 5*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) {
			_, last = clusters.BeginCreateOrUpdate(ctx, s.key.Namespace, "c", body, nil)
			return last == nil, nil
		})
		if err != nil {
			t.Fatal(last)
		}
	}
	put(aks.ManagedCluster{Location: to.Ptr("westeurope"), Properties: &aks.ManagedClusterProperties{
		DNSPrefix: to.Ptr("shop"),
		AgentPoolProfiles: []*aks.ManagedClusterAgentPoolProfile{{
			Name: to.Ptr("sys"), Mode: to.Ptr(aks.AgentPoolModeSystem), Count: to.Ptr[int32](1), VMSize: to.Ptr("Standard_D4s_v5"), OSType: to.Ptr(aks.OSTypeLinux),
		}},
	}})
	eventually := func() {
		t.Helper()
		err := wait.PollUntilContextTimeout(t.Context(), 5*time.Millisecond, 20*time.Second, true, func(context.Context) (bool, error) {
			_, err := s.reconcile()
			s.refresh()
			for _, c := range s.object.Status.Conditions {
				if c.Type == "Applied" && c.Status == "True" && c.Reason == "Applied" {
					return err == nil, nil
				}
			}
			return false, nil
		})
		if err != nil {
			t.Fatalf("it never is applied: %+v", s.object.Status.Conditions)
		}
	}
	puts := func() int {
		n := 0
		for _, r := range server.Requests() {
			if r.Method == http.MethodPut && strings.HasPrefix(r.UserAgent, "fleetwright") && r.Status < http.StatusMultipleChoices {
				n++
			}
		}
		return n
	}
	eventually()
	if n := puts(); n != 1 {
		t.Errorf("%d PUTs for the first time", n)
	}
	body, err := clusters.Get(t.Context(), s.key.Namespace, "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	body.Properties.AgentPoolProfiles, body.Properties.AutoScalerProfile.Expander = nil, to.Ptr(aks.ExpanderPriority)
	put(body.ManagedCluster)
	eventually()
	if n := puts(); n != 2 || s.outcomes() != "Healed expander" {
		t.Errorf("%d PUTs in all, drifts %q", n, s.outcomes())
	}
	got, err := clusters.Get(t.Context(), s.key.Namespace, "c", nil)
	if err != nil || *got.Properties.AutoScalerProfile.Expander != aks.ExpanderLeastWaste || len(got.Properties.AgentPoolProfiles) != 1 {
		t.Errorf("%+v, %v", got.Properties, err)
	}
}
