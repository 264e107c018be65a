package nodepool

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Invariants are held where they could be broken: that no machine goes with pods
// on it (I3) where machines vanish, one operation at a time (I12) where Azure is
// asked, the number of pools (I10) at each step, that pods leave through the
// eviction API only where the workload cluster is written, and one pool as the
// spec says (I14) at the end.

// checkSize: a pool is asked for fewer nodes than it has only when those it has
// are closed and empty.
func (a *azure) checkSize(object string, want int) {
	a.t.Helper()
	p := a.agentPools[object]
	if p == nil || want >= len(p.nodes) {
		return
	}
	for _, name := range p.nodes {
		var n corev1.Node
		if err := server.Get(a.t.Context(), client.ObjectKey{Name: name}, &n); err != nil {
			a.t.Error(err)
			return
		}
		if !n.Spec.Unschedulable || len(a.podsOn(name)) > 0 {
			a.t.Errorf("I3: pool %s with %d nodes is asked for %d while node %s is open or has pods", p.name, len(p.nodes), want, name)
			return
		}
	}
}

// uids are those of all nodes, pods and pools, to find out whether any was
// touched.
func (a *azure) uids() (out []string) {
	a.t.Helper()
	for _, n := range a.nodes() {
		out = append(out, "node "+string(n.UID))
	}
	for _, p := range a.podsOn("") {
		out = append(out, "pod "+string(p.UID))
	}
	for _, p := range a.pools() {
		out = append(out, "pool "+string(p.UID), "infrastructure "+string(p.InfraUID))
	}
	slices.Sort(out)
	return out
}
