package maintenanceconfiguration

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/testkit/simazure"
)

const (
	fine      = "Ready True Ready, Applied True Applied, again in 24h0m0s"
	elsewhere = `{"properties": {"maintenanceWindow": {"schedule": {"daily": {"intervalDays": 1}}, "startTime": "12:00", "durationHours": 8}}}`
)

type spec = fleetwrightv1.AzureMaintenanceConfigurationSpec

// A window from its first day to its last.
func TestStoryOfAWindow(t *testing.T) {
	s := newStage(t)
	s.object()
	s.expect("it is written", "GET PUT: "+fine)
	s.expect("and left alone", "GET: "+fine)
	m, _ := s.get()
	if m.Status.ID != windowID || m.Status.Observed.Schedule.Weekly.DayOfWeek != "Sunday" || m.Status.Observed.StartDate == "" || len(m.Status.DriftHistory) != 0 {
		t.Errorf("status tells of %+v", m.Status)
	}
	start := m.Status.Observed.StartDate

	s.change(func(spec *spec) { spec.Window.StartTime = "02:30" })
	s.expect("the spec is changed", "GET PUT: "+fine)
	if m, _ = s.get(); len(m.Status.DriftHistory) != 0 || m.Status.Observed.StartDate != start {
		t.Errorf("a change of the spec is no drift, and leaves what it does not say: %+v", m.Status)
	}
	s.events()

	s.azure.Request(http.MethodPut, windowID, version, elsewhere)
	s.clock.SetTime(noon.Add(6 * time.Hour))
	s.expect("somebody else changes it", "GET PUT: "+fine)
	s.expect("it is healed by one write", "GET: "+fine)
	m, _ = s.get()
	if h := m.Status.DriftHistory; len(h) != 1 || h[0].Outcome != "Healed" || h[0].ChangedBy != simazure.OthersID || strings.Join(h[0].Fields, " ") != "durationHours schedule.weekly.dayOfWeek schedule.weekly.intervalWeeks startTime" {
		t.Errorf("the history is %+v", h)
	}
	if told := s.events(); len(told) != 1 || !strings.HasPrefix(told[0], "Warning DriftHealed") || !strings.Contains(told[0], "changed by "+simazure.OthersID) {
		t.Errorf("events %q", told)
	}

	s.azure.Request(http.MethodDelete, windowID, version, "")
	s.restart()
	s.clock.SetTime(noon.Add(12 * time.Hour))
	s.expect("somebody deletes it", "GET PUT: "+fine)
	if m, _ = s.get(); len(m.Status.DriftHistory) != 2 || m.Status.DriftHistory[0].Fields[0] != "missing" {
		t.Errorf("the history is %+v", m.Status.DriftHistory)
	}

	if err := s.client.Delete(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	s.expect("it is taken out of Azure", "GET DELETE: gone")
	if n := s.inAzure(); n != 0 {
		t.Errorf("Azure has %d", n)
	}
}

// inAzure is how many maintenance configurations the cluster has.
func (s *stage) inAzure() int {
	return strings.Count(s.azure.Request(http.MethodGet, clusterID+"/maintenanceConfigurations", version, ""), `"maintenanceWindow"`)
}

// Report and Adopt write what is declared once, and then nothing.
func TestDriftThatIsNotHealed(t *testing.T) {
	for policy, want := range map[fleetwrightv1.DriftPolicy]string{
		"Report": "GET: Ready False Drifted, Applied False Drifted, again in 24h0m0s",
		"Adopt":  "GET: Ready True Ready, Applied True DriftAdopted, again in 24h0m0s",
	} {
		t.Run(string(policy), func(t *testing.T) {
			s := newStage(t)
			s.object(func(spec *spec) { spec.DriftPolicy = policy })
			s.expect("it is written", "GET PUT: "+fine)
			s.events()
			outcome := map[fleetwrightv1.DriftPolicy]string{"Report": "Reported", "Adopt": "Adopted"}[policy]
			counted := testutil.ToFloat64(driftsTotal.WithLabelValues(outcome))
			s.azure.Request(http.MethodPut, windowID, version, elsewhere)
			s.expect("somebody else changes it", want)
			s.expect("and it stays so", want)
			if told := s.events(); len(told) != 1 || !strings.Contains(told[0], "Drifted ") || testutil.ToFloat64(driftsTotal.WithLabelValues(outcome)) != counted+1 {
				t.Errorf("events %q, %v counted before, %v after", told, counted, testutil.ToFloat64(driftsTotal.WithLabelValues(outcome)))
			}
			m, _ := s.get()
			if h := m.Status.DriftHistory; len(h) != 1 || m.Status.Observed.StartTime != "12:00" {
				t.Errorf("the history is %+v, Azure has %+v", h, m.Status.Observed)
			}
			// Deleting all status changes nothing but the report.
			m.Status = fleetwrightv1.AzureMaintenanceConfigurationStatus{}
			if err := s.client.Status().Update(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			s.expect("status is wiped", want)
			s.change(func(spec *spec) { spec.Window.DurationHours = 6 })
			s.expect("a change of the spec is written", "GET PUT: "+fine)
		})
	}
}

// Who writes the opposite for the third time within an hour is not fought, but named.
func TestAnotherManager(t *testing.T) {
	s := newStage(t)
	s.object()
	s.expect("it is written", "GET PUT: "+fine)
	for range 2 {
		s.clock.SetTime(s.clock.Now().Add(10 * time.Minute))
		s.azure.Request(http.MethodPut, windowID, version, elsewhere)
		s.expect("somebody else changes it", "GET PUT: "+fine)
	}
	s.clock.SetTime(s.clock.Now().Add(10 * time.Minute))
	s.azure.Request(http.MethodPut, windowID, version, elsewhere)
	const stop = "GET: Ready False ContendedByAnotherManager, Applied False ContendedByAnotherManager, Stalled True ContendedByAnotherManager, again in 24h0m0s"
	s.expect("and again", stop)
	s.clock.SetTime(s.clock.Now().Add(24 * time.Hour))
	s.expect("however long it takes", stop)
}

// A heal that Azure refuses is nobody's write: it is told as what it is for as long as it lasts, and then the window is healed.
func TestARefusedHeal(t *testing.T) {
	s := newStage(t)
	s.object()
	s.expect("it is written", "GET PUT: "+fine)
	s.azure.Request(http.MethodPut, windowID, version, elsewhere)
	no := sim.Effect{Error: &sim.FaultError{Status: http.StatusForbidden, Code: "AuthorizationFailed", Message: "no"}}
	if _, err := s.azure.AddFault(sim.Fault{Method: http.MethodPut, Path: "/maintenanceConfigurations/", UserAgent: "^fleetwright", Count: 4, Effect: no}); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		s.clock.SetTime(s.clock.Now().Add(10 * time.Minute))
		s.expect("refused", "GET PUT: Ready False PermissionDenied, Applied False PermissionDenied, Stalled True PermissionDenied, again in 10m0s")
	}
	s.expect("the right is granted", "GET PUT: "+fine)
}

// What Azure says no to is told, and tried again when that can help.
func TestWhatAzureRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		fault  sim.FaultError
		want   string
	}{
		"denied": {
			"PUT", sim.FaultError{Status: 403, Code: "AuthorizationFailed", Message: "no"},
			"GET PUT: Ready False PermissionDenied, Applied False PermissionDenied, Stalled True PermissionDenied, again in 10m0s",
		},
		"denied to read": {
			"GET", sim.FaultError{Status: 403, Code: "AuthorizationFailed", Message: "no"},
			"GET: Ready False PermissionDenied, Applied False PermissionDenied, Stalled True PermissionDenied, again in 10m0s",
		},
		"refused": {
			"PUT", sim.FaultError{Status: 400, Code: "InvalidParameter", Message: "no"},
			"GET PUT: Ready False AzureRefused, Applied False AzureRefused, Stalled True AzureRefused, again in 10m0s",
		},
		"busy": {
			"PUT", sim.FaultError{Status: 409, Code: "OperationNotAllowed", Message: "Another operation (Updating) is in progress"},
			"GET PUT: Ready False WaitingForSlot, Applied False WaitingForSlot, again in 30s",
		},
		"throttled": {
			"GET", sim.FaultError{Status: 429, Code: "Throttled", Message: "slow down", RetryAfterSeconds: 17},
			"GET: Ready Unknown NotReadable, Applied Unknown NotReadable, again in 17s",
		},
		"no cluster": {
			"PUT", sim.FaultError{Status: 404, Code: "ParentResourceNotFound", Message: "no"},
			"GET PUT: Ready False WaitingForCluster, Applied False WaitingForCluster, again in 1m0s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.object()
			fault := sim.Fault{Method: test.method, Path: "/maintenanceConfigurations/", UserAgent: "^fleetwright", Count: 1, Effect: sim.Effect{Error: &test.fault}}
			if _, err := s.azure.AddFault(fault); err != nil {
				t.Fatal(err)
			}
			s.expect("refused", test.want)
			s.restart() // who was asked to slow down would
			s.expect("and then not", "GET PUT: "+fine)
		})
	}
}

