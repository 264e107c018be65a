package replacement

import (
	"fmt"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

func (l *look) mayWeWrite() *Plan {
	if l.Nodepool.Paused == "" {
		return nil
	}
	reason := fleetwrightv1.ReasonPaused
	if l.Nodepool.PausedByCluster {
		reason = fleetwrightv1.ReasonClusterPaused
	}
	return &Plan{Verdict: Held, Reason: reason, Message: l.Nodepool.Paused}
}

func (l *look) isTheClusterThere() *Plan {
	switch {
	case !l.Cluster.Found:
		return &Plan{
			Verdict: Stuck, Reason: fleetwrightv1.ReasonClusterNotFound, CheckAgain: later,
			Message: fmt.Sprintf("there is no Cluster %q in this namespace: create it, or delete this Nodepool", l.Cluster.Name),
		}
	case l.Cluster.Deleting:
		return &Plan{
			Verdict: Waiting, Reason: fleetwrightv1.ReasonWaitingForCluster,
			Message: fmt.Sprintf("Cluster %s is being deleted and its pools go with it", l.Cluster.Name),
		}
	}
	return nil
}

func (l *look) isTheRequestPossible() *Plan {
	if l.Nodepool.Invalid != "" {
		return &Plan{Verdict: Stuck, Reason: fleetwrightv1.ReasonInvalidSpec, Message: l.Nodepool.Invalid}
	}
	return nil
}

// doNodesBelongWhereTheySay stops everything when a node's provider id, its
// label and the provider's list of the pool disagree. Nodes were once matched
// by the tail of their provider id, and most of a production cluster was
// deleted.
func (l *look) doNodesBelongWhereTheySay() *Plan {
	for _, p := range l.Pools {
		if p.IdentityConflict != "" {
			return &Plan{
				Verdict: Stuck, Reason: fleetwrightv1.ReasonIdentityConflict, CheckAgain: later,
				Message: fmt.Sprintf("pool %s: %s; nothing is drained or deleted until they agree", p.Name, p.IdentityConflict),
			}
		}
	}
	return nil
}

func (l *look) isTheWantedPoolProvisioned() *Plan {
	p := l.wanted
	if p.Provisioned {
		return nil
	}
	if inPlace, _ := agentpool.Split(agentpool.Changes(l.Nodepool.Spec, p.Spec)); len(inPlace) > 0 && p.Operation == "" && (p.Failure != "" || l.timedOut(p)) {
		// Fewer nodes may be what there is quota for.
		return l.changeInPlace(inPlace)
	}
	plan := &Plan{
		Verdict: Moving, CheckAgain: later,
		Step: string(fleetwrightv1.ReplacementStepCreatingGreen), Reason: fleetwrightv1.ReasonCreatingGreen,
		Message: fmt.Sprintf("pool %s is being created since %s", p.Name, clock(p.ProvisionStarted)),
	}
	switch {
	case p.Failure != "" && l.stands(p):
		plan.Verdict, plan.Reason = Stuck, fleetwrightv1.ReasonProvisioningFailed
		plan.Message = fmt.Sprintf("pool %s cannot be created: %s%s", p.Name, p.Failure, l.oldPoolIsSafe())
	case l.timedOut(p):
		plan.Verdict, plan.Reason = Stuck, fleetwrightv1.ReasonProvisioningTimedOut
		plan.Message = fmt.Sprintf("pool %s was not created within %s%s", p.Name, l.Nodepool.ProvisionTimeout, l.oldPoolIsSafe())
	case p.Failure != "":
		plan.CheckAgain = failureGrace
		plan.Message += ", so far without success: " + p.Failure
	case !l.Cluster.Provisioned:
		plan.Message = fmt.Sprintf("pool %s is created together with the control plane of %s, since %s", p.Name, l.Cluster.Name, clock(p.ProvisionStarted))
	}
	return plan
}

// failureGrace is how long a failure must have been said before a person is
// called: CAPZ writes passing ones (a throttled request, a machine it cannot see
// yet) down in the same way, and tries again after 20 seconds.
const failureGrace = time.Minute

func (l *look) stands(p *Pool) bool { return l.now.Sub(p.FailureSince) >= failureGrace }

func (l *look) timedOut(p *Pool) bool {
	return l.Nodepool.ProvisionTimeout > 0 && l.now.Sub(p.ProvisionStarted) > l.Nodepool.ProvisionTimeout
}

func (l *look) oldPoolIsSafe() string {
	for _, o := range l.outgoing {
		if !o.Deleting && o.DrainStarted.IsZero() {
			return fmt.Sprintf("; pool %s serves on, untouched: change the spec, or put the old one back", o.Name)
		}
	}
	return "; change the spec to try another pool"
}

func (l *look) areInPlaceFieldsAsWanted() *Plan {
	p := l.wanted
	inPlace, _ := agentpool.Split(agentpool.Changes(l.Nodepool.Spec, p.Spec))
	if len(inPlace) > 0 {
		plan := l.changeInPlace(inPlace)
		if plan.Reason == fleetwrightv1.ReasonWaitingForSlot {
			// A drain is no Azure write and goes on; the change comes after.
			l.deferred, plan = plan, nil
		}
		return plan
	}
	if p.Failure != "" && p.Operation == "" {
		l.deferred = &Plan{
			Verdict: Moving, Step: string(fleetwrightv1.ReplacementStepUpdatingInPlace), Reason: fleetwrightv1.ReasonUpdatingInPlace,
			Message: fmt.Sprintf("the last change of pool %s is not accepted yet: %s", p.Name, p.Failure), CheckAgain: failureGrace,
		}
		if l.stands(p) {
			l.deferred = &Plan{
				Verdict: Stuck, Reason: fleetwrightv1.ReasonProvisioningFailed, CheckAgain: later,
				Message: fmt.Sprintf("Azure refused the last change of pool %s: %s", p.Name, p.Failure),
			}
		}
	}
	return nil
}

// changeInPlace writes the in-place fields of the wanted pool, or waits for the
// slot.
func (l *look) changeInPlace(inPlace []agentpool.Change) *Plan {
	p := l.wanted
	if want := l.Nodepool.Spec.Mode; want == string(fleetwrightv1.NodepoolModeUser) && p.Spec.Mode == string(fleetwrightv1.NodepoolModeSystem) && !l.systemPoolReadyBut([]Pool{*p}) {
		return &Plan{
			Verdict: Stuck, Reason: fleetwrightv1.ReasonInvalidSpec, CheckAgain: later,
			Message: fmt.Sprintf("mode User would leave the cluster without a ready System pool: make another System pool first, pool %s stays as it is", p.Name),
		}
	}
	if op := l.busy(); op != nil {
		return l.waitForSlot(*op, Waiting, "change "+agentpool.Describe(inPlace))
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepUpdatingInPlace), Reason: fleetwrightv1.ReasonUpdatingInPlace,
		Message: fmt.Sprintf("changes %s of pool %s without touching its nodes", agentpool.Describe(inPlace), p.Name),
		Action:  Action{Kind: UpdatePool, Object: p.Object, Pool: p.Name, Spec: l.Nodepool.Spec},
	}
}

