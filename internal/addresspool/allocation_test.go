package addresspool

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func TestWhatAnAllocationReports(t *testing.T) {
	pool := aPool("corp", 0, "10.64.0.0/16")
	byHand := func(a *fleetwrightv1.AddressAllocation) { a.Spec.ReleasedTime = metav1.NewTime(noon) }
	leaving := func(a *fleetwrightv1.AddressAllocation) { at := metav1.NewTime(noon); a.DeletionTimestamp = &at }
	for name, tc := range map[string]struct {
		pool       *fleetwrightv1.AddressPool
		allocation *fleetwrightv1.AddressAllocation
		others     []*fleetwrightv1.AddressAllocation
		after      time.Duration
		want       string
	}{
		"of a claim":      {pool: pool, allocation: anAllocation("corp", "x", "10.64.0.0/20", "a"), want: "True Bound: 10.64.0.0/20 is range vnet of AddressClaim prod/a"},
		"without a claim": {pool: pool, allocation: anAllocation("corp", "x", "10.64.0.0/20", ""), want: "True Imported: 10.64.0.0/20 is given to nobody, because it is in use without an AddressClaim"},
		"of a claim that is gone": {
			pool: pool, allocation: anAllocation("corp", "x", "10.64.0.0/20", "gone"),
			want: "False Orphaned: AddressClaim prod/gone does not exist and has not given 10.64.0.0/20 back: make it again with the range vnet, or delete this AddressAllocation once nothing uses it",
		},
		"of a claim that asks for something else": {
			pool: pool, allocation: anAllocation("corp", "x", "10.64.0.0/20", "other"),
			want: "False Orphaned: AddressClaim prod/other does not ask for a range vnet of AddressPool platform/corp: delete this AddressAllocation once nothing uses 10.64.0.0/20",
		},
		"deleted while it is in use": {
			pool: pool, allocation: anAllocation("corp", "x", "10.64.0.0/20", "a", leaving),
			want: "True Bound: 10.64.0.0/20 is range vnet of AddressClaim prod/a; it was deleted, and goes when the AddressClaim gives it back",
		},
		"given back": {pool: pool, allocation: anAllocation("corp", "x", "10.64.0.0/20", "gone", givenBack), want: "False Quarantined: 10.64.0.0/20 was given back at 2026-11-26T12:00:00Z and rests until 2026-11-27T12:00:00Z"},
		"given back by hand": {
			pool: pool, allocation: anAllocation("corp", "x", "10.64.0.0/20", "a", byHand), after: 24 * time.Hour,
			want: "False Quarantined: spec.releasedTime says that 10.64.0.0/20 was given back at 2026-11-26T12:00:00Z, but not by AddressClaim prod/a, which keeps it: delete the AddressClaim to give it back",
		},
		"outside": {
			pool: pool, allocation: anAllocation("corp", "x", "10.70.0.0/20", ""),
			want: "False OutsidePool: 10.70.0.0/20 lies in none of spec.prefixes of AddressPool corp (10.64.0.0/16): add a prefix that holds it, or delete this AddressAllocation once nothing uses it",
		},
		"without a pool": {
			allocation: anAllocation("corp", "x", "10.64.0.0/20", "a"),
			want:       "False OutsidePool: AddressPool corp does not exist in this namespace: make it, or delete this AddressAllocation once nothing uses 10.64.0.0/20",
		},
		"given back without a pool": {
			allocation: anAllocation("corp", "x", "10.64.0.0/20", "a", givenBack),
			want: "False Quarantined: 10.64.0.0/20 was given back at 2026-11-26T12:00:00Z; AddressPool corp does not exist, so nothing ends its rest: " +
				"delete this AddressAllocation once nothing uses it",
		},
		"overlapped": {
			pool: pool, allocation: anAllocation("corp", "x", "10.64.0.0/20", "a"), others: []*fleetwrightv1.AddressAllocation{anAllocation("corp", "b", "10.64.1.0/24", "")},
			want: "False Overlaps: overlaps 10.64.1.0/24 of AddressAllocation platform/b (imported by hand): delete the one that nothing uses",
		},
		"while others overlap": {
			pool: pool, allocation: anAllocation("corp", "x", "10.64.0.0/20", ""),
			others: []*fleetwrightv1.AddressAllocation{anAllocation("corp", "b", "10.64.32.0/24", ""), anAllocation("corp", "c", "10.64.32.0/20", "")},
			want:   "True Imported: 10.64.0.0/20 is given to nobody, because it is in use without an AddressClaim",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := decide(worldOf(tc.pool, nil, append(tc.others, tc.allocation)...), noon.Add(tc.after))
			at := slices.IndexFunc(p.states, func(s state) bool { return s.allocation == tc.allocation })
			if at < 0 {
				t.Fatal("nothing is said of it")
			}
			if got := saidBy(t, []metav1.Condition{p.states[at].condition}, "Ready"); got != tc.want {
				t.Errorf("it reports\n%s\nwant\n%s", got, tc.want)
			}
			if len(p.ended) != 0 {
				t.Error("it goes")
			}
		})
	}
}

