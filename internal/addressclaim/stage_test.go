package addressclaim

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

type ranges = []fleetwrightv1.ClaimedRange

// stage is a namespace with claims and one with pools on a real API server, and one reconciler. Its clock is Fleetwright's alone.
type stage struct {
	t *testing.T
	// here is the namespace of the claims, platform that of the pools.
	here, platform string
	clock          *testclock.FakePassiveClock
	reconciler     *Reconciler
	recorder       *events.FakeRecorder
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, clock: testclock.NewFakePassiveClock(time.Now().Truncate(time.Second)), recorder: events.NewFakeRecorder(1000)}
	for _, name := range []*string{&s.here, &s.platform} {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-", Labels: map[string]string{"test": strings.ToLower(path.Base(t.Name()))}}}
		s.create(ns)
		*name = ns.Name
	}
	s.restart()
	t.Cleanup(s.clear)
	return s
}

// clear takes pools and allocations away: the test with a manager would look after those of all others.
func (s *stage) clear() {
	ctx := context.Background()
	var list fleetwrightv1.AddressAllocationList
	if err := server.List(ctx, &list, client.InNamespace(s.platform)); err != nil {
		s.t.Error(err)
	}
	for i := range list.Items {
		a := &list.Items[i]
		a.Finalizers = nil
		if err := client.IgnoreNotFound(server.Update(ctx, a)); err != nil {
			s.t.Error(err)
		}
	}
	for _, o := range []client.Object{&fleetwrightv1.AddressAllocation{}, &fleetwrightv1.AddressPool{}} {
		if err := server.DeleteAllOf(ctx, o, client.InNamespace(s.platform)); err != nil {
			s.t.Error(err)
		}
	}
}

// restart ends the process and begins another.
func (s *stage) restart() {
	s.reconciler = &Reconciler{Client: server, Live: server, Recorder: s.recorder, Clock: s.clock, Namespace: "fleetwright-system"}
}

func (s *stage) create(o client.Object) {
	s.t.Helper()
	if err := server.Create(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) delete(o client.Object) {
	s.t.Helper()
	if err := server.Delete(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

// get reads an object; false when it is gone.
func (s *stage) get(o client.Object) bool {
	s.t.Helper()
	err := server.Get(s.t.Context(), client.ObjectKeyFromObject(o), o)
	if client.IgnoreNotFound(err) != nil {
		s.t.Fatal(err)
	}
	return err == nil
}

// edit changes an object of the server.
func edit[T client.Object](s *stage, o T, change func(T)) {
	s.t.Helper()
	if !s.get(o) {
		s.t.Fatalf("%s is gone", o.GetName())
	}
	change(o)
	if err := server.Update(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

// pool makes a pool that everybody may have parts of, and reports that it is ready.
func (s *stage) pool(name string, prefixes ...string) *fleetwrightv1.AddressPool {
	s.t.Helper()
	p := &fleetwrightv1.AddressPool{ObjectMeta: metav1.ObjectMeta{Namespace: s.platform, Name: name}}
	p.Spec.Prefixes = prefixes
	p.Spec.AllowedNamespaces = fleetwrightv1.AllowedNamespaces{Selector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "kubernetes.io/metadata.name", Operator: "Exists"}}}}
	s.create(p)
	s.report(p, metav1.ConditionTrue, "Ready", "")
	return p
}

// report says, as the other controller would, how the pool is about its present spec.
func (s *stage) report(p *fleetwrightv1.AddressPool, status metav1.ConditionStatus, reason, message string) {
	s.t.Helper()
	s.get(p)
	p.Status = fleetwrightv1.AddressPoolStatus{ObservedGeneration: p.Generation, Conditions: []metav1.Condition{{
		Type: "Ready", Status: status, Reason: reason, Message: message, ObservedGeneration: p.Generation, LastTransitionTime: metav1.Now(),
	}}}
	if err := server.Status().Update(s.t.Context(), p); err != nil {
		s.t.Fatal(err)
	}
}

// from is a range of a pool with a length.
func (s *stage) from(name, pool string, length int32) fleetwrightv1.ClaimedRange {
	return fleetwrightv1.ClaimedRange{Name: name, PoolRef: fleetwrightv1.NamespacedReference{Name: pool, Namespace: s.platform}, PrefixLength: length}
}

func (s *stage) claim(name string, all ...fleetwrightv1.ClaimedRange) *fleetwrightv1.AddressClaim {
	s.t.Helper()
	a := &fleetwrightv1.AddressClaim{ObjectMeta: metav1.ObjectMeta{Namespace: s.here, Name: name}}
	a.Spec.ClusterName, a.Spec.Ranges = name, all
	s.create(a)
	return a
}

func (s *stage) cluster(name string) *clusterv1.Cluster {
	s.t.Helper()
	c := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Namespace: s.here, Name: name}}
	c.Spec.ControlPlaneRef = clusterv1.ContractVersionedObjectReference{APIGroup: "x.y", Kind: "A", Name: name}
	s.create(c)
	return c
}

