package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/fleetwright/fleetwright/drain"
)

const (
	// MaxWarnings bounds Report.Warnings, and MaxWarningLength each of them, in bytes.
	MaxWarnings      = 25
	MaxWarningLength = 400
	// maxAlike bounds the warnings of one kind, so that a flood of one does not hide the others.
	maxAlike = 3
)

// Warnings are what a person should know before the drain begins, one sentence each without full stop, the worst
// first: what never ends, what loses data, what waits, what is away for a moment, what needs room, what is of note.
func (r Report) Warnings() []string {
	var all []string
	for _, kind := range [][]string{
		r.neverWarnings(), r.overlapWarnings(), r.localWarnings(), r.unfitWarnings(), r.strictWarnings(), r.unmanagedWarnings(),
		r.waitWarnings(), r.notNowWarnings(), r.singletonWarnings(), r.zoneWarnings(), r.looseWarnings(), r.counts(),
	} {
		all = append(all, kind...)
	}
	if more := len(all) - MaxWarnings + 1; more > 1 {
		all = append(all[:MaxWarnings-1], fmt.Sprintf("%d more warnings", more))
	}
	for i := range all {
		all[i] = oneLine(all[i])
	}
	return all
}

// alike are the sentences of one kind; total counts the findings, of which items are the first.
func alike[T any](items []T, total int, what string, sentence func(T) string) []string {
	named := min(maxAlike, len(items))
	sentences := make([]string, 0, named+1)
	for _, item := range items[:named] {
		sentences = append(sentences, sentence(item))
	}
	if more := total - named; more > 0 {
		sentences = append(sentences, fmt.Sprintf("%d more %s", more, what))
	}
	return sentences
}

func (r Report) neverWarnings() []string {
	never := filter(r.Budgets.Items, BlockedBudget.never)
	return alike(never, r.BudgetsNever, "budgets that can never allow a disruption", func(b BlockedBudget) string {
		return b.sentence() + " until it is changed or the workload scaled up"
	})
}

func (r Report) notNowWarnings() []string {
	notNow := filter(r.Budgets.Items, func(b BlockedBudget) bool { return !b.Never })
	return alike(notNow, r.Budgets.Total-r.BudgetsNever, "budgets that allow nothing now", BlockedBudget.sentence)
}

func (b BlockedBudget) sentence() string {
	return fmt.Sprintf("%s; %s of %s cannot leave", b.Message, count(b.Pods, "pod", "pods"), b.Workload)
}

func (r Report) overlapWarnings() []string {
	return alike(r.Overlaps.Items, r.Overlaps.Total, "workloads under more than one budget", func(o Overlap) string {
		return fmt.Sprintf("%s of %s cannot leave: %s", count(o.Pods, "pod", "pods"), o.Workload, o.Message)
	})
}

func (r Report) localWarnings() []string {
	return alike(filter(r.Pinned.Items, PinnedVolume.local), r.VolumesLocal, "volumes that exist on one node only", func(v PinnedVolume) string {
		return fmt.Sprintf("volume %s (claim %s) of pod %s exists on node %s only: the pod cannot start elsewhere, and its data ends with the node", v.Volume, v.Claim, v.Pod, v.Node)
	})
}

func (r Report) strictWarnings() []string {
	strict := filter(r.Selectors.Items, BoundSelector.strict)
	return alike(strict, r.SelectorsStrict, "workloads bound to this generation of the pool", func(b BoundSelector) string {
		return fmt.Sprintf("%s has %s: its pods cannot start on new nodes, select %s instead", b.Workload, b.Selector.describe(), b.Instead)
	})
}

func (r Report) looseWarnings() []string {
	loose := filter(r.Selectors.Items, func(b BoundSelector) bool { return !b.strict() })
	return alike(loose, r.Selectors.Total-r.SelectorsStrict, "workloads that name this generation of the pool", func(b BoundSelector) string {
		return fmt.Sprintf("%s has %s, which changes with every generation of the pool: use %s instead", b.Workload, b.Selector.describe(), b.Instead)
	})
}

func (r Report) unmanagedWarnings() []string {
	return alike(r.Unmanaged.Items, r.Unmanaged.Total, "pods without a controller", func(p UnmanagedPod) string {
		if p.Evicted {
			return fmt.Sprintf("pod %s has no controller: it is evicted and nobody brings it back", p.Pod)
		}
		return fmt.Sprintf("pod %s has no controller that would bring it back: the drain waits until it is moved or deleted by hand", p.Pod)
	})
}

