package reporting

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// server is a real API server with Cluster API's and our definitions.
var server client.Client

func TestMain(m *testing.M) {
	const crds = "../../../localstack/crds/generated/"
	os.Exit(testkit.Main(m, func(config *rest.Config) (err error) {
		server, err = testkit.Connect(config, clusterv1.AddToScheme, fleetwrightv1.AddToScheme)
		return err
	}, crds+"capi/clusters.cluster.x-k8s.io.json"))
}

// A planned Freeze of the production clusters of the fleet, from its schedule to its end, as its status tells it.
func TestFreezeFromScheduleToEnd(t *testing.T) {
	create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "manager"}})
	var pools []*fleetwrightv1.Nodepool
	for namespace, stage := range map[string]string{"prod": "production", "staging": "staging"} {
		create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
		create(t, &clusterv1.Cluster{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "c", Labels: map[string]string{"stage": stage}},
			Spec: clusterv1.ClusterSpec{
				ControlPlaneRef: clusterv1.ContractVersionedObjectReference{APIGroup: "x.y", Kind: "A", Name: "c"},
			},
		})
		for _, name := range []string{"c-general", "c-system"} {
			np := &fleetwrightv1.Nodepool{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
				Spec:       fleetwrightv1.NodepoolSpec{ClusterName: "c", MachineType: "Standard_D4ds_v5"},
			}
			create(t, np)
			pools = append(pools, np)
		}
	}
	start := time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC)
	f := &fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Namespace: "manager", Name: "holidays"},
		Spec: fleetwrightv1.FreezeSpec{
			Scope: "Selected", ClusterSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"stage": "production"}},
			Reconcile: "NonDisruptive", Reason: "holidays", From: ptr.To(metav1.NewTime(start)), Until: ptr.To(metav1.NewTime(start.Add(time.Hour))),
		},
	}
	create(t, f)
	clock := testclock.NewFakePassiveClock(start.Add(-10 * time.Minute))
	recorder := events.NewFakeRecorder(10)
	r := &Reconciler{Client: server, Live: server, Namespace: "manager", Recorder: recorder, Clock: clock}

	expect := func(status, reason, message string, holding int32, checkAgain time.Duration) {
		t.Helper()
		result, err := r.Reconcile(t.Context(), f.DeepCopy())
		if err != nil {
			t.Fatal(err)
		}
		if result.RequeueAfter != checkAgain {
			t.Errorf("looks again after %s, want %s", result.RequeueAfter, checkAgain)
		}
		var got fleetwrightv1.Freeze
		if err := server.Get(t.Context(), client.ObjectKeyFromObject(f), &got); err != nil {
			t.Fatal(err)
		}
		want := fleetwrightv1.FreezeStatus{
			ObservedGeneration: 1, Matched: ptr.To[int32](2), Holding: &holding,
			Conditions: []metav1.Condition{{Type: "InEffect", Status: metav1.ConditionStatus(status), Reason: reason, Message: message, ObservedGeneration: 1}},
		}
		if diff := cmp.Diff(want, got.Status, cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime")); diff != "" {
			t.Errorf("status at %s (-want +got):\n%s", clock.Now(), diff)
		}
	}
	expect("False", "Scheduled", "begins at 2026-12-20T00:00:00Z; objects in reach: 2", 0, 10*time.Minute)
	clock.SetTime(start)
	expect("False", "Converging", "0 of 2 objects hold; not yet: Nodepool prod/c-general, Nodepool prod/c-system", 0, time.Hour)
	reportHeld(t, pools, "c-general", start)
	expect("False", "Converging", "1 of 2 objects hold; not yet: Nodepool prod/c-system", 1, time.Hour)
	reportHeld(t, pools, "c-system", start)
	expect("True", "Held", "2 of 2 objects hold", 2, time.Hour)
	expect("True", "Held", "2 of 2 objects hold", 2, time.Hour)
	clock.SetTime(start.Add(time.Hour))
	expect("False", "Expired", "ended at 2026-12-20T01:00:00Z", 0, 0)

	close(recorder.Events)
	var told []string
	for event := range recorder.Events {
		told = append(told, event)
	}
	want := []string{
		"Normal Scheduled begins at 2026-12-20T00:00:00Z; objects in reach: 2",
		"Normal Converging 0 of 2 objects hold; not yet: Nodepool prod/c-general, Nodepool prod/c-system",
		"Normal Held 2 of 2 objects hold",
		"Normal Expired ended at 2026-12-20T01:00:00Z",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if result, err := r.Reconcile(t.Context(), &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: "manager", Name: "gone"}}); err != nil || result.RequeueAfter != 0 {
		t.Errorf("a Freeze that is gone: %+v, %v", result, err)
	}
}

// reportHeld makes the Nodepools of this name report that they hold.
func reportHeld(t *testing.T, pools []*fleetwrightv1.Nodepool, name string, now time.Time) {
	t.Helper()
	for _, np := range pools {
		if np.Name != name {
			continue
		}
		np.Status.Conditions = []metav1.Condition{{
			Type: "Paused", Status: "True", Reason: "Frozen", LastTransitionTime: metav1.NewTime(now),
			Message: "Freeze manager/holidays (NonDisruptive) until 2026-12-20T01:00:00Z: holidays; nothing is held back",
		}}
		if err := server.Status().Update(t.Context(), np); err != nil {
			t.Fatal(err)
		}
	}
}

func create(t *testing.T, o client.Object) {
	t.Helper()
	if err := server.Create(t.Context(), o); err != nil {
		t.Fatalf("create %T %s: %v", o, o.GetName(), err)
	}
}
