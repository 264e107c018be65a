package v1alpha1_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/api/v1alpha1"
)

// A default in the schema could replace a fleet when a release changes it, so nothing may appear that was not sent.
func TestNothingIsDefaulted(t *testing.T) {
	sent := nodepool(t, "c1-least", "")
	stored := sent.DeepCopy()
	if err := server.Create(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent.Object["spec"], stored.Object["spec"]); diff != "" {
		t.Errorf("the server changed the spec (-sent +stored):\n%s", diff)
	}
	if _, found := stored.Object["status"]; found {
		t.Error("the server made up a status")
	}
}

// What the Go type writes must be what the schema takes: zero values, times and pointers included.
func TestGoTypeAndSchemaAgree(t *testing.T) {
	object := &v1alpha1.Nodepool{
		ObjectMeta: metav1.ObjectMeta{Name: "c1-typed", Namespace: "default"},
		Spec: v1alpha1.NodepoolSpec{
			ClusterName: "c1", MachineType: "Standard_D8ds_v5",
			Scaling:     v1alpha1.NodepoolScaling{Min: new(int32), Max: 3},
			Replacement: v1alpha1.ReplacementPolicy{MinReadySeconds: new(int32)},
		},
	}
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	started := metav1.NewTime(time.Date(2026, 11, 22, 13, 2, 11, 0, time.UTC))
	object.Status = v1alpha1.NodepoolStatus{
		Conditions: []metav1.Condition{{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonDrainingBlue,
			Message: "9 of 12 old nodes empty", LastTransitionTime: started, ObservedGeneration: 1,
		}},
		ObservedGeneration: 1,
		Replicas:           new(int32(21)), ReadyReplicas: new(int32(0)), Version: "v1.33.5",
		Pools: []v1alpha1.NodepoolPoolStatus{{Name: "generak7f2d", Role: v1alpha1.PoolRoleOutgoing, MachinePool: "c1-general-k7f2d", Replicas: new(int32)}},
		Replacement: v1alpha1.ReplacementStatus{
			Step:        v1alpha1.ReplacementStepDrainingBlue,
			Changes:     []v1alpha1.ReplacementChange{{Field: "version", From: "v1.33.5", To: "v1.34.2", Effect: v1alpha1.ChangeEffectReplace}},
			StartedTime: started, NodesTotal: new(int32(12)), NodesDrained: new(int32), PodsRemaining: new(int32(41)), BlockersTotal: new(int32(1)),
			Blockers: []v1alpha1.DrainBlocker{{Namespace: "shop", Pod: "cart-5d4f", Reason: v1alpha1.ReasonPodDisruptionBudget, Budget: "cart", SinceTime: started, Pods: 3, Node: "n1", Message: "allows 0 of 3"}},
		},
		DrainDebt: v1alpha1.DrainDebt{SettledTime: started, Workloads: []v1alpha1.WorkloadDebt{
			{Namespace: "shop", Owner: "Deployment/cart", Budget: "cart", Reason: v1alpha1.ReasonPodDisruptionBudget, Seconds: new(int64(7200)), LastTime: started, SinceTime: started, Pods: 3},
			{Namespace: "shop", Owner: "Pod/debug", Reason: v1alpha1.ReasonUnmanagedPod, Seconds: new(int64)},
		}},
	}
	want := object.DeepCopy()
	if err := server.Status().Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	got := &v1alpha1.Nodepool{}
	if err := server.Get(t.Context(), client.ObjectKeyFromObject(object), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Status, got.Status, cmp.Comparer(func(a, b metav1.Time) bool { return a.Equal(&b) })); diff != "" {
		t.Errorf("status came back changed (-want +got):\n%s", diff)
	}

	got.Status = v1alpha1.NodepoolStatus{}
	if err := server.Status().Update(t.Context(), got); err != nil {
		t.Errorf("the status could not be wiped: %v", err)
	}
}

func TestColumns(t *testing.T) {
	object := nodepool(t, "c1-columns", "version: v1.34.2\nmode: User")
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	set(t, object, []any{map[string]any{
		"type": "Ready", "status": "False", "reason": "DrainingBlue", "message": "3 pods left", "lastTransitionTime": "2026-11-22T13:02:11Z",
	}}, "status", "conditions")
	set(t, object, map[string]any{"step": "DrainingBlue"}, "status", "replacement")
	set(t, object, int64(7), "status", "readyReplicas")
	set(t, object, "v1.33.5", "status", "version")
	if err := server.Status().Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	table := &metav1.Table{}
	request := restClient.Get().AbsPath("/apis/fleetwright.io/v1alpha1/namespaces/default/nodepools/c1-columns").
		SetHeader("Accept", "application/json;as=Table;g=meta.k8s.io;v=v1")
	if err := request.Do(t.Context()).Into(table); err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, column := range table.ColumnDefinitions {
		if column.Name == "Age" {
			continue
		}
		shown := fmt.Sprintf("%s=%v", column.Name, table.Rows[0].Cells[i])
		if column.Priority > 0 {
			shown = "wide " + shown
		}
		got = append(got, shown)
	}
	want := []string{
		"Name=c1-columns", "Cluster=c1", "Ready=False", "Step=DrainingBlue", "Nodes=7", "Version=v1.33.5",
		"wide Wanted=v1.34.2", "wide Machine=Standard_D8ds_v5", "wide Mode=User", "wide Type=<nil>", "wide Strategy=<nil>", "wide Message=3 pods left",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

// Two people may each apply a taint and a zone: lists merge by their keys.
func TestListsMergeByKey(t *testing.T) {
	apply := func(owner, spec string) {
		t.Helper()
		object := nodepool(t, "c1-merged", spec)
		if err := server.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(owner)); err != nil {
			t.Fatal(err)
		}
	}
	apply("first", "taints: [{key: a, effect: NoSchedule}]\nzones: ['1']")
	apply("second", "taints: [{key: a, effect: NoExecute}]\nzones: ['2']")
	got := &v1alpha1.Nodepool{}
	if err := server.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "c1-merged"}, got); err != nil {
		t.Fatal(err)
	}
	if len(got.Spec.Taints) != 2 || len(got.Spec.Zones) != 2 {
		t.Errorf("taints %v and zones %v, want two of each", got.Spec.Taints, got.Spec.Zones)
	}
}

func numbered(format string, n int) string {
	entries := make([]string, n)
	for i := range entries {
		entries[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(entries, ", ")
}
