package addresspool

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func TestWhetherAPoolGivesOut(t *testing.T) {
	const prefix = "10.64.0.0/16"
	type pools = []*fleetwrightv1.AddressPool
	type allocations = []*fleetwrightv1.AddressAllocation
	elsewhere := func(a *fleetwrightv1.AddressAllocation) { a.Namespace = "team" }
	older, younger := aPool("older", -1, "10.64.16.0/20"), aPool("younger", 1, "10.64.16.0/20")
	unasked := func(p *fleetwrightv1.AddressPool) { p.Status = fleetwrightv1.AddressPoolStatus{} }
	edited := func(p *fleetwrightv1.AddressPool) { givingOut(p); p.Generation++ }
	refusing := func(p *fleetwrightv1.AddressPool) { givingOut(p); p.Status.Conditions[0].Status = "False" }
	for name, tc := range map[string]struct {
		pool        *fleetwrightv1.AddressPool
		others      pools
		allocations allocations
		want        string
		stuck       bool
	}{
		"a new pool": {
			pool: aPool("corp", 0, prefix), want: "True Ready: 100% is free, the largest range is a /16",
		},
		"with ranges": {
			pool: aPool("corp", 0, prefix), allocations: allocations{anAllocation("corp", "a", "10.64.0.0/17", "a"), anAllocation("corp", "b", "10.64.128.0/18", "")},
			want: "True Ready: 25% is free, the largest range is a /18",
		},
		"what was chosen counts": {
			pool: aPool("corp", 0, prefix, choosing("a", "10.64.0.0/17")), want: "True Ready: 50% is free, the largest range is a /17",
		},
		"once, when it was made meanwhile": {
			pool:        aPool("corp", 0, prefix, choosing("a", "10.64.0.0/17")),
			allocations: allocations{anAllocation("corp", "a", "10.64.0.0/17", "new")}, want: "True Ready: 50% is free, the largest range is a /17",
		},
		"full": {
			pool: aPool("corp", 0, prefix), allocations: allocations{anAllocation("corp", "a", prefix, "a")}, want: "True Ready: 0% is free",
		},
		"an orphan": {
			pool: aPool("corp", 0, prefix), allocations: allocations{anAllocation("corp", "a", "10.64.0.0/17", "gone")},
			want: "True Ready: 50% is free, the largest range is a /17; AddressAllocations without their AddressClaim: 1, such as a",
		},
		"a prefix with host bits": {
			pool: aPool("corp", 0, "10.64.0.1/16"), stuck: true,
			want: `False InvalidPrefixes: spec.prefixes: "10.64.0.1/16" has host bits: write 10.64.0.0/16`,
		},
		"a reserved part with host bits": {
			pool: aPool("corp", 0, prefix, reserving("10.64.0.1/20")), stuck: true,
			want: `False InvalidPrefixes: spec.reserved: "10.64.0.1/20" has host bits: write 10.64.0.0/20`,
		},
		"prefixes that overlap": {
			pool: aPool("corp", 0, "10.64.0.0/16 10.70.0.0/16 10.64.16.0/20"), stuck: true,
			want: "False InvalidPrefixes: 10.64.0.0/16 and 10.64.16.0/20 of spec.prefixes overlap: take one of them out",
		},
		"an annotation that cannot be read": {
			pool: aPool("corp", 0, prefix, annotated("{")), stuck: true,
			want: "False InvalidSpec: annotation fleetwright.io/allocating cannot be read (unexpected end of JSON input): take it off once all AddressAllocations that it names exist",
		},
		"an annotation with a range that is none": {
			pool: aPool("corp", 0, prefix, choosing("a", "10.64.0.0")), stuck: true,
			want: `False InvalidSpec: AddressAllocation platform/a: spec.cidr: "10.64.0.0" is no range of addresses: write an address, a slash and a length, such as 10.64.0.0/20`,
		},
		"a prefix was taken away": {
			pool: aPool("corp", 0, prefix), allocations: allocations{anAllocation("corp", "a", "10.70.0.0/20", "a")}, stuck: true,
			want: "False InvalidPrefixes: none of spec.prefixes holds 10.70.0.0/20 of AddressAllocation platform/a (for AddressClaim prod/a): put the prefix back that did",
		},
		"of which something rests": {
			pool: aPool("corp", 0, prefix), allocations: allocations{anAllocation("corp", "a", "10.70.0.0/20", "a", givenBack)}, stuck: true,
			want: "False InvalidPrefixes: none of spec.prefixes holds 10.70.0.0/20 of AddressAllocation platform/a (for AddressClaim prod/a): put the prefix back that did",
		},
		"of which something was chosen": {
			pool: aPool("corp", 0, prefix, choosing("a", "10.70.0.0/20")), stuck: true,
			want: "False InvalidPrefixes: none of spec.prefixes holds 10.70.0.0/20 of AddressAllocation platform/a (chosen for AddressClaim prod/new, and not recorded yet): put the prefix back that did",
		},
		"an import outside": {
			pool: aPool("corp", 0, prefix), allocations: allocations{anAllocation("corp", "a", "10.70.0.0/20", "")}, want: "True Ready: 100% is free, the largest range is a /16",
		},
		"two imports that overlap": {
			pool:        aPool("corp", 0, prefix),
			allocations: allocations{anAllocation("corp", "b", "10.64.0.0/17", ""), anAllocation("corp", "a", "10.64.16.0/20", "a")}, stuck: true,
			want: "False Overlaps: 10.64.16.0/20 of AddressAllocation platform/a (for AddressClaim prod/a) and 10.64.0.0/17 of AddressAllocation platform/b (imported by hand) overlap: delete the one that nothing uses",
		},
		"an import of what was chosen": {
			pool:        aPool("corp", 0, prefix, choosing("a", "10.64.16.0/20")),
			allocations: allocations{anAllocation("corp", "b", "10.64.16.0/24", "")}, stuck: true,
			want: "False Overlaps: 10.64.16.0/20 of AddressAllocation platform/a (chosen for AddressClaim prod/new, and not recorded yet) and 10.64.16.0/24 of AddressAllocation platform/b (imported by hand) overlap: delete the one that nothing uses",
		},
		"an import of the name that was chosen": {
			pool:        aPool("corp", 0, prefix, choosing("a", "10.64.16.0/20")),
			allocations: allocations{anAllocation("corp", "a", "10.64.128.0/17", "")}, want: "True Ready: 43% is free, the largest range is a /18",
		},
		"an older neighbour": {
			pool: aPool("corp", 0, prefix), others: pools{older}, stuck: true,
			want: "False Overlaps: 10.64.16.0/20 belongs to AddressPool platform/older as well, which is older: take it out of spec.prefixes of one of them, or put it into spec.reserved",
		},
		"an older one in what is reserved here": {
			pool: aPool("corp", 0, prefix, reserving("10.64.0.0/17")), others: pools{older}, want: "True Ready: 100% is free, the largest range is a /17",
		},
		"an older one that reserves it": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("older", -1, "10.0.0.0/8", reserving(prefix))}, want: "True Ready: 100% is free, the largest range is a /16",
		},
		"one of the same second, before it by name": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("a", 0, "10.0.0.0/8", unasked)}, stuck: true,
			want: "False Overlaps: 10.64.0.0/16 belongs to AddressPool platform/a as well, which is older: take it out of spec.prefixes of one of them, or put it into spec.reserved",
		},
		"one of the same second, behind it": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("d", 0, "10.0.0.0/8", unasked)}, want: "True Ready: 100% is free, the largest range is a /16",
		},
		"one that cannot be read": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("a", -1, "10.64.0.1/16")}, want: "True Ready: 100% is free, the largest range is a /16",
		},
		"a younger one": {
			pool: aPool("corp", 0, prefix), others: pools{younger}, want: "True Ready: 100% is free, the largest range is a /16",
		},
		"a younger one that has seen an older self": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("younger", 1, "10.64.16.0/20", edited)}, want: "True Ready: 100% is free, the largest range is a /16",
		},
		"a younger one that refuses": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("younger", 1, "10.64.16.0/20", refusing)}, want: "True Ready: 100% is free, the largest range is a /16",
		},
		"a younger one that is deleted": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("younger", 1, "10.64.16.0/20", givingOut, deleted("Delete"))}, want: "True Ready: 100% is free, the largest range is a /16",
		},
		"a younger one that gives out": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("younger", 1, "10.64.16.0/20", givingOut)},
			want: "False Overlaps: 10.64.16.0/20 belongs to AddressPool platform/younger as well: waiting until that one gives out nothing, because it is younger",
		},
		"a younger one that gave out": {
			pool: aPool("corp", 0, prefix), others: pools{younger}, allocations: allocations{anAllocation("younger", "x", "10.64.16.0/24", "a")}, stuck: true,
			want: "False Overlaps: AddressPool platform/younger has 10.64.16.0/24 of AddressAllocation platform/x (for AddressClaim prod/a), which lies in this pool: " +
				"take it out of spec.prefixes, put it into spec.reserved, or delete it once nothing uses it",
		},
		"a younger one of which something was chosen": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("younger", 1, "10.64.16.0/20", choosing("x", "10.64.16.0/24"))}, stuck: true,
			want: "False Overlaps: AddressPool platform/younger has 10.64.16.0/24 of AddressAllocation platform/x (chosen for AddressClaim prod/new, and not recorded yet), which lies in this pool: " +
				"take it out of spec.prefixes, put it into spec.reserved, or delete it once nothing uses it",
		},
		"a younger one of which nobody knows what was chosen": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("younger", 1, "10.64.16.0/20", annotated("["))}, stuck: true,
			want: "False Overlaps: 10.64.16.0/20 belongs to AddressPool platform/younger as well, whose annotation fleetwright.io/allocating cannot be read " +
				"(unexpected end of JSON input): take it off once all AddressAllocations that it names exist",
		},
		"a range of a pool that had the prefix before": {
			pool: aPool("corp", 0, prefix), others: pools{aPool("before", 1, "10.70.0.0/16", givingOut)}, allocations: allocations{anAllocation("before", "x", "10.64.16.0/24", "a", elsewhere)}, stuck: true,
			want: "False Overlaps: AddressPool team/before has 10.64.16.0/24 of AddressAllocation team/x (for AddressClaim prod/a), which lies in this pool: " +
				"take it out of spec.prefixes, put it into spec.reserved, or delete it once nothing uses it",
		},
		"a range of a pool of this name elsewhere": {
			pool: aPool("corp", 0, prefix), allocations: allocations{anAllocation("corp", "x", "10.64.16.0/24", "", elsewhere)}, stuck: true,
			want: "False Overlaps: AddressPool team/corp has 10.64.16.0/24 of AddressAllocation team/x (imported by hand), which lies in this pool: " +
				"take it out of spec.prefixes, put it into spec.reserved, or delete it once nothing uses it",
		},
		"a range of another pool in what is reserved here": {
			pool: aPool("corp", 0, prefix, reserving("10.64.16.0/20")), allocations: allocations{anAllocation("other", "x", "10.64.16.0/24", "a")},
			want: "True Ready: 100% is free, the largest range is a /17",
		},
		"deleted": {
			pool: aPool("corp", 0, prefix, deleted("Delete")), allocations: allocations{anAllocation("corp", "a", "10.64.0.0/17", "a")},
			want: "False StillInUse: ranges that are given out: 1, such as 10.64.0.0/17 of AddressAllocation platform/a (for AddressClaim prod/a); " +
				"delete the AddressClaims, whose ranges rest for 24h then, and the imports that nobody uses",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := decide(worldOf(tc.pool, tc.others, tc.allocations...), noon)
			if got := saidBy(t, p.conditions, "Ready"); got != tc.want {
				t.Errorf("Ready is\n%s\nwant\n%s", got, tc.want)
			}
			if stalled := saidBy(t, p.conditions, "Stalled"); (stalled != "") != tc.stuck {
				t.Errorf("Stalled is %q", stalled)
			}
			if p.letGo {
				t.Error("it is let go")
			}
		})
	}
}

