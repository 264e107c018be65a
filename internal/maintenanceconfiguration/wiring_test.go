package maintenanceconfiguration

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// On a real API server, in a real manager: what is written passes the schema, and everything that matters wakes it.
func TestInAManager(t *testing.T) {
	const crds = "../../localstack/crds/generated/"
	config := testkit.APIServer(t, crds+"capi/clusters.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json", crds+"capz/azureasomanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json")
	server, err := testkit.Connect(config, capi.AddToScheme, fleetwrightv1.AddToScheme)
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t)
	s.client = server
	mgr := testkit.NewManager(t, config, server.Scheme())
	if err := AddToManager(mgr, s, "fleetwright-system"); err != nil {
		t.Fatal(err)
	}
	testkit.Run(t, mgr)

	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: key.Namespace}})
	s.object()
	reports := func(kind, status, reason string) func() error {
		return func() error {
			m, _ := s.get()
			if slices.ContainsFunc(m.Status.Conditions, func(c metav1.Condition) bool {
				return c.Type == kind && string(c.Status) == status && c.Reason == reason
			}) {
				return nil
			}
			return fmt.Errorf("it says %s", said(m))
		}
	}
	testkit.Eventually(t, "it waits for its cluster", reports("Ready", "False", "ClusterNotFound"))
	objects := clusterObjects()
	slices.Reverse(objects) // the control plane first: nothing tells of it
	for _, o := range objects {
		status := o.DeepCopyObject().(client.Object)
		s.create(o)
		if c, is := o.(*clusterv1.Cluster); is {
			c.Status = status.(*clusterv1.Cluster).Status
			if err := s.client.Status().Update(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	cluster := objects[1].(*clusterv1.Cluster)
	cluster.Annotations = map[string]string{"a": "b"} // CAPI writes such things all the time
	if err := s.client.Update(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "it is written", reports("Ready", "True", "Ready"))
	s.create(&fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: "incident"}, Spec: fleetwrightv1.FreezeSpec{Scope: "All", Reconcile: "Paused", Reason: "x"},
	})
	testkit.Eventually(t, "it is frozen", reports("Paused", "True", "Frozen"))
	s.azure.Request(http.MethodPut, windowID, version, `{"properties": {"maintenanceWindow": {"schedule": {"weekly": {"intervalWeeks": 1, "dayOfWeek": "Monday"}}, "startTime": "12:00", "durationHours": 8}}}`)
	m, _ := s.get()
	m.Annotations[capi.PausedAnnotation] = ""
	if err := s.client.Update(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "what differs is told, and left", reports("Applied", "False", "Drifted"))
	if m, _ = s.get(); m.Status.Observed.Schedule.Weekly.DayOfWeek != "Monday" {
		t.Errorf("Azure has %+v", m.Status.Observed)
	}
	delete(m.Annotations, capi.PausedAnnotation)
	if err := s.client.Update(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := s.client.DeleteAllOf(t.Context(), &fleetwrightv1.Freeze{}, client.InNamespace(key.Namespace)); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "and healed afterwards", reports("Ready", "True", "Ready"))
	if m, _ = s.get(); len(m.Status.DriftHistory) != 1 {
		t.Errorf("the history is %+v", m.Status.DriftHistory)
	}
	if err := s.client.Delete(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "it goes", func() error {
		if m, found := s.get(); found {
			return fmt.Errorf("it says %s", said(m))
		}
		return nil
	})
	if n := s.inAzure(); n != 0 {
		t.Errorf("Azure has %d", n)
	}
}
