package arm_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"k8s.io/apimachinery/pkg/util/wait"
	testclock "k8s.io/utils/clock/testing"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/capacity"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

const (
	subscription = "00000000-0000-0000-0000-000000000001"
	tenant       = "33333333-3333-3333-3333-333333333333"
	client       = "44444444-4444-4444-4444-444444444444"
	group        = "rg-shop"
	location     = "westeurope"
	secret       = "never-to-be-seen"

	groupID   = "/subscriptions/" + subscription + "/resourceGroups/" + group
	networkID = groupID + "/providers/Microsoft.Network/virtualNetworks/shop"
	nodesID   = networkID + "/subnets/nodes"
	poolID    = groupID + "/providers/Microsoft.ContainerService/managedClusters/shop/agentPools/blue"
)

// world is Kubernetes behind the simulated clusters: nobody looks at it here.
type world struct{}

func (world) EnsureCluster(context.Context, sim.Cluster) ([]byte, error) {
	return []byte("kubeconfig"), nil
}
func (world) DeleteCluster(context.Context, string) error        { return nil }
func (world) EnsureNode(context.Context, string, sim.Node) error { return nil }
func (world) DeleteNode(context.Context, string, string) error   { return nil }

// azure is a simulator, its owner's SDK client, and the Client under test with a clock that stands still.
type azure struct {
	t      *testing.T
	server *sim.Server
	sdk    *simclient.Client
	clock  *testclock.FakePassiveClock
	client *arm.Client
}

// newAzure has a network with the subnet "nodes" (251 addresses) and a cluster whose pool "blue" has three nodes in it.
func newAzure(t *testing.T, change ...func(*sim.Settings)) *azure {
	t.Helper()
	settings := sim.DefaultSettings()
	settings.Durations = sim.Durations{}
	for _, c := range change {
		c(&settings)
	}
	server, err := sim.Start(t.Context(), sim.Options{Dir: t.TempDir(), Kubernetes: world{}, Settings: &settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	a := &azure{t: t, server: server, clock: testclock.NewFakePassiveClock(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC))}
	if a.sdk, err = simclient.New(server.URL(), server.CAFile(), simclient.Identity{TenantID: tenant, ClientID: client, ClientSecret: "x"}); err != nil {
		t.Fatal(err)
	}
	a.client = a.connect()
	a.make()
	return a
}

// connect makes a Client of the service principal in the environment.
func (a *azure) connect() *arm.Client {
	a.t.Helper()
	for name, value := range map[string]string{
		"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": secret, "AZURE_FEDERATED_TOKEN_FILE": "",
	} {
		a.t.Setenv(name, value)
	}
	c, err := arm.New(a.options())
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

func (a *azure) options() arm.Options {
	return arm.Options{
		ResourceManagerEndpoint: a.server.URL(), ResourceManagerAudience: simclient.Audience, AuthorityHost: a.server.URL() + "/",
		CAFile: a.server.CAFile(), Clock: a.clock,
	}
}

func build[T any](a *azure, constructor func(string, azcore.TokenCredential, *azarm.ClientOptions) (*T, error)) *T {
	a.t.Helper()
	c, err := constructor(subscription, a.sdk.Credential, a.sdk.Options)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

func (a *azure) make() {
	a.t.Helper()
	ctx := a.t.Context()
	if _, err := build(a, armresources.NewResourceGroupsClient).CreateOrUpdate(ctx, group, armresources.ResourceGroup{Location: to.Ptr(location)}, nil); err != nil {
		a.t.Fatal(err)
	}
	_, err := build(a, armnetwork.NewVirtualNetworksClient).BeginCreateOrUpdate(ctx, group, "shop", armnetwork.VirtualNetwork{
		Location: to.Ptr(location),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{to.Ptr("10.0.0.0/8")}},
			Subnets:      []*armnetwork.Subnet{{Name: to.Ptr("nodes"), Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: to.Ptr("10.1.0.0/24")}}},
		},
	}, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	system := &aks.ManagedClusterAgentPoolProfile{
		Name: to.Ptr("sys"), Mode: to.Ptr(aks.AgentPoolModeSystem), Count: to.Ptr[int32](1), VMSize: to.Ptr("Standard_D4s_v5"), OSType: to.Ptr(aks.OSTypeLinux),
	}
	_, err = build(a, aks.NewManagedClustersClient).BeginCreateOrUpdate(ctx, group, "shop", aks.ManagedCluster{
		Location: to.Ptr(location),
		Properties: &aks.ManagedClusterProperties{
			DNSPrefix: to.Ptr("shop"), AgentPoolProfiles: []*aks.ManagedClusterAgentPoolProfile{system},
		},
	}, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	pools := build(a, aks.NewAgentPoolsClient)
	a.eventually("the cluster takes a pool", func() error {
		_, err := pools.BeginCreateOrUpdate(ctx, group, "shop", "blue", aks.AgentPool{Properties: &aks.ManagedClusterAgentPoolProfileProperties{
			Count: to.Ptr[int32](3), VMSize: to.Ptr("Standard_D8ds_v5"), MaxPods: to.Ptr[int32](30), VnetSubnetID: to.Ptr(nodesID),
		}}, nil)
		return err
	})
	a.eventually("the pool is there", func() error {
		_, err := pools.Get(ctx, group, "shop", "blue", nil)
		return err
	})
}

// eventually waits in real time for what the simulator does by itself.
func (a *azure) eventually(what string, check func() error) {
	a.t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(a.t.Context(), 2*time.Millisecond, 20*time.Second, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		a.t.Fatalf("%s: %v", what, last)
	}
}

// fault scripts how the simulator answers the next requests to a path.
func (a *azure) fault(path string, count int, e sim.FaultError) {
	a.t.Helper()
	if _, err := a.server.AddFault(sim.Fault{Path: path, UserAgent: "^fleetwright", Count: count, Effect: sim.Effect{Error: &e}}); err != nil {
		a.t.Fatal(err)
	}
}

// asked counts the requests of the Client under test to paths that end so.
func (a *azure) asked(suffix string) int {
	n := 0
	for _, r := range a.server.Requests() {
		if strings.HasPrefix(r.UserAgent, "fleetwright") && strings.HasSuffix(r.Path, suffix) {
			n++
		}
	}
	return n
}

func query() capacity.Query {
	return capacity.Query{SubscriptionID: subscription, Location: "West Europe", MachineType: "Standard_D8ds_v5", Zones: []string{"1", "2"}, NodeSubnetID: nodesID}
}

func quotas(limits ...catalog.Quota) func(*sim.Settings) {
	return func(s *sim.Settings) { s.Catalog.Quotas = limits }
}

var serverError = sim.FaultError{Status: http.StatusServiceUnavailable, Code: "ServerBusy", Message: "later"}
