package azure_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

const (
	handmadeGroup = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/handmade"
	handmade      = handmadeGroup + "/providers/Microsoft.ContainerService/managedClusters/handmade"
	aksVersion    = "2025-10-01"
)

// keepProfile: a cluster that only Azure has keeps its autoscaler profile when somebody changes it there.
func keepProfile(t *testing.T, w *world) {
	w.raw.do(t, http.MethodPut, handmadeGroup, "2021-04-01", map[string]any{"location": "westeurope"})
	w.raw.do(t, http.MethodPut, handmade, aksVersion, map[string]any{
		"location": "westeurope", "identity": map[string]any{"type": "SystemAssigned"},
		"properties": map[string]any{
			"dnsPrefix": "handmade", "kubernetesVersion": "1.34.2", "autoScalerProfile": map[string]any{"expander": "least-waste"},
			"agentPoolProfiles": []any{map[string]any{
				"name": "sys", "mode": "System", "vmSize": "Standard_D2ds_v5", "count": 1, "type": "VirtualMachineScaleSets",
			}},
		},
	})
	w.awaitSettled(t)
	must(t, w.management.Create(t.Context(), &fleetwrightv1.AzureClusterAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "handmade"},
		Spec: fleetwrightv1.AzureClusterAutoscalerSpec{
			ClusterName: "handmade", ManagedClusterID: handmade,
			Profile: fleetwrightv1.AutoscalerProfile{AutoscalerSettings: fleetwrightv1.AutoscalerSettings{Expander: fleetwrightv1.AutoscalerExpanderLeastWaste}},
		},
	}))
	w.awaitProfile(t)
	w.awaitSweeps(t, "autoscaler profiles")

	cluster := w.awaitSettled(t)
	profile := profileOf(t, cluster)
	profile["expander"], profile["scan-interval"] = "random", "30s"
	w.raw.do(t, http.MethodPut, handmade, aksVersion, cluster)
	changed := time.Now()
	// Not until it is Ready again: the controller leaves Azure half a minute for its own write.
	eventually(t, 20*time.Second, "the profile is as declared again", func(context.Context) (bool, string) {
		history := w.autoscaler(t).Status.DriftHistory
		profile = profileOf(t, w.awaitSettled(t))
		return profile["expander"] == "least-waste" && len(history) == 1 && history[0].Outcome == fleetwrightv1.DriftOutcomeHealed, fmt.Sprint(profile, history)
	})
	if profile["scan-interval"] != "30s" {
		t.Errorf("scan-interval, which nobody declared, was not left alone: %v", profile)
	}
	if n := w.requests(http.MethodPut, "managedClusters/handmade", changed); n != 1 {
		t.Errorf("the drift was healed by %d PUTs, want 1", n)
	}
}

func profileOf(t *testing.T, cluster map[string]any) map[string]any {
	t.Helper()
	properties, _ := cluster["properties"].(map[string]any)
	profile, found := properties["autoScalerProfile"].(map[string]any)
	if !found {
		t.Fatalf("a cluster without an autoscaler profile: %v", cluster)
	}
	return profile
}

// awaitSettled waits until no operation runs on the cluster, and returns it.
func (w *world) awaitSettled(t *testing.T) map[string]any {
	t.Helper()
	var cluster map[string]any
	eventually(t, time.Minute, "the cluster is settled", func(context.Context) (bool, string) {
		cluster = w.raw.do(t, http.MethodGet, handmade, aksVersion, nil)
		properties, _ := cluster["properties"].(map[string]any)
		state, _ := properties["provisioningState"].(string)
		return state == "Succeeded", state
	})
	return cluster
}

func (w *world) awaitProfile(t *testing.T) {
	t.Helper()
	eventually(t, 30*time.Second, "the profile is applied", func(context.Context) (bool, string) {
		return conditionOf(w.autoscaler(t).Status.Conditions, "Ready")
	})
}

func (w *world) autoscaler(t *testing.T) *fleetwrightv1.AzureClusterAutoscaler {
	t.Helper()
	a := &fleetwrightv1.AzureClusterAutoscaler{}
	must(t, w.management.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "handmade"}, a))
	return a
}
