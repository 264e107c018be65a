package capi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"pgregory.net/rapid"
)

type tree = map[string]any

// wished is one of a wish's objects.
func wishedOf(t *testing.T, w Wish, kind string) WishedObject {
	t.Helper()
	objects, err := WishedObjects(w)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if o.Kind == kind {
			return o
		}
	}
	t.Fatalf("no %s among the objects", kind)
	return WishedObject{}
}

func merge(t *testing.T, o WishedObject, there tree) (tree, []string) {
	t.Helper()
	merged, changes, err := o.Merged(there)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, c := range changes {
		texts = append(texts, strings.TrimPrefix(c.String(), o.text()+": "))
	}
	return merged, texts
}

const (
	asoPlane     = "AzureASOManagedControlPlane"
	managedPlane = "AzureManagedControlPlane"
	asoInfra     = "AzureASOManagedCluster"
)

// managedClusterIn is the resource of that number.
func resourceNo(object tree, n int) tree {
	list := treeIn(object, "spec")["resources"].([]any)
	return list[n].(tree)
}

func TestWhatWasMadeIsWhatIsWished(t *testing.T) {
	for name, w := range wishes() {
		objects, err := WishedObjects(w)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			made, _ := merge(t, o, nil)
			again, changes := merge(t, o, made)
			if diff := cmp.Diff(made, again); diff != "" || len(changes) > 0 {
				t.Errorf("%s: %s, merged again, changes: %v %s", name, o.Kind, changes, diff)
			}
		}
	}
}

