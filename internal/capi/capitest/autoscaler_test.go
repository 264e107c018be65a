package capitest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// Autoscaler profiles are written to a real API server with CAPZ's own
// definitions: owners of fields, defaults and conflicts are its business.
func TestAutoscalerProfile(t *testing.T) {
	config := profileServer(t)
	for name, story := range map[string]func(*testing.T, *profileStage){
		"a profile is written once, and given up":       writtenAndGivenUp,
		"a setting that is taken out is given up":       takenOut,
		"others' settings are left alone":               othersStay,
		"another manager is named and not overruled":    contended,
		"a manager of the whole list is named":          listApplied,
		"what an edit changed is not ours any more":     editedSince,
		"what an edit lost is written again":            lostToAnEdit,
		"released settings stay and are anybody's":      released,
		"a write that came too late is refused":         tooLate,
		"a control plane that is gone is not made anew": gone,
	} {
		for _, kind := range []string{"AzureManagedControlPlane", "AzureASOManagedControlPlane"} {
			t.Run(name+"/"+kind, func(t *testing.T) { story(t, newProfileStage(t, config, kind)) })
		}
	}
}

// wanted has a setting of each form: 2 of CAPZ's fields and one that it lacks.
var wanted = autoscalerprofile.Values{
	"expander": "least-waste", "scale-down-unneeded-time": "5m", "daemonset-eviction-for-empty-nodes": "true",
}

var wantedKeys = []string{"daemonset-eviction-for-empty-nodes", "expander", "scale-down-unneeded-time"}

func writtenAndGivenUp(t *testing.T, s *profileStage) {
	if p := s.read(); !p.NeedsWrite(wanted) || p.NeedsWrite(nil) {
		t.Error("what is to be written is not seen")
	}
	s.write(wanted)
	p := s.read()
	if diff := cmp.Diff(wantedKeys, p.Ours); diff != "" {
		t.Errorf("ours (-want +got):\n%s", diff)
	}
	if diff := autoscalerprofile.Differing(wanted, p.Declared); len(diff) > 0 {
		t.Errorf("%s differ: %v", diff, p.Declared)
	}
	if contended := p.Contended(wanted); contended != nil {
		t.Errorf("it is contended: %s", contended)
	}
	if p.NeedsWrite(wanted) || !p.NeedsWrite(nil) || !p.NeedsWrite(autoscalerprofile.Values{"expander": "priority"}) {
		t.Error("what is to be written is not seen")
	}
	before := s.plane().GetResourceVersion()
	s.write(wanted)
	if s.plane().GetResourceVersion() != before {
		t.Error("what is written already was written again")
	}
	s.write(nil)
	p = s.read()
	if len(p.Ours) > 0 {
		t.Errorf("given up, ours are %v", p.Ours)
	}
	// CAPZ's definition fills in its defaults, which are AKS'.
	for key, value := range p.Declared {
		if s.kind == aso || value != capzDefaults[key] {
			t.Errorf("given up, %s is %q", key, value)
		}
	}
	if _, marked := s.plane().GetAnnotations()["fleetwright.io/autoscaler-settings"]; marked {
		t.Error("the mark is left")
	}
	if patches := s.at("spec", "asoManagedClusterPatches"); patches != nil {
		t.Errorf("patches are left: %v", patches)
	}
}

func takenOut(t *testing.T, s *profileStage) {
	s.write(wanted)
	s.write(autoscalerprofile.Values{"expander": "priority"})
	p := s.read()
	if diff := cmp.Diff([]string{"expander"}, p.Ours); diff != "" {
		t.Errorf("ours (-want +got):\n%s", diff)
	}
	if got := p.Declared["expander"]; got != "priority" {
		t.Errorf("expander is %q", got)
	}
	if got, set := p.Declared["daemonset-eviction-for-empty-nodes"]; set {
		t.Errorf("the setting that was taken out is %q", got)
	}
	if got := p.Declared["scale-down-unneeded-time"]; got == "5m" {
		t.Errorf("the setting that was taken out is %q", got)
	}
}