func (l *look) doNodesAnswer() *Plan {
	if l.Cluster.Unreachable == "" {
		return nil
	}
	return &Plan{
		Verdict: Waiting, Reason: fleetwrightv1.ReasonConnectionDown, CheckAgain: later,
		Message: fmt.Sprintf("the API server of %s does not answer, so nothing is drained or deleted: %s", l.Cluster.Name, l.Cluster.Unreachable),
	}
}

// doWantedNodesTakePods takes back the cordon of a pool that was on its way
// out and is wanted again.
func (l *look) doWantedNodesTakePods() *Plan {
	return l.reopen(l.wanted, "is wanted again")
}

// reopen takes our cordon and our marks off a pool's nodes. A node that somebody
// opened before us loses the mark too, or a person's own cordon would one day
// be taken for ours.
func (l *look) reopen(p *Pool, why string) *Plan {
	var closed []Node
	for _, n := range p.Nodes {
		if n.CordonedByUs {
			closed = append(closed, n)
		}
	}
	if len(closed) == 0 && p.DrainStarted.IsZero() {
		return nil
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepRollingBack), Reason: fleetwrightv1.ReasonRollingBack,
		Message: fmt.Sprintf("pool %s %s: %s open for pods", p.Name, why, count(len(closed), "node")),
		Action:  Action{Kind: UncordonNodes, Object: p.Object, Pool: p.Name, Nodes: closed},
	}
}

