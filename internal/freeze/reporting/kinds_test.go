package reporting

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	testclock "k8s.io/utils/clock/testing"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// teller is an object that reports conditions.
type teller interface {
	client.Object
	GetConditions() []metav1.Condition
	SetConditions(conditions []metav1.Condition)
}

// oneOfEach makes one object of each kind that holds, all of Cluster c.
func oneOfEach(t *testing.T, namespace string) []teller {
	t.Helper()
	const id = "00000000-0000-0000-0000-000000000001"
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }
	window := fleetwrightv1.AzureMaintenanceWindow{StartTime: "01:00", DurationHours: 4}
	window.Schedule.Weekly = fleetwrightv1.MaintenanceEveryWeeks{IntervalWeeks: 1, DayOfWeek: "Sunday"}
	out := []teller{
		&fleetwrightv1.Nodepool{ObjectMeta: named("c-system"), Spec: fleetwrightv1.NodepoolSpec{ClusterName: "c", MachineType: "Standard_D4ds_v5"}},
		&fleetwrightv1.AzureClusterAdditionalConfig{ObjectMeta: named("c"), Spec: fleetwrightv1.AzureClusterAdditionalConfigSpec{ClusterName: "c"}},
		&fleetwrightv1.AzureRoleAssignment{ObjectMeta: named("c-role-x"), Spec: fleetwrightv1.AzureRoleAssignmentSpec{
			ClusterName: "c", Scope: "/subscriptions/" + id, Role: fleetwrightv1.AzureRole{Name: "Reader"}, Principal: fleetwrightv1.AzurePrincipal{ObjectID: id},
		}},
		&fleetwrightv1.AzureClusterAutoscaler{ObjectMeta: named("c"), Spec: fleetwrightv1.AzureClusterAutoscalerSpec{
			ClusterName: "c", Profile: fleetwrightv1.AutoscalerProfile{AutoscalerSettings: fleetwrightv1.AutoscalerSettings{Expander: "random"}},
		}},
		&fleetwrightv1.AzureMaintenanceConfiguration{ObjectMeta: named("c-default"), Spec: fleetwrightv1.AzureMaintenanceConfigurationSpec{
			ClusterName: "c", MaintenancePlan: fleetwrightv1.MaintenancePlan{Type: "default", Window: window},
		}},
		&fleetwrightv1.WorkloadCluster{ObjectMeta: named("c"), Spec: fleetwrightv1.WorkloadClusterSpec{ClassRef: fleetwrightv1.NamespacedReference{Name: "x"}}},
		&fleetwrightv1.AddressClaim{ObjectMeta: named("c"), Spec: fleetwrightv1.AddressClaimSpec{
			ClusterName: "c", Ranges: []fleetwrightv1.ClaimedRange{{Name: "pods", CIDR: "100.64.0.0/12"}},
		}},
	}
	for _, o := range out {
		create(t, o)
	}
	return out
}

// Each kind of ours that reports conditions counts, but for address space and classes, which belong to no cluster and which no Freeze is about.
func TestNoKindIsForgotten(t *testing.T) {
	none := []string{"Freeze", "AddressPool", "AddressAllocation", "WorkloadClusterClass"}
	for name, is := range server.Scheme().KnownTypes(fleetwrightv1.GroupVersion) {
		if _, tells := reflect.TypeAssert[teller](reflect.New(is)); tells && !slices.Contains(none, name) && !slices.ContainsFunc(kinds, func(k kind) bool { return k.name == name }) {
			t.Errorf("a %s does not count", name)
		}
	}
}

