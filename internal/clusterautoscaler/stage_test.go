package clusterautoscaler

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// stage is one namespace with an AzureClusterAutoscaler c, on a real API server. The test plays CAPZ, Azure Service Operator and Azure.
type stage struct {
	t          *testing.T
	client     client.WithWatch
	reconciler *Reconciler
	clock      *testclock.FakePassiveClock
	recorder   *events.FakeRecorder
	object     *fleetwrightv1.AzureClusterAutoscaler
	kind       string
	key        types.NamespacedName
	// azure is what Azure has besides AKS' defaults.
	azure *memoryAzure
	// writes counts what we wrote to CAPZ's objects; cut refuses the next status, as if the process had ended before it.
	writes int
	cut    bool
	syncs  int
}

var errCut = errors.New("the process was killed here")

const (
	managedKind = "AzureManagedControlPlane"
	asoKind     = "AzureASOManagedControlPlane"
)

// id is the AKS cluster's: each stage has a resource group of its own.
func (s *stage) id() string {
	return "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/" + s.key.Namespace + "/providers/Microsoft.ContainerService/managedClusters/c"
}

func newStage(t *testing.T, kind, spec string) *stage {
	t.Helper()
	s := &stage{t: t, kind: kind, clock: testclock.NewFakePassiveClock(time.Now().Truncate(time.Second)), recorder: events.NewFakeRecorder(100), azure: &memoryAzure{}}
	s.client = interceptor.NewClient(server, interceptor.Funcs{
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if _, capz := o.(*unstructured.Unstructured); capz {
				s.writes++
			}
			return w.Patch(ctx, o, patch, opts...)
		},
		Apply: func(ctx context.Context, w client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			s.writes++
			return w.Apply(ctx, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			if s.cut {
				s.cut = false
				return errCut
			}
			return c.SubResource(sub).Patch(ctx, o, patch, opts...)
		},
	})
	s.reconciler = s.process()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "story-"}}
	s.create(namespace)
	s.key = types.NamespacedName{Namespace: namespace.Name, Name: "c"}
	s.azure.id = s.id()
	s.object = &fleetwrightv1.AzureClusterAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "c"}}
	s.object.Spec = s.spec(spec)
	s.create(s.object)
	return s
}

// process is the operator, started anew: it remembers nothing.
func (s *stage) process() *Reconciler {
	return &Reconciler{
		Client: s.client, Live: s.client, Azures: s.azure, Recorder: s.recorder, Clock: s.clock, Namespace: "manager", Rest: restWithSweeps,
	}
}

func (s *stage) spec(text string) fleetwrightv1.AzureClusterAutoscalerSpec {
	s.t.Helper()
	spec := fleetwrightv1.AzureClusterAutoscalerSpec{ClusterName: "c"}
	if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(text, idOfStage, s.id())), &spec); err != nil {
		s.t.Fatal(err)
	}
	return spec
}