func TestWhenARestEnds(t *testing.T) {
	lasting := func(seconds int32) *fleetwrightv1.AddressPool {
		return aPool("corp", 0, "10.64.0.0/16", func(p *fleetwrightv1.AddressPool) { p.Spec.QuarantineSeconds = ptr.To(seconds) })
	}
	day := aPool("corp", 0, "10.64.0.0/16")
	leaving := func(a *fleetwrightv1.AddressAllocation) { at := metav1.NewTime(noon); a.DeletionTimestamp = &at }
	kept := func(a *fleetwrightv1.AddressAllocation) { a.Finalizers = []string{"fleetwright.io/addressclaim"} }
	for name, tc := range map[string]struct {
		pool   *fleetwrightv1.AddressPool
		change []func(*fleetwrightv1.AddressAllocation)
		after  time.Duration
		ends   bool
		again  time.Duration
	}{
		"just given back":             {day, []func(*fleetwrightv1.AddressAllocation){givenBack}, 0, false, idle},
		"a second before the end":     {day, []func(*fleetwrightv1.AddressAllocation){givenBack}, 24*time.Hour - time.Second, false, time.Second},
		"at the end":                  {day, []func(*fleetwrightv1.AddressAllocation){givenBack}, 24 * time.Hour, true, idle},
		"a rest of an hour":           {lasting(3600), []func(*fleetwrightv1.AddressAllocation){givenBack}, 59 * time.Minute, false, time.Minute},
		"over":                        {lasting(3600), []func(*fleetwrightv1.AddressAllocation){givenBack}, time.Hour, true, idle},
		"no rest":                     {lasting(0), []func(*fleetwrightv1.AddressAllocation){givenBack}, 0, true, idle},
		"never given back":            {lasting(0), nil, 1000 * time.Hour, false, idle},
		"its claim keeps it":          {lasting(0), []func(*fleetwrightv1.AddressAllocation){givenBack, kept}, time.Hour, false, unsettled},
		"it is deleted already":       {lasting(0), []func(*fleetwrightv1.AddressAllocation){givenBack, leaving}, time.Hour, false, idle},
		"there is no pool":            {nil, []func(*fleetwrightv1.AddressAllocation){givenBack}, 1000 * time.Hour, false, 0},
		"the pool gives out nothing":  {aPool("corp", 0, "10.64.0.0/16 10.64.0.0/16"), []func(*fleetwrightv1.AddressAllocation){givenBack}, 24 * time.Hour, true, idle},
		"the pool is being deleted":   {aPool("corp", 0, "10.64.0.0/16", deleted("Delete")), []func(*fleetwrightv1.AddressAllocation){givenBack}, 24 * time.Hour, true, unsettled},
		"nobody knows what is chosen": {aPool("corp", 0, "10.64.0.0/16", annotated("{")), []func(*fleetwrightv1.AddressAllocation){givenBack}, 24 * time.Hour, false, unsettled},
	} {
		t.Run(name, func(t *testing.T) {
			p := decide(worldOf(tc.pool, nil, anAllocation("corp", "x", "10.64.0.0/20", "gone", tc.change...)), noon.Add(tc.after))
			if (len(p.ended) == 1) != tc.ends || p.again != tc.again {
				t.Errorf("%d end, again in %s", len(p.ended), p.again)
			}
		})
	}
}

