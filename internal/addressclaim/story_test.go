package addressclaim

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

const fine = "Ready True Bound"

// A claim from its first look to its last: sized for nodes, with nested ranges, kept while the cluster is there, given back afterwards.
func TestStoryOfAClaim(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	vnet := s.from("vnet", "corp", 0)
	nodes := fleetwrightv1.ClaimedRange{Name: "nodes", Within: "vnet", Sizing: fleetwrightv1.RangeSizing{Purpose: "Nodes", Mode: "Overlay", MaxNodes: 950}}
	endpoints := fleetwrightv1.ClaimedRange{Name: "endpoints", Within: "vnet", PrefixLength: 26}
	overlay := fleetwrightv1.ClaimedRange{Name: "pods", CIDR: "100.64.0.0/12"}
	a := s.claim("prod", endpoints, vnet, nodes, overlay)
	s.expect(a, "it is bound", fine, "endpoints 10.64.8.0/26, vnet 10.64.0.0/20, nodes 10.64.0.0/21, pods 100.64.0.0/12")
	if got := bound(a); got != "endpoints 10.64.8.0/26, vnet 10.64.0.0/20, nodes 10.64.0.0/21, pods 100.64.0.0/12" {
		t.Errorf("it has %s", got)
	}
	if got := a.Status.Ranges[1].Allocation; got != s.platform+"/corp-0a400000-20" || a.Status.Ranges[2].Allocation != "" {
		t.Errorf("kept by %+v", a.Status.Ranges)
	}
	s.wantGiven("one allocation", "10.64.0.0/20 prod/vnet kept")
	if got := s.allocations()[0]; got.Labels["fleetwright.io/cluster"] != "prod" {
		t.Errorf("labels %v", got.Labels)
	}
	if !strings.Contains(s.allocating(pool), "corp-0a400000-20") {
		t.Error("the choice was not written down")
	}
	s.expect(a, "the next look tidies", fine)
	if got := s.allocating(pool); got != "" {
		t.Errorf("left is %s", got)
	}
	version := pool.ResourceVersion
	s.expect(a, "and then it is at rest", fine)
	if s.get(pool); pool.ResourceVersion != version {
		t.Error("it writes at rest")
	}

	// Deleting all status changes nothing but the report.
	a.Status = fleetwrightv1.AddressClaimStatus{}
	if err := server.Status().Update(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	s.expect(a, "status is wiped", fine, "nodes 10.64.0.0/21")
	// Neither does a pool that gives out nothing, or does not let the namespace in any more.
	edit(s, pool, func(p *fleetwrightv1.AddressPool) { p.Spec.AllowedNamespaces = fleetwrightv1.AllowedNamespaces{} })
	s.expect(a, "what it has stays", fine)

	cluster := s.cluster("prod")
	s.delete(a)
	s.expect(a, "the cluster uses it", "Ready False InUse, Deleting True InUse", "Cluster prod still exists: the ranges are given back when it is gone")
	if bound(a) == "" {
		t.Error("it does not tell of ranges that are in use")
	}
	s.delete(&s.allocations()[0])
	s.expect(a, "an allocation is deleted by hand", "Ready False InUse, Deleting True InUse")
	s.wantGiven("and stays", "10.64.0.0/20 prod/vnet kept")
	s.delete(cluster)
	s.expect(a, "it is given back", "Ready False GivingBack, Deleting True GivingBack", "1 range is given back, and rests")
	s.wantGiven("what was deleted goes at once", "")
	s.expect(a, "and goes", "gone")
}

// What is given back rests, and nobody gets it meanwhile.
func TestARangeRests(t *testing.T) {
	s := newStage(t)
	s.pool("corp", "10.64.0.0/24")
	a := s.claim("first", s.from("vnet", "corp", 24))
	s.expect(a, "it is bound", fine)
	s.delete(a)
	// What it has chosen last is written down on the pool still.
	s.expect(a, "it settles", "Ready False GivingBack, Deleting True GivingBack", "written down")
	s.expect(a, "it gives back", "Ready False GivingBack, Deleting True GivingBack")
	s.wantGiven("it rests", "10.64.0.0/24 first/vnet rests")
	if got := s.allocations()[0].Spec.ReleasedTime; !got.Time.Equal(s.clock.Now()) {
		t.Errorf("given back at %s", got)
	}
	s.expect(a, "it goes", "gone")
	again := s.claim("first", s.from("vnet", "corp", 24))
	s.expect(again, "not even who had it", "Ready False Exhausted, Stalled True Exhausted", "no /24 is free for range vnet: nothing is free")
	exact := s.claim("exact", fleetwrightv1.ClaimedRange{Name: "vnet", PoolRef: s.from("", "corp", 0).PoolRef, CIDR: "10.64.0.0/24"})
	s.expect(exact, "or wants just that", "Ready False Overlaps, Stalled True Overlaps", "which is taken by AddressAllocation corp-0a400000-24, which was given back and rests")
	s.delete(&s.allocations()[0])
	s.expect(again, "when it is gone", fine)
}

// All of the ranges or none.
func TestExhausted(t *testing.T) {
	s := newStage(t)
	small, large := s.pool("a-large", "10.64.0.0/16"), s.pool("b-small", "10.80.0.0/24")
	a := s.claim("prod", s.from("vnet", "a-large", 20), s.from("services", "b-small", 22))
	const stuck = "Ready False Exhausted, Stalled True Exhausted"
	s.expect(a, "one pool has no room", stuck, "AddressPool "+s.platform+"/b-small: no /22 is free for range services: the largest free range is a /24; add prefixes to the pool")
	if s.wantGiven("nothing is given out", ""); len(a.Status.Ranges) != 0 || s.allocating(small) != "" || s.allocating(large) != "" {
		t.Errorf("something is: %+v", a.Status.Ranges)
	}
	edit(s, large, func(p *fleetwrightv1.AddressPool) { p.Spec.Prefixes = append(p.Spec.Prefixes, "10.81.0.0/16") })
	s.expect(a, "the pool grows, and nobody has looked at it", "Ready False PoolNotReady", "was not looked at since it was changed")
	s.report(large, metav1.ConditionTrue, "Ready", "")
	s.expect(a, "the pool has grown", fine)
	if bound(a) != "vnet 10.64.0.0/20, services 10.81.0.0/22" {
		t.Errorf("it has %s", bound(a))
	}
}

// What keeps a claim from being bound, each with one sentence.
func TestObstacles(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	edit(s, pool, func(p *fleetwrightv1.AddressPool) {
		p.Spec.Reserved = []fleetwrightv1.ReservedPrefix{{Prefix: "10.64.0.0/20", Reason: "routers"}}
	})
	s.report(pool, metav1.ConditionTrue, "Ready", "")
	s.imported("corp", "old", "10.64.64.0/20")
	exact := func(text string) fleetwrightv1.ClaimedRange {
		return fleetwrightv1.ClaimedRange{Name: "vnet", PoolRef: s.from("", "corp", 0).PoolRef, CIDR: text}
	}
	sized := fleetwrightv1.ClaimedRange{Name: "nodes", Within: "vnet", Sizing: fleetwrightv1.RangeSizing{Purpose: "Nodes", Mode: "Overlay", MaxNodes: 3}}
	six := s.pool("six", "fd00::/48")
	_ = six
	for name, test := range map[string]struct {
		ranges  ranges
		want    string
		message string
	}{
		"imported":       {ranges{exact("10.64.64.0/22")}, "Ready False Overlaps, Stalled True Overlaps", "10.64.64.0/22 for range vnet overlaps 10.64.64.0/20, which is taken by AddressAllocation old, which somebody has imported: delete that one"},
		"reserved":       {ranges{exact("10.64.0.0/24")}, "Ready False Overlaps, Stalled True Overlaps", "overlaps 10.64.0.0/20, which is reserved; take it out of the pool's reserved parts"},
		"outside":        {ranges{exact("10.65.0.0/24")}, "Ready False InvalidSpec, Stalled True InvalidSpec", "10.65.0.0/24 for range vnet does not lie in one of the prefixes; add it to the pool's prefixes"},
		"no pool":        {ranges{s.from("vnet", "nothing", 20)}, "Ready False PoolNotFound", "AddressPool " + s.platform + "/nothing does not exist"},
		"no such length": {ranges{s.from("vnet", "corp", 64)}, "Ready False InvalidSpec, Stalled True InvalidSpec", "range vnet cannot be a /64: give a length from 1 to 32"},
		"too small":      {ranges{s.from("vnet", "corp", 30), sized}, "Ready False InvalidSpec, Stalled True InvalidSpec", "within range vnet, which is 10.64.16.0/30: no /28 is free for range nodes: the largest free range is a /30"},
		"too many": {
			ranges{s.from("vnet", "corp", 0), {Name: "nodes", Within: "vnet", Sizing: fleetwrightv1.RangeSizing{Purpose: "Pods", Mode: "Overlay", MaxNodes: 5000}}},
			"Ready False Exhausted, Stalled True Exhausted", "no /11 is free for range vnet",
		},
		"exact within any": {
			ranges{s.from("vnet", "corp", 0), {Name: "nodes", Within: "vnet", CIDR: "10.64.80.0/24"}},
			"Ready False InvalidSpec, Stalled True InvalidSpec", "range nodes within it is to be 10.64.80.0/24: give vnet a cidr as well",
		},
		"sizing of IPv6": {ranges{s.from("vnet", "six", 56), sized}, "Ready False InvalidSpec, Stalled True InvalidSpec", "range nodes: sizing is of IPv4, and fd00::/56 is IPv6: give prefixLength instead"},
		"twice the same": {
			ranges{exact("10.64.80.0/24"), {Name: "other", PoolRef: s.from("", "corp", 0).PoolRef, CIDR: "10.64.80.0/25"}},
			"Ready False Overlaps, Stalled True Overlaps", "which is taken by another range of this claim",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stage{t: t, here: s.here, platform: s.platform, clock: s.clock, reconciler: s.reconciler, recorder: s.recorder}
			a := s.claim(strings.ReplaceAll(strings.ToLower(name), " ", "-"), test.ranges...)
			s.expect(a, name, test.want, test.message)
			if len(a.Finalizers) > 0 {
				t.Error("it has a finalizer and nothing to give back")
			}
			s.delete(a)
			if got := s.says(a); got != "gone" {
				t.Errorf("it is still there: %s", got)
			}
		})
	}
	s.wantGiven("only the import", "10.64.64.0/20 nobody")
	if got := s.allocating(pool); got != "" {
		t.Errorf("chosen is %s", got)
	}
	late := s.claim("late", s.from("vnet", "nothing", 20))
	s.clock.SetTime(s.clock.Now().Add(11 * time.Minute))
	s.expect(late, "nobody makes the pool", "Ready False PoolNotFound, Stalled True PoolNotFound")
}

