package roleassignment

import (
	"context"
	"net/http"
	"runtime"
	"testing"

	"github.com/go-logr/logr"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/event"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
	"github.com/fleetwright/fleetwright/internal/testkit/simazure"
)

// sweeps look at the simulated Azure through its Resource Graph, which is not late.
type sweeps struct {
	s     *stage
	clock *testclock.FakeClock
	wake  <-chan event.GenericEvent
}

func (s *stage) sweep() *sweeps {
	s.t.Helper()
	w := &sweeps{s: s, clock: testclock.NewFakeClock(s.clock.Now())}
	azure := s.azure.Connect(s.clock, func(o *arm.Options) { o.Broker = broker.New(s.clock) }) // whose budget comes back with the rounds
	sweeper := sweep.New(sweep.Options{Azure: azure, Clock: w.clock, Log: logr.Discard()})
	w.wake = sweeper.Register(target(s.client))
	s.reconciler.Watch, s.reconciler.Rest = sweeper, restWithSweeps
	ctx, stop := context.WithCancel(s.t.Context())
	done := make(chan error)
	go func() { done <- sweeper.Start(ctx) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	w.await(func() {})
	return w
}

// await lets the sweeper work until it waits for its clock, and does something for whom it wakes.
func (w *sweeps) await(woken func()) {
	for !w.clock.HasWaiters() {
		select {
		case <-w.wake:
			woken()
		case <-w.s.t.Context().Done():
			return
		default:
			runtime.Gosched()
		}
	}
}

// round is one look at everything. It counts who is woken, each of whom looks at once.
func (w *sweeps) round() int {
	w.s.t.Helper()
	n := 0
	w.s.clock.SetTime(w.s.clock.Now().Add(sweep.DefaultEvery))
	w.clock.SetTime(w.s.clock.Now())
	w.await(func() { n++; w.s.look() })
	return n
}

func (w *sweeps) want(rounds, woken int) {
	w.s.t.Helper()
	n := 0
	for range rounds {
		n += w.round()
	}
	if n != woken {
		w.s.t.Errorf("%d looks in %d rounds, want %d", n, rounds, woken)
	}
}

// TestARefusedHealIsTriedWhenItsTimeComes and not at each sweep, whoever has found the drift.
func TestARefusedHealIsTriedWhenItsTimeComes(t *testing.T) {
	denied := sim.Effect{Error: &sim.FaultError{Status: http.StatusForbidden, Code: "AuthorizationFailed", Message: "no"}}
	for name, byItself := range map[string]bool{"found by a sweep": false, "found by itself": true} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, newAssignment())
			s.look()
			w := s.sweep()
			w.want(2, 0)
			s.deleteBySomebody(s.own())
			s.azure.Fault(sim.Fault{Method: http.MethodPut, Path: "/roleAssignments/", Count: -1, Effect: denied})
			want := 1
			if byItself {
				s.look()
				want = 0
			}
			w.want(3, want)
			s.want("Stalled", "True", "PermissionDenied", "")
		})
	}
}

// TestWhatIsReportedIsLookedAtOnce, under the name that sweeps watch, and again when somebody has put it right.
func TestWhatIsReportedIsLookedAtOnce(t *testing.T) {
	for name, theirs := range map[string]bool{"ours": false, "adopted": true} {
		t.Run(name, func(t *testing.T) {
			a := newAssignment()
			a.Spec.DriftPolicy = fleetwrightv1.DriftPolicyReport
			s := newStage(t, a)
			id := s.own()
			if theirs {
				id = foreignID
				s.assignBy(id)
			}
			s.look()
			w := s.sweep()
			w.want(2, 0)
			s.deleteBySomebody(id)
			w.want(1, 1)
			s.want("Ready", "False", "Drifted", "changed by "+simazure.OthersID)
			w.want(3, 0)
			s.assignBy(id)
			w.want(3, 1)
			s.want("Ready", "True", "Ready", "")
			w.want(6, 0)
		})
	}
}

// TestWhatIsHealedIsLookedAtOnce, and found again at once when it goes again.
func TestWhatIsHealedIsLookedAtOnce(t *testing.T) {
	s := newStage(t, newAssignment())
	s.look()
	w := s.sweep()
	for range 2 {
		w.want(2, 0)
		s.deleteBySomebody(s.own())
		w.want(3, 1)
		s.want("Ready", "True", "Ready", "")
	}
	s.wantWrites("PUT 201", "PUT 201", "PUT 201")
}
