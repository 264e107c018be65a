package maintenanceconfiguration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/testkit/simazure"
)

var (
	clusterID = simazure.ClusterID("prod", "prod")
	windowID  = clusterID + "/maintenanceConfigurations/aksManagedNodeOSUpgradeSchedule"
)

const version = "2025-10-01"

// stage is a simulated Azure, asked through the real client over HTTPS, with one cluster; and a management cluster. Its clock is
// Fleetwright's alone.
type stage struct {
	t          *testing.T
	azure      *simazure.Azure
	client     client.Client
	clock      *testclock.FakePassiveClock
	way        Azure
	reconciler *Reconciler
	recorder   *events.FakeRecorder
}

var key = types.NamespacedName{Namespace: "prod-eu", Name: "prod-aksmanagednodeosupgradeschedule"}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, azure: simazure.Start(t, nil), clock: testclock.NewFakePassiveClock(noon)}
	s.azure.MakeCluster("prod", "prod")
	s.client = simazure.ManagementCluster(t, &fleetwrightv1.AzureMaintenanceConfiguration{}, clusterObjects()...)
	s.restart()
	return s
}

// restart is a new process: nothing of its memory is left.
func (s *stage) restart() {
	s.t.Helper()
	s.way = s.azure.Connect(s.clock)
	s.recorder = events.NewFakeRecorder(100)
	s.reconciler = &Reconciler{Client: s.client, Live: s.client, Azures: s, Recorder: s.recorder, Clock: s.clock, Namespace: "fleetwright-system"}
}

// For implements Azures.
func (s *stage) For(context.Context, capi.Cluster) (Azure, error) { return s.way, nil }

func clusterObjects() []client.Object { return simazure.ClusterObjects(key.Namespace, "prod", "prod") }

func (s *stage) create(o client.Object) {
	s.t.Helper()
	if err := s.client.Create(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

// object makes the AzureMaintenanceConfiguration that the stories are about.
func (s *stage) object(change ...func(*fleetwrightv1.AzureMaintenanceConfigurationSpec)) {
	s.t.Helper()
	m := &fleetwrightv1.AzureMaintenanceConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Generation: 1}}
	m.Spec.ClusterName, m.Spec.Type, m.Spec.Window = "prod", fleetwrightv1.MaintenanceTypeNodeOSUpgrade, windowOf(s.t, sunday)
	for _, c := range change {
		c(&m.Spec)
	}
	s.create(m)
}

func (s *stage) get() (*fleetwrightv1.AzureMaintenanceConfiguration, bool) {
	s.t.Helper()
	m := &fleetwrightv1.AzureMaintenanceConfiguration{}
	err := s.client.Get(s.t.Context(), key, m)
	if client.IgnoreNotFound(err) != nil {
		s.t.Fatal(err)
	}
	return m, err == nil
}

// change edits the spec, as the API server counts it.
func (s *stage) change(edit func(*fleetwrightv1.AzureMaintenanceConfigurationSpec)) {
	s.t.Helper()
	m, _ := s.get()
	edit(&m.Spec)
	m.Generation++
	if err := s.client.Update(s.t.Context(), m); err != nil {
		s.t.Fatal(err)
	}
}

// look reconciles once and says what it did in Azure and what the object reports.
func (s *stage) look() string {
	s.t.Helper()
	m, found := s.get()
	if !found {
		return "gone"
	}
	before := len(s.asked())
	result, err := s.reconciler.Reconcile(s.t.Context(), m)
	if err != nil {
		s.t.Fatal(err)
	}
	did := strings.Join(s.asked()[before:], " ")
	if m, found = s.get(); !found {
		return did + ": gone"
	}
	return fmt.Sprintf("%s: %s, again in %s", did, said(m), result.RequeueAfter)
}

// said are the conditions that matter.
func said(m *fleetwrightv1.AzureMaintenanceConfiguration) string {
	var out []string
	for _, c := range m.Status.Conditions {
		if c.Type == "Ready" || c.Type == "Applied" || c.Status == metav1.ConditionTrue {
			out = append(out, c.Type+" "+string(c.Status)+" "+c.Reason)
		}
	}
	return strings.Join(out, ", ")
}

// asked are the requests of Fleetwright about the window.
func (s *stage) asked() []string {
	var out []string
	for _, r := range s.azure.Ours() {
		if strings.Contains(r.Path, "/maintenanceConfigurations/") {
			out = append(out, r.Method)
		}
	}
	return out
}

func (s *stage) expect(what, want string) {
	s.t.Helper()
	if got := s.look(); got != want {
		s.t.Fatalf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// events are those since the last time.
func (s *stage) events() []string {
	var out []string
	for {
		select {
		case e := <-s.recorder.Events:
			out = append(out, e)
		default:
			slices.Sort(out)
			return out
		}
	}
}
