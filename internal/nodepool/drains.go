package nodepool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/workload"
)

const (
	// permission is how long pods are evicted after the look that allowed it. Looks
	// renew it every few seconds; a planner that hangs, or cannot read what might
	// forbid it, lets it lapse.
	permission = 30 * time.Second
	// followedFor is how long the word of a drain is taken for what its pods are
	// like. A drain that only waits says nothing, so they are read anew once a
	// minute, which also finds out a drain that went deaf.
	followedFor = time.Minute
)

// drains evict pods between the looks, at most one drain for each Nodepool. A
// look begins or renews it, and every look whose plan is not to evict ends it
// before it does anything else. They hold nothing that is decided by: after a
// restart the next look begins them again.
type drains struct {
	// engine is drain.NewWatcher if it is nil, and permission the constant if zero.
	engine     func(kubernetes.Interface) drainer
	permission time.Duration

	mu sync.Mutex
	// wake asks for a look at a Nodepool; nil before the controller runs.
	wake func(nodepool types.NamespacedName)
	runs map[types.NamespacedName]*drainRun
	// engines serve the drains of a cluster, as long as there are any.
	engines map[types.NamespacedName]*drainEngine
	closed  bool
}

// drainOrder is what is to be drained, and how.
type drainOrder struct {
	// nodepool tells one that was made again from its predecessor.
	nodepool types.UID
	// object is the pool's, of is what the planner calls its nodes.
	object string
	of     []string
	nodes  []drain.NodeRef
	policy drain.Policy
}

// drainRun is one drain that was begun. What follows done is guarded by
// drains.mu.
type drainRun struct {
	drainOrder
	engine *drainEngine
	cancel context.CancelCauseFunc
	lapse  *time.Timer
	done   chan struct{}
	word   drainWord
	// failed is why it ended before its nodes were empty.
	failed error
}

// drainWord is the last that is known of a drain.
type drainWord struct {
	plan drain.Plan
	// pinned is what a volume keeps in its zone, as of the last live look.
	pinned map[string]int
	at     time.Time
}

var (
	errUnwanted = errors.New("the plan is not to evict any more")
	errLapsed   = errors.New("no look has renewed the permission to evict")
	errClosed   = errors.New("the manager ends")
)

// keep begins the drain, or renews the permission of the one that runs already.
// word is what a live look has just seen, nil when it went by the drain's own
// word. A drain that has failed since the last look begins again, and its error
// is returned.
func (d *drains) keep(ctx context.Context, clusters *workload.Clusters, cluster, nodepool types.NamespacedName, order drainOrder, word *drainWord, clk clock.PassiveClock) error {
	engine, err := d.engineFor(ctx, clusters, cluster)
	if err != nil {
		return err
	}
	defer d.release(engine)
	failed := d.failure(nodepool)
	if d.renew(nodepool, order, engine, word) {
		return nil
	}
	if err := d.stop(ctx, nodepool); err != nil {
		return err
	}
	if err := d.begin(ctx, nodepool, order, engine, word, clk); err != nil {
		return err
	}
	return failed
}

func (d *drains) failure(nodepool types.NamespacedName) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if run := d.runs[nodepool]; run != nil && run.failed != nil {
		return fmt.Errorf("the drain of pool %s broke off: %w", run.object, run.failed)
	}
	return nil
}

// renew is false when another drain is wanted than the one that runs, if any.
func (d *drains) renew(nodepool types.NamespacedName, order drainOrder, engine *drainEngine, word *drainWord) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	run := d.runs[nodepool]
	if run == nil || run.engine != engine || !run.same(order) || run.ended() || !run.lapse.Stop() {
		return false // a timer that has fired is ending it just now
	}
	run.lapse.Reset(d.permits())
	if word != nil {
		run.word = *word
	}
	return true
}

func (o drainOrder) same(other drainOrder) bool {
	return o.nodepool == other.nodepool && o.object == other.object && slices.Equal(o.nodes, other.nodes) && reflect.DeepEqual(o.policy, other.policy)
}

func (r *drainRun) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func (d *drains) permits() time.Duration {
	if d.permission > 0 {
		return d.permission
	}
	return permission
}

