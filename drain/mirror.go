package drain

import (
	"maps"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
)

// mirror is a slim copy of what drains look at in one cluster, kept up to date by watches. It lags behind the cluster,
// and nothing that must be right rests on it: budgets are kept by the API server, and emptiness is proven by Observe.
type mirror struct {
	mu      sync.Mutex
	rooms   map[string]*room
	nodes   map[string]Node
	daemons map[types.UID]bool
	// pool holds what is repeated once; held is how much it was when it was last made anew.
	pool
	held int
	// changed is called, with the lock held, with the group in which something moved and the nodes of the pod that did; nil is
	// a node, or whatever may concern all groups.
	changed func(group *group, nodes ...string)
	// budgeted is called, with the lock held, with each state of a budget before it is stored.
	budgeted func(mirrored)
}

// room is one namespace.
type room struct {
	// named says that the namespace itself was seen, so that labels are its own.
	named   bool
	labels  map[string]string
	pods    map[string]*kept
	budgets map[string]*mirrored
	owners  map[types.UID]Owner
	// teams hold the pods by their controllers.
	teams map[types.UID]*team
}

func (r *room) empty() bool {
	return !r.named && len(r.pods) == 0 && len(r.budgets) == 0 && len(r.owners) == 0
}

// mirrored is a budget as of one revision.
type mirrored struct {
	Budget
	revision string
	// group are the teams that the budget covers; nil while it covers none.
	group *group
}

func newMirror(changed func(*group, ...string), budgeted func(mirrored)) *mirror {
	return &mirror{
		rooms: map[string]*room{}, nodes: map[string]Node{}, daemons: map[types.UID]bool{}, pool: newPool(), changed: changed, budgeted: budgeted,
	}
}

func (m *mirror) room(namespace string) *room {
	r := m.rooms[namespace]
	if r == nil {
		r = &room{pods: map[string]*kept{}, budgets: map[string]*mirrored{}, owners: map[types.UID]Owner{}, teams: map[types.UID]*team{}}
		m.rooms[m.word(namespace)] = r
	}
	return r
}

// tidy forgets what nothing carries any more, once most may be such, and rooms that are empty: each Job and each rollout brings
// its own.
func (m *mirror) tidy() {
	const few = 1000
	if m.size() <= 2*m.held+few {
		return
	}
	m.pool = newPool()
	rooms := m.rooms
	m.rooms = make(map[string]*room, len(rooms))
	for name, r := range rooms {
		if r.empty() {
			continue
		}
		m.rooms[m.word(name)] = r
		r.labels = m.labelled(r.labels).set
		for _, k := range r.pods {
			*k = m.keep(k.pod())
		}
	}
	m.held = m.size()
}

// putPod stores a pod with one copy of what pods have in common.
func (m *mirror) putPod(p Pod) {
	r, now := m.room(p.Namespace), m.keep(p)
	k, known := r.pods[p.Name]
	switch {
	case !known:
		r.pods[now.name] = &now
		m.changed(r.enroll(&now), now.node)
	case *k == now:
	case k.team() != now.team():
		m.changed(r.dismiss(k), k.node)
		*k = now
		m.changed(r.enroll(k), now.node)
	default:
		was := *k
		*k = now
		t := r.teams[k.team()]
		if was.labels != now.labels {
			r.bind(t, k)
		}
		m.changed(t.group, was.node, now.node)
	}
}

func (m *mirror) dropPod(p Pod) {
	r := m.room(p.Namespace)
	if before, known := r.pods[p.Name]; known && before.uid == p.UID {
		delete(r.pods, p.Name)
		m.changed(r.dismiss(before), before.node)
		m.tidy()
	}
}

func (m *mirror) putBudget(b mirrored) {
	m.budgeted(b)
	r := m.room(b.Namespace)
	before, known := r.budgets[b.Name]
	if known {
		b.group = before.group
	}
	r.budgets[b.Name] = &b
	if !known || selector(before.Budget) != selector(b.Budget) {
		r.cover(&b)
		m.changed(nil) // it may tie together what was decided apart
		return
	}
	if b.group != nil {
		m.changed(b.group)
	}
}

func selector(b Budget) string {
	if b.Selector == nil {
		return ""
	}
	return b.Selector.String()
}

func (m *mirror) dropBudget(b mirrored) {
	r := m.room(b.Namespace)
	before, known := r.budgets[b.Name]
	if !known {
		return
	}
	delete(r.budgets, b.Name)
	if g := before.group; g != nil {
		delete(g.budgets, b.Name)
		m.changed(g)
	}
}

func (m *mirror) putOwner(o owned) {
	r := m.room(o.namespace)
	if before, known := r.owners[o.UID]; known && before == o.Owner {
		return
	}
	r.owners[o.UID] = o.Owner
	if t := r.teams[o.UID]; t != nil {
		m.changed(t.group)
	}
}

func (m *mirror) dropOwner(o owned) { delete(m.room(o.namespace).owners, o.UID) }

func (m *mirror) putNode(n Node) {
	if before, known := m.nodes[n.Name]; known && before == n {
		return
	}
	m.nodes[n.Name] = n
	m.changed(nil, n.Name)
}

func (m *mirror) dropNode(n Node) {
	delete(m.nodes, n.Name)
	m.changed(nil, n.Name)
}

// putDaemon and dropDaemon change what pods in any namespace are taken for.
func (m *mirror) putDaemon(uid types.UID) {
	if !m.daemons[uid] {
		m.daemons[uid] = true
		m.changed(nil)
	}
}

func (m *mirror) dropDaemon(uid types.UID) {
	delete(m.daemons, uid)
	m.changed(nil)
}

func (m *mirror) putNamespace(ns corev1.Namespace) {
	r, shared := m.room(ns.Name), m.labelled(ns.Labels).set
	if r.named && maps.Equal(r.labels, shared) {
		return
	}
	r.named, r.labels = true, shared
	for _, t := range r.teams {
		m.changed(t.group)
	}
}

func (m *mirror) dropNamespace(ns corev1.Namespace) {
	r := m.room(ns.Name)
	r.named, r.labels = false, nil
	m.tidy()
}

// owned is the owner of pods with its namespace.
type owned struct {
	Owner
	namespace string
}

func slimReplicaSet(rs *appsv1.ReplicaSet) owned {
	return owned{Owner{UID: rs.UID, Desired: orOne(rs.Spec.Replicas)}, rs.Namespace}
}

func slimStatefulSet(set *appsv1.StatefulSet) owned {
	return owned{Owner{UID: set.UID, Desired: orOne(set.Spec.Replicas)}, set.Namespace}
}

// orOne is the API's own default of a number of replicas.
func orOne(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

func mirrorBudget(pdb *policyv1.PodDisruptionBudget) mirrored {
	return mirrored{Budget: slimBudget(pdb), revision: pdb.ResourceVersion}
}