func othersStay(t *testing.T, s *profileStage) {
	s.edit("kubectl-edit", func(o *unstructured.Unstructured) {
		s.set(o, "scan-interval", "20s")
		s.set(o, "scale-down-utilization-threshold", "0.50")
		if s.kind == managed {
			set(o, []any{`spec: {autoScalerProfile: {ignore-daemonsets-utilization: true}, supportPlan: KubernetesOfficial}`}, "spec", "asoManagedClusterPatches")
		}
	})
	// What has an owner of its own gets us as another: our name is how others are told.
	same := autoscalerprofile.Values{"scan-interval": "20s"}
	if need := s.read().NeedsWrite(same); need != (s.kind == managed) {
		t.Errorf("a value that somebody else set needs a write: %t", need)
	}
	// In other words it is the same, and no conflict.
	s.write(autoscalerprofile.Values{"scan-interval": "20s", "scale-down-utilization-threshold": "0.5", "daemonset-eviction-for-empty-nodes": "true"})
	p := s.read()
	if p.Declared["scan-interval"] != "20s" || p.Declared["scale-down-utilization-threshold"] != "0.50" || p.Declared["daemonset-eviction-for-empty-nodes"] != "true" {
		t.Errorf("declared: %v", p.Declared)
	}
	if s.kind == managed {
		patches, _, _ := unstructured.NestedStringSlice(s.plane().Object, "spec", "asoManagedClusterPatches")
		want := []string{
			`spec: {autoScalerProfile: {ignore-daemonsets-utilization: true}, supportPlan: KubernetesOfficial}`,
			`{"spec":{"autoScalerProfile":{"daemonset-eviction-for-empty-nodes":true}}}`,
		}
		if diff := cmp.Diff(want, patches); diff != "" {
			t.Errorf("patches (-want +got):\n%s", diff)
		}
	}
	s.write(nil)
	p = s.read()
	if _, left := p.Declared["daemonset-eviction-for-empty-nodes"]; left || p.Declared["scan-interval"] != "20s" {
		t.Errorf("given up, declared: %v", p.Declared)
	}
	if s.kind == managed && p.Declared["ignore-daemonsets-utilization"] != "true" {
		t.Errorf("a person's patch is lost: %v", p.Declared)
	}
}

func contended(t *testing.T, s *profileStage) {
	s.edit("terraform", func(o *unstructured.Unstructured) {
		s.set(o, "expander", "most-pods")
		s.set(o, "scan-interval", "30s")
	})
	want := autoscalerprofile.Values{"expander": "random", "scan-interval": "30s"}
	got := s.read().Contended(want)
	if got == nil || got.Manager != "terraform" || !slices.Equal(got.Settings, []string{"expander"}) || !strings.HasSuffix(got.Where, " of "+s.kind+" c") {
		t.Fatalf("contended by %+v", got)
	}
	if _, ok := errors.AsType[*capi.Contended](s.tryWrite(want)); !ok {
		t.Error("it was written")
	}
	if got := s.read().Declared["expander"]; got != "most-pods" {
		t.Errorf("overruled: expander is %q", got)
	}
}

// A manager that applies the list puts back what we put in: it is not tried.
func listApplied(t *testing.T, s *profileStage) {
	u := s.plane()
	apply := &unstructured.Unstructured{Object: map[string]any{}}
	apply.SetGroupVersionKind(u.GroupVersionKind())
	apply.SetNamespace(u.GetNamespace())
	apply.SetName(u.GetName())
	if s.kind == managed {
		set(apply, []any{`{"spec":{"supportPlan":"KubernetesOfficial"}}`}, "spec", "asoManagedClusterPatches")
	} else {
		resources, _, _ := unstructured.NestedSlice(u.Object, "spec", "resources")
		set(apply, resources, "spec", "resources")
	}
	if err := s.client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(apply), client.FieldOwner("kustomize-controller"), client.ForceOwnership); err != nil {
		t.Fatal(err)
	}
	contended, ok := errors.AsType[*capi.Contended](s.tryWrite(wanted))
	if !ok || contended.Manager != "kustomize-controller" || !slices.Contains(contended.Settings, "daemonsetEvictionForEmptyNodes") {
		t.Errorf("contended by %+v", contended)
	}
	if p := s.read(); len(p.Ours) > 0 {
		t.Errorf("written: %v", p.Ours)
	}
}

func editedSince(t *testing.T, s *profileStage) {
	s.write(wanted)
	s.edit("kubectl-edit", func(o *unstructured.Unstructured) { s.set(o, "expander", "most-pods") })
	contended, ok := errors.AsType[*capi.Contended](s.tryWrite(wanted))
	if !ok || contended.Manager != "kubectl-edit" || !slices.Equal(contended.Settings, []string{"expander"}) {
		t.Errorf("contended by %+v", contended)
	}
	s.write(nil)
	if got := s.read().Declared["expander"]; got != "most-pods" {
		t.Errorf("given up, expander is %q: it was the edit's", got)
	}
}

