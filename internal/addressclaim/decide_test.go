package addressclaim

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/hold"
)

var (
	noon     = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	thePool  = types.NamespacedName{Namespace: "platform", Name: "corp"}
	theClaim = types.NamespacedName{Namespace: "prod", Name: "c"}
)

// given is an allocation of a range of a claim.
func given(name, text, claim, of string, change ...func(*allocation)) allocation {
	a := allocation{namespace: "platform", name: name, prefix: netip.MustParsePrefix(text), created: noon}
	a.spec = fleetwrightv1.AddressAllocationSpec{PoolName: "corp", CIDR: text}
	if claim != "" {
		a.spec.Claim = fleetwrightv1.AllocationClaim{Name: claim, Namespace: "prod", Range: of}
	}
	for _, c := range change {
		c(&a)
	}
	return a
}

func chosen(text, claim string, at time.Time) choice {
	return choice{Spec: given("", text, claim, "vnet").spec, Time: metav1.NewTime(at), prefix: netip.MustParsePrefix(text)}
}

// theWorld is a claim of one /20, and a pool of one /16.
func theWorld(change ...func(*world, *pool)) world {
	p := pool{prefixes: []netip.Prefix{netip.MustParsePrefix("10.64.0.0/16")}, choices: map[string]choice{}}
	w := world{claim: theClaim, created: noon, marked: true, clusterThere: true, spec: fleetwrightv1.AddressClaimSpec{
		ClusterName: "c", Ranges: ranges{{Name: "vnet", PoolRef: fleetwrightv1.NamespacedReference{Name: "corp", Namespace: "platform"}, PrefixLength: 20}},
	}}
	for _, c := range change {
		c(&w, &p)
	}
	w.pools = map[types.NamespacedName]pool{thePool: p}
	return w
}

func with(all ...allocation) func(*world, *pool) {
	return func(_ *world, p *pool) { p.allocations = append(p.allocations, all...) }
}

func choosing(name string, c choice) func(*world, *pool) {
	return func(_ *world, p *pool) { p.choices[name] = c }
}

func going(w *world, _ *pool) { w.deleting, w.clusterThere = true, false }

// told is a plan in short: what is done, what is written on the pool, what is made, and what it says.
func told(p plan) string {
	out := string(p.verdict) + " " + string(p.action) + " " + p.reason
	for _, s := range p.steps {
		if s.write {
			text, _ := writeChoices(s.choices)
			out += " writes"
			for part := range strings.SplitSeq(text, `"`) {
				if strings.HasPrefix(part, "corp-") {
					out += " " + part
				}
			}
		}
		for name := range s.create {
			out += " makes " + name
		}
	}
	return out
}

