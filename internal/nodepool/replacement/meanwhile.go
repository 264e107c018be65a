package replacement

import (
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// keepUp gives the pool that serves what can be changed in place, while the one
// that is to replace it cannot be begun: more nodes above all.
func (l *look) keepUp(leaves string) *Plan {
	if len(l.Pools) == 0 {
		return nil
	}
	at := -1 // the newest that has nodes for pods
	for i, p := range l.Pools {
		if p.ReadyNodes() > 0 && !p.Deleting {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	serving := l.Pools[at]
	if serving.Incomplete || !serving.Provisioned || serving.Operation != "" || !serving.DrainStarted.IsZero() || serving.Object == leaves {
		return nil
	}
	of := *l
	of.wanted, of.outgoing = &serving, nil
	inPlace, replace := agentpool.Split(agentpool.Changes(l.Nodepool.Spec, serving.Spec))
	if slices.ContainsFunc(replace, func(c agentpool.Change) bool { return c.Field == "taints" }) {
		// A NoExecute taint is not for this pool, and taints are written as one.
		of.Nodepool.Spec.Taints = serving.Spec.Taints
	}
	of.Nodepool.Spec.Overrides = serving.Spec.Overrides
	inPlace = slices.DeleteFunc(inPlace, func(c agentpool.Change) bool { return strings.HasPrefix(c.Field, "providerOverrides") })
	if len(inPlace) == 0 {
		return nil
	}
	if plan := of.changeInPlace(inPlace); plan.Action.writes() {
		return plan
	}
	return nil
}
