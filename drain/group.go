package drain

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// team are the pods of one controller, or one pod that has none.
type team struct {
	pods  []*kept
	group *group
}

// group are teams that budgets tie together. A decision about a pod depends on nothing outside its group, so that groups are
// decided about one by one: a dozen pods and not the thousands of a namespace. Groups only grow together: a budget that is
// gone, or selects others now, leaves them as they are until their pods are gone.
type group struct {
	room    *room
	teams   map[types.UID]*team
	budgets map[string]bool
	// into is the group that this one became a part of.
	into *group
}

// latest is the group that this one is a part of by now.
func (g *group) latest() *group {
	for g.into != nil {
		g = g.into
	}
	return g
}

// enroll puts a pod into its team, and ties the team to the budgets that cover the pod.
func (r *room) enroll(p *kept) *group {
	key := p.team()
	t := r.teams[key]
	if t == nil {
		t = &team{group: &group{room: r, teams: map[types.UID]*team{}, budgets: map[string]bool{}}}
		t.group.teams[key], r.teams[key] = t, t
	}
	t.pods = append(t.pods, p)
	r.bind(t, p)
	return t.group
}

// bind ties the team to the budgets that cover one of its pods.
func (r *room) bind(t *team, p *kept) {
	for _, b := range r.budgets {
		if b.selects(p.namespace, p.labels.set) {
			r.tie(t, b)
		}
	}
}

// dismiss takes a pod out of its team.
func (r *room) dismiss(p *kept) *group {
	key := p.team()
	t := r.teams[key]
	t.pods = slices.DeleteFunc(t.pods, func(other *kept) bool { return other == p })
	if len(t.pods) > 0 {
		return t.group
	}
	delete(r.teams, key)
	delete(t.group.teams, key)
	if len(t.group.teams) == 0 {
		for name := range t.group.budgets {
			if b := r.budgets[name]; b != nil && b.group == t.group {
				b.group = nil
			}
		}
	}
	return t.group
}

// cover ties the teams together that a budget covers.
func (r *room) cover(b *mirrored) {
	for _, t := range r.teams {
		if slices.ContainsFunc(t.pods, func(p *kept) bool { return b.selects(p.namespace, p.labels.set) }) {
			r.tie(t, b)
		}
	}
}

// tie makes the team and whatever else the budget covers one group.
func (r *room) tie(t *team, b *mirrored) {
	to, from := t.group, b.group
	if from == nil || from == to {
		to.budgets[b.Name], b.group = true, to
		return
	}
	if len(from.teams) > len(to.teams) {
		to, from = from, to
	}
	for key, other := range from.teams {
		to.teams[key], other.group = other, to
	}
	for name := range from.budgets {
		to.budgets[name] = true
		if moved := r.budgets[name]; moved != nil && moved.group == from {
			moved.group = to
		}
	}
	to.budgets[b.Name], b.group = true, to
	from.into, from.teams, from.budgets = to, nil, nil
}