// A range that is in use already is taken as it is, from IPv6 as well.
func TestARangeInUseIsTaken(t *testing.T) {
	s := newStage(t)
	s.pool("corp", "10.64.0.0/16")
	s.pool("six", "fd00::/48")
	ref := s.from("", "corp", 0).PoolRef
	a := s.claim(
		"prod", fleetwrightv1.ClaimedRange{Name: "vnet", PoolRef: ref, CIDR: "10.64.32.0/20"},
		fleetwrightv1.ClaimedRange{Name: "nodes", Within: "vnet", CIDR: "10.64.40.0/24"}, s.from("v6", "six", 64))
	s.expect(a, "it is bound", fine, "vnet 10.64.32.0/20, nodes 10.64.40.0/24, v6 fd00::/64")
	s.wantGiven("both", "10.64.32.0/20 prod/vnet kept, fd00::/64 prod/v6 kept")
}

// A pool lets in whom it selects, and nobody by an empty selector.
func TestForeignNamespace(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	selecting := func(labels map[string]string) {
		edit(s, pool, func(p *fleetwrightv1.AddressPool) {
			p.Spec.AllowedNamespaces.Selector = &metav1.LabelSelector{MatchLabels: labels}
		})
		s.report(pool, metav1.ConditionTrue, "Ready", "")
	}
	const no = "Ready False NamespaceNotAllowed, Stalled True NamespaceNotAllowed"
	a := s.claim("prod", s.from("vnet", "corp", 20))
	edit(s, pool, func(p *fleetwrightv1.AddressPool) { p.Spec.AllowedNamespaces = fleetwrightv1.AllowedNamespaces{} })
	s.expect(a, "nobody", no, "AddressPool "+s.platform+"/corp does not let namespace "+s.here+" have parts of it: let spec.allowedNamespaces.selector select the namespace")
	selecting(map[string]string{"test": "other"})
	s.expect(a, "others", no)
	selecting(map[string]string{"test": "testforeignnamespace"})
	s.expect(a, "it", fine)
	own := &fleetwrightv1.AddressClaim{ObjectMeta: metav1.ObjectMeta{Namespace: s.platform, Name: "own"}}
	own.Spec.ClusterName, own.Spec.Ranges = "own", ranges{{Name: "vnet", PoolRef: fleetwrightv1.NamespacedReference{Name: "corp"}, PrefixLength: 20}}
	selecting(nil)
	s.create(own)
	s.expect(own, "its own namespace needs no leave", fine)
}