// areEnoughNodesReady holds the first eviction back until the wanted pool has
// proven itself: as many nodes as promised, of the wanted version by their own
// kubelets' word, Ready for minReady. Once the old pool is being drained, one
// ready node is enough to go on.
func (l *look) areEnoughNodesReady() *Plan {
	p := l.wanted
	need := l.promise()
	if l.drainBegan() {
		need = min(need, 1)
	}
	settled, wait, older := p.settledNodes(p.Spec.Version, l.Nodepool.MinReady, l.now)
	if settled >= need {
		return nil
	}
	coming := wait > 0 || older != "" || p.Operation != "" || p.Members > len(p.Nodes) || p.Unlisted > 0
	if len(l.outgoing) == 0 && l.timedOut(p) && !coming {
		// Nothing is rolled out, and nothing is on its way that could be waited for:
		// nodes of a pool that served have failed, or were taken away.
		return &Plan{
			Verdict: Waiting, Reason: fleetwrightv1.ReasonTooFewReadyNodes, CheckAgain: later,
			Message: fmt.Sprintf("%d of %s of pool %s are ready", settled, count(need, "node"), p.Name),
		}
	}
	plan := &Plan{
		Verdict: Moving, CheckAgain: orDefault(wait, soon),
		Step: string(fleetwrightv1.ReplacementStepWaitingForGreen), Reason: fleetwrightv1.ReasonWaitingForGreen,
		Message: fmt.Sprintf("%d of %s of pool %s are ready for %s", settled, count(need, "node"), p.Name, l.Nodepool.MinReady),
	}
	if older != "" {
		plan.Reason, plan.CheckAgain = fleetwrightv1.ReasonNodesOlderThanReported, later
		plan.Message += fmt.Sprintf("; Azure reports %s but %s", p.Spec.Version, older)
	}
	if l.timedOut(p) && !l.drainBegan() && (len(l.outgoing) > 0 || len(p.Nodes) == 0) {
		plan.Verdict, plan.Reason, plan.CheckAgain = Stuck, fleetwrightv1.ReasonProvisioningTimedOut, later
		plan.Message += fmt.Sprintf("; that took longer than %s%s", l.Nodepool.ProvisionTimeout, l.oldPoolIsSafe())
	}
	return plan
}

// promise is how many nodes the wanted pool must have ready before the old one
// is touched: what the spec says, or as many as serve now. A number nobody
// fixed is not asked of a pool that aims at less: it grows with its pods.
func (l *look) promise() int {
	need := creationSize(l.Nodepool.Spec, l.outgoing, l.wanted.Spec.Replicas)
	if l.Nodepool.Spec.Replicas == nil && l.wanted.Size != nil {
		need = min(need, max(*l.wanted.Size, 1))
	}
	return int(need)
}

// creationSize is the number of nodes a new pool starts with: the fixed
// number, or what the old pools have within the autoscaler's bounds.
func creationSize(spec agentpool.Spec, outgoing []Pool, otherwise *int32) int32 {
	if spec.Replicas != nil {
		return *spec.Replicas
	}
	var serving int32
	for _, o := range outgoing {
		serving = max(serving, int32(min(max(len(o.Nodes), o.Members), 1000)))
	}
	switch {
	case spec.Scaling != nil:
		return min(max(serving, spec.Scaling.Min), spec.Scaling.Max)
	case serving > 0:
		return serving
	case otherwise != nil:
		return *otherwise
	}
	return 1
}

// drainBegan is true once the wanted pool was proven and an old pool began to
// drain into it. A drain that began for an earlier green proves nothing of
// this one.
func (l *look) drainBegan() bool {
	for _, o := range l.outgoing {
		if o.DrainStarted.After(l.wanted.Created) {
			return true
		}
	}
	return false
}

func (l *look) areOldPoolsGone() *Plan {
	return l.retire(l.outgoing)
}

func (l *look) isAnythingDeferred() *Plan {
	if l.deferred != nil {
		return l.deferred
	}
	if op := l.wanted.Operation; op != "" {
		return &Plan{
			Verdict: Moving, CheckAgain: soon,
			Step: string(fleetwrightv1.ReplacementStepUpdatingInPlace), Reason: fleetwrightv1.ReasonUpdatingInPlace,
			Message: fmt.Sprintf("Azure is %s", operation{op, l.wanted.Name}),
		}
	}
	return nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
