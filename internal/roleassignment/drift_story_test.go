package roleassignment

import (
	"net/http"
	"strings"
	"testing"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/testkit/simazure"
)

// TestDriftIsHealedOnce: somebody deletes the assignment; one GET and one PUT make it again, and it is told, with a name from the log.
func TestDriftIsHealedOnce(t *testing.T) {
	s := newStage(t, newAssignment())
	s.look()
	s.clock.SetTime(noon.Add(2 * time.Hour))
	s.deleteBySomebody(s.own())
	before := s.reads()
	s.look()
	if n := s.reads() - before; n != 2 {
		t.Errorf("%d reads", n)
	}
	s.want("Ready", "True", "Ready", "assigned")
	s.wantWrites("PUT 201", "PUT 201")
	history := s.object().Status.DriftHistory
	if len(history) != 1 || history[0].Outcome != "Healed" || strings.Join(history[0].Fields, "") != "missing" || history[0].ChangedBy != simazure.OthersID || !history[0].Time.Time.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("history %+v", history)
	}
	if events := s.events(); !strings.Contains(events, "Warning DriftHealed it is missing, changed by "+simazure.OthersID+"; it was made again") {
		t.Errorf("events:\n%s", events)
	}
	s.look()
	s.wantWrites("PUT 201", "PUT 201")
}

func (s *stage) events() string {
	var all []string
	for {
		select {
		case e := <-s.recorder.Events:
			all = append(all, e)
		default:
			return strings.Join(all, "\n")
		}
	}
}

// TestWhoDeletedManyIsNotAsked: a storm is healed without its names, but a second drift of one thing is asked about all the same.
func TestWhoDeletedManyIsNotAsked(t *testing.T) {
	s := newStage(t, newAssignment())
	s.look()
	for range namesPerHour {
		s.reconciler.curiosity.may(noon.Add(time.Minute))
	}
	for _, want := range []string{"", simazure.OthersID} {
		s.clock.SetTime(s.clock.Now().Add(10 * time.Minute))
		s.deleteBySomebody(s.own())
		s.look()
		history := s.object().Status.DriftHistory
		if got := history[len(history)-1]; got.Outcome != "Healed" || got.ChangedBy != want {
			t.Errorf("drift %+v, want it by %q", got, want)
		}
	}
	s.clock.SetTime(noon.Add(time.Minute + time.Hour))
	if !s.reconciler.curiosity.may(s.clock.Now()) {
		t.Error("nothing is asked an hour later")
	}
}

// TestWhoDeletesItAgainAndAgain is not fought.
func TestWhoDeletesItAgainAndAgain(t *testing.T) {
	s := newStage(t, newAssignment())
	s.look()
	for range 3 {
		s.clock.SetTime(s.clock.Now().Add(10 * time.Minute))
		s.deleteBySomebody(s.own())
		s.look()
	}
	s.want("Stalled", "True", "ContendedByAnotherManager", simazure.OthersID+" has written the opposite 3 times since")
	s.want("Ready", "False", "ContendedByAnotherManager", "")
	s.want("Assigned", "False", "ContendedByAnotherManager", "")
	s.wantWrites("PUT 201", "PUT 201", "PUT 201")
	for range 3 {
		s.clock.SetTime(s.clock.Now().Add(time.Hour))
		s.look()
	}
	s.wantWrites("PUT 201", "PUT 201", "PUT 201")
	if n := len(s.object().Status.DriftHistory); n != 3 {
		t.Errorf("%d drifts are told", n)
	}
	// The spec says what to do about it, or somebody makes it again.
	s.assignBy(s.own())
	s.look()
	s.want("Ready", "True", "Ready", "")
	s.wantNo("Stalled")
}

// TestARefusedHealIsNobodysWrite: a right that is missing, or an outage, is told as what it is for as long as it lasts, and then it is healed.
func TestARefusedHealIsNobodysWrite(t *testing.T) {
	refused := func(status int, code string) sim.Fault {
		effect := sim.Effect{Error: &sim.FaultError{Status: status, Code: code, Message: "no"}}
		return sim.Fault{Method: http.MethodPut, Path: "/roleAssignments/", Count: -1, ID: "refused", Effect: effect}
	}
	for name, test := range map[string]struct {
		fault    sim.Fault
		reason   string
		outright bool
	}{
		"no right":  {refused(http.StatusForbidden, "AuthorizationFailed"), "PermissionDenied", true},
		"an outage": {refused(http.StatusServiceUnavailable, "ServerBusy"), "Drifted", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, newAssignment())
			s.look()
			s.deleteBySomebody(s.own())
			s.azure.Fault(test.fault)
			for range 4 {
				s.clock.SetTime(s.clock.Now().Add(10 * time.Minute))
				if _, err := s.try(); (err == nil) != test.outright {
					t.Errorf("error %v", err)
				}
				s.want("Assigned", "False", test.reason, "")
			}
			s.azure.Fault(sim.Fault{Method: http.MethodPut, Path: "/never/", ID: "refused", Effect: sim.Effect{LoseReply: true}})
			s.look()
			s.want("Ready", "True", "Ready", "assigned")
			s.wantNo("Stalled")
		})
	}
}

