package replacement

import (
	"fmt"
	"slices"

	"github.com/blang/semver/v4"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// maxMinorsBehind is AKS' rule for pools: within two minor versions of the
// control plane. Kubernetes itself allows three since 1.28.
const maxMinorsBehind = 2

func (l *look) doesTheWantedPoolExist() *Plan {
	if l.wanted != nil {
		return nil
	}
	plan := l.makeAnother()
	heldBack := l.Nodepool.Hold.NonDisruptive && l.disrupts(plan.Action)
	if plan.NeedsAzure || len(plan.NeedsPods)+len(plan.NeedsFit) > 0 || plan.Action.writes() && !heldBack {
		return plan
	}
	if meanwhile := l.keepUp(plan.Action.Object); meanwhile != nil {
		return meanwhile
	}
	return plan
}

func (l *look) makeAnother() *Plan {
	for _, ask := range []func(*look) *Plan{
		(*look).isTheVersionPossible,
		(*look).didAnEarlierNodepoolLeavePools,
		(*look).isTheOldSizeKnown,
		(*look).isItHalfMade,
		(*look).isThereRoomForAnotherPool,
		(*look).mayItBegin,
		(*look).doSoakingPoolsGiveWay,
		(*look).isTheSlotFree,
	} {
		if plan := ask(l); plan != nil {
			return plan
		}
	}
	plan := l.create()
	if plan.Reason == fleetwrightv1.ReasonWaitingForCapacity && len(l.Pools) > 1 {
		// The change before this one makes room when it is through.
		return l.finishTheLast(plan)
	}
	return plan
}

func (l *look) isTheVersionPossible() *Plan {
	stuck := func(format string, args ...any) *Plan {
		return &Plan{Verdict: Stuck, Reason: fleetwrightv1.ReasonVersionSkew, CheckAgain: later, Message: fmt.Sprintf(format, args...)}
	}
	now, err := semver.ParseTolerant(l.Cluster.Version)
	if err != nil {
		return &Plan{
			Verdict: Waiting, Reason: fleetwrightv1.ReasonWaitingForCluster, CheckAgain: later,
			Message: fmt.Sprintf("the control plane of %s has not told its version yet", l.Cluster.Name),
		}
	}
	want, err := semver.ParseTolerant(l.Nodepool.Spec.Version)
	if err != nil {
		return stuck("version %q is not a Kubernetes version such as v1.34.2: %v", l.Nodepool.Spec.Version, err)
	}
	if want.LTE(now) {
		if want.Major != now.Major || want.Minor+maxMinorsBehind < now.Minor {
			return stuck("version %s is more than %d minor versions behind the control plane's %s: choose v%d.%d or later",
				l.Nodepool.Spec.Version, maxMinorsBehind, l.Cluster.Version, now.Major, now.Minor-min(now.Minor, maxMinorsBehind))
		}
		return nil
	}
	if coming, err := semver.ParseTolerant(l.Cluster.WantedVersion); err == nil && want.LTE(coming) {
		return &Plan{
			Verdict: Waiting, Reason: fleetwrightv1.ReasonWaitingForControlPlane, CheckAgain: later,
			Message: fmt.Sprintf("version %s waits for the control plane, which is on its way from %s to %s", l.Nodepool.Spec.Version, l.Cluster.Version, l.Cluster.WantedVersion),
		}
	}
	return stuck("version %s is newer than the control plane's %s: upgrade the control plane of %s first", l.Nodepool.Spec.Version, l.Cluster.Version, l.Cluster.Name)
}

// didAnEarlierNodepoolLeavePools: a Nodepool that was restored, moved or made
// again has another UID, and the pools of the former one serve on. They are
// neither taken over nor doubled without being asked.
func (l *look) didAnEarlierNodepoolLeavePools() *Plan {
	for _, n := range l.Others {
		if n.Owner == l.Nodepool.Name {
			return &Plan{
				Verdict: Stuck, Reason: fleetwrightv1.ReasonNameConflict, CheckAgain: later,
				Message: fmt.Sprintf("pool %s belongs to an earlier Nodepool %s: %s", n.Name, n.Owner, l.takeItOver(n.Object)),
			}
		}
	}
	return nil
}

// isTheOldSizeKnown: a pool whose number nobody fixed gets as many nodes as the
// one it replaces has, which a cluster that does not answer cannot tell.
func (l *look) isTheOldSizeKnown() *Plan {
	if len(l.Pools) == 0 || l.Nodepool.Spec.Replicas != nil {
		return nil
	}
	return l.doNodesAnswer()
}

// isItHalfMade finishes a pool whose creation was cut off between its two
// objects, under the names it was begun with.
func (l *look) isItHalfMade() *Plan {
	exact := agentpool.Fingerprint(l.Nodepool.UID, l.Nodepool.Spec)
	for i, p := range l.Pools {
		if p.Incomplete && !p.Deleting && p.Fingerprint == exact {
			if plan := l.doesAzureHaveIt(); plan != nil {
				return plan
			}
			if plan := l.slot(Waiting, RankCreate, "create the rest of pool "+p.Name); plan != nil {
				return plan
			}
			others := slices.Delete(slices.Clone(l.Pools), i, i+1)
			return l.createAs(p.Name, p.Object, exact, others)
		}
	}
	return nil
}

func (l *look) isTheSlotFree() *Plan {
	if plan := l.slot(Waiting, RankCreate, "create a pool for "+l.what()); plan != nil {
		return plan
	}
	if !l.Cluster.Provisioned && len(l.Pools) > 0 {
		return &Plan{
			Verdict: Waiting, Reason: fleetwrightv1.ReasonWaitingForCluster, CheckAgain: later,
			Message: fmt.Sprintf("waits for the control plane of %s to replace pool %s for %s", l.Cluster.Name, l.Pools[0].Name, l.what()),
		}
	}
	return nil
}

// what says what the new pool is for.
func (l *look) what() string {
	if len(l.Pools) == 0 {
		return l.Nodepool.Name
	}
	_, replace := agentpool.Split(l.changes)
	return agentpool.Describe(replace)
}

func (l *look) create() *Plan {
	fingerprint := agentpool.Fingerprint(l.Nodepool.UID, l.Nodepool.Spec)
	for attempt := range agentpool.NameAttempts {
		name, suffix := agentpool.Name(l.Nodepool.BaseName, fingerprint, l.Nodepool.Spec.OSType, attempt)
		if l.nameTaken(name) {
			continue
		}
		return l.createAs(name, l.Nodepool.Name+"-"+suffix, fingerprint, l.outgoing)
	}
	return &Plan{
		Verdict: Stuck, Reason: fleetwrightv1.ReasonNameConflict, CheckAgain: later,
		Message: fmt.Sprintf("all %d names for a new pool of %s are taken by other pools of the cluster: rename the Nodepool", agentpool.NameAttempts, l.Nodepool.Name),
	}
}

func (l *look) createAs(name, object, fingerprint string, outgoing []Pool) *Plan {
	spec := inherit(l.Nodepool.Spec, outgoing)
	of := *l
	of.outgoing = outgoing
	serving := of.before()
	size := wantedSize(spec, serving, 1)
	w := of.way(size)
	if w.step < size && w.step == 0 {
		return l.noRoom(w, fmt.Sprintf("create a pool of %s for %s", count(int(size), "node"), l.what()))
	}
	kept := spec.Scaling
	if serving > 0 && spec.Scaling != nil {
		// Until the old pool is gone the autoscaler takes no node away, and a pool
		// that is yet to grow is not its own.
		spec.Scaling = withLeast(*spec.Scaling, size)
		if w.step < size {
			spec.Scaling = nil
		}
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepCreatingGreen), Reason: fleetwrightv1.ReasonCreatingGreen,
		Message: fmt.Sprintf("creates pool %s for %s", name, l.what()),
		Action: Action{
			Kind: CreatePool, Object: object, Pool: name, Spec: spec, Fingerprint: fingerprint,
			Replicas: w.step, Replaces: serving, Carried: carried(l.Nodepool.Spec, kept, spec),
		},
	}
}

// inherit gives a new pool the mode and the autoscaler of the one made last
// where the spec leaves them open: a line taken out of the spec is no wish for
// another value, and a pool must not stop being the System pool over the next
// version.
func inherit(spec agentpool.Spec, outgoing []Pool) agentpool.Spec {
	for _, o := range slices.Backward(outgoing) {
		if o.Incomplete || o.Deleting {
			continue
		}
		if spec.Mode == "" {
			spec.Mode = o.Spec.Mode
		}
		if spec.Replicas == nil && spec.Scaling == nil {
			if spec.Scaling = o.Spec.Scaling; o.Carried != nil {
				spec.Scaling = o.Carried
			}
		}
		break
	}
	return spec
}

// nameTaken includes pools on their way out: re-using a name too early would
// bring back equal provider ids while old Nodes live.
func (l *look) nameTaken(name string) bool {
	return slices.ContainsFunc(l.Pools, func(p Pool) bool { return p.Name == name }) ||
		slices.ContainsFunc(l.Others, func(n Neighbour) bool { return n.Name == name })
}
