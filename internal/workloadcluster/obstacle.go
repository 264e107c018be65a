package workloadcluster

import (
	"fmt"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

// obstructed is the first reason for which nothing is written, in the order in which people should hear of them; nil when there is none.
func obstructed(w world, in *intention) *obstacle {
	stuck := func(reason, format string, args ...any) *obstacle {
		return &obstacle{reason: reason, message: fmt.Sprintf(format, args...), stalled: true}
	}
	switch {
	case w.class.key != "" && !w.class.found:
		return stuck(fleetwrightv1.ReasonClassNotFound, "WorkloadClusterClass %s does not exist: make it, or correct spec.classRef", w.class.key)
	case w.class.key != "" && !w.class.allowed:
		return stuck(fleetwrightv1.ReasonClassNotAllowed, "WorkloadClusterClass %s does not let namespace %s use it: its spec.allowedNamespaces has to select that namespace",
			w.class.key, w.object.Namespace)
	case w.unmerged != "":
		return stuck(fleetwrightv1.ReasonInvalidSpec, "class and spec cannot be put together: %s", w.unmerged)
	case len(w.problems) > 0:
		var all []string
		for _, p := range w.problems {
			all = append(all, p.Message)
		}
		return stuck(w.problems[0].Reason, "%s", strings.Join(all, "; "))
	case w.windowless != "":
		return stuck(fleetwrightv1.ReasonInvalidSpec, "maintenance: %s", w.windowless)
	case w.tenant != "" && w.tenant != w.effective.Spec.Tenancy.Tenant:
		return stuck(fleetwrightv1.ReasonTenantNotAllowed, "namespace %s belongs to tenant %s: set tenancy to Single with that tenant, or make the cluster in another namespace",
			w.object.Namespace, w.tenant)
	case w.rival != "":
		return stuck(fleetwrightv1.ReasonClusterNameTaken, "WorkloadCluster %s/%s is the same cluster in Azure and is older: give this one another name, resource group or subscription",
			w.rival, w.name())
	}
	if o := otherSubscription(w); o != nil {
		return o
	}
	if o := foreign(w, in); o != nil {
		return o
	}
	switch {
	case in.broken != "":
		return stuck(fleetwrightv1.ReasonInvalidSpec, "%s", in.broken)
	case in.versions.Stuck && in.versions.ControlPlane == "":
		return stuck(in.versions.Reason, "%s", in.versions.Message) // nothing is there yet, and nothing can be made with such versions
	case w.state.Found && w.state.Deleting:
		return &obstacle{reason: fleetwrightv1.ReasonRemoving, message: fmt.Sprintf("somebody has deleted Cluster %s: it is made anew when it is gone", w.name())}
	}
	return cramped(w, in)
}

// otherSubscription is in the way when the cluster is, or would be, in another subscription than the spec says.
func otherSubscription(w world) *obstacle {
	said := w.effective.Spec.Azure.SubscriptionID
	for _, is := range []struct{ id, whose string }{
		{w.state.SubscriptionID, "the cluster is"}, {w.credential, "the credential of Azure Service Operator is"},
	} {
		if said != "" && is.id != "" && !strings.EqualFold(is.id, said) {
			return &obstacle{
				reason: fleetwrightv1.ReasonInvalidSpec, stalled: true,
				message: fmt.Sprintf("azure.subscriptionID is %s, and %s of subscription %s: correct azure.credentialSecret or azure.subscriptionID", said, is.whose, is.id),
			}
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
		return &obstacle{
			reason: fleetwrightv1.ReasonClusterNameTaken, stalled: true,
			message: fmt.Sprintf("Cluster %s exists and was not made of this WorkloadCluster: take another name, or set adoption.policy to Report to see what taking it over would change", w.name()),
		}
	case w.state.Found && unsupported(w) != "":
		return &obstacle{reason: fleetwrightv1.ReasonUnsupportedCluster, stalled: true, message: unsupported(w)}
	}
	return nil
}

// cramped is in the way when the cluster would need other addresses than it was made with, which Azure does not change under a cluster.
func cramped(w world, in *intention) *obstacle {
	stuck := func(format string, args ...any) *obstacle {
		return &obstacle{reason: fleetwrightv1.ReasonInvalidSpec, stalled: true, message: fmt.Sprintf(format, args...)}
	}
	for _, change := range w.state.Changes {
		if w.state.Found && change.From != change.To && strings.Contains(change.Field, "ddressPrefix") {
			return stuck("a cluster keeps the network that it was made with, and this would change %s: put spec.network.addresses, or the range of the AddressClaim, back", change)
		}
	}
	for _, bound := range in.bound {
		if bound.Name != string(fleetwrightv1.ClusterRangeNodes) {
			continue
		}
		has, err := cidr.Parse(bound.CIDR)
		if err != nil || !has.Addr().Is4() {
			return nil
		}
		spec := w.effective.Spec
		needs, err := cidr.Length(cidr.Sizing{Mode: string(spec.Network.Mode), MaxNodes: int(spec.Limits.MaxNodes), MaxPods: podsPerNode(spec.Nodepools)})
		if err == nil && needs < has.Bits() {
			return stuck("limits.maxNodes is %d and the cluster's range of nodes, %s, does not hold as many: lower it, or make another WorkloadCluster", spec.Limits.MaxNodes, bound.CIDR)
		}
	}
	return nil
}

// podsPerNode is the least that every pool needs for sure. AKS takes 30 for a pool that does not say.
func podsPerNode(pools []fleetwrightv1.WorkloadClusterNodepool) int {
	const byDefault = 30
	least := 0
	for i := range pools {
		pods := int(pools[i].Spec.MaxPods)
		if pods == 0 {
			pods = byDefault
		}
		if least == 0 || pods < least {
			least = pods
		}
	}
	return max(least, 1)
}