func TestDecide(t *testing.T) {
	const first, second = "corp-0a400000-20", "corp-0a401000-20"
	mine := given(first, "10.64.0.0/20", "c", "vnet")
	for name, test := range map[string]struct {
		w    world
		want string
	}{
		"it takes":                         {theWorld(), "Done Take Bound writes " + first + " makes " + first},
		"beside others":                    {theWorld(with(given("x", "10.64.0.0/24", "", ""))), "Done Take Bound writes corp-0a401000-20 makes corp-0a401000-20"},
		"beside what others choose":        {theWorld(choosing(first, chosen("10.64.0.0/20", "other", noon))), "Done Take Bound writes " + first + " " + second + " makes " + second},
		"it leaves out what is finished":   {theWorld(choosing(first, chosen("10.64.0.0/20", "other", noon)), with(given(first, "10.64.0.0/20", "other", "vnet"))), "Done Take Bound writes " + second + " makes " + second},
		"it goes on after the write":       {theWorld(choosing(first, chosen("10.64.0.0/20", "c", noon))), "Done Take Bound makes " + first},
		"it has":                           {theWorld(with(mine)), "Done None Bound"},
		"it has lost its finalizer":        {theWorld(with(mine), func(w *world, _ *pool) { w.marked = false }), "Done Take Bound"},
		"it tidies":                        {theWorld(with(mine), choosing(first, chosen("10.64.0.0/20", "c", noon))), "Done Tidy Bound writes"},
		"it leaves others' tidying":        {theWorld(with(mine, given(second, "10.64.16.0/20", "o", "vnet")), choosing(second, chosen("10.64.16.0/20", "o", noon))), "Done None Bound"},
		"it finishes what is stale":        {theWorld(with(mine), choosing(second, chosen("10.64.16.0/20", "o", noon.Add(-11*time.Minute)))), "Done Take Bound writes " + second + " makes " + second},
		"an import was faster":             {theWorld(choosing(first, chosen("10.64.0.0/20", "c", noon)), with(given("x", "10.64.0.0/24", "", ""))), "Done Take Bound writes " + second + " makes " + second},
		"somebody says that it gave back":  {theWorld(with(given(first, "10.64.0.0/20", "c", "vnet", func(a *allocation) { a.spec.ReleasedTime = metav1.NewTime(noon) }))), "Done None Bound"},
		"what rests is not its own":        {theWorld(with(given(first, "10.64.0.0/20", "c", "vnet", func(a *allocation) { a.back = true }))), "Done Take Bound writes " + second + " makes " + second},
		"what leaves still is":             {theWorld(with(given(first, "10.64.0.0/20", "c", "vnet", func(a *allocation) { a.leaving = true }))), "Done None Bound"},
		"the older of two":                 {theWorld(with(given(second, "10.64.16.0/20", "c", "vnet", func(a *allocation) { a.created = noon.Add(-time.Hour) }), mine)), "Done None Bound"},
		"another size":                     {theWorld(with(given("x", "10.64.0.0/22", "c", "vnet"))), "Stuck None Overlaps"},
		"another size, deleted":            {theWorld(with(given("x", "10.64.0.0/22", "c", "vnet", func(a *allocation) { a.leaving = true }))), "Done Take Bound writes " + second + " makes " + second},
		"a pool that gives nothing":        {theWorld(func(_ *world, p *pool) { p.obstacle = &obstacle{waiting, "PoolNotReady", "x"} }), "Waiting None PoolNotReady"},
		"and what it gave":                 {theWorld(with(mine), func(_ *world, p *pool) { p.obstacle = &obstacle{waiting, "PoolNotReady", "x"} }), "Done None Bound"},
		"paused":                           {theWorld(paused(false)), "Held None Frozen"},
		"paused with all":                  {theWorld(with(mine), choosing(first, chosen("10.64.0.0/20", "c", noon)), paused(false)), "Done None Bound"},
		"paused for what is disruptive":    {theWorld(paused(true)), "Done Take Bound writes " + first + " makes " + first},
		"deleted, and the cluster is here": {theWorld(going, kept(mine), func(w *world, _ *pool) { w.clusterThere = true }), "Waiting None InUse"},
		"deleted and paused":               {theWorld(going, kept(mine), paused(false)), "Held None Frozen"},
		"deleted":                          {theWorld(going, kept(mine)), "Working GiveBack GivingBack"},
		"deleted with nothing":             {theWorld(going), "Working LetGo GivingBack"},
		"deleted right after the write":    {theWorld(going, choosing(first, chosen("10.64.0.0/20", "c", noon))), "Working Settle GivingBack writes makes " + first},
		"deleted before it was tidy":       {theWorld(going, kept(mine), choosing(first, chosen("10.64.0.0/20", "c", noon)), choosing(second, chosen("10.64.16.0/20", "o", noon))), "Working Settle GivingBack writes " + second},
		"deleted beside what is stale":     {theWorld(going, choosing(second, chosen("10.64.16.0/20", "o", noon.Add(-time.Hour)))), "Working LetGo GivingBack"},
		"deleted, and nobody can tell":     {theWorld(going, kept(mine), func(_ *world, p *pool) { p.unreadable, p.obstacle = true, &obstacle{waiting, "PoolNotReady", "x"} }), "Waiting None GivingBack"},
	} {
		t.Run(name, func(t *testing.T) {
			p := decide(test.w, noon)
			if got := told(p); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if p.message == "" || p.again == 0 {
				t.Errorf("it says %q, and looks again in %s", p.message, p.again)
			}
		})
	}
}

func kept(all ...allocation) func(*world, *pool) {
	return func(w *world, p *pool) {
		w.kept = append(w.kept, all...)
		p.allocations = append(p.allocations, all...)
	}
}

func paused(nonDisruptive bool) func(*world, *pool) {
	return func(w *world, _ *pool) {
		w.hold = hold.Hold{Reason: "Frozen", Message: "x", NonDisruptive: nonDisruptive}
	}
}

// A pool that is missing calls a person only after a while.
func TestPatience(t *testing.T) {
	w := theWorld(func(_ *world, p *pool) { p.obstacle = &obstacle{waiting, "PoolNotFound", "x"} })
	for after, want := range map[time.Duration]verdict{time.Minute: waiting, 10 * time.Minute: waiting, 10*time.Minute + time.Second: stuck} {
		if got := decide(w, noon.Add(after)).verdict; got != want {
			t.Errorf("after %s: %s, want %s", after, got, want)
		}
	}
}

func TestAnnotation(t *testing.T) {
	for text, want := range map[string]string{
		`{`: "cannot be read", `{"x": {"spec": {"cidr": "10.0.0.1/8"}}}`: `entry x: "10.0.0.1/8" has host bits`,
	} {
		if _, err := readChoices(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	before := map[string]choice{"corp-0a400000-20": chosen("10.64.0.0/20", "c", noon)}
	text, err := writeChoices(before)
	if err != nil || text != `{"corp-0a400000-20":{"spec":{"poolName":"corp","cidr":"10.64.0.0/20","claim":{"name":"c","namespace":"prod","range":"vnet"}},"time":"2026-11-26T12:00:00Z"}}` {
		t.Errorf("written is %s, %v", text, err)
	}
	after, err := readChoices(text)
	if err != nil || len(after) != 1 || !same(after["corp-0a400000-20"].Spec, before["corp-0a400000-20"].Spec) || after["corp-0a400000-20"].prefix.String() != "10.64.0.0/20" {
		t.Errorf("read is %+v, %v", after, err)
	}
}
