package nodepool

import (
	"cmp"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/maintenance"
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
func wanted(np *fleetwrightv1.Nodepool, cluster capi.Cluster, frozen freeze.Effect, now time.Time) replacement.Nodepool {
	policy := np.Spec.Replacement
	out := replacement.Nodepool{
		Name: np.Name, BaseName: agentpool.BaseName(np.Name, np.Spec.ClusterName), UID: string(np.UID),
		Deleting: !np.DeletionTimestamp.IsZero(),
		Invalid:  cluster.Unsupported,
		Spec:     wantedSpec(np.Spec),
		MinReady: defaultMinReady, ProvisionTimeout: defaultProvisionTimeout,
		Hold:     hold(np, cluster, frozen),
		Strategy: string(policy.Strategy), MaxSurge: policy.MaxSurge,
		Soak: time.Duration(ptr.Deref(policy.SoakSeconds, 0)) * time.Second, SoakCordoned: policy.SoakMode == fleetwrightv1.SoakModeCordoned,
		DeletionPolicy: string(np.Spec.DeletionPolicy),
		Adopt:          np.Spec.Adoption.Policy == fleetwrightv1.AdoptionPolicyAdopt,
		Generation:     np.Generation, SkipFitCheck: skipsFitCheck(np),
	}
	if policy.MinReadySeconds != nil {
		out.MinReady = time.Duration(*policy.MinReadySeconds) * time.Second
	}
	if policy.ProvisionTimeoutSeconds != 0 {
		out.ProvisionTimeout = time.Duration(policy.ProvisionTimeoutSeconds) * time.Second
	}
	if np.Spec.RolloutAfter != nil {
		out.RolloutAfter = np.Spec.RolloutAfter.Time
	}
	if out.Spec.Version == "" {
		out.Spec.Version = cluster.Version
	}
	if np.Spec.ProviderOverrides != nil && out.Invalid == "" {
		if _, out.Invalid = agentpool.ParseOverrides(np.Spec.ProviderOverrides.Raw); out.Invalid != "" {
			out.InvalidReason = fleetwrightv1.ReasonOverrideConflict
		}
	}
	if _, err := drainPolicy(np.Spec.Drain, nil, time.Time{}); err != nil {
		out.Invalid = cmp.Or(out.Invalid, err.Error())
	}
	window, err := maintenance.At(np.Spec.Maintenance, now)
	if err != nil {
		out.Invalid = cmp.Or(out.Invalid, err.Error())
	}
	out.Window = replacement.Window{Closed: !window.Open, Opens: window.Next}
	return out
}

// hold is the most restrictive of all who ask to do less.
func hold(np *fleetwrightv1.Nodepool, cluster capi.Cluster, frozen freeze.Effect) replacement.Hold {
	_, annotated := np.Annotations[capi.PausedAnnotation]
	switch own := np.Spec.Reconcile; {
	case cluster.Paused:
		return replacement.Hold{Reason: fleetwrightv1.ReasonClusterPaused, Message: fmt.Sprintf("Cluster %s is paused", cluster.Name)}
	case annotated:
		return replacement.Hold{Reason: fleetwrightv1.ReasonPaused, Message: fmt.Sprintf("annotation %s is set on the Nodepool", capi.PausedAnnotation)}
	case own == fleetwrightv1.ReconcileModePaused:
		return replacement.Hold{Reason: fleetwrightv1.ReasonPaused, Message: "the Nodepool says reconcile: Paused"}
	case frozen.Mode != "":
		return replacement.Hold{Reason: fleetwrightv1.ReasonFrozen, Message: frozen.Message, NonDisruptive: frozen.Mode == fleetwrightv1.ReconcileModeNonDisruptive}
	case own == fleetwrightv1.ReconcileModeNonDisruptive:
		return replacement.Hold{Reason: fleetwrightv1.ReasonNonDisruptive, Message: "the Nodepool says reconcile: NonDisruptive", NonDisruptive: true}
	}
	return replacement.Hold{}
}
