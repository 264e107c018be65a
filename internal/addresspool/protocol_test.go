package addresspool

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

// No two have one range, whatever people do to pools while claims choose and pools are looked at: every step of everybody comes at any time.
func TestNoRangeIsGivenOutTwice(t *testing.T) {
	for range 20 { // 2000 fleets, with fresh seeds
		rapid.Check(t, func(t *rapid.T) {
			f := newFleet(t)
			steps := map[string]func(){
				"edit": f.edit, "begin to look": f.beginLook, "read ranges": f.readRanges, "report": f.report,
				"read pool": func() { f.readPool(f.someone()) }, "read its ranges": func() { f.readItsRanges(f.someone()) }, "choose": func() { f.choose(f.someone()) },
				"write down": f.writeDown, "tidy": f.tidy, "give back": f.giveBack,
				// Most often nobody comes between.
				"look": func() { f.beginLook(); f.readRanges(); f.report() },
				"look at all": func() {
					for _, p := range f.pools {
						f.lookAt(p)
						f.readRanges()
						f.report()
					}
				},
				"read all": func() { c := f.someone(); f.readPool(c); f.readItsRanges(c) },
				"claim":    func() { c := f.someone(); f.readPool(c); f.readItsRanges(c); f.choose(c) },
				"claim all": func() {
					c := f.someone()
					f.readPool(c)
					f.readItsRanges(c)
					f.choose(c)
					f.writeDown()
					f.tidy()
				},
			}
			names := make([]string, 0, len(steps))
			for name := range steps {
				names = append(names, name)
			}
			slices.Sort(names)
			for range rapid.IntRange(20, 150).Draw(t, "steps") {
				steps[rapid.SampledFrom(names).Draw(t, "step")]()
				f.check()
			}
		})
	}
}

// fleet is three pools in 10.0.0.0/24, whoever looks at them, and two claims that choose.
type fleet struct {
	t           *rapid.T
	now         time.Time
	pools       []*fleetwrightv1.AddressPool
	allocations []*fleetwrightv1.AddressAllocation
	// made counts allocations, so that those of one name are told apart.
	made int

	look   *look
	claims [2]chooser
}

// look is one at a pool that is under way: it has read the pools, then the ranges.
type look struct {
	world world
	read  bool
}

// chooser is a claim that wants a range: it has read its pool, then that pool's ranges.
type chooser struct {
	pool  *fleetwrightv1.AddressPool
	taken []netip.Prefix
	read  bool
}

func newFleet(t *rapid.T) *fleet {
	f := &fleet{t: t, now: noon}
	for _, name := range []string{"a", "b", "c"} {
		p := aPool(name, rapid.IntRange(0, 1).Draw(t, "made"), "")
		p.Generation, p.ResourceVersion, p.Spec.QuarantineSeconds = 1, "1", ptr.To[int32](0)
		f.pools = append(f.pools, p)
		f.furnish(p)
	}
	return f
}

func (f *fleet) some() *fleetwrightv1.AddressPool {
	return rapid.SampledFrom(f.pools).Draw(f.t, "pool")
}

// written is any write to a pool.
func written(p *fleetwrightv1.AddressPool) {
	version, _ := strconv.Atoi(p.ResourceVersion)
	p.ResourceVersion = strconv.Itoa(version + 1)
}

// furnish gives a pool one or two of four prefixes, and sometimes reserves a part.
func (f *fleet) furnish(p *fleetwrightv1.AddressPool) {
	quarters := rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 1, 2, rapid.ID[int]).Draw(f.t, "quarters")
	p.Spec.Prefixes, p.Spec.Reserved = nil, nil
	for _, q := range quarters {
		p.Spec.Prefixes = append(p.Spec.Prefixes, fmt.Sprintf("10.0.0.%d/26", 64*q))
	}
	if rapid.IntRange(0, 3).Draw(f.t, "reserve") == 0 {
		p.Spec.Reserved = []fleetwrightv1.ReservedPrefix{{Prefix: p.Spec.Prefixes[0], Reason: "x"}}
	}
}

func (f *fleet) edit() {
	p := f.some()
	f.furnish(p)
	p.Generation++
	written(p)
}

func (f *fleet) beginLook() {
	f.lookAt(f.some())
}

func (f *fleet) lookAt(about *fleetwrightv1.AddressPool) {
	if f.look != nil {
		return
	}
	f.look = &look{world: world{key: keyOf(about), claims: map[types.NamespacedName]*fleetwrightv1.AddressClaim{}}}
	for _, p := range f.pools {
		if p == about {
			f.look.world.pool = p.DeepCopy()
		} else {
			f.look.world.others = append(f.look.world.others, p.DeepCopy())
		}
	}
}

func (f *fleet) readRanges() {
	if f.look == nil || f.look.read {
		return
	}
	f.look.read = true
	for _, a := range f.allocations {
		f.look.world.allocations = append(f.look.world.allocations, a.DeepCopy())
	}
}