func (s *stage) create(o client.Object) {
	s.t.Helper()
	if err := server.Create(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

// change edits the object as a person does.
func (s *stage) change(spec string) {
	s.t.Helper()
	s.refresh()
	s.object.Spec = s.spec(spec)
	if err := server.Update(s.t.Context(), s.object); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) refresh() bool {
	s.t.Helper()
	err := server.Get(s.t.Context(), s.key, s.object)
	if client.IgnoreNotFound(err) != nil {
		s.t.Fatal(err)
	}
	return err == nil
}

func (s *stage) delete() {
	s.t.Helper()
	if err := server.Delete(s.t.Context(), s.object); err != nil {
		s.t.Fatal(err)
	}
}

// reconcile is one look, as the controller has them.
func (s *stage) reconcile() (time.Duration, error) {
	s.t.Helper()
	var a fleetwrightv1.AzureClusterAutoscaler
	if err := server.Get(s.t.Context(), s.key, &a); err != nil {
		return 0, client.IgnoreNotFound(err)
	}
	result, err := s.reconciler.Reconcile(s.t.Context(), &a)
	return result.RequeueAfter, err
}

// says looks once and expects condition Applied (or Deleting, while it is True) to begin so, and Stalled to be there for a reason that calls
// a person only.
func (s *stage) says(want string) {
	s.t.Helper()
	if _, err := s.reconcile(); err != nil {
		s.t.Fatal(err)
	}
	s.reads(want)
}

func (s *stage) reads(want string) {
	s.t.Helper()
	if !s.refresh() {
		if want != "gone" {
			s.t.Fatalf("it is gone, want %q", want)
		}
		return
	}
	conditions := s.object.Status.Conditions
	c := meta.FindStatusCondition(conditions, "Applied")
	if d := meta.FindStatusCondition(conditions, "Deleting"); d != nil && d.Status == metav1.ConditionTrue {
		c = d
	}
	if c == nil {
		s.t.Fatalf("no condition, want %q", want)
	}
	if got := string(c.Status) + " " + c.Reason + ": " + c.Message; !strings.HasPrefix(got, want) {
		s.t.Fatalf("it says\n%s, want\n%s", got, want)
	}
	ready := meta.FindStatusCondition(conditions, "Ready")
	if isReady := ready.Status == metav1.ConditionTrue; isReady != (c.Type == "Applied" && c.Status == metav1.ConditionTrue) {
		s.t.Errorf("%s, and Ready is %s", want, ready.Status)
	}
}

func (s *stage) stalled() string {
	s.t.Helper()
	if c := meta.FindStatusCondition(s.object.Status.Conditions, "Stalled"); c != nil {
		return c.Reason
	}
	return ""
}

func (s *stage) outcomes() string {
	var out []string
	for _, d := range s.object.Status.DriftHistory {
		out = append(out, string(d.Outcome)+" "+strings.Join(d.Fields, "+"))
	}
	return strings.Join(out, ", ")
}

// makeCluster makes the Cluster and its control plane, by whoever manager is.
func (s *stage) makeCluster(manager string) {
	s.t.Helper()
	ref := func(kind string) clusterv1.ContractVersionedObjectReference {
		return clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: kind, Name: "c"}
	}
	cluster := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Namespace: s.key.Namespace, Name: "c", Labels: map[string]string{"ring": "canary"}}}
	cluster.Spec.ControlPlaneRef, cluster.Spec.InfrastructureRef = ref(s.kind), ref(strings.Replace(s.kind, "ControlPlane", "Cluster", 1))
	plane := s.empty(s.kind)
	plane.SetNamespace(s.key.Namespace)
	plane.SetName("c")
	plane.SetLabels(map[string]string{"cluster.x-k8s.io/cluster-name": "c"})
	if s.kind == managedKind {
		plane.Object["spec"] = map[string]any{
			"version": "v1.34.2", "location": "westeurope", "resourceGroupName": s.key.Namespace, "subscriptionID": "00000000-0000-0000-0000-000000000001",
			"identityRef": map[string]any{"kind": "AzureClusterIdentity", "name": "i"},
		}
	} else {
		plane.Object["spec"] = map[string]any{"version": "v1.34.2", "resources": []any{map[string]any{
			"apiVersion": "containerservice.azure.com/v1api20250801", "kind": "ManagedCluster", "metadata": map[string]any{"name": "c"},
			"spec": map[string]any{"location": "westeurope", "owner": map[string]any{"name": s.key.Namespace}},
		}}}
	}
	s.create(cluster)
	if err := server.Create(s.t.Context(), plane, client.FieldOwner(manager)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) empty(kind string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetAPIVersion("infrastructure.cluster.x-k8s.io/v1beta1")
	if kind == "ManagedCluster" {
		u.SetAPIVersion("containerservice.azure.com/v1api20250801")
	}
	u.SetKind(kind)
	return u
}

func (s *stage) plane() *unstructured.Unstructured {
	s.t.Helper()
	u := s.empty(s.kind)
	if err := server.Get(s.t.Context(), s.key, u); err != nil {
		s.t.Fatal(err)
	}
	return u
}

