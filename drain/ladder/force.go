package ladder

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

// force deletes the blocker's pod: in one turn one of those that share a budget or else a controller, and the next when the
// last one is replaced or was waited for long enough. What the pod shares is read live, because a pod that is not evicted
// at all, of a rule that waits or without a controller, may be covered as well.
func (t *turn) force(b drain.Blocker) {
	i := slices.IndexFunc(t.facts.Pods, func(p Pod) bool { return p.UID == b.UID })
	if i < 0 {
		return
	}
	p := t.facts.Pods[i]
	keys := p.turns()
	if slices.ContainsFunc(keys, func(key string) bool { return t.ended[key] }) || p.Mirror || p.Finished || !p.Deadline.IsZero() {
		return
	}
	if why := cmp.Or(p.Wish, t.eased(b, p), t.stillReplacing(b, p)); why != "" {
		t.skip(podOf(b), "does not delete "+podOf(b).String()+" yet", why)
		return
	}
	for _, key := range keys {
		t.ended[key] = true
	}
	t.add(Step{
		Action: ActionForce, Object: podOf(b), ResourceVersion: p.ResourceVersion,
		Does: "deletes " + podOf(b).String() + breaks(b, p),
		Why:  fmt.Sprintf("%s, and it is in the way since %s: %s", deadlineOf(b), b.Since.UTC().Format(time.RFC3339), b.Message),
	})
}

// eased says what no longer is as the plan, which may be a minute old, has found it: then the next plan knows better.
func (t *turn) eased(b drain.Blocker, p Pod) string {
	switch b.Reason {
	case drain.ReasonPodDisruptionBudget, drain.ReasonUnsatisfiableBudget:
		if len(p.Budgets) != 1 || p.Budgets[0] != b.Budget {
			return "PodDisruptionBudget " + b.Budget + " alone no longer covers it"
		}
		if budget := t.facts.Budgets[b.Budget]; budget.Allowed > 0 && !budget.Stale {
			return "PodDisruptionBudget " + b.Budget + " allows one by now"
		}
	case drain.ReasonMultipleBudgets:
		if len(p.Budgets) < 2 {
			return "no longer more than one PodDisruptionBudget covers it"
		}
	case drain.ReasonReplacementNotReady:
		if len(p.Budgets) > 0 {
			return phraseBudgets(p.Budgets) + " by now decides about it"
		}
	default:
	}
	return ""
}

// turns names the rows of which only one pod is deleted at a time.
func (p Pod) turns() []string {
	if len(p.Budgets) == 0 && p.Controller == "" {
		return []string{"pod " + string(p.UID)}
	}
	var keys []string
	for _, budget := range p.Budgets {
		keys = append(keys, "budget "+budget)
	}
	if p.Controller != "" {
		keys = append(keys, "controller "+string(p.Controller))
	}
	return keys
}

// shares says that the two pods have a controller or a budget in common.
func (p Pod) shares(other Pod) bool {
	return p.Controller != "" && p.Controller == other.Controller ||
		slices.ContainsFunc(p.Budgets, func(budget string) bool { return slices.Contains(other.Budgets, budget) })
}

// stillReplacing says which other pod of the controller or of a budget is still on its way out or in.
func (t *turn) stillReplacing(b drain.Blocker, p Pod) string {
	for _, other := range t.facts.Pods {
		if other.UID == p.UID || other.Finished || !p.shares(other) {
			continue
		}
		name := "pod " + b.Pod.Namespace + "/" + other.Name
		switch {
		case !other.Deadline.IsZero() && t.now.Before(other.Deadline.Add(endTakes)):
			return name + " is still ending"
		case other.Deadline.IsZero() && !other.Ready && t.now.Sub(other.Created) < helpTakes:
			return name + " is still starting"
		}
	}
	return ""
}

// breaks names what the deletion does not ask.
func breaks(b drain.Blocker, p Pod) string {
	what := ""
	if b.Reason == drain.ReasonUnmanagedPod {
		what = ", which nobody brings back,"
	}
	switch {
	case len(p.Budgets) > 0:
		return what + " and breaks " + phraseBudgets(p.Budgets)
	case what != "":
		return strings.TrimSuffix(what, ",")
	case b.Reason == drain.ReasonWaitCompleted:
		return " before it has finished"
	default:
		return " before its controller is complete"
	}
}

func phraseBudgets(names []string) string {
	noun := "PodDisruptionBudget "
	if len(names) > 1 {
		noun = "PodDisruptionBudgets "
	}
	return noun + strings.Join(names, " and ")
}
