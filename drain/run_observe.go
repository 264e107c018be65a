package drain

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// sight is what one look of a run sees.
type sight struct {
	// moved are the groups to decide about now.
	moved []*group
	// trouble is why the mirror is not kept up.
	trouble error
	// flying counts the run's evictions that wait for their answer.
	flying int
	// next is when a group that moved may be decided about; deferred says that there is one which was not yet.
	next     time.Duration
	deferred bool
}

// everything stands for all groups, where their pods are tied together by an order.
var everything = &group{}

// note marks what moved, if it may matter to the run. The session's lock is held.
func (r *run) note(g *group, nodes []string) {
	mine := len(nodes) == 0
	for _, name := range nodes {
		_, found := r.on[name]
		mine = mine || found
	}
	switch {
	case g == nil && mine:
		r.all = true
	case g == nil:
		return
	case r.whole:
		r.moved[everything] = true
	case r.parts[g] != nil || mine && len(nodes) > 0:
		r.moved[g] = true
	default:
		return
	}
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// observe says what is to be decided about now.
func (r *run) observe(now time.Time) (sight, error) {
	s := r.session
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear(now)
	seen := sight{flying: r.flying, next: time.Hour}
	for _, f := range r.follows {
		if f.trouble != nil {
			seen.trouble = f.trouble
		}
	}
	if r.all {
		if err := r.watch(s.mirror); err != nil {
			return sight{}, err
		}
	}
	r.mark(s.mirror, now)
	for g := range r.moved {
		if g.into != nil {
			delete(r.moved, g)
			delete(r.parts, g)
			continue
		}
		if p := r.parts[g]; p != nil && now.Before(p.notBefore) {
			seen.next, seen.deferred = min(seen.next, p.notBefore.Sub(now)), true
			continue
		}
		if r.unnamed(g) {
			seen.next, seen.deferred = min(seen.next, r.policy.LookAgain), true
			continue
		}
		seen.moved = append(seen.moved, g)
	}
	return seen, nil
}

// unnamed says that a pod on the nodes was seen before its namespace, by whose labels a rule may select it: it is not decided
// about before.
func (r *run) unnamed(g *group) bool {
	return r.policy.selectsNamespaces() && slices.ContainsFunc(r.groups(g), func(g *group) bool { return !g.room.named && r.concerns(g) })
}

// groups are the group itself, or all there are.
func (r *run) groups(g *group) []*group {
	if g != everything {
		return []*group{g}
	}
	all := map[*group]bool{}
	for _, room := range r.session.rooms {
		for _, t := range room.teams {
			all[t.group] = true
		}
	}
	return slices.Collect(maps.Keys(all))
}

// concerns says that a pod of the group is on one of the nodes.
func (r *run) concerns(g *group) bool {
	for _, t := range g.teams {
		if slices.ContainsFunc(t.pods, r.holds) {
			return true
		}
	}
	return false
}

// mark adds to what moved: everything, if that may be, and what is due.
func (r *run) mark(m *mirror, now time.Time) {
	for g, p := range r.parts {
		if r.all || !now.Before(p.due) {
			r.moved[g] = true
		}
	}
	if !r.all {
		return
	}
	r.all = false
	first := r.left == nil // later reports know it better
	if first {
		r.left = map[string]int{}
	}
	for _, room := range m.rooms {
		for _, t := range room.teams {
			for _, p := range t.pods {
				if !r.holds(p) {
					continue
				}
				if first {
					r.left[p.node]++
				}
				if !r.whole {
					r.moved[t.group] = true
				}
			}
		}
	}
	if r.whole {
		r.moved[everything] = true
	}
}

// watch looks at the nodes to empty, as the mirror has them.
func (r *run) watch(m *mirror) error {
	r.watched, r.open = make(map[string]Node, len(r.nodes)), nil
	for _, ref := range r.nodes {
		node, found := m.nodes[ref.Name]
		if !found {
			node = Node{Name: ref.Name, UID: ref.UID, Gone: true}
		}
		if ref.UID != "" && ref.UID != node.UID {
			return fmt.Errorf("node %s has uid %s, not %s: %w", ref.Name, node.UID, ref.UID, ErrNodeReplaced)
		}
		r.watched[ref.Name] = node
		if !node.Unschedulable && !node.Gone {
			r.open = append(r.open, node)
		}
	}
	return nil
}

// snapshot is what Observe would read of a group, with the flights on top, and whether there are any. There is none if no pod
// of it is on the nodes.
func (r *run) snapshot(g *group, now time.Time) (out Snapshot, flying, found bool) {
	s := r.session
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(r.moved, g)
	index := map[types.UID]int{}
	for _, g := range r.groups(g) {
		r.add(&out, g, index)
	}
	if len(out.Pods) == 0 {
		delete(r.parts, g)
		return Snapshot{}, false, false
	}
	out.Refusals = s.refusals
	if g == everything {
		out.Nodes = slices.Collect(maps.Values(r.watched))
	} else {
		// Of nodes without a pod of the group, only those that are still open matter.
		out.Nodes = slices.Clone(r.open)
		for i := range out.Pods {
			if n, watched := r.watched[out.Pods[i].Node]; watched {
				out.Nodes = append(out.Nodes, n)
			}
		}
	}
	flying = s.overlay(&out, index, now)
	return out, flying, true
}

// add puts the group's pods on the nodes into the snapshot, and what their pace depends on.
func (r *run) add(out *Snapshot, g *group, index map[types.UID]int) {
	put := func(p Pod) {
		p.NamespaceLabels = g.room.labels
		c := &p.Controller
		c.Missing = c.Kind == "DaemonSet" && c.Group == "apps" && !r.session.daemons[c.UID]
		index[p.UID] = len(out.Pods)
		out.Pods = append(out.Pods, p)
	}
	concerned := false
	for uid, t := range g.teams {
		if !slices.ContainsFunc(t.pods, r.holds) {
			continue
		}
		concerned = true
		for _, p := range t.pods {
			if r.holds(p) || r.policy.WaitFor == WaitForReplacementReady {
				put(p.pod())
			}
		}
		if o, found := g.room.owners[uid]; found && r.policy.WaitFor == WaitForReplacementReady {
			out.Owners = append(out.Owners, o)
		}
	}
	if !concerned {
		return
	}
	for name := range g.budgets {
		if b := g.room.budgets[name]; b != nil {
			out.Budgets = append(out.Budgets, b.Budget)
		}
	}
}

// holds says that the pod is on one of the nodes.
func (r *run) holds(p *kept) bool {
	_, found := r.on[p.node]
	return found && p.node != ""
}
