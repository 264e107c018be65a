package freeze

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// readAgain is how soon Freezes that could not be read are read again.
const readAgain = 15 * time.Second

// InEffect reads all Freezes and gives their effect on an object of the namespace whose Cluster has these labels. It has no
// error: Freezes that cannot be read hold everything disruptive back, and the message says so. Before anything destructive
// hand in a reader past the cache, so that a Freeze made a moment ago counts.
func InEffect(ctx context.Context, reader client.Reader, namespace string, clusterLabels map[string]string, managerNamespace string, now time.Time) Effect {
	var list fleetwrightv1.FreezeList
	if err := reader.List(ctx, &list); err != nil {
		return Effect{
			Mode:       fleetwrightv1.ReconcileModeNonDisruptive,
			Message:    fmt.Sprintf("Freezes cannot be read, so nothing disruptive is done: %v", err),
			CheckAgain: now.Add(readAgain),
		}
	}
	return Strictest(list.Items, Target{Namespace: namespace, ClusterLabels: clusterLabels}, managerNamespace, now)
}
