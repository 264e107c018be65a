package nodepool

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/workload"
)

// drainer empties nodes; see drain.Watcher.
type drainer interface {
	Drain(ctx context.Context, nodes []drain.NodeRef, policy drain.Policy, report func(drain.Plan)) error
}

// drainEngine is what the drains of a cluster have in common.
type drainEngine struct {
	drainer
	cluster types.NamespacedName
	stream  *workload.Stream
	users   int
}

// engineFor is what serves the cluster's drains, with a connection that its
// kubeconfig leads to now. Drains of an older one end as soon as their next look
// sees this one. The caller releases it.
func (d *drains) engineFor(ctx context.Context, clusters *workload.Clusters, cluster types.NamespacedName) (*drainEngine, error) {
	d.mu.Lock()
	engine := d.engines[cluster]
	var current *workload.Stream
	if engine != nil {
		engine.users++
		current = engine.stream
	}
	d.mu.Unlock()
	stream, err := clusters.Stream(ctx, cluster, current)
	if err == nil && stream == current {
		return engine, nil
	}
	if engine != nil {
		defer d.release(engine)
	}
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if newer := d.engines[cluster]; newer != nil && newer != engine {
		stream.Close() // somebody was faster
		newer.users++
		return newer, nil
	}
	if d.engines == nil {
		d.engines = map[types.NamespacedName]*drainEngine{}
	}
	d.engines[cluster] = &drainEngine{drainer: d.drainerOf(stream.API), cluster: cluster, stream: stream, users: 1}
	return d.engines[cluster], nil
}

func (d *drains) drainerOf(api kubernetes.Interface) drainer {
	if d.engine != nil {
		return d.engine(api)
	}
	return drain.NewWatcher(api, drain.Options{Answered: countEviction})
}

// release closes the connection with the last who uses it.
func (d *drains) release(engine *drainEngine) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if engine.users--; engine.users > 0 {
		return
	}
	engine.stream.Close()
	if d.engines[engine.cluster] == engine {
		delete(d.engines, engine.cluster)
	}
}
