package effective

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// poolParts and parts are what a layer may say, as JSON; those of one line exclude each other.
var (
	poolParts = [][]string{
		{`{"version": "v1.33.1"}`, `{"version": "1.34.2"}`},
		{`{"mode": "System"}`, `{"mode": "User"}`},
		{`{"type": "Regular"}`, `{"type": "Spot", "spot": {"maxPrice": "1"}}`},
		{`{"os": {"sku": "AzureLinux"}}`, `{"os": {"type": "Windows"}}`, `{"os": {"type": "Windows", "sku": "Windows2022"}}`, `{"os": {"type": "Linux"}}`},
		{`{"labels": {"a": "1", "x.io/y": "1"}}`, `{"labels": {"a": "2", "b": "2"}}`},
		{`{"zones": ["1", "2"]}`, `{"zones": ["3"]}`},
		{`{"taints": [{"key": "k", "effect": "NoSchedule"}]}`},
		{`{"replicas": 0}`, `{"replicas": 3}`, `{"scaling": {"min": 1, "max": 5}}`, `{"scaling": {"min": 0, "max": 5, "downMode": "Deallocate"}}`},
		{`{"replacement": {"soakMode": "ScaledToZero"}}`, `{"replacement": {"soakSeconds": 60, "maxSurge": "20%"}}`, `{"replacement": {"maxSurge": 3}}`},
		{`{"drain": {"deadline": {"action": "Wait"}, "waitFor": "Eviction"}}`, `{"drain": {"deadline": {"action": "Force", "afterSeconds": 900}}}`},
		{`{"providerOverrides": {"kubeletConfig": {"a": 1}}}`, `{"providerOverrides": {"kubeletConfig": {}, "b": [1, {"c": null}]}}`},
	}
	parts = [][]string{
		{`{"version": "v1.33.1"}`, `{"version": "1.34.2"}`},
		{`{"flavor": "AzureManaged"}`, `{"flavor": "AzureASOManaged"}`},
		{`{"azure": {"location": "westeurope", "clusterIdentity": {"name": "i"}}}`, `{"azure": {"tags": {"a": "1"}, "resourceGroup": "g"}}`, `{"azure": {"tags": {"b/c": ""}, "clusterIdentity": {"name": "j", "namespace": "n"}}}`},
		{`{"network": {"mode": "CNI", "addresses": [{"name": "vnet", "cidr": "10.0.0.0/16"}]}}`, `{"network": {"addresses": [{"name": "vnet", "poolRef": {"name": "p"}}, {"name": "nodes"}]}}`},
		{`{"limits": {"maxNodes": 7}}`},
		{`{"additionalConfig": {"registries": [{"name": "a", "id": "x"}], "driftPolicy": "Heal"}}`, `{"additionalConfig": {"registries": [{"name": "b", "id": "x"}, {"name": "a", "id": "z"}]}}`},
		{`{"addons": [{"name": "a", "kind": "HelmRelease"}]}`, `{"addons": [{"name": "b", "kind": "HelmRelease", "after": ["a"]}, {"name": "a", "kind": "Kustomization"}]}`},
		{`{"maintenance": {"windows": [{"name": "a", "schedule": "s", "durationSeconds": 900}]}}`},
		{`{"providerOverrides": {"a": {"b": {}}, "c": 1.5}}`, `{"providerOverrides": {"a": {"b": {"d": 1}}, "c": {"e": "f"}}}`, `{"providerOverrides": {"a": "text"}}`},
	}
)

func some(t *rapid.T, of [][]string) tree {
	out := tree{}
	for _, choice := range of {
		if i := rapid.IntRange(-1, len(choice)-1).Draw(t, "choice"); i >= 0 {
			var part tree
			if err := json.Unmarshal([]byte(choice[i]), &part); err != nil {
				t.Fatal(err)
			}
			maps.Copy(out, part)
		}
	}
	return out
}

// layer is one side: a class's template or a cluster's spec.
var layer = rapid.Custom(func(t *rapid.T) fleetwrightv1.WorkloadClusterTemplate {
	out := some(t, parts)
	out["nodepoolDefaults"] = some(t, poolParts)
	var pools []any
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID).Draw(t, "pools") {
		pools = append(pools, tree{"name": name, "spec": some(t, poolParts)})
	}
	out["nodepools"] = pools
	data, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	var template fleetwrightv1.WorkloadClusterTemplate
	if err := json.Unmarshal(data, &template); err != nil {
		t.Fatal(err)
	}
	return template
})

