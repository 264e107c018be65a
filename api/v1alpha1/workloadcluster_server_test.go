package v1alpha1_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/api/v1alpha1"
)

// A default in the schema would count as said by the cluster, and win over its class.
func TestNothingIsDefaultedInAWorkloadCluster(t *testing.T) {
	for kind, spec := range map[string]string{"WorkloadCluster": classed + "nodepools: [{name: a, spec: {maxPods: 30}}]\naddons: [{name: a, kind: HelmRelease}]", "WorkloadClusterClass": template(wholeTemplate)} {
		sent := workloadCluster(t, kind, "defaults", spec)
		stored := sent.DeepCopy()
		if err := server.Create(t.Context(), stored); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text(t, sent.Object["spec"]), text(t, stored.Object["spec"])); diff != "" {
			t.Errorf("the server changed the spec of the %s (-sent +stored):\n%s", kind, diff)
		}
		if _, found := stored.Object["status"]; found {
			t.Errorf("the server made up a status of the %s", kind)
		}
	}
}

// text is a value as JSON, which knows one kind of number.
func text(t *testing.T, value any) string {
	t.Helper()
	out, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// What the Go type writes must be what the schema takes: zero values, times and pointers included.
func TestWorkloadClusterTypeAndSchemaAgree(t *testing.T) {
	object := &v1alpha1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{Name: "typed", Namespace: "default"}}
	object.Spec.ClassRef.Name = "prod-eu-v7"
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	started := metav1.NewTime(time.Date(2026, 11, 22, 13, 2, 11, 0, time.UTC))
	object.Status = v1alpha1.WorkloadClusterStatus{
		Conditions: []metav1.Condition{{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonAddonsNotReady,
			Message: "7 of 8 steps done", LastTransitionTime: started, ObservedGeneration: 1,
		}},
		ObservedGeneration: 1, Step: v1alpha1.WorkloadClusterStepAddons, Version: "v1.34.2", ReadyNodes: new(int32), Class: "platform/prod-eu-v7", EffectiveHash: "9c1f03b2",
		Addresses: []v1alpha1.BoundRange{{Name: "vnet", CIDR: "10.64.0.0/20"}},
		Nodepools: []v1alpha1.WorkloadClusterNodepoolStatus{{Name: "general", Ready: "True", Reason: "Ready", ReadyReplicas: new(int32)}},
		Addons:    []v1alpha1.WorkloadClusterAddonStatus{{Name: "cni", Ready: "Unknown", Reason: "Installing"}},
		Steps: []v1alpha1.WorkloadClusterStep{
			{Name: v1alpha1.WorkloadClusterStepAddresses, StartedTime: started, FinishedTime: started}, {Name: v1alpha1.WorkloadClusterStepAddons, Message: "has not begun"},
		},
		ReadyTime: started,
	}
	want := object.DeepCopy()
	if err := server.Status().Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	got := &v1alpha1.WorkloadCluster{}
	if err := server.Get(t.Context(), client.ObjectKeyFromObject(object), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Status, got.Status, cmp.Comparer(func(a, b metav1.Time) bool { return a.Equal(&b) })); diff != "" {
		t.Errorf("status came back changed (-want +got):\n%s", diff)
	}
	got.Status = v1alpha1.WorkloadClusterStatus{}
	if err := server.Status().Update(t.Context(), got); err != nil {
		t.Errorf("the status could not be wiped: %v", err)
	}
}

func TestColumnsOfWorkloadClusters(t *testing.T) {
	object := workloadCluster(t, "WorkloadCluster", "columns", classed)
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	condition := func(kind, status, message string) map[string]any {
		return map[string]any{"type": kind, "status": status, "reason": "R", "message": message, "lastTransitionTime": "2026-11-22T13:02:11Z"}
	}
	set(t, object, map[string]any{
		"conditions": []any{condition("Ready", "False", "3 of 8 steps done"), condition("UpToDate", "True", "")},
		"step":       "ControlPlane", "version": "v1.34.2", "readyNodes": int64(7), "class": "platform/prod-eu-v7", "effectiveHash": "9c1f03b2",
	}, "status")
	if err := server.Status().Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Name=columns", "Ready=False", "Version=v1.34.2", "Nodes=7", "Class=platform/prod-eu-v7", "Step=ControlPlane",
		"wide UpToDate=True", "wide Hash=9c1f03b2", "wide Message=3 of 8 steps done",
	}
	if diff := cmp.Diff(want, columns(t, "/apis/fleetwright.io/v1alpha1/namespaces/default/workloadclusters/columns")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	class := workloadCluster(t, "WorkloadClusterClass", "columns", template(wholeTemplate))
	if err := server.Create(t.Context(), class); err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedField(class.Object, int64(41), "status", "clusters"); err != nil {
		t.Fatal(err)
	}
	if err := server.Status().Update(t.Context(), class); err != nil {
		t.Fatal(err)
	}
	want = []string{"Name=columns", "Clusters=41", "wide Flavor=AzureASOManaged", "wide Location=westeurope", "wide Version=v1.34.2"}
	if diff := cmp.Diff(want, columns(t, "/apis/fleetwright.io/v1alpha1/namespaces/default/workloadclusterclasses/columns")); diff != "" {
		t.Errorf("of a class (-want +got):\n%s", diff)
	}
}
