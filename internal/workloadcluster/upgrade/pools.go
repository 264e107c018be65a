package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// standing is how the pools are, each in its order.
type standing struct {
	// below are those whose turn has not come; moving and blocked are on their way.
	below, moving, blocked []Pool
	// going says which one begins, if one does.
	going string
	// done is how many have their version.
	done int
}

// pools gives each pool its version, and says how far they are if the control plane left that open.
func (l *look) pools(plan *Plan) {
	plan.Pools = map[string]string{}
	var at standing
	for _, p := range l.Pools {
		target := l.target(p, plan.ControlPlane)
		if p.Written == "" || target == p.Written || l.fresh {
			plan.Pools[p.Name] = target
			at.count(p, target)
			continue
		}
		plan.Pools[p.Name] = p.Written
		at.below = append(at.below, p)
	}
	if len(at.below) > 0 && len(at.moving) == 0 && !l.still && !l.Busy {
		goes := at.below[0]
		plan.Pools[goes.Name] = l.target(goes, plan.ControlPlane)
		at.going = fmt.Sprintf("pool %s goes from %s to %s", goes.Name, goes.Written, plan.Pools[goes.Name])
	}
	if plan.Reason == "" {
		l.tell(plan, at)
	}
}

// target is the version that a pool ends at for now, in the very words of its Nodepool if that is no change.
func (l *look) target(p Pool, controlPlane string) string {
	target := lowest(l.Wanted, l.Reported, controlPlane)
	if older(l.Wanted, l.Reported) {
		target = l.Wanted // the object may ask for less, which AKS has gone beyond by itself
	}
	if p.Pinned != "" {
		target = lowest(p.Pinned, cmp.Or(l.Reported, target))
	}
	if p.Written != "" && !l.fresh && (same(p.Written, target) || p.Pinned == "" && older(target, p.Written)) {
		return p.Written
	}
	return target
}

// count sorts a pool that is asked to have its version. One that has no nodes yet, or is at work for another reason, is not counted as one that is
// being upgraded, but the next one still waits for it.
func (s *standing) count(p Pool, target string) {
	behind := !p.Settled && older(p.Kubelet, target)
	if !behind {
		s.done++
	}
	switch {
	case p.Settled:
	case p.Blocked:
		s.blocked = append(s.blocked, p)
	default:
		s.moving = append(s.moving, p)
	}
}

func (l *look) tell(plan *Plan, at standing) {
	if at.done == len(l.Pools) {
		plan.Reason, plan.UpToDate = fleetwrightv1.ReasonUpToDate, true
		plan.Message = fmt.Sprintf("the control plane runs %s, and each pool has its version", l.Reported)
		return
	}
	told := []string{fmt.Sprintf("%d of %d pools have their version", at.done, len(l.Pools))}
	plan.Reason = fleetwrightv1.ReasonNodepoolsUpgrading
	switch {
	case at.going != "":
		told = append(told, at.going)
	case len(at.moving) > 0:
		told = append(told, words(at.moving[0], "is on its way"))
	case len(at.below) == 0:
	case l.Held != "":
		plan.Reason = fleetwrightv1.ReasonHeldBack
		told = append(told, fmt.Sprintf("pool %s has not begun: %s", at.below[0].Name, l.Held))
	default:
		told = append(told, fmt.Sprintf("pool %s waits for the operation that runs on the control plane", at.below[0].Name))
	}
	if n := len(at.blocked); n > 0 {
		told = append(told, words(at.blocked[0], "is blocked")+andMore(n-1))
	}
	plan.Message = strings.Join(told, "; ")
}

func words(p Pool, otherwise string) string {
	return fmt.Sprintf("pool %s: %s", p.Name, cmp.Or(p.Words, otherwise))
}

// ordered has System pools first, on which the cluster's own pods run, then by name.
func ordered(pools []Pool) []Pool {
	out := slices.Clone(pools)
	slices.SortStableFunc(out, func(a, b Pool) int {
		if a.System != b.System {
			if a.System {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return out
}
