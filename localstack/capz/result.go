package capz

import (
	"fmt"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	clusterctlv1 "sigs.k8s.io/cluster-api/cmd/clusterctl/api/v1alpha3"

	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// outcome turns the error of one round into what controller-runtime does next, as reconcileNormal and reconcileDelete do
// in CAPZ: wait while an operation runs, come again after a refusal, give up on a terminal one until something changes,
// and back off for everything else.
func outcome(log logr.Logger, doing string, err error) (ctrl.Result, error) {
	if err == nil {
		return ctrl.Result{}, nil
	}
	failure := resource.As(err)
	switch {
	case failure == nil:
		return ctrl.Result{}, fmt.Errorf("%s: %w", doing, err)
	case failure.Outcome == resource.Terminal:
		log.Error(err, "Giving up until the object changes", "doing", doing)
		return ctrl.Result{}, nil
	default:
		log.V(4).Info("Waiting", "doing", doing, "reason", err.Error())
		return ctrl.Result{RequeueAfter: failure.After}, nil
	}
}

// blockMove keeps clusterctl from moving an object that is not paused, see AddBlockMoveAnnotation in controllers/helpers.go.
// It says whether it changed the object.
func blockMove(object metav1.Object) bool {
	annotations := object.GetAnnotations()
	if _, found := annotations[clusterctlv1.BlockMoveAnnotation]; found {
		return false
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[clusterctlv1.BlockMoveAnnotation] = "true"
	object.SetAnnotations(annotations)
	return true
}

// allowMove undoes blockMove.
func allowMove(object metav1.Object) {
	annotations := object.GetAnnotations()
	delete(annotations, clusterctlv1.BlockMoveAnnotation)
	object.SetAnnotations(annotations)
}
