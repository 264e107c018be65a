package preflight

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/nodepool/fit"
)

// Fit reads what else is needed to find places for the pods that move, which the policy decides on. The snapshot must
// be one of Observe. Growth is for the caller to say.
func (s Snapshot) Fit(ctx context.Context, client kubernetes.Interface, policy drain.Policy, now time.Time) (fit.World, error) {
	return fit.Observe(ctx, client, s.pods, s.moves(policy, now))
}

// moves tells what becomes of each pod on the nodes. A pod that ends there, or that nobody makes anew, needs no other
// place, and one that leaves already has found it or waits.
func (s Snapshot) moves(policy drain.Policy, now time.Time) fit.Moves {
	moves := fit.Moves{Moving: map[types.UID]bool{}, Ending: map[types.UID]bool{}}
	onNodes := map[string]bool{}
	for _, n := range s.Drain.Nodes {
		moves.Emptied = append(moves.Emptied, n.Name)
		onNodes[n.Name] = !n.Quarantined // what is on one that was given up stays, and the node takes no more
	}
	for _, p := range s.Drain.Pods {
		if !onNodes[p.Node] {
			continue
		}
		switch managed := p.Controller != (drain.Controller{}) && !p.Controller.Missing; drain.Classify(p, policy, now).Behavior {
		case drain.BehaviorSkip:
		case drain.BehaviorEvict, drain.BehaviorDoNotDisrupt:
			moves.Moving[p.UID], moves.Ending[p.UID] = managed, !managed
		default:
			moves.Ending[p.UID] = true
		}
	}
	return moves
}

// unfitWarnings tell which pods have no place.
func (r Report) unfitWarnings() []string {
	if r.Fit == nil {
		return nil
	}
	return alike(r.Fit.Misfits, r.Fit.Kinds, "kinds of pods that would have no place", func(m fit.Misfit) string {
		what := fmt.Sprintf("pod %s/%s", m.Namespace, m.Name)
		if m.Pods > 1 {
			what += fmt.Sprintf(" and %d like it", m.Pods-1)
		}
		return fmt.Sprintf("%s would have no place: %s", what, m.Message)
	})
}
