package adopt

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// Whatever a Nodepool says is in the pool of its WorkloadCluster, or it would be taken out.
func TestATemplateLacksNoField(t *testing.T) {
	var spec fleetwrightv1.NodepoolSpec
	fill(reflect.ValueOf(&spec).Elem())
	template := reflect.ValueOf(asTemplate(spec))
	for i := range template.NumField() {
		name := template.Type().Field(i).Name
		if !reflect.DeepEqual(template.Field(i).Interface(), reflect.ValueOf(spec).FieldByName(name).Interface()) || template.Field(i).IsZero() {
			t.Errorf("%s is lost", name)
		}
	}
}

// fill gives every field some value.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				fill(field)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.String:
		v.SetString("x")
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	}
}

func TestPoolsOfACluster(t *testing.T) {
	pool := func(object, name, nodepool string) capi.Pool {
		return capi.Pool{Object: object, Name: name, UID: "u", InfraUID: "i", Nodepool: nodepool}
	}
	e := existing{Described: capi.Described{Wish: capi.Wish{Name: "c", Flavor: "AzureASOManaged", Version: "v1.34.2", Nodes: "10.0.0.0/20", PodSubnet: "10.1.0.0/20"}}}
	for _, name := range []string{"c-one", "c-Two", "c-twentyonecharactersss", "other"} {
		np := fleetwrightv1.Nodepool{}
		np.Name, np.Spec.Version, np.Spec.Subnet, np.Spec.PodSubnet = name, "1.34.2", "c-nodes", "c-pods"
		e.nodepools = append(e.nodepools, np)
	}
	half := pool("half", "half", "")
	half.InfraUID = ""
	behind := pool("mp-old", "old", "")
	behind.Spec.Version, behind.Spec.Subnet = "v1.33.1", "elsewhere"
	// Two that one Nodepool let go of in the middle of a replacement, and one that is called as they were.
	blue, green := pool("mp-blue", "gblue", ""), pool("mp-green", "ggreen", "")
	blue.PublicName, green.PublicName = "general", "general"
	shout := pool("mp-shout", "shout", "")
	shout.PublicName = "SHOUT"
	e.Pools = []capi.Pool{
		pool("c-one-abc", "oneabc", "c-one"), pool("mp-one", "one", ""), pool("mp-odd", "Odd", ""), half, behind, pool("a", "general", ""), blue, green, shout,
	}
	pools, odd := e.pools()
	text, err := yaml.Marshal(pools)
	if err != nil {
		t.Fatal(err)
	}
	want := `- name: general
  machinePools: [mp-blue]
- name: generalx
  machinePools: [a]
- name: ggreen
  machinePools: [mp-green]
- name: old
  machinePools: [mp-old]
  spec: {version: v1.33.1, subnet: elsewhere}
- name: one
- name: onex
  machinePools: [mp-one]
- name: shout
  machinePools: [mp-shout]
`
	var wanted, got any
	for from, into := range map[string]*any{want: &wanted, string(text): &got} {
		if err := yaml.Unmarshal([]byte(from), into); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantOdd := []string{
		"Nodepool c-Two keeps working by itself: those of a WorkloadCluster are called c- and letters and digits",
		"Nodepool c-twentyonecharactersss keeps working by itself: those of a WorkloadCluster are called c- and letters and digits",
		"Nodepool other keeps working by itself: those of a WorkloadCluster are called c- and letters and digits",
		`MachinePool mp-odd stays by itself: a pool cannot be called "Odd"`,
		"pool half lacks one of its two objects",
	}
	if diff := cmp.Diff(wantOdd, odd); diff != "" {
		t.Errorf("odd (-want +got):\n%s", diff)
	}
}

func TestModes(t *testing.T) {
	inSubnet := []capi.Pool{{}}
	inSubnet[0].Spec.PodSubnet = "pods"
	for want, all := range map[fleetwrightv1.NetworkMode][]capi.Described{
		"Overlay":      {{Wish: capi.Wish{NetworkPluginMode: "overlay", PodSubnet: "x"}}, {Wish: capi.Wish{NetworkPluginMode: "overlay"}, Pools: inSubnet}},
		"CNIPodSubnet": {{Wish: capi.Wish{PodSubnet: "x"}}, {Pools: inSubnet}},
		// The flavour has no subnets for pods of its own; a pool may name one all the same.
		"CNI": {{}, {Wish: capi.Wish{Flavor: "AzureManaged"}, Pools: inSubnet}},
	} {
		for _, d := range all {
			if got := (existing{Described: d}).mode(); got != want {
				t.Errorf("%+v is %s, want %s", d, got, want)
			}
		}
	}
}

// The Cluster of an overlay says the range of its pods. With CNI that range is no one's: the pods are in the nodes' subnet.
func TestRanges(t *testing.T) {
	for mode, want := range map[string]string{"overlay": "nodes pods services", "": "nodes services"} {
		e := existing{Described: capi.Described{Wish: capi.Wish{NetworkPluginMode: mode, Nodes: "10.1.0.0/20", Pods: "10.244.0.0/16", Services: "10.0.0.0/16"}}}
		var got []string
		for _, r := range e.addresses(nil) {
			got = append(got, string(r.Name))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("mode %q has %v, want %s", mode, got, want)
		}
	}
}

// A Nodepool that says no version has the cluster's, before and after.
func TestChangedFields(t *testing.T) {
	e := existing{Described: capi.Described{Wish: capi.Wish{Version: "v1.34.2"}}}
	is := fleetwrightv1.NodepoolSpec{ClusterName: "c", MachineType: "D4", DeletionPolicy: "Protect"}
	wanted := fleetwrightv1.NodepoolSpec{ClusterName: "c", MachineType: "D4", Version: "v1.34.2", Reconcile: "Active", DeletionPolicy: "Delete"}
	if got := e.changed(is, wanted); len(got) > 0 {
		t.Errorf("it would get other %v", got)
	}
	wanted.Version, wanted.Drain.WaitFor, is.MaxPods = "v1.34.3", "Eviction", 30
	if diff := cmp.Diff([]string{"drain", "maxPods", "version"}, e.changed(is, wanted)); diff != "" {
		t.Error(diff)
	}
}

func TestLabels(t *testing.T) {
	e := existing{Described: capi.Described{Wish: capi.Wish{Labels: map[string]string{
		"stage": "production", "app.kubernetes.io/instance": "x", "app.kubernetes.io/name": "y", "argocd.argoproj.io/instance": "x", "kustomize.toolkit.fluxcd.io/name": "x",
	}}}}
	if diff := cmp.Diff(map[string]string{"stage": "production", "app.kubernetes.io/name": "y"}, e.labels()); diff != "" {
		t.Error(diff)
	}
}

func TestSmallest(t *testing.T) {
	class := &fleetwrightv1.WorkloadClusterClass{}
	if err := yaml.UnmarshalStrict([]byte(`
version: v1.34.2
azure: {tags: {a: "1", b: "1"}}
nodepools: [{name: system, spec: {mode: System, machineType: D4}}, {name: kept, spec: {machineType: D4}}]
additionalConfig: {registries: [{name: r, id: x}]}
`), &class.Spec.Template); err != nil {
		t.Fatal(err)
	}
	cluster := &fleetwrightv1.WorkloadCluster{}
	cluster.Name = "c"
	if err := yaml.UnmarshalStrict([]byte(`
version: 1.34.2
flavor: AzureASOManaged
azure: {resourceGroup: c, location: westeurope, tags: {a: "1", b: "2"}}
network: {mode: Overlay}
nodepools: [{name: system, spec: {mode: System, machineType: D4}}, {name: own, spec: {machineType: D4}}, {name: kept, machinePools: [x], spec: {machineType: D4, mode: User}}]
additionalConfig: {registries: [{name: r, id: x}]}
`), &cluster.Spec.WorkloadClusterTemplate); err != nil {
		t.Fatal(err)
	}
	if err := smallest(class, cluster); err != nil {
		t.Fatal(err)
	}
	got, err := treeOf(cluster.Spec.WorkloadClusterTemplate)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"azure": map[string]any{"location": "westeurope", "tags": map[string]any{"b": "2"}},
		"nodepools": []any{
			map[string]any{"name": "kept", "machinePools": []any{"x"}, "spec": map[string]any{"mode": "User"}},
			map[string]any{"name": "own", "spec": map[string]any{"machineType": "D4"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
