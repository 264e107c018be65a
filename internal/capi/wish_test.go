package capi

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func asoWish() Wish {
	return Wish{
		Namespace: "prod-eu", Name: "shop", Flavor: "AzureASOManaged", Version: "v1.34.2", Location: "westeurope", ResourceGroup: "rg-shop",
		CredentialSecret: "team-a", NetworkPluginMode: "overlay", Pods: "100.64.0.0/14", Services: "100.96.0.0/16", DNSServiceIP: "100.96.0.10",
		Labels: map[string]string{"ring": "canary", "addons.fleetwright.io/agent": "enabled", "fleetwright.io/tenant": "shop"}, NodeCap: 400,
	}
}

func managedWish() Wish {
	w := asoWish()
	w.Flavor, w.CredentialSecret, w.SubscriptionID = "AzureManaged", "", "11111111-1111-1111-1111-111111111111"
	w.ClusterIdentity = types.NamespacedName{Namespace: "platform", Name: "fleet"}
	return w
}

// wishes are the golden ones of both flavours: one with as little as possible, and others with each part.
func wishes() map[string]Wish {
	out := map[string]Wish{}
	for flavor, of := range map[string]func() Wish{"aso": asoWish, "managed": managedWish} {
		out[flavor+"-small"] = of()
		network := of()
		network.VNet, network.Nodes, network.OutboundType, network.Dataplane = "10.64.0.0/20", "10.64.0.0/21", "managedNATGateway", "cilium"
		network.Tier, network.Tags, network.NodeResourceGroup = "Standard", map[string]string{"owner": "a", "cost": "7"}, "MC_shop_12345678"
		out[flavor+"-network"] = network
		overridden := of()
		overridden.Overrides = map[string]any{
			"autoUpgradeProfile": map[string]any{"upgradeChannel": "none"}, "disableLocalAccounts": false, "dnsPrefix": nil, "fqdnSubdomain": "shop7",
			"identity":       map[string]any{"type": "UserAssigned", "userAssignedIdentities": []any{map[string]any{"reference": map[string]any{"armId": "/x"}}}},
			"networkProfile": map[string]any{"networkPolicy": "calico", "loadBalancerProfile": map[string]any{"idleTimeoutInMinutes": 30}},
		}
		overridden.Tier, overridden.DeleteResourceGroup = "Premium", true
		out[flavor+"-overrides"] = overridden
	}
	pods := asoWish()
	pods.NetworkPluginMode, pods.Pods, pods.VNet, pods.Nodes, pods.PodSubnet = "", "", "10.64.0.0/16", "10.64.0.0/21", "10.64.64.0/18"
	out["aso-podsubnet"] = pods
	adopted := asoWish()
	adopted.Names = Names{Infrastructure: "old-infra", ControlPlane: "old-plane", ManagedCluster: "old-mc", ResourceGroup: "old-rg"}
	out["aso-names"] = adopted
	return out
}

// rendered are the objects of a wish as they are made, without what is only remembered.
func rendered(t *testing.T, w Wish) []map[string]any {
	t.Helper()
	objects, err := WishedObjects(w)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for _, o := range objects {
		u, err := o.Object()
		if err != nil {
			t.Fatal(err)
		}
		dropAnnotation(u, "fleetwright.io/applied")
		out = append(out, u.Object)
	}
	return out
}

func TestWishedObjects(t *testing.T) {
	for name, w := range wishes() {
		t.Run(name, func(t *testing.T) {
			var documents []string
			for _, o := range rendered(t, w) {
				text, err := yaml.Marshal(o)
				if err != nil {
					t.Fatal(err)
				}
				documents = append(documents, string(text))
			}
			got, path := strings.Join(documents, "---\n"), filepath.Join("testdata", "wish", name+".yaml")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNotForOverrides(t *testing.T) {
	for _, path := range OwnedOverrides() {
		parts := strings.Split(path, ".")
		tree := map[string]any{parts[len(parts)-1]: "x"}
		if len(parts) == 2 {
			tree = map[string]any{parts[0]: tree}
		}
		w := asoWish()
		w.Overrides = tree
		if _, err := WishedObjects(w); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s is overridden: %v", path, err)
		}
	}
	w := asoWish()
	w.Overrides = map[string]any{"networkProfile": nil}
	if _, err := WishedObjects(w); err == nil {
		t.Error("all of networkProfile is overridden, in which there are fields that are not for overrides")
	}
}

// AKS takes a dnsPrefix or an fqdnSubdomain; which a WorkloadCluster cannot say by null, since that never gets so far.
func TestAPrivateClusterHasOneName(t *testing.T) {
	eachWish(t, func(t *testing.T, w Wish) {
		w.Overrides = map[string]any{"fqdnSubdomain": "shop7", "dnsPrefix": nil}
		want := rendered(t, w)
		w.Overrides = map[string]any{"fqdnSubdomain": "shop7"}
		if diff := cmp.Diff(want, rendered(t, w)); diff != "" {
			t.Error(diff)
		}
		if len(w.Overrides) != 1 {
			t.Errorf("the wish itself is changed: %v", w.Overrides)
		}
		plane := rendered(t, w)[1]
		if w.Flavor == "AzureASOManaged" {
			plane = resourceNo(plane, 0)
			if _, has := treeIn(plane, "spec")["dnsPrefix"]; has {
				t.Errorf("it has both: %v", plane)
			}
		} else if patches := treeIn(plane, "spec")["asoManagedClusterPatches"].([]any); patches[0] != `{"spec":{"dnsPrefix":null,"fqdnSubdomain":"shop7"}}` {
			t.Errorf("CAPZ is told %v", patches)
		}
	})
}

func TestNamesOfSubnets(t *testing.T) {
	if got := asoWish().SubnetObject("pods"); got != "shop-pods" {
		t.Errorf("an object %s", got)
	}
	if got := managedWish().SubnetObject("nodes"); got != "nodes" {
		t.Errorf("a subnet %s", got)
	}
}
