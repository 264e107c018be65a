package drain

import corev1 "k8s.io/api/core/v1"

// lane is a row of pods of which only one may go at a time: those behind one budget, those of one controller, or a
// single pod.
type lane struct {
	key    string
	budget *Budget
	crew   *crew
	owner  string
	// gated pods need the lane's permission, free ones only a place in this round.
	gated, free []Pod
}

// chain is the number of rounds the lane needs at best.
func (l *lane) chain() int {
	width := 1
	if l.budget != nil {
		width = l.budget.width()
	}
	return (len(l.gated) + width - 1) / width
}

// ready counts the lane's pods that are ready; a budget that is right counts them and maybe others elsewhere.
func (l *lane) ready() int {
	n := 0
	for _, p := range l.gated {
		if p.Ready {
			n++
		}
	}
	return n
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
