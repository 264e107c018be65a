package addressclaim

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/addresspool"
)

// In a real manager, together with the pools' controller: everything that matters wakes a claim, and whatever order things come in, they end
// as they should.
func TestInAManager(t *testing.T) {
	s := newStage(t)
	mgr, err := ctrl.NewManager(serverConfig, ctrl.Options{Scheme: server.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := AddToManager(mgr, "fleetwright-system"); err != nil {
		t.Fatal(err)
	}
	if err := addresspool.AddToManager(mgr); err != nil {
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
	saying := func(a *fleetwrightv1.AddressClaim, want string) func() error {
		return func() error {
			if got := s.says(a); got != want {
				return fmt.Errorf("it says %s: %+v", got, a.Status.Conditions)
			}
			return nil
		}
	}

	a, b := s.claim("a", s.from("vnet", "corp", 24)), s.claim("b", s.from("vnet", "corp", 24))
	s.eventually("it waits for the pool", saying(a, "Ready False PoolNotFound"))
	// Space that no other test has: pools of a fleet must not overlap.
	pool := &fleetwrightv1.AddressPool{ObjectMeta: metav1.ObjectMeta{Namespace: s.platform, Name: "corp"}}
	pool.Spec.Prefixes, pool.Spec.QuarantineSeconds, pool.Spec.DeletionPolicy = []string{"172.20.0.0/24"}, new(int32(1)), fleetwrightv1.DeletionPolicyDelete
	pool.Spec.AllowedNamespaces = fleetwrightv1.AllowedNamespaces{Selector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "kubernetes.io/metadata.name", Operator: "Exists"}}}}
	s.create(pool)
	var has, waits *fleetwrightv1.AddressClaim
	s.eventually("one is bound, and the other is not", func() error {
		one, other := s.says(a), s.says(b)
		switch stuck := "Ready False Exhausted, Stalled True Exhausted"; {
		case one == fine && other == stuck:
			has, waits = a, b
		case one == stuck && other == fine:
			has, waits = b, a
		default:
			s.get(pool)
			return fmt.Errorf("they say %s and %s, and the pool %+v", one, other, pool.Status)
		}
		return nil
	})
	cluster := s.cluster(has.Name)
	s.delete(has)
	s.eventually("its cluster uses it", saying(has, "Ready False InUse, Deleting True InUse"))
	s.delete(cluster)
	s.eventually("it gives back", saying(has, "gone"))
	s.eventually("the other gets it, rested", saying(waits, fine))

	third := s.claim("c", s.from("vnet", "corp", 24))
	s.eventually("a third waits", saying(third, "Ready False Exhausted, Stalled True Exhausted"))
	edit(s, pool, func(p *fleetwrightv1.AddressPool) { p.Spec.Prefixes = append(p.Spec.Prefixes, "172.21.0.0/24") })
	s.eventually("until the pool grows", saying(third, fine))

	// A claim loses its finalizer, and somebody deletes what is left.
	edit(s, third, func(a *fleetwrightv1.AddressClaim) { a.Finalizers = nil })
	s.delete(third)
	left := &fleetwrightv1.AddressAllocation{ObjectMeta: metav1.ObjectMeta{Namespace: s.platform, Name: "corp-ac150000-24"}}
	s.delete(left)
	s.eventually("it goes", func() error {
		if s.get(left) {
			return fmt.Errorf("it is there with %v", left.Finalizers)
		}
		return nil
	})
	s.delete(pool)
	s.eventually("the pool stays while something is given out", func() error {
		if s.get(pool); pool.DeletionTimestamp.IsZero() || len(pool.Status.Conditions) < 3 || pool.Status.Conditions[2].Reason != "StillInUse" {
			return fmt.Errorf("it says %+v", pool.Status.Conditions)
		}
		return nil
	})
	s.delete(waits)
	s.eventually("and goes afterwards", func() error {
		if s.get(pool) {
			return fmt.Errorf("it says %+v", pool.Status.Conditions)
		}
		return nil
	})
	if got := s.given(); got != "" {
		t.Errorf("left is %s", got)
	}
}

func (s *stage) eventually(what string, check func() error) {
	s.t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(s.t.Context(), 50*time.Millisecond, 90*time.Second, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		s.t.Fatalf("%s: %v", what, last)
	}
}
