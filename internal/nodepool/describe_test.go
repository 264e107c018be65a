package nodepool

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// poolSpec is any pool that AKS may have.
var poolSpec = rapid.Custom(func(t *rapid.T) agentpool.Spec {
	words := func(name string, of ...string) string { return rapid.SampledFrom(append(of, "")).Draw(t, name) }
	number := func(name string) int32 { return rapid.Int32Range(0, 5).Draw(t, name) }
	texts := func(name string) map[string]string {
		return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "x.io/c"}), rapid.SampledFrom([]string{"", "1"}), 0, 2).Draw(t, name)
	}
	s := agentpool.Spec{
		Version: words("version", "v1.33.1"), Type: words("type", "Regular", "Spot"), MachineType: words("machineType", "D4"), DiskSizeGiB: number("disk"),
		DiskType: words("diskType", "Ephemeral"), MaxPods: number("maxPods"), OSType: words("os", "Linux", "Windows"), OSSKU: words("sku", "Ubuntu"),
		Subnet: words("subnet", "nodes", "/subscriptions/s"), PodSubnet: words("podSubnet", "pods"), Mode: words("mode", "System", "User"),
		Labels: texts("labels"), Tags: texts("tags"),
		Overrides: rapid.SampledFrom([]map[string]string{nil, {"enableFIPS": "true", "kubeletConfig.cpuManagerPolicy": `"static"`}}).Draw(t, "overrides"),
	}
	if rapid.Bool().Draw(t, "zones") {
		s.Zones = []string{"1", "3"}
	}
	if rapid.Bool().Draw(t, "taints") {
		s.Taints = []agentpool.Taint{{Key: "k", Value: words("value", "v"), Effect: "NoSchedule"}}
	}
	if s.Type == "Spot" {
		s.SpotMaxPrice, s.SpotEvictionPolicy = words("price", "-1", "0.5"), words("eviction", "Deallocate")
	}
	switch rapid.IntRange(0, 2).Draw(t, "size") {
	case 0:
		s.Replicas = new(number("replicas"))
	case 1:
		s.Scaling, s.ScaleDownMode = &agentpool.Scaling{Min: number("min"), Max: 5}, words("downMode", "Delete", "Deallocate")
	}
	return s
})

// What is described is what is there: a Nodepool with that spec asks for nothing else.
func TestADescribedPoolIsAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := capi.Pool{Name: "p", Spec: poolSpec.Draw(t, "pool")}
		template, odd := Describe(pool)
		spec := nodepoolOf(template)
		is := pool.Spec
		for _, texts := range []*map[string]string{&is.Labels, &is.Tags} {
			if len(*texts) == 0 {
				*texts = nil
			}
		}
		got := wantedSpec(spec)
		if len(got.Tags) == 0 {
			got.Tags = nil
		}
		if diff := cmp.Diff(is, got); diff != "" {
			t.Fatalf("described, it is another pool (-is +described):\n%s", diff)
		}
		if text := Differences(spec, pool); text != "" || len(odd) > 0 {
			t.Fatalf("it differs: %s; odd: %v", text, odd)
		}
	})
}

func nodepoolOf(s fleetwrightv1.NodepoolTemplateSpec) fleetwrightv1.NodepoolSpec {
	return fleetwrightv1.NodepoolSpec{
		Version: s.Version, Mode: s.Mode, Type: s.Type, Spot: s.Spot, MachineType: s.MachineType, Disk: s.Disk, MaxPods: s.MaxPods, OS: s.OS, Zones: s.Zones,
		Subnet: s.Subnet, PodSubnet: s.PodSubnet, Labels: s.Labels, Taints: s.Taints, Tags: s.Tags, Replicas: s.Replicas, Scaling: s.Scaling,
		ProviderOverrides: s.ProviderOverrides,
	}
}

func TestWhatANodepoolCannotSay(t *testing.T) {
	_, odd := Describe(capi.Pool{Name: "p", Spec: agentpool.Spec{Replicas: new(int32(1)), ScaleDownMode: "Deallocate"}})
	if diff := cmp.Diff([]string{"scaleDownMode of pool p is Deallocate, and it has no autoscaler"}, odd); diff != "" {
		t.Error(diff)
	}
	if _, odd := Describe(capi.Pool{Spec: agentpool.Spec{ScaleDownMode: "Delete"}}); len(odd) > 0 {
		t.Errorf("what AKS does by itself is odd: %v", odd)
	}
	if got := Differences(fleetwrightv1.NodepoolSpec{MachineType: "D8"}, capi.Pool{Spec: agentpool.Spec{MachineType: "D4", Labels: map[string]string{"a": "b"}}}); got != "machineType D4 -> D8, labels a=b -> (none)" {
		t.Errorf("it differs in %s", got)
	}
}
