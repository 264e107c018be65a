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
	// Written is what the control plane's object asks for, empty while there is none; Reported what runs; Busy is true during an operation.
	Written, Reported string
	Busy              bool
	Pools             []Pool
	Addons            []Addon
	// Window is false while the maintenance windows are closed, until NextWindow. Held says why nothing disruptive may begin, or is empty.
	Window     bool
	NextWindow time.Time
	Held       string
}

// Pool is one node pool.
type Pool struct {
	Name   string
	System bool
	// Pinned is the version that its spec names, or empty; Written is what its Nodepool asks for, empty while there is none.
	Pinned, Written string
	// Kubelet is the lowest kubelet version seen. Settled is true when the Nodepool is ready and up to date for its present spec; Blocked when a
	// pod holds up its drain, so that waiting for it would hold up all others for days.
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
	// Reason is that of condition UpToDate: UpToDate, ControlPlaneUpgrading, NodepoolsUpgrading, AddonIncompatible, WaitingForWindow, HeldBack, or of
	// Stalled when Stuck: DowngradeNotPossible, VersionTooFar, InvalidSpec.
	Reason, Message string
	UpToDate, Stuck bool
	CheckAgain      time.Time
}

// Next is the plan. Questions in this order, the first answer counts for the control plane:
//
//  1. no control plane yet: everything gets Wanted
//  2. Wanted is below Written: stuck, nothing changes. Reported above Wanted (AKS upgraded by itself) is no downgrade
//  3. Wanted is more than one minor version above Reported: stuck
//  4. an add-on does not admit Wanted: wait
//  5. not begun, and held or the window is closed: wait
//  6. below Wanted or busy: the control plane gets Wanted, pools keep theirs
//  7. pools in order (System before User, then by name): the first one that is below goes, and the next as soon as it is Settled at Wanted or
//     Blocked. A pinned pool gets its pin, not above Reported. A new pool gets the lower of Wanted and Reported
func Next(w World, now time.Time) Plan { return Plan{} }