func of(t *rapid.T, class *fleetwrightv1.WorkloadClusterTemplate, spec fleetwrightv1.WorkloadClusterTemplate) Effective {
	var c *fleetwrightv1.WorkloadClusterClass
	if class != nil {
		c = &fleetwrightv1.WorkloadClusterClass{Spec: fleetwrightv1.WorkloadClusterClassSpec{Template: *class}}
		c.Namespace = "n"
	}
	cluster := &fleetwrightv1.WorkloadCluster{Spec: fleetwrightv1.WorkloadClusterSpec{WorkloadClusterTemplate: spec}}
	cluster.Name = "c"
	e, err := Of(c, cluster)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func same(t *rapid.T, what string, a, b fleetwrightv1.WorkloadClusterTemplate) {
	left, _ := treeOf(a)
	right, _ := treeOf(b)
	if diff := cmp.Diff(left, right); diff != "" {
		t.Fatalf("%s (-first +second):\n%s", what, diff)
	}
}

func TestMergeHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		class, cluster := layer.Draw(t, "class"), layer.Draw(t, "cluster")
		e := of(t, &class, cluster)

		same(t, "an empty class changes nothing", of(t, nil, cluster).Spec, of(t, &fleetwrightv1.WorkloadClusterTemplate{}, cluster).Spec)
		// The defaults of the cluster's pools are a layer between: without them, the class's would be seen where they were contradicted.
		whole := e.Spec
		whole.NodepoolDefaults = cluster.NodepoolDefaults
		again := of(t, &class, whole)
		same(t, "merged twice is merged once", e.Spec, again.Spec)
		if again.Hash != e.Hash {
			t.Fatalf("the same spec has hashes %s and %s", e.Hash, again.Hash)
		}
		if other := of(t, &class, cluster); !cmp.Equal(other.Sources, e.Sources) || other.Hash != e.Hash {
			t.Fatal("the same input gave another answer")
		}

		values, err := e.Values()
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, v := range values {
			paths = append(paths, v.Path)
			if v.Source == "" {
				t.Fatalf("%s comes from nowhere", v.Path)
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(e.Sources)), slices.Sorted(slices.Values(paths))); diff != "" {
			t.Fatalf("sources name every value and only values (-sources +values):\n%s", diff)
		}
	})
}

// A value comes from the layer that has it: without that layer it would be another.
func TestSourcesAreTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		class, cluster := layer.Draw(t, "class"), layer.Draw(t, "cluster")
		e := of(t, &class, cluster)
		alone := map[Layer]map[string]any{
			Cluster:             valuesOf(t, cluster),
			Class:               valuesOf(t, class),
			ClassPool:           valuesOf(t, class),
			ClusterPoolDefaults: defaultsOf(t, cluster),
			ClassPoolDefaults:   defaultsOf(t, class),
		}
		values, err := e.Values()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if v.Source == Default || strings.HasSuffix(v.Path, ".version") || v.Path == "version" {
				continue
			}
			path := v.Path
			if v.Source == ClusterPoolDefaults || v.Source == ClassPoolDefaults {
				_, path, _ = strings.Cut(path, "].spec.")
			}
			is, said := alone[v.Source][path]
			// A class's references have its namespace, which the layer alone does not have.
			if !said || (!cmp.Equal(is, v.Value) && path != "azure.clusterIdentity" && !strings.HasPrefix(path, "network.addresses")) {
				t.Fatalf("%s = %v is said to come from %s, which has %v", v.Path, v.Value, v.Source, is)
			}
		}
	})
}

func valuesOf(t *rapid.T, template fleetwrightv1.WorkloadClusterTemplate) map[string]any {
	template.NodepoolDefaults = fleetwrightv1.NodepoolTemplateSpec{}
	values, err := Effective{Spec: template}.Values()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	for _, v := range values {
		out[v.Path] = v.Value
	}
	return out
}

func defaultsOf(t *rapid.T, template fleetwrightv1.WorkloadClusterTemplate) map[string]any {
	pool := fleetwrightv1.WorkloadClusterNodepool{Name: "p", Spec: template.NodepoolDefaults}
	out := map[string]any{}
	for path, value := range valuesOf(t, fleetwrightv1.WorkloadClusterTemplate{Nodepools: []fleetwrightv1.WorkloadClusterNodepool{pool}}) {
		if _, rest, inSpec := strings.Cut(path, "].spec."); inSpec {
			out[rest] = value
		}
	}
	return out
}
