package clusterautoscaler

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// obstacleOf says what a refusal of Azure, of CAPZ's admission or of another field manager means; false for an error that is simply tried
// again.
func obstacleOf(err error) (obstacle, bool) {
	if contended, is := errors.AsType[*capi.Contended](err); is {
		return obstacle{stuck, fleetwrightv1.ReasonContendedByAnotherManager, contended.Error(), personPause}, true
	}
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
		// What the definition or a webhook of CAPZ refuses; a newer CAPZ may take it.
		return obstacle{stuck, fleetwrightv1.ReasonAzureRefused, err.Error(), personPause}, true
	}
	refused, ok := refusal.Of(err)
	if !ok {
		return obstacle{}, false
	}
	switch refused.Kind {
	case refusal.Denied:
		return obstacle{stuck, fleetwrightv1.ReasonPermissionDenied, refused.Error(), personPause}, true
	case refusal.Gone:
		return obstacle{waiting, fleetwrightv1.ReasonWaitingForCluster, refused.Error(), personPause}, true
	case refusal.Busy:
		return obstacle{waiting, fleetwrightv1.ReasonWaitingForSlot, refused.Error(), max(refused.RetryAfter, slotPause)}, true
	case refusal.Passing:
		if refused.RetryAfter > 0 {
			return obstacle{waiting, fleetwrightv1.ReasonNotReadable, refused.Error(), refused.RetryAfter}, true
		}
		return obstacle{}, false
	default:
		return obstacle{stuck, fleetwrightv1.ReasonAzureRefused, refused.Error(), personPause}, true
	}
}