func (r Report) waitWarnings() []string {
	return alike(r.Waits.Items, r.Waits.Total, "things to wait for", func(w Wait) string {
		return fmt.Sprintf("%s of %s cannot leave now: %s", count(w.Pods, "pod", "pods"), w.Workload, w.Message)
	})
}

func (r Report) singletonWarnings() []string {
	return alike(r.Singletons.Items, r.Singletons.Total, "workloads with a single pod and no budget", func(s Singleton) string {
		return fmt.Sprintf("%s has a single pod and no PodDisruptionBudget: it is away for as long as a new pod takes to become ready", s.Workload)
	})
}

func (r Report) zoneWarnings() []string {
	return alike(slices.Sorted(maps.Keys(r.ZonesNeeded)), len(r.ZonesNeeded), "zones with volumes", func(zone string) string {
		pods := count(r.ZonesNeeded[zone], "pod", "pods")
		if zone == "" {
			return fmt.Sprintf("volumes tie %s to nodes outside of zones: new nodes in zones cannot take them", pods)
		}
		return fmt.Sprintf("volumes tie %s to zone %s: it needs room there before they leave", pods, zone)
	})
}

func (r Report) counts() []string {
	var notes []string
	if n := r.Staying[drain.SkipLabel]; n > 0 {
		notes = append(notes, fmt.Sprintf("%s by the label %s=skip, to end with the nodes", count(n, "pod stays", "pods stay"), drain.LabelDrain))
	}
	if n := r.Staying[drain.SkipRule]; n > 0 {
		notes = append(notes, count(n, "pod stays", "pods stay")+" by a rule, to end with the nodes")
	}
	if r.LocalData > 0 {
		notes = append(notes, count(r.LocalData, "pod loses", "pods lose")+" the content of emptyDir volumes")
	}
	if r.NotSafeToEvict > 0 {
		notes = append(notes, fmt.Sprintf("%s %s=false, which holds back the cluster autoscaler only", count(r.NotSafeToEvict, "pod has", "pods have"), safeToEvict))
	}
	return notes
}

// Summary is the report in one line.
func (r Report) Summary() string {
	parts := []string{fmt.Sprintf("%s: %s to move, %d staying", count(r.Nodes, "node", "nodes"), count(r.PodsToMove, "pod", "pods"), r.PodsStaying)}
	for _, finding := range []struct {
		n         int
		one, many string
	}{
		{r.Budgets.Total, "budget allows nothing now", "budgets allow nothing now"},
		{r.Overlaps.Total, "workload is under more than one budget", "workloads are under more than one budget"},
		{r.Singletons.Total, "singleton has no budget", "singletons have no budget"},
		{r.Unmanaged.Total, "pod has no controller", "pods have no controller"},
		{r.Pinned.Total, "volume is pinned", "volumes are pinned"},
		{r.Selectors.Total, "selector is bound to this generation", "selectors are bound to this generation"},
	} {
		if finding.n > 0 {
			parts = append(parts, count(finding.n, finding.one, finding.many))
		}
	}
	if r.Fit != nil && r.Fit.Unfit > 0 {
		parts = append(parts, count(r.Fit.Unfit, "pod would have no place", "pods would have no place"))
	}
	if r.PodsToMove > 0 {
		parts = append(parts, r.duration())
	}
	return oneLine(strings.Join(parts, "; "))
}

func (r Report) duration() string {
	s := "takes about " + r.Estimate.String()
	if c := r.Longest; c.Pods > 0 {
		s += fmt.Sprintf(", longest for %s (%s, %d at once)", c, count(c.Pods, "pod", "pods"), c.AtOnce)
	}
	if r.WithoutEnd > 0 {
		s += fmt.Sprintf(", and no end is foreseen for %s", r.Estimate.Unbounded[0])
		if more := r.WithoutEnd - 1; more > 0 {
			s += fmt.Sprintf(" and %d more", more)
		}
	}
	return s
}

// String returns "4m to 23m", without what is unbounded.
func (r Range) String() string {
	low, high := rounded(r.Low), rounded(r.High)
	if low == high {
		return low
	}
	return low + " to " + high
}

// rounded gives whole seconds below two minutes, and whole minutes above.
func rounded(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%ds", int64(d.Round(time.Second)/time.Second))
	}
	d = d.Round(time.Minute)
	if d < time.Hour {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// oneLine keeps a sentence within its length. Parts of it come from objects of tenants and may hold anything.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
	const ellipsis = "..."
	if len(s) <= MaxWarningLength {
		return s
	}
	return strings.ToValidUTF8(s[:MaxWarningLength-len(ellipsis)], "") + ellipsis
}
