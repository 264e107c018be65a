package ladder

import (
	"fmt"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

// scaledUpFor is how long a Deployment stays scaled up at most.
const scaledUpFor = 24 * time.Hour

// scaleUp adds one pod to a Deployment if that makes its budget allow one.
func (t *turn) scaleUp(b drain.Blocker, d Deployment) {
	budget, known := t.facts.Budgets[b.Budget]
	if !known || budget.Allowed > 0 {
		return
	}
	if d.ScaledUp.is(t.facts.Drain) {
		return
	}
	if why := cannotScale(b, d, budget); why != "" {
		t.skip(d.Object, "does not scale "+d.String()+" up", why)
		return
	}
	up := NewScaledUp(t.facts.Drain, d.Replicas, d.Replicas+1, t.now.Add(scaledUpFor))
	t.helped[d.UID] = true
	t.add(Step{
		Action: ActionScaleUp, Object: d.Object,
		Does:        fmt.Sprintf("scales %s up from %d to %d", d, up.From, up.To),
		Why:         "with one more pod ready PodDisruptionBudget " + b.Budget + " allows one to go",
		Outstanding: outstanding(d, up),
		Patch:       scaleUpPatch(d, up),
	})
}

// cannotScale says why one more pod would not help, or would be somebody else's to decide.
func cannotScale(b drain.Blocker, d Deployment, budget Budget) string {
	switch {
	case d.Unreadable:
		return "its label " + LabelScaledUp + " says that it was, and cannot be read: take it off"
	case d.ScaledUp.yes():
		return d.ScaledUp.who() + " has done so"
	case d.Owner != "":
		return belongs(d)
	case d.Scaler != "":
		return "HorizontalPodAutoscaler " + d.Namespace + "/" + d.Scaler + " sets its size"
	case d.Manager != "":
		return d.Manager + " owns its spec.replicas and would put it back"
	case d.RollingOut:
		return "it is being rolled out"
	case budget.Stale:
		return "the status of PodDisruptionBudget " + b.Budget + " has not caught up with its spec"
	}
	_, why := budget.oneMore(b.Budget)
	return why
}

func belongs(d Deployment) string { return "it belongs to " + d.Owner + ", which would put it back" }

func outstanding(d Deployment, up ScaledUp) string {
	return fmt.Sprintf("%s is scaled up from %d to %d until %s", d, up.From, up.To, up.Until.UTC().Format(time.RFC3339))
}

// putBack takes back what is no longer needed, and names what still is.
func (t *turn) putBack() {
	for _, d := range sortedDeployments(t.facts.Deployments) {
		if !d.ScaledUp.yes() {
			continue
		}
		mine := d.ScaledUp.is(t.facts.Drain)
		why := t.whyPutBack(d, mine)
		switch {
		case why != "":
			t.add(putBackStep(d, why, mine))
		case mine:
			t.add(Step{
				Action: ActionStanding, Object: d.Object, Outstanding: outstanding(d, d.ScaledUp),
				Does: "leaves " + d.String() + " scaled up", Why: fmt.Sprintf("the nodes to empty still hold %d of its pods", len(d.Holding)),
			})
		}
	}
}

func (t *turn) whyPutBack(d Deployment, mine bool) string {
	_, wanted := rung(t.policy, drain.RungScaleUpBudget)
	switch {
	case !t.now.Before(d.ScaledUp.Until):
		return "it was scaled up until " + d.ScaledUp.Until.UTC().Format(time.RFC3339) + " only"
	case mine && len(d.Holding) == 0:
		return "the nodes to empty hold no pod of it any more"
	case mine && !wanted:
		return "the drain's policy no longer has " + string(drain.RungScaleUpBudget)
	}
	return ""
}

// putBackStep leaves a number alone that somebody else has set meanwhile.
func putBackStep(d Deployment, why string, mine bool) Step {
	does := fmt.Sprintf("scales %s back from %d to %d", d, d.ScaledUp.To, d.ScaledUp.From)
	if d.Replicas != d.ScaledUp.To {
		does = fmt.Sprintf("leaves %s at %d, which somebody else has set, and takes the marks of its scale-up off", d, d.Replicas)
	}
	s := Step{Action: ActionPutBack, Object: d.Object, Does: does, Why: why, Patch: putBackPatch(d)}
	if mine {
		s.Outstanding = outstanding(d, d.ScaledUp)
	}
	return s
}
