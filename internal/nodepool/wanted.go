package nodepool

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

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

func wantedSpec(in fleetwrightv1.NodepoolSpec) agentpool.Spec {
	out := agentpool.Spec{
		Version: in.Version, Type: string(in.Type), MachineType: in.MachineType,
		DiskSizeGiB: in.Disk.SizeGiB, DiskType: string(in.Disk.Type), MaxPods: in.MaxPods,
		OSType: string(in.OS.Type), OSSKU: in.OS.SKU, Zones: in.Zones, Subnet: in.Subnet,
		Mode: string(in.Mode), Tags: in.Tags, Replicas: in.Replicas,
	}
	if out.Version != "" && out.Version[0] != 'v' {
		out.Version = "v" + out.Version
	}
	if len(in.Labels) > 0 {
		out.Labels = make(map[string]string, len(in.Labels))
		for key, value := range in.Labels {
			out.Labels[key] = string(value)
		}
	}
	for _, t := range in.Taints {
		out.Taints = append(out.Taints, agentpool.Taint{Key: t.Key, Value: t.Value, Effect: string(t.Effect)})
	}
	if in.Scaling.IsDefined() {
		out.Scaling = &agentpool.Scaling{Min: ptr.Deref(in.Scaling.Min, 0), Max: in.Scaling.Max}
	}
	return out
}
