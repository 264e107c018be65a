package capitest

import (
	"reflect"
	"testing"

	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

const subnet = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/pods"

// everything has a value in every field, and overrides of every shape.
var everything = agentpool.Spec{
	Version: "v1.34.2", Type: "Spot", SpotMaxPrice: "0.25", SpotEvictionPolicy: "Deallocate", MachineType: "D8", DiskSizeGiB: 128,
	DiskType: "Ephemeral", MaxPods: 60, OSType: "Linux", OSSKU: "AzureLinux", Zones: []string{"1", "3"}, Subnet: "nodes", PodSubnet: subnet,
	RolloutAfter: "2026-11-20T00:00:00Z", Mode: "User", Labels: map[string]string{"team": "shop"}, Tags: map[string]string{"cost": "4711"},
	Taints:  []agentpool.Taint{{Key: "dedicated", Value: "shop", Effect: "NoSchedule"}, {Key: "bare", Effect: "NoExecute"}},
	Scaling: &agentpool.Scaling{Min: 1, Max: 5}, ScaleDownMode: "Deallocate",
	Overrides: map[string]string{
		"upgradeSettings.maxSurge": `"33%"`, "enableFIPS": "true", "kubeletConfig.podMaxPids": "512",
		"kubeletConfig.allowedUnsafeSysctls": `["net.a","net.b"]`, "linuxOSConfig.sysctls.netIpv4TcpTwReuse": "false",
		"nodePublicIPPrefixReference.armId": `"/subscriptions/s/p"`, "tomorrow.share": "1.5",
	},
}

func TestEverythingHasAValue(t *testing.T) {
	spec := reflect.ValueOf(everything)
	for field, value := range spec.Fields() {
		if value.IsZero() && field.Name != "Replicas" {
			t.Errorf("%s has none: this test proves nothing of it", field.Name)
		}
	}
}

// A pool just made is the wanted one, or it would be replaced for ever.
func TestWhatIsMadeIsWhatWasWanted(t *testing.T) {
	specs := map[string]agentpool.Spec{
		"least":              {Version: "v1.34.2", MachineType: "D4", Replicas: ptr.To[int32](1)},
		"everything":         everything,
		"at Regular's price": {Version: "v1.34.2", MachineType: "D4", Type: "Spot", SpotMaxPrice: "-1"},
		"a subnet by its id": {Version: "v1.34.2", MachineType: "D4", Subnet: subnet, PodSubnet: "pods"},
		"no nodes":           {Version: "v1.34.2", MachineType: "D4", Replicas: ptr.To[int32](0)},
	}
	for kind, f := range Flavors() {
		for name, spec := range specs {
			t.Run(kind+" "+name, func(t *testing.T) {
				if changes := agentpool.Changes(spec, RoundTrip(f, spec)); len(changes) > 0 {
					t.Errorf("made and read back, it differs: %s", agentpool.Describe(changes))
				}
			})
		}
	}
}

// Every change in place is one that the pool then has, and nothing else changes.
func TestWhatIsChangedInPlaceIsWhatWasWanted(t *testing.T) {
	for kind, f := range Flavors() {
		for name, change := range map[string]func(s *agentpool.Spec){
			"mode":            func(s *agentpool.Spec) { s.Mode = "System" },
			"labels":          func(s *agentpool.Spec) { s.Labels = map[string]string{"other": "x"} },
			"no labels":       func(s *agentpool.Spec) { s.Labels = nil },
			"taints":          func(s *agentpool.Spec) { s.Taints = []agentpool.Taint{{Key: "k", Effect: "NoSchedule"}} },
			"no taints":       func(s *agentpool.Spec) { s.Taints = nil },
			"tags":            func(s *agentpool.Spec) { s.Tags = map[string]string{"other": "x"} },
			"bounds":          func(s *agentpool.Spec) { s.Scaling = &agentpool.Scaling{Min: 2, Max: 9} },
			"a number":        func(s *agentpool.Spec) { s.Scaling, s.Replicas = nil, ptr.To[int32](0) },
			"left to others":  func(s *agentpool.Spec) { s.Scaling = nil },
			"scale down mode": func(s *agentpool.Spec) { s.ScaleDownMode = "Delete" },
			"an override":     func(s *agentpool.Spec) { s.Overrides = map[string]string{"upgradeSettings.maxSurge": `"10%"`} },
			"one override more": func(s *agentpool.Spec) {
				s.Overrides = map[string]string{"networkProfile.allowedHostPorts": `[{"a":1}]`}
			},
			"no opinion": func(s *agentpool.Spec) { *s = agentpool.Spec{Labels: s.Labels, Taints: s.Taints, Tags: s.Tags} },
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				wanted := everything
				change(&wanted)
				_, replace := agentpool.Split(agentpool.Changes(wanted, everything))
				if len(replace) > 0 {
					t.Fatalf("this is no change in place: %s", agentpool.Describe(replace))
				}
				got := Update(f, everything, wanted)
				if changes := agentpool.Changes(wanted, got); len(changes) > 0 {
					t.Errorf("changed and read back, it differs: %s", agentpool.Describe(changes))
				}
				_, lost := agentpool.Split(agentpool.Changes(everything, got))
				if len(lost) > 0 && name != "taints" && name != "no taints" {
					t.Errorf("changed by the way: %s", agentpool.Describe(lost))
				}
			})
		}
	}
}
