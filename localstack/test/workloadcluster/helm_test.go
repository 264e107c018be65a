package workloadcluster_test

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const chart = `
apiVersion: addons.cluster.x-k8s.io/v1alpha1
kind: HelmChartProxy
metadata: {name: cilium, namespace: charts}
spec:
  clusterSelector: {matchLabels: {addons.fleetwright.io/cilium: enabled}}
  chartName: cilium
  repoURL: https://helm.cilium.io/
  version: 1.18.4
`

const release = `
apiVersion: addons.cluster.x-k8s.io/v1alpha1
kind: HelmReleaseProxy
metadata:
  name: cilium-cilium-x7k2p
  namespace: charts
  labels:
    cluster.x-k8s.io/cluster-name: charted
    helmreleaseproxy.addons.cluster.x-k8s.io/helmchartproxy-name: cilium
spec:
  clusterRef: {apiVersion: cluster.x-k8s.io/v1beta2, kind: Cluster, name: charted, namespace: charts}
  chartName: cilium
  repoURL: https://helm.cilium.io/
  version: 1.18.4
`

// chartComesAndGoes: the provider for Helm is installed after the cluster was asked for, installs its chart, and takes it out again before the cluster
// is deleted.
func chartComesAndGoes(t *testing.T, w *world) {
	w.namespace(t, "charts", "production")
	w.cluster(t, "charts", "charted", "  addons: [{name: cilium, kind: HelmChartProxy}]\n")
	w.awaitCondition(t, "charts", "charted", "NodepoolsReady", "True", "Ready")
	w.notReady(t, "charts", "charted", "the API server does not know HelmChartProxy")

	w.applyFile(t, "helm")
	w.awaitServed(t, "HelmChartProxy")
	w.awaitServed(t, "HelmReleaseProxy")
	w.apply(t, chart)
	eventually(t, patience, "the Cluster has the label by which the chart selects it", func(ctx context.Context) (bool, string) {
		return w.enabled(ctx, t, "cilium"), "it has not"
	})
	w.apply(t, release)
	w.notReady(t, "charts", "charted", "HelmChartProxy cilium: its controller has said nothing yet")
	w.deployed(t)
	o := w.awaitReady(t, "charts", "charted")
	if len(o.Status.Addons) != 1 || o.Status.Addons[0].Version != "1.18.4" {
		t.Errorf("the add-ons are %+v", o.Status.Addons)
	}

	must(t, w.management.Delete(t.Context(), o))
	words := w.awaitCondition(t, "charts", "charted", "Deleting", "True", "DeletingAddons")
	if words == "" || w.enabled(t.Context(), t, "cilium") {
		t.Errorf("it says %q, and the Cluster has the label: %t", words, w.enabled(t.Context(), t, "cilium"))
	}
	cluster := &clusterv1.Cluster{}
	must(t, w.management.Get(t.Context(), client.ObjectKey{Namespace: "charts", Name: "charted"}, cluster))
	if !cluster.DeletionTimestamp.IsZero() {
		t.Error("the Cluster is deleted before its chart is out")
	}
	must(t, w.management.Delete(t.Context(), ofRelease()))
	w.awaitGone(t, "charts", "charted")
}

func (w *world) awaitServed(t *testing.T, kind string) {
	t.Helper()
	eventually(t, patience, kind+" is served", func(context.Context) (bool, string) {
		_, err := w.management.RESTMapper().RESTMapping(schema.GroupKind{Group: "addons.cluster.x-k8s.io", Kind: kind}, "v1alpha1")
		return err == nil, "it is not"
	})
}

func (w *world) enabled(ctx context.Context, t *testing.T, addon string) bool {
	t.Helper()
	cluster := &clusterv1.Cluster{}
	must(t, w.management.Get(ctx, client.ObjectKey{Namespace: "charts", Name: "charted"}, cluster))
	return cluster.Labels["addons.fleetwright.io/"+addon] == "enabled"
}

func ofRelease() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion("addons.cluster.x-k8s.io/v1alpha1")
	u.SetKind("HelmReleaseProxy")
	u.SetNamespace("charts")
	u.SetName("cilium-cilium-x7k2p")
	return u
}

// deployed says what the provider says when Helm is done.
func (w *world) deployed(t *testing.T) {
	t.Helper()
	u := ofRelease()
	must(t, w.management.Get(t.Context(), client.ObjectKeyFromObject(u), u))
	condition := map[string]any{"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2026-11-26T10:00:00Z"}
	u.Object["status"] = map[string]any{"observedGeneration": u.GetGeneration(), "status": "deployed", "conditions": []any{condition}}
	must(t, w.management.Status().Update(t.Context(), u))
}
