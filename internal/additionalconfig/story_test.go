package additionalconfig

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// place is one namespace with a Cluster c and a config of it, on a real API server. The test plays the controllers of the objects.
type place struct {
	t          *testing.T
	reconciler *Reconciler
	clock      *testclock.FakePassiveClock
	recorder   *events.FakeRecorder
	config     *fleetwrightv1.AzureClusterAdditionalConfig
}

func newPlace(t *testing.T, namespace, spec string) *place {
	t.Helper()
	p := &place{t: t, clock: testclock.NewFakePassiveClock(time.Now()), recorder: events.NewFakeRecorder(100)}
	p.reconciler = &Reconciler{Client: server, Live: server, Recorder: p.recorder, Clock: p.clock, Namespace: "manager", Sections: Sections}
	p.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	p.create(&clusterv1.Cluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "c"},
		Spec:       clusterv1.ClusterSpec{ControlPlaneRef: clusterv1.ContractVersionedObjectReference{APIGroup: "x.y", Kind: "A", Name: "c"}},
	})
	p.config = &fleetwrightv1.AzureClusterAdditionalConfig{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "c"}}
	p.config.Spec = p.spec(spec)
	p.create(p.config)
	return p
}

func (p *place) spec(text string) fleetwrightv1.AzureClusterAdditionalConfigSpec {
	p.t.Helper()
	spec := fleetwrightv1.AzureClusterAdditionalConfigSpec{ClusterName: "c"}
	if err := yaml.UnmarshalStrict([]byte(text), &spec); err != nil {
		p.t.Fatal(err)
	}
	return spec
}

func (p *place) create(o client.Object) {
	p.t.Helper()
	if err := server.Create(p.t.Context(), o); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) get(o client.Object, name string) bool {
	p.t.Helper()
	err := server.Get(p.t.Context(), client.ObjectKey{Namespace: p.config.Namespace, Name: name}, o)
	if client.IgnoreNotFound(err) != nil {
		p.t.Fatal(err)
	}
	return err == nil
}

// change edits the config.
func (p *place) change(spec string) {
	p.t.Helper()
	p.get(p.config, "c")
	p.config.Spec = p.spec(spec)
	if err := server.Update(p.t.Context(), p.config); err != nil {
		p.t.Fatal(err)
	}
}

// reconcile looks until a look changes nothing more, as watches would have it, and says what is there.
func (p *place) reconcile() []string {
	p.t.Helper()
	last := ""
	for range 10 {
		if _, err := p.reconciler.Reconcile(p.t.Context(), p.config.DeepCopy()); err != nil {
			p.t.Fatal(err)
		}
		now := strings.Join(p.seen(), "\n")
		if now == last {
			return p.seen()
		}
		last = now
	}
	p.t.Fatalf("it does not come to rest:\n%s", last)
	return nil
}

// seen are the objects, and the conditions of the config that say something.
func (p *place) seen() []string {
	p.t.Helper()
	var out []string
	var assignments fleetwrightv1.AzureRoleAssignmentList
	var autoscalers fleetwrightv1.AzureClusterAutoscalerList
	for _, list := range []client.ObjectList{&assignments, &autoscalers} {
		if err := server.List(p.t.Context(), list, client.InNamespace(p.config.Namespace)); err != nil {
			p.t.Fatal(err)
		}
	}
	line := func(kind string, o client.Object) string {
		text := kind + " " + o.GetName()
		if !metav1.IsControlledBy(o, p.config) {
			text += " foreign"
		}
		if o.GetDeletionTimestamp() != nil {
			text += " leaving"
		}
		return text
	}
	for i := range assignments.Items {
		a := &assignments.Items[i]
		out = append(out, fmt.Sprintf("%s: %s %s %s", line("AzureRoleAssignment", a), a.Spec.Scope[strings.LastIndex(a.Spec.Scope, "/")+1:], a.Spec.Reconcile, a.Spec.DeletionPolicy))
	}
	for i := range autoscalers.Items {
		a := &autoscalers.Items[i]
		out = append(out, fmt.Sprintf("%s: %s %s %s", line("AzureClusterAutoscaler", a), a.Spec.Profile.Expander, a.Spec.Reconcile, a.Spec.DeletionPolicy))
	}
	if !p.get(p.config, "c") {
		return append(out, "the config is gone")
	}
	for _, c := range p.config.Status.Conditions {
		if c.Type != "Paused" && c.Type != "Deleting" || c.Status == metav1.ConditionTrue {
			out = append(out, fmt.Sprintf("%s %s %s", c.Type, c.Status, c.Reason))
		}
	}
	return out
}

