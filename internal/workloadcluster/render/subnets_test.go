package render_test

import (
	"testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

// A pool of a cluster that is there is in no subnet that the cluster does not have: to name another would replace it.
func TestSubnetsOfAClusterThatIsThere(t *testing.T) {
	in := asking(fleetwrightv1.WorkloadClusterFlavorASO, fleetwrightv1.NetworkModeOverlay)
	in.Bound = []fleetwrightv1.BoundRange{{Name: "vnet", CIDR: "10.1.0.0/16"}, {Name: "nodes", CIDR: "10.1.0.0/20"}}
	pool := fleetwrightv1.WorkloadClusterNodepool{Name: "general"}
	named := pool
	named.Spec.Subnet = "aks"
	for name, test := range map[string]struct {
		subnets []string
		pool    fleetwrightv1.WorkloadClusterNodepool
		want    string
	}{
		"it is being made":     {nil, pool, "c-nodes"},
		"it has the subnet":    {[]string{"c-nodes"}, pool, "c-nodes"},
		"it has another":       {[]string{"aks"}, pool, ""},
		"it has none":          {[]string{}, pool, ""},
		"which the spec names": {[]string{"aks"}, named, "aks"},
	} {
		in.Subnets = test.subnets
		if got := render.Nodepool(in, test.pool, "v1.33.6").Subnet; got != test.want {
			t.Errorf("%s: the pool is in %q, want %q", name, got, test.want)
		}
	}
}
