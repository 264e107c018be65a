package workloadcluster_test

import (
	"strings"
	"testing"

	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// refused: what is asked for and cannot be is told in one condition, and nothing is made of it.
func refused(t *testing.T, w *world) {
	w.namespace(t, "refused", "production")
	w.namespace(t, "foreign", "test")
	for name, tc := range map[string]struct {
		namespace, spec string
		// reason is that of Stalled, says words of its message.
		reason, says string
	}{
		"exhausted": {
			spec:   "  network: {addresses: [{name: vnet, poolRef: {name: tiny, namespace: platform}}]}\n",
			reason: "AddressesExhausted", says: "tiny",
		},
		"classless": {
			spec:   "  classRef: {name: small-v2, namespace: platform}\n",
			reason: "ClassNotFound", says: "WorkloadClusterClass platform/small-v2 does not exist",
		},
		"foreign": {
			namespace: "foreign",
			reason:    "ClassNotAllowed", says: "does not let namespace foreign use it",
		},
		"overriding": {
			spec:   "  providerOverrides: {kubernetesVersion: 1.34.2}\n",
			reason: "OverrideConflict", says: "kubernetesVersion",
		},
		"circling": {
			spec:   "  addons: [{name: a, kind: ClusterResourceSet, after: [b]}, {name: b, kind: ClusterResourceSet, after: [a]}]\n",
			reason: "InvalidSpec", says: "a, b come after each other in a circle",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.namespace == "" {
				tc.namespace = "refused"
			}
			w.cluster(t, tc.namespace, name, tc.spec)
			if words := w.awaitCondition(t, tc.namespace, name, "Stalled", "True", tc.reason); !strings.Contains(words, tc.says) {
				t.Errorf("it says %q, want %q in it", words, tc.says)
			}
			w.nothingOf(t, tc.namespace, name)
			w.remove(t, tc.namespace, name)
		})
	}
	t.Run("a name that another has", func(t *testing.T) {
		t.Parallel()
		w.namespace(t, "first", "production")
		w.namespace(t, "second", "production")
		w.cluster(t, "first", "twice", "")
		w.awaitCondition(t, "first", "twice", "AddressesReady", "True", "Bound")
		w.cluster(t, "second", "twice", "")
		words := w.awaitCondition(t, "second", "twice", "Stalled", "True", "ClusterNameTaken")
		if !strings.Contains(words, "WorkloadCluster first/twice is the same cluster in Azure") {
			t.Errorf("it says %q", words)
		}
		w.nothingOf(t, "second", "twice")
		w.remove(t, "second", "twice")
		w.awaitReady(t, "first", "twice")
	})
	// It may come yet: nobody is called at once.
	t.Run("a pool that is not there", func(t *testing.T) {
		t.Parallel()
		w.cluster(t, "refused", "poolless", "  network: {addresses: [{name: vnet, poolRef: {name: none, namespace: platform}}]}\n")
		if words := w.awaitCondition(t, "refused", "poolless", "AddressesReady", "False", "PoolNotFound"); !strings.Contains(words, "AddressPool platform/none") {
			t.Errorf("it says %q", words)
		}
		w.nothingOf(t, "refused", "poolless")
		w.remove(t, "refused", "poolless")
	})
	t.Run("an add-on of no kind that is known", func(t *testing.T) {
		t.Parallel()
		err := w.tryCluster(t, "refused", "kindless", "  addons: [{name: cilium, kind: Chart}]\n")
		if err == nil || !strings.Contains(err.Error(), `Unsupported value: "Chart"`) {
			t.Errorf("the API server says %v", err)
		}
	})
	t.Run("a name that is too long", func(t *testing.T) {
		t.Parallel()
		if err := w.tryCluster(t, "refused", strings.Repeat("a", 37), ""); err == nil || !strings.Contains(err.Error(), "36") {
			t.Errorf("the API server says %v", err)
		}
	})
}

// nothingOf: nothing was made of a WorkloadCluster in Cluster API or Azure.
func (w *world) nothingOf(t *testing.T, namespace, name string) {
	t.Helper()
	if !w.is404(t, &clusterv1.Cluster{}, namespace, name) || !w.is404(t, &fleetwrightv1.Nodepool{}, namespace, name+"-system") {
		t.Error("a Cluster or a Nodepool was made")
	}
	if w.raw.has(t, subscription+"/resourceGroups/"+name, apiGroup) && name != "twice" {
		t.Error("a resource group was made")
	}
}