func (f *fleet) report() {
	if f.look == nil || !f.look.read {
		return
	}
	w := f.look.world
	f.look = nil
	plan := decide(w, f.now)
	f.allocations = slices.DeleteFunc(f.allocations, func(a *fleetwrightv1.AddressAllocation) bool {
		return slices.ContainsFunc(plan.ended, func(e *fleetwrightv1.AddressAllocation) bool {
			return e.UID == a.UID && e.ResourceVersion == a.ResourceVersion
		})
	})
	for _, p := range f.pools {
		if keyOf(p) != w.key {
			continue
		}
		p.Status.ObservedGeneration, p.Status.Conditions = w.pool.Generation, plan.conditions
		for i := range p.Status.Conditions {
			p.Status.Conditions[i].ObservedGeneration = w.pool.Generation
		}
		written(p)
	}
}

func (f *fleet) someone() *chooser {
	return &f.claims[rapid.IntRange(0, 1).Draw(f.t, "claim")]
}

func (f *fleet) readPool(c *chooser) {
	*c = chooser{pool: f.some().DeepCopy()}
}

func (f *fleet) readItsRanges(c *chooser) {
	if c.pool == nil || c.read {
		return
	}
	ranges, err := heldOf(keyOf(c.pool), c.pool, f.allocations)
	if err != nil {
		f.t.Fatal(err)
	}
	c.taken, c.read = prefixesOf(ranges), true
}

// choose swaps a choice in, if the pool gives out anything and is as it was read.
func (f *fleet) choose(c *chooser) {
	if !c.read || !givesOut(c.pool) {
		return
	}
	was := *c
	*c = chooser{}
	l, err := landOf(was.pool)
	if err != nil {
		f.t.Fatal(err)
	}
	length := rapid.IntRange(26, 28).Draw(f.t, "length")
	chosen, err := cidr.Next(l.prefixes, l.reserved, was.taken, []cidr.Request{{Name: "vnet", Length: length}})
	if err != nil {
		return
	}
	for _, p := range f.pools {
		if keyOf(p) != keyOf(was.pool) || p.ResourceVersion != was.pool.ResourceVersion {
			continue
		}
		choices := f.choices(p)
		choices[cidr.AllocationName(p.Name, chosen[0])] = fleetwrightv1.AddressAllocationSpec{
			PoolName: p.Name, CIDR: chosen[0].String(), Claim: fleetwrightv1.AllocationClaim{Namespace: "prod", Name: "x", Range: "vnet"},
		}
		f.annotate(p, choices)
	}
}

func (f *fleet) choices(p *fleetwrightv1.AddressPool) map[string]fleetwrightv1.AddressAllocationSpec {
	choices, err := choicesOf(p)
	if err != nil {
		f.t.Fatal(err)
	}
	if choices == nil {
		choices = map[string]fleetwrightv1.AddressAllocationSpec{}
	}
	return choices
}

func (f *fleet) annotate(p *fleetwrightv1.AddressPool, choices map[string]fleetwrightv1.AddressAllocationSpec) {
	entries := map[string]any{}
	for name, spec := range choices {
		entries[name] = map[string]any{"spec": spec}
	}
	text, err := json.Marshal(entries)
	if err != nil {
		f.t.Fatal(err)
	}
	p.Annotations = map[string]string{fleetwrightv1.AnnotationAllocating: string(text)}
	written(p)
}

// writeDown makes the allocations of all that was chosen of a pool.
func (f *fleet) writeDown() {
	p := f.some()
	for name, spec := range f.choices(p) {
		if f.allocation(p, name) != nil {
			continue
		}
		f.made++
		f.allocations = append(f.allocations, &fleetwrightv1.AddressAllocation{
			ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: name, UID: types.UID(strconv.Itoa(f.made)), CreationTimestamp: metav1.NewTime(f.now)}, Spec: spec,
		})
	}
}

func (f *fleet) allocation(p *fleetwrightv1.AddressPool, name string) *fleetwrightv1.AddressAllocation {
	for _, a := range f.allocations {
		if poolOf(a) == keyOf(p) && a.Name == name {
			return a
		}
	}
	return nil
}

// tidy takes out of the annotation what has its allocation.
func (f *fleet) tidy() {
	p := f.some()
	choices := f.choices(p)
	for name := range choices {
		if f.allocation(p, name) != nil {
			delete(choices, name)
		}
	}
	f.annotate(p, choices)
}

func (f *fleet) giveBack() {
	if len(f.allocations) == 0 {
		return
	}
	a := rapid.SampledFrom(f.allocations).Draw(f.t, "allocation")
	a.Spec.ReleasedTime, a.ResourceVersion = metav1.NewTime(f.now), "2"
}

// check finds two that have one range.
func (f *fleet) check() {
	var all []held
	for _, p := range f.pools {
		ranges, err := heldOf(keyOf(p), p, f.allocations)
		if err != nil {
			f.t.Fatal(err)
		}
		all = append(all, ranges...)
	}
	if a, b, overlap := cidr.Overlapping(prefixesOf(all)); overlap {
		f.t.Fatalf("two have one range: %s of pool %s, and %s of pool %s", all[a], all[a].pool, all[b], all[b].pool)
	}
}
