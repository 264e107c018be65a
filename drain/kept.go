package drain

import (
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// kept is a pod as the mirror keeps it. Pods are most of what a drain holds in memory, and most of a pod is the same in all pods of
// its controller: that is kept once.
type kept struct {
	*alike
	name                       string
	uid                        types.UID
	node                       string
	created, started, deadline moment
}

// alike is what pods of a controller have in common while they do the same.
type alike struct {
	namespace    string
	labels       *labelled
	controller   Controller
	phase        corev1.PodPhase
	grace        time.Duration
	doNotDisrupt string
	// finalizers are one a line.
	finalizers                                string
	ready, mirror, toleratesCordon, localData bool
}

// labelled is a set of labels, of which there is one for all that carry it.
type labelled struct{ set map[string]string }

// moment is a time in nanoseconds since 1970; zero is the zero time.
type moment int64

func momentOf(t time.Time) moment {
	if t.IsZero() {
		return 0
	}
	return moment(t.UnixNano())
}

func (m moment) time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(m))
}

// keep makes a pod ready to be kept. Two that are the same are equal.
func (m *mirror) keep(p Pod) kept {
	c := p.Controller
	c.Group, c.Kind, c.Name, c.UID = m.word(c.Group), m.word(c.Kind), m.word(c.Name), types.UID(m.word(string(c.UID)))
	return kept{
		alike: m.alike(alike{
			namespace: m.word(p.Namespace), labels: m.labelled(p.Labels), controller: c, phase: corev1.PodPhase(m.word(string(p.Phase))),
			grace: p.Grace, doNotDisrupt: m.word(p.DoNotDisrupt), finalizers: m.word(strings.Join(p.Finalizers, "\n")),
			ready: p.Ready, mirror: p.Mirror, toleratesCordon: p.ToleratesCordon, localData: p.LocalData,
		}),
		name: p.Name, uid: p.UID, node: m.word(p.Node),
		created: momentOf(p.Created), started: momentOf(p.Started), deadline: momentOf(p.Deadline),
	}
}

// pod is the pod that is kept, without what the mirror knows from elsewhere.
func (k *kept) pod() Pod {
	p := Pod{
		Namespace: k.namespace, Name: k.name, UID: k.uid, Node: k.node, Labels: k.labels.set, Controller: k.controller, Phase: k.phase, Ready: k.ready,
		Created: k.created.time(), Started: k.started.time(), Deadline: k.deadline.time(), Grace: k.grace,
		Mirror: k.mirror, DoNotDisrupt: k.doNotDisrupt, ToleratesCordon: k.toleratesCordon, LocalData: k.localData,
	}
	if k.finalizers != "" {
		p.Finalizers = strings.Split(k.finalizers, "\n")
	}
	return p
}

// team is the same for the pods of a team: the controller's, or the pod's own.
func (k *kept) team() types.UID {
	if k.controller.UID != "" {
		return k.controller.UID
	}
	return k.uid
}

// pool keeps one of what is the same.
type pool struct {
	words  map[string]string
	labels map[string]*labelled
	alikes map[alike]*alike
}

func newPool() pool {
	return pool{words: map[string]string{}, labels: map[string]*labelled{}, alikes: map[alike]*alike{}}
}

func (p pool) size() int { return len(p.words) + len(p.labels) + len(p.alikes) }

func (p pool) word(s string) string {
	if s == "" {
		return ""
	}
	if known, ok := p.words[s]; ok {
		return known
	}
	s = strings.Clone(s)
	p.words[s] = s
	return s
}

func (p pool) labelled(set map[string]string) *labelled {
	var key strings.Builder
	for _, k := range slices.Sorted(maps.Keys(set)) {
		key.WriteString(k)
		key.WriteByte(0)
		key.WriteString(set[k])
		key.WriteByte(0)
	}
	if known, ok := p.labels[key.String()]; ok {
		return known
	}
	shared := &labelled{}
	if len(set) > 0 {
		shared.set = make(map[string]string, len(set))
	}
	for k, v := range set {
		shared.set[p.word(k)] = p.word(v)
	}
	p.labels[key.String()] = shared
	return shared
}

func (p pool) alike(a alike) *alike {
	if known, ok := p.alikes[a]; ok {
		return known
	}
	p.alikes[a] = &a
	return &a
}