func TestExhausting(t *testing.T) {
	made := func(days int) func(*fleetwrightv1.AddressAllocation) {
		return func(a *fleetwrightv1.AddressAllocation) {
			a.CreationTimestamp = metav1.NewTime(noon.AddDate(0, 0, -days))
		}
	}
	// In 90 days three quarters of what was there before.
	fast := func(change ...func(*fleetwrightv1.AddressAllocation)) []*fleetwrightv1.AddressAllocation {
		return []*fleetwrightv1.AddressAllocation{
			anAllocation("corp", "a", "10.64.0.0/17", "a", append(change, made(90))...), anAllocation("corp", "b", "10.64.128.0/18", "b", append(change, made(10))...),
		}
	}
	taken := func(cidrs string) []*fleetwrightv1.AddressAllocation {
		var out []*fleetwrightv1.AddressAllocation
		for cidr := range strings.FieldsSeq(cidrs) {
			out = append(out, anAllocation("corp", strings.ReplaceAll(cidr, "/", "-"), cidr, ""))
		}
		return out
	}
	for name, tc := range map[string]struct {
		pool        *fleetwrightv1.AddressPool
		allocations []*fleetwrightv1.AddressAllocation
		want        string
		day         string
	}{
		"an empty pool":               {pool: aPool("corp", 0, "10.64.0.0/16"), want: "False EnoughSpace: 100% is free"},
		"what is reserved is no part": {pool: aPool("corp", 0, "10.64.0.0/16", reserving("10.64.0.0/17"), reserving("10.64.128.0/18")), want: "False EnoughSpace: 100% is free"},
		"just enough":                 {pool: aPool("corp", 0, "10.64.0.0/16"), allocations: taken("10.64.0.0/17 10.64.128.0/18 10.64.192.0/19 10.64.224.0/22"), want: "False EnoughSpace: 10% is free"},
		"nearly full": {
			pool: aPool("corp", 0, "10.64.0.0/16"), allocations: taken("10.64.0.0/17 10.64.128.0/18 10.64.192.0/19 10.64.224.0/21"),
			want: "True LowSpace: 9% is free, less than 10%: add prefixes, or give back what is not needed",
		},
		"fast":           {aPool("corp", 0, "10.64.0.0/16"), fast(), "True SoonExhausted: at the rate of the last 90 days nothing is free on 2026-12-26: add prefixes, or give back what is not needed", "2026-12-26"},
		"a larger pool":  {aPool("corp", 0, "10.64.0.0/15"), fast(), "False EnoughSpace: 62% is free", "2027-04-25"},
		"what rests":     {aPool("corp", 0, "10.64.0.0/16"), fast(givenBack), "False EnoughSpace: 25% is free", ""},
		"what cannot be": {aPool("corp", 0, "10.64.0.1/16"), nil, "Unknown InvalidPrefixes: how full the pool is cannot be told: see condition Ready", ""},
		"nor be read":    {aPool("corp", 0, "10.64.0.0/16", annotated("{")), nil, "Unknown InvalidSpec: how full the pool is cannot be told: see condition Ready", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := decide(worldOf(tc.pool, nil, tc.allocations...), noon)
			if got := saidBy(t, p.conditions, "Exhausting"); got != tc.want {
				t.Errorf("Exhausting is\n%s\nwant\n%s", got, tc.want)
			}
			day := ""
			if !p.exhaustion.IsZero() {
				day = p.exhaustion.Format(time.DateOnly)
			}
			if day != tc.day {
				t.Errorf("nothing is free on %q, want %q", day, tc.day)
			}
		})
	}
}