// expect reconciles and compares.
func (p *place) expect(what string, want ...string) {
	p.t.Helper()
	if diff := cmp.Diff(want, p.reconcile()); diff != "" {
		p.t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// reports writes what an object's controller would.
func (p *place) reports(o client.Object, name string, status metav1.ConditionStatus, reason string) {
	p.t.Helper()
	if !p.get(o, name) {
		p.t.Fatalf("there is no %s", name)
	}
	holder := o.(interface {
		GetConditions() []metav1.Condition
		SetConditions([]metav1.Condition)
	})
	set := slices.Clone(holder.GetConditions())
	meta.SetStatusCondition(&set, metav1.Condition{Type: "Ready", Status: status, Reason: reason, Message: "the test says so", ObservedGeneration: o.GetGeneration()})
	holder.SetConditions(set)
	if err := server.Status().Update(p.t.Context(), o); err != nil {
		p.t.Fatal(err)
	}
}

// finalizer sets or removes the one of an object's controller.
func (p *place) finalizer(o client.Object, name string, present bool) {
	p.t.Helper()
	p.get(o, name)
	if present {
		controllerutil.AddFinalizer(o, "fleetwright.io/test")
	} else {
		controllerutil.RemoveFinalizer(o, "fleetwright.io/test")
	}
	if err := server.Update(p.t.Context(), o); err != nil {
		p.t.Fatal(err)
	}
}

func assignment() *fleetwrightv1.AzureRoleAssignment { return &fleetwrightv1.AzureRoleAssignment{} }
func profile() *fleetwrightv1.AzureClusterAutoscaler { return &fleetwrightv1.AzureClusterAutoscaler{} }

const (
	both  = "registries: [{name: shared, id: " + registryID + "shared}]\nautoscaler: {expander: random}"
	moved = "registries: [{name: shared, id: " + registryID + "elsewhere}]\nautoscaler: {expander: priority}"
)

// A config from its first object to its end.
func TestStoryOfAConfig(t *testing.T) {
	p := newPlace(t, "story", both)
	p.expect("the objects appear",
		"AzureRoleAssignment c-registry-shared: shared Active Delete",
		"AzureClusterAutoscaler c: random Active Delete",
		"Ready Unknown RegistriesNotReady", "RegistriesReady Unknown NotReported", "AutoscalerReady Unknown NotReported",
	)
	p.finalizer(assignment(), "c-registry-shared", true)
	p.reports(assignment(), "c-registry-shared", "False", "WaitingForIdentity")
	p.reports(profile(), "c", "True", "Ready")
	p.expect("the first that is not ready is told of",
		"AzureRoleAssignment c-registry-shared: shared Active Delete", "AzureClusterAutoscaler c: random Active Delete",
		"Ready False RegistriesNotReady", "RegistriesReady False WaitingForIdentity", "AutoscalerReady True Ready",
	)
	p.reports(assignment(), "c-registry-shared", "True", "Ready")
	p.expect("all is well",
		"AzureRoleAssignment c-registry-shared: shared Active Delete", "AzureClusterAutoscaler c: random Active Delete",
		"Ready True Ready", "RegistriesReady True Ready", "AutoscalerReady True Ready",
	)
	if s := p.config.Status; len(s.Resources) != 2 || *s.ResourcesTotal != 2 || *s.ResourcesReady != 2 || s.Resources[0].Section != "autoscaler" && s.Resources[0].Section != "registries" {
		t.Errorf("status tells of %+v", s)
	}

	p.change(moved)
	p.expect("one is changed, the other is removed first",
		"AzureRoleAssignment c-registry-shared leaving: shared Active Delete", "AzureClusterAutoscaler c: priority Active Delete",
		"Ready False RegistriesNotReady", "RegistriesReady False Replacing", "AutoscalerReady Unknown NotReported",
	)
	p.finalizer(assignment(), "c-registry-shared", false)
	p.expect("and made anew",
		"AzureRoleAssignment c-registry-shared: elsewhere Active Delete", "AzureClusterAutoscaler c: priority Active Delete",
		"Ready Unknown RegistriesNotReady", "RegistriesReady Unknown NotReported", "AutoscalerReady Unknown NotReported",
	)
	p.reports(assignment(), "c-registry-shared", "True", "Ready")
	p.reports(profile(), "c", "True", "Ready")

	p.finalizer(assignment(), "c-registry-shared", true)
	p.change("autoscaler: {expander: priority}\ndeletionPolicy: Retain")
	p.expect("a section goes, and what it made with it",
		"AzureRoleAssignment c-registry-shared leaving: elsewhere Active Retain", "AzureClusterAutoscaler c: priority Active Retain",
		"Ready Unknown AutoscalerNotReady", "AutoscalerReady Unknown NotReported",
	)
	p.reports(profile(), "c", "True", "Ready")
	p.expect("that it is not gone is told",
		"AzureRoleAssignment c-registry-shared leaving: elsewhere Active Retain", "AzureClusterAutoscaler c: priority Active Retain",
		"Ready False Removing", "AutoscalerReady True Ready",
	)
	p.finalizer(assignment(), "c-registry-shared", false)
	p.expect("it is gone", "AzureClusterAutoscaler c: priority Active Retain", "Ready True Ready", "AutoscalerReady True Ready")

	p.finalizer(profile(), "c", true)
	if err := server.Delete(t.Context(), p.config); err != nil {
		t.Fatal(err)
	}
	p.expect("the objects go first",
		"AzureClusterAutoscaler c leaving: priority Active Retain",
		"Ready False DeletingResources", "Deleting True DeletingResources",
	)
	p.finalizer(profile(), "c", false)
	p.expect("the end", "the config is gone")
}

// A right stays while only the way changes in which it is written, and what changes besides reaches it.
func TestTheSameRightInOtherWords(t *testing.T) {
	p := newPlace(t, "words", "registries: [{name: shared, id: "+registryID+"shared}]")
	p.reconcile()
	before := assignment()
	p.get(before, "c-registry-shared")
	p.change("registries: [{name: shared, id: " + strings.Replace(registryID, "resourceGroups", "resourcegroups", 1) + "SHARED, pullCheck: {image: pause}}]")
	p.expect("it is changed",
		"AzureRoleAssignment c-registry-shared: shared Active Delete", "Ready Unknown RegistriesNotReady", "RegistriesReady Unknown NotReported",
	)
	after := assignment()
	p.get(after, "c-registry-shared")
	if after.UID != before.UID || after.Spec.Scope != registryID+"shared" || after.Spec.PullCheck.Image != "pause" {
		t.Errorf("it was %s and is %s with %+v", before.UID, after.UID, after.Spec)
	}
}

// What somebody else made is told of and left alone, whatever it is called.
func TestWhatIsNotOursStays(t *testing.T) {
	p := newPlace(t, "foreign", "autoscaler: {expander: random}")
	p.create(&fleetwrightv1.AzureClusterAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: "foreign", Name: "c"},
		Spec: fleetwrightv1.AzureClusterAutoscalerSpec{
			ClusterName: "c", Profile: fleetwrightv1.AutoscalerProfile{AutoscalerSettings: fleetwrightv1.AutoscalerSettings{Expander: "priority"}},
		},
	})
	taken := []string{
		"AzureClusterAutoscaler c foreign: priority  ",
		"Ready False AutoscalerNotReady", "AutoscalerReady False NameTaken", "Stalled True NameTaken",
	}
	p.expect("the name is taken", taken...)
	// A cache that does not know of it yet asks for it to be made.
	err := p.reconciler.do(t.Context(), p.config, action{verb: create, target: target{"AzureClusterAutoscaler", "c"}, spec: map[string]any{
		"clusterName": "c", "profile": map[string]any{"expander": "random"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	// One that was made meanwhile under the name of ours is another.
	err = p.reconciler.do(t.Context(), p.config, action{verb: apply, target: target{"AzureClusterAutoscaler", "c"}, version: "1", spec: map[string]any{
		"clusterName": "c", "profile": map[string]any{"expander": "random"},
	}})
	if !apierrors.IsConflict(err) {
		t.Errorf("changing another object: %v", err)
	}
	for verb, spec := range map[verb]map[string]any{tell: {"reconcile": "Paused"}, remove: nil} {
		err = p.reconciler.do(t.Context(), p.config, action{verb: verb, target: target{"AzureClusterAutoscaler", "c"}, uid: "another", version: "1", spec: spec})
		if !apierrors.IsConflict(err) {
			t.Errorf("%s of another object: %v", verb, err)
		}
	}
	p.expect("it is still theirs", taken...)
	if err := server.Delete(t.Context(), p.config); err != nil {
		t.Fatal(err)
	}
	p.expect("it stays", "AzureClusterAutoscaler c foreign: priority  ", "the config is gone")
}

// A pause of the config reaches its objects, which are changed in nothing else, and its end does, too.
func TestAPauseReachesTheObjects(t *testing.T) {
	p := newPlace(t, "paused", both)
	p.reconcile()
	p.change(moved + "\nreconcile: Paused")
	p.expect("it is passed on, and nothing else",
		"AzureRoleAssignment c-registry-shared: shared Paused Delete", "AzureClusterAutoscaler c: random Paused Delete",
		"Ready False RegistriesNotReady", "RegistriesReady False Replacing", "AutoscalerReady Unknown NotReported", "Paused True Paused",
	)
	p.change(both)
	p.expect("and taken back",
		"AzureRoleAssignment c-registry-shared: shared Active Delete", "AzureClusterAutoscaler c: random Active Delete",
		"Ready Unknown RegistriesNotReady", "RegistriesReady Unknown NotReported", "AutoscalerReady Unknown NotReported",
	)
	// The annotation is a pause as well.
	for _, annotations := range []map[string]string{{"cluster.x-k8s.io/paused": ""}, nil} {
		p.config.Annotations = annotations
		if err := server.Update(t.Context(), p.config); err != nil {
			t.Fatal(err)
		}
		mode := map[bool]string{true: "Paused", false: "Active"}[annotations != nil]
		if got := p.reconcile()[0]; got != "AzureRoleAssignment c-registry-shared: shared "+mode+" Delete" {
			t.Errorf("with %v there is %s", annotations, got)
		}
	}
	// It is passed on while the Cluster is paused, too: otherwise the end of that would be the end of both.
	cluster := &clusterv1.Cluster{}
	p.get(cluster, "c")
	cluster.Spec.Paused = new(true)
	p.config.Annotations = map[string]string{"cluster.x-k8s.io/paused": ""}
	for _, o := range []client.Object{cluster, p.config} {
		if err := server.Update(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.reconcile()[0]; got != "AzureRoleAssignment c-registry-shared: shared Paused Delete" {
		t.Errorf("while the Cluster is paused there is %s", got)
	}
	cluster.Spec.Paused, p.config.Annotations = nil, nil
	for _, o := range []client.Object{cluster, p.config} {
		if err := server.Update(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	// What we have passed on by itself must not stay when a field is not wanted any more.
	p.change("autoscaler: {maxEmptyBulkDelete: 5}")
	p.reconcile()
	got := profile()
	p.get(got, "c")
	if got.Spec.Profile.Expander != "" || got.Spec.Profile.MaxEmptyBulkDelete != 5 {
		t.Errorf("the profile is %+v", got.Spec.Profile)
	}
}

// lagging is a cache that still has an earlier Cluster.
type lagging struct {
	client.Client
	cluster *clusterv1.Cluster
}

func (l lagging) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if cluster, is := o.(*clusterv1.Cluster); is {
		l.cluster.DeepCopyInto(cluster)
		return nil
	}
	return l.Client.Get(ctx, key, o, opts...)
}

// counting counts the Clusters that are read past the cache.
type counting struct {
	client.Reader
	clusters int
}

func (c *counting) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if _, is := o.(*clusterv1.Cluster); is {
		c.clusters++
	}
	return c.Reader.Get(ctx, key, o, opts...)
}

// A Cluster that is paused is left alone at once, also while the cache does not know of that yet. It is asked past the cache before a
// write, and not at a look that writes nothing.
func TestAPauseThatTheCacheDoesNotKnowOf(t *testing.T) {
	p := newPlace(t, "lagging", both)
	cluster, live := &clusterv1.Cluster{}, &counting{Reader: server}
	p.get(cluster, "c")
	p.reconciler.Client, p.reconciler.Live = lagging{server, cluster.DeepCopy()}, live
	pause := func(paused bool) {
		t.Helper()
		cluster.Spec.Paused = new(paused)
		if err := server.Update(t.Context(), cluster); err != nil {
			t.Fatal(err)
		}
	}
	pause(true)
	if result, err := p.reconciler.Reconcile(t.Context(), p.config.DeepCopy()); err != nil || result.RequeueAfter != conflictPause || len(p.seen()) > 0 {
		t.Errorf("looks again in %s, %v, and there is %q", result.RequeueAfter, err, p.seen())
	}
	p.reconciler.Client = server
	p.expect("the cache knows of it",
		"Ready False RegistriesNotReady", "RegistriesReady False Creating", "AutoscalerReady False Creating", "Paused True ClusterPaused",
	)
	pause(false)
	p.reconcile()
	live.clusters = 0
	p.expect("it goes on",
		"AzureRoleAssignment c-registry-shared: shared Active Delete", "AzureClusterAutoscaler c: random Active Delete",
		"Ready Unknown RegistriesNotReady", "RegistriesReady Unknown NotReported", "AutoscalerReady Unknown NotReported",
	)
	if live.clusters > 0 {
		t.Errorf("at rest, the Cluster is read %d times past the cache", live.clusters)
	}
}

// What somebody sets in an object besides stays, and is no news to wait for; what the spec had and has no more goes.
func TestWhatOthersSetBesidesStays(t *testing.T) {
	p := newPlace(t, "besides", both)
	p.reconcile()
	patch := func(o client.Object, name, text string) {
		t.Helper()
		o.SetNamespace("besides")
		o.SetName(name)
		if err := server.Patch(t.Context(), o, client.RawPatch(types.MergePatchType, []byte(text)), client.FieldOwner("somebody")); err != nil {
			t.Fatal(err)
		}
	}
	patch(assignment(), "c-registry-shared", `{"spec": {"existingPolicy": "Report"}}`)
	patch(profile(), "c", `{"spec": {"profile": {"maxEmptyBulkDelete": 5}}}`)
	p.reports(assignment(), "c-registry-shared", "True", "Ready")
	p.reports(profile(), "c", "True", "Ready")
	p.expect("all is well",
		"AzureRoleAssignment c-registry-shared: shared Active Delete", "AzureClusterAutoscaler c: random Active Delete",
		"Ready True Ready", "RegistriesReady True Ready", "AutoscalerReady True Ready",
	)
	p.change(both[:len(both)-1] + ", scanIntervalSeconds: 20}")
	p.reconcile()
	p.change("registries: [{name: shared, id: " + registryID + "shared}]\nautoscaler: {scanIntervalSeconds: 20}")
	p.reconcile()
	a, is := assignment(), profile()
	p.get(a, "c-registry-shared")
	p.get(is, "c")
	if got := is.Spec.Profile; a.Spec.ExistingPolicy != "Report" || got.MaxEmptyBulkDelete != 5 || got.Expander != "" || got.ScanIntervalSeconds != 20 {
		t.Errorf("existingPolicy %s, the profile is %+v", a.Spec.ExistingPolicy, got)
	}
}

// What the example asks for is taken by the API server, of every section.
func TestTheExampleIsTaken(t *testing.T) {
	text, err := os.ReadFile("../../examples/additional-config/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var example fleetwrightv1.AzureClusterAdditionalConfig
	if err := yaml.UnmarshalStrict(text, &example); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, "example", "{}")
	example.Spec.ClusterName = "c"
	p.config.Spec = example.Spec
	if err := server.Update(t.Context(), p.config); err != nil {
		t.Fatal(err)
	}
	p.reconcile()
	made := map[string]int{}
	for _, r := range p.config.Status.Resources {
		made[r.Section]++
		if r.Reason != "NotReported" {
			t.Errorf("%s %s is %s", r.Kind, r.Name, r.Reason)
		}
	}
	for _, s := range Sections {
		if made[s.Name] == 0 {
			t.Errorf("the example has no section %s", s.Name)
		}
	}
}

// Deleting all status changes nothing but the report, which comes back.
func TestStatusIsAReport(t *testing.T) {
	p := newPlace(t, "wiped", both)
	before := p.reconcile()
	p.config.Status = fleetwrightv1.AzureClusterAdditionalConfigStatus{}
	if err := server.Status().Update(t.Context(), p.config); err != nil {
		t.Fatal(err)
	}
	p.expect("it comes back", before...)
}

// What the API server refuses in an object is told, and not tried again for ever.
func TestARefusedObjectIsTold(t *testing.T) {
	p := newPlace(t, "refused", "roleAssignments: [{name: dns, scope: "+zoneID+", role: {name: Reader}, principal: {clusterIdentity: Kubelet}}]")
	p.reconcile()
	err := p.reconciler.report(t.Context(), p.config, world{clusterFound: true}, plan{resources: []resource{
		{AdditionalResource: fleetwrightv1.AdditionalResource{Kind: "AzureRoleAssignment", Name: "c-role-dns", Section: "roleAssignments", Ready: "True", Reason: "Ready"}},
	}}, failures{{"AzureRoleAssignment", "c-role-dns"}: apierrors.NewInvalid(fleetwrightv1.GroupVersion.WithKind("AzureRoleAssignment").GroupKind(), "c-role-dns", nil)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"AzureRoleAssignment c-role-dns: example.org Active Delete",
		"Ready False RoleAssignmentsNotReady", "RoleAssignmentsReady False InvalidSpec", "Stalled True InvalidSpec",
	}, p.seen()); diff != "" {
		t.Errorf("it is told differently (-want +got):\n%s", diff)
	}
}
