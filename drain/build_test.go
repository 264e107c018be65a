package drain

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// noon is the fixed time of every decision in these tests.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

type podOption func(*Pod)

// pod returns a ready pod shop/<name> on node old-1 of ReplicaSet <app>-5d4f, labelled app=<app>.
func pod(name, app string, options ...podOption) Pod {
	p := Pod{
		Namespace: "shop", Name: name, UID: types.UID("uid-" + name), Node: "old-1",
		Labels:     map[string]string{"app": app, "pod-template-hash": "5d4f"},
		Controller: Controller{Group: "apps", Kind: "ReplicaSet", Name: app + "-5d4f", UID: types.UID("rs-" + app)},
		Phase:      corev1.PodRunning, Ready: true, Created: ago(time.Hour),
	}
	for _, option := range options {
		option(&p)
	}
	return p
}

func on(node string) podOption { return func(p *Pod) { p.Node = node } }

func label(key, value string) podOption {
	return func(p *Pod) {
		p.Labels = map[string]string{"app": p.Labels["app"], key: value}
	}
}

func phase(phase corev1.PodPhase) podOption {
	return func(p *Pod) { p.Phase, p.Ready = phase, false }
}

func notReady(age time.Duration) podOption {
	return func(p *Pod) { p.Ready, p.Created = false, ago(age) }
}

func deadline(at time.Time) podOption { return func(p *Pod) { p.Deadline = at } }

func bare(p *Pod) { p.Controller = Controller{} }

func static(p *Pod) { p.Mirror = true }

func kind(group, kind string) podOption {
	return func(p *Pod) {
		p.Controller = Controller{Group: group, Kind: kind, Name: p.Labels["app"], UID: types.UID("set-" + p.Labels["app"])}
	}
}

func missingController(p *Pod) { p.Controller.Missing = true }

func finalizer(name string) podOption { return func(p *Pod) { p.Finalizers = []string{name} } }

func grace(d time.Duration) podOption { return func(p *Pod) { p.Grace = d } }

func calm(value string) podOption { return func(p *Pod) { p.DoNotDisrupt = value } }

func started(d time.Duration) podOption { return func(p *Pod) { p.Started = ago(d) } }

func tolerant(p *Pod) { p.ToleratesCordon = true }

func namespaceLabels(set labels.Set) podOption { return func(p *Pod) { p.NamespaceLabels = set } }

// app selects the pods labelled app=<app>.
func app(app string) []PodSelector {
	return []PodSelector{{Pod: labels.SelectorFromSet(labels.Set{"app": app})}}
}

type budgetOption func(*Budget)

// budget returns PodDisruptionBudget shop/<app> on app=<app> that allows one of three.
func budget(app string, options ...budgetOption) Budget {
	b := Budget{
		Namespace: "shop", Name: app, Selector: labels.SelectorFromSet(labels.Set{"app": app}),
		Allowed: 1, Healthy: 3, Desired: 2, Expected: 3, Generation: 1, ObservedGeneration: 1,
	}
	for _, option := range options {
		option(&b)
	}
	return b
}

func allows(allowed, healthy, desired, expected int32) budgetOption {
	return func(b *Budget) { b.Allowed, b.Healthy, b.Desired, b.Expected = allowed, healthy, desired, expected }
}

func blockedFor(d time.Duration) budgetOption { return func(b *Budget) { b.BlockedSince = ago(d) } }

func disrupted(pod string, since time.Duration) budgetOption {
	return func(b *Budget) { b.Disrupted = append(b.Disrupted, Disruption{Pod: pod, At: ago(since)}) }
}

func cordoned(names ...string) []Node {
	var nodes []Node
	for _, name := range names {
		nodes = append(nodes, Node{Name: name, UID: types.UID("uid-" + name), Unschedulable: true, Ready: true})
	}
	return nodes
}

func wants(app string, replicas int32) Owner {
	return Owner{UID: types.UID("rs-" + app), Desired: replicas}
}

func evicted(p Plan) []string {
	names := []string{}
	for _, e := range p.Evict {
		names = append(names, e.Pod.String())
	}
	return names
}

func blockers(p Plan) []string {
	lines := []string{}
	for _, b := range p.Blockers {
		lines = append(lines, string(b.Reason)+": "+b.String())
	}
	return lines
}
