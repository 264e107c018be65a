// Package hold says who asks that less be done for an object, and how much less: the object itself, the pause of its Cluster, or a
// Freeze. It is a function of values.
package hold

import (
	"fmt"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
)

// Hold is what is asked for. The zero Hold asks for nothing.
type Hold struct {
	// Reason is one of condition Paused; empty when nobody asks for anything.
	Reason string
	// Message says who asks, and of a Freeze which one and why.
	Message string
	// NonDisruptive is true when only what is disruptive must wait; otherwise everything must.
	NonDisruptive bool
}

// Everything is true when nothing may be written but status.
func (h Hold) Everything() bool { return h.Reason != "" && !h.NonDisruptive }

// Disruption is true when nothing may be taken away.
func (h Hold) Disruption() bool { return h.Reason != "" }

// Asking is the object about which it is asked.
type Asking struct {
	// Kind is how the object is called in messages.
	Kind        string
	Annotations map[string]string
	// Mode is its spec.reconcile.
	Mode fleetwrightv1.ReconcileMode
}

// Of is the most restrictive of all who ask to do less for an object of a Cluster.
func Of(a Asking, cluster capi.Cluster, frozen freeze.Effect) Hold {
	_, annotated := a.Annotations[capi.PausedAnnotation]
	switch {
	case cluster.Paused:
		return Hold{Reason: fleetwrightv1.ReasonClusterPaused, Message: fmt.Sprintf("Cluster %s is paused", cluster.Name)}
	case annotated:
		return Hold{Reason: fleetwrightv1.ReasonPaused, Message: fmt.Sprintf("annotation %s is set on the %s", capi.PausedAnnotation, a.Kind)}
	case a.Mode == fleetwrightv1.ReconcileModePaused:
		return Hold{Reason: fleetwrightv1.ReasonPaused, Message: fmt.Sprintf("the %s says reconcile: Paused", a.Kind)}
	case frozen.Mode != "":
		return Hold{Reason: fleetwrightv1.ReasonFrozen, Message: frozen.Message, NonDisruptive: frozen.Mode == fleetwrightv1.ReconcileModeNonDisruptive}
	case a.Mode == fleetwrightv1.ReconcileModeNonDisruptive:
		return Hold{Reason: fleetwrightv1.ReasonNonDisruptive, Message: fmt.Sprintf("the %s says reconcile: NonDisruptive", a.Kind), NonDisruptive: true}
	}
	return Hold{}
}
