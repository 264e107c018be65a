package preflight

import (
	"cmp"
	"slices"
	"time"
)

// What an estimate assumes where the cluster does not say. These are assumptions about ordinary services, no
// measurements: a range that names its reasons is of more use than one number.
const (
	// fastStart and slowStart are from a replacement's creation until it is ready: scheduled at once with its image on
	// the node, and after pulling an image of some hundred MB with a slow readiness probe.
	fastStart = 8 * time.Second
	slowStart = 45 * time.Second
	// fastEnd is how long a pod takes to end that heeds SIGTERM; the slow one uses its whole grace period.
	fastEnd = time.Second
	// longestEnd caps grace periods: those of hours are set to be safe, and hardly ever used up.
	longestEnd = 10 * time.Minute
	// fastCreate is how many pods per second a kube-controller-manager with default limits (20 requests per second)
	// brings back; slowCreate half of it, which is also how many the drain engine lets go by default without a budget.
	fastCreate = 20
	slowCreate = 10
	// bindings is how many pods per second a kube-scheduler with default limits binds.
	bindings = 50
	// maxRounds and maxPods keep the arithmetic within a Duration.
	maxRounds = 100_000
	maxPods   = 1_000_000
)

// Chain is a row of pods of which only AtOnce may be away at a time: those behind one budget, or those of one
// controller that the drain paces because no budget does.
type Chain struct {
	// Budget is namespace/name of the PodDisruptionBudget, empty if there is none.
	Budget string
	// Workload is the controller of its first pod.
	Workload Workload
	// Pods are on the nodes to empty.
	Pods int
	// AtOnce may be away when all are healthy. With 0 no end is foreseen.
	AtOnce int
	// Ordered says that a replacement starts only when the old pod has ended: a StatefulSet's pod, or one with a volume
	// that one node at a time can mount.
	Ordered bool
	// Bound says that replacements cannot start on other nodes, so that the chain stands after AtOnce pods.
	Bound bool
	// Grace is the longest termination grace period of its pods.
	Grace time.Duration
}

// String returns "PodDisruptionBudget shop/cart of Deployment shop/cart", or "Deployment shop/cart" without a budget.
func (c Chain) String() string {
	if c.Budget == "" {
		return c.Workload.String()
	}
	return "PodDisruptionBudget " + c.Budget + " of " + c.Workload.String()
}

// Range is how long something takes at best and at worst, as far as can be foreseen.
type Range struct {
	Low, High time.Duration
	// Unbounded names the chains without a foreseeable end, sorted. Low and High speak of everything else.
	Unbounded []string
}

// Estimate is how long it takes to move the pods, all chains side by side: the longest chain, or the rate at which a
// control plane creates and binds that many pods if that is longer.
func Estimate(chains []Chain, pods int) Range {
	pods = max(0, min(pods, maxPods))
	r := Range{
		Low:  max(atRate(pods, fastCreate), atRate(pods, bindings)),
		High: max(atRate(pods, slowCreate), atRate(pods, bindings)),
	}
	for _, c := range chains {
		if !c.ends() {
			r.Unbounded = append(r.Unbounded, c.String())
			continue
		}
		low, high := c.time()
		r.Low, r.High = max(r.Low, low), max(r.High, high)
	}
	slices.Sort(r.Unbounded)
	r.Unbounded = slices.Compact(r.Unbounded)
	return r
}

func atRate(pods, perSecond int) time.Duration {
	return time.Duration(pods) * time.Second / time.Duration(perSecond)
}

// ends says that the chain has a foreseeable end.
func (c Chain) ends() bool { return c.AtOnce > 0 && !(c.Bound && c.rounds() > 1) }

func (c Chain) rounds() int {
	pods, width := max(0, c.Pods), max(1, c.AtOnce)
	rounds := pods / width
	if pods%width > 0 {
		rounds++
	}
	return min(rounds, maxRounds)
}

// time is (rounds - 1) times from one eviction to the next, and the end of the last pod: nobody waits for its
// replacement to empty the nodes.
func (c Chain) time() (low, high time.Duration) {
	rounds := c.rounds()
	if rounds == 0 {
		return 0, 0
	}
	slowEnd := max(0, min(c.Grace, longestEnd))
	quickEnd := min(fastEnd, slowEnd)
	lowSlot, highSlot := fastStart, slowStart
	if c.Ordered {
		lowSlot, highSlot = lowSlot+quickEnd, highSlot+slowEnd
	}
	return times(rounds-1, lowSlot) + quickEnd, times(rounds-1, highSlot) + slowEnd
}

func times(n int, d time.Duration) time.Duration { return time.Duration(int64(n) * int64(d)) }

// longest returns the chain with an end that takes longest at worst.
func longest(chains []Chain) Chain {
	var worst Chain
	for _, c := range chains {
		if c.ends() && (worst == Chain{} || compareChains(c, worst) < 0) {
			worst = c
		}
	}
	return worst
}

func compareChains(a, b Chain) int {
	_, worstA := a.time()
	_, worstB := b.time()
	return cmp.Or(cmp.Compare(worstB, worstA), cmp.Compare(b.Pods, a.Pods), cmp.Compare(a.String(), b.String()))
}
