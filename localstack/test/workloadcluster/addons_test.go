package workloadcluster_test

import (
	"context"
	"strings"
	"testing"

	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const resourceSet = `
apiVersion: addons.cluster.x-k8s.io/v1beta2
kind: ClusterResourceSet
metadata: {name: $name, namespace: $namespace}
spec:
  strategy: Reconcile
  clusterSelector: {matchLabels: {addons.fleetwright.io/$name: enabled}}
  resources: [{kind: ConfigMap, name: $name}]
`

// agent is an add-on whose pods count as available after a while.
const agent = `
apiVersion: v1
kind: ConfigMap
metadata: {name: agent, namespace: $namespace}
data:
  agent.yaml: |
    apiVersion: apps/v1
    kind: DaemonSet
    metadata: {name: agent, namespace: kube-system}
    spec:
      minReadySeconds: $after
      selector: {matchLabels: {app: agent}}
      template:
        metadata: {labels: {app: agent}}
        spec:
          nodeSelector: {fleetwright.io/nodepool: system}
          tolerations: [{operator: Exists}]
          containers: [{name: agent, image: registry.k8s.io/pause:3.10}]
`

const settings = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: $namespace}
data:
  settings.yaml: |
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: settings, namespace: kube-system}
`

// readyAfterAddons: a cluster whose nodes run is not ready before Cluster API has installed its add-on and the add-on works; what comes after the
// add-on is not installed before.
func readyAfterAddons(t *testing.T, w *world) {
	w.namespace(t, "addons", "production")
	w.cluster(t, "addons", "gated", `
  addons:
  - name: agent
    kind: ClusterResourceSet
    health: [{apiVersion: apps/v1, kind: DaemonSet, namespace: kube-system, name: agent}]
  - {name: settings, kind: ClusterResourceSet, after: [agent]}
`)
	w.apply(t, resourceSet+"---"+settings, "namespace", "addons", "name", "settings")
	w.awaitCondition(t, "addons", "gated", "NodepoolsReady", "True", "Ready")
	w.notReady(t, "addons", "gated", "ClusterResourceSet agent is not there: apply it in namespace addons")

	w.apply(t, resourceSet+"---"+agent, "namespace", "addons", "name", "agent", "after", "3600")
	w.awaitCondition(t, "addons", "gated", "AddonsReady", "False", "Unhealthy")
	w.notReady(t, "addons", "gated", "DaemonSet kube-system/agent: Available: 0/")
	if labels := w.labels(t, "addons", "gated"); labels["addons.fleetwright.io/agent"] != "enabled" || labels["addons.fleetwright.io/settings"] != "" {
		t.Errorf("the Cluster is labelled %v", labels)
	}

	w.apply(t, agent, "namespace", "addons", "after", "0")
	o := w.awaitReady(t, "addons", "gated")
	if labels := w.labels(t, "addons", "gated"); labels["addons.fleetwright.io/settings"] != "enabled" {
		t.Errorf("the Cluster is labelled %v", labels)
	}
	for _, a := range o.Status.Addons {
		if a.Ready != "True" || a.Reason != "Ready" {
			t.Errorf("add-on %s is %s, %s", a.Name, a.Ready, a.Reason)
		}
	}
	var steps []string
	for _, s := range o.Status.Steps {
		if s.StartedTime.IsZero() || s.FinishedTime.IsZero() || s.FinishedTime.Before(&s.StartedTime) || s.FinishedTime.After(o.Status.ReadyTime.Time) {
			t.Errorf("step %s went from %s to %s, and the cluster was ready at %s", s.Name, s.StartedTime, s.FinishedTime, o.Status.ReadyTime)
		}
		steps = append(steps, string(s.Name))
	}
	if got := strings.Join(steps, " "); got != "Addresses Infrastructure ControlPlane Nodepools RoleAssignments Addons" {
		t.Errorf("the steps are %s", got)
	}
}

// notReady waits until a cluster waits for its add-ons only, and says so.
func (w *world) notReady(t *testing.T, namespace, name, says string) {
	t.Helper()
	eventually(t, patience, "it waits for its add-ons and says "+says, func(ctx context.Context) (bool, string) {
		o, err := w.get(ctx, namespace, name)
		if err != nil {
			return false, err.Error()
		}
		ok, now := is(o, "Ready", "False", "AddonsNotReady")
		return ok && strings.Contains(now, says), now
	})
}

func (w *world) labels(t *testing.T, namespace, name string) map[string]string {
	t.Helper()
	cluster := &clusterv1.Cluster{}
	must(t, w.management.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, cluster))
	return cluster.Labels
}
