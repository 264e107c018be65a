package sim

import (
	"slices"
	"time"
)

// settle takes every step that is due, in order of time, and boots machines whose time has come. It is called with the
// lock held: before each request is answered, when a timer fires, and when the Kubernetes world reports.
func (c *cloud) settle() {
	c.settled = c.clock.Now()
	for o := c.nextStep(); o != nil; o = c.nextStep() {
		c.dirty = true
		c.step(o)
	}
	c.bootMachines()
}

// nextStep is the operation whose step is due first and not held up by the Kubernetes world.
func (c *cloud) nextStep() *operation {
	var first *operation
	for _, o := range c.operations((*operation).running) {
		if o.Stuck || o.due().After(c.settled) || !c.open(o) {
			continue
		}
		if first == nil || o.due().Before(first.due()) {
			first = o
		}
	}
	return first
}

// open tells whether the last step of an operation may be taken: creating and deleting a cluster wait for its API server, and
// AKS says that pools are made or scaled only when their machines are nodes. CAPZ relies on it: it looks for nodes once.
func (c *cloud) open(o *operation) bool {
	if o.Done < o.Steps-1 || c.state.Resources[o.Target] == nil {
		return true
	}
	switch o.Kind {
	case opClusterCreate:
		return o.FailWith != nil || c.world.ready(o.Target) && c.populated(o)
	case opClusterUpdate, opPoolCreate, opPoolUpdate:
		return o.FailWith != nil || c.populated(o)
	case opClusterDelete:
		return c.world.gone(o.Target)
	case opGroupDelete:
		return !slices.ContainsFunc(c.state.children(o.Target, typeCluster), func(r *resource) bool { return !c.world.gone(r.key()) })
	default:
		return true
	}
}

// populated tells whether all machines of an operation's pools are nodes, but for those that never will be.
func (c *cloud) populated(o *operation) bool {
	all := true
	c.eachPool(o, func(r *resource) {
		for _, m := range r.Pool.Instances {
			if !m.NeverBoots && !c.world.registered(c.clusterOf(r).key(), computerName(r.Pool.ScaleSet, m.ID)) {
				all = false
			}
		}
	})
	return all
}

// nextDue is when settle has something to do next; false means only a request or the world can change anything. What was
// due when it looked last waits for the world; what became due since then is in the past already and still to be done.
func (c *cloud) nextDue() (time.Time, bool) {
	var next time.Time
	consider := func(t time.Time) {
		if t.After(c.settled) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, o := range c.state.Operations {
		if o.running() && !o.Stuck {
			consider(o.due())
		}
	}
	for _, r := range c.state.Resources {
		if r.Pool == nil {
			continue
		}
		for _, m := range r.Pool.Instances {
			if !m.Booted && !m.NeverBoots {
				consider(m.BootAt)
			}
		}
	}
	return next, !next.IsZero()
}
