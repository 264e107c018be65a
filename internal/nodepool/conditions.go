package nodepool

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// conditions are all conditions of a Nodepool, made anew each time. They say
// what the plan says, in the same words.
func conditions(np *fleetwrightv1.Nodepool, o *observation, worst *drain.Blocker, actErr error, now time.Time) []metav1.Condition {
	plan := o.plan
	if actErr != nil {
		plan.Message = fmt.Sprintf("%s; that failed and is tried again: %v", plan.Message, actErr)
	}
	available := availableCondition(o)
	rolling := rollingOutCondition(o, plan)
	deleting := condition.Deleting(o.world.Nodepool.Deleting, plan.Reason, plan.Message)
	set := []metav1.Condition{
		readyCondition(plan, available, rolling, deleting),
		available,
		upToDateCondition(o, plan),
		rolling,
		drainBlockedCondition(worst),
		deleting,
		pausedCondition(o, plan),
	}
	if len(o.world.Adoptable) > 0 {
		set = append(set, adoptedCondition(o, now))
	}
	if plan.Verdict == replacement.Stuck {
		set = append(set, metav1.Condition{Type: fleetwrightv1.ConditionStalled, Status: metav1.ConditionTrue, Reason: plan.Reason, Message: plan.Message})
	}
	return condition.Stamp(set, np.Status.Conditions, np.Generation, now)
}

// readyCondition sums up: stuck, leaving and moving come first; a change that
// only waits leaves the pool as ready as it is.
func readyCondition(plan replacement.Plan, available, rolling, deleting metav1.Condition) metav1.Condition {
	ready := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return metav1.Condition{Type: fleetwrightv1.ConditionReady, Status: status, Reason: reason, Message: message}
	}
	switch {
	case plan.Verdict == replacement.Stuck:
		return ready(metav1.ConditionFalse, plan.Reason, plan.Message)
	case deleting.Status == metav1.ConditionTrue:
		return ready(metav1.ConditionFalse, deleting.Reason, deleting.Message)
	case rolling.Status == metav1.ConditionTrue && plan.Reason != fleetwrightv1.ReasonSoaking:
		return ready(metav1.ConditionFalse, rolling.Reason, rolling.Message)
	case available.Status != metav1.ConditionTrue:
		message := available.Message
		if plan.Verdict == replacement.Waiting && plan.Reason != available.Reason {
			message += "; " + plan.Message
		}
		return ready(available.Status, available.Reason, message)
	}
	return ready(metav1.ConditionTrue, fleetwrightv1.ReasonReady, plan.Message)
}

func availableCondition(o *observation) metav1.Condition {
	kind := fleetwrightv1.ConditionAvailable
	if o.world.Cluster.Unreachable != "" {
		return condition.New(kind, metav1.ConditionUnknown, fleetwrightv1.ReasonConnectionDown, "the nodes of %s cannot be read: %s", o.world.Cluster.Name, o.world.Cluster.Unreachable)
	}
	ready, total := 0, 0
	for _, p := range o.world.Pools {
		ready += p.ReadyNodes()
		total += len(p.Nodes)
	}
	promised := promised(o)
	switch {
	case ready >= promised:
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonAvailable, "%d nodes take pods, %d are promised", ready, promised)
	case total == 0:
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNoNodes, "there are no nodes, %d are promised", promised)
	}
	return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonTooFewReadyNodes, "%d of %d nodes take pods, %d are promised", ready, total, promised)
}

// promised is the number of nodes the spec asks for at least; one when it
// leaves the number alone.
func promised(o *observation) int {
	spec := o.world.Nodepool.Spec
	switch {
	case spec.Replicas != nil:
		return int(*spec.Replicas)
	case spec.Scaling != nil:
		return int(spec.Scaling.Min)
	}
	return 1
}