// A pool that gives out nothing is quoted.
func TestPoolThatGivesNothing(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	a := s.claim("prod", s.from("vnet", "corp", 20))
	s.report(pool, metav1.ConditionFalse, "Overlaps", "it overlaps AddressPool x/y")
	s.expect(a, "it is not ready", "Ready False PoolNotReady", "is not ready: Overlaps: it overlaps AddressPool x/y")
	s.report(pool, metav1.ConditionTrue, "Ready", "")
	edit(s, pool, func(p *fleetwrightv1.AddressPool) {
		p.Annotations = map[string]string{"fleetwright.io/allocating": "{"}
	})
	s.expect(a, "its annotation is broken", "Ready False PoolNotReady", "annotation fleetwright.io/allocating cannot be read")
	edit(s, pool, func(p *fleetwrightv1.AddressPool) {
		p.Annotations, p.Finalizers = nil, []string{"test.io/x"}
	})
	s.delete(pool)
	s.report(pool, metav1.ConditionTrue, "Ready", "")
	s.expect(a, "it is deleted", "Ready False PoolNotReady", "is being deleted")
	s.wantGiven("nothing", "")
	edit(s, pool, func(p *fleetwrightv1.AddressPool) { p.Finalizers = nil })
}

// Who pauses it finds nothing changed; a Freeze of what is disruptive holds nothing back.
func TestHolds(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	freeze := &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: s.here, Name: "incident"}, Spec: fleetwrightv1.FreezeSpec{Scope: "All", Reconcile: "Paused", Reason: "INC-1"}}
	s.create(freeze)
	a := s.claim("prod", s.from("vnet", "corp", 20))
	s.expect(a, "it is frozen", "Ready False Frozen, Paused True Frozen", "INC-1; ranges wait to be taken")
	if s.wantGiven("nothing", ""); s.allocating(pool) != "" || len(a.Finalizers) > 0 {
		t.Error("something was written")
	}
	edit(s, freeze, func(f *fleetwrightv1.Freeze) { f.Spec.Reconcile = "NonDisruptive" })
	s.expect(a, "that does not matter", fine+", Paused True Frozen")
	s.delete(freeze)
	edit(s, a, func(a *fleetwrightv1.AddressClaim) { a.Spec.Reconcile = "Paused" })
	s.expect(a, "what it has, it has", fine+", Paused True Paused")
	s.delete(a)
	s.expect(a, "nothing is given back", "Ready False Paused, Paused True Paused, Deleting True Paused", "the AddressClaim says reconcile: Paused; the ranges stay meanwhile")
	s.wantGiven("it is kept", "10.64.0.0/20 prod/vnet kept")
	edit(s, a, func(a *fleetwrightv1.AddressClaim) { a.Spec.Reconcile = "Active" })
	for s.look(a) != "gone" {
	}
	s.wantGiven("it rests", "10.64.0.0/20 prod/vnet rests")
}

