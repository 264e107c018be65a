package workloadcluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/nodepool"
)

// stage is one namespace with a WorkloadCluster c, on a real API server. The test plays everybody else: CAPI, CAPZ, Azure Service Operator and the
// controllers of what is made.
type stage struct {
	t          *testing.T
	namespace  string
	reconciler *Reconciler
	clock      *testclock.FakePassiveClock
	recorder   *events.FakeRecorder
	workload   workload
}

// workload are the objects of the workload cluster, by kind and name.
type workload map[string]*unstructured.Unstructured

func (w workload) Object(_ context.Context, _ types.NamespacedName, kind schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	return w[kind.Kind+" "+key.Name], nil
}

func newStage(t *testing.T, namespace string) *stage {
	t.Helper()
	s := &stage{t: t, namespace: namespace, clock: testclock.NewFakePassiveClock(time.Now()), recorder: events.NewFakeRecorder(1000), workload: workload{}}
	s.reconciler = s.newReconciler(server)
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	return s
}

func (s *stage) newReconciler(c client.Client) *Reconciler {
	return &Reconciler{Client: c, Live: c, Workload: s.workload, PoolDifferences: nodepool.Differences, Recorder: s.recorder, Clock: s.clock, Namespace: "manager"}
}

func (s *stage) create(o client.Object) {
	s.t.Helper()
	if err := server.Create(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

// apply makes a WorkloadCluster of a spec, or gives it another.
func (s *stage) apply(spec string) {
	s.t.Helper()
	object := s.object()
	there := object != nil
	if !there {
		object = &fleetwrightv1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "c"}}
	}
	object.Spec = fleetwrightv1.WorkloadClusterSpec{}
	if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(spec, "NAMESPACE", s.namespace)), &object.Spec); err != nil {
		s.t.Fatal(err)
	}
	var err error
	if there {
		err = server.Update(s.t.Context(), object)
	} else {
		err = server.Create(s.t.Context(), object)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// object is the WorkloadCluster, nil when it is gone.
func (s *stage) object() *fleetwrightv1.WorkloadCluster {
	s.t.Helper()
	var object fleetwrightv1.WorkloadCluster
	if !s.get(&object, "c") {
		return nil
	}
	return &object
}

func (s *stage) get(o client.Object, name string) bool {
	s.t.Helper()
	err := server.Get(s.t.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, o)
	if client.IgnoreNotFound(err) != nil {
		s.t.Fatal(err)
	}
	return err == nil
}

// edit changes an object that is there.
func edit[O client.Object](s *stage, o O, name string, change func(O)) {
	s.t.Helper()
	if !s.get(o, name) {
		s.t.Fatalf("there is no %T %s", o, name)
	}
	change(o)
	if err := server.Update(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

// look reconciles once.
func (s *stage) look() error {
	object := &fleetwrightv1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "c"}}
	_, err := s.reconciler.Reconcile(s.t.Context(), object)
	return err
}

// settle looks until a look changes nothing more, as watches would have it.
func (s *stage) settle() {
	s.t.Helper()
	last := ""
	for range 12 {
		if err := s.look(); err != nil {
			s.t.Fatal(err)
		}
		now := s.versions()
		if now == last {
			return
		}
		last = now
	}
	s.t.Fatalf("it does not come to rest:\n%s", last)
}

// everything are lists of all kinds that matter.
func everything() []client.ObjectList {
	list := func(group, version, kind string) client.ObjectList {
		l := &unstructured.UnstructuredList{}
		l.SetGroupVersionKind(schema.GroupVersionKind{Group: group, Version: version, Kind: kind + "List"})
		return l
	}
	const infra = "infrastructure.cluster.x-k8s.io"
	return []client.ObjectList{
		&fleetwrightv1.AddressClaimList{}, list(infra, "v1beta1", "AzureASOManagedCluster"), list(infra, "v1beta1", "AzureASOManagedControlPlane"),
		list(infra, "v1beta1", "AzureManagedCluster"), list(infra, "v1beta1", "AzureManagedControlPlane"),
		&clusterv1.ClusterList{}, &fleetwrightv1.NodepoolList{}, &fleetwrightv1.AzureClusterAdditionalConfigList{}, &fleetwrightv1.WorkloadClusterList{},
	}
}

func (s *stage) each(visit func(kind string, o client.Object)) {
	s.t.Helper()
	for _, list := range everything() {
		if err := server.List(s.t.Context(), list, client.InNamespace(s.namespace)); err != nil {
			s.t.Fatal(err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, item := range items {
			o := item.(client.Object)
			gvks, _, err := server.Scheme().ObjectKinds(o)
			kind := o.GetObjectKind().GroupVersionKind().Kind
			if err == nil {
				kind = gvks[0].Kind
			}
			visit(kind, o)
		}
	}
}

func (s *stage) versions() string {
	var out []string
	s.each(func(kind string, o client.Object) { out = append(out, kind+" "+o.GetName()+" "+o.GetResourceVersion()) })
	return strings.Join(out, "\n")
}

// seen are the objects that were made, and what the WorkloadCluster says.
func (s *stage) seen() []string {
	s.t.Helper()
	var out []string
	s.each(func(kind string, o client.Object) {
		if kind == "WorkloadCluster" {
			return
		}
		text := kind + " " + o.GetName()
		if o.GetLabels()[fleetwrightv1.LabelWorkloadCluster] != "c" {
			text += " foreign"
		}
		if o.GetDeletionTimestamp() != nil {
			text += " leaving"
		}
		out = append(out, text)
	})
	object := s.object()
	if object == nil {
		return append(out, "it is gone")
	}
	return append(out, s.says(object)...)
}

// says are the conditions that say something, without those that are True or not declared.
func (s *stage) says(object *fleetwrightv1.WorkloadCluster) []string {
	var out []string
	for _, c := range object.Status.Conditions {
		quiet := c.Status == metav1.ConditionTrue && (strings.HasSuffix(c.Type, "Ready") && c.Type != "Ready" || c.Type == "Available" || c.Type == "UpToDate")
		if (c.Type == "Paused" || c.Type == "Deleting") && c.Status == metav1.ConditionFalse {
			quiet = true
		}
		if !quiet {
			out = append(out, fmt.Sprintf("%s %s %s", c.Type, c.Status, c.Reason))
		}
	}
	return out
}

// expect settles and compares.
func (s *stage) expect(what string, want ...string) {
	s.t.Helper()
	s.settle()
	if diff := cmp.Diff(want, s.seen()); diff != "" {
		s.t.Fatalf("%s (-want +got):\n%s\n%s", what, diff, s.message("Ready"))
	}
}

// message is a condition's.
func (s *stage) message(kind string) string {
	s.t.Helper()
	object := s.object()
	if object == nil {
		return ""
	}
	if c := meta.FindStatusCondition(object.Status.Conditions, kind); c != nil {
		return c.Message
	}
	return ""
}

// reports writes what an object's controller would.
func (s *stage) reports(o client.Object, name string, conditions ...string) {
	s.t.Helper()
	if !s.get(o, name) {
		s.t.Fatalf("there is no %T %s", o, name)
	}
	holder := o.(interface {
		GetConditions() []metav1.Condition
		SetConditions([]metav1.Condition)
	})
	set := slices.Clone(holder.GetConditions())
	for _, c := range conditions {
		words := strings.Fields(c)
		meta.SetStatusCondition(&set, metav1.Condition{
			Type: words[0], Status: metav1.ConditionStatus(words[1]), Reason: words[2], Message: "the test says so", ObservedGeneration: o.GetGeneration(),
		})
	}
	holder.SetConditions(set)
	s.saved(o)
}

func (s *stage) saved(o client.Object) {
	s.t.Helper()
	if err := server.Status().Update(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

// bound plays the controller of the claim.
func (s *stage) bound(ranges ...fleetwrightv1.BoundRange) {
	s.t.Helper()
	claim := &fleetwrightv1.AddressClaim{}
	s.get(claim, "c")
	claim.Status.Ranges = ranges
	s.saved(claim)
	s.reports(claim, "c", "Ready True Bound")
}

var network = []fleetwrightv1.BoundRange{
	{Name: "vnet", CIDR: "10.64.16.0/23"}, {Name: "nodes", CIDR: "10.64.16.0/24"}, {Name: "pods", CIDR: "100.64.0.0/16"}, {Name: "services", CIDR: "100.96.0.0/16"},
}

// poolReady plays the controller of a Nodepool.
func (s *stage) poolReady(name, version string) {
	s.t.Helper()
	np := &fleetwrightv1.Nodepool{}
	s.get(np, name)
	np.Status.Version, np.Status.ReadyReplicas = version, new(int32(2))
	s.saved(np)
	s.reports(np, name, "Ready True Ready", "Available True Available", "UpToDate True UpToDate")
}

// infrastructure and controlPlane are CAPZ's objects of a flavour.
func infra(flavor, what string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: flavor + what})
	return u
}

const aso, managed = "AzureASOManaged", "AzureManaged"

// clusterServes plays Cluster API, CAPZ and Azure: the cluster is there, in this version.
func (s *stage) clusterServes(flavor, version string) {
	s.t.Helper()
	s.infrastructureReady(flavor)
	s.controlPlaneRuns(flavor, version)
	cluster := &clusterv1.Cluster{}
	s.get(cluster, "c")
	cluster.Status.Initialization.ControlPlaneInitialized = new(true)
	cluster.Status.Conditions = []metav1.Condition{
		{Type: clusterv1.ClusterRemoteConnectionProbeCondition, Status: "True", Reason: "ProbeSucceeded", LastTransitionTime: metav1.NewTime(s.clock.Now())},
		{Type: clusterv1.ClusterControlPlaneInitializedCondition, Status: "True", Reason: "Initialized", LastTransitionTime: metav1.NewTime(s.clock.Now())},
	}
	s.saved(cluster)
}

func (s *stage) infrastructureReady(flavor string) {
	s.t.Helper()
	if flavor == managed {
		plane := infra(managed, "ControlPlane")
		s.get(plane, "c")
		var conditions []any
		for _, kind := range []string{"ResourceGroupReady", "VNetReady", "SubnetsReady"} {
			conditions = append(conditions, map[string]any{"type": kind, "status": "True", "lastTransitionTime": s.clock.Now().UTC().Format(time.RFC3339)})
		}
		s.set(plane, conditions, "status", "conditions")
		s.saved(plane)
		return
	}
	cluster := infra(aso, "Cluster")
	s.get(cluster, "c")
	resources, _, _ := unstructured.NestedSlice(cluster.Object, "spec", "resources")
	var told []any
	for _, item := range resources {
		r := &unstructured.Unstructured{Object: item.(map[string]any)}
		gvk := r.GroupVersionKind()
		told = append(told, map[string]any{
			"resource": map[string]any{"group": gvk.Group, "version": gvk.Version, "kind": gvk.Kind, "name": r.GetName()}, "ready": true,
		})
	}
	s.set(cluster, told, "status", "resources")
	s.saved(cluster)
}

func (s *stage) set(o *unstructured.Unstructured, value any, path ...string) {
	s.t.Helper()
	if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
		s.t.Fatal(err)
	}
}

// controlPlaneRuns says which version runs.
func (s *stage) controlPlaneRuns(flavor, version string) {
	s.t.Helper()
	plane := infra(flavor, "ControlPlane")
	s.get(plane, "c")
	s.set(plane, version, "status", "version")
	s.set(plane, true, "status", "initialized")
	s.set(plane, true, "status", "ready")
	s.saved(plane)
	if flavor == managed {
		return
	}
	mc := &unstructured.Unstructured{}
	mc.SetGroupVersionKind(schema.GroupVersionKind{Group: "containerservice.azure.com", Version: "v1api20250801", Kind: "ManagedCluster"})
	if !s.get(mc, "c") {
		mc.SetNamespace(s.namespace)
		mc.SetName("c")
		s.create(mc)
	}
	s.set(mc, map[string]any{
		"id":                       "/subscriptions/" + subscription + "/resourceGroups/c/providers/Microsoft.ContainerService/managedClusters/c",
		"currentKubernetesVersion": strings.TrimPrefix(version, "v"),
		"conditions":               []any{map[string]any{"type": "Ready", "status": "True", "observedGeneration": mc.GetGeneration(), "lastTransitionTime": s.clock.Now().UTC().Format(time.RFC3339)}},
	}, "status")
	s.saved(mc)
}

const subscription = "00000000-0000-0000-0000-000000000001"

// finalizer plays the controller of an object that takes its time to go, or lets it go.
func (s *stage) finalizer(o client.Object, name string, present bool) {
	s.t.Helper()
	edit(s, o, name, func(o client.Object) {
		if present {
			controllerutil.AddFinalizer(o, "fleetwright.io/test")
		} else {
			controllerutil.RemoveFinalizer(o, "fleetwright.io/test")
		}
	})
}

// template is a spec as that of a class.
func (s *stage) template(spec string) fleetwrightv1.WorkloadClusterTemplate {
	s.t.Helper()
	var out fleetwrightv1.WorkloadClusterSpec
	if err := yaml.UnmarshalStrict([]byte(spec), &out); err != nil {
		s.t.Fatal(err)
	}
	return out.WorkloadClusterTemplate
}

// ready brings a cluster of small to where tenants can use it.
func (s *stage) ready(flavor string) {
	s.t.Helper()
	s.apply(small(flavor))
	s.settle()
	s.bound(network...)
	s.settle()
	s.clusterServes(flavor, "v1.33.6")
	s.settle() // the config gets its role on the network
	s.poolReady("c-system", "v1.33.6")
	s.poolReady("c-general", "v1.33.6")
	s.configReady()
	s.expect("it is ready", with(made(flavor), "Ready True Ready")...)
}

func (s *stage) configReady() {
	s.t.Helper()
	s.reports(&fleetwrightv1.AzureClusterAdditionalConfig{}, "c", "RegistriesReady True Ready", "RoleAssignmentsReady True Ready", "AutoscalerReady True Ready")
}

// delete asks for the WorkloadCluster's deletion.
func (s *stage) delete() {
	s.t.Helper()
	if err := server.Delete(s.t.Context(), s.object()); err != nil {
		s.t.Fatal(err)
	}
}

// change edits the WorkloadCluster.
func (s *stage) change(change func(*fleetwrightv1.WorkloadCluster)) {
	s.t.Helper()
	edit(s, &fleetwrightv1.WorkloadCluster{}, "c", change)
}

func textAt(o *unstructured.Unstructured, path ...string) string {
	text, _, _ := unstructured.NestedString(o.Object, path...)
	return text
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func (s *stage) clusterThere() bool { return s.get(&clusterv1.Cluster{}, "c") }
