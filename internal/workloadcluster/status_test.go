package workloadcluster

import (
	"fmt"
	"testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
)

// However much there is to tell, the API server takes the status: without it nobody would hear of anything.
func TestAStatusIsAlwaysTaken(t *testing.T) {
	s := newStage(t, "status")
	s.apply(small(aso))
	w := serving(t)
	in := intend(w, noon)
	o := &observation{world: w, intent: in, plan: decide(w, &in, noon)}
	for i := range 70 {
		pool := o.plan.pools[0]
		pool.Name = fmt.Sprint("pool", i)
		o.plan.pools = append(o.plan.pools, pool)
		o.plan.addons = append(o.plan.addons, addons.State{WorkloadClusterAddonStatus: fleetwrightv1.WorkloadClusterAddonStatus{Name: fmt.Sprint("a", i), Ready: "True", Reason: "Ready"}})
		o.intent.bound = append(o.intent.bound, fleetwrightv1.BoundRange{Name: fmt.Sprint("r", i), CIDR: "10.0.0.0/8"})
	}
	object := s.object()
	object.Status = status(object, o, noon)
	s.saved(object)
	if got := s.object().Status; len(got.Nodepools) != maxPools || len(got.Addons) != maxAddons || len(got.Addresses) != maxRanges || *got.ReadyNodes != 144 {
		t.Errorf("it tells of %d pools with %d nodes, %d add-ons, %d ranges", len(got.Nodepools), *got.ReadyNodes, len(got.Addons), len(got.Addresses))
	}
}
