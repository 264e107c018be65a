package workloadcluster

import (
	"cmp"
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

// otherwise is in the way when the cluster would be otherwise than it was made, which Azure does not change under a cluster.
func otherwise(w world, _ *intention) *obstacle {
	if fixed := w.state.Fixed; len(fixed) > 0 {
		return blocked(fleetwrightv1.ReasonInvalidSpec,
			"a cluster stays as it was made, and this would change %s: put it back in the spec or the class, or make another WorkloadCluster", fixed[0])
	}
	return nil
}

// unclaimed is in the way when ranges are asked for otherwise than the claim was made, which is not made twice.
func unclaimed(w world, in *intention) *obstacle {
	if w.claim == nil || !w.claim.ours && !takesOver(w, w.claim) {
		return nil
	}
	claimed := map[string]string{}
	for _, r := range w.claim.object.(*fleetwrightv1.AddressClaim).Spec.Ranges {
		claimed[r.Name] = r.CIDR
	}
	for _, r := range in.bound {
		claimed[r.Name] = r.CIDR
	}
	for _, r := range w.effective.Spec.Network.Addresses {
		switch has, is := claimed[string(r.Name)]; {
		case !is:
			return blocked(fleetwrightv1.ReasonInvalidSpec, "network.addresses[%s] asks for a range, and %s was made without it: take it out of the spec or the class, or make another WorkloadCluster",
				r.Name, w.claim.target)
		case r.CIDR != "" && has != "" && r.CIDR != has:
			return blocked(fleetwrightv1.ReasonInvalidSpec, "network.addresses[%s].cidr is %s, and %s has %s: put it back in the spec or the class, or make another WorkloadCluster",
				r.Name, r.CIDR, w.claim.target, has)
		}
	}
	return nil
}

// late is in the way when a cluster that never asked for ranges is to have some: they would be taken for nothing. If it has lost its claim, it tells of
// them. One that was adopted may not tell of what it has.
func late(w world, _ *intention) *obstacle {
	if !w.state.Found || w.claim != nil {
		return nil
	}
	spec := w.effective.Spec
	for _, r := range spec.Network.Addresses {
		has := w.state.Services
		switch {
		case r.Name == fleetwrightv1.ClusterRangePods && spec.Network.Mode == fleetwrightv1.NetworkModeOverlay:
			has = w.state.Pods
		case r.Name != fleetwrightv1.ClusterRangeServices:
			continue
		}
		switch {
		case has == "" && w.adopts() == "":
			return blocked(fleetwrightv1.ReasonInvalidSpec, "network.addresses[%s] asks for a range, and the cluster was made without it: take it out of the spec or the class, or make another WorkloadCluster", r.Name)
		case has != "" && r.CIDR != "" && r.CIDR != has:
			return blocked(fleetwrightv1.ReasonInvalidSpec, "network.addresses[%s].cidr is %s, and the cluster was made with %s: put it back in the spec or the class, or make another WorkloadCluster",
				r.Name, r.CIDR, has)
		}
	}
	return nil
}

// cramped is in the way when the cluster would need other addresses than it was made with, or more.
func cramped(w world, in *intention) *obstacle {
	if w.state.Found && w.state.VNet == "" && in.claim != nil && asks(in.claim, fleetwrightv1.ClusterRangeVNet) {
		// Its pools would move to the new network, which AKS does not do.
		return blocked(fleetwrightv1.ReasonInvalidSpec,
			"the cluster was made without a network of its own, and none can be given to it: take network.addresses[vnet] out of the spec or the class, or make another WorkloadCluster")
	}
	for _, bound := range in.bound {
		if bound.Name == string(fleetwrightv1.ClusterRangeVNet) && w.state.VNet != "" && w.state.VNet != bound.CIDR {
			return blocked(fleetwrightv1.ReasonInvalidSpec,
				"a cluster keeps the network that it was made with, %s, and AddressClaim %s has %s: import what it was made with as an AddressAllocation and make the claim anew", w.state.VNet, w.name(), bound.CIDR)
		}
	}
	for _, change := range w.state.Changes {
		if w.state.Found && change.From != change.To && strings.Contains(change.Field, "ddressPrefix") {
			return blocked(fleetwrightv1.ReasonInvalidSpec, "a cluster keeps the network that it was made with, and this would change %s: put spec.network.addresses, or the range of the AddressClaim, back", change)
		}
	}
	for _, r := range w.ranges(in) {
		if !w.holds(r) {
			return blocked(fleetwrightv1.ReasonInvalidSpec, "limits.maxNodes is %d and the cluster's range of %s, %s, does not hold as many: lower it, or make another WorkloadCluster",
				w.effective.Spec.Limits.MaxNodes, r.Name, r.CIDR)
		}
	}
	return nil
}

// ranges are the cluster's; those that it asks for while it has none; and of one that never asked, what its pods were given.
func (w world) ranges(in *intention) []fleetwrightv1.BoundRange {
	if len(in.bound) > 0 {
		return in.bound
	}
	var out []fleetwrightv1.BoundRange
	if in.claim != nil {
		asked, _ := in.claim.spec["ranges"].([]any)
		for _, each := range asked {
			r, _ := each.(map[string]any)
			name, _ := r["name"].(string)
			if text, _ := r["cidr"].(string); text != "" {
				out = append(out, fleetwrightv1.BoundRange{Name: name, CIDR: text})
			}
		}
		return out
	}
	if w.state.Found && w.state.Pods != "" {
		out = append(out, fleetwrightv1.BoundRange{Name: string(fleetwrightv1.ClusterRangePods), CIDR: w.state.Pods})
	}
	return out
}

// holds is true for a range that is large enough for limits.maxNodes. A cluster that was made with fewer pods than its nodes could have, as AKS does by
// itself, is left alone until somebody raises the limit.
func (w world) holds(r fleetwrightv1.BoundRange) bool {
	spec, name := w.effective.Spec, fleetwrightv1.ClusterRangeName(r.Name)
	if name == fleetwrightv1.ClusterRangePods && w.state.Found && spec.Limits.MaxNodes <= cmp.Or(w.state.NodeCap, capOfAll) {
		return true
	}
	return render.Holds(spec, name, r.CIDR)
}

// stalls says what would be in the way of a cluster that is taken over, to be followed by what would be changed; empty for nothing.
func stalls(w world, in *intention) string {
	for _, ask := range []func(world, *intention) *obstacle{impossible, unclaimed, late, cramped} {
		if o := ask(w, in); o != nil {
			return "taken over, it would be stalled: " + o.message + "; besides, "
		}
	}
	return ""
}

// capOfAll is how many nodes a cluster may have that does not say.
const capOfAll = 950

// asks is true when a claim asks for a range of that name.
func asks(claim *wanted, name fleetwrightv1.ClusterRangeName) bool {
	ranges, _ := claim.spec["ranges"].([]any)
	return slices.ContainsFunc(ranges, func(r any) bool {
		asked, is := r.(map[string]any)
		return is && asked["name"] == string(name)
	})
}