func TestWhatKeepsAPool(t *testing.T) {
	for name, tc := range map[string]struct {
		change      []func(*fleetwrightv1.AddressPool)
		allocations []*fleetwrightv1.AddressAllocation
		want        string
		goes        bool
	}{
		"nobody deletes it":          {nil, nil, "False NotDeleting", false},
		"nothing":                    {[]func(*fleetwrightv1.AddressPool){deleted("Delete")}, nil, "True StillInUse: nothing is given out any more", true},
		"others have ranges":         {[]func(*fleetwrightv1.AddressPool){deleted("Delete")}, []*fleetwrightv1.AddressAllocation{anAllocation("other", "x", "10.70.0.0/20", "a")}, "True StillInUse: nothing is given out any more", true},
		"it is protected by itself":  {[]func(*fleetwrightv1.AddressPool){deleted("")}, nil, "True DeletionProtected: deletionPolicy is Protect, which it is if it is not set: set it to Delete", false},
		"it is protected in so many": {[]func(*fleetwrightv1.AddressPool){deleted("Protect")}, nil, "True DeletionProtected: deletionPolicy is Protect, which it is if it is not set: set it to Delete", false},
		"an import": {
			[]func(*fleetwrightv1.AddressPool){deleted("Delete")}, []*fleetwrightv1.AddressAllocation{anAllocation("corp", "x", "10.64.0.0/20", "")},
			"True StillInUse: ranges that are given out: 1, such as 10.64.0.0/20 of AddressAllocation platform/x (imported by hand); " +
				"delete the AddressClaims, whose ranges rest for 24h then, and the imports that nobody uses", false,
		},
		"what rests": {
			[]func(*fleetwrightv1.AddressPool){deleted("Delete")}, []*fleetwrightv1.AddressAllocation{anAllocation("corp", "x", "10.64.0.0/20", "a", givenBack)},
			"True StillInUse: ranges that are given out: 1, such as 10.64.0.0/20 of AddressAllocation platform/x (for AddressClaim prod/a); " +
				"delete the AddressClaims, whose ranges rest for 24h then, and the imports that nobody uses", false,
		},
		"what was chosen": {
			[]func(*fleetwrightv1.AddressPool){deleted("Delete"), choosing("x", "10.64.0.0/20")}, nil,
			"True StillInUse: ranges that are given out: 1, such as 10.64.0.0/20 of AddressAllocation platform/x (chosen for AddressClaim prod/new, and not recorded yet); " +
				"delete the AddressClaims, whose ranges rest for 24h then, and the imports that nobody uses", false,
		},
		"what nobody can read": {
			[]func(*fleetwrightv1.AddressPool){deleted("Delete"), annotated("{")}, nil,
			"True StillInUse: what is given out cannot be told: annotation fleetwright.io/allocating cannot be read (unexpected end of JSON input): " +
				"take it off once all AddressAllocations that it names exist", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := decide(worldOf(aPool("corp", 0, "10.64.0.0/16", tc.change...), nil, tc.allocations...), noon)
			if got := saidBy(t, p.conditions, "Deleting"); got != tc.want {
				t.Errorf("Deleting is\n%s\nwant\n%s", got, tc.want)
			}
			if p.letGo != tc.goes {
				t.Errorf("it is let go: %t", p.letGo)
			}
		})
	}
}
