package addresspool

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// In a real manager everything that matters wakes the pool that it matters to.
func TestInAManager(t *testing.T) {
	ctrl.SetLogger(logr.Discard())
	s := newStage(t)
	mgr, err := ctrl.NewManager(serverConfig, ctrl.Options{Scheme: server.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		t.Fatal(err)
	}
	r := &Reconciler{Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Recorder: s.recorder, Clock: clock.RealClock{}}
	if err := r.watch(mgr, 200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	a, b := s.pool("a", "10.64.0.0/16"), s.pool("b", "10.70.0.0/16")
	s.patch(b, `{"spec": {"deletionPolicy": "Delete"}}`)
	s.eventually("pools give out", a, "True Ready: 100%")
	s.eventually("pools give out", b, "True Ready: 100%")
	s.patch(a, `{"spec": {"prefixes": ["10.64.0.0/16", "10.70.0.0/16"]}}`)
	s.eventually("the younger one stops", b, "False Overlaps: 10.70.0.0/16 belongs to AddressPool")
	s.eventually("and the older one hears of it", a, "True Ready: 100%")
	s.patch(a, `{"spec": {"prefixes": ["10.64.0.0/16"]}}`)
	s.eventually("the younger one goes on", b, "True Ready: 100%")
	s.eventually("as does the older one", a, "True Ready: 100%")
	s.wipe(a)
	s.eventually("a status that was wiped comes back", a, "True Ready: 100%")
	x := s.bind("a", "x", "10.64.0.0/20")
	s.eventually("a range was made", a, "True Ready: 93%")
	s.allocationEventually(x, "True Bound")
	s.wipe(x)
	s.allocationEventually(x, "True Bound")
	s.patch(b, `{"spec": {"prefixes": ["10.64.128.0/17"]}}`)
	s.eventually("it overlaps", b, "False Overlaps: 10.64.128.0/17 belongs to AddressPool")
	s.patch(a, `{"spec": {"reserved": [{"prefix": "10.64.128.0/17", "reason": "AddressPool b"}]}}`)
	s.eventually("its neighbour makes room", b, "True Ready: 100%")
	// By the time one is told of, all that came before is over: only what comes then can wake the pool.
	w := s.imported("b", "w", "10.64.160.0/20")
	s.allocationEventually(w, "True Imported")
	y := s.imported("a", "y", "10.64.192.0/24")
	s.eventually("a range of another pool", b, "False Overlaps: AddressPool")
	s.delete(y)
	s.eventually("is gone", b, "True Ready: 87%")
	z := s.bind("a", "z", "10.64.32.0/20")
	s.allocationEventually(z, "True Bound")
	claim := &fleetwrightv1.AddressClaim{ObjectMeta: metav1.ObjectMeta{Namespace: s.prod, Name: "z"}}
	s.delete(claim)
	s.allocationEventually(z, "False Orphaned")
	const wanted = `
# HELP fleetwright_address_pool_allocations How many AddressAllocations of each AddressPool there are, by what they report (Bound, Imported, Quarantined, Orphaned, ...).
# TYPE fleetwright_address_pool_allocations gauge
fleetwright_address_pool_allocations{name="a",namespace="inamanager",reason="Bound"} 1
fleetwright_address_pool_allocations{name="a",namespace="inamanager",reason="Orphaned"} 1
fleetwright_address_pool_allocations{name="b",namespace="inamanager",reason="Imported"} 1
# HELP fleetwright_address_pool_free_ratio How much of each AddressPool is free, from 0 to 1, in hundredths.
# TYPE fleetwright_address_pool_free_ratio gauge
fleetwright_address_pool_free_ratio{name="a",namespace="inamanager"} 0.75
fleetwright_address_pool_free_ratio{name="b",namespace="inamanager"} 0.87
`
	if err := testutil.CollectAndCompare(collector{server}, strings.NewReader(wanted), "fleetwright_address_pool_allocations", "fleetwright_address_pool_free_ratio"); err != nil {
		t.Error(err)
	}
	s.patch(x, `{"metadata": {"finalizers": null}, "spec": {"releasedTime": "2020-01-01T00:00:00Z"}}`)
	s.until("what rested goes", func() error {
		if s.there(x) {
			return fmt.Errorf("it says %s", saidBy(t, x.Status.Conditions, "Ready"))
		}
		return nil
	})
	s.delete(b)
	s.delete(w)
	s.until("a pool goes", func() error {
		if s.there(b) {
			return fmt.Errorf("it says %s", saidBy(t, b.Status.Conditions, "Deleting"))
		}
		return nil
	})
}

func (s *stage) eventually(what string, p *fleetwrightv1.AddressPool, want string) {
	s.t.Helper()
	s.until(what, func() error {
		s.there(p)
		if said := saidBy(s.t, p.Status.Conditions, "Ready"); !givenAbout(p) || !strings.HasPrefix(said, want) {
			return fmt.Errorf("%s says %q", p.Name, said)
		}
		return nil
	})
}

// givenAbout is true when the status speaks about the present spec.
func givenAbout(p *fleetwrightv1.AddressPool) bool {
	return p.Status.ObservedGeneration == p.Generation
}

func (s *stage) allocationEventually(a *fleetwrightv1.AddressAllocation, want string) {
	s.t.Helper()
	s.until(a.Name, func() error {
		s.there(a)
		if said := saidBy(s.t, a.Status.Conditions, "Ready"); !strings.HasPrefix(said, want) {
			return fmt.Errorf("it says %q", said)
		}
		return nil
	})
}

func (s *stage) until(what string, check func() error) {
	s.t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(s.t.Context(), 20*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		s.t.Fatalf("%s: %v", what, last)
	}
}
