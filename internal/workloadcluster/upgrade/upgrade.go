// Package upgrade says which version the control plane and each pool of a cluster are to have now, so that the whole goes from one version to
// the next in order. It remembers nothing: what was written before is in the world.
package upgrade

import (
	"time"
)

// World is what it depends on. Versions have a v.
type World struct {
	// Wanted is the version of the effective spec.
	Wanted string
	// Written is what the control plane's object asks for, empty while there is none; Reported what runs, empty before anything does. Made is true
	// when something proves that it has been made, although it may not report: a restore brings no status. Refused is true when Azure does not make
	// it as Written. Busy is true during an operation on the control plane.
	Written, Reported   string
	Made, Refused, Busy bool
	Pools               []Pool
	Addons              []Addon
	// Window is false while the maintenance windows are closed, until NextWindow, which is zero when no window will open. Held says why nothing
	// disruptive may begin, or is empty.
	Window     bool
	NextWindow time.Time
	Held       string
}

// Pool is one node pool.
type Pool struct {
	Name   string
	System bool
	// Pinned is the version that its spec names, or empty. Written is what its Nodepool asks for, or, before there is one, the MachinePool that it
	// takes over; empty while there is none.
	Pinned, Written string
	// Kubelet is the lowest kubelet version seen, empty while there are no nodes. Settled is true when the Nodepool is ready and up to date for its
	// present spec; Blocked when a pod holds up its drain, so that waiting for it would hold up all others for days.
	Kubelet          string
	Settled, Blocked bool
	// Words are the Nodepool's own, for messages.
	Words string
}

// Addon is one add-on with the versions of Kubernetes that it works with, empty for any.
type Addon struct{ Name, Versions string }

// Plan is what to write, and what to say.
type Plan struct {
	// ControlPlane is the version for the control plane's object; Pools that for each Nodepool.
	ControlPlane string
	Pools        map[string]string
	// Reason is that of condition UpToDate: UpToDate, NotCreated, NotReported, ControlPlaneUpgrading, NodepoolsUpgrading, AddonIncompatible,
	// WaitingForWindow, HeldBack, or of Stalled when Stuck: DowngradeNotPossible, VersionTooFar, InvalidSpec.
	Reason, Message string
	// UpToDate is true when everything has its version. A Nodepool may be at work for another reason.
	UpToDate, Stuck bool
	// CheckAgain is when a window opens; zero when a watch will tell.
	CheckAgain time.Time
}

// Next is the plan. Questions in this order, the first answer counts for the control plane:
//
//  1. a version cannot be read, or a pool is pinned above both Wanted and Reported, or so low that AKS would not take it beside Wanted: stuck
//  2. no control plane yet: everything gets Wanted. One that is being made: everything stays until it runs, or Azure refuses to make it. One that
//     was made and does not tell its version: everything stays
//  3. Wanted is below Written: stuck, nothing changes. Reported above Wanted (AKS upgraded by itself) is no downgrade
//  4. Wanted is more than one minor version above Reported: stuck
//  5. not begun, and an add-on does not admit Wanted: wait
//  6. not begun, and held: wait
//  7. not begun, and a pool would be too far behind: pools go first
//  8. not begun, and the window is closed: wait
//  9. below Wanted: the control plane gets Wanted, pools keep theirs. What it runs already it is not asked for: it may run more
//
// Pools follow the control plane's object as far as Azure has it, unless the plan is stuck, or held, or an operation runs on the control plane: in
// order (System before User, then by name), the first one that is below goes, and the next as soon as no other is on its way. One that is Blocked is
// not waited for. A pinned pool gets its pin, not above Reported; no other is ever lowered. A new pool gets the lowest of Wanted, Reported and what
// the control plane's object asks for, which may be below Wanted when AKS has upgraded by itself and does not count then.
//
// Nothing is remembered, so a spec that goes back half-way, a pool that comes half-way and a crash after any write are just other worlds.
func Next(w World, now time.Time) Plan {
	w.Pools = ordered(w.Pools)
	if w.Written == "" {
		w.Written = w.Reported // an object that leaves it to others, which is no reason to begin at once
	}
	l := look{World: w, still: w.Held != ""}
	plan := l.controlPlane(now)
	l.pools(&plan)
	return plan
}