func upToDateCondition(o *observation, plan replacement.Plan) metav1.Condition {
	kind := fleetwrightv1.ConditionUpToDate
	inPlace, replace := agentpool.Split(plan.Changes)
	switch {
	case o.world.Cluster.Unreachable != "":
		return condition.New(kind, metav1.ConditionUnknown, fleetwrightv1.ReasonConnectionDown, "the nodes of %s cannot be read: %s", o.world.Cluster.Name, o.world.Cluster.Unreachable)
	case plan.Reason == fleetwrightv1.ReasonNodesOlderThanReported:
		return condition.New(kind, metav1.ConditionFalse, plan.Reason, "%s", plan.Message)
	case plan.Reason == fleetwrightv1.ReasonStrategyForbids, plan.Reason == fleetwrightv1.ReasonDiffers:
		return condition.New(kind, metav1.ConditionFalse, plan.Reason, "%s", plan.Message)
	case len(inPlace)+len(replace) == 0 && onlySoaks(o, plan):
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonUpToDate, "the pool is as the spec asks for; the old one soaks")
	case plan.Wanted == "" || len(plan.Outgoing) > 0:
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonReplacementNeeded, "%s", cmp.Or(agentpool.Describe(replace), plan.Message))
	case !wantedIsMade(o, plan.Wanted):
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonCreatingGreen, "%s", plan.Message)
	case len(inPlace) > 0:
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonInPlaceUpdateNeeded, "%s", agentpool.Describe(inPlace))
	}
	return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonUpToDate, "the pool is as the spec asks for")
}

// onlySoaks is true when the wanted pool is ready and what is beside it is empty
// and kept for a way back.
func onlySoaks(o *observation, plan replacement.Plan) bool {
	if plan.Wanted == "" || len(plan.Outgoing) == 0 || !wantedIsMade(o, plan.Wanted) {
		return false
	}
	return !slices.ContainsFunc(o.world.Pools, func(p replacement.Pool) bool {
		return slices.Contains(plan.Outgoing, p.Object) && p.EmptySince.IsZero()
	})
}

func wantedIsMade(o *observation, object string) bool {
	return slices.ContainsFunc(o.world.Pools, func(p replacement.Pool) bool { return p.Object == object && p.Provisioned })
}

func rollingOutCondition(o *observation, plan replacement.Plan) metav1.Condition {
	kind := fleetwrightv1.ConditionRollingOut
	switch {
	case o.world.Nodepool.Deleting || plan.Verdict == replacement.Done || plan.Verdict == replacement.Held || plan.Verdict == replacement.Stuck:
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotRollingOut, "")
	case plan.Verdict == replacement.Moving, plan.Reason == fleetwrightv1.ReasonSoaking:
		return condition.New(kind, metav1.ConditionTrue, plan.Reason, "%s", plan.Message)
	}
	return condition.New(kind, metav1.ConditionFalse, plan.Reason, "%s", plan.Message)
}

func drainBlockedCondition(worst *drain.Blocker) metav1.Condition {
	kind := fleetwrightv1.ConditionDrainBlocked
	if worst == nil {
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotBlocked, "")
	}
	return condition.New(kind, metav1.ConditionTrue, string(worst.Reason), "%s", nameBlocker(*worst))
}

func pausedCondition(o *observation, plan replacement.Plan) metav1.Condition {
	kind := fleetwrightv1.ConditionPaused
	switch h := o.world.Nodepool.Hold; {
	case plan.Verdict == replacement.Held:
		return condition.New(kind, metav1.ConditionTrue, plan.Reason, "%s", plan.Message)
	case h.Reason != "":
		return condition.New(kind, metav1.ConditionTrue, h.Reason, "%s; nothing is held back", h.Message)
	}
	return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotPaused, "")
}

func adoptedCondition(o *observation, now time.Time) metav1.Condition {
	kind := fleetwrightv1.ConditionAdopted
	if reason, message := replacement.Adoption(o.world, now); reason != "" {
		return condition.New(kind, metav1.ConditionFalse, reason, "%s", message)
	}
	var names []string
	for _, a := range o.world.Adoptable {
		names = append(names, a.Object)
	}
	return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonAdopted, "taken over: MachinePool %s", strings.Join(names, ", "))
}
