package addressclaim

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

// verdict is how things stand.
type verdict string

const (
	// done: the claim has all its ranges.
	done verdict = "Done"
	// working: this look does something.
	working verdict = "Working"
	// waiting: something else has to happen first, by itself.
	waiting verdict = "Waiting"
	// held: somebody asked for it to be left undone.
	held verdict = "Held"
	// stuck: a person has to act.
	stuck verdict = "Stuck"
)

// action is the one thing that a look does.
type action string

const (
	nothing action = "None"
	// take writes down what was chosen, and makes its allocations.
	take action = "Take"
	// tidy takes out of the annotations what has its allocation.
	tidy action = "Tidy"
	// settle makes the allocations that are missing, and tidies, so that all can be given back.
	settle action = "Settle"
	// giveBack gives back all ranges.
	giveBack action = "GiveBack"
	// letGo removes the finalizer.
	letGo action = "LetGo"
)

const (
	// soon is when to look again after somebody else wrote first, or after a step of the way out.
	soon = time.Second
	// tidyAfter is when to look again for what can be taken out of the annotations: by then one write does it for many claims.
	tidyAfter = 15 * time.Second
	// personPause is when to look again whether a person has acted.
	personPause = 5 * time.Minute
	// rest is when to look again at what needs nothing.
	rest = time.Hour
	// patience is how long a pool may be missing until a person is called: objects of one commit come in any order.
	patience = 10 * time.Minute
)

// plan is what follows from a world.
type plan struct {
	verdict verdict
	action  action
	// reason and message are those of condition Ready, or of Deleting for a claim that is being deleted.
	reason, message string
	// steps say what is done with which pool, in the order of the pools.
	steps []step
	// bound are the ranges of the claim once the steps are done; none unless it gets all of them.
	bound []fleetwrightv1.BoundRange
	// housekeeping is true when the claim has all its ranges already: what this look does beside may fail, and they stay its own.
	housekeeping bool
	// again is when to look again.
	again time.Duration
}

// String is the plan on one line, for the log.
func (p plan) String() string {
	return fmt.Sprintf("%s %s (%s: %s)", p.verdict, p.action, p.reason, p.message)
}

// decide is the next thing for a claim. It is a function of its arguments.
func decide(w world, now time.Time) plan {
	if w.deleting {
		return decideRemoval(w, now)
	}
	shapes, err := shapesOf(w.spec.Ranges)
	if err != nil {
		return plan{verdict: stuck, action: nothing, reason: fleetwrightv1.ReasonInvalidSpec, message: err.Error(), again: personPause}
	}
	has, steps := holdings{at: map[string]netip.Prefix{}, allocation: map[string]string{}}, []step{}
	for _, r := range w.spec.Ranges {
		if r.PoolRef.Name == "" && r.Within == "" {
			has.at[r.Name] = shapes[r.Name].cidr
		}
	}
	for _, key := range poolsOf(w.claim.Namespace, w.spec) {
		s, blocked := choose(w, key, shapes, has, now)
		if blocked != nil {
			return blocked.plan(w, now)
		}
		steps = append(steps, s)
	}
	inner, err := nest(w.spec.Ranges, shapes, has.at)
	if err != nil {
		return plan{verdict: stuck, action: nothing, reason: fleetwrightv1.ReasonInvalidSpec, message: err.Error(), again: personPause}
	}
	maps.Copy(has.at, inner)
	return conclude(w, steps, has)
}

// holdings are what the claim has, or gets by this look: where each range is, and which allocation keeps it.
type holdings struct {
	at         map[string]netip.Prefix
	allocation map[string]string
}