// An object of each kind counts from when it says that it holds.
func TestAllKindsHold(t *testing.T) {
	create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kinds"}})
	create(t, &clusterv1.Cluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kinds", Name: "c", Labels: map[string]string{"ring": "kinds"}},
		Spec:       clusterv1.ClusterSpec{ControlPlaneRef: clusterv1.ContractVersionedObjectReference{APIGroup: "x.y", Kind: "A", Name: "c"}},
	})
	objects := oneOfEach(t, "kinds")
	f := &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: "kinds", Name: "incident"}, Spec: fleetwrightv1.FreezeSpec{
		Scope: "Selected", ClusterSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"ring": "kinds"}}, Reconcile: "Paused", Reason: "INC-1",
	}}
	create(t, f)
	r := &Reconciler{Client: server, Live: server, Namespace: "manager", Recorder: events.NewFakeRecorder(10), Clock: testclock.NewFakePassiveClock(time.Now())}
	says := func(want string) {
		t.Helper()
		if _, err := r.Reconcile(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if got := f.Status.Conditions[0].Reason + ": " + f.Status.Conditions[0].Message; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	says("Converging: 0 of 7 objects hold; not yet: AddressClaim kinds/c, AzureClusterAdditionalConfig kinds/c, AzureClusterAutoscaler kinds/c and 4 more")
	for i, o := range objects {
		o.SetConditions([]metav1.Condition{{
			Type: "Paused", Status: "True", Reason: "Frozen", Message: "Freeze kinds/incident (Paused): INC-1", LastTransitionTime: metav1.Now(),
		}})
		if err := server.Status().Update(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			says("Converging: 3 of 7 objects hold; not yet: AddressClaim kinds/c, AzureClusterAutoscaler kinds/c, AzureMaintenanceConfiguration kinds/c-default and 1 more")
		}
	}
	says("Held: 7 of 7 objects hold")
}

// delayed notes what is asked for later.
type delayed struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	asked map[reconcile.Request]time.Duration
}

func (d delayed) AddAfter(request reconcile.Request, after time.Duration) { d.asked[request] = after }

// freezes is a cache that has these.
type freezes struct {
	client.Client
	all []fleetwrightv1.Freeze
}

func (f freezes) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*fleetwrightv1.FreezeList).Items = f.all
	return nil
}

// What changes object by object is looked at once a second, by the Freezes that may reach it.
func TestChangesAreGathered(t *testing.T) {
	at := func(namespace string) fleetwrightv1.Freeze {
		return fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "f"}}
	}
	r := &Reconciler{Namespace: "manager", Client: freezes{all: []fleetwrightv1.Freeze{at("manager"), at("prod"), at("elsewhere")}}}
	o := &fleetwrightv1.AzureRoleAssignment{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "a"}}
	want := map[reconcile.Request]time.Duration{}
	for _, namespace := range []string{"manager", "prod"} {
		want[reconcile.Request{NamespacedName: client.ObjectKey{Namespace: namespace, Name: "f"}}] = time.Second
	}
	for name, happens := range map[string]func(queue workqueue.TypedRateLimitingInterface[reconcile.Request]){
		"it comes": func(queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			r.gather().Create(t.Context(), event.CreateEvent{Object: o}, queue)
		},
		"it changes": func(queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			r.gather().Update(t.Context(), event.UpdateEvent{ObjectOld: o, ObjectNew: o}, queue)
		},
		"it goes": func(queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			r.gather().Delete(t.Context(), event.DeleteEvent{Object: o}, queue)
		},
	} {
		queue := delayed{asked: map[reconcile.Request]time.Duration{}}
		if happens(queue); !reflect.DeepEqual(queue.asked, want) {
			t.Errorf("%s: asked for %v, want %v", name, queue.asked, want)
		}
	}
}

// A WorkloadCluster whose Cluster is not there yet has the labels that the Cluster will have; nothing else has any then.
func TestLabelsBeforeThereIsACluster(t *testing.T) {
	labels := map[string]string{"ring": "canary"}
	made := map[types.NamespacedName]map[string]string{{Namespace: "prod", Name: "there"}: {"ring": "late"}}
	meta := metav1.ObjectMeta{Namespace: "prod", Name: "c", Labels: labels}
	for name, test := range map[string]struct {
		object  client.Object
		cluster string
		want    map[string]string
	}{
		"before":         {&fleetwrightv1.WorkloadCluster{ObjectMeta: meta}, "c", labels},
		"with a Cluster": {&fleetwrightv1.WorkloadCluster{ObjectMeta: meta}, "there", map[string]string{"ring": "late"}},
		"another kind":   {&fleetwrightv1.Nodepool{ObjectMeta: meta}, "c", nil},
	} {
		if got := labelsFor(test.object, test.cluster, made); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
