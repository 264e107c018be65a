package drain

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// tell reports the plan of all parts if it changed, and returns when it should be called again because the last report
// is too young.
func (r *run) tell(seen sight, now time.Time) time.Duration {
	left := 0
	for _, p := range r.parts {
		left += p.plan.Remaining
	}
	wait := r.session.options.ReportEvery - now.Sub(r.toldAt)
	if left > 0 && wait > 0 {
		return wait
	}
	plan := r.merge(seen)
	if plan.Empty && (seen.flying > 0 || seen.trouble != nil || seen.deferred) {
		// An answer is due, or what looks empty is an old picture, or something moved that was not looked at yet.
		plan.Empty, plan.CheckAgain = false, r.policy.LookAgain
		plan.Summary = "the nodes look empty, which is not certain yet"
	}
	if !reflect.DeepEqual(plan, r.told) {
		r.told, r.toldAt = plan, now
		r.report(plan)
	}
	return r.session.options.ReportEvery
}

// merge is the plan for all groups.
func (r *run) merge(seen sight) Plan {
	plan := Plan{Nodes: make([]NodeProgress, 0, len(r.watched))}
	at := make(map[string]int, len(r.watched))
	for _, name := range slices.Sorted(maps.Keys(r.watched)) {
		n := r.watched[name]
		at[n.Name] = len(plan.Nodes)
		plan.Nodes = append(plan.Nodes, NodeProgress{Name: n.Name, Cordoned: n.Unschedulable || n.Gone, Quarantined: n.Quarantined})
		if !plan.Nodes[at[n.Name]].Cordoned {
			plan.Blockers = append(plan.Blockers, notCordoned(n.Name, r.policy))
		}
	}
	for _, p := range r.parts {
		plan.Evict = append(plan.Evict, p.plan.Evict...)
		plan.Consented = append(plan.Consented, p.plan.Consented...)
		plan.Remaining += p.plan.Remaining
		plan.Leaving += p.plan.Leaving
		plan.Blockers = append(plan.Blockers, slices.DeleteFunc(slices.Clone(p.plan.Blockers), func(b Blocker) bool {
			return b.Reason == ReasonNotCordoned
		})...)
		for _, n := range p.plan.Nodes {
			plan.Nodes[at[n.Name]].Remaining += n.Remaining
			plan.Nodes[at[n.Name]].Leaving += n.Leaving
		}
		if again := p.plan.CheckAgain; again > 0 && (plan.CheckAgain == 0 || again < plan.CheckAgain) {
			plan.CheckAgain = again
		}
	}
	plan.Blockers = unite(plan.Blockers)
	if seen.trouble != nil {
		plan.Blockers = append(plan.Blockers, Blocker{Reason: ReasonUnreachable, Message: seen.trouble.Error()})
	}
	for i := range plan.Nodes {
		plan.Nodes[i].Empty = plan.Nodes[i].Cordoned && plan.Nodes[i].Remaining == 0
	}
	slices.SortFunc(plan.Evict, compareEvictions)
	sortBlockers(plan.Blockers)
	slices.SortFunc(plan.Consented, func(a, b types.NamespacedName) int { return compareKeys(a, "", b, "") })
	plan.Empty = len(plan.Nodes) > 0 && plan.NodesEmpty() == len(plan.Nodes)
	plan.Summary = summary(plan, "to evict now", len(plan.Evict))
	r.left = make(map[string]int, len(plan.Nodes))
	for _, n := range plan.Nodes {
		r.left[n.Name] = n.Remaining
	}
	if plan.Empty {
		plan.CheckAgain = 0
	}
	return plan
}

// unite makes one row of what waits for the API server in many groups: it is the same for all.
func unite(blockers []Blocker) []Blocker {
	rows := map[string]int{}
	var united []Blocker
	for _, b := range blockers {
		key := b.Rule + "\x00" + b.Message
		i, found := rows[key]
		switch {
		case b.Reason != ReasonUnreachable:
			united = append(united, b)
		case !found:
			rows[key] = len(united)
			united = append(united, b)
		default:
			first, other := united[i], b
			if compareKeys(other.Pod, other.UID, first.Pod, first.UID) < 0 {
				first, other = other, first
			}
			first.Pods += other.Pods
			first.Nodes = slices.Compact(slices.Sorted(slices.Values(slices.Concat(first.Nodes, other.Nodes))))
			if compareSince(other.Since, first.Since) < 0 {
				first.Since = other.Since
			}
			united[i] = first
		}
	}
	return united
}