func TestMerging(t *testing.T) {
	small, network, pods, adopted := asoWish(), wishes()["aso-network"], wishes()["aso-podsubnet"], wishes()["aso-names"]
	overridden := func(tree tree) Wish {
		w := asoWish()
		w.Overrides = tree
		return w
	}
	patched := func(tree tree) Wish {
		w := managedWish()
		w.Overrides = tree
		return w
	}
	upgrade := tree{"autoUpgradeProfile": tree{"upgradeChannel": "none"}}
	for name, test := range map[string]struct {
		made, then Wish
		kind       string
		// by is what others do in between.
		by      func(there tree)
		changes []string
		// fixed are those that are told instead of made.
		fixed []string
		look  func(t *testing.T, merged tree)
	}{
		"a version": {made: small, then: func() Wish { w := small; w.Version = "v1.34.3"; return w }(), kind: asoPlane,
			changes: []string{`spec.version from "v1.34.2" to "v1.34.3"`}},
		"an override comes": {made: small, then: overridden(upgrade), kind: asoPlane,
			changes: []string{`spec.resources[ManagedCluster].spec.autoUpgradeProfile.upgradeChannel from nothing to "none"`}},
		"an override goes, and what others put beside it stays": {made: overridden(upgrade), then: small, kind: asoPlane,
			by: func(there tree) {
				resourceNo(there, 0)["spec"].(tree)["autoUpgradeProfile"].(tree)["nodeOSUpgradeChannel"] = "None"
			},
			changes: []string{`spec.resources[ManagedCluster].spec.autoUpgradeProfile.upgradeChannel from "none" to nothing`},
			look: func(t *testing.T, merged tree) {
				if got := treeIn(resourceNo(merged, 0), "spec", "autoUpgradeProfile"); !cmp.Equal(got, tree{"nodeOSUpgradeChannel": "None"}) {
					t.Errorf("left is %v", got)
				}
			}},
		"an override goes with its object": {made: overridden(upgrade), then: small, kind: asoPlane,
			changes: []string{`spec.resources[ManagedCluster].spec.autoUpgradeProfile.upgradeChannel from "none" to nothing`},
			look: func(t *testing.T, merged tree) {
				if _, left := treeIn(resourceNo(merged, 0), "spec")["autoUpgradeProfile"]; left {
					t.Error("an empty object is left")
				}
			}},
		"an identity that is not overridden any more stays": {
			made: overridden(tree{"identity": tree{"type": "UserAssigned", "userAssignedIdentities": []any{tree{"reference": tree{"armId": "/x"}}}}}), then: small, kind: asoPlane},
		"a name that is not overridden any more stays": {made: overridden(tree{"dnsPrefix": "shop7"}), then: small, kind: asoPlane},
		"another name does as well": {made: overridden(tree{"fqdnSubdomain": "shop7"}), then: overridden(tree{"fqdnSubdomain": "shop8"}), kind: asoPlane,
			fixed: []string{`spec.resources[ManagedCluster].spec.fqdnSubdomain from "shop7" to "shop8"`}},
		"a name that it was made without": {made: small, then: overridden(tree{"fqdnSubdomain": "shop7"}), kind: asoPlane,
			fixed: []string{`spec.resources[ManagedCluster].spec.fqdnSubdomain from nothing to "shop7"`}},
		"what a patch says of the creation stays, and the rest goes": {kind: managedPlane,
			made:    patched(tree{"dnsPrefix": "shop7", "identity": tree{"type": "UserAssigned"}, "disableLocalAccounts": true}),
			then:    managedWish(),
			changes: []string{`spec.asoManagedClusterPatches[0] from {"spec":{"disableLocalAccounts":true,"dnsPrefix":"shop7","identity":{"type":"UserAssigned"}}} to {"spec":{"dnsPrefix":"shop7","identity":{"type":"UserAssigned"}}}`}},
		"a patch with another name": {made: patched(tree{"dnsPrefix": "shop7"}), then: patched(tree{"dnsPrefix": "shop8"}), kind: managedPlane,
			fixed: []string{`spec.dnsPrefix from "shop7" to "shop8"`}},
		"a patch with a name that it was made without": {made: managedWish(), then: patched(tree{"dnsPrefix": "shop7"}), kind: managedPlane,
			fixed: []string{`spec.dnsPrefix from "shop" to "shop7"`}},
		"a patch with another identity": {made: patched(tree{"identity": tree{"type": "UserAssigned"}}), then: patched(tree{"identity": tree{"type": "SystemAssigned"}}), kind: managedPlane,
			changes: []string{`spec.asoManagedClusterPatches[0] from {"spec":{"identity":{"type":"UserAssigned"}}} to {"spec":{"identity":{"type":"SystemAssigned"}}}`}},
		"an identity is overridden otherwise": {
			made: overridden(tree{"identity": tree{"type": "UserAssigned"}}), then: overridden(tree{"identity": tree{"type": "SystemAssigned"}}), kind: asoPlane,
			changes: []string{`spec.resources[ManagedCluster].spec.identity.type from "UserAssigned" to "SystemAssigned"`}},
		"what is of the creation alone in the network stays, and the rest goes": {
			made: overridden(tree{"networkProfile": tree{"networkPolicy": "calico", "loadBalancerSku": "standard"}}), kind: asoPlane,
			then:    func() Wish { w := small; w.Dataplane = "cilium"; return w }(),
			changes: []string{`spec.resources[ManagedCluster].spec.networkProfile.loadBalancerSku from "standard" to nothing`}},
		"the identity that CAPZ works with stays when the wish names none": {
			made: managedWish(), then: func() Wish { w := managedWish(); w.ClusterIdentity.Name = ""; return w }(), kind: managedPlane},
		"a managed cluster of another name and version is the managed cluster": {made: adopted, then: small, kind: asoPlane,
			by: func(there tree) {
				resourceNo(there, 0)["apiVersion"] = "containerservice.azure.com/v1api20240901"
			},
			look: func(t *testing.T, merged tree) {
				if list := treeIn(merged, "spec")["resources"].([]any); len(list) != 1 {
					t.Errorf("%d resources: another managed cluster would be made in Azure", len(list))
				}
				if r := resourceNo(merged, 0); r["apiVersion"] != "containerservice.azure.com/v1api20240901" || treeIn(r, "metadata")["name"] != "old-mc" {
					t.Errorf("it is now %v", r)
				}
			}},
		"what is of its creation stays as it is": {made: small, then: func() Wish {
			w := small
			w.Pods, w.DNSServiceIP, w.NetworkPluginMode, w.OutboundType = "10.1.0.0/16", "10.1.0.10", "", "userDefinedRouting"
			return w
		}(), kind: asoPlane,
			by: func(there tree) { resourceNo(there, 0)["spec"].(tree)["dnsPrefix"] = "another" }},
		"a network is never taken out": {made: network, then: small, kind: asoInfra,
			by:      func(there tree) { delete(treeIn(resourceNo(there, 0), "spec"), "tags") },
			changes: nil,
			look: func(t *testing.T, merged tree) {
				if list := treeIn(merged, "spec")["resources"].([]any); len(list) != 3 {
					t.Errorf("%d resources left", len(list))
				}
			}},
		"a resource of others stays, in its place, and one of ours comes back": {made: pods, then: pods, kind: asoInfra,
			by: func(there tree) {
				spec := treeIn(there, "spec")
				ours := spec["resources"].([]any)
				theirs := tree{"apiVersion": "network.azure.com/v1api20240301", "kind": "RouteTable", "metadata": tree{"name": "r"}}
				spec["resources"] = []any{theirs, ours[0], ours[1], ours[3]}
			},
			look: func(t *testing.T, merged tree) {
				var names []string
				for _, item := range treeIn(merged, "spec")["resources"].([]any) {
					names = append(names, treeIn(item.(tree), "metadata")["name"].(string))
				}
				if got := strings.Join(names, " "); got != "r shop shop shop-pods shop-nodes" {
					t.Error(got)
				}
			},
			changes: []string{
				`spec.resources[VirtualNetworksSubnet shop-nodes].apiVersion from nothing to "network.azure.com/v1api20240301"`, "...",
			}},
		"a cluster that was made without a network gets none": {made: small, then: pods, kind: asoInfra},
		"a version is the same without a v": {made: small, then: small, kind: asoPlane,
			by: func(there tree) { treeIn(there, "spec")["version"] = "1.34.2" }},
		"the policy of a group": {made: small, then: func() Wish { w := small; w.DeleteResourceGroup = true; return w }(), kind: asoInfra,
			changes: []string{`spec.resources[ResourceGroup].metadata.annotations.serviceoperator.azure.com/reconcile-policy from "detach-on-delete" to nothing`}},
		"labels": {made: small, then: func() Wish {
			w := small
			w.Labels = map[string]string{"ring": "stable"}
			return w
		}(), kind: "Cluster",
			by: func(there tree) { treeIn(there, "metadata", "labels")["theirs"] = "x" },
			changes: []string{
				`metadata.labels.addons.fleetwright.io/agent from "enabled" to nothing`, `metadata.labels.ring from "canary" to "stable"`,
			},
			look: func(t *testing.T, merged tree) {
				want := tree{"ring": "stable", "theirs": "x", "fleetwright.io/workloadcluster": "shop", "fleetwright.io/cluster": "shop"}
				if diff := cmp.Diff(want, treeIn(merged, "metadata", "labels")); diff != "" {
					t.Error(diff)
				}
			}},
		"a cap": {made: small, then: func() Wish { w := small; w.NodeCap = 500; return w }(), kind: "Cluster",
			changes: []string{`metadata.annotations.fleetwright.io/node-cap from "400" to "500"`}},
	} {
		t.Run(name, func(t *testing.T) {
			there, _ := merge(t, wishedOf(t, test.made, test.kind), nil)
			there = runtime.DeepCopyJSON(there)
			if test.by != nil {
				test.by(there)
			}
			before := runtime.DeepCopyJSON(there)
			merged, changes := merge(t, wishedOf(t, test.then, test.kind), there)
			if n := len(test.changes); n > 0 && test.changes[n-1] == "..." {
				changes = append(changes[:n-1], "...")
			}
			if diff := cmp.Diff(test.changes, changes); diff != "" {
				t.Errorf("changes: %s", diff)
			}
			if diff := cmp.Diff(before, there); diff != "" {
				t.Errorf("what is there was changed in place: %s", diff)
			}
			if test.look != nil {
				test.look(t, merged)
			}
			if test.changes == nil {
				var fixed []string
				for _, c := range wishedOf(t, test.then, test.kind).Fixed(there) {
					fixed = append(fixed, strings.TrimPrefix(c.String(), c.Object+": "))
				}
				if diff := cmp.Diff(test.fixed, fixed); diff != "" && test.by == nil {
					t.Errorf("fixed: %s", diff)
				}
			}
			if _, again := merge(t, wishedOf(t, test.then, test.kind), merged); len(again) > 0 {
				t.Errorf("merged again, changes: %v", again)
			}
		})
	}
}

