package drain

import (
	"maps"
	"reflect"
	"slices"
	"strings"
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
	// words and labels hold each repeated text and each set of labels once; kept is how many there were when they were last
	// made anew.
	words  map[string]string
	labels map[string]map[string]string
	kept   int
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
	pods    map[string]*Pod
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
		rooms: map[string]*room{}, nodes: map[string]Node{}, daemons: map[types.UID]bool{},
		words: map[string]string{}, labels: map[string]map[string]string{}, changed: changed, budgeted: budgeted,
	}
}

func (m *mirror) room(namespace string) *room {
	r := m.rooms[namespace]
	if r == nil {
		r = &room{pods: map[string]*Pod{}, budgets: map[string]*mirrored{}, owners: map[types.UID]Owner{}, teams: map[types.UID]*team{}}
		m.rooms[m.word(namespace)] = r
	}
	return r
}

func (m *mirror) word(s string) string {
	if known, ok := m.words[s]; ok {
		return known
	}
	s = strings.Clone(s)
	m.words[s] = s
	return s
}

// labelSet returns one map for all pods that carry the same labels, which are all pods of a controller.
func (m *mirror) labelSet(set map[string]string) map[string]string {
	if len(set) == 0 {
		return nil
	}
	var key strings.Builder
	for _, k := range slices.Sorted(maps.Keys(set)) {
		key.WriteString(k)
		key.WriteByte(0)
		key.WriteString(set[k])
		key.WriteByte(0)
	}
	if known, ok := m.labels[key.String()]; ok {
		return known
	}
	shared := make(map[string]string, len(set))
	for k, v := range set {
		shared[m.word(k)] = m.word(v)
	}
	m.labels[key.String()] = shared
	return shared
}

// tidy forgets words and labels that nothing carries any more, once most may be such, and rooms that are empty: each Job and each
// rollout brings its own.
func (m *mirror) tidy() {
	const few = 1000
	if len(m.words)+len(m.labels) <= 2*m.kept+few {
		return
	}
	m.words, m.labels = map[string]string{}, map[string]map[string]string{}
	rooms := m.rooms
	m.rooms = make(map[string]*room, len(rooms))
	for name, r := range rooms {
		if r.empty() {
			continue
		}
		m.rooms[m.word(name)] = r
		r.labels = m.labelSet(r.labels)
		for _, p := range r.pods {
			*p = m.shared(*p)
		}
	}
	m.kept = len(m.words) + len(m.labels)
}

func (m *mirror) shared(p Pod) Pod {
	p.Namespace, p.Node = m.word(p.Namespace), m.word(p.Node)
	p.Labels = m.labelSet(p.Labels)
	p.Controller.Group, p.Controller.Kind, p.Controller.Name = m.word(p.Controller.Group), m.word(p.Controller.Kind), m.word(p.Controller.Name)
	p.Controller.UID = types.UID(m.word(string(p.Controller.UID)))
	p.Phase = corev1.PodPhase(m.word(string(p.Phase)))
	return p
}

// putPod stores a pod with one copy of what pods have in common.
func (m *mirror) putPod(p Pod) {
	r := m.room(p.Namespace)
	before, known := r.pods[p.Name]
	if known && reflect.DeepEqual(*before, p) {
		return
	}
	p = m.shared(p)
	if !known {
		r.pods[p.Name] = &p
		m.changed(r.enroll(&p), p.Node)
		return
	}
	was := *before
	if teamKey(&was) == teamKey(&p) {
		*before = p
		if t := r.teams[teamKey(&p)]; !maps.Equal(was.Labels, p.Labels) {
			r.bind(t, before)
		}
	} else {
		m.changed(r.dismiss(before), was.Node)
		*before = p
		r.enroll(before)
	}
	m.changed(r.teams[teamKey(&p)].group, was.Node, p.Node)
}

func (m *mirror) dropPod(p Pod) {
	r := m.room(p.Namespace)
	if before, known := r.pods[p.Name]; known && before.UID == p.UID {
		delete(r.pods, p.Name)
		m.changed(r.dismiss(before), before.Node)
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
	r, shared := m.room(ns.Name), m.labelSet(ns.Labels)
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
