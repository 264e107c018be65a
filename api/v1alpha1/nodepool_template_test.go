package v1alpha1_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/fleetwright/fleetwright/api/v1alpha1"
)

// decidedByTheCluster are the fields of a Nodepool that a template has not.
var decidedByTheCluster = []string{"clusterName", "adoption", "reconcile", "deletionPolicy"}

// A field that a Nodepool gets must come into the template too: it is a type of its own only because nothing is required in it.
func TestATemplateHasTheFieldsOfANodepool(t *testing.T) {
	type field struct {
		Name, JSON string
		Type       reflect.Type
	}
	fields := func(of reflect.Type) (out []field) {
		for _, f := range reflect.VisibleFields(of) {
			tag := f.Tag.Get("json")
			name, _, _ := strings.Cut(tag, ",")
			if !slices.Contains(decidedByTheCluster, name) {
				out = append(out, field{f.Name, tag, f.Type})
			}
		}
		slices.SortFunc(out, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
		return out
	}
	nodepool, template := fields(reflect.TypeFor[v1alpha1.NodepoolSpec]()), fields(reflect.TypeFor[v1alpha1.NodepoolTemplateSpec]())
	if diff := cmp.Diff(nodepool, template, cmp.Comparer(func(a, b reflect.Type) bool { return a == b })); diff != "" {
		t.Errorf("(-Nodepool +template):\n%s", diff)
	}
}

// What one refuses the other refuses, but for what costs too much to ask of 24 pools: a Nodepool refuses it then.
func TestATemplateRefusesWhatANodepoolRefuses(t *testing.T) {
	properties := func(file string, path ...string) map[string]any {
		content, err := os.ReadFile("../../config/crd/fleetwright.io_" + file)
		if err != nil {
			t.Fatal(err)
		}
		var crd map[string]any
		if err := yaml.Unmarshal(content, &crd); err != nil {
			t.Fatal(err)
		}
		versions, _, _ := unstructured.NestedSlice(crd, "spec", "versions")
		out, found, err := unstructured.NestedMap(versions[0].(map[string]any), append(append([]string{"schema", "openAPIV3Schema"}, path...), "properties")...)
		if err != nil || !found {
			t.Fatalf("%s has no %v: %v", file, path, err)
		}
		delete(out, "labels") // their keys
		delete(out, "tags")   // their lengths
		for _, name := range decidedByTheCluster {
			delete(out, name)
		}
		undescribe(out)
		return out
	}
	want := properties("nodepools.yaml", "properties", "spec")
	for name, path := range map[string][]string{
		"pool":     {"properties", "spec", "properties", "nodepools", "items", "properties", "spec"},
		"defaults": {"properties", "spec", "properties", "nodepoolDefaults"},
	} {
		if diff := cmp.Diff(want, properties("workloadclusters.yaml", path...)); diff != "" {
			t.Errorf("%s (-Nodepool +template):\n%s", name, diff)
		}
		class := slices.Insert(slices.Clone(path), 2, "properties", "template")
		if diff := cmp.Diff(want, properties("workloadclusterclasses.yaml", class...)); diff != "" {
			t.Errorf("%s of a class (-Nodepool +template):\n%s", name, diff)
		}
	}
}

// undescribe takes descriptions out, which may differ.
func undescribe(in any) {
	switch v := in.(type) {
	case map[string]any:
		if _, text := v["description"].(string); text {
			delete(v, "description")
		}
		for _, value := range v {
			undescribe(value)
		}
	case []any:
		for _, value := range v {
			undescribe(value)
		}
	}
}