func lostToAnEdit(t *testing.T, s *profileStage) {
	s.write(wanted)
	s.edit("kubectl-replace", func(o *unstructured.Unstructured) {
		if s.kind == managed {
			unstructured.RemoveNestedField(o.Object, "spec", "asoManagedClusterPatches")
			return
		}
		s.profile(o, func(profile map[string]any) { delete(profile, "daemonset-eviction-for-empty-nodes") })
	})
	s.write(wanted)
	if got := s.read().Declared["daemonset-eviction-for-empty-nodes"]; got != "true" {
		t.Errorf("it is %q", got)
	}
}

func released(t *testing.T, s *profileStage) {
	s.write(wanted)
	declared := s.read().Declared
	if err := capi.ReleaseAutoscalerProfile(t.Context(), s.client, s.client, s.key); err != nil {
		t.Fatal(err)
	}
	p := s.read()
	if diff := cmp.Diff(declared, p.Declared); diff != "" {
		t.Errorf("released (-want +got):\n%s", diff)
	}
	if len(p.Ours) > 0 {
		t.Errorf("ours are %v", p.Ours)
	}
	for _, m := range s.plane().GetManagedFields() {
		if m.Manager == capi.AutoscalerFieldOwner {
			t.Errorf("a name is left on %s", m.FieldsV1.GetRawString())
		}
	}
}

func tooLate(t *testing.T, s *profileStage) {
	stale := &staleReader{Reader: s.client, of: s.kind, object: s.plane()}
	s.edit("kubectl-label", func(o *unstructured.Unstructured) { o.SetLabels(map[string]string{"a": "b"}) })
	if err := capi.WriteAutoscalerProfile(t.Context(), s.client, stale, s.key, wanted); !apierrors.IsConflict(err) {
		t.Errorf("%v", err)
	}
}

func gone(t *testing.T, s *profileStage) {
	stale := &staleReader{Reader: s.client, of: s.kind, object: s.plane()}
	if err := s.client.Delete(t.Context(), s.plane()); err != nil {
		t.Fatal(err)
	}
	for _, values := range []autoscalerprofile.Values{wanted, {"expander": "priority"}} {
		if err := capi.WriteAutoscalerProfile(t.Context(), s.client, stale, s.key, values); err == nil {
			t.Error("no error")
		}
	}
	key := client.ObjectKeyFromObject(stale.object)
	if err := s.client.Get(t.Context(), key, s.plane0()); !apierrors.IsNotFound(err) {
		t.Errorf("it is there again: %v", err)
	}
	if p, err := capi.ReadAutoscalerProfile(t.Context(), s.client, s.key); err != nil || p.Kind != "" {
		t.Errorf("%+v, %v", p, err)
	}
	another := stale.object.DeepCopy()
	another.SetResourceVersion("")
	another.SetUID("")
	if err := s.client.Create(t.Context(), another); err != nil {
		t.Fatal(err)
	}
	if err := capi.WriteAutoscalerProfile(t.Context(), s.client, stale, s.key, autoscalerprofile.Values{"expander": "priority"}); err == nil {
		t.Error("another object of that name was written to")
	}
}

// capzDefaults are those of CAPZ's definition.
var capzDefaults = autoscalerprofile.Values{
	"balance-similar-node-groups": "false", "expander": "random", "max-empty-bulk-delete": "10", "max-graceful-termination-sec": "600",
	"max-node-provision-time": "15m", "max-total-unready-percentage": "45", "new-pod-scale-up-delay": "0s", "ok-total-unready-count": "3",
	"scan-interval": "10s", "scale-down-delay-after-add": "10m", "scale-down-delay-after-delete": "10s", "scale-down-delay-after-failure": "3m",
	"scale-down-unneeded-time": "10m", "scale-down-unready-time": "20m", "scale-down-utilization-threshold": "0.5",
	"skip-nodes-with-local-storage": "false", "skip-nodes-with-system-pods": "true",
}

const (
	managed = "AzureManagedControlPlane"
	aso     = "AzureASOManagedControlPlane"
)

// profileStage is a Cluster with a control plane of one flavour.
type profileStage struct {
	t      *testing.T
	client client.Client
	kind   string
	key    types.NamespacedName
}

func profileServer(t *testing.T) *rest.Config {
	t.Helper()
	const crds = "../../../localstack/crds/generated/"
	return testkit.APIServer(t,
		crds+"capi/clusters.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json")
}

