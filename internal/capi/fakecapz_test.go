package capi

import (
	"context"
	"errors"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// provider is CAPZ v1.26 with Azure Service Operator and Azure behind it, as far
// as they have a word on the number of a pool's nodes. Azure is taken at its
// worst: it takes every number, also a lower one while the autoscaler is on.
type provider struct {
	*stage
	now time.Time
	// spec and status are those of Azure Service Operator's object; status is as
	// old as its last PUT.
	spec, status agentPool
	ready        bool
	// live is how many nodes there are in Azure, fewest how many there ever were
	// since it was last set.
	live, fewest int32
}

// agentPool is what the object says of the pool's size, count nil for nothing.
type agentPool struct {
	scaled bool
	count  *int32
}

// newProvider has a pool whose autoscaler has made 9 nodes of 5, of which Azure
// Service Operator does not know yet.
func newProvider(s *stage) *provider {
	s.t.Helper()
	p := &provider{stage: s, now: now}
	s.made()
	for range 3 {
		p.round()()
		p.put()
	}
	p.live, p.fewest = 9, 9
	return p
}

// round is one of CAPZ's. It has read the objects when it returns; what it
// returns does the rest.
func (p *provider) round() (finish func()) {
	p.t.Helper()
	infra, mp := p.infra(), p.machinePool()
	before := mp.DeepCopy()
	return func() {
		p.t.Helper()
		if resourceIn(infra, asoAgentPool.Kind) != nil {
			p.asoRound(infra, mp)
		} else {
			p.managedRound(infra, mp)
		}
		// Without a lock, and only what differs from what was read.
		if err := p.inner.Patch(p.t.Context(), mp, client.MergeFrom(before)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// managedRound follows azure/services/agentpools/{spec,agentpools}.go and
// azure/services/aso/aso.go.
func (p *provider) managedRound(infra *unstructured.Unstructured, mp *clusterv1.MachinePool) {
	_, scaled := specOf(infra)["scaling"]
	count := mp.Spec.Replicas
	if scaled && p.status.count != nil {
		count = p.status.count
	}
	patched := map[string]any{"count": int64(*count), "enableAutoScaling": scaled}
	for _, text := range stringsAt(infra, "spec", patchesField) {
		mergePatch(patched, specIn(readPatch(text)))
	}
	if p.apply(patched) || !p.ready {
		p.tell(false)
		return
	}
	if p.status.scaled {
		mp.Annotations[clusterv1.ReplicasManagedByAnnotation], mp.Spec.Replicas = "true", p.status.count
	} else {
		delete(mp.Annotations, clusterv1.ReplicasManagedByAnnotation)
	}
	p.tell(true)
}

// asoRound follows pkg/mutators/azureasomanagedmachinepool.go and
// controllers/azureasomanagedmachinepool_controller.go.
func (p *provider) asoRound(infra *unstructured.Unstructured, mp *clusterv1.MachinePool) {
	spec := treeAt(resourceIn(infra, asoAgentPool.Kind).DeepCopy(), "spec")
	if scaled, _ := spec["enableAutoScaling"].(bool); scaled {
		mp.Annotations[clusterv1.ReplicasManagedByAnnotation] = "aks"
	} else {
		delete(mp.Annotations, clusterv1.ReplicasManagedByAnnotation)
	}
	_, managed := mp.Annotations[clusterv1.ReplicasManagedByAnnotation]
	if !managed || p.status.count == nil {
		if count, said := spec["count"]; said && count != int64(*mp.Spec.Replicas) {
			return // Incompatible
		}
		spec["count"] = int64(*mp.Spec.Replicas)
	}
	if !p.apply(spec) && p.ready && managed {
		mp.Spec.Replicas = p.status.count
	}
}

// apply is true when the spec is another one than before.
func (p *provider) apply(spec map[string]any) bool {
	scaled, _ := spec["enableAutoScaling"].(bool)
	next := agentPool{scaled: scaled, count: countOf(spec["count"])}
	if reflect.DeepEqual(next, p.spec) {
		return false
	}
	p.spec, p.ready = next, false
	p.tell(false)
	return true
}

// put brings the spec to Azure, and takes the status from there.
func (p *provider) put() {
	if p.ready {
		return
	}
	if p.spec.count != nil {
		p.live = *p.spec.count
	}
	p.fewest = min(p.fewest, p.live)
	live := p.live
	p.status, p.ready = agentPool{scaled: p.spec.scaled, count: &live}, true
	if p.flavor.Kinds().Related != nil {
		p.tell(true)
	}
}

// tell writes down whether Azure is done, at the time of the first such word.
func (p *provider) tell(done bool) {
	p.t.Helper()
	status, reason, kind := "False", "Creating", "AgentPoolsReady"
	if done {
		status, reason = "True", "Succeeded"
	}
	of, name := p.flavor.Kinds().Pool, object.Name
	if p.flavor.Kinds().Related != nil {
		of, kind = asoAgentPool, "Ready"
	}
	p.change(of, name, func(content map[string]any) {
		told, _ := content["status"].(map[string]any)
		list, _ := told["conditions"].([]any)
		if len(list) > 0 && list[0].(map[string]any)["status"] == status {
			return
		}
		told["conditions"] = []any{map[string]any{
			"type": kind, "status": status, "reason": reason, "severity": "Info", "lastTransitionTime": p.now.UTC().Format(time.RFC3339),
		}}
	})
}

// pool is seen at the provider's time.
func (p *provider) pool() Pool {
	p.t.Helper()
	c, err := ReadCluster(p.t.Context(), p.client, key)
	if err != nil {
		p.t.Fatal(err)
	}
	pools, err := c.ReadPools(p.t.Context(), p.client, p.now)
	if err != nil || len(pools) != 1 {
		p.t.Fatalf("%d pools, %v", len(pools), err)
	}
	return pools[0]
}

// during has a round of CAPZ finish right after that many writes of ours.
func (p *provider) during(writes int, do func() error) error {
	p.t.Helper()
	finish, begin := p.round(), p.writes
	p.afterWrite = func() {
		if p.writes == begin+writes && finish != nil {
			finish()
			finish = nil
		}
	}
	err := do()
	p.afterWrite = nil
	if finish != nil {
		finish()
	}
	if err != nil && !errors.Is(err, errCut) && !apierrors.IsConflict(err) {
		p.t.Fatal(err)
	}
	return err
}

// settles lets everybody go on, with a round of CAPZ across each step of ours,
// until nothing is left to do.
func (p *provider) settles(plan func(ctx context.Context, seen Pool) error) {
	p.t.Helper()
	for range 20 {
		_ = p.during(1, func() error {
			pool := p.pool()
			if err := plan(p.t.Context(), pool); err != nil {
				return err
			}
			if !pool.Unsettled {
				return nil
			}
			return Settle(p.t.Context(), p.client, p.client, key, object.Name, p.now)
		})
		p.put()
		p.now = p.now.Add(20 * time.Second)
	}
}