func TestPatchesAreASet(t *testing.T) {
	w := managedWish()
	w.Overrides = tree{"disableLocalAccounts": true}
	there, _ := merge(t, wishedOf(t, w, managedPlane), nil)
	const theirs = "spec:\n  supportPlan: AKSLongTermSupport\n"
	spec := treeIn(there, "spec")
	spec[clusterPatchesField] = append(spec[clusterPatchesField].([]any), theirs)
	for _, step := range []struct {
		overrides tree
		want      []any
	}{
		{tree{"disableLocalAccounts": false}, []any{`{"spec":{"disableLocalAccounts":false}}`, theirs}},
		{tree{"supportPlan": "AKSLongTermSupport"}, []any{theirs}}, // they say so already
		{tree{"disableLocalAccounts": false}, []any{`{"spec":{"disableLocalAccounts":false}}`}},
		{nil, []any{}},
	} {
		w.Overrides = step.overrides
		there, _ = merge(t, wishedOf(t, w, managedPlane), there)
		if diff := cmp.Diff(step.want, treeIn(there, "spec")[clusterPatchesField]); diff != "" {
			t.Errorf("with %v: %s", step.overrides, diff)
		}
	}
}

func TestAPatchThatPeopleWroteTwiceStays(t *testing.T) {
	o := wishedOf(t, managedWish(), managedPlane)
	there, _ := merge(t, o, nil)
	want := []any{"spec:\n  supportPlan: AKSLongTermSupport\n", `{"spec": {"supportPlan": "AKSLongTermSupport"}}`, "no object", "no object"}
	treeIn(there, "spec")[clusterPatchesField] = want
	merged, changes := merge(t, o, there)
	if diff := cmp.Diff(want, treeIn(merged, "spec")[clusterPatchesField]); diff != "" || len(changes) > 0 {
		t.Errorf("changes %v: %s", changes, diff)
	}
}