func TestDriftPolicies(t *testing.T) {
	for policy, test := range map[fleetwrightv1.DriftPolicy]struct{ ready, reason, message, outcome string }{
		"Report": {"False", "Drifted", "changed by " + simazure.OthersID + "; driftPolicy Report leaves it so", "Reported"},
		"Adopt":  {"True", "Ready", "it is missing; driftPolicy Adopt lives with it", "Adopted"},
	} {
		t.Run(string(policy), func(t *testing.T) {
			a := newAssignment()
			a.Spec.DriftPolicy = policy
			s := newStage(t, a)
			s.look()
			s.want("Ready", "True", "Ready", "assigned") // made whatever the policy
			for range namesPerHour {
				s.reconciler.curiosity.may(noon) // what is left is named all the same
			}
			s.deleteBySomebody(s.own())
			for range 2 {
				s.look()
				s.want("Ready", test.ready, test.reason, test.message)
				s.want("Assigned", "False", "Drifted", "")
			}
			s.wantWrites("PUT 201")
			if events := s.events(); strings.Count(events, "Warning Drifted")+strings.Count(events, "Normal Drifted") != 1 {
				t.Errorf("events:\n%s", events)
			}
			if h := s.object().Status.DriftHistory; len(h) != 1 || string(h[0].Outcome) != test.outcome || h[0].ChangedBy != simazure.OthersID {
				t.Errorf("history %+v", h)
			}
			// Wiping status changes no action.
			s.change(func(a *fleetwrightv1.AzureRoleAssignment) { a.Status = fleetwrightv1.AzureRoleAssignmentStatus{} })
			s.restart()
			s.look()
			s.wantWrites("PUT 201")
		})
	}
}

// TestAnotherHasMadeIt: an equal assignment of another name is adopted, never deleted, and replaced by our own when it goes.
func TestAnotherHasMadeIt(t *testing.T) {
	s := newStage(t, newAssignment())
	s.assignBy(foreignID)
	s.look()
	s.want("Ready", "True", "Ready", "adopted, made by somebody else as "+foreignID)
	if got := s.object().Status; got.Origin != "Adopted" || got.AssignmentID != foreignID {
		t.Errorf("status %+v", got)
	}
	s.wantWrites()
	s.deleteBySomebody(foreignID)
	s.look()
	if got := s.object().Status; got.Origin != "Created" || got.AssignmentID != s.own() || len(got.DriftHistory) != 1 {
		t.Errorf("status %+v", got)
	}
	s.wantWrites("PUT 201")
	// Theirs again: with it, deletion takes nothing away.
	s.deleteBySomebody(s.own())
	s.assignBy(foreignID)
	if r := s.look(); r.RequeueAfter != freshPause {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	s.want("Assigned", "False", "NotAssigned", "somebody else has just made the same assignment")
	s.look()
	s.want("Ready", "True", "Ready", "adopted, made by somebody else as "+foreignID)
	if n := len(s.object().Status.DriftHistory); n != 1 {
		t.Errorf("%d drifts are told", n)
	}
	if got := s.object().Annotations[fleetwrightv1.AnnotationRoleAssignments]; got != s.kubelet+"="+foreignID {
		t.Errorf("written down: %s", got)
	}
	if err := s.client.Delete(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	s.look()
	if s.object() != nil {
		t.Error("the object is still there")
	}
	s.wantWrites("PUT 201", "PUT 409")
}

func TestAnotherHasMadeItWhichIsReported(t *testing.T) {
	a := newAssignment()
	a.Spec.ExistingPolicy = fleetwrightv1.ExistingPolicyReport
	s := newStage(t, a)
	s.assignBy(foreignID)
	s.look()
	s.want("Ready", "False", "ExistsElsewhere", "somebody else has made the same assignment, "+foreignID)
	s.want("Assigned", "False", "ExistsElsewhere", "")
	s.deleteBySomebody(foreignID)
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	s.wantWrites("PUT 201")
}
