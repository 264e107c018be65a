//go:build realcapz

package realcapz_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// TestWholeClusters makes a cluster of each flavour as a WorkloadCluster does, on the real managers and on the stand-in: with a network of its own,
// with what CAPZ's admission fills in, changed, described, released, adopted and deleted.
func TestWholeClusters(t *testing.T) {
	t.Parallel()
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		playWholeClusters(t, "real", realProvider(t), 8*time.Minute)
	})
	t.Run("stand-in", func(t *testing.T) {
		t.Parallel()
		playWholeClusters(t, "stand-in", stack.StandIn, 3*time.Minute)
	})
}

const subscription = "00000000-0000-0000-0000-000000000001"

func wholeASO() capi.Wish {
	return capi.Wish{
		Namespace: "default", Name: "whole-aso", Flavor: "AzureASOManaged", Version: "v1.34.1", Location: "westeurope", ResourceGroup: "rg-whole-aso",
		CredentialSecret: "credentials", Tier: "Standard", Tags: map[string]string{"team": "a"}, OutboundType: "loadBalancer",
		VNet: "10.64.0.0/16", Nodes: "10.64.0.0/21", PodSubnet: "10.64.64.0/18", Services: "10.65.0.0/16", DNSServiceIP: "10.65.0.10",
		Overrides: map[string]any{"autoUpgradeProfile": map[string]any{"nodeOSUpgradeChannel": "None"}},
	}
}

func wholeManaged() capi.Wish {
	return capi.Wish{
		Namespace: "default", Name: "whole-managed", Flavor: "AzureManaged", Version: "v1.34.1", Location: "westeurope", ResourceGroup: "rg-whole-managed",
		SubscriptionID: subscription, ClusterIdentity: types.NamespacedName{Namespace: "default", Name: "identity"},
		NetworkPluginMode: "overlay", Tags: map[string]string{"team": "a"},
		VNet: "10.66.0.0/16", Nodes: "10.66.0.0/21", Pods: "100.64.0.0/16", Services: "100.96.0.0/16", DNSServiceIP: "100.96.0.10",
		Overrides: map[string]any{"autoUpgradeProfile": map[string]any{"nodeOSUpgradeChannel": "None"}},
	}
}

// whole is one of the clusters.
type whole struct {
	*twin
	wish  capi.Wish
	typed client.WithWatch
}

