package workload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const (
	// sharedFor is how long after its beginning a reading serves others: one event
	// has all Nodepools of a cluster look at once.
	sharedFor = 3 * time.Second
	// forgottenAfter is how long a silence is remembered that nobody asks about.
	forgottenAfter = time.Hour
)

// Reading is all Nodes of a cluster, as they were at some time since it began.
// Nobody may change Nodes: others may read them too.
type Reading struct {
	API   kubernetes.Interface
	Nodes []Node
	// Shared is true when the reading began before it was asked for.
	Shared bool
}

// knowledge is what was learnt of a cluster lately.
type knowledge struct {
	// silence is nil for a cluster that answers.
	silence *UnansweredError
	// attempts counts those in a row that had no answer; probing is true while one
	// caller tries again.
	attempts int
	probing  bool
	// latest is the reading that is shared, nil when none may be.
	latest *attempt
}

// attempt is one reading. Its result may be read once done is closed.
type attempt struct {
	Reading
	begun time.Time
	done  chan struct{}
	// probe is true for the one caller who asks a silent cluster.
	probe bool
	// finished is true, under Clusters.mu, once the caller has written the rest.
	finished bool
	err      error
	// abandoned is true when the caller gave up, which says nothing of the cluster.
	abandoned bool
}

// Nodes reads the Nodes of a cluster anew. A cluster that does not answer is
// asked again only now and then, by one caller at a time: all others get the
// UnansweredError at once.
func (c *Clusters) Nodes(ctx context.Context, cluster types.NamespacedName) (Reading, error) {
	a, _, err := c.join(cluster, false)
	if err != nil {
		return Reading{}, err
	}
	return c.read(ctx, cluster, a)
}

// RecentNodes is a reading that began in the last three seconds, or still goes
// on, and else like Nodes. It may be older than what the caller read elsewhere:
// nothing should be done on it but wait.
func (c *Clusters) RecentNodes(ctx context.Context, cluster types.NamespacedName) (Reading, error) {
	for {
		a, mine, err := c.join(cluster, true)
		if err != nil {
			return Reading{}, err
		}
		if mine {
			return c.read(ctx, cluster, a)
		}
		select {
		case <-a.done:
			if !a.abandoned {
				return Reading{API: a.API, Nodes: a.Nodes, Shared: true}, a.err
			}
		case <-ctx.Done():
			return Reading{}, fmt.Errorf("wait for the nodes of cluster %s: %w", cluster, ctx.Err())
		}
	}
}

// join finds an attempt to share, or begins one that is the caller's to carry
// out.
func (c *Clusters) join(cluster types.NamespacedName, share bool) (a *attempt, mine bool, err error) {
	now := c.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.known[cluster]
	if k != nil && k.silence != nil && (k.probing || now.Before(k.silence.Again)) {
		return nil, false, k.silence
	}
	if share && k != nil && k.latest.serves(now) {
		return k.latest, false, nil
	}
	c.sweep(now)
	if k = c.known[cluster]; k == nil {
		k = &knowledge{}
		c.known[cluster] = k
	}
	k.probing = k.silence != nil
	k.latest = &attempt{begun: now, done: make(chan struct{}), probe: k.probing, err: errBrokenOff}
	return k.latest, true, nil
}

// errBrokenOff stands when an attempt ended in a panic.
var errBrokenOff = errors.New("the reading broke off")

func (a *attempt) serves(now time.Time) bool {
	return a != nil && (!a.finished || a.err == nil && now.Sub(a.begun) < sharedFor)
}

// read carries an attempt out, and takes down what it says of the cluster.
func (c *Clusters) read(ctx context.Context, cluster types.NamespacedName, a *attempt) (Reading, error) {
	func() {
		defer c.settle(ctx, cluster, a)
		a.API, a.Nodes, a.err = c.list(ctx, cluster)
	}()
	return a.Reading, a.err
}

func (c *Clusters) list(ctx context.Context, cluster types.NamespacedName) (kubernetes.Interface, []Node, error) {
	api, err := c.Get(ctx, cluster)
	if err != nil {
		return nil, nil, err
	}
	nodes, err := c.listNodes(ctx, api)
	if err != nil {
		return nil, nil, err
	}
	return api, nodes, nil
}

// outdate keeps what was read, or is being read, from being shared.
func (c *Clusters) outdate(cluster types.NamespacedName) {
	if k := c.known[cluster]; k != nil {
		k.latest = nil
	}
}

// changed is told when something of ours was written to the cluster: the next
// look sees it.
func (c *Clusters) changed(cluster types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outdate(cluster)
}

// sweep lets go of readings that serve nobody any more, so that a fleet at rest
// holds none, and of silences that nobody asks about.
func (c *Clusters) sweep(now time.Time) {
	for cluster, k := range c.known {
		if !k.latest.serves(now) {
			k.latest = nil
		}
		if k.latest == nil && (k.silence == nil || now.Sub(k.silence.Again) > forgottenAfter) {
			delete(c.known, cluster)
		}
	}
}