// edit is what somebody else does to CAPZ's object.
func (s *stage) edit(manager, key, value string) {
	s.t.Helper()
	u := s.plane()
	field, _ := autoscalerprofile.FieldOf(key)
	var err error
	if s.kind == managedKind {
		err = unstructured.SetNestedField(u.Object, value, "spec", "autoscalerProfile", field.Typed)
	} else {
		resources, _, _ := unstructured.NestedSlice(u.Object, "spec", "resources")
		if err = unstructured.SetNestedField(resources[0].(map[string]any), value, "spec", "autoScalerProfile", key); err == nil {
			err = unstructured.SetNestedSlice(u.Object, resources, "spec", "resources")
		}
	}
	if err == nil {
		err = server.Update(s.t.Context(), u, client.FieldOwner(manager))
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// lose takes the boolean out of CAPZ's object, as somebody does who puts his old list back.
func (s *stage) lose() {
	s.t.Helper()
	u := s.plane()
	if s.kind == managedKind {
		unstructured.RemoveNestedField(u.Object, "spec", "asoManagedClusterPatches")
	} else {
		resources, _, _ := unstructured.NestedSlice(u.Object, "spec", "resources")
		unstructured.RemoveNestedField(resources[0].(map[string]any), "spec", "autoScalerProfile", "daemonset-eviction-for-empty-nodes")
		if err := unstructured.SetNestedSlice(u.Object, resources, "spec", "resources"); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := server.Update(s.t.Context(), u, client.FieldOwner("kubectl-client-side-apply")); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) declared() autoscalerprofile.Values {
	s.t.Helper()
	p, err := capi.ReadAutoscalerProfile(s.t.Context(), server, s.key)
	if err != nil {
		s.t.Fatal(err)
	}
	return p.Declared
}

// capz is CAPZ and Azure Service Operator: the object's profile becomes that of the ManagedCluster.
func (s *stage) capz() {
	s.t.Helper()
	declared := s.declared()
	u := s.empty("ManagedCluster")
	err := server.Get(s.t.Context(), s.key, u)
	if apierrors.IsNotFound(err) {
		u.SetNamespace(s.key.Namespace)
		u.SetName("c")
		u.SetLabels(map[string]string{"cluster.x-k8s.io/cluster-name": "c"})
		s.create(u)
	} else if err != nil {
		s.t.Fatal(err)
	}
	u.Object["spec"] = map[string]any{"autoScalerProfile": autoscalerprofile.Tree(declared)}
	if err := server.Update(s.t.Context(), u); err != nil {
		s.t.Fatal(err)
	}
}

// sync is Azure Service Operator: what the ManagedCluster asks for is put to Azure, and what Azure has is written into its status.
func (s *stage) sync() {
	s.t.Helper()
	u := s.empty("ManagedCluster")
	if err := server.Get(s.t.Context(), s.key, u); err != nil {
		s.t.Fatal(err)
	}
	profile, _, _ := unstructured.NestedMap(u.Object, "spec", "autoScalerProfile")
	s.azure.put(autoscalerprofile.FromTree(profile))
	s.syncs++ // its condition is False meanwhile
	u.Object["status"] = map[string]any{
		"id": s.id(), "autoScalerProfile": autoscalerprofile.Tree(s.azure.all()),
		"conditions": []any{map[string]any{"type": "Ready", "status": "True", "observedGeneration": u.GetGeneration(), "lastTransitionTime": s.clock.Now().Add(time.Duration(s.syncs) * time.Second).UTC().Format(time.RFC3339)}},
	}
	if err := server.Status().Update(s.t.Context(), u); err != nil {
		s.t.Fatal(err)
	}
	plane := s.plane()
	plane.Object["status"] = map[string]any{"initialized": true, "ready": true}
	if err := server.Status().Update(s.t.Context(), plane); err != nil {
		s.t.Fatal(err)
	}
}

// memoryAzure is an Azure of one cluster, and the way to it.
type memoryAzure struct {
	mu          sync.Mutex
	id          string
	values      autoscalerprofile.Values
	gets, puts  int
	none        bool
	busy, by    string
	getErr, err error
	// during is what happens while Azure takes its time to answer.
	during func()
}

func (m *memoryAzure) For(context.Context, capi.Cluster) (Azure, error) {
	if m.none {
		return nil, nil
	}
	return m, nil
}

// drift is what somebody does in Azure.
func (m *memoryAzure) drift(key, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values = maps.Clone(m.values)
	m.values[key] = value
}

func (m *memoryAzure) put(values autoscalerprofile.Values) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values = values
}

// all are the values with AKS' defaults where nobody has set one.
func (m *memoryAzure) all() autoscalerprofile.Values {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := autoscalerprofile.Values{"expander": "random", "scan-interval": "10s", "scale-down-unneeded-time": "10m", "daemonset-eviction-for-empty-nodes": "false"}
	maps.Copy(out, m.values)
	return out
}

func (m *memoryAzure) AutoscalerProfile(_ context.Context, id string) (autoscalerprofile.InAzure, error) {
	m.gets++
	if m.during != nil {
		m.during()
	}
	if id != m.id {
		return autoscalerprofile.InAzure{}, errors.New("asked about " + id)
	}
	return autoscalerprofile.InAzure{Values: m.all(), Busy: m.busy, ChangedBy: m.by}, m.getErr
}

func (m *memoryAzure) WriteAutoscalerProfile(_ context.Context, _ string, set autoscalerprofile.Values, unset []string) (bool, error) {
	if m.err != nil {
		return false, m.err
	}
	m.puts++
	next := maps.Clone(m.values)
	if next == nil {
		next = autoscalerprofile.Values{}
	}
	maps.Copy(next, set)
	for _, key := range unset {
		delete(next, key)
	}
	m.values, m.by = next, "fleetwright"
	return true, nil
}
