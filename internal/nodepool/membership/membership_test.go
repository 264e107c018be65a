package membership

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func id(pool string, n int) string {
	return fmt.Sprintf("azure:///subscriptions/0/resourceGroups/mc_rg_c_we/providers/Microsoft.Compute/virtualMachineScaleSets/aks-%s-02118794-vmss/virtualMachines/%d", pool, n)
}

func scaleSet(pool string) string {
	return strings.TrimSuffix(strings.TrimPrefix(id(pool, 0), "azure://"), "/virtualMachines/0")
}

func pool(name string, machines int) Pool {
	p := Pool{Name: name}
	for n := range machines {
		p.ProviderIDs = append(p.ProviderIDs, id(name, n))
	}
	return p
}

func node(name, pool string, n int) Node {
	return Node{Name: name, ProviderID: id(pool, n), PoolLabel: pool}
}

func TestMatch(t *testing.T) {
	cases := map[string]struct {
		pools []Pool
		nodes []Node
		want  map[string]Members
	}{
		"two pools with equal instance numbers": {
			pools: []Pool{pool("blue", 2), pool("green", 2)},
			nodes: []Node{node("b0", "blue", 0), node("g0", "green", 0), node("g1", "green", 1), node("b1", "blue", 1)},
			want: map[string]Members{
				"blue":  {Nodes: []string{"b0", "b1"}, Listed: 2},
				"green": {Nodes: []string{"g0", "g1"}, Listed: 2},
			},
		},
		"upper-case resource group": {
			pools: []Pool{pool("blue", 1)},
			nodes: []Node{{Name: "b0", ProviderID: strings.Replace(id("blue", 0), "mc_rg_c_we", "MC_RG_C_WE", 1), PoolLabel: "blue"}},
			want:  map[string]Members{"blue": {Nodes: []string{"b0"}, Listed: 1}},
		},
		"all nodes have lost the label by which CAPZ lists them": {
			pools: []Pool{pool("blue", 0)},
			nodes: []Node{{Name: "b0", ProviderID: id("blue", 0)}, {Name: "b1", ProviderID: id("blue", 1)}},
			want:  map[string]Members{"blue": {Unlisted: []string{"b0", "b1"}}},
		},
		"all nodes carry another pool's label, and are not listed yet": {
			pools: []Pool{pool("blue", 0), pool("green", 0)},
			nodes: []Node{{Name: "b0", ProviderID: id("blue", 0), PoolLabel: "green"}},
			want:  map[string]Members{"blue": {Unlisted: []string{"b0"}}, "green": {Unlisted: []string{"b0"}}},
		},
		"machine of one pool is listed for another by its label": {
			pools: []Pool{pool("blue", 0), {Name: "green", ProviderIDs: []string{id("blue", 0)}}},
			nodes: []Node{{Name: "b0", ProviderID: id("blue", 0), PoolLabel: "green"}},
			want: map[string]Members{
				"blue":  {Conflict: "node b0 is listed for pool green and runs in scale set " + scaleSet("blue")},
				"green": {Nodes: []string{"b0"}, Listed: 1},
			},
		},
		"machine without a node": {
			pools: []Pool{pool("blue", 2)},
			nodes: []Node{node("b0", "blue", 0)},
			want:  map[string]Members{"blue": {Nodes: []string{"b0"}, Listed: 2}},
		},
		"node the provider does not list yet": {
			pools: []Pool{pool("blue", 1)},
			nodes: []Node{node("b0", "blue", 0), node("b1", "blue", 1)},
			want:  map[string]Members{"blue": {Nodes: []string{"b0"}, Listed: 1, Unlisted: []string{"b1"}}},
		},
		"node that has no provider id yet": {
			pools: []Pool{pool("blue", 1)},
			nodes: []Node{node("b0", "blue", 0), {Name: "b1", PoolLabel: "blue"}},
			want:  map[string]Members{"blue": {Nodes: []string{"b0"}, Listed: 1, Unlisted: []string{"b1"}}},
		},
		"unlisted machine of the scale set without a label": {
			pools: []Pool{pool("blue", 1)},
			nodes: []Node{node("b0", "blue", 0), {Name: "b1", ProviderID: id("blue", 1)}},
			want:  map[string]Members{"blue": {Nodes: []string{"b0"}, Listed: 1, Unlisted: []string{"b1"}}},
		},
		"one scale set in two pools": {
			pools: []Pool{pool("blue", 1), {Name: "green", ProviderIDs: []string{id("blue", 1)}}},
			want: map[string]Members{
				"blue":  {Listed: 1, Conflict: "pools blue and green both list machines of scale set " + scaleSet("blue")},
				"green": {Listed: 1, Conflict: "pools blue and green both list machines of scale set " + scaleSet("blue")},
			},
		},
		"label of another pool": {
			pools: []Pool{pool("blue", 1), pool("green", 1)},
			nodes: []Node{{Name: "b0", ProviderID: id("blue", 0), PoolLabel: "green"}},
			want: map[string]Members{
				"blue":  {Listed: 1, Conflict: `node b0 is listed for pool blue by its provider id and labelled kubernetes.azure.com/agentpool="green"`},
				"green": {Listed: 1, Conflict: `node b0 is listed for pool blue by its provider id and labelled kubernetes.azure.com/agentpool="green"`},
			},
		},
		"label taken off": {
			pools: []Pool{pool("blue", 1)},
			nodes: []Node{{Name: "b0", ProviderID: id("blue", 0)}},
			want:  map[string]Members{"blue": {Listed: 1, Conflict: `node b0 is listed for pool blue by its provider id and labelled kubernetes.azure.com/agentpool=""`}},
		},
		"one machine in two pools": {
			pools: []Pool{pool("blue", 1), {Name: "green", ProviderIDs: []string{id("blue", 0)}}},
			nodes: []Node{node("b0", "blue", 0)},
			want: map[string]Members{
				"blue":  {Nodes: []string{"b0"}, Listed: 1, Conflict: strings.TrimPrefix(id("blue", 0), "azure://") + " is listed twice, by pools blue and green"},
				"green": {Listed: 1, Conflict: strings.TrimPrefix(id("blue", 0), "azure://") + " is listed twice, by pools blue and green"},
			},
		},
		"two nodes with one provider id": {
			pools: []Pool{pool("blue", 1)},
			nodes: []Node{node("b0", "blue", 0), node("b0again", "blue", 0)},
			want:  map[string]Members{"blue": {Nodes: []string{"b0"}, Listed: 1, Conflict: "nodes b0 and b0again have the same provider id " + strings.TrimPrefix(id("blue", 0), "azure://")}},
		},
		"machines of two scale sets": {
			pools: []Pool{{Name: "blue", ProviderIDs: []string{id("blue", 0), id("green", 0)}}},
			want:  map[string]Members{"blue": {Listed: 2, Conflict: "the provider lists machines of 2 scale sets for one pool"}},
		},
		"a tail is no id": {
			pools: []Pool{{Name: "blue", ProviderIDs: []string{"0"}}},
			nodes: []Node{{Name: "b0", ProviderID: "0", PoolLabel: "blue"}},
			want:  map[string]Members{"blue": {Conflict: `the provider lists provider id "0" does not start with azure://`}},
		},
		"nodes of nobody": {
			pools: []Pool{pool("blue", 0)},
			nodes: []Node{node("x0", "other", 0), {Name: "virtual-kubelet"}},
			want:  map[string]Members{"blue": {}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Match(tc.pools, tc.nodes)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSev1Replay is the day 60 % of a production cluster was deleted: five
// pools of 200 machines, all numbered from zero. No node may be a member of a
// pool whose provider list does not hold its whole id, whatever is broken.
func TestSev1Replay(t *testing.T) {
	names := []string{"p0", "p1", "p2", "p3", "p4"}
	var pools []Pool
	var nodes []Node
	for _, p := range names {
		pools = append(pools, pool(p, 200))
		for n := range 200 {
			nodes = append(nodes, node(fmt.Sprintf("%s-%d", p, n), p, n))
		}
	}
	breakages := map[string]func(p []Pool, n []Node){
		"nothing":            func([]Pool, []Node) {},
		"one list empty":     func(p []Pool, _ []Node) { p[1].ProviderIDs = nil },
		"one list halved":    func(p []Pool, _ []Node) { p[1].ProviderIDs = p[1].ProviderIDs[:100] },
		"lists swapped":      func(p []Pool, _ []Node) { p[1].ProviderIDs, p[2].ProviderIDs = p[2].ProviderIDs, p[1].ProviderIDs },
		"labels swapped":     func(_ []Pool, n []Node) { n[0].PoolLabel, n[300].PoolLabel = n[300].PoolLabel, n[0].PoolLabel },
		"tails instead":      func(p []Pool, _ []Node) { p[1].ProviderIDs = []string{"0", "1", "2"} },
		"list of another":    func(p []Pool, _ []Node) { p[1].ProviderIDs = p[2].ProviderIDs },
		"upper-case listing": func(p []Pool, _ []Node) { p[1].ProviderIDs[0] = strings.ToUpper(p[1].ProviderIDs[0]) },
	}
	for name, breakIt := range breakages {
		t.Run(name, func(t *testing.T) {
			p, n := clone(pools), append([]Node(nil), nodes...)
			breakIt(p, n)
			for poolName, members := range Match(p, n) {
				for _, member := range members.Nodes {
					if !strings.HasPrefix(member, poolName+"-") {
						t.Errorf("node %s became a member of pool %s", member, poolName)
					}
				}
			}
		})
	}
}

func clone(in []Pool) []Pool {
	out := append([]Pool(nil), in...)
	for i := range out {
		out[i].ProviderIDs = append([]string(nil), in[i].ProviderIDs...)
	}
	return out
}