// An allocation that has lost its finalizer gets it again, unless it was given back or is of somebody else.
func TestAnAllocationIsKept(t *testing.T) {
	s := newStage(t)
	s.pool("corp", "10.64.0.0/16")
	a := s.claim("prod", s.from("vnet", "corp", 20))
	s.expect(a, "it is bound", fine)
	s.imported("corp", "old", "10.64.64.0/20")
	strip := func() {
		edit(s, &s.allocations()[0], func(a *fleetwrightv1.AddressAllocation) { a.Finalizers = nil })
	}
	strip()
	s.expect(a, "it is bound still", fine)
	s.wantGiven("and keeps it", "10.64.0.0/20 prod/vnet kept, 10.64.64.0/20 nobody")
	s.delete(&s.allocations()[0])
	s.expect(a, "whoever deletes it", fine, "vnet 10.64.0.0/20")
	s.wantGiven("it stays", "10.64.0.0/20 prod/vnet kept, 10.64.64.0/20 nobody")
	strip() // which ends it, since it was deleted
	s.imported("corp", "late", "10.64.0.0/24")
	s.recorder.Events = make(chan string, 10)
	s.expect(a, "its record is lost", fine, "vnet 10.64.16.0/20")
	if got := <-s.recorder.Events; !strings.Contains(got, "Warning RangeChanged range vnet was 10.64.0.0/20 and is 10.64.16.0/20 now") {
		t.Errorf("it tells %s", got)
	}
}

