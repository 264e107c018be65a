package drain

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// lane is a row of pods of which only one may go at a time: those behind one budget, those of one controller, or a
// single pod.
type lane struct {
	key    string
	budget *Budget
	crew   *crew
	owner  string
	// chain is the number of rounds the lane needs at best.
	chain int
	// gated pods need the lane's permission, free ones only a place in this round. held ones wait for lower orders on
	// their nodes. All are sorted by name.
	gated, free, held []candidate
}

func (l *lane) add(c candidate, held bool) {
	switch {
	case held:
		l.held = append(l.held, c)
	case l.needsNothing(c.Pod):
		l.free = append(l.free, c)
	default:
		l.gated = append(l.gated, c)
	}
}

// rounds is how many the lane needs at best, those of pods that are held back included.
func (l *lane) rounds() int {
	width := 1
	if l.budget != nil {
		width = l.budget.width()
	}
	n := len(l.gated)
	for _, c := range l.held {
		if !l.needsNothing(c.Pod) {
			n++
		}
	}
	return (n + width - 1) / width
}

// ready counts the lane's pods that are ready; a budget that is right counts them and maybe others elsewhere.
func (l *lane) ready() int {
	n := 0
	for _, pods := range [][]candidate{l.gated, l.held} {
		for _, c := range pods {
			if c.Ready {
				n++
			}
		}
	}
	return n
}

// turns are the pods in the order in which they should go.
func turns(pods []candidate, left func(string) int) []candidate {
	pods = filter(pods, func(c candidate) bool { return !c.givenUp })
	slices.SortFunc(pods, func(a, b candidate) int { return compareTurns(&a.Pod, &b.Pod, left) })
	return pods
}

// first is the gated pod whose turn it is; false if none may go.
func (l *lane) first(left func(string) int) (candidate, bool) {
	best := -1
	for i := range l.gated {
		if !l.gated[i].givenUp && (best < 0 || compareTurns(&l.gated[i].Pod, &l.gated[best].Pod, left) < 0) {
			best = i
		}
	}
	if best < 0 {
		return candidate{}, false
	}
	return l.gated[best], true
}

func (l *lane) needsNothing(p Pod) bool {
	switch {
	case l.budget != nil:
		return l.budget.free(p)
	case l.crew != nil:
		return !p.Ready
	default:
		return true
	}
}

func freeReason(p Pod, l *lane) string {
	switch {
	case p.Phase == corev1.PodPending:
		return "it has not started"
	case l.budget != nil:
		return "it is not ready and PodDisruptionBudget " + l.budget.Key() + " does not count it"
	case l.crew != nil:
		return "it is not ready and no budget covers it"
	default:
		return "no budget covers it"
	}
}
