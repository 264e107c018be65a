package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"k8s.io/apimachinery/pkg/util/wait"
	testclock "k8s.io/utils/clock/testing"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

const (
	subscription = "00000000-0000-0000-0000-000000000001"
	tenant       = "33333333-3333-3333-3333-333333333333"
	client       = "44444444-4444-4444-4444-444444444444"
	group        = "rg-Shop"
	cluster      = "shop"
	location     = "westeurope"
	clusterID    = "/subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.ContainerService/managedClusters/" + cluster
	nodeGroup    = "MC_rg-Shop_shop_westeurope"
)

// azure is one simulator under test with SDK clients that talk to it over HTTPS.
type azure struct {
	t      testing.TB
	dir    string
	clock  *testclock.FakeClock
	world  *fakeWorld
	server *sim.Server
	sdk    *simclient.Client

	groups      *armresources.ResourceGroupsClient
	networks    *armnetwork.VirtualNetworksClient
	subnets     *armnetwork.SubnetsClient
	clusters    *aks.ManagedClustersClient
	pools       *aks.AgentPoolsClient
	scaleSets   *armcompute.VirtualMachineScaleSetsClient
	machines    *armcompute.VirtualMachineScaleSetVMsClient
	assignments *armauthorization.RoleAssignmentsClient
}

func newAzure(tb testing.TB, change ...func(*sim.Settings)) *azure {
	tb.Helper()
	a := &azure{t: tb, dir: tb.TempDir(), clock: testclock.NewFakeClock(time.Now()), world: newFakeWorld()}
	a.start(change...)
	return a
}

// start starts the simulator on the test's directory; a second call is a restart.
func (a *azure) start(change ...func(*sim.Settings)) {
	a.t.Helper()
	if a.server != nil {
		a.server.Close()
	}
	settings := sim.DefaultSettings()
	for _, c := range change {
		c(&settings)
	}
	server, err := sim.Start(a.t.Context(), sim.Options{Dir: a.dir, Kubernetes: a.world, Settings: &settings, Clock: a.clock})
	if err != nil {
		a.t.Fatalf("Start: %v", err)
	}
	a.server = server
	a.t.Cleanup(server.Close)
	a.sdk, err = simclient.New(server.URL(), server.CAFile(), simclient.Identity{TenantID: tenant, ClientID: client, ClientSecret: "x"})
	if err != nil {
		a.t.Fatalf("simclient.New: %v", err)
	}
	// Tests want to see each answer, not the SDK's third try.
	a.sdk.Options.Retry = policy.RetryOptions{MaxRetries: -1}
	a.groups = build(a, armresources.NewResourceGroupsClient)
	a.networks = build(a, armnetwork.NewVirtualNetworksClient)
	a.subnets = build(a, armnetwork.NewSubnetsClient)
	a.clusters = build(a, aks.NewManagedClustersClient)
	a.pools = build(a, aks.NewAgentPoolsClient)
	a.scaleSets = build(a, armcompute.NewVirtualMachineScaleSetsClient)
	a.machines = build(a, armcompute.NewVirtualMachineScaleSetVMsClient)
	a.assignments = build(a, armauthorization.NewRoleAssignmentsClient)
}

func build[T any](a *azure, constructor func(string, azcore.TokenCredential, *arm.ClientOptions) (*T, error)) *T {
	a.t.Helper()
	c, err := constructor(subscription, a.sdk.Credential, a.sdk.Options)
	if err != nil {
		a.t.Fatalf("build an SDK client: %v", err)
	}
	return c
}

// done drives a poller to its end by moving the clock, and fails the test if the operation fails.
func done[T any](a *azure, p *runtime.Poller[T], err error) T {
	a.t.Helper()
	result, err := ended(a, p, err)
	if err != nil {
		a.t.Fatalf("operation: %v", err)
	}
	return result
}

// ended drives a poller to its end and returns how it ended.
func ended[T any](a *azure, p *runtime.Poller[T], err error) (T, error) {
	a.t.Helper()
	if err != nil {
		var none T
		return none, err
	}
	a.eventually("the operation ends", func() error {
		if _, err := p.Poll(a.t.Context()); err != nil || p.Done() {
			return nil //nolint:nilerr // how it ended is Result's business
		}
		a.clock.Step(500 * time.Millisecond)
		return errors.New("still running")
	})
	return p.Result(a.t.Context())
}

// eventually waits in real time for what happens in another goroutine: the Kubernetes world.
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

func (a *azure) eventuallyNodes(want ...string) {
	a.t.Helper()
	a.eventually("nodes", func() error {
		if got := a.world.nodeNames(); strings.Join(got, " ") != strings.Join(want, " ") {
			return fmt.Errorf("have %v, want %v", got, want)
		}
		return nil
	})
}

