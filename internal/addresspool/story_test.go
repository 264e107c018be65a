package addresspool

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// A range from the day on which it is given out to the day on which it can be given out again.
func TestStoryOfARange(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	const empty = "Ready True Ready; 0 given out, 100% free, largest /16; again in 6h"
	s.expect("a new pool", "corp", empty)
	s.expect("left alone", "corp", empty)
	a := s.bind("corp", "prod", "10.64.0.0/20")
	const one = "Ready True Ready; 1 given out, 93% free, largest /17; again in 6h"
	s.expect("a range", "corp", one)
	s.reports(a, "Bound")
	if diff := cmp.Diff([]string{"Normal Ready 100% is free, the largest range is a /16"}, s.told()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	s.wipe(pool)
	s.wipe(a)
	s.expect("status is wiped", "corp", one)
	s.reports(a, "Bound")
	s.told()

	s.delete(a)
	s.expect("somebody deletes the allocation", "corp", one)
	s.reports(a, "Bound")
	claim := &fleetwrightv1.AddressClaim{}
	claim.Namespace, claim.Name = s.prod, "prod"
	s.delete(claim)
	s.expect("and the claim, which gives nothing back", "corp", one)
	s.reports(a, "Orphaned")
	if told := s.told(); len(told) != 1 || !strings.HasPrefix(told[0], "Warning Orphaned AddressClaim") {
		t.Errorf("events %q", told)
	}
	s.clock.SetTime(noon.Add(365 * 24 * time.Hour))
	s.expect("however long", "corp", one)
	s.reports(a, "Orphaned")
	s.clock.SetTime(noon)

	b := s.bind("corp", "next", "10.64.16.0/20")
	const both = "Ready True Ready; 2 given out, 87% free, largest /17; again in "
	s.expect("another", "corp", both+"6h")
	s.patch(b, `{"metadata": {"finalizers": null}, "spec": {"releasedTime": "2026-11-26T12:00:00Z"}}`)
	s.expect("which is given back", "corp", both+"6h")
	s.reports(b, "Quarantined")
	s.clock.SetTime(noon.Add(23 * time.Hour))
	s.expect("rests", "corp", both+"1h")
	s.reports(b, "Quarantined")
	s.clock.SetTime(noon.Add(24 * time.Hour))
	s.told()
	s.expect("and goes", "corp", both+"6h") // its deletion is told of by a watch
	s.reports(b, "gone")
	if diff := cmp.Diff([]string{"Normal Rested 10.64.16.0/20 has rested and can be given out again"}, s.told()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	s.expect("so that others can have it", "corp", one)
}

// What was read is deleted only if it still is so.
func TestARangeThatChangesMeanwhile(t *testing.T) {
	s := newStage(t)
	s.pool("corp", "10.64.0.0/16")
	a := s.bind("corp", "prod", "10.64.0.0/20")
	s.patch(a, `{"metadata": {"finalizers": null}, "spec": {"releasedTime": "2026-11-25T12:00:00Z"}}`)
	s.reconciler.Live = then{server, func(list client.ObjectList) {
		if _, is := list.(*fleetwrightv1.AddressAllocationList); is {
			s.patch(a, `{"metadata": {"annotations": {"somebody": "wants it"}}}`)
		}
	}}
	s.expect("somebody was faster", "corp", "Ready True Ready; 1 given out, 93% free, largest /17; again in 1s")
	s.reports(a, "nothing")
	s.reconciler.Live = server
	s.look("corp")
	s.reports(a, "gone")
}

// then does something after each list that is read.
type then struct {
	client.Reader
	do func(client.ObjectList)
}

func (r then) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	err := r.Reader.List(ctx, list, opts...)
	r.do(list)
	return err
}

// Imports that overlap stop the pool until one of them goes.
func TestImports(t *testing.T) {
	s := newStage(t)
	early := s.imported("corp", "early", "10.64.0.0/24")
	if got := s.look("corp"); got != "gone" {
		t.Fatal(got)
	}
	s.reports(early, "OutsidePool")
	s.pool("corp", "10.64.0.0/16")
	s.expect("the pool comes", "corp", "Ready True Ready; 1 given out, 99% free, largest /17; again in 6h")
	s.reports(early, "Imported")
	a := s.bind("corp", "prod", "10.64.16.0/20")
	wrong := s.imported("corp", "wrong", "10.64.16.0/24")
	s.told()
	s.expect("an import of what is given out", "corp", "Ready False Overlaps, Stalled True Overlaps; 3 given out, 93% free, largest /17; again in 6h")
	s.reports(a, "Overlaps")
	s.reports(wrong, "Overlaps")
	s.reports(early, "Imported")
	if told := s.told(); len(told) != 3 || !strings.HasPrefix(told[0], "Warning Overlaps ") {
		t.Errorf("events %q", told)
	}
	s.delete(wrong)
	s.expect("it goes", "corp", "Ready True Ready; 2 given out, 93% free, largest /17; again in 6h")
	s.reports(a, "Bound")
}

// A pool grows over another one: nobody gets what somebody has.
func TestNeighbours(t *testing.T) {
	s := newStage(t)
	a, b := s.pool("a", "10.64.0.0/16"), s.pool("b", "10.70.0.0/16")
	const fine = "Ready True Ready; 0 given out, 100% free, largest /16; again in 6h"
	s.expect("the older", "a", fine)
	s.expect("the younger", "b", fine)
	grow := func() { s.patch(a, `{"spec": {"prefixes": ["10.64.0.0/16", "10.70.0.0/16"]}}`) }
	grow()
	s.expect("it grows, while the younger gives out", "a", "Ready False Overlaps; 0 given out, 100% free, largest /16; again in 1m")
	s.expect("which stops", "b", "Ready False Overlaps, Stalled True Overlaps; 0 given out, 100% free, largest /16; again in 6h")
	s.expect("so that the older can have it", "a", fine)
	s.patch(a, `{"spec": {"prefixes": ["10.64.0.0/16"]}}`)
	s.expect("it shrinks", "a", fine)
	s.expect("and the younger gives out", "b", fine)

	x := s.bind("b", "x", "10.70.0.0/20")
	grow()
	const taken = "Ready False Overlaps, Stalled True Overlaps; 0 given out, 100% free, largest /16; again in 6h"
	s.expect("it grows again, over what was given out", "a", taken)
	s.expect("the younger stops", "b", "Ready False Overlaps, Stalled True Overlaps; 1 given out, 93% free, largest /17; again in 6h")
	s.reports(x, "Bound")
	s.expect("which frees nothing", "a", taken)
	s.patch(b, `{"spec": {"prefixes": ["10.71.0.0/16"]}}`)
	s.expect("the prefix is taken away", "b", "Ready False InvalidPrefixes, Stalled True InvalidPrefixes; 1 given out, 100% free, largest /16; again in 6h")
	s.reports(x, "OutsidePool")
	s.expect("and is in use all the same", "a", taken)
	s.patch(b, `{"spec": {"prefixes": ["10.70.0.0/16"]}}`)
	s.patch(a, `{"spec": {"reserved": [{"prefix": "10.70.0.0/16", "reason": "AddressPool b"}]}}`)
	s.expect("it is reserved for the younger", "a", fine)
	s.expect("which goes on", "b", "Ready True Ready; 1 given out, 93% free, largest /17; again in 6h")
	s.reports(x, "Bound")
}

// A pool stays while something of it is given out or was chosen.
func TestTheEndOfAPool(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	s.look("corp")
	a := s.imported("corp", "import", "10.64.0.0/24")
	s.choose(pool, "corp-x", "10.64.16.0/20")
	s.delete(pool)
	s.expect("protected", "corp", "Ready False DeletionProtected, Deleting True DeletionProtected; 2 given out, 93% free, largest /17; again in 1m")
	s.patch(pool, `{"spec": {"deletionPolicy": "Delete"}}`)
	s.expect("in use", "corp", "Ready False StillInUse, Deleting True StillInUse; 2 given out, 93% free, largest /17; again in 1m")
	s.delete(a)
	s.expect("by what was chosen", "corp", "Ready False StillInUse, Deleting True StillInUse; 1 given out, 93% free, largest /17; again in 1m")
	s.patch(pool, `{"metadata": {"annotations": null}}`)
	s.reconciler.Live = then{server, func(list client.ObjectList) {
		if _, is := list.(*fleetwrightv1.AddressAllocationList); is {
			s.choose(pool, "corp-x", "10.64.16.0/20")
		}
	}}
	s.expect("somebody has chosen since it was read", "corp", "Ready False StillInUse, Deleting True StillInUse; 1 given out, 93% free, largest /17; again in 1s")
	s.reconciler.Live = server
	s.patch(pool, `{"metadata": {"annotations": null}}`)
	s.expect("nothing is given out", "corp", "gone")
	s.expect("nor looked after", "corp", "gone")
}

// A range that is between its annotation and its allocation while the pool is looked at is seen: the pool is read first.
func TestARangeThatIsBeingMade(t *testing.T) {
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/16")
	s.look("corp")
	s.choose(pool, "corp-x", "10.64.0.0/20")
	made := false
	s.reconciler.Live = then{server, func(client.ObjectList) {
		if !made {
			made = true
			s.imported("corp", "corp-x", "10.64.0.0/20")
			s.patch(pool, `{"metadata": {"annotations": null}}`)
		}
	}}
	s.expect("it is made after the first list", "corp", "Ready True Ready; 1 given out, 93% free, largest /17; again in 6h")
}

// A claim that the cache has not heard of is no orphan's.
func TestACacheThatIsBehind(t *testing.T) {
	s := newStage(t)
	s.pool("corp", "10.64.0.0/16")
	a := s.bind("corp", "prod", "10.64.0.0/20")
	s.reconciler.Client = behind{server}
	s.expect("a new claim", "corp", "Ready True Ready; 1 given out, 93% free, largest /17; again in 6h")
	s.reports(a, "Bound")
}

// behind is a cache that knows no claims.
type behind struct{ client.Client }

func (c behind) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if _, is := o.(*fleetwrightv1.AddressClaim); is {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "addressclaims"}, key.Name)
	}
	return c.Client.Get(ctx, key, o, opts...)
}