// A write whose reply is lost was a write, and no drift.
func TestALostReply(t *testing.T) {
	s := newStage(t)
	s.object()
	if _, err := s.azure.AddFault(sim.Fault{Method: "PUT", Path: "/maintenanceConfigurations/", Effect: sim.Effect{LoseReply: true}}); err != nil {
		t.Fatal(err)
	}
	m, _ := s.get()
	if _, err := s.reconciler.Reconcile(t.Context(), m); err == nil {
		t.Error("a lost reply is no error")
	}
	if m, _ = s.get(); said(m) != "Ready False AzureRefused, Applied False AzureRefused" {
		t.Errorf("it is told as %s", said(m))
	}
	s.expect("it is there", "GET: "+fine)
	if m, _ = s.get(); len(m.Status.DriftHistory) != 0 {
		t.Errorf("the history is %+v", m.Status.DriftHistory)
	}
}

// An Azure that does not answer is told, and asked again ever more rarely.
func TestAzureIsAway(t *testing.T) {
	s := newStage(t)
	s.object()
	if _, err := s.azure.AddFault(sim.Fault{Method: "GET", Path: "/maintenanceConfigurations/", Effect: sim.Effect{Error: &sim.FaultError{Status: 503, Code: "ServerBusy", Message: "no"}}}); err != nil {
		t.Fatal(err)
	}
	m, _ := s.get()
	if _, err := s.reconciler.Reconcile(t.Context(), m); err == nil {
		t.Error("no answer is no error")
	}
	if m, _ = s.get(); said(m) != "Ready Unknown NotReadable, Applied Unknown NotReadable" {
		t.Errorf("it is told as %s", said(m))
	}
	s.expect("it is back", "GET PUT: "+fine)
}

