// Package addons says how the add-ons of a cluster are and whose turn it is. It is a function of values.
package addons

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Observed is what was read about one add-on.
type Observed struct {
	// Served is false when the API server does not know the kind.
	Served bool
	// Source is the ClusterResourceSet or HelmChartProxy, nil for other kinds; PerCluster what there is for this cluster: the entry's
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

// ObjectName is the name of the object that installs the add-on.
func ObjectName(cluster string, a fleetwrightv1.WorkloadClusterAddon) string { return "" }

// StateOf sorts it. kstatus decides about every object that follows its rules; ClusterResourceSetBindings and Applications do not.
func StateOf(a fleetwrightv1.WorkloadClusterAddon, o Observed) State {
	return State{WorkloadClusterAddonStatus: fleetwrightv1.WorkloadClusterAddonStatus{Name: a.Name, Ready: metav1.ConditionUnknown}}
}

// Labels are those that the Cluster is to have for its add-ons: of those whose turn has come, and of those that have theirs already (present
// are the Cluster's labels), since an add-on is not taken out because one before it fails. waiting names what the others come after.
func Labels(all []fleetwrightv1.WorkloadClusterAddon, states map[string]State, present map[string]string) (labels, waiting map[string]string) {
	return nil, nil
}

// Order checks after: unknown names and circles. The order is that of the spec, predecessors first.
func Order(all []fleetwrightv1.WorkloadClusterAddon) ([]fleetwrightv1.WorkloadClusterAddon, error) {
	return all, nil
}
