package workloadcluster

import (
	"fmt"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// obstructed is the first reason for which nothing is written, in the order in which people should hear of them; nil when there is none.
func obstructed(w world, in *intention) *obstacle {
	for _, ask := range []func(world, *intention) *obstacle{unclear, unwelcome, otherSubscription, foreign, impossible, otherwise, unclaimed, late, cramped} {
		if o := ask(w, in); o != nil {
			return o
		}
	}
	return nil
}

// blocked is in the way until a person acts.
func blocked(reason, format string, args ...any) *obstacle {
	return &obstacle{reason: reason, message: fmt.Sprintf(format, args...), stalled: true}
}

// unclear is in the way when it cannot be told, or cannot be, what the spec asks for.
func unclear(w world, _ *intention) *obstacle {
	switch {
	case w.class.key != "" && !w.class.found:
		return blocked(fleetwrightv1.ReasonClassNotFound, "WorkloadClusterClass %s does not exist: make it, or correct spec.classRef", w.class.key)
	case w.class.key != "" && !w.class.allowed:
		return blocked(fleetwrightv1.ReasonClassNotAllowed, "WorkloadClusterClass %s does not let namespace %s use it: its spec.allowedNamespaces has to select that namespace",
			w.class.key, w.object.Namespace)
	case w.unmerged != "":
		return blocked(fleetwrightv1.ReasonInvalidSpec, "class and spec cannot be put together: %s", w.unmerged)
	case len(w.problems) > 0:
		var all []string
		for _, p := range w.problems {
			all = append(all, p.Message)
		}
		return blocked(w.problems[0].Reason, "%s", strings.Join(all, "; "))
	case w.windowless != "":
		return blocked(fleetwrightv1.ReasonInvalidSpec, "maintenance: %s", w.windowless)
	}
	return nil
}

// unwelcome is in the way of a cluster that may not be here, or not twice.
func unwelcome(w world, _ *intention) *obstacle {
	switch {
	case w.tenant != "" && w.tenant != w.effective.Spec.Tenancy.Tenant:
		return blocked(fleetwrightv1.ReasonTenantNotAllowed, "namespace %s belongs to tenant %s: set tenancy to Single with that tenant, or make the cluster in another namespace",
			w.object.Namespace, w.tenant)
	case w.rival != "":
		return blocked(fleetwrightv1.ReasonClusterNameTaken, "%s is the same cluster in Azure, and comes first: give this one another name, resource group or subscription", w.rival)
	}
	return nil
}

// impossible is in the way when what the objects would be cannot be said, and while the Cluster goes.
func impossible(w world, in *intention) *obstacle {
	switch {
	case in.broken != "":
		return blocked(fleetwrightv1.ReasonInvalidSpec, "%s", in.broken)
	case in.versions.Stuck && in.versions.ControlPlane == "":
		return blocked(in.versions.Reason, "%s", in.versions.Message) // nothing is there yet, and nothing can be made with such versions
	case w.state.Found && w.state.Deleting:
		return &obstacle{reason: fleetwrightv1.ReasonRemoving, message: fmt.Sprintf("somebody has deleted Cluster %s: it is made anew when it is gone", w.name())}
	}
	return nil
}

// otherSubscription is in the way when the cluster is, or would be, in another subscription than the spec says.
func otherSubscription(w world, _ *intention) *obstacle {
	said := w.effective.Spec.Azure.SubscriptionID
	for _, is := range []struct{ id, whose string }{
		{w.state.SubscriptionID, "the cluster is"}, {w.credential, "the credential of Azure Service Operator is"},
	} {
		if said != "" && is.id != "" && !strings.EqualFold(is.id, said) {
			return blocked(fleetwrightv1.ReasonInvalidSpec, "azure.subscriptionID is %s, and %s of subscription %s: correct azure.credentialSecret or azure.subscriptionID", said, is.whose, is.id)
		}
	}
	return nil
}

// foreign is in the way of a Cluster that is not ours and is not to be, or not yet, or cannot be.
func foreign(w world, in *intention) *obstacle {
	there := w.state.Found && !w.state.Ours
	switch policy := w.adopts(); {
	case policy == fleetwrightv1.AdoptionPolicyReport:
		c := adopted(w, in)
		return &obstacle{reason: c.Reason, message: "adoption.policy is Report, and nothing is written: " + c.Message, stalled: c.Reason == fleetwrightv1.ReasonUnsupportedCluster}
	case there && policy == "":
		return blocked(fleetwrightv1.ReasonClusterNameTaken,
			"Cluster %s exists and was not made of this WorkloadCluster: take another name, or set adoption.policy to Report to see what taking it over would change", w.name())
	case w.state.Found && unsupported(w) != "":
		return blocked(fleetwrightv1.ReasonUnsupportedCluster, "%s", unsupported(w))
	}
	return nil
}