// Who may not write, writes nothing: a pause, a Freeze, no identity, a cluster that is not there.
func TestWhoHoldsBack(t *testing.T) {
	s := newStage(t)
	s.object(func(spec *spec) { spec.Reconcile = "Paused" })
	s.expect("paused", "GET: Ready False NotApplied, Applied False NotApplied, Paused True Paused, again in 24h0m0s")
	s.change(func(spec *spec) { spec.Reconcile = "" })
	freeze := &fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Namespace: "fleetwright-system", Name: "incident"},
		Spec: fleetwrightv1.FreezeSpec{
			Scope: "Selected", ClusterSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"stage": "production"}}, Reconcile: "Paused", Reason: "x",
			Until: &metav1.Time{Time: noon.Add(time.Hour)},
		},
	}
	s.create(freeze)
	s.expect("frozen", "GET: Ready False NotApplied, Applied False NotApplied, Paused True Frozen, again in 1h0m0s")
	freeze.Spec.Reconcile = "NonDisruptive"
	if err := s.client.Update(t.Context(), freeze); err != nil {
		t.Fatal(err)
	}
	s.expect("a window takes nothing away", "GET PUT: Ready True Ready, Applied True Applied, Paused True Frozen, again in 1h0m0s")
	m, _ := s.get()
	if err := s.client.Delete(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	s.expect("but to take it away does", ": Ready False Frozen, Applied False NotApplied, Paused True Frozen, Deleting True Frozen, again in 1h0m0s")
	if err := s.client.Delete(t.Context(), freeze); err != nil {
		t.Fatal(err)
	}
	way := s.way
	s.way = nil
	s.expect("without an identity", ": Ready False NoCredentials, Applied False NotApplied, Deleting True NoCredentials, Stalled True NoCredentials, again in 10m0s")
	s.way = way
	s.expect("with it", "GET DELETE: gone")

	s.object()
	s.change(func(spec *spec) { spec.ClusterName, spec.Window.StartDate = "prod", "2026-02-31" })
	s.expect("a date that is none", ": Ready False InvalidSpec, Applied False InvalidSpec, Stalled True InvalidSpec, again in 24h0m0s")
	s.change(func(spec *spec) { spec.ClusterName = "other" })
	s.expect("a cluster that is not there", ": Ready False ClusterNotFound, Applied False ClusterNotFound, Stalled True ClusterNotFound, again in 10m0s")
}

