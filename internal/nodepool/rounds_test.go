package nodepool

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/drain"
)

// rounds are the drains of a story. Nothing of them goes on by itself: after each
// look of the operator, a drain that still runs does one round, so that a story
// is the same each time.
type rounds struct {
	o   *operator
	api kubernetes.Interface
}

// Drain does one round whenever the story asks for it.
func (r rounds) Drain(ctx context.Context, nodes []drain.NodeRef, policy drain.Policy, report func(drain.Plan)) error {
	asks := r.o.asksFor(nodes)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case done := <-asks:
			empty, err := r.round(ctx, nodes, policy, report)
			if close(done); empty || err != nil {
				return err
			}
		}
	}
}

func (r rounds) round(ctx context.Context, nodes []drain.NodeRef, policy drain.Policy, report func(drain.Plan)) (empty bool, err error) {
	snapshot, err := drain.Observe(ctx, r.api, nodes, policy)
	if err != nil {
		return false, err
	}
	plan := drain.Decide(snapshot, policy, r.o.a.clock.Now())
	result := drain.Evict(ctx, r.api, plan, drain.Options{})
	report(plan.After(result))
	return plan.Empty, nil
}

// asksFor is how a story asks for a round of the drain of those nodes.
func (o *operator) asksFor(nodes []drain.NodeRef) chan chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.rounds == nil {
		o.rounds = map[types.UID]chan chan struct{}{}
	}
	if o.rounds[nodes[0].UID] == nil {
		o.rounds[nodes[0].UID] = make(chan chan struct{})
	}
	return o.rounds[nodes[0].UID]
}

// drainOnce lets the drain of a Nodepool, if it has one, do a round. One that
// follows the cluster by itself needs nobody.
func (o *operator) drainOnce(nodepool types.NamespacedName) {
	d := &o.reconciler.drains
	d.mu.Lock()
	run := d.runs[nodepool]
	d.mu.Unlock()
	if run == nil || d.engine == nil {
		return
	}
	done := make(chan struct{})
	select {
	case o.asksFor(run.nodes) <- done:
		<-done
	case <-run.done:
	}
}
