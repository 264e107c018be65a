package nodepool

import (
	"testing"

	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// Who lacks nodes that it had goes first at Azure; who gets its first ones, or
// whose nodes nobody could count, does not.
func TestWhoIsShortOfNodes(t *testing.T) {
	t.Parallel()
	three := agentpool.Spec{Replicas: new(int32(3))}
	scaled := agentpool.Spec{Scaling: &agentpool.Scaling{Min: 2, Max: 5}}
	made := func(nodes int) replacement.Pool {
		return replacement.Pool{Provisioned: true, Nodes: make([]replacement.Node, nodes)}
	}
	deleting := made(3)
	deleting.Deleting = true
	up := replacement.Cluster{Provisioned: true}
	for name, tc := range map[string]struct {
		spec        agentpool.Spec
		unreachable string
		pools       []replacement.Pool
		want        bool
	}{
		"nothing is made yet":              {three, "", nil, false},
		"its first pool is being made":     {three, "", []replacement.Pool{{}}, false},
		"all are there":                    {three, "", []replacement.Pool{made(3)}, false},
		"one is gone":                      {three, "", []replacement.Pool{made(2)}, true},
		"all are gone":                     {three, "", []replacement.Pool{made(0)}, true},
		"all of an autoscaled one":         {scaled, "", []replacement.Pool{made(0)}, true},
		"the autoscaler has them all":      {scaled, "", []replacement.Pool{made(2)}, false},
		"they could not be read":           {three, "no answer", []replacement.Pool{made(0)}, false},
		"a new pool takes over":            {three, "", []replacement.Pool{made(3), {}}, false},
		"what is being deleted serves not": {three, "", []replacement.Pool{deleting, made(1)}, true},
		"no number is asked for":           {agentpool.Spec{}, "", []replacement.Pool{made(0)}, false},
	} {
		w := replacement.World{Nodepool: replacement.Nodepool{Spec: tc.spec}, Cluster: up, Pools: tc.pools}
		w.Cluster.Unreachable = tc.unreachable
		if got := short(w); got != tc.want {
			t.Errorf("%s: short %t, want %t", name, got, tc.want)
		}
		w.Cluster.Deleting = true
		if short(w) {
			t.Errorf("%s: short while the cluster is deleted, where no nodes are read", name)
		}
	}
}
