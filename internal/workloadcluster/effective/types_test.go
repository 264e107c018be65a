package effective

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// fields are the paths of all lists and structs of a type as the tables name them; entries that are replaced as a whole are not gone into.
func fields(of reflect.Type, path string, visit func(path string, of reflect.Type)) {
	for _, f := range reflect.VisibleFields(of) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" {
			continue
		}
		here, t := strings.TrimPrefix(path+"."+name, "."), f.Type
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch here {
		case "nodepools":
			visit(here, t)
			fields(t.Elem(), here, visit)
			continue
		case "nodepools.spec", "nodepoolDefaults":
			here = "pool"
		}
		visit(here, t)
		if t.Kind() == reflect.Struct && !whole[here] && t != reflect.TypeFor[runtime.RawExtension]() {
			fields(t, here, visit)
		}
	}
}

// Every list has a rule, and every rule a field.
func TestEveryListHasARule(t *testing.T) {
	unused := map[string]bool{}
	for path := range keyed {
		unused[path] = true
	}
	for path := range whole {
		unused[path] = true
	}
	// A set of what one cluster is adopted from is in no class, so that there are no two layers to merge.
	unused["nodepools.machinePools"] = true
	fields(reflect.TypeFor[fleetwrightv1.WorkloadClusterTemplate](), "", func(path string, of reflect.Type) {
		if of.Kind() == reflect.Slice {
			_, byKey := keyed[path]
			if !byKey && !whole[path] && path != "nodepools.machinePools" {
				t.Errorf("no rule says how %s is merged: put it into one of the tables of rules.go, and into docs/workload-cluster-class.md", path)
			}
		}
		if key, byKey := keyed[path]; byKey && !slices.ContainsFunc(reflect.VisibleFields(of.Elem()), func(f reflect.StructField) bool {
			return strings.HasPrefix(f.Tag.Get("json"), key+",")
		}) {
			t.Errorf("entries of %s have no field %s", path, key)
		}
		delete(unused, path)
	})
	for path := range unused {
		t.Errorf("there is no field %s", path)
	}
}

// References that the class does not finish are looked for in the class's namespace; a new one has to be put into anchor.
func TestEveryReferenceIsAnchored(t *testing.T) {
	var got []string
	var look func(of reflect.Type, path string)
	look = func(of reflect.Type, path string) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of == reflect.TypeFor[fleetwrightv1.NamespacedReference]() {
			got = append(got, strings.TrimPrefix(path, "."))
			return
		}
		if of.Kind() != reflect.Struct || of == reflect.TypeFor[runtime.RawExtension]() {
			return
		}
		for _, f := range reflect.VisibleFields(of) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !f.Anonymous && name != "" {
				look(f.Type, path+"."+name)
			}
		}
	}
	look(reflect.TypeFor[fleetwrightv1.WorkloadClusterTemplate](), "")
	if want := []string{"azure.clusterIdentity", "network.addresses.poolRef"}; !slices.Equal(got, want) {
		t.Errorf("references are %v, and anchor knows %v", got, want)
	}
}
