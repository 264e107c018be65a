package sim

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
)

// cloud is the simulated Azure without its HTTP surface: the state under one lock, the clock that drives operations,
// and the Kubernetes world behind it.
type cloud struct {
	clock clock.Clock
	log   logr.Logger
	file  string
	world *world

	mu       sync.Mutex
	state    *state
	settings Settings
	settled  time.Time // when settle looked at the clock last: what was due then is done, or waits for the world
	dirty    bool
	closed   bool
	// calling is the call that is being handled; nil between calls.
	calling *call
	// graph is Resource Graph's index while it is late, and graphQuota counts its queries by principal.
	graph      *graphIndex
	graphQuota map[string]*quotaWindow
	changed    chan struct{}
}

func newCloud(ctx context.Context, o Options, file string) (*cloud, error) {
	s, err := loadState(file)
	if err != nil {
		return nil, err
	}
	c := &cloud{
		clock: o.Clock, log: o.Log, file: file,
		state: s, settings: *o.Settings, changed: make(chan struct{}, 1),
	}
	c.world = &world{
		kubernetes: o.Kubernetes, clock: o.Clock, log: o.Log.WithName("world"), ctx: ctx, workers: map[string]*worker{},
		look: c.wanted, report: c.worldChanged,
	}
	return c, nil
}

// run drives operations until ctx ends. It begins by waking the world for every cluster that was there before.
func (c *cloud) run(ctx context.Context) {
	_ = c.locked(func() {
		for _, r := range c.state.Resources {
			if r.Cluster != nil {
				c.wakeWorld(r)
			}
		}
	})
	for ctx.Err() == nil {
		c.mu.Lock()
		next, ok := c.nextDue()
		now := c.clock.Now()
		c.mu.Unlock()
		if !ok {
			select {
			case <-ctx.Done():
			case <-c.changed:
			}
		} else {
			timer := c.clock.NewTimer(next.Sub(now))
			select {
			case <-ctx.Done():
			case <-c.changed:
			case <-timer.C():
			}
			timer.Stop()
		}
		_ = c.locked(func() {})
	}
}

// locked settles, runs do and saves what has changed, all under the lock. It returns the error of saving, which is
// also logged, because most callers have nobody to tell.
func (c *cloud) locked(do func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errors.New("the simulator is stopping")
	}
	c.followGraph()
	c.settle()
	do()
	c.settle()
	if !c.dirty {
		return nil
	}
	c.noteGraph()
	if err := c.state.save(c.file); err != nil {
		c.log.Error(err, "State is not saved, will try again with the next change")
		return err
	}
	c.dirty = false
	select {
	case c.changed <- struct{}{}:
	default: // the loop will look anyway
	}
	return nil
}

// close ends all changes: what a late request would do must not meet the next simulator on the same directory.
func (c *cloud) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

func (c *cloud) wakeWorld(r *resource) {
	if r != nil && r.Cluster != nil {
		c.world.kick(r.key())
	}
}

// wanted is what the world should make of a cluster; false when there is no such cluster.
func (c *cloud) wanted(key string) (wanted, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.state.Resources[key]
	if r == nil || r.Cluster == nil {
		return wanted{}, false
	}
	w := wanted{
		cluster: Cluster{
			ID: r.ID, Name: r.name(), Location: r.location(), NodeResourceGroup: c.nodeGroupName(r), Version: c.resolved(r),
		},
		removing: r.Cluster.Removing,
		gone:     slices.Clone(r.Cluster.GoneNodes),
	}
	for _, p := range c.state.children(r.ID, typePool) {
		for _, m := range p.Pool.Instances {
			if m.Booted {
				w.nodes = append(w.nodes, c.nodeOf(r, p, m))
			}
		}
	}
	return w, true
}

// worldChanged hears from a worker that the API server came or went, or that nodes are deleted.
func (c *cloud) worldChanged(key string, deletedNodes []string) {
	_ = c.locked(func() {
		r := c.state.Resources[key]
		if r == nil || r.Cluster == nil || len(deletedNodes) == 0 {
			return
		}
		c.dirty = true
		for _, name := range deletedNodes {
			if at := slices.Index(r.Cluster.GoneNodes, name); at >= 0 {
				r.Cluster.GoneNodes = slices.Delete(r.Cluster.GoneNodes, at, at+1)
			}
		}
	})
}
