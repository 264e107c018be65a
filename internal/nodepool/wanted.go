package nodepool

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// Defaults of the replacement policy. They live here and not in the schema, so
// that a new default never changes an object.
const (
	defaultMinReady         = 60 * time.Second
	defaultProvisionTimeout = time.Hour
)

func clusterKey(np *fleetwrightv1.Nodepool) types.NamespacedName {
	return types.NamespacedName{Namespace: np.Namespace, Name: np.Spec.ClusterName}
}

// wanted is the Nodepool in the planner's words.
func wanted(np *fleetwrightv1.Nodepool, cluster capi.Cluster) replacement.Nodepool {
	policy := np.Spec.Replacement
	out := replacement.Nodepool{
		Name: np.Name, BaseName: agentpool.BaseName(np.Name, np.Spec.ClusterName), UID: string(np.UID),
		Deleting: !np.DeletionTimestamp.IsZero(),
		Invalid:  cluster.Unsupported,
		Spec:     wantedSpec(np.Spec),
		MinReady: defaultMinReady, ProvisionTimeout: defaultProvisionTimeout,
	}
	if policy.MinReadySeconds != nil {
		out.MinReady = time.Duration(*policy.MinReadySeconds) * time.Second
	}
	if policy.ProvisionTimeoutSeconds != 0 {
		out.ProvisionTimeout = time.Duration(policy.ProvisionTimeoutSeconds) * time.Second
	}
	if out.Spec.Version == "" {
		out.Spec.Version = cluster.Version
	}
	if _, paused := np.Annotations[capi.PausedAnnotation]; paused {
		out.Paused = fmt.Sprintf("annotation %s is set on the Nodepool", capi.PausedAnnotation)
	}
	if cluster.Paused {
		out.Paused, out.PausedByCluster = fmt.Sprintf("Cluster %s is paused", cluster.Name), true
	}
	return out
}
