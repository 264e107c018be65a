package workloadcluster

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// upToDateCondition is True when control plane and pools are as the spec says.
func upToDateCondition(w world, in *intention, p *plan) metav1.Condition {
	kind := fleetwrightv1.ConditionUpToDate
	no := func(reason, format string, args ...any) metav1.Condition {
		return condition.New(kind, metav1.ConditionFalse, reason, format, args...)
	}
	v := in.versions
	switch {
	case !w.state.Found || !w.state.Ours:
		return no(fleetwrightv1.ReasonNotCreated, "there is no Cluster %s of this WorkloadCluster", w.name())
	case w.deleting():
		return no(p.leaving, "%s", p.leavingMessage)
	case v.Reason == "":
		return condition.New(kind, metav1.ConditionUnknown, fleetwrightv1.ReasonNotReported, "it cannot be told what the spec asks for")
	case v.Reason == fleetwrightv1.ReasonNotReported:
		return condition.New(kind, metav1.ConditionUnknown, v.Reason, "%s", v.Message)
	case !v.UpToDate:
		return no(v.Reason, "%s", v.Message)
	}
	for i := range p.pools {
		pool := &p.pools[i]
		if pool.removing || pool.child == nil {
			if pool.child == nil {
				return no(fleetwrightv1.ReasonNodepoolsChanging, "%s", pool.message)
			}
			continue
		}
		switch c := pool.child.condition(fleetwrightv1.ConditionUpToDate); {
		case p.pending(pool.child.target) || c == nil:
			return condition.New(kind, metav1.ConditionUnknown, fleetwrightv1.ReasonNotReported, "%s: it has said nothing about its present spec yet", pool.child.target)
		case c.Status != metav1.ConditionTrue:
			return condition.New(kind, c.Status, fleetwrightv1.ReasonNodepoolsChanging, "%s: %s", pool.child.target, cmp.Or(c.Message, c.Reason))
		}
	}
	return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonUpToDate, "%s", v.Message)
}

// availableCondition is True while the API server answers and every pool keeps what it promises.
func availableCondition(w world, p *plan) metav1.Condition {
	kind := fleetwrightv1.ConditionAvailable
	if !w.state.Found {
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNoNodes, "there is no Cluster %s", w.name())
	}
	if !w.state.Reachable {
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotReachable, "the API server of Cluster %s does not answer Cluster API", w.name())
	}
	for i := range p.pools {
		pool := &p.pools[i]
		if pool.removing {
			continue
		}
		if pool.child == nil {
			return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNoNodes, "%s", pool.message)
		}
		// Also what it said about its former spec: nodes do not go with a word.
		switch c := meta.FindStatusCondition(pool.child.object.GetConditions(), kind); {
		case c == nil:
			return condition.New(kind, metav1.ConditionUnknown, fleetwrightv1.ReasonNotReported, "%s: it has said nothing yet", pool.child.target)
		case c.Status != metav1.ConditionTrue:
			return condition.New(kind, c.Status, c.Reason, "%s: %s", pool.child.target, cmp.Or(c.Message, c.Reason))
		}
	}
	return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonAvailable, "the API server answers, and every pool keeps what it promises")
}

// leavingStuck is the first object that is being deleted and does not get on.
func (p *plan) leavingStuck() (reason, message string) {
	for _, c := range p.lasting {
		if reason := c.stalled(); reason != "" {
			return reason, fmt.Sprintf("%s: %s", c.target, c.condition(fleetwrightv1.ConditionStalled).Message)
		}
	}
	return "", ""
}
