package nodepool

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// Every field that describes a pool arrives in the words in which pools are
// compared; when rolloutAfter joins them, the planner says.
func TestEveryFieldOfASpecIsWanted(t *testing.T) {
	got := wantedSpec(fleetwrightv1.NodepoolSpec{
		Version: "1.34.2", Type: "Spot", Spot: fleetwrightv1.NodepoolSpot{MaxPrice: "0.25", EvictionPolicy: "Deallocate"},
		MachineType: "D8", Disk: fleetwrightv1.NodepoolDisk{SizeGiB: 128, Type: "Ephemeral"}, MaxPods: 60,
		OS: fleetwrightv1.NodepoolOS{Type: "Linux", SKU: "AzureLinux"}, Zones: []string{"1"}, Subnet: "nodes", PodSubnet: "pods", Mode: "User",
		Labels: map[string]fleetwrightv1.LabelValue{"a": "b"}, Tags: map[string]string{"c": "d"},
		Taints:            []fleetwrightv1.NodepoolTaint{{Key: "k", Value: "v", Effect: "NoSchedule"}},
		Scaling:           fleetwrightv1.NodepoolScaling{Min: new(int32(3)), Max: 40, DownMode: "Deallocate"},
		ProviderOverrides: &runtime.RawExtension{Raw: []byte(`{"enableFIPS": true, "vmSize": "D4"}`)},
	})
	want := agentpool.Spec{
		Version: "v1.34.2", Type: "Spot", SpotMaxPrice: "0.25", SpotEvictionPolicy: "Deallocate", MachineType: "D8", DiskSizeGiB: 128, DiskType: "Ephemeral",
		MaxPods: 60, OSType: "Linux", OSSKU: "AzureLinux", Zones: []string{"1"}, Subnet: "nodes", PodSubnet: "pods",
		Mode: "User", Labels: map[string]string{"a": "b"}, Tags: map[string]string{"c": "d"},
		Taints:  []agentpool.Taint{{Key: "k", Value: "v", Effect: "NoSchedule"}},
		Scaling: &agentpool.Scaling{Min: 3, Max: 40}, ScaleDownMode: "Deallocate",
		// What another field owns is refused, not taken.
		Overrides: map[string]string{"enableFIPS": "true"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	fixed := wantedSpec(fleetwrightv1.NodepoolSpec{Replicas: new(int32(0))})
	if fixed.Replicas == nil || fixed.Scaling != nil || fixed.Version != "" {
		t.Errorf("a fixed pool is %+v", fixed)
	}
}
