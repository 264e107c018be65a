package addressclaim

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

var (
	modelPool = types.NamespacedName{Namespace: "platform", Name: "corp"}
	modelLand = []netip.Prefix{netip.MustParsePrefix("10.64.0.0/20")}
)

// model is an API server with one pool and some claims, and operators of which each does one step after the other. It carries out plans in the
// order of act.go.
type model struct {
	version     int
	choices     map[string]choice
	allocations map[string]allocation
	claims      map[types.NamespacedName]*modelClaim
	operators   []*operator
	now         time.Time
}

type modelClaim struct {
	spec     fleetwrightv1.AddressClaimSpec
	deleting bool
}

// operator is one process at one claim. Two of them are at each.
type operator struct {
	claim   types.NamespacedName
	next    func()
	version int
	read    map[string]choice
}

func newModel(t *rapid.T) *model {
	m := &model{choices: map[string]choice{}, allocations: map[string]allocation{}, claims: map[types.NamespacedName]*modelClaim{}, now: time.Unix(1_800_000_000, 0)}
	for _, name := range []string{"a", "b", "c"} {
		key := types.NamespacedName{Namespace: "prod", Name: name}
		m.begin(t, key)
		m.operators = append(m.operators, &operator{claim: key}, &operator{claim: key})
	}
	return m
}

// begin makes a claim.
func (m *model) begin(t *rapid.T, key types.NamespacedName) {
	c := &modelClaim{spec: fleetwrightv1.AddressClaimSpec{ClusterName: key.Name}}
	for _, name := range []string{"vnet", "more"}[:rapid.IntRange(1, 2).Draw(t, "ranges")] {
		c.spec.Ranges = append(c.spec.Ranges, fleetwrightv1.ClaimedRange{
			Name: name, PoolRef: fleetwrightv1.NamespacedReference{Name: modelPool.Name, Namespace: modelPool.Namespace},
			PrefixLength: int32(rapid.IntRange(21, 25).Draw(t, "length")),
		})
	}
	m.claims[key] = c
}

// step does the next thing of an operator.
func (m *model) step(t *rapid.T, o *operator) {
	if o.next != nil {
		do := o.next
		o.next = nil
		do()
		return
	}
	if m.claims[o.claim] == nil {
		m.begin(t, o.claim)
	}
	o.version, o.read = m.version, maps.Clone(m.choices)
	o.next = func() { m.decide(o) }
}

// decide reads the allocations, and decides.
func (m *model) decide(o *operator) {
	c := m.claims[o.claim]
	if c == nil {
		return
	}
	all := slices.Collect(maps.Values(m.allocations))
	w := world{
		claim: o.claim, spec: c.spec, deleting: c.deleting, marked: true, created: m.now,
		pools: map[types.NamespacedName]pool{modelPool: {prefixes: modelLand, choices: o.read, allocations: all}},
	}
	for _, a := range all {
		if isOf(a.spec, o.claim) && !a.back {
			w.kept = append(w.kept, a)
		}
	}
	p := decide(w, m.now)
	write := func(then func()) func() {
		return func() {
			if len(p.steps) == 0 || !p.steps[0].write {
				then()
			} else if m.version == o.version {
				m.version++
				m.choices = p.steps[0].choices
				then()
			}
		}
	}
	switch p.action {
	case take:
		o.next = write(func() { m.create(o, p.steps[0], func() {}) })
	case tidy:
		o.next = write(func() {})
	case settle:
		m.create(o, p.steps[0], func() { o.next = write(func() {}) })
	case giveBack:
		o.next = func() {
			for _, k := range w.kept {
				if a, there := m.allocations[k.name]; there && isOf(a.spec, o.claim) {
					a.back, a.spec.ReleasedTime = true, metav1.NewTime(m.now)
					m.allocations[k.name] = a
				}
			}
		}
	case letGo:
		o.next = func() { delete(m.claims, o.claim) }
	case nothing:
	}
}

// create makes one allocation after the other.
func (m *model) create(o *operator, s step, then func()) {
	names := slices.Sorted(maps.Keys(s.create))
	var one func()
	one = func() {
		if len(names) == 0 {
			then()
			return
		}
		name := names[0]
		c := s.create[name]
		names = names[1:]
		if there, is := m.allocations[name]; is && !same(there.spec, c.Spec) {
			return
		} else if !is {
			m.allocations[name] = allocation{namespace: modelPool.Namespace, name: name, spec: c.Spec, prefix: c.prefix, created: m.now}
		}
		o.next = one
	}
	o.next = one
}

// atWork is true while somebody is at a claim.
func (m *model) atWork(claim types.NamespacedName) bool {
	return slices.ContainsFunc(m.operators, func(o *operator) bool { return o.claim == claim && o.next != nil })
}

// In whatever order operators do their steps, wherever they end, and whenever claims go and come again: no two allocations overlap,
// and in the end everybody has what he asks for, or hears why not.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		anyone := func(t *rapid.T) *operator { return rapid.SampledFrom(m.operators).Draw(t, "operator") }
		t.Repeat(map[string]func(*rapid.T){
			"steps": func(t *rapid.T) {
				for range rapid.IntRange(1, 8).Draw(t, "n") {
					m.now = m.now.Add(time.Second)
					m.step(t, anyone(t))
				}
			},
			"time passes": func(*rapid.T) { m.now = m.now.Add(staleAfter + time.Second) },
			"one ends":    func(t *rapid.T) { anyone(t).next = nil },
			"a claim is deleted": func(t *rapid.T) {
				if c := m.claims[anyone(t).claim]; c != nil {
					c.deleting = true
				}
			},
			"all has rested": func(*rapid.T) {
				// A rest is longer than anybody is at work.
				maps.DeleteFunc(m.allocations, func(_ string, a allocation) bool {
					return a.back && !m.atWork(types.NamespacedName{Namespace: a.spec.Claim.Namespace, Name: a.spec.Claim.Name})
				})
			},
			"": func(t *rapid.T) {
				var prefixes []netip.Prefix
				all := slices.Collect(maps.Values(m.allocations))
				for _, a := range all {
					prefixes = append(prefixes, a.prefix)
				}
				if a, b, is := cidr.Overlapping(prefixes); is {
					t.Fatalf("%+v and %+v overlap", all[a], all[b])
				}
			},
		})
		m.settle(t)
	})
}

// settle lets one operator per claim do all he can, and looks whether everybody has what he asks for, or hears why not.
func (m *model) settle(t *rapid.T) {
	for _, o := range m.operators {
		o.next = nil
	}
	for range 60 {
		for i := range m.operators {
			if i%2 == 0 {
				m.step(t, m.operators[i])
			}
		}
	}
	for key, c := range m.claims {
		w := world{claim: key, spec: c.spec, marked: true, pools: map[types.NamespacedName]pool{modelPool: {
			prefixes: modelLand, choices: m.choices, allocations: slices.Collect(maps.Values(m.allocations)),
		}}}
		if p := decide(w, m.now); c.deleting || p.verdict != stuck && p.action != nothing && p.action != tidy {
			t.Fatalf("claim %s does not come to an end: deleting %t, %s", key, c.deleting, p)
		}
	}
}
