package azure_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
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
	w.awaitSettled(t, handmade)
	must(t, w.management.Create(t.Context(), &fleetwrightv1.AzureClusterAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "handmade"},
		Spec: fleetwrightv1.AzureClusterAutoscalerSpec{
			ClusterName: "handmade", ManagedClusterID: handmade,
			Profile: fleetwrightv1.AutoscalerProfile{AutoscalerSettings: fleetwrightv1.AutoscalerSettings{Expander: fleetwrightv1.AutoscalerExpanderLeastWaste}},
		},
	}))
	w.awaitProfile(t, "handmade")

	changed := w.changeProfile(t, handmade, map[string]any{"expander": "random", "scan-interval": "30s"})
	w.awaitHealed(t, "handmade", handmade, 1)
	if profile := profileOf(t, w.awaitSettled(t, handmade)); profile["scan-interval"] != "30s" {
		t.Errorf("scan-interval, which nobody declared, was not left alone: %v", profile)
	}
	w.wantWrites(t, handmade, changed, 1)
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

// changeProfile is what somebody does in Azure to settings of a cluster's profile, once Resource Graph must have shown how they were. It returns
// when that began.
func (w *world) changeProfile(t *testing.T, id string, settings map[string]any) time.Time {
	t.Helper()
	w.awaitSweeps(t, "autoscaler profiles")
	cluster := w.awaitSettled(t, id)
	maps.Copy(profileOf(t, cluster), settings)
	changed := time.Now()
	w.raw.do(t, http.MethodPut, id, aksVersion, cluster)
	return changed
}

// awaitHealed waits until Azure has the declared expander again and status tells of so many drifts, the last of which was healed. It does not
// wait for Ready: the controller leaves Azure half a minute for its own write, and as long for somebody else's that it meets.
func (w *world) awaitHealed(t *testing.T, name, id string, drifts int) {
	t.Helper()
	eventually(t, time.Minute, "the profile is as declared again", func(context.Context) (bool, string) {
		history, expander := w.autoscaler(t, name).Status.DriftHistory, profileOf(t, w.awaitSettled(t, id))["expander"]
		if len(history) != drifts || expander != "least-waste" {
			return false, fmt.Sprint(expander, " ", history)
		}
		last := history[drifts-1]
		return last.Outcome == fleetwrightv1.DriftOutcomeHealed && last.ChangedBy == somebody && slices.Equal(last.Fields, []string{"expander"}), fmt.Sprint(last)
	})
	w.awaitTold(t, name, "DriftHealed", `expander is "random", declared is "least-waste", changed by `+somebody)
}

// wantWrites counts who else than somebody has written a cluster since a time: Fleetwright so often, and CAPZ never.
func (w *world) wantWrites(t *testing.T, id string, since time.Time, want int) {
	t.Helper()
	n := 0
	for _, r := range w.Azure().Requests() {
		raw := strings.HasPrefix(r.UserAgent, "Go-http-client/")
		if r.Method != http.MethodPut || !strings.EqualFold(r.Path, id) || r.Time.Before(since) || raw {
			continue
		}
		if n++; !strings.HasPrefix(r.UserAgent, "fleetwright ") {
			t.Errorf("%s was written by %s", id, r.UserAgent)
		}
	}
	if n != want {
		t.Errorf("%s was written %d times since it was changed, want %d", id, n, want)
	}
}

// awaitSettled waits until no operation runs on a cluster, and returns it.
func (w *world) awaitSettled(t *testing.T, id string) map[string]any {
	t.Helper()
	var cluster map[string]any
	eventually(t, time.Minute, "the cluster is settled", func(context.Context) (bool, string) {
		cluster = w.raw.do(t, http.MethodGet, id, aksVersion, nil)
		properties, _ := cluster["properties"].(map[string]any)
		state, _ := properties["provisioningState"].(string)
		return state == "Succeeded", state
	})
	return cluster
}

// awaitProfile waits until the profile of the present spec is in force.
func (w *world) awaitProfile(t *testing.T, name string) {
	t.Helper()
	eventually(t, 30*time.Second, "the profile is applied", func(context.Context) (bool, string) {
		a := w.autoscaler(t, name)
		if a.Status.ObservedGeneration != a.Generation {
			return false, "not looked at yet"
		}
		return conditionOf(a.Status.Conditions, "Ready")
	})
}

func (w *world) autoscaler(t *testing.T, name string) *fleetwrightv1.AzureClusterAutoscaler {
	t.Helper()
	a := &fleetwrightv1.AzureClusterAutoscaler{}
	must(t, w.management.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, a))
	return a
}
