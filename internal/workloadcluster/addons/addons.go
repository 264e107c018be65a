// Package addons says how the add-ons of a cluster are and whose turn it is. All but Read is a function of values.
package addons

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Observed is what was read about one add-on.
type Observed struct {
	// Served is false when the API server does not know the kind.
	Served bool
	// Sought is the object that installs it, whether it is there or not.
	Sought types.NamespacedName
	// Source is the ClusterResourceSet or HelmChartProxy, nil for other kinds; PerCluster what there is for this cluster: the
	// ClusterResourceSetBinding, the HelmReleaseProxy, or the object of the other kinds itself. Nil when it is not there.
	Source, PerCluster *unstructured.Unstructured
	// Health are the objects of the workload cluster, in the order of the spec; nil for one that is not there. Unread says why they could not be
	// read, or is empty.
	Health []*unstructured.Unstructured
	Unread string
}

// State is how one add-on is.
type State struct {
	fleetwrightv1.WorkloadClusterAddonStatus

	Message string
	// Since is when it became so, by the installer's own times; zero when that is not told.
	Since time.Time
}

// GroupKind is that of the object that installs an add-on.
func GroupKind(kind fleetwrightv1.AddonKind) schema.GroupKind {
	groups := map[fleetwrightv1.AddonKind]string{
		fleetwrightv1.AddonKindClusterResourceSet: "addons.cluster.x-k8s.io",
		fleetwrightv1.AddonKindHelmChartProxy:     "addons.cluster.x-k8s.io",
		fleetwrightv1.AddonKindHelmRelease:        "helm.toolkit.fluxcd.io",
		fleetwrightv1.AddonKindKustomization:      "kustomize.toolkit.fluxcd.io",
		fleetwrightv1.AddonKindApplication:        "argoproj.io",
	}
	return schema.GroupKind{Group: groups[kind], Kind: string(kind)}
}

// selects is true for the kinds of which one object serves many clusters, those that it selects by their labels.
func selects(kind fleetwrightv1.AddonKind) bool {
	return kind == fleetwrightv1.AddonKindClusterResourceSet || kind == fleetwrightv1.AddonKindHelmChartProxy
}

// ObjectName is the name of the object that installs the add-on.
func ObjectName(cluster string, a fleetwrightv1.WorkloadClusterAddon) string {
	switch {
	case a.Object != "":
		return a.Object
	case selects(a.Kind):
		return a.Name
	default:
		return cluster + "-" + a.Name
	}
}

// Object is where the object that installs the add-on is looked for.
func Object(cluster types.NamespacedName, a fleetwrightv1.WorkloadClusterAddon) types.NamespacedName {
	namespace := a.Namespace
	if namespace == "" || selects(a.Kind) {
		namespace = cluster.Namespace
	}
	return types.NamespacedName{Namespace: namespace, Name: ObjectName(cluster.Name, a)}
}

// Left is what an installer that takes an add-on out once the Cluster has lost its labels still has for this cluster, as kind and name, or empty.
// Only releases of HelmChartProxies are taken out so: a ClusterResourceSet never takes out what it applied, and the objects of Flux and Argo CD
// belong to those who made them.
func Left(a fleetwrightv1.WorkloadClusterAddon, o Observed) string {
	if a.Kind != fleetwrightv1.AddonKindHelmChartProxy || o.PerCluster == nil {
		return ""
	}
	if strategy, _, _ := unstructured.NestedString(o.PerCluster.Object, "spec", "reconcileStrategy"); strategy == "InstallOnce" {
		return ""
	}
	return helmReleaseProxy + " " + o.PerCluster.GetName()
}

// helmReleaseProxy is the kind of what a HelmChartProxy makes for a cluster.
const helmReleaseProxy = "HelmReleaseProxy"

// verdict is one answer to how an add-on is.
type verdict struct {
	ready           metav1.ConditionStatus
	reason, message string
	since           time.Time
}

// StateOf sorts it. kstatus decides about every object that follows its rules; ClusterResourceSetBindings and Applications do not.
func StateOf(a fleetwrightv1.WorkloadClusterAddon, o Observed) State {
	v := installed(a, o)
	if v.ready == metav1.ConditionTrue && len(a.Health) > 0 {
		v = healthy(a, o, v)
	}
	return State{
		WorkloadClusterAddonStatus: fleetwrightv1.WorkloadClusterAddonStatus{
			Name: a.Name, Ready: v.ready, Reason: v.reason, Version: versionOf(a.Kind, o.PerCluster),
		},
		Message: clip(v.message), Since: v.since,
	}
}