// look reconciles once and says what the claim reports then.
func (s *stage) look(a *fleetwrightv1.AddressClaim) string {
	s.t.Helper()
	if _, err := s.reconciler.Reconcile(s.t.Context(), a.DeepCopy()); err != nil {
		s.t.Fatal(err)
	}
	return s.says(a)
}

// says are the conditions of a claim that matter, with the message of the one that tells most.
func (s *stage) says(a *fleetwrightv1.AddressClaim) string {
	s.t.Helper()
	if !s.get(a) {
		return "gone"
	}
	var out []string
	for _, c := range a.Status.Conditions {
		if c.Type == "Ready" || c.Status == metav1.ConditionTrue {
			out = append(out, c.Type+" "+string(c.Status)+" "+c.Reason)
		}
	}
	return strings.Join(out, ", ")
}

func (s *stage) expect(a *fleetwrightv1.AddressClaim, what, want string, message ...string) {
	s.t.Helper()
	if got := s.look(a); got != want {
		s.t.Fatalf("%s:\n got %s\nwant %s\n%+v", what, got, want, a.Status.Conditions)
	}
	for _, m := range message {
		if got := a.Status.Conditions[0].Message; !strings.Contains(got, m) {
			s.t.Errorf("%s: the message is %q, and does not say %q", what, got, m)
		}
	}
}

// bound are the ranges that a claim reports.
func bound(a *fleetwrightv1.AddressClaim) string {
	var out []string
	for _, r := range a.Status.Ranges {
		out = append(out, r.Name+" "+r.CIDR)
	}
	return strings.Join(out, ", ")
}

func (s *stage) allocations() []fleetwrightv1.AddressAllocation {
	s.t.Helper()
	var list fleetwrightv1.AddressAllocationList
	if err := server.List(s.t.Context(), &list, client.InNamespace(s.platform)); err != nil {
		s.t.Fatal(err)
	}
	slices.SortFunc(list.Items, func(a, b fleetwrightv1.AddressAllocation) int { return cmp.Compare(a.Name, b.Name) })
	return list.Items
}

// given is one line for all allocations: who has what.
func (s *stage) given() string {
	s.t.Helper()
	var out []string
	for _, a := range s.allocations() {
		line := a.Spec.CIDR + " " + cmp.Or(a.Spec.Claim.Name, "nobody")
		if a.Spec.Claim.Range != "" {
			line += "/" + a.Spec.Claim.Range
		}
		if !a.Spec.ReleasedTime.IsZero() {
			line += " rests"
		}
		if len(a.Finalizers) > 0 {
			line += " kept"
		}
		out = append(out, line)
	}
	return strings.Join(out, ", ")
}

func (s *stage) wantGiven(what, want string) {
	s.t.Helper()
	if got := s.given(); got != want {
		s.t.Fatalf("%s: given out are\n%s, want\n%s", what, got, want)
	}
}

// allocating is the annotation of a pool.
func (s *stage) allocating(p *fleetwrightv1.AddressPool) string {
	s.t.Helper()
	s.get(p)
	return p.Annotations[fleetwrightv1.AnnotationAllocating]
}

// imported makes an allocation as people do.
func (s *stage) imported(pool, name, text string) *fleetwrightv1.AddressAllocation {
	s.t.Helper()
	a := &fleetwrightv1.AddressAllocation{ObjectMeta: metav1.ObjectMeta{Namespace: s.platform, Name: name}}
	a.Spec.PoolName, a.Spec.CIDR = pool, text
	s.create(a)
	return a
}

// overlap is the first pair of allocations that overlap; empty for none.
func overlap(t *testing.T, all []fleetwrightv1.AddressAllocation) string {
	t.Helper()
	prefixes := make([]netip.Prefix, 0, len(all))
	for i := range all {
		p, err := cidr.Parse(all[i].Spec.CIDR)
		if err != nil {
			t.Fatal(err)
		}
		prefixes = append(prefixes, p)
	}
	a, b, is := cidr.Overlapping(prefixes)
	if !is {
		return ""
	}
	return fmt.Sprintf("%s of %s and %s of %s", all[a].Name, all[a].Spec.Claim.Name, all[b].Name, all[b].Spec.Claim.Name)
}