// An allocation stays while its claim is there, and goes when nobody asks for it.
func TestAllocationsOutliveHaste(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	a := s.claim("prod", s.from("vnet", "corp", 20))
	s.expect(a, "it is bound", fine)
	s.delete(&s.allocations()[0])
	s.expect(a, "it is deleted by hand", fine)
	s.expect(a, "and stays", fine)
	s.wantGiven("as it was", "10.64.0.0/20 prod/vnet kept")
	if s.allocating(pool) != "" {
		t.Error("it is not tidy")
	}
	// The claim is lost without giving back anything: its range stays, and another one of its name has it again.
	edit(s, a, func(a *fleetwrightv1.AddressClaim) { a.Finalizers = nil })
	s.delete(a)
	again := s.claim("prod", s.from("vnet", "corp", 20))
	s.expect(again, "it is found again", fine, "vnet 10.64.0.0/20")
	if len(again.Finalizers) != 1 {
		t.Error("it has no finalizer, and something to give back")
	}
	edit(s, again, func(a *fleetwrightv1.AddressClaim) { a.Finalizers = nil })
	s.delete(again)
	// Somebody asks for another size under the same name. The old range was deleted, so it goes; the new one is another.
	other := s.claim("prod", s.from("vnet", "corp", 22))
	s.expect(other, "it gets another range", fine, "vnet 10.64.16.0/22")
	s.wantGiven("and the old one went", "10.64.16.0/22 prod/vnet kept")
	edit(s, other, func(a *fleetwrightv1.AddressClaim) { a.Finalizers = nil })
	s.delete(other)
	wider := s.claim("prod", s.from("vnet", "corp", 20))
	s.expect(wider, "what was not deleted is in the way", "Ready False Overlaps, Stalled True Overlaps",
		"keeps 10.64.16.0/22 for range vnet of a claim of this name, and this one asks for a /20: delete the allocation once nothing uses it, or ask for the same")
	s.delete(wider)
	// Nobody asks any more.
	s.delete(&s.allocations()[0])
	s.wantGiven("its finalizer keeps it", "10.64.16.0/22 prod/vnet kept")
	if !strings.Contains(s.allocating(pool), "corp-0a401000-22") {
		t.Error("its choice is not written down any more")
	}
	if _, err := s.reconciler.fromCache().Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(wider)}); err != nil {
		t.Fatal(err)
	}
	s.wantGiven("until we hear of it", "")
	if got := s.allocating(pool); got != "" {
		t.Errorf("somebody will make it again: %s", got)
	}
}

// Somebody imports a range right when it was chosen: the import has it, and the claim gets another.
func TestAnImportComesFirst(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	a := s.claim("prod", s.from("vnet", "corp", 20))
	o := s.observed(a)
	if err := s.reconciler.writeDown(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"corp-0a400000-20": "10.64.0.0/20", "part": "10.64.16.0/24"} {
		s.imported("corp", name, text)
	}
	if err := s.reconciler.create(t.Context(), a, o); err == nil || !strings.Contains(err.Error(), "was made for something else meanwhile") {
		t.Errorf("made twice: %v", err)
	}
	s.expect(a, "it gets another", fine, "vnet 10.64.32.0/20")
	s.expect(a, "and is tidy", fine)
	if got := s.allocating(pool); got != "" {
		t.Errorf("left is %s", got)
	}
}

// An import comes between a choice and its record, and the pool sees both first: the claim takes its choice off the pool, which is in order then.
func TestAnImportStopsThePool(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	a := s.claim("prod", s.from("vnet", "corp", 20))
	if err := s.reconciler.writeDown(t.Context(), s.observed(a)); err != nil {
		t.Fatal(err)
	}
	s.imported("corp", "part", "10.64.1.0/24")
	s.report(pool, metav1.ConditionFalse, "Overlaps", "both overlap")
	edit(s, a, func(a *fleetwrightv1.AddressClaim) { a.Spec.Reconcile = "Paused" })
	s.expect(a, "it is paused", "Ready False PoolNotReady, Paused True Paused")
	if s.allocating(pool) == "" {
		t.Error("something was written")
	}
	edit(s, a, func(a *fleetwrightv1.AddressClaim) { a.Spec.Reconcile = "Active" })
	s.expect(a, "it waits for the pool", "Ready False PoolNotReady", "both overlap")
	if got := s.allocating(pool); got != "" {
		t.Errorf("the pool can never be ready: chosen is %s", got)
	}
	s.report(pool, metav1.ConditionTrue, "Ready", "")
	s.expect(a, "it gets another", fine, "vnet 10.64.16.0/20")
}