func (d *drains) begin(ctx context.Context, nodepool types.NamespacedName, order drainOrder, engine *drainEngine, word *drainWord, clk clock.PassiveClock) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errClosed
	}
	// It outlives the look that begins it.
	running, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	run := &drainRun{drainOrder: order, engine: engine, cancel: cancel, done: make(chan struct{})}
	if word != nil {
		run.word = *word
	}
	run.lapse = time.AfterFunc(d.permits(), func() { cancel(errLapsed) })
	engine.users++
	if d.runs == nil {
		d.runs = map[types.NamespacedName]*drainRun{}
	}
	d.runs[nodepool] = run
	log := logf.FromContext(ctx).WithValues("pool", order.object)
	log.Info("Draining", "nodes", len(order.nodes))
	go func() {
		err := engine.Drain(running, order.nodes, order.policy, func(plan drain.Plan) { d.told(nodepool, run, plan, clk.Now()) })
		cause := context.Cause(running)
		cancel(nil)
		run.lapse.Stop()
		log.Info("Drain ended", "error", errors.Join(err, cause))
		d.end(nodepool, run, err, cause)
	}()
	return nil
}

// end takes down how a drain ended. One that has emptied its nodes is looked at
// at once; one that failed when its time comes.
func (d *drains) end(nodepool types.NamespacedName, run *drainRun, err, cause error) {
	d.release(run.engine)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && cause == nil {
		run.failed = err
	}
	close(run.done)
	if err == nil && d.wake != nil {
		d.wake(nodepool)
	}
}

// told takes down what a drain says, and asks for a look when it is worth one.
func (d *drains) told(nodepool types.NamespacedName, run *drainRun, plan drain.Plan, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := run.word.plan
	run.word.plan, run.word.at = plan, now
	if d.wake != nil && worthALook(before, plan, now) {
		d.wake(nodepool)
	}
}

// worthALook tells what is to be said at once, an end and somebody in the way,
// from progress, which the next look sees soon enough.
func worthALook(before, after drain.Plan, now time.Time) bool {
	was, is := firstStuck(before, now), firstStuck(after, now)
	return after.Empty != before.Empty || was.Pod != is.Pod || was.Reason != is.Reason
}

func firstStuck(plan drain.Plan, now time.Time) drain.Blocker {
	for _, b := range plan.Blockers {
		if b.Stuck(now, blockedAfter) {
			return b
		}
	}
	return drain.Blocker{}
}

// following is the drain that runs for a pool and what it said, if that can stand
// for a reading of the pods: it never does for empty nodes, which only a live
// look proves.
func (d *drains) following(nodepool types.NamespacedName, uid types.UID, object string, now time.Time) (drainOrder, drainWord, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	run := d.runs[nodepool]
	if run == nil || run.nodepool != uid || run.object != object || run.ended() || run.word.plan.Empty || len(run.word.plan.Nodes) == 0 || now.Sub(run.word.at) >= followedFor {
		return drainOrder{}, drainWord{}, false
	}
	return run.drainOrder, run.word, true
}

// stop ends the drain of a Nodepool, if one runs. When it returns nil, no
// eviction of it is under way and none begins.
func (d *drains) stop(ctx context.Context, nodepool types.NamespacedName) error {
	d.mu.Lock()
	run := d.runs[nodepool]
	d.mu.Unlock()
	if run == nil {
		return nil
	}
	run.cancel(errUnwanted)
	select {
	case <-run.done:
	case <-ctx.Done():
		return fmt.Errorf("wait for the evictions of pool %s to end: %w", run.object, ctx.Err())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.runs[nodepool] == run {
		delete(d.runs, nodepool)
	}
	return nil
}

// runFor is true while a drain runs for the Nodepool.
func (d *drains) runFor(nodepool types.NamespacedName) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	run := d.runs[nodepool]
	return run != nil && !run.ended()
}

// wakeBy says how to ask for a look.
func (d *drains) wakeBy(wake func(nodepool types.NamespacedName)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wake = wake
}

// run ends all drains with the manager. It is a manager's Runnable.
func (d *drains) run(ctx context.Context) error {
	<-ctx.Done()
	d.close()
	return nil
}

// close ends all drains, and lets none begin.
func (d *drains) close() {
	d.mu.Lock()
	d.closed = true
	runs := slices.Collect(maps.Values(d.runs))
	d.mu.Unlock()
	for _, run := range runs {
		run.cancel(errClosed)
	}
	for _, run := range runs {
		<-run.done
	}
}
