package nodepool

import (
	"context"
	"path"
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/capacity"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// arm is Azure as the operator asks it directly.
type arm struct {
	a *azure
	// unsettled is how often CountNodes is still to say that nothing is settled.
	unsettled int
	// busy is how often DeleteMachines is still to be refused for somebody else's
	// operation.
	busy int
	// loses is true while the next answer of DeleteMachines is to be lost.
	loses bool
	// deleted counts machines that were asked to be taken away.
	deleted int
	// calls is what was said of each request, by what it asked.
	calls map[string][]broker.Call
}

func (r *arm) note(ctx context.Context, what string) {
	if r.calls == nil {
		r.calls = map[string][]broker.Call{}
	}
	r.calls[what] = append(r.calls[what], broker.CallOf(ctx))
}

func (r *arm) Capacity(ctx context.Context, _ capacity.Query) (capacity.Answer, error) {
	r.note(ctx, "capacity")
	return capacity.Answer{}, nil
}

func (r *arm) pool(id string) *agentPool {
	for _, p := range r.a.agentPools {
		if poolID(p.name) == id {
			return p
		}
	}
	r.a.t.Errorf("Azure has no pool %s", id)
	return &agentPool{}
}

func (r *arm) DeleteMachines(ctx context.Context, id string, names []string) error {
	r.note(ctx, "delete")
	p := r.pool(id)
	return r.a.op.write("delete machines of "+r.a.appear(p.object), func() error {
		if p.working != "" || r.busy > 0 {
			r.busy = max(r.busy-1, 0)
			return &refusal.Error{Kind: refusal.Busy, Doing: "delete machines of " + path.Base(id), Code: "OperationNotAllowed", Message: "another operation is in progress"}
		}
		for _, name := range names {
			if !slices.Contains(p.nodes, name) {
				return &refusal.Error{Kind: refusal.Gone, Doing: "delete machines of " + path.Base(id), Code: "InvalidParameter", Message: "Cannot find any valid machines"}
			}
		}
		r.a.op.asks(p.object, false)
		p.working, p.leaving = shrinking, names
		r.deleted += len(names)
		if r.loses {
			r.loses = false
			return &refusal.Error{Kind: refusal.Passing, Doing: "delete machines of " + path.Base(id), Message: "no answer", RetryAfter: 5 * time.Second}
		}
		return nil
	})
}

func (r *arm) CountNodes(ctx context.Context, id string) (count int32, settled bool, err error) {
	r.note(ctx, "count")
	p := r.pool(id)
	if r.unsettled > 0 {
		r.unsettled--
		return 0, false, nil
	}
	return int32(len(p.nodes)), p.working == "", nil
}
