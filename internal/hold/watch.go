package hold

import (
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/fleetwright/fleetwright/internal/capi"
)

// PauseChanged passes the updates of an object that set the one annotation people write, or take it off.
var PauseChanged = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	UpdateFunc:  func(e event.UpdateEvent) bool { return annotated(e.ObjectOld) != annotated(e.ObjectNew) },
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
}

func annotated(o client.Object) bool {
	_, is := o.GetAnnotations()[capi.PausedAnnotation]
	return is
}
