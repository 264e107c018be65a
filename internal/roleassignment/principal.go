package roleassignment

import (
	"context"
	"fmt"
	"strings"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// early is why it cannot be known yet whose assignment it is, and by which identity to ask Azure; nil when it can.
func early(a *fleetwrightv1.AzureRoleAssignment, cluster capi.Cluster) *obstacle {
	which := a.Spec.Principal.ClusterIdentity
	switch {
	case a.Spec.ClusterName != "" && !cluster.Found:
		// Also for an object id: without the Cluster neither its identity nor its pause is known, and the operator's own may do more.
		return waitsFor("there is no Cluster %s in namespace %s", a.Spec.ClusterName, a.Namespace)
	case which == "":
		return nil
	case cluster.Unsupported != "":
		return &obstacle{stuck, fleetwrightv1.ReasonInvalidSpec, cluster.Unsupported + "; give principal.objectID instead", personPause}
	case of(told(cluster), which) == "" && (cluster.ManagedClusterID() == "" || !cluster.Provisioned):
		return waitsFor("Cluster %s is not up yet, so its %s identity is not known", cluster.Name, which)
	}
	return nil
}

// principalOf is the object id of who gets the role, or what it waits for. The objects of flavour AzureASOManaged tell a cluster's
// identities; those of AzureManaged do not, so Azure is asked. What it has answered before counts for a week, but not for a Cluster that is
// younger, nor while Entra ID does not know the principal.
func principalOf(ctx context.Context, azure roles.Azure, a *fleetwrightv1.AzureRoleAssignment, cluster capi.Cluster, now time.Time) (string, *obstacle, error) {
	if id := a.Spec.Principal.ObjectID; id != "" {
		return strings.ToLower(id), nil, nil
	}
	which, identities := a.Spec.Principal.ClusterIdentity, told(cluster)
	if of(identities, which) == "" {
		since := cluster.CreatedAt
		if reported(a.Status.Conditions, fleetwrightv1.ReasonPrincipalNotFound) {
			since = now
		}
		var err error
		if identities, err = azure.IdentitiesOf(ctx, cluster.ManagedClusterID(), since); refusal.Is(err, refusal.Gone) {
			return "", waitsFor("Azure has no cluster %s", cluster.ManagedClusterID()), nil
		} else if err != nil {
			return "", nil, err
		}
	}
	if principal := of(identities, which); principal != "" {
		return strings.ToLower(principal), nil, nil
	}
	return "", waitsFor("Cluster %s does not report its %s identity", cluster.Name, which), nil
}

func waitsFor(format string, args ...any) *obstacle {
	return &obstacle{waiting, fleetwrightv1.ReasonWaitingForIdentity, fmt.Sprintf(format, args...), identityPause}
}

// told are the identities that the cluster's objects name.
func told(c capi.Cluster) roles.Identities {
	return roles.Identities{Kubelet: c.KubeletIdentity, ControlPlane: c.ControlPlaneIdentity}
}

func of(i roles.Identities, which fleetwrightv1.ClusterIdentity) string {
	if which == fleetwrightv1.ClusterIdentityControlPlane {
		return i.ControlPlane
	}
	return i.Kubelet
}