func (a *azure) makeGroup() {
	a.t.Helper()
	if _, err := a.groups.CreateOrUpdate(a.t.Context(), group, armresources.ResourceGroup{Location: to.Ptr(location)}, nil); err != nil {
		a.t.Fatalf("create the resource group: %v", err)
	}
}

func systemPool(name string) *aks.ManagedClusterAgentPoolProfile {
	return &aks.ManagedClusterAgentPoolProfile{
		Name: to.Ptr(name), Mode: to.Ptr(aks.AgentPoolModeSystem), Count: to.Ptr[int32](2), VMSize: to.Ptr("Standard_D4s_v5"), OSType: to.Ptr(aks.OSTypeLinux),
	}
}

func newCluster(pools ...*aks.ManagedClusterAgentPoolProfile) aks.ManagedCluster {
	return aks.ManagedCluster{
		Location: to.Ptr(location),
		Identity: &aks.ManagedClusterIdentity{Type: to.Ptr(aks.ResourceIdentityTypeSystemAssigned)},
		Properties: &aks.ManagedClusterProperties{
			KubernetesVersion: to.Ptr("1.34.1"), DNSPrefix: to.Ptr("shop"), AgentPoolProfiles: pools,
		},
	}
}

// makeCluster creates the group and a cluster with one System pool "sys" of two nodes, and waits for both nodes.
func (a *azure) makeCluster() aks.ManagedCluster {
	a.t.Helper()
	a.makeGroup()
	p, err := a.clusters.BeginCreateOrUpdate(a.t.Context(), group, cluster, newCluster(systemPool("sys")), nil)
	created := done(a, p, err).ManagedCluster
	a.boot()
	a.eventually("two nodes", func() error {
		if n := len(a.world.nodeNames()); n != 2 {
			return fmt.Errorf("have %d", n)
		}
		return nil
	})
	return created
}

// boot moves the clock past the boot time of machines.
func (a *azure) boot() { a.clock.Step(5 * time.Second) }

func userPool(size string, count int32) aks.AgentPool {
	return aks.AgentPool{Properties: &aks.ManagedClusterAgentPoolProfileProperties{
		Mode: to.Ptr(aks.AgentPoolModeUser), Count: to.Ptr(count), VMSize: to.Ptr(size), OSType: to.Ptr(aks.OSTypeLinux),
	}}
}

func (a *azure) putPool(name string, pool aks.AgentPool) (aks.AgentPool, error) {
	a.t.Helper()
	p, err := a.pools.BeginCreateOrUpdate(a.t.Context(), group, cluster, name, pool, nil)
	result, err := ended(a, p, err)
	return result.AgentPool, err
}

func (a *azure) mustPutPool(name string, pool aks.AgentPool) aks.AgentPool {
	a.t.Helper()
	result, err := a.putPool(name, pool)
	if err != nil {
		a.t.Fatalf("put pool %s: %v", name, err)
	}
	return result
}

// wantCode checks that an error is ARM's, with the given status and code and with a part of its message.
func wantCode(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	var response *azcore.ResponseError
	if !errors.As(err, &response) {
		t.Fatalf("error is %v, want %d %s", err, status, code)
	}
	if response.StatusCode != status || response.ErrorCode != code || !strings.Contains(err.Error(), message) {
		t.Fatalf("error is %d %s, want %d %s with %q in\n%v", response.StatusCode, response.ErrorCode, status, code, message, err)
	}
}

// admin calls the admin endpoint and decodes its answer.
func (a *azure) admin(method, path, body string, into any) int {
	a.t.Helper()
	return a.raw(method, "/simulator/"+path, body, "", into)
}

// raw sends a request without the SDK.
func (a *azure) raw(method, path, body, token string, into any) int {
	a.t.Helper()
	hc, err := simclient.Transport(a.server.CAFile())
	if err != nil {
		a.t.Fatal(err)
	}
	defer hc.CloseIdleConnections()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.server.URL()+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := hc.Do(req)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			a.t.Fatalf("%s %s answered %d %s: %v", method, path, resp.StatusCode, raw, err)
		}
	}
	return resp.StatusCode
}

func (a *azure) token() string {
	a.t.Helper()
	tok, err := a.sdk.Credential.GetToken(a.t.Context(), policy.TokenRequestOptions{Scopes: []string{simclient.Audience + "/.default"}})
	if err != nil {
		a.t.Fatalf("get a token: %v", err)
	}
	return tok.Token
}

func errorOf(format string, args ...any) error { return fmt.Errorf(format, args...) }

func countNodes(a *azure, want int) func() error {
	return func() error {
		if names := a.world.nodeNames(); len(names) != want {
			return errorOf("have %v, want %d", names, want)
		}
		return nil
	}
}