// What is adopted has the marks put on, which is no change.
func TestMarksAreNoChange(t *testing.T) {
	w := asoWish()
	w.NodeCap, w.Labels = 950, nil
	o := wishedOf(t, w, "Cluster")
	there, _ := merge(t, o, nil)
	delete(treeIn(there, "metadata"), "labels")
	delete(treeIn(there, "metadata"), "annotations")
	merged, changes := merge(t, o, there)
	if len(changes) > 0 || cmp.Equal(there, merged) {
		t.Errorf("changes: %v; nothing else differs: %t", changes, cmp.Equal(there, merged))
	}
}

func TestWhatWasAppliedIsNotJSON(t *testing.T) {
	o := wishedOf(t, asoWish(), "Cluster")
	there, _ := merge(t, o, nil)
	treeIn(there, "metadata", "annotations")["fleetwright.io/applied"] = "{"
	if _, _, err := o.Merged(there); err == nil || !strings.Contains(err.Error(), "fleetwright.io/applied") {
		t.Error(err)
	}
}

func trees() *rapid.Generator[tree] {
	keys := rapid.SampledFrom([]string{"a", "b", "c", "d"})
	value := rapid.OneOf(rapid.Map(rapid.SampledFrom([]string{"x", "y", "z"}), func(s string) any { return s }),
		rapid.Map(rapid.MapOfN(keys, rapid.Map(rapid.SampledFrom([]string{"x", "y", "z"}), func(s string) any { return s }), 1, 3),
			func(m map[string]any) any { return m }))
	return rapid.MapOf(keys, value)
}

func flat(of tree) map[string]string {
	out := map[string]string{}
	addValues(out, "", of)
	return out
}

func TestThreeWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last, wish, there := trees().Draw(t, "last"), trees().Draw(t, "wish"), trees().Draw(t, "there")
		merged := threeWay(last, wish, there)
		got, wanted, was, before := flat(merged), flat(wish), flat(there), flat(last)
		for path, value := range wanted {
			if got[path] != value {
				t.Fatalf("%s is wished to be %s and is %s", path, value, got[path])
			}
		}
		for path, value := range was {
			_, isWished := wanted[path]
			_, wasOurs := before[path]
			under, over := overlaps(path, wanted), overlaps(path, before)
			if !isWished && !wasOurs && !under && !over && got[path] != value {
				t.Fatalf("%s was %s, which is nothing to us, and is %q", path, value, got[path])
			}
			if wasOurs && !isWished && !under && got[path] != "" {
				t.Fatalf("%s was ours, is not wished any more, and is still %s", path, got[path])
			}
		}
		if diff := cmp.Diff(merged, threeWay(wish, wish, merged)); diff != "" {
			t.Fatalf("merged twice it differs: %s", diff)
		}
	})
}

// overlaps is true when one of the paths is above or below the path: an object is where a value was, or the other way round.
func overlaps(path string, of map[string]string) bool {
	for other := range of {
		if strings.HasPrefix(other, path+".") || strings.HasPrefix(path, other+".") {
			return true
		}
	}
	return false
}
