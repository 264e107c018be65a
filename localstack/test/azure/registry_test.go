package azure_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

const (
	group       = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr"
	registry    = group + "/providers/Microsoft.ContainerRegistry/registries/fleetwrightshop"
	image       = "fleetwrightshop.azurecr.io/shop/web:1"
	assignments = "/providers/Microsoft.Authorization/roleAssignments/"
	// shopAssignment is what the config makes of its registry.
	shopAssignment = clusterName + "-registry-shop"
)

// pullByRight: a workload whose image is in a private registry runs only once the cluster's AzureClusterAdditionalConfig names the registry, and runs
// again after somebody has taken the role away.
func pullByRight(t *testing.T, w *world) {
	w.raw.do(t, http.MethodPut, group, "2021-04-01", map[string]any{"location": "westeurope"})
	w.raw.do(t, http.MethodPut, registry, "2023-07-01", map[string]any{"location": "westeurope", "sku": map[string]any{"name": "Standard"}})
	w.deploy(t)
	w.awaitRefusal(t)

	began := time.Now()
	must(t, w.management.Create(t.Context(), &fleetwrightv1.AzureClusterAdditionalConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: clusterName},
		Spec: fleetwrightv1.AzureClusterAdditionalConfigSpec{
			ClusterName: clusterName,
			Registries:  []fleetwrightv1.AdditionalRegistry{{Name: "shop", ID: registry, PullCheck: fleetwrightv1.PullCheck{Image: "shop/web:1"}}},
		},
	}))
	assignment := w.awaitAssignment(t)
	w.awaitRunning(t)
	if n := w.requests(http.MethodPut, registry+assignments, began); n != 1 {
		t.Errorf("the role was assigned by %d PUTs, want 1", n)
	}
	if n := len(w.pods(t, "kube-system")); n != 0 {
		t.Errorf("%d pods are left of the proof", n)
	}

	w.awaitSweeps(t, "role assignments")
	deleted := time.Now()
	w.raw.do(t, http.MethodDelete, assignment.Status.AssignmentID, "2022-04-01", nil)
	must(t, w.workload.CoreV1().Pods(namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	w.awaitRefusal(t)
	w.awaitRunning(t)
	eventually(t, 20*time.Second, "the drift is told of", func(ctx context.Context) (bool, string) {
		a := w.assignment(ctx, t, shopAssignment)
		if len(a.Status.DriftHistory) != 1 {
			return false, "no drift in status"
		}
		ok, now := conditionOf(a.Status.Conditions, "Ready")
		seen := a.Status.DriftHistory[0]
		return ok && seen.Outcome == "Healed" && seen.ChangedBy == somebody, fmt.Sprint(now, " ", seen)
	})
	w.awaitTold(t, shopAssignment, "DriftHealed", "it is missing, changed by "+somebody)
	if n := w.requests(http.MethodPut, registry+assignments, deleted); n != 1 {
		t.Errorf("the drift was healed by %d PUTs, want 1", n)
	}
}

// awaitRefusal waits until the workload's pod says that the registry wants to know who it is.
func (w *world) awaitRefusal(t *testing.T) {
	t.Helper()
	eventually(t, 20*time.Second, "the pod cannot pull", func(context.Context) (bool, string) {
		said := words(w.pods(t, namespace))
		return strings.Contains(said, "ImagePull") && strings.HasSuffix(said, "401 Unauthorized"), said
	})
	if w.available(t) != 0 {
		t.Error("the workload runs without the role")
	}
}

func (w *world) awaitRunning(t *testing.T) {
	t.Helper()
	eventually(t, 30*time.Second, "the workload runs", func(context.Context) (bool, string) { return w.available(t) == 1, words(w.pods(t, namespace)) })
}

// awaitAssignment waits until the config is ready, and returns what it made.
func (w *world) awaitAssignment(t *testing.T) *fleetwrightv1.AzureRoleAssignment {
	t.Helper()
	eventually(t, 30*time.Second, "the config is ready", func(ctx context.Context) (bool, string) {
		c := &fleetwrightv1.AzureClusterAdditionalConfig{}
		if err := w.management.Get(ctx, client.ObjectKey{Namespace: namespace, Name: clusterName}, c); err != nil {
			return false, err.Error()
		}
		return conditionOf(c.Status.Conditions, "Ready")
	})
	a := w.assignment(t.Context(), t, shopAssignment)
	if ok, said := conditionOf(a.Status.Conditions, "PullVerified"); !ok || a.Status.AssignmentID == "" {
		t.Fatalf("assignment %q of a config that is ready: %s", a.Status.AssignmentID, said)
	}
	return a
}

func (w *world) assignment(ctx context.Context, t *testing.T, name string) *fleetwrightv1.AzureRoleAssignment {
	t.Helper()
	a := &fleetwrightv1.AzureRoleAssignment{}
	must(t, w.management.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, a))
	return a
}

func (w *world) deploy(t *testing.T) {
	t.Helper()
	labels := map[string]string{"app": "web"}
	_, err := w.workload.AppsV1().Deployments(namespace).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: image}}},
			},
		},
	}, metav1.CreateOptions{})
	must(t, err)
}

func (w *world) available(t *testing.T) int32 {
	t.Helper()
	d, err := w.workload.AppsV1().Deployments(namespace).Get(t.Context(), "web", metav1.GetOptions{})
	must(t, err)
	return d.Status.AvailableReplicas
}

func (w *world) pods(t *testing.T, in string) []corev1.Pod {
	t.Helper()
	list, err := w.workload.CoreV1().Pods(in).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	return list.Items
}
