package addons

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// fixture is an object in the shape in which its project writes it, nil for no name.
func fixture(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	if name == "" {
		return nil
	}
	content, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(content)
	if err != nil {
		t.Fatal(err)
	}
	out := &unstructured.Unstructured{}
	if err := out.UnmarshalJSON(asJSON); err != nil {
		t.Fatal(err)
	}
	return out
}

var prod = types.NamespacedName{Namespace: "prod-eu", Name: "prod-eu-1"}

func at(clock string) time.Time {
	out, err := time.Parse(time.RFC3339, "2026-11-26T"+clock+":00Z")
	if err != nil {
		panic(err)
	}
	return out
}

func TestStateOfEachKind(t *testing.T) {
	agent := fleetwrightv1.WorkloadClusterAddon{Name: "agent", Kind: "ClusterResourceSet"}
	cilium := fleetwrightv1.WorkloadClusterAddon{Name: "cilium", Kind: "HelmChartProxy"}
	metrics := fleetwrightv1.WorkloadClusterAddon{Name: "metrics", Kind: "HelmRelease"}
	policies := fleetwrightv1.WorkloadClusterAddon{Name: "policies", Kind: "Kustomization", Namespace: "flux-system"}
	logging := fleetwrightv1.WorkloadClusterAddon{Name: "logging", Kind: "Application", Namespace: "argocd"}
	cases := map[string]struct {
		addon                 fleetwrightv1.WorkloadClusterAddon
		unserved              bool
		source, perCluster    string
		ready                 metav1.ConditionStatus
		reason, version, says string
		since                 time.Time
	}{
		"kind not installed": {
			addon: cilium, unserved: true, ready: "False", reason: "AddonKindNotInstalled",
			says: "the API server does not know HelmChartProxy of addons.cluster.x-k8s.io: install what brings it",
		},

		"set not there": {
			addon: agent, ready: "False", reason: "AddonObjectNotFound",
			says: "ClusterResourceSet agent is not there: apply it in namespace prod-eu, in which it selects Clusters",
		},
		"set without a binding": {
			addon: agent, source: "clusterresourceset", ready: "False", reason: "AddonObjectNotFound",
			says: "ClusterResourceSet agent has nothing for this cluster: its clusterSelector has to select label addons.fleetwright.io/agent: enabled",
		},
		"set with the binding of another": {
			addon: agent, source: "clusterresourceset", perCluster: "binding-of-another", ready: "False", reason: "AddonObjectNotFound",
			says: "ClusterResourceSet agent has nothing for this cluster: its clusterSelector has to select label addons.fleetwright.io/agent: enabled",
		},
		"set partly applied": {
			addon: agent, source: "clusterresourceset", perCluster: "binding-partly", ready: "False", reason: "Installing",
			says: "ClusterResourceSet agent: Secret agent-token not applied yet: is it in namespace prod-eu?",
		},
		"set failed": {
			addon: agent, source: "clusterresourceset-failed", perCluster: "binding-failed", ready: "False", reason: "InstallFailed", since: at("10:06"),
			says: "ClusterResourceSet agent: Secret agent-token could not be applied (its condition ResourcesApplied: Failed to apply ClusterResourceSet resources to Cluster)",
		},
		// What it says of itself may be of another cluster.
		"set failed elsewhere": {
			addon: agent, source: "clusterresourceset-failed", perCluster: "binding-applied", ready: "True", reason: "Ready", since: at("10:05"),
		},
		"set applied": {
			addon: agent, source: "clusterresourceset", perCluster: "binding-applied", ready: "True", reason: "Ready", since: at("10:05"),
		},

		"proxy not there": {
			addon: cilium, ready: "False", reason: "AddonObjectNotFound",
			says: "HelmChartProxy cilium is not there: apply it in namespace prod-eu, in which it selects Clusters",
		},
		"proxy has made nothing": {
			addon: cilium, source: "helmchartproxy", ready: "False", reason: "AddonObjectNotFound",
			says: "HelmChartProxy cilium has nothing for this cluster: its clusterSelector has to select label addons.fleetwright.io/cilium: enabled",
		},
		"proxy can make nothing": {
			addon: cilium, source: "helmchartproxy-unparsable", ready: "False", reason: "InstallFailed",
			says: `HelmChartProxy cilium: failed to parse values on cluster prod-eu-1: template: cilium-prod-eu-1:1: unexpected "}" in operand`,
		},
		// The release is ready, in the version before the change.
		"proxy changed a moment ago": {
			addon: cilium, source: "helmchartproxy-unseen", perCluster: "helmreleaseproxy", ready: "False", reason: "Installing", version: "1.18.4",
			says: "HelmChartProxy cilium has changed, and its controller has not looked at it yet",
		},
		"release of a proxy is new": {
			addon: cilium, source: "helmchartproxy", perCluster: "helmreleaseproxy-new", ready: "False", reason: "Installing", version: "1.18.4",
			says: "HelmChartProxy cilium: its controller has said nothing yet",
		},
		"release of a proxy pending": {
			addon: cilium, source: "helmchartproxy", perCluster: "helmreleaseproxy-pending", ready: "False", reason: "Installing", version: "1.18.4", since: at("10:02"),
			says: "HelmChartProxy cilium: * HelmReleaseReady: Helm release is in a pending state: pending-install",
		},
		"release of a proxy failed": {
			addon: cilium, source: "helmchartproxy", perCluster: "helmreleaseproxy-failed", ready: "False", reason: "InstallFailed", version: "1.18.4", since: at("10:02"),
			says: "HelmChartProxy cilium: cannot re-use a name that is still in use",
		},
		"release of an older proxy failed": {
			addon: cilium, source: "helmchartproxy", perCluster: "helmreleaseproxy-failed-v1beta1", ready: "False", reason: "InstallFailed", version: "1.18.4", since: at("10:02"),
			says: "HelmChartProxy cilium: chart cilium not found",
		},
		"release of a proxy being deleted": {
			addon: cilium, source: "helmchartproxy", perCluster: "helmreleaseproxy-deleted", ready: "False", reason: "Installing", version: "1.18.4",
			says: "HelmReleaseProxy cilium-cilium-x7k2p is being deleted",
		},
		"release of a proxy ready": {
			addon: cilium, source: "helmchartproxy", perCluster: "helmreleaseproxy", ready: "True", reason: "Ready", version: "1.18.4", since: at("10:03"),
		},

		"HelmRelease not there": {
			addon: metrics, ready: "False", reason: "AddonObjectNotFound",
			says: "HelmRelease prod-eu-1-metrics in namespace prod-eu is not there: whoever installs add-ons has to make it",
		},
		"HelmRelease new": {
			addon: metrics, perCluster: "helmrelease-new", ready: "False", reason: "Installing",
			says: "HelmRelease prod-eu-1-metrics has changed, and its controller has not looked at it yet",
		},
		"HelmRelease changed a moment ago": {
			addon: metrics, perCluster: "helmrelease-unseen", ready: "False", reason: "Installing", version: "3.12.1",
			says: "HelmRelease prod-eu-1-metrics has changed, and its controller has not looked at it yet",
		},
		"HelmRelease installing": {
			addon: metrics, perCluster: "helmrelease-installing", ready: "False", reason: "Installing", since: at("10:02"),
			says: "HelmRelease prod-eu-1-metrics: Running 'install' action with timeout of 5m0s",
		},
		"HelmRelease failed": {
			addon: metrics, perCluster: "helmrelease-failed", ready: "False", reason: "InstallFailed", since: at("10:04"),
			says: "HelmRelease prod-eu-1-metrics: Helm install failed for release kube-system/metrics with chart metrics@3.12.2: context deadline exceeded",
		},
		"HelmRelease ready": {
			addon: metrics, perCluster: "helmrelease", ready: "True", reason: "Ready", version: "3.12.2", since: at("10:07"),
		},

		"Kustomization waits": {
			addon: policies, perCluster: "kustomization-waiting", ready: "False", reason: "Installing", since: at("10:06"),
			says: "Kustomization prod-eu-1-policies: Dependencies do not meet ready condition, retrying in 30s",
		},
		"Kustomization failed": {
			addon: policies, perCluster: "kustomization-failed", ready: "False", reason: "InstallFailed", since: at("10:06"),
			says: "Kustomization prod-eu-1-policies: timeout waiting for: [Deployment/kyverno/kyverno status: 'InProgress']",
		},
		"Kustomization ready": {
			addon: policies, perCluster: "kustomization", ready: "True", reason: "Ready", since: at("10:08"),
			version: "main@sha1:450796ddb2ab6724ee1cc32a4be56da032d1cca0",
		},

		"Application not there": {
			addon: logging, ready: "False", reason: "AddonObjectNotFound",
			says: "Application prod-eu-1-logging in namespace argocd is not there: whoever installs add-ons has to make it",
		},
		"Application new": {
			addon: logging, perCluster: "application-new", ready: "False", reason: "Installing",
			says: "Application prod-eu-1-logging: its controller has said nothing yet",
		},
		"Application progressing": {
			addon: logging, perCluster: "application-progressing", ready: "False", reason: "Installing", version: "8f6a2d1",
			says: "Application prod-eu-1-logging is Synced and Progressing",
		},
		"Application out of step": {
			addon: logging, perCluster: "application-out-of-sync", ready: "False", reason: "Installing", version: "8f6a2d1",
			says: "Application prod-eu-1-logging is OutOfSync and Healthy",
		},
		"Application degraded": {
			addon: logging, perCluster: "application-degraded", ready: "False", reason: "Unhealthy", version: "8f6a2d1",
			says: `Application prod-eu-1-logging is Degraded: Deployment "collector" exceeded its progress deadline`,
		},
		"Application could not be synced": {
			addon: logging, perCluster: "application-sync-failed", ready: "False", reason: "InstallFailed", version: "8f6a2d1",
			says: "Application prod-eu-1-logging: its last sync failed: one or more synchronization tasks completed unsuccessfully",
		},
		"Application without its source": {
			addon: logging, perCluster: "application-unreachable-source", ready: "False", reason: "InstallFailed",
			says: "Application prod-eu-1-logging: ComparisonError: failed to load target state: repository not found",
		},
		"Application ready": {
			addon: logging, perCluster: "application", ready: "True", reason: "Ready", since: at("10:09"),
			version: "8f6a2d1f0c3f4a0fd3f3a3a4a0d34a2c7c8d7f11",
		},
		"Application of several sources": {
			addon: logging, perCluster: "application-several-sources", ready: "True", reason: "Ready", since: at("10:09"), version: "8f6a2d1,1.2.3",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := StateOf(tc.addon, Observed{
				Served: !tc.unserved, Sought: Object(prod, tc.addon), Source: fixture(t, tc.source), PerCluster: fixture(t, tc.perCluster),
			})
			want := State{
				WorkloadClusterAddonStatus: fleetwrightv1.WorkloadClusterAddonStatus{Name: tc.addon.Name, Ready: tc.ready, Reason: tc.reason, Version: tc.version},
				Message:                    tc.says, Since: tc.since,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStateOfHealth(t *testing.T) {
	daemonSet := fleetwrightv1.AddonHealthObject{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "kube-system", Name: "agent"}
	deployment := fleetwrightv1.AddonHealthObject{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "kube-system", Name: "controller"}
	cases := map[string]struct {
		binding      string
		wanted       []fleetwrightv1.AddonHealthObject
		is           []string
		unread       string
		ready        metav1.ConditionStatus
		reason, says string
		since        time.Time
	}{
		// A DaemonSet does not tell since when.
		"all well": {
			wanted: []fleetwrightv1.AddonHealthObject{daemonSet, deployment}, is: []string{"daemonset", "deployment"}, ready: "True", reason: "Ready",
		},
		"all that tell": {
			wanted: []fleetwrightv1.AddonHealthObject{deployment}, is: []string{"deployment"}, ready: "True", reason: "Ready", since: at("10:20"),
		},
		"one not ready": {
			wanted: []fleetwrightv1.AddonHealthObject{deployment, daemonSet}, is: []string{"deployment", "daemonset-not-ready"}, ready: "False", reason: "Unhealthy",
			says: "DaemonSet kube-system/agent: Available: 2/3",
		},
		"one not there": {
			wanted: []fleetwrightv1.AddonHealthObject{deployment, daemonSet}, is: []string{"deployment", ""}, ready: "False", reason: "Unhealthy",
			says: "DaemonSet kube-system/agent is not there",
		},
		"cluster does not answer": {
			wanted: []fleetwrightv1.AddonHealthObject{daemonSet}, unread: "no answer", ready: "Unknown", reason: "Unhealthy",
			says: "its objects in the cluster cannot be read: no answer",
		},
		"not applied yet": {
			binding: "binding-partly", wanted: []fleetwrightv1.AddonHealthObject{daemonSet}, is: []string{"daemonset"}, ready: "False", reason: "Installing",
			says: "ClusterResourceSet agent: Secret agent-token not applied yet: is it in namespace prod-eu?",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.binding == "" {
				tc.binding = "binding-applied"
			}
			o := Observed{
				Served: true, Sought: types.NamespacedName{Namespace: "prod-eu", Name: "agent"}, Unread: tc.unread,
				Source: fixture(t, "clusterresourceset"), PerCluster: fixture(t, tc.binding),
			}
			for _, name := range tc.is {
				o.Health = append(o.Health, fixture(t, name))
			}
			got := StateOf(fleetwrightv1.WorkloadClusterAddon{Name: "agent", Kind: "ClusterResourceSet", Health: tc.wanted}, o)
			if got.Ready != tc.ready || got.Reason != tc.reason || got.Message != tc.says || !got.Since.Equal(tc.since) {
				t.Errorf("got %+v, want %s, %s, %q since %s", got, tc.ready, tc.reason, tc.says, tc.since)
			}
		})
	}
}

func TestObject(t *testing.T) {
	cases := map[string]struct {
		addon fleetwrightv1.WorkloadClusterAddon
		want  string
	}{
		"set":                   {fleetwrightv1.WorkloadClusterAddon{Name: "agent", Kind: "ClusterResourceSet"}, "prod-eu/agent"},
		"set of a name":         {fleetwrightv1.WorkloadClusterAddon{Name: "agent", Kind: "ClusterResourceSet", Object: "agent-v2"}, "prod-eu/agent-v2"},
		"proxy":                 {fleetwrightv1.WorkloadClusterAddon{Name: "cilium", Kind: "HelmChartProxy"}, "prod-eu/cilium"},
		"one per cluster":       {fleetwrightv1.WorkloadClusterAddon{Name: "metrics", Kind: "HelmRelease"}, "prod-eu/prod-eu-1-metrics"},
		"in another namespace":  {fleetwrightv1.WorkloadClusterAddon{Name: "logging", Kind: "Application", Namespace: "argocd"}, "argocd/prod-eu-1-logging"},
		"of a name, in another": {fleetwrightv1.WorkloadClusterAddon{Name: "logging", Kind: "Kustomization", Object: "all", Namespace: "flux-system"}, "flux-system/all"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Object(prod, tc.addon).String(); got != tc.want {
				t.Errorf("looked for at %s, want %s", got, tc.want)
			}
		})
	}
}

func TestLeft(t *testing.T) {
	cilium := fleetwrightv1.WorkloadClusterAddon{Name: "cilium", Kind: "HelmChartProxy"}
	release := fixture(t, "helmreleaseproxy")
	once := release.DeepCopy()
	once.Object["spec"].(map[string]any)["reconcileStrategy"] = "InstallOnce"
	cases := map[string]struct {
		addon fleetwrightv1.WorkloadClusterAddon
		is    *unstructured.Unstructured
		want  string
	}{
		"release":         {cilium, release, "HelmReleaseProxy cilium-cilium-x7k2p"},
		"no release":      {cilium, nil, ""},
		"installed once":  {cilium, once, ""},
		"set":             {fleetwrightv1.WorkloadClusterAddon{Name: "agent", Kind: "ClusterResourceSet"}, fixture(t, "binding-applied"), ""},
		"somebody else's": {fleetwrightv1.WorkloadClusterAddon{Name: "logging", Kind: "Application"}, fixture(t, "application"), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Left(tc.addon, Observed{Served: true, PerCluster: tc.is}); got != tc.want {
				t.Errorf("waited for %q, want %q", got, tc.want)
			}
		})
	}
}

func TestMessagesAndVersionsAreBounded(t *testing.T) {
	app := fixture(t, "application-degraded")
	long := make([]byte, 5000)
	for i := range long {
		long[i] = "aé"[i%3]
	}
	if err := unstructured.SetNestedField(app.Object, string(long), "status", "health", "message"); err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedField(app.Object, string(long), "status", "sync", "revision"); err != nil {
		t.Fatal(err)
	}
	got := StateOf(fleetwrightv1.WorkloadClusterAddon{Name: "logging", Kind: "Application"}, Observed{Served: true, PerCluster: app})
	if len(got.Message) > 600 || len(got.Version) > 256 {
		t.Errorf("a message of %d and a version of %d bytes", len(got.Message), len(got.Version))
	}
}
