package nodepool

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// adoptionAsked is a pool of two nodes that people made, and a Nodepool that asks
// for it.
func adoptionAsked(t *testing.T) *azure {
	t.Helper()
	a := newAzure(t)
	a.pods = 3
	a.peoplesPool("theirs")
	a.nodepool("D4", func(s *fleetwrightv1.NodepoolSpec) {
		s.Adoption = fleetwrightv1.NodepoolAdoption{MachinePools: []string{"theirs"}, Policy: fleetwrightv1.AdoptionPolicyAdopt}
	})
	return a
}

func (a *azure) peoplesPool(object string) {
	a.t.Helper()
	infra := a.object(managed.Kinds().Pool, object)
	infra.Object["spec"] = map[string]any{"name": a.poolName(object), "mode": "User", "sku": "D4", "maxPods": int64(30)}
	create(a.t, infra)
	create(a.t, &clusterv1.MachinePool{
		ObjectMeta: metav1.ObjectMeta{Name: object, Namespace: a.namespace},
		Spec: clusterv1.MachinePoolSpec{ClusterName: clusterName, Replicas: new(int32(2)), Template: clusterv1.MachineTemplateSpec{Spec: clusterv1.MachineSpec{
			ClusterName: clusterName, Version: "v1.34.2", Bootstrap: clusterv1.Bootstrap{DataSecretName: new("")},
			InfrastructureRef: clusterv1.ContractVersionedObjectReference{APIGroup: managed.Kinds().Pool.Group, Kind: managed.Kinds().Pool.Kind, Name: object},
		}}},
	})
	a.appear(object)
	for !a.made(object) {
		a.step()
	}
	a.step()
}

// adopt: everything stays what it was.
func adopt(a *azure) {
	before := a.uids()
	a.converge(func(np *fleetwrightv1.Nodepool) bool {
		return upToDate(np) && meta.IsStatusConditionTrue(np.Status.Conditions, fleetwrightv1.ConditionAdopted)
	})
	if diff := cmp.Diff(before, a.uids()); diff != "" {
		a.t.Errorf("adoption touched nodes, pods or pools: %s", diff)
	}
	if lines := append(a.op.written("evict"), a.op.written("Node of")...); len(lines) > 0 {
		a.t.Errorf("adoption wrote to the workload cluster: %s", strings.Join(lines, ", "))
	}
	np := a.get("general")
	if c := meta.FindStatusCondition(np.Status.Conditions, fleetwrightv1.ConditionAdopted); c == nil || c.Status != metav1.ConditionTrue || c.Reason != fleetwrightv1.ReasonAdopted {
		a.t.Errorf("condition Adopted: %+v", c)
	}
	a.checkEnd()
}

// What adoption would change is told first, and nothing is written.
func TestAdoptionIsReportedFirst(t *testing.T) {
	t.Parallel()
	a := newAzure(t)
	a.pods = 2
	a.peoplesPool("theirs")
	a.nodepool("D8", func(s *fleetwrightv1.NodepoolSpec) {
		s.Labels = map[string]fleetwrightv1.LabelValue{"team": "shop"}
		s.Adoption = fleetwrightv1.NodepoolAdoption{MachinePools: []string{"theirs"}}
	})
	a.turns(3)
	if lines := append(a.op.written("MachinePool"), a.op.written("infrastructure")...); len(lines) > 0 {
		t.Errorf("a report wrote: %s", strings.Join(lines, ", "))
	}
	c := meta.FindStatusCondition(a.get("general").Status.Conditions, fleetwrightv1.ConditionAdopted)
	if c == nil || c.Status != metav1.ConditionFalse || c.Reason != fleetwrightv1.ReasonDiffers ||
		!strings.Contains(c.Message, "labels") || !strings.Contains(c.Message, "machineType D4 -> D8") {
		t.Errorf("condition Adopted: %+v", c)
	}
	// Adopted, it is changed in place and then replaced.
	a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Adoption.Policy = fleetwrightv1.AdoptionPolicyAdopt })
	a.converge(upToDate)
	a.checkEnd()
}

// halfwayAutoscaled is an autoscaled pool in the middle of its replacement: all
// old nodes are closed, and some of the pods have moved.
func halfwayAutoscaled(t *testing.T) *azure {
	t.Helper()
	a := newAzure(t)
	a.pods, a.budget = 4, 1
	a.running("D4", scaling(1, 5), func(s *fleetwrightv1.NodepoolSpec) { s.DeletionPolicy = fleetwrightv1.DeletionPolicyRetain })
	a.change(machine("D8"))
	a.converge(func(*fleetwrightv1.Nodepool) bool { return len(a.op.written("evict")) == 2 })
	if err := server.Delete(t.Context(), a.get("general")); err != nil {
		t.Fatal(err)
	}
	a.op.writes = nil
	return a
}

// retain: both pools serve on, open and with the bounds they had.
func retain(a *azure) {
	before := a.uids()
	a.converge(gone)
	if diff := cmp.Diff(before, a.uids()); diff != "" {
		a.t.Errorf("letting go touched nodes, pods or pools: %s", diff)
	}
	if lines := append(a.op.written("evict"), a.op.written("delete")...); len(lines) > 0 {
		a.t.Errorf("letting go wrote: %s", strings.Join(lines, ", "))
	}
	a.checkNodesAreFree()
	for _, p := range a.pools() {
		if want := (agentpool.Scaling{Min: 1, Max: 5}); p.Object == "prod-general-old" && (p.Spec.Scaling == nil || *p.Spec.Scaling != want) {
			a.t.Errorf("pool %s has bounds %v, want %v", p.Name, p.Spec.Scaling, want)
		}
		infra, mp := a.objects(p.Object)
		for _, o := range []client.Object{infra, mp} {
			for key := range marksOf(o) {
				if strings.HasPrefix(key, "fleetwright.io/") {
					a.t.Errorf("%T %s still has %s", o, p.Object, key)
				}
			}
		}
	}
}

func marksOf(o client.Object) map[string]string {
	marks := map[string]string{}
	maps.Copy(marks, o.GetAnnotations())
	maps.Copy(marks, o.GetLabels())
	return marks
}
