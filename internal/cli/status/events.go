package status

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// maxEvents is how many of the newest events are shown.
const maxEvents = 10

// readEvents are the newest events of a Nodepool, the newest first.
func readEvents(ctx context.Context, c client.Reader, np *fleetwrightv1.Nodepool) ([]corev1.Event, error) {
	var list corev1.EventList
	err := c.List(ctx, &list, client.InNamespace(np.Namespace), client.MatchingFields{"involvedObject.uid": string(np.UID)})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Items, func(a, b corev1.Event) int { return lastSeen(&b).Compare(lastSeen(&a)) })
	return list.Items[:min(maxEvents, len(list.Items))], nil
}

// lastSeen is the newest time an event has; which of them is set depends on who wrote it.
func lastSeen(e *corev1.Event) time.Time {
	seen := e.EventTime.Time
	if e.LastTimestamp.After(seen) {
		seen = e.LastTimestamp.Time
	}
	if e.Series != nil && e.Series.LastObservedTime.After(seen) {
		seen = e.Series.LastObservedTime.Time
	}
	return seen
}
