package maintenanceconfiguration

import (
	"fmt"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// Pauses between two looks at what only time or a person changes.
const (
	// soon is after somebody else wrote first.
	soon = time.Second
	// busyPause is for an operation of Azure.
	busyPause = 30 * time.Second
	// clusterPause is for a cluster that comes up: not all of what it tells is watched.
	clusterPause = time.Minute
	// clusterPatience is how long a Cluster may be missing before a person is called.
	clusterPatience = 10 * time.Minute
	// personPause is between two tries of what a person has to change outside the cluster: a right that is granted is not told to us.
	personPause = 10 * time.Minute
	// rest is how long a window that is as it should be is left alone: it changes rarely, and no sweep sees it, so that each look is a request
	// to Azure. At 6 hours one window per cluster would cost more than all sweeps.
	rest = 24 * time.Hour
)

// early is what keeps Azure from being asked; nil for nothing.
func early(cluster capi.Cluster, created, now time.Time) *obstacle {
	switch {
	case !cluster.Found:
		o := &obstacle{waiting, fleetwrightv1.ReasonClusterNotFound, fmt.Sprintf("there is no Cluster %s in this namespace", cluster.Name), clusterPause}
		if now.Sub(created) >= clusterPatience {
			o.verdict, o.again = stuck, personPause
		}
		return o
	case cluster.Deleting:
		return &obstacle{waiting, fleetwrightv1.ReasonNotApplied, fmt.Sprintf("Cluster %s is being deleted", cluster.Name), rest}
	case cluster.Unsupported != "":
		return &obstacle{stuck, fleetwrightv1.ReasonInvalidSpec, cluster.Unsupported, personPause}
	case !cluster.Provisioned || cluster.ManagedClusterID() == "":
		return &obstacle{waiting, fleetwrightv1.ReasonWaitingForCluster, fmt.Sprintf("Cluster %s is not up yet", cluster.Name), clusterPause}
	}
	return nil
}

// passing is true when Azure gives no answer now, and will.
func (o obstacle) passing() bool {
	return o.verdict == waiting && o.reason == fleetwrightv1.ReasonAzureRefused
}

// invalid is what admission cannot see in a window; nil for nothing.
func invalid(w fleetwrightv1.AzureMaintenanceWindow) *obstacle {
	if _, err := forAzure(w, nil); err != nil {
		return &obstacle{stuck, fleetwrightv1.ReasonInvalidSpec, err.Error(), rest}
	}
	return nil
}

// obstacleOf says what a refusal of Azure means; false for an error that is none. Without a time to look again the error is tried again
// as any other.
func obstacleOf(err error) (obstacle, bool) {
	refused, ok := refusal.Of(err)
	if !ok {
		return obstacle{}, false
	}
	switch {
	case refused.Kind == refusal.Denied:
		return obstacle{stuck, fleetwrightv1.ReasonPermissionDenied, refused.Error(), personPause}, true
	case refused.Kind == refusal.Final:
		return obstacle{stuck, fleetwrightv1.ReasonAzureRefused, refused.Error(), personPause}, true
	case refused.Kind == refusal.Gone:
		return obstacle{waiting, fleetwrightv1.ReasonWaitingForCluster, "Azure does not have the cluster: " + refused.Error(), clusterPause}, true
	case refused.Kind == refusal.Busy:
		return obstacle{waiting, fleetwrightv1.ReasonWaitingForSlot, refused.Error(), max(refused.RetryAfter, busyPause)}, true
	case refused.Kind == refusal.Passing:
		return obstacle{waiting, fleetwrightv1.ReasonAzureRefused, refused.Error(), refused.RetryAfter}, true
	}
	return obstacle{}, false
}