func newProfileStage(t *testing.T, config *rest.Config, kind string) *profileStage {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, capi.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "profile-"}}
	if err := c.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	s := &profileStage{t: t, client: c, kind: kind, key: types.NamespacedName{Namespace: namespace.Name, Name: "c"}}
	ref := func(kind string) clusterv1.ContractVersionedObjectReference {
		return clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: kind, Name: "c"}
	}
	cluster := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "c"}}
	cluster.Spec.ControlPlaneRef, cluster.Spec.InfrastructureRef = ref(kind), ref(strings.Replace(kind, "ControlPlane", "Cluster", 1))
	plane := s.plane0()
	plane.SetNamespace(namespace.Name)
	plane.SetName("c")
	if kind == managed {
		plane.Object["spec"] = map[string]any{
			"version": "v1.34.2", "location": "westeurope", "resourceGroupName": "rg", "subscriptionID": "s",
			"identityRef": map[string]any{"kind": "AzureClusterIdentity", "name": "i"},
		}
	} else {
		plane.Object["spec"] = map[string]any{"version": "v1.34.2", "resources": []any{map[string]any{
			"apiVersion": "containerservice.azure.com/v1api20250801", "kind": "ManagedCluster", "metadata": map[string]any{"name": "c"},
			"spec": map[string]any{"location": "westeurope", "owner": map[string]any{"name": "rg"}},
		}}}
	}
	for _, o := range []client.Object{cluster, plane} {
		if err := c.Create(t.Context(), o, client.FieldOwner("clusterctl")); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *profileStage) plane0() *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetAPIVersion("infrastructure.cluster.x-k8s.io/v1beta1")
	u.SetKind(s.kind)
	return u
}

func (s *profileStage) plane() *unstructured.Unstructured {
	s.t.Helper()
	u := s.plane0()
	if err := s.client.Get(s.t.Context(), s.key, u); err != nil {
		s.t.Fatal(err)
	}
	return u
}

func (s *profileStage) at(path ...string) any {
	s.t.Helper()
	value, _, _ := unstructured.NestedFieldNoCopy(s.plane().Object, path...)
	return value
}

func (s *profileStage) read() capi.AutoscalerProfile {
	s.t.Helper()
	p, err := capi.ReadAutoscalerProfile(s.t.Context(), s.client, s.key)
	if err != nil || p.Kind != s.kind || p.Object != "c" {
		s.t.Fatalf("read %+v, %v", p, err)
	}
	return p
}

func (s *profileStage) tryWrite(values autoscalerprofile.Values) error {
	return capi.WriteAutoscalerProfile(s.t.Context(), s.client, s.client, s.key, values)
}

func (s *profileStage) write(values autoscalerprofile.Values) {
	s.t.Helper()
	if err := s.tryWrite(values); err != nil {
		fields, _ := json.MarshalIndent(s.plane().GetManagedFields(), "", " ")
		s.t.Fatalf("write %v: %v\n%s", values, err, fields)
	}
}

// edit is what somebody else does.
func (s *profileStage) edit(manager string, change func(*unstructured.Unstructured)) {
	s.t.Helper()
	u := s.plane()
	change(u)
	if err := s.client.Update(s.t.Context(), u, client.FieldOwner(manager)); err != nil {
		s.t.Fatal(err)
	}
}

// set is a setting where the flavour has it.
func (s *profileStage) set(o *unstructured.Unstructured, key, value string) {
	s.t.Helper()
	field, _ := autoscalerprofile.FieldOf(key)
	if s.kind == managed {
		set(o, value, "spec", "autoscalerProfile", field.Typed)
		return
	}
	s.profile(o, func(profile map[string]any) { profile[key] = value })
}

func (s *profileStage) profile(o *unstructured.Unstructured, change func(map[string]any)) {
	s.t.Helper()
	resources, _, _ := unstructured.NestedSlice(o.Object, "spec", "resources")
	spec := resources[0].(map[string]any)["spec"].(map[string]any)
	profile, _ := spec["autoScalerProfile"].(map[string]any)
	if profile == nil {
		profile = map[string]any{}
	}
	change(profile)
	spec["autoScalerProfile"] = profile
	set(o, resources, "spec", "resources")
}

func set(o *unstructured.Unstructured, value any, path ...string) {
	if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
		panic(err)
	}
}

// staleReader answers with what was there before.
type staleReader struct {
	client.Reader
	of     string
	object *unstructured.Unstructured
}

func (r *staleReader) Get(ctx context.Context, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
	u, is := into.(*unstructured.Unstructured)
	if !is || u.GetKind() != r.of {
		return r.Reader.Get(ctx, key, into, options...)
	}
	u.Object = r.object.DeepCopy().Object
	return nil
}