// Something else has the name of a record, be it of the pool or of another one: that range is passed over, and nobody is kept from the pool.
func TestNamesThatAreTaken(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	a, b, c := s.claim("prod", s.from("vnet", "corp", 20)), s.claim("second", s.from("vnet", "corp", 20)), s.claim("third", s.from("vnet", "corp", 20))
	// It comes between a choice and its record.
	for _, a := range []*fleetwrightv1.AddressClaim{a, c} {
		edit(s, a, func(a *fleetwrightv1.AddressClaim) { a.Finalizers = []string{fleetwrightv1.FinalizerAddressClaim} })
		if err := s.reconciler.writeDown(t.Context(), s.observed(a)); err != nil {
			t.Fatal(err)
		}
	}
	s.imported("corp", "corp-0a400000-20", "10.64.240.0/24")
	s.imported("other", "corp-0a401000-20", "10.64.16.0/20")
	s.expect(a, "the import of the pool", fine, "vnet 10.64.224.0/20")
	s.expect(b, "another claim", fine, "vnet 10.64.32.0/20")
	s.delete(c)
	for range 4 {
		s.look(c)
	}
	if got := s.says(c); got != "gone" {
		t.Fatalf("it does not end: %s", got)
	}
	exact := s.claim("exact", fleetwrightv1.ClaimedRange{Name: "vnet", PoolRef: s.from("", "corp", 0).PoolRef, CIDR: "10.64.16.0/20"})
	s.expect(exact, "who wants just that", "Ready False Overlaps, Stalled True Overlaps", "AddressAllocation "+s.platform+"/corp-0a401000-20 is of something else, and has the name of its record")
	s.look(b)
	if got := s.allocating(pool); got != "" {
		t.Errorf("left is %s", got)
	}
}

// observed is one look without its action.
func (s *stage) observed(a *fleetwrightv1.AddressClaim) *observation {
	s.t.Helper()
	o, err := s.reconciler.look(s.t.Context(), a)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// What others have left unfinished for long counts as given out, and becomes an allocation that people see.
func TestUnfinishedByOthers(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	lost := s.claim("lost", s.from("vnet", "corp", 20))
	if err := s.reconciler.writeDown(t.Context(), s.observed(lost)); err != nil {
		t.Fatal(err)
	}
	s.delete(lost)
	a := s.claim("prod", s.from("vnet", "corp", 20))
	s.expect(a, "it counts", fine, "vnet 10.64.16.0/20")
	s.wantGiven("and may yet be finished", "10.64.16.0/20 prod/vnet kept")
	s.clock.SetTime(s.clock.Now().Add(11 * time.Minute))
	s.expect(a, "the other is finished", fine)
	s.expect(a, "and tidied", fine)
	s.wantGiven("it can be seen", "10.64.0.0/20 lost/vnet kept, 10.64.16.0/20 prod/vnet kept")
	next := s.claim("next", s.from("vnet", "corp", 20))
	s.expect(next, "another one is bound", fine)
	s.expect(next, "and tidies for all", fine)
	if got := s.allocating(pool); got != "" {
		t.Errorf("left is %s", got)
	}
}

// A namespace that goes takes its claims and pools with it, finished or not.
func TestInANamespaceThatGoes(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	a := s.claim("prod", s.from("vnet", "corp", 20))
	edit(s, a, func(a *fleetwrightv1.AddressClaim) { a.Finalizers = []string{fleetwrightv1.FinalizerAddressClaim} })
	if err := s.reconciler.writeDown(t.Context(), s.observed(a)); err != nil {
		t.Fatal(err)
	}
	if err := server.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.platform}}); err != nil {
		t.Fatal(err)
	}
	s.delete(a)
	for range 4 {
		s.look(a)
	}
	if got := s.says(a); got != "gone" {
		t.Fatalf("it says %s", got)
	}
	if got := s.allocating(pool); got != "" || s.given() != "" {
		t.Errorf("left are %s and %s", got, s.given())
	}
}
