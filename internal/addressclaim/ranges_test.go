package addressclaim

import (
	"net/netip"
	"strings"
	"testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func sizing(purpose, mode string, nodes int32, change ...func(*fleetwrightv1.RangeSizing)) fleetwrightv1.RangeSizing {
	out := fleetwrightv1.RangeSizing{Purpose: fleetwrightv1.RangePurpose(purpose), Mode: fleetwrightv1.NetworkMode(mode), MaxNodes: nodes}
	for _, c := range change {
		c(&out)
	}
	return out
}

// What a sizing leaves open stays as it is for ever: nested ranges are computed again at each look. If this test fails, the code is wrong.
func TestSizesAreForEver(t *testing.T) {
	for name, test := range map[string]struct {
		sizing fleetwrightv1.RangeSizing
		want   int
	}{
		"950 nodes":               {sizing("Nodes", "Overlay", 950), 21},                                                                        // 1188 + 5
		"950 nodes without surge": {sizing("Nodes", "Overlay", 950, func(s *fleetwrightv1.RangeSizing) { s.SurgePercent = new(int32(0)) }), 22}, // 955
		"950 nodes with pods":     {sizing("Nodes", "CNI", 950), 13},                                                                            // 1188 * 251 + 5
		"with 30 pods":            {sizing("Nodes", "CNI", 950, func(s *fleetwrightv1.RangeSizing) { s.MaxPods = 30 }), 16},                     // 1188 * 31 + 5
		"overlay":                 {sizing("Pods", "Overlay", 950), 13},                                                                         // 1188 / 24
		"a subnet of pods":        {sizing("Pods", "CNIPodSubnet", 950), 13},                                                                    // 1188 * 256 + 5
	} {
		t.Run(name, func(t *testing.T) {
			got, err := shapesOf(ranges{{Name: "a", Sizing: test.sizing}})
			if err != nil || got["a"].length != test.want {
				t.Errorf("got %v, %v; want /%d", got["a"], err, test.want)
			}
		})
	}
}

func TestNestedRangesAreForEver(t *testing.T) {
	all := ranges{
		{Name: "vnet", PoolRef: fleetwrightv1.NamespacedReference{Name: "p"}},
		{Name: "pods", Within: "vnet", Sizing: sizing("Pods", "CNIPodSubnet", 100)},
		{Name: "nodes", Within: "vnet", Sizing: sizing("Nodes", "CNIPodSubnet", 100)},
		{Name: "endpoints", Within: "vnet", PrefixLength: 28},
		{Name: "bastion", Within: "vnet", PrefixLength: 26},
	}
	shapes, err := shapesOf(all)
	if err != nil || shapes["vnet"].length != 16 {
		t.Fatalf("vnet is %v, %v", shapes["vnet"], err)
	}
	got, err := nest(all, shapes, map[string]netip.Prefix{"vnet": netip.MustParsePrefix("10.64.0.0/16")})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"pods": "10.64.0.0/17", "nodes": "10.64.128.0/24", "bastion": "10.64.129.0/26", "endpoints": "10.64.129.64/28"} {
		if got[name].String() != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
}

func TestShapesThatCannotBe(t *testing.T) {
	for name, test := range map[string]struct {
		ranges ranges
		want   string
	}{
		"host bits":   {ranges{{Name: "a", CIDR: "10.0.0.1/24"}}, `range a: "10.0.0.1/24" has host bits: write 10.0.0.0/24`},
		"pods of CNI": {ranges{{Name: "a", Sizing: sizing("Pods", "CNI", 3)}}, "range a: mode CNI has no range of pods"},
		"exact within any": {
			ranges{{Name: "a", PoolRef: fleetwrightv1.NamespacedReference{Name: "p"}}, {Name: "b", Within: "a", CIDR: "10.0.0.0/24"}},
			"range a: it has no size of its own, and range b within it is to be 10.0.0.0/24: give a a cidr as well",
		},
		"nothing within": {ranges{{Name: "a", PoolRef: fleetwrightv1.NamespacedReference{Name: "p"}}}, "range a: no range is large enough"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := shapesOf(test.ranges); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