func playWholeClusters(t *testing.T, name string, provider stack.Provider, patience time.Duration) {
	t.Helper()
	w := startTwin(t, "whole-"+name, provider, patience)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, capi.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	typed, err := client.NewWithWatch(w.stack.Management(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	w.identities()
	all := []*whole{{w, wholeASO(), typed}, {w, wholeManaged(), typed}}
	for _, c := range all {
		c.make()
	}
	for _, c := range all {
		c.isMade()
	}
	for _, c := range all {
		c.wish.Tags = map[string]string{"team": "b"}
		c.wish.Overrides = map[string]any{"autoUpgradeProfile": map[string]any{"nodeOSUpgradeChannel": "NodeImage"}}
		c.apply(false)
	}
	for _, c := range all {
		c.isChanged()
		c.isAdopted()
		c.begone()
	}
	for _, c := range all {
		c.isGone()
	}
}

// identities are those by which both flavours speak to Azure.
func (w *twin) identities() {
	w.t.Helper()
	for _, text := range []string{
		`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"credentials","namespace":"default"},"stringData":{"AZURE_SUBSCRIPTION_ID":"` + subscription + `",
		"AZURE_TENANT_ID":"33333333-3333-3333-3333-333333333333","AZURE_CLIENT_ID":"44444444-4444-4444-4444-444444444444","AZURE_CLIENT_SECRET":"simulated"}}`,
		`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"identity","namespace":"default"},"stringData":{"clientSecret":"simulated"}}`,
		`{"apiVersion":"infrastructure.cluster.x-k8s.io/v1beta1","kind":"AzureClusterIdentity","metadata":{"name":"identity","namespace":"default"},
		"spec":{"allowedNamespaces":{},"type":"ServicePrincipal","tenantID":"33333333-3333-3333-3333-333333333333",
		"clientID":"44444444-4444-4444-4444-444444444444","clientSecret":{"name":"identity","namespace":"default"}}}`,
	} {
		u := &unstructured.Unstructured{}
		if err := json.Unmarshal([]byte(text), &u.Object); err != nil {
			w.t.Fatal(err)
		}
		if err := w.client.Create(w.t.Context(), u); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (c *whole) key() types.NamespacedName {
	return types.NamespacedName{Namespace: c.wish.Namespace, Name: c.wish.Name}
}

func (c *whole) apply(adopt bool) {
	c.t.Helper()
	// CAPZ writes into the same objects.
	c.until(c.wish.Name+" is written", func() string {
		if err := capi.ApplyCluster(c.t.Context(), c.typed, c.typed, c.wish, adopt); err != nil {
			return err.Error()
		}
		return ""
	})
}

func (c *whole) make() {
	c.t.Helper()
	c.apply(false)
	pool := capi.NewPool{
		Object: c.wish.Name + "-system", Name: "system", Nodepool: c.wish.Name + "-system", NodepoolUID: "u", BaseName: "system", Fingerprint: "1:f",
		Spec: agentpool.Spec{
			Version: c.wish.Version, Mode: "System", MachineType: "Standard_D2ds_v5", OSType: "Linux", Replicas: new(int32(1)), Subnet: c.wish.SubnetObject("nodes"),
		},
		Replicas: 1, Started: time.Now(),
	}
	if c.wish.PodSubnet != "" {
		pool.Spec.PodSubnet = c.wish.SubnetObject("pods")
	}
	if err := capi.CreatePool(c.t.Context(), c.typed, c.typed, c.key(), pool); err != nil {
		c.t.Fatal(err)
	}
}

func (c *whole) state() (capi.ClusterState, string) {
	c.t.Helper()
	state, err := capi.ReadClusterState(c.t.Context(), c.typed, c.typed, c.wish)
	if err != nil {
		return state, err.Error()
	}
	for _, stage := range []capi.Stage{state.Infrastructure, state.ControlPlane} {
		if stage.Fatal {
			c.t.Errorf("%s: %s", c.wish.Name, stage.Problem)
		}
	}
	if len(state.Changes) > 0 {
		return state, fmt.Sprintf("it differs: %v", state.Changes)
	}
	if !state.Infrastructure.Done || !state.ControlPlane.Done {
		return state, fmt.Sprintf("infrastructure %+v, control plane %+v", state.Infrastructure, state.ControlPlane)
	}
	return state, ""
}

func (c *whole) isMade() {
	c.t.Helper()
	var state capi.ClusterState
	c.until(c.wish.Name+" is made", func() (why string) {
		state, why = c.state()
		return why
	})
	if state.Unmarked || !state.Ours || state.Infrastructure.Finished.Before(state.Infrastructure.Started) || state.ControlPlane.Finished.IsZero() {
		c.t.Errorf("%s is made as %+v", c.wish.Name, state)
	}
	if want := c.networkID(); !strings.EqualFold(state.NetworkID, want) {
		c.t.Errorf("%s: its network is %s, want %s", c.wish.Name, state.NetworkID, want)
	}
	c.until(c.wish.Name+" is reached", func() string {
		if state, why := c.state(); why != "" || !state.Reachable {
			return "it is not reachable: " + why
		}
		return ""
	})
	c.hasSubnets()
}

func (c *whole) groupID() string {
	return "/subscriptions/" + subscription + "/resourceGroups/" + c.wish.ResourceGroup
}

func (c *whole) networkID() string {
	return c.groupID() + "/providers/Microsoft.Network/virtualNetworks/" + c.wish.Name
}

// hasSubnets: a PUT of the network must not take its subnets away.
func (c *whole) hasSubnets() {
	c.t.Helper()
	network, status := c.azureAt(c.networkID(), "2024-03-01")
	list, _, _ := unstructured.NestedSlice(network, "properties", "subnets")
	got := map[string]string{}
	for _, item := range list {
		subnet, _ := item.(map[string]any)
		name, _, _ := unstructured.NestedString(subnet, "name")
		prefix, _, _ := unstructured.NestedString(subnet, "properties", "addressPrefix")
		if prefixes, _, _ := unstructured.NestedStringSlice(subnet, "properties", "addressPrefixes"); prefix == "" && len(prefixes) > 0 {
			prefix = prefixes[0]
		}
		got[name] = prefix
	}
	want := map[string]string{"nodes": c.wish.Nodes}
	if c.wish.PodSubnet != "" {
		want["pods"] = c.wish.PodSubnet
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.t.Errorf("%s: subnets %v, want %v (%d)", c.wish.Name, got, want, status)
	}
}

func (c *whole) isChanged() {
	c.t.Helper()
	has := func(id, version string, path ...string) func() string {
		return func() string {
			resource, _ := c.azureAt(id, version)
			value, _, _ := unstructured.NestedString(resource, path...)
			want := "b"
			if slices.Contains(path, "nodeOSUpgradeChannel") {
				want = "NodeImage"
			}
			return wanted(want, value)
		}
	}
	c.until(c.wish.Name+" has its new tag", has(c.managedClusterID(), "2025-08-01", "tags", "team"))
	c.until(c.wish.Name+" has its new override", has(c.managedClusterID(), "2025-08-01", "properties", "autoUpgradeProfile", "nodeOSUpgradeChannel"))
	if c.wish.Flavor == "AzureASOManaged" {
		c.until(c.wish.Name+"'s network has its new tag", has(c.networkID(), "2024-03-01", "tags", "team"))
	}
	c.until(c.wish.Name+" is settled", func() string { _, why := c.state(); return why })
	c.hasSubnets()
}

// isAdopted: described, released and adopted, its ManagedCluster is what it was.
func (c *whole) isAdopted() {
	c.t.Helper()
	before := c.generation()
	c.until(c.wish.Name+" is released", func() string {
		if err := capi.ReleaseCluster(c.t.Context(), c.typed, c.typed, c.key()); err != nil {
			return err.Error()
		}
		return ""
	})
	described, err := capi.Describe(c.t.Context(), c.typed, c.key())
	if err != nil {
		c.t.Fatal(err)
	}
	if len(described.Odd) > 0 || len(described.Pools) != 1 {
		c.t.Errorf("%s: odd %v, %d pools", c.wish.Name, described.Odd, len(described.Pools))
	}
	if changes, err := capi.ReadClusterState(c.t.Context(), c.typed, nil, described.Wish); err != nil || len(changes.Changes) > 0 {
		c.t.Errorf("%s described would change: %v, %v", c.wish.Name, changes.Changes, err)
	}
	c.wish = described.Wish
	c.apply(true)
	// When CAPZ has come to a later change, it has seen the adoption.
	c.wish.Tags = map[string]string{"team": "c"}
	c.apply(false)
	c.until(c.wish.Name+" has another tag", func() string {
		resource, _ := c.azureAt(c.managedClusterID(), "2025-08-01")
		tag, _, _ := unstructured.NestedString(resource, "tags", "team")
		return wanted("c", tag)
	})
	c.until(c.wish.Name+" is settled", func() string { _, why := c.state(); return why })
	if after := c.generation(); before > 0 && after != before+1 {
		c.t.Errorf("%s: its ManagedCluster was changed %d times, and by its tag only once", c.wish.Name, after-before)
	}
}

func (c *whole) managedClusterID() string {
	return c.groupID() + "/providers/Microsoft.ContainerService/managedClusters/" + c.wish.Name
}

// generation is of its ManagedCluster, 0 where the stand-in has none: with AzureManaged it asks Azure by itself.
func (c *whole) generation() int64 {
	c.t.Helper()
	object, err := c.get(managedCluster, c.wish.Name)
	if client.IgnoreNotFound(err) != nil {
		c.t.Fatal(err)
	}
	return object.GetGeneration()
}

func (c *whole) begone() {
	c.t.Helper()
	state, _ := c.state()
	if err := capi.DeleteCluster(c.t.Context(), c.typed, c.typed, c.key(), state.UID); err != nil {
		c.t.Fatal(err)
	}
}

func (c *whole) isGone() {
	c.t.Helper()
	c.until(c.wish.Name+" is gone", func() string {
		state, err := capi.ReadClusterState(c.t.Context(), c.typed, nil, c.wish)
		if err != nil || state.Found || state.Infrastructure.Exists || state.ControlPlane.Exists {
			return fmt.Sprintf("it is there: %v, %q", err, state.DeletingWords)
		}
		return ""
	})
	if _, status := c.azureAt(c.networkID(), "2024-03-01"); status != 404 {
		c.t.Errorf("%s: its network is left: %d", c.wish.Name, status)
	}
	_, status := c.azureAt(c.groupID(), "2020-06-01")
	if c.wish.Flavor == "AzureASOManaged" && status != 200 {
		c.t.Errorf("%s: its group was to be kept: %d", c.wish.Name, status)
	}
}
