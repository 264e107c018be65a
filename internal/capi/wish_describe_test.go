package capi

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// objectsIn are those of a file.
func objectsIn(t *testing.T, path string) []client.Object {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []client.Object
	for decoder := utilyaml.NewYAMLOrJSONDecoder(file, 4096); ; {
		u := &unstructured.Unstructured{}
		if decoder.Decode(&u.Object) != nil {
			return out
		}
		if u.GetKind() != "" {
			out = append(out, u)
		}
	}
}

func describe(t *testing.T, m *management, name string) Described {
	t.Helper()
	namespace := "prod-eu"
	if name == "quickstart" {
		namespace = "default"
	}
	d, err := Describe(t.Context(), m, client.ObjectKey{Namespace: namespace, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What was made of a wish reads as that wish, and adopting it changes nothing.
func TestDescribingWhatWeMade(t *testing.T) {
	for name, w := range wishes() {
		t.Run(name, func(t *testing.T) {
			m := newManagement(t)
			m.applied(w)
			if err := ReleaseCluster(t.Context(), m, m, w.key()); err != nil {
				t.Fatal(err)
			}
			d := describe(t, m, "shop")
			if state := m.state(d.Wish); len(state.Changes) > 0 {
				t.Errorf("described, it would change: %v", state.Changes)
			}
			if len(d.Odd) > 0 && name != "managed-overrides" {
				t.Errorf("odd: %v", d.Odd)
			}
			want := w
			want.Names, d.Names = Names{}, Names{}
			want.Labels = map[string]string{"ring": "canary"}
			if want.Tags == nil {
				want.Tags, d.Tags = nil, nil
			}
			if name == "managed-overrides" { // its tier is in the patch
				want.Overrides, want.Tier = nil, ""
			}
			if want.Overrides != nil {
				want.Overrides = maps.Clone(want.Overrides)
				if want.Flavor == "AzureASOManaged" {
					delete(want.Overrides, "dnsPrefix")
				}
				want.Overrides, _ = plain(want.Overrides)
			}
			if want.Flavor == "AzureManaged" {
				want.DeleteResourceGroup = false // CAPZ decides
			}
			if diff := cmp.Diff(want, d.Wish); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDescribingTheExamples(t *testing.T) {
	for folder, flavor := range map[string]string{"cluster-and-nodepools": "AzureManaged", "cluster-and-nodepools-aso": "AzureASOManaged"} {
		t.Run(folder, func(t *testing.T) {
			m := newManagement(t, objectsIn(t, "../../examples/"+folder+"/cluster.yaml")...)
			d := describe(t, m, "quickstart")
			if d.Flavor != flavor || d.Version != "v1.33.6" || d.Services != "192.168.0.0/16" || d.Location != "westeurope" || d.ResourceGroup != "quickstart" {
				t.Errorf("described as %+v", d)
			}
			if len(d.Odd) > 0 || len(d.Overrides) > 0 {
				t.Errorf("odd: %v, overrides: %v", d.Odd, d.Overrides)
			}
			if state := m.state(d.Wish); len(state.Changes) > 0 || !state.Unmarked {
				t.Errorf("it would change: %v", state.Changes)
			}
			if err := m.apply(d.Wish, true); err != nil {
				t.Fatal(err)
			}
			if state := m.state(d.Wish); len(state.Changes) > 0 || state.Unmarked || !state.Ours {
				t.Errorf("adopted: %+v", state)
			}
		})
	}
}

// Clusters that people made, with everything that a wish cannot say.
func TestDescribingWhatPeopleMade(t *testing.T) {
	for file, want := range map[string]struct {
		odd       []string
		overrides string
		look      func(d Described) bool
	}{
		"aso-old.yaml": {
			odd: []string{
				"networkPlugin is kubenet",
				"outboundType is userAssignedNATGateway",
				"sku.tier is Standard without sku.name",
				"annotation serviceoperator.azure.com/reconcile-policy of ResourceGroup old-group is skip",
				"VirtualNetwork in spec.resources of AzureASOManagedCluster old-infra",
				"VirtualNetworksSubnet nodes in spec.resources of AzureASOManagedCluster old-infra",
				"resources name different Secrets in annotation serviceoperator.azure.com/credential-from: \"theirs\" and \"\"",
				"tag cost of ManagedCluster old-mc",
				"autoScalerProfile of the ManagedCluster",
				"operatorSpec of the ManagedCluster",
				"FleetsMember.containerservice.azure.com f in spec.resources of AzureASOManagedControlPlane old-plane",
			},
			overrides: `{"dnsPrefix":"old-prefix","enableRBAC":true,"identity":{"type":"UserAssigned"},"networkProfile":{"networkPolicy":"calico"}}`,
			look: func(d Described) bool {
				return d.ResourceGroup == "rg-old" && d.DeleteResourceGroup && d.Pods == "10.244.0.0/16" && d.Tags["team"] == "a" && d.VNet == "" && d.Version == "v1.33.5"
			},
		},
		"managed-old.yaml": {
			odd: []string{
				"virtualNetwork net of resource group rg-old is not this cluster's alone: no range of it is claimed, and no role is given there",
				"spec.asoManagedClusterPatches[0] of AzureManagedControlPlane old",
				"spec.asoManagedClusterPatches[1] of AzureManagedControlPlane old",
				"spec.aadProfile of AzureManagedControlPlane old",
				"spec.networkPolicy of AzureManagedControlPlane old",
			},
			look: func(d Described) bool {
				return d.ClusterIdentity.Namespace == "prod-eu" && d.NodeResourceGroup == "" && d.Tier == "Free" && d.NodeCap == 0
			},
		},
	} {
		t.Run(file, func(t *testing.T) {
			m := newManagement(t, objectsIn(t, "testdata/wish/"+file)...)
			d := describe(t, m, "old")
			if diff := cmp.Diff(want.odd, d.Odd); diff != "" {
				t.Error(diff)
			}
			overrides := ""
			if d.Overrides != nil {
				overrides = canonical(d.Overrides)
			}
			if overrides != want.overrides {
				t.Errorf("overrides %s", overrides)
			}
			if !want.look(d) {
				t.Errorf("described as %+v", d.Wish)
			}
			if state := m.state(d.Wish); len(state.Changes)+len(state.Fixed) > 0 {
				t.Errorf("it would change: %v, %v", state.Changes, state.Fixed)
			}
			d.NodeCap = 950 // what holds anyhow
			if state := m.state(d.Wish); len(state.Changes) > 0 {
				t.Errorf("with its cap written down it would change: %v", state.Changes)
			}
		})
	}
}

func TestWhatCannotBecomeAWorkloadClusters(t *testing.T) {
	cluster := func(spec string) client.Object {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte("apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: shop, namespace: prod-eu}\nspec:\n"+spec), &u.Object); err != nil {
			t.Fatal(err)
		}
		return u
	}
	refs := func(infrastructure, plane string) string {
		return "  infrastructureRef: {apiGroup: infrastructure.cluster.x-k8s.io, kind: " + infrastructure + ", name: shop}\n" +
			"  controlPlaneRef: {apiGroup: infrastructure.cluster.x-k8s.io, kind: " + plane + ", name: shop}\n"
	}
	aso := refs("AzureASOManagedCluster", "AzureASOManagedControlPlane")
	for name, test := range map[string]struct {
		objects []client.Object
		words   string
	}{
		"none":              {nil, "there is no such Cluster"},
		"of a ClusterClass": {[]client.Object{cluster(aso + "  topology: {classRef: {name: prod}, version: v1.34.2}")}, "ClusterClass prod"},
		"of other kinds":    {[]client.Object{cluster(refs("AzureCluster", "KubeadmControlPlane"))}, "KubeadmControlPlane"},
		"without objects":   {[]client.Object{cluster(aso)}, "AzureASOManagedCluster shop, which it names, does not exist"},
	} {
		m := newManagement(t, test.objects...)
		_, err := Describe(t.Context(), m, client.ObjectKey{Namespace: "prod-eu", Name: "shop"})
		if !errors.Is(err, ErrIndescribable) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: %v", name, err)
		}
		if err := m.apply(asoWish(), true); len(test.objects) > 0 && name != "without objects" && (!errors.Is(err, ErrNotOurs) || m.writes > 0) {
			t.Errorf("%s: adopted: %v, %d writes", name, err, m.writes)
		}
	}
}

// Whatever people wrote into a cluster, describing it and adopting it changes nothing.
func TestDescribingChangesNothing(t *testing.T) {
	value := rapid.SampledFrom([]any{"", "x", "azure", "cilium", "Base", "Standard", "detach-on-delete", "SystemAssigned", true, int64(7), []any{"a"}})
	hurt := func(t *rapid.T, o tree) {
		var paths [][]string
		var walk func(at tree, path []string)
		walk = func(at tree, path []string) {
			for _, key := range slices.Sorted(maps.Keys(at)) {
				here := append(slices.Clone(path), key)
				if below, isTree := at[key].(tree); isTree {
					walk(below, here)
				}
				if key != "name" && key != "kind" && key != "apiVersion" && key != "metadata" && key != "location" && len(here) > 1 {
					paths = append(paths, here)
				}
			}
		}
		walk(o, nil)
		for range rapid.IntRange(0, 3).Draw(t, "times") {
			if len(paths) == 0 {
				return
			}
			path := rapid.SampledFrom(paths).Draw(t, "path")
			if rapid.Bool().Draw(t, "removed") {
				unstructured.RemoveNestedField(o, path...)
				continue
			}
			more := append(slices.Clone(path[:len(path)-1]), rapid.SampledFrom([]string{path[len(path)-1], "extra", "networkPolicy", "tier"}).Draw(t, "field"))
			_ = unstructured.SetNestedField(o, value.Draw(t, "value"), more...) // below a value there is no place
		}
	}
	made, clusters := map[string]parts{}, map[string]Cluster{}
	for name, w := range wishes() {
		m := newManagement(t)
		m.applied(w)
		if err := ReleaseCluster(t.Context(), m, m, w.key()); err != nil {
			t.Fatal(err)
		}
		p, c, err := readParts(t.Context(), m, w)
		if err != nil {
			t.Fatal(err)
		}
		made[name], clusters[name] = p, c
	}
	names := slices.Sorted(maps.Keys(made))
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(names).Draw(rt, "wish")
		p, c := made[name], clusters[name]
		p.infrastructure, p.controlPlane = p.infrastructure.DeepCopy(), p.controlPlane.DeepCopy()
		for _, o := range []*unstructured.Unstructured{p.infrastructure, p.controlPlane} {
			spec := treeAt(o, "spec")
			if list, _ := spec["resources"].([]any); len(list) > 0 {
				hurt(rt, rapid.SampledFrom(list).Draw(rt, "resource").(tree))
			} else if spec != nil {
				hurt(rt, tree{"spec": spec})
			}
		}
		if p.describable(c) != nil {
			return
		}
		p.flavor.ReadControlPlane(&c, p.controlPlane, nil)
		d := p.describe(c)
		var state ClusterState
		if err := state.compare(p, d.Wish); err != nil || len(state.Changes)+len(state.Fixed) > 0 {
			rt.Fatalf("%v, changes %v and %v of %v and %v", err, state.Changes, state.Fixed, p.infrastructure.Object, p.controlPlane.Object)
		}
	})
}