// choose adds what the claim has of one pool to its holdings, and chooses what it lacks.
func choose(w world, key types.NamespacedName, shapes map[string]shape, has holdings, now time.Time) (step, *obstacle) {
	p := w.pools[key]
	s := newStep(key, p, w.claim, now)
	var requests []cidr.Request
	for _, r := range w.spec.Ranges {
		if refOf(w.claim.Namespace, r.PoolRef) != key {
			continue
		}
		at, allocation, blocked := keeps(w.claim, r.Name, shapes[r.Name], p, s)
		switch {
		case blocked != nil:
			return s, blocked
		case allocation != "":
			has.at[r.Name], has.allocation[r.Name] = at, key.Namespace+"/"+allocation
		default:
			if err := sized(r, p.prefixes); err != nil {
				return s, &obstacle{stuck, fleetwrightv1.ReasonInvalidSpec, err.Error()}
			}
			requests = append(requests, shapes[r.Name].request(r.Name))
		}
	}
	if len(requests) == 0 {
		return s, nil
	}
	if p.obstacle != nil {
		return s, p.obstacle
	}
	p.choices = s.choices
	chosen, blocked := next(key, p, requests)
	if blocked != nil {
		return s, blocked
	}
	for i, r := range requests {
		has.at[r.Name], has.allocation[r.Name] = chosen[i], key.Namespace+"/"+s.add(w.claim, r.Name, chosen[i], now)
	}
	return s, nil
}

// keeps finds what the claim has for a range: an allocation, or what it has chosen and not finished. One that is not as the range has to be
// is an obstacle, unless somebody has deleted it.
func keeps(claim types.NamespacedName, name string, want shape, p pool, s step) (netip.Prefix, string, *obstacle) {
	var unfit *allocation
	for _, a := range p.own(claim, name) {
		if want.fits(a.prefix) {
			return a.prefix, a.name, nil
		}
		if !a.leaving && unfit == nil {
			unfit = &a
		}
	}
	if unfit != nil {
		return netip.Prefix{}, "", &obstacle{stuck, fleetwrightv1.ReasonOverlaps, fmt.Sprintf(
			"AddressAllocation %s/%s keeps %s for range %s of a claim of this name, and this one asks for %s: delete the allocation once nothing uses it, or ask for the same",
			unfit.namespace, unfit.name, unfit.prefix, name, want)}
	}
	for _, allocation := range slices.Sorted(maps.Keys(s.choices)) {
		if c := s.choices[allocation]; of(c.Spec, claim, name) && want.fits(c.prefix) {
			return c.prefix, allocation, nil
		}
	}
	return netip.Prefix{}, "", nil
}

// conclude says what is to be done for a claim that has all its ranges, or gets them now.
func conclude(w world, steps []step, has holdings) plan {
	p := plan{verdict: done, action: nothing, reason: fleetwrightv1.ReasonBound, steps: steps, again: rest}
	var all []string
	for _, r := range w.spec.Ranges {
		p.bound = append(p.bound, fleetwrightv1.BoundRange{Name: r.Name, CIDR: has.at[r.Name].String(), Allocation: has.allocation[r.Name]})
		all = append(all, r.Name+" "+has.at[r.Name].String())
	}
	p.message = strings.Join(all, ", ")
	lacks, creates, writes := false, false, false
	for _, s := range steps {
		lacks, creates, writes = lacks || s.lacks(w.claim), creates || len(s.create) > 0, writes || s.write
	}
	p.housekeeping = !lacks
	switch {
	case w.hold.Everything() && lacks:
		return plan{verdict: held, action: nothing, reason: w.hold.Reason, message: w.hold.Message + "; ranges wait to be taken", again: rest}
	case w.hold.Everything():
		p.steps = nil
	case creates, !w.marked && len(steps) > 0: // somebody may have taken the finalizer off
		p.action, p.again = take, tidyAfter
	case writes:
		p.action = tidy
	}
	return p
}

// refOf is the pool that a reference names; zero for none.
func refOf(namespace string, ref fleetwrightv1.NamespacedReference) types.NamespacedName {
	switch {
	case ref.Name == "":
		return types.NamespacedName{}
	case ref.Namespace != "":
		namespace = ref.Namespace
	}
	return types.NamespacedName{Namespace: namespace, Name: ref.Name}
}

// poolsOf are the pools that a claim names, in order.
func poolsOf(namespace string, spec fleetwrightv1.AddressClaimSpec) []types.NamespacedName {
	var out []types.NamespacedName
	for _, r := range spec.Ranges {
		if key := refOf(namespace, r.PoolRef); key.Name != "" && !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	slices.SortFunc(out, func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })
	return out
}
