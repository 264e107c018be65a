package drain

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	startTakes = 7 * time.Second
	stopTakes  = 3 * time.Second
)

// world is a cluster of Deployments whose pods all begin on two old nodes. Replacements start on a new node when a
// pod begins to leave; a budget (away > 0) counts as the disruption controller does, immediately.
type world struct {
	now  time.Time
	pods []Pod
	apps []worldApp
	next int
}

type worldApp struct {
	name     string
	replicas int
	// away is maxUnavailable; 0 means no budget.
	away int
}

func (w *world) add(replicas int, app string, away int) {
	w.apps = append(w.apps, worldApp{name: app, replicas: replicas, away: away})
	for i := range replicas {
		w.pods = append(w.pods, pod(fmt.Sprintf("%s-%d", app, i), app, on(fmt.Sprintf("old-%d", i%2))))
	}
}

func (w *world) snapshot() Snapshot {
	s := Snapshot{Nodes: cordoned("old-0", "old-1"), Pods: slices.Clone(w.pods)}
	for _, app := range w.apps {
		s.Owners = append(s.Owners, wants(app.name, int32(app.replicas)))
		if app.away > 0 {
			healthy, needed := w.ready(app), max(0, app.replicas-app.away)
			s.Budgets = append(s.Budgets, budget(app.name,
				allows(int32(max(0, healthy-needed)), int32(healthy), int32(needed), int32(app.replicas))))
		}
	}
	return s
}

func (w *world) ready(app worldApp) int {
	n := 0
	for _, p := range w.pods {
		if p.Labels["app"] == app.name && p.Ready && !p.Terminating() {
			n++
		}
	}
	return n
}

func (w *world) evict(e Eviction) {
	i := slices.IndexFunc(w.pods, func(p Pod) bool { return p.UID == e.UID })
	w.pods[i].Deadline = w.now.Add(stopTakes)
	w.next++
	replacement := pod(fmt.Sprintf("new-%d", w.next), w.pods[i].Labels["app"], on("new-0"))
	replacement.UID, replacement.Ready, replacement.Created = types.UID(replacement.Name), false, w.now
	w.pods = append(w.pods, replacement)
}

func (w *world) step(d time.Duration) {
	w.now = w.now.Add(d)
	w.pods = slices.DeleteFunc(w.pods, func(p Pod) bool { return p.Terminating() && !w.now.Before(p.Deadline) })
	for i, p := range w.pods {
		w.pods[i].Ready = p.Ready || w.now.Sub(p.Created) >= startTakes
	}
}

// tooEarly names a pod of a lower order that is still on the node of the eviction.
func (w *world) tooEarly(e Eviction, policy Policy) string {
	i := slices.IndexFunc(w.pods, func(p Pod) bool { return p.UID == e.UID })
	for _, p := range w.pods {
		if p.Node == e.Node && policy.turn(p) < policy.turn(w.pods[i]) {
			return fmt.Sprintf("eviction of %s while %s of a lower order is on its node", e.Pod, p.Key())
		}
	}
	return ""
}

// broken names an app with fewer ready pods than its budget needs, or than one-at-a-time leaves.
func (w *world) broken() string {
	for _, app := range w.apps {
		away := max(1, app.away)
		if ready := w.ready(app); ready < app.replicas-away {
			return fmt.Sprintf("%s has %d of %d ready, %d may be away", app.name, ready, app.replicas, away)
		}
	}
	return ""
}
