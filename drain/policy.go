package drain

import (
	"cmp"
	"time"
)

// WaitFor says how fast pods without a PodDisruptionBudget go.
type WaitFor string

const (
	// WaitForReplacementReady lets the next ready pod of a controller go only when the controller has as many ready
	// pods as it wants, so that the replacement of the previous one is Ready. It is the default.
	WaitForReplacementReady WaitFor = "ReplacementReady"
	// WaitForEviction lets them go as fast as Policy.MaxUnbudgeted allows.
	WaitForEviction WaitFor = "Eviction"
)

// Unmanaged says what happens to pods without a controller, which nobody would bring back.
type Unmanaged string

const (
	// UnmanagedWait leaves them running and names them. It is the default.
	UnmanagedWait Unmanaged = "Wait"
	// UnmanagedEvict evicts them like any other pod.
	UnmanagedEvict Unmanaged = "Evict"
)

// Policy is how the user wants nodes emptied. The zero value is the careful default.
type Policy struct {
	// Started is when the drain began. A blockage whose beginning nothing else tells, or that is older, counts from then.
	// Zero means that it is not known.
	Started time.Time
	// Rules for some of the pods, the first that fits counts; see Classify for what goes before them.
	Rules []Rule
	// Ladder is what may be done for pods that cannot go, and Deadline what happens in the end. Decide only notes them at
	// the blockers; package ladder climbs.
	Ladder   []Rung
	Deadline Deadline
	// WaitFor paces pods without a budget; default ReplacementReady.
	WaitFor WaitFor
	// ReplacementTimeout bounds ReplacementReady: a replacement that is not Ready that long after its creation is no
	// longer waited for. Default 10 minutes. Waited for without bound are a replacement that was never created, and one that
	// no node has room for when only one pod of its controller is ready.
	ReplacementTimeout time.Duration
	// Unmanaged pods; default Wait.
	Unmanaged Unmanaged
	// MaxUnbudgeted bounds the evictions of one plan that no budget bounds. Default 10, which with one look per
	// second is half of what a kube-controller-manager with default settings can recreate.
	MaxUnbudgeted int
	// StuckAfter is how long after its deletion deadline a terminating pod is reported as stuck. Default 10
	// seconds, which a kubelet that is well does not need; on a node that is not Ready it is reported at once.
	StuckAfter time.Duration
	// LookAgain is Plan.CheckAgain while things move, default 1 second; LookAgainBlocked while everything waits for
	// somebody else, default 10 seconds.
	LookAgain        time.Duration
	LookAgainBlocked time.Duration
}

const (
	defaultReplacementTimeout = 10 * time.Minute
	defaultMaxUnbudgeted      = 10
	defaultStuckAfter         = 10 * time.Second
	defaultLookAgain          = time.Second
	defaultLookAgainBlocked   = 10 * time.Second
)

func (p Policy) withDefaults() Policy {
	p.WaitFor = orDefault(p.WaitFor, WaitForReplacementReady)
	p.ReplacementTimeout = orDefault(p.ReplacementTimeout, defaultReplacementTimeout)
	p.Unmanaged = orDefault(p.Unmanaged, UnmanagedWait)
	p.MaxUnbudgeted = orDefault(p.MaxUnbudgeted, defaultMaxUnbudgeted)
	p.StuckAfter = orDefault(p.StuckAfter, defaultStuckAfter)
	p.LookAgain = orDefault(p.LookAgain, defaultLookAgain)
	p.LookAgainBlocked = orDefault(p.LookAgainBlocked, defaultLookAgainBlocked)
	return p
}

// orDefault replaces the zero value, and numbers below it, which make no sense for any setting here.
func orDefault[T cmp.Ordered](value, fallback T) T {
	var zero T
	if value <= zero {
		return fallback
	}
	return value
}
