package sim_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

// fakeWorld is a Kubernetes world that only remembers what it was told.
type fakeWorld struct {
	mu       sync.Mutex
	clusters map[string]sim.Cluster
	nodes    map[string]map[string]sim.Node
	calls    []string
	// failures is how many calls still fail.
	failures int
	// hold keeps EnsureCluster from succeeding while it is set.
	hold bool
	// keep lets DeleteNode fail while it is set.
	keep bool
}

func newFakeWorld() *fakeWorld {
	return &fakeWorld{clusters: map[string]sim.Cluster{}, nodes: map[string]map[string]sim.Node{}}
}

func (w *fakeWorld) call(what string) error {
	w.calls = append(w.calls, what)
	if w.failures > 0 {
		w.failures--
		return errors.New("the world is not in the mood")
	}
	return nil
}

func (w *fakeWorld) EnsureCluster(_ context.Context, c sim.Cluster) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("EnsureCluster " + c.Name); err != nil {
		return nil, err
	}
	if w.hold {
		return nil, errors.New("the API server is not up yet")
	}
	w.clusters[c.ID] = c
	if w.nodes[c.ID] == nil {
		w.nodes[c.ID] = map[string]sim.Node{}
	}
	return []byte("kubeconfig of " + c.Name), nil
}

func (w *fakeWorld) DeleteCluster(_ context.Context, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("DeleteCluster"); err != nil {
		return err
	}
	delete(w.clusters, id)
	delete(w.nodes, id)
	return nil
}

func (w *fakeWorld) EnsureNode(_ context.Context, clusterID string, n sim.Node) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("EnsureNode " + n.Name); err != nil {
		return err
	}
	w.nodes[clusterID][n.Name] = n
	return nil
}

func (w *fakeWorld) DeleteNode(_ context.Context, clusterID, name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("DeleteNode " + name); err != nil {
		return err
	}
	if w.keep {
		return errors.New("the API server does not answer")
	}
	delete(w.nodes[clusterID], name)
	return nil
}

// nodeNames are the names of all nodes of all clusters, sorted.
func (w *fakeWorld) nodeNames() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, nodes := range w.nodes {
		out = append(out, slices.Collect(maps.Keys(nodes))...)
	}
	slices.Sort(out)
	return out
}

func (w *fakeWorld) node(name string) (sim.Node, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, nodes := range w.nodes {
		if n, ok := nodes[name]; ok {
			return n, true
		}
	}
	return sim.Node{}, false
}

func (w *fakeWorld) clusterCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.clusters)
}

func (w *fakeWorld) set(change func(*fakeWorld)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}
