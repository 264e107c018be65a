package upgrade

import (
	"fmt"
	"time"

	"github.com/blang/semver/v4"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// look is one look at a world.
type look struct {
	World
	// still is true when no pool may begin to change; fresh when nothing runs, so that everything may change at once.
	still, fresh bool
}

// controlPlane asks the questions about the control plane. Without an answer it has its version, and the plan is open for what the pools say.
func (l *look) controlPlane(now time.Time) Plan {
	for _, ask := range []func(*look) *Plan{
		(*look).isAVersionUnreadable,
		(*look).isAPinImpossible,
		(*look).isThereNoneYet,
		(*look).isItBeingMade,
		(*look).doesItNotTell,
		(*look).isItADowngrade,
		(*look).isItTooFar,
		(*look).doesAnAddonForbid,
		(*look).isItHeld,
		(*look).wouldAPoolBeTooFarBehind,
		(*look).isTheWindowClosed,
		(*look).isItBelow,
	} {
		if plan := ask(l); plan != nil {
			l.still = l.still || plan.Stuck
			if plan.CheckAgain.Before(now) {
				plan.CheckAgain = time.Time{}
			}
			return *plan
		}
	}
	return Plan{ControlPlane: l.asked()}
}

// asked is Wanted, in the very words of the object if it says the same. What runs is not asked for less: AKS would refuse it.
func (l *look) asked() string {
	if same(l.Wanted, l.Written) || older(l.Wanted, l.Reported) {
		return l.Written
	}
	return l.Wanted
}

// begun is true when the control plane's object asks for Wanted, or Azure has gone there by itself: that cannot be stopped any more.
func (l *look) begun() bool { return !older(l.Written, l.Wanted) || !older(l.Reported, l.Wanted) }

// stays is a plan that leaves the control plane as it is.
func (l *look) stays(reason, format string, args ...any) *Plan {
	return &Plan{ControlPlane: l.Written, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func (l *look) stuck(reason, format string, args ...any) *Plan {
	plan := l.stays(reason, format, args...)
	plan.Stuck = true
	return plan
}

func (l *look) isAVersionUnreadable() *Plan {
	const wants = "write it as v1.34.2"
	if _, err := parse(l.Wanted); err != nil {
		return l.stuck(fleetwrightv1.ReasonInvalidSpec, "version %q is not one of Kubernetes: %s", l.Wanted, wants)
	}
	if _, err := parse(l.Written); err != nil && l.Written != "" {
		return l.stuck(fleetwrightv1.ReasonInvalidSpec, "the control plane's object asks for version %q, which is not one of Kubernetes: %s there", l.Written, wants)
	}
	for _, p := range l.Pools {
		if _, err := parse(p.Pinned); err != nil && p.Pinned != "" {
			return l.stuck(fleetwrightv1.ReasonInvalidSpec, "version %q of pool %s is not one of Kubernetes: %s", p.Pinned, p.Name, wants)
		}
	}
	for _, a := range l.Addons {
		if _, err := semver.ParseRange(a.Versions); err != nil && a.Versions != "" {
			return l.stuck(fleetwrightv1.ReasonInvalidSpec, "kubernetesVersions %q of add-on %s cannot be read: write it as \">=1.32.0 <1.36.0\"", a.Versions, a.Name)
		}
	}
	return nil
}

// isThereNoneYet: what Azure refuses to make can have any version, also a lower one than was tried, for Azure may not have that.
func (l *look) isThereNoneYet() *Plan {
	if l.Reported != "" || l.made() || l.Written != "" && !l.Refused {
		return nil
	}
	l.fresh = true
	return &Plan{ControlPlane: l.asked(), Reason: fleetwrightv1.ReasonNotCreated, Message: fmt.Sprintf("the control plane is being made with %s", l.Wanted)}
}

// isItBeingMade: until it runs nothing can be told of it, so nothing is changed that may be an upgrade.
func (l *look) isItBeingMade() *Plan {
	if l.Reported != "" || l.made() {
		return nil
	}
	l.still = true
	plan := l.stays(fleetwrightv1.ReasonNotCreated, "the control plane is being made with %s", l.Written)
	switch {
	case older(l.Written, l.Wanted):
		plan.Message += fmt.Sprintf("; %s follows when it tells that it runs", l.Wanted)
	case older(l.Wanted, l.Written):
		plan.Message += fmt.Sprintf("; %s is lower, and taken only if Azure refuses %s", l.Wanted, l.Written)
	}
	return plan
}

// made is true when an address or nodes prove that there is a control plane, whatever its object says: after a restore that says nothing for a while.
func (l *look) made() bool {
	for _, p := range l.Pools {
		if p.Kubelet != "" {
			return true
		}
	}
	return l.Made
}

func (l *look) doesItNotTell() *Plan {
	if _, err := parse(l.Reported); err == nil {
		return nil
	}
	l.still = true
	return l.stays(fleetwrightv1.ReasonNotReported, "the control plane does not tell which version it runs, so nothing is upgraded")
}

func (l *look) isItADowngrade() *Plan {
	if !older(l.Wanted, l.Written) {
		return nil
	}
	return l.stuck(fleetwrightv1.ReasonDowngradeNotPossible, "version %s is lower than the control plane's %s, and AKS never goes back: set it to %s or higher", l.Wanted, l.Written, l.Written)
}

func (l *look) isItTooFar() *Plan {
	if !tooFarAhead(l.Wanted, l.Reported) {
		return nil
	}
	runs, _ := parse(l.Reported)
	return l.stuck(fleetwrightv1.ReasonVersionTooFar,
		"version %s is more than one minor version above the control plane's %s: set it to a v%d.%d first", l.Wanted, l.Reported, runs.Major, runs.Minor+1)
}

func (l *look) isAPinImpossible() *Plan {
	for _, p := range l.Pools {
		switch {
		case p.Pinned == "":
		case older(l.Wanted, p.Pinned) && !(l.Reported != "" && !older(l.Reported, p.Pinned)):
			return l.stuck(fleetwrightv1.ReasonInvalidSpec, "version %s of pool %s is above the cluster's %s: take it out, or raise version", p.Pinned, p.Name, l.Wanted)
		case tooFarBehind(p.Pinned, l.Wanted):
			return l.stuck(fleetwrightv1.ReasonInvalidSpec, "version %s of pool %s is more than %d minor versions behind the cluster's %s: raise it first", p.Pinned, p.Name, maxMinorsBehind, l.Wanted)
		}
	}
	return nil
}

func (l *look) doesAnAddonForbid() *Plan {
	if l.begun() {
		return nil
	}
	wanted, _ := parse(l.Wanted)
	var forbid []Addon
	for _, a := range l.Addons {
		if admits, err := semver.ParseRange(a.Versions); a.Versions != "" && err == nil && !admits(wanted) {
			forbid = append(forbid, a)
		}
	}
	if len(forbid) == 0 {
		return nil
	}
	return l.stays(fleetwrightv1.ReasonAddonIncompatible, "add-on %s works with Kubernetes %s%s, and version is %s: upgrade the add-on and its kubernetesVersions first",
		forbid[0].Name, forbid[0].Versions, andMore(len(forbid)-1), l.Wanted)
}

func (l *look) wouldAPoolBeTooFarBehind() *Plan {
	if l.begun() {
		return nil
	}
	for _, p := range l.Pools {
		for _, has := range []string{p.Written, p.Kubelet} {
			if tooFarBehind(has, l.Wanted) {
				return l.stays(fleetwrightv1.ReasonNodepoolsUpgrading,
					"pool %s has %s, which AKS does not take beside a control plane of %s: the pools go to %s first", p.Name, has, l.Wanted, lowest(l.Reported, l.Written))
			}
		}
	}
	return nil
}

func (l *look) isItHeld() *Plan {
	if l.Held == "" || l.begun() {
		return nil
	}
	return l.stays(fleetwrightv1.ReasonHeldBack, "the upgrade from %s to %s has not begun: %s", l.Reported, l.Wanted, l.Held)
}

func (l *look) isTheWindowClosed() *Plan {
	if l.Window || l.begun() {
		return nil
	}
	opens := "none will open"
	if !l.NextWindow.IsZero() {
		opens = "the next one opens " + l.NextWindow.UTC().Format("2006-01-02 15:04 UTC")
	}
	plan := l.stays(fleetwrightv1.ReasonWaitingForWindow, "the upgrade from %s to %s waits for a maintenance window: %s", l.Reported, l.Wanted, opens)
	plan.CheckAgain = l.NextWindow
	return plan
}

func (l *look) isItBelow() *Plan {
	if !older(l.Reported, l.Wanted) {
		return nil
	}
	l.still = true
	return &Plan{
		ControlPlane: l.asked(), Reason: fleetwrightv1.ReasonControlPlaneUpgrading,
		Message: fmt.Sprintf("the control plane goes from %s to %s, then the pools follow one by one", l.Reported, l.Wanted),
	}
}

// andMore says how many there are besides the one that is named.
func andMore(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" (and %d more like it)", n)
}