// A window that is somebody else's stays when an object that never wrote one leaves, or that wrote another; its own goes, also when its spec
// has become another since.
func TestOnlyItsOwnWindowIsTakenOut(t *testing.T) {
	wrong := func(spec *spec) { spec.Window.StartDate = "2026-02-31" }
	theirs := func(s *stage) { s.azure.Request(http.MethodPut, windowID, version, elsewhere) }
	for name, test := range map[string]struct {
		before func(*stage)
		want   string
	}{
		"never written, for the spec is wrong": {func(s *stage) {
			theirs(s)
			s.object(wrong)
			s.expect("it is not asked for", ": Ready False InvalidSpec, Applied False InvalidSpec, Stalled True InvalidSpec, again in 24h0m0s")
		}, "GET: gone"},
		"lived with": {func(s *stage) {
			s.object(func(spec *spec) { spec.DriftPolicy = "Adopt" })
			s.expect("it is written", "GET PUT: "+fine)
			theirs(s)
			s.expect("and changed", "GET: Ready True Ready, Applied True DriftAdopted, again in 24h0m0s")
		}, "GET: gone"},
		"its own, and the mark was lost": {func(s *stage) {
			s.object()
			s.expect("it is written", "GET PUT: "+fine)
			m, _ := s.get()
			m.Annotations = nil
			if err := s.client.Update(s.t.Context(), m); err != nil {
				s.t.Fatal(err)
			}
		}, "GET DELETE: gone"},
		"its own of before": {func(s *stage) {
			s.object()
			s.expect("it is written", "GET PUT: "+fine)
			s.change(wrong)
		}, "GET DELETE: gone"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			test.before(s)
			m, _ := s.get()
			if err := s.client.Delete(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			s.events()
			s.expect("it leaves", test.want)
			told, left := strings.Join(s.events(), "; "), 0
			if test.want == "GET: gone" {
				left = 1
				if !strings.Contains(told, "is somebody else's and stays") || !strings.Contains(told, "startTime") {
					t.Errorf("told is %q", told)
				}
			}
			if n := s.inAzure(); n != left {
				t.Errorf("Azure has %d, told is %q", n, told)
			}
		})
	}
}

// With Retain, Azure keeps the window.
func TestRetain(t *testing.T) {
	s := newStage(t)
	s.object(func(spec *spec) { spec.DeletionPolicy = "Retain" })
	s.expect("it is written", "GET PUT: "+fine)
	m, _ := s.get()
	if err := s.client.Delete(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	s.expect("it is let go of", ": gone")
	if n := s.inAzure(); n != 1 {
		t.Errorf("Azure has %d", n)
	}
}

// meanwhile does something while Azure is being read.
type meanwhile struct {
	Azure
	do func()
}

func (m meanwhile) MaintenanceConfiguration(ctx context.Context, id, name string) (armcontainerservice.MaintenanceConfiguration, error) {
	m.do()
	return m.Azure.MaintenanceConfiguration(ctx, id, name)
}

// Azure takes its time to answer: a Freeze or a pause of meanwhile counts, and so does a change of the spec.
func TestWhatChangesMeanwhileCounts(t *testing.T) {
	for name, do := range map[string]func(*stage){
		"a Freeze": func(s *stage) {
			s.create(&fleetwrightv1.Freeze{
				ObjectMeta: metav1.ObjectMeta{Namespace: "fleetwright-system", Name: "incident"},
				Spec:       fleetwrightv1.FreezeSpec{Scope: "All", Reconcile: "Paused", Reason: "x"},
			})
		},
		"a change": func(s *stage) { s.change(func(spec *spec) { spec.Window.DurationHours = 5 }) },
		"a pause of the Cluster": func(s *stage) {
			cluster := &clusterv1.Cluster{}
			if err := s.client.Get(s.t.Context(), client.ObjectKey{Namespace: key.Namespace, Name: "prod"}, cluster); err != nil {
				s.t.Fatal(err)
			}
			cluster.Spec.Paused = new(true)
			if err := s.client.Update(s.t.Context(), cluster); err != nil {
				s.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.object()
			m, _ := s.get()
			s.way = meanwhile{s.way, func() { do(s) }}
			result, err := s.reconciler.Reconcile(t.Context(), m)
			if err != nil || result.RequeueAfter != time.Second {
				t.Errorf("looks again in %s %v", result.RequeueAfter, err)
			}
			if n := s.inAzure(); n != 0 {
				t.Errorf("Azure has %d", n)
			}
		})
	}
}
