// Package record keeps the books of a drain from the API server's own history, without asking the drainer.
package record

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/localstack/bench/workload"
)

// Ledger counts pods at every revision that it is told of, in their order. It holds no clock and no client.
type Ledger struct {
	services map[string]*service
	pods     map[types.UID]pod
	// old are the nodes that are being emptied, onOld their pods, leaving how many pods anywhere are terminating.
	old            map[string]bool
	onOld, leaving int
	run            Run
}

// Run is what happened since Begin.
type Run struct {
	// Empty is when the last pod had left the old nodes; zero while one is there. LastAsked is when the last of them was told to end.
	Empty, LastAsked time.Time
	// Pods is how many were on the old nodes at the beginning.
	Pods int
	// Revisions counts changes of pods and budgets that were looked at.
	Revisions int
	// Violations are the moments at which a service had fewer healthy pods than its budget wants, and had just lost one.
	Violations []string
	// Gaps counts how often a watch had to begin anew. Revisions, and with them violations, may be missing then.
	Gaps int
	// BudgetsBelow counts revisions of budgets that said the same: currentHealthy below desiredHealthy.
	BudgetsBelow int
}

type service struct {
	want, floor    int
	total, healthy int
	// budget is nil for a service without one; settled says that it allows all it ever can.
	budgeted, settled bool
}

type pod struct {
	service          string
	node             string
	healthy, leaving bool
}

// NewLedger expects these services and no others; pods of others are counted on their nodes only.
func NewLedger(services []workload.Service) *Ledger {
	l := &Ledger{services: map[string]*service{}, pods: map[types.UID]pod{}}
	for _, s := range services {
		budgeted := s.Budget != workload.BudgetNone
		state := &service{want: s.Replicas, budgeted: budgeted}
		if budgeted {
			state.floor = s.Replicas - s.Allowed()
		}
		l.services[s.Namespace+"/"+s.Name] = state
	}
	return l
}

// Begin starts a new run on these nodes.
func (l *Ledger) Begin(nodes []string) {
	l.old, l.onOld, l.run = map[string]bool{}, 0, Run{}
	for _, n := range nodes {
		l.old[n] = true
	}
	for _, p := range l.pods {
		if l.old[p.node] {
			l.onOld++
		}
	}
	l.run.Pods = l.onOld
}

// Run is the run so far.
func (l *Ledger) Run() Run { return l.run }

// Left counts pods on the old nodes.
func (l *Ledger) Left() int { return l.onOld }

// Pods counts all pods.
func (l *Ledger) Pods() int { return len(l.pods) }

// Pod notes one revision of a pod, or its end.
func (l *Ledger) Pod(now time.Time, object *corev1.Pod, gone bool) {
	l.run.Revisions++
	before, known := l.pods[object.UID]
	after := podOf(object)
	if known {
		l.add(before, -1)
	}
	if gone {
		delete(l.pods, object.UID)
		after.healthy = false
	} else {
		l.pods[object.UID] = after
		l.add(after, 1)
	}
	if s := l.services[after.service]; s != nil && before.healthy && !after.healthy && s.healthy < s.floor {
		l.run.Violations = append(l.run.Violations,
			fmt.Sprintf("%s had %d healthy pods, its budget wants %d", after.service, s.healthy, s.floor))
	}
	if known {
		l.left(now, before, after)
	}
}

// Keep drops pods that are not present any more, after a gap in the history.
func (l *Ledger) Keep(now time.Time, present map[types.UID]bool) {
	for uid, p := range l.pods {
		if !present[uid] {
			l.add(p, -1)
			delete(l.pods, uid)
			l.left(now, p, pod{})
		}
	}
}

// left notes what a change of a pod means for the run, if it was on an old node.
func (l *Ledger) left(now time.Time, before, after pod) {
	if !l.old[before.node] {
		return
	}
	if after.leaving && !before.leaving {
		l.run.LastAsked = now
	}
	if l.onOld == 0 && l.run.Empty.IsZero() {
		l.run.Empty = now
	}
}

func podOf(object *corev1.Pod) pod {
	leaving := object.DeletionTimestamp != nil
	return pod{
		service: object.Namespace + "/" + object.Labels[workload.Label], node: object.Spec.NodeName,
		leaving: leaving, healthy: !leaving && ready(object),
	}
}

func (l *Ledger) add(p pod, n int) {
	if l.old[p.node] {
		l.onOld += n
	}
	if p.leaving {
		l.leaving += n
	}
	if s := l.services[p.service]; s != nil {
		s.total += n
		if p.healthy {
			s.healthy += n
		}
	}
}

func ready(object *corev1.Pod) bool {
	for _, c := range object.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Budget notes one revision of a budget.
func (l *Ledger) Budget(object *policyv1.PodDisruptionBudget) {
	l.run.Revisions++
	status := object.Status
	if status.ObservedGeneration == object.Generation && status.CurrentHealthy < status.DesiredHealthy {
		l.run.BudgetsBelow++
	}
	if s := l.services[object.Namespace+"/"+object.Name]; s != nil {
		s.settled = status.ObservedGeneration == object.Generation && len(status.DisruptedPods) == 0 &&
			int(status.DisruptionsAllowed) == s.want-s.floor && int(status.ExpectedPods) == s.want
	}
}

// Unsettled is empty once every service has all its pods Ready, none is leaving and every budget has noticed; else it names
// what is missing.
func (l *Ledger) Unsettled() string {
	if l.leaving > 0 {
		return fmt.Sprintf("%d pods are terminating", l.leaving)
	}
	for name, s := range l.services {
		if s.healthy != s.want || s.total != s.want {
			return fmt.Sprintf("%s has %d pods, %d of them healthy, and wants %d", name, s.total, s.healthy, s.want)
		}
		if s.budgeted && !s.settled {
			return fmt.Sprintf("the budget of %s does not allow what it can", name)
		}
	}
	return ""
}
