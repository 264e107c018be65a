package ladder

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

// Decide says which steps are to be taken now, and in sentences why a rung that is due does not help. It is a function of
// its arguments. Each rung acts on its own; a deadline waits while a helping step that is younger than ten minutes may still
// make it unnecessary, and does nothing while a node is not cordoned.
func Decide(plan drain.Plan, facts Facts, policy drain.Policy, now time.Time) []Step {
	t := &turn{
		plan: plan, facts: facts, policy: policy, now: now,
		helped: map[types.UID]bool{}, said: map[string]bool{}, ended: map[string]bool{},
	}
	t.putBack()
	for _, b := range plan.Blockers {
		t.help(b)
	}
	if plan.Cordoned() { // somebody who opens a node stops the drain, and nothing ends by it
		for _, b := range plan.Blockers {
			t.end(b)
		}
	}
	t.unquarantine()
	t.notify() // last, because a webhook that hangs may take the time of a look
	return t.steps
}

// turn is one call of Decide.
type turn struct {
	plan   drain.Plan
	facts  Facts
	policy drain.Policy
	now    time.Time
	steps  []Step
	// helped are the Deployments that a step of this turn changes, said what was already told or skipped, and ended the
	// nodes, budgets and pods whose end was decided.
	helped map[types.UID]bool
	said   map[string]bool
	ended  map[string]bool
}

func (t *turn) add(s Step) { t.steps = append(t.steps, s) }

// skip tells people, once, why a rung does not help.
func (t *turn) skip(target Object, doesNot, why string) {
	key := doesNot + why
	if t.said[key] {
		return
	}
	t.said[key] = true
	t.add(Step{Action: ActionSkipped, Object: target, Does: doesNot, Why: why})
}

// workloadOf is what the blocker's pod belongs to, as far as it is known, else the pod.
func (t *turn) workloadOf(b drain.Blocker) Object {
	if w, ok := t.facts.Workloads[b.Controller.UID]; ok && b.Controller.UID != "" {
		return w
	}
	kind, name, ok := strings.Cut(b.Owner, "/")
	if !ok {
		return podOf(b)
	}
	return Object{Kind: kind, Namespace: b.Pod.Namespace, Name: name}
}

func podOf(b drain.Blocker) Object {
	return Object{APIVersion: "v1", Kind: "Pod", Namespace: b.Pod.Namespace, Name: b.Pod.Name, UID: b.UID}
}

func (t *turn) deploymentOf(b drain.Blocker) (Deployment, bool) {
	w, ok := t.facts.Workloads[b.Controller.UID]
	if !ok {
		return Deployment{}, false
	}
	d, ok := t.facts.Deployments[w.UID]
	return d, ok
}

// help takes the helping rungs that are due. A pod that has left since the plan was made needs none.
func (t *turn) help(b drain.Blocker) {
	restartDue, scaleDue := due(b, t.policy, drain.RungRestartSingleton, t.now), due(b, t.policy, drain.RungScaleUpBudget, t.now)
	if !restartDue && !scaleDue {
		return
	}
	d, ok := t.deploymentOf(b)
	if !ok {
		if w := t.workloadOf(b); scaleDue && w.Kind != "Deployment" {
			t.skip(w, "does not scale "+w.String()+" up", "only Deployments are scaled up")
		}
		return
	}
	if !slices.Contains(d.Holding, b.UID) || t.helped[d.UID] {
		return
	}
	if restartDue {
		t.restart(d)
	}
	if scaleDue && !t.helped[d.UID] && !t.restartHelps(d) {
		t.scaleUp(b, d)
	}
}

func sortedDeployments(all map[types.UID]Deployment) []Deployment {
	return slices.SortedFunc(maps.Values(all), func(a, b Deployment) int {
		return cmp.Or(strings.Compare(a.key(), b.key()), strings.Compare(string(a.UID), string(b.UID)))
	})
}
