package drain

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// sight is what one look of a run sees.
type sight struct {
	// snapshots are the namespaces to decide about now.
	snapshots map[string]Snapshot
	nodes     []Node
	// trouble is why the mirror is not kept up.
	trouble error
	// flying counts the run's evictions that wait for their answer.
	flying int
	// next is when a namespace that moved may be decided about; deferred says that there is one which was not yet.
	next     time.Duration
	deferred bool
}

// everywhere is the part that holds all namespaces, where their pods are tied together by an order.
const everywhere = ""

// note marks what moved, if it may matter to the run. The session's lock is held.
func (r *run) note(namespace string, nodes []string) {
	mine := len(nodes) == 0
	for _, name := range nodes {
		_, found := r.on[name]
		mine = mine || found
	}
	switch {
	case namespace == "" && mine:
		r.all = true
	case r.whole && namespace != "":
		r.moved[everywhere] = true
	case namespace != "" && (r.rooms[namespace] || mine && len(nodes) > 0):
		r.moved[namespace] = true
	default:
		return
	}
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// observe takes snapshots of what moved out of the mirror.
func (r *run) observe(now time.Time) (sight, error) {
	s := r.session
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear(now)
	seen := sight{snapshots: map[string]Snapshot{}, flying: r.flying, next: time.Hour}
	var err error
	if seen.nodes, err = r.watched(s.mirror); err != nil {
		return sight{}, err
	}
	for _, f := range r.follows {
		if f.trouble != nil {
			seen.trouble = f.trouble
		}
	}
	r.mark(s.mirror, now)
	for namespace := range r.moved {
		if p := r.parts[namespace]; p != nil && now.Before(p.notBefore) {
			seen.next, seen.deferred = min(seen.next, p.notBefore.Sub(now)), true
			continue
		}
		if r.unnamed(namespace) {
			seen.next, seen.deferred = min(seen.next, r.policy.LookAgain), true
			continue
		}
		delete(r.moved, namespace)
		snapshot := r.snapshot(namespace, now)
		if snapshot.Nodes = seen.nodes; len(snapshot.Pods) == 0 {
			delete(r.rooms, namespace)
			delete(r.parts, namespace)
			continue
		}
		r.rooms[namespace] = true
		seen.snapshots[namespace] = snapshot
	}
	return seen, nil
}

// unnamed says that a pod on the nodes was seen before its namespace, by whose labels a rule may select it: it is not decided
// about before.
func (r *run) unnamed(namespace string) bool {
	if !r.policy.selectsNamespaces() {
		return false
	}
	for name, room := range r.session.rooms {
		if room.named || namespace != everywhere && namespace != name {
			continue
		}
		for _, p := range room.pods {
			if r.holds(p) {
				return true
			}
		}
	}
	return false
}

// mark adds to what moved: everything, if that may be, and what is due.
func (r *run) mark(m *mirror, now time.Time) {
	for namespace, p := range r.parts {
		if r.all || !now.Before(p.due) {
			r.moved[namespace] = true
		}
	}
	if !r.all {
		return
	}
	r.all = false
	if r.whole {
		r.moved[everywhere] = true
		return
	}
	for namespace, room := range m.rooms {
		for _, p := range room.pods {
			if r.holds(p) {
				r.moved[namespace] = true
				break
			}
		}
	}
}

// watched are the nodes to empty, as the mirror has them.
func (r *run) watched(m *mirror) ([]Node, error) {
	nodes := make([]Node, 0, len(r.nodes))
	for _, ref := range r.nodes {
		node, found := m.nodes[ref.Name]
		if !found {
			node = Node{Name: ref.Name, UID: ref.UID, Gone: true}
		}
		if ref.UID != "" && ref.UID != node.UID {
			return nil, fmt.Errorf("node %s has uid %s, not %s: %w", ref.Name, node.UID, ref.UID, ErrNodeReplaced)
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// snapshot is what Observe would read of the namespace, with the flights on top. It has no pods if none is on the nodes.
func (r *run) snapshot(namespace string, now time.Time) Snapshot {
	s := r.session
	var out Snapshot
	index := map[types.UID]int{}
	if namespace != everywhere {
		if room := s.rooms[namespace]; room != nil {
			r.add(&out, room, index)
		}
	} else {
		for _, room := range s.rooms {
			r.add(&out, room, index)
		}
	}
	if len(out.Pods) > 0 {
		out.Refusals = s.refusals
		s.overlay(&out, index, now)
	}
	return out
}

// add puts the room's pods on the nodes into the snapshot, and what their pace depends on.
func (r *run) add(out *Snapshot, room *room, index map[types.UID]int) {
	daemons := r.session.daemons
	crews := map[types.UID]bool{}
	put := func(p Pod) {
		p.NamespaceLabels = room.labels
		c := &p.Controller
		c.Missing = c.Kind == "DaemonSet" && c.Group == "apps" && !daemons[c.UID]
		index[p.UID] = len(out.Pods)
		out.Pods = append(out.Pods, p)
	}
	for _, p := range room.pods {
		if r.holds(p) {
			put(p)
			crews[p.Controller.UID] = true
		}
	}
	if len(crews) == 0 {
		return
	}
	for _, b := range room.budgets {
		out.Budgets = append(out.Budgets, b.Budget)
	}
	if r.policy.WaitFor != WaitForReplacementReady {
		return
	}
	delete(crews, "")
	for _, p := range room.pods {
		if crews[p.Controller.UID] && !r.holds(p) {
			put(p)
		}
	}
	for uid := range crews {
		if o, found := room.owners[uid]; found {
			out.Owners = append(out.Owners, o)
		}
	}
}

// holds says that the pod is on one of the nodes.
func (r *run) holds(p Pod) bool {
	_, found := r.on[p.Node]
	return found && p.Node != ""
}
