package workloadcluster

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func resourceSet(kind, name string, spec map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "addons.cluster.x-k8s.io", Version: "v1beta2", Kind: kind})
	u.SetName(name)
	return u
}

// installed plays Cluster API: these sets were applied to the cluster.
func (s *stage) installed(names ...string) {
	s.t.Helper()
	var bindings []any
	for _, name := range names {
		bindings = append(bindings, map[string]any{"clusterResourceSetName": name, "resources": []any{
			map[string]any{"kind": "ConfigMap", "name": name, "applied": true, "hash": "x", "lastAppliedTime": s.clock.Now().UTC().Format(time.RFC3339)},
		}})
	}
	binding := resourceSet("ClusterResourceSetBinding", "c", map[string]any{"clusterName": "c", "bindings": bindings})
	binding.SetNamespace(s.namespace)
	if len(names) == 1 {
		s.create(binding)
		return
	}
	edit(s, resourceSet("ClusterResourceSetBinding", "c", nil), "c", func(u *unstructured.Unstructured) { u.Object["spec"] = binding.Object["spec"] })
}

// Add-ons come one after the other, and the cluster is not ready before they are healthy.
func TestStoryOfAddons(t *testing.T) {
	s := newStage(t, "addons")
	for _, name := range []string{"network", "agent"} {
		set := resourceSet("ClusterResourceSet", name, map[string]any{
			"clusterSelector": map[string]any{"matchLabels": map[string]any{"addons.fleetwright.io/" + name: "enabled"}},
			"resources":       []any{map[string]any{"kind": "ConfigMap", "name": name}}, "strategy": "Reconcile",
		})
		set.SetNamespace(s.namespace)
		s.create(set)
	}
	s.ready(aso)
	s.change(func(w *fleetwrightv1.WorkloadCluster) {
		w.Spec.Addons = []fleetwrightv1.WorkloadClusterAddon{
			{Name: "agent", Kind: "ClusterResourceSet", After: []string{"network"}, ClusterLabels: map[string]fleetwrightv1.LabelValue{"example.com/agent": "v2"}, Health: []fleetwrightv1.AddonHealthObject{{
				APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "monitoring", Name: "agent",
			}}},
			{Name: "network", Kind: "ClusterResourceSet", KubernetesVersions: "<1.34.0"},
		}
	})
	labels := func(what string, want ...string) {
		t.Helper()
		cluster, got := &clusterv1.Cluster{}, []string(nil)
		s.get(cluster, "c")
		for _, label := range []string{"addons.fleetwright.io/network", "addons.fleetwright.io/agent", "example.com/agent"} {
			if value := cluster.Labels[label]; value != "" {
				got = append(got, label+"="+value)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: labels %q, want %q", what, got, want)
		}
	}
	s.expect("the first is being installed", with(made(aso), "Ready False AddonsNotReady", "AddonsReady False WaitingForAddon")...)
	labels("the first", "addons.fleetwright.io/network=enabled")
	s.installed("network")
	s.expect("the second one's turn", with(made(aso), "Ready False AddonsNotReady", "AddonsReady False AddonObjectNotFound")...)
	labels("both", "addons.fleetwright.io/network=enabled", "addons.fleetwright.io/agent=enabled", "example.com/agent=v2")
	s.installed("network", "agent")
	s.expect("it was applied, and its DaemonSet is not there", with(made(aso), "Ready False AddonsNotReady", "AddonsReady False Unhealthy")...)
	s.workload["DaemonSet agent"] = &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": map[string]any{"name": "agent", "generation": int64(1)},
		"spec": map[string]any{}, "status": map[string]any{
			"observedGeneration": int64(1), "desiredNumberScheduled": int64(4), "currentNumberScheduled": int64(4), "updatedNumberScheduled": int64(4),
			"numberAvailable": int64(4), "numberReady": int64(4),
		},
	}}
	s.expect("all add-ons are healthy", with(made(aso), "Ready True Ready")...)
	if status := s.object().Status; len(status.Addons) != 2 || status.Addons[0].Ready != metav1.ConditionTrue {
		t.Errorf("status has %+v", status.Addons)
	}
	s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Version = "v1.34.2" })
	s.expect("an add-on forbids the upgrade", with(made(aso), "Ready True Ready", "UpToDate False AddonIncompatible")...)
	s.delete()
	s.settle()
	s.removed(aso)
	s.expect("a ClusterResourceSet takes nothing out, so it is not waited for", "it is gone")
}
