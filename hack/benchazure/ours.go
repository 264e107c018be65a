package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/hack/benchazure/fakearm"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/graph"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

const (
	workers   = 20
	principal = "tenant/client"
	// settle is how long AKS works on a changed profile before the controller looks whether it is in force.
	settle = 2 * time.Minute
)

// operator is this project: its sweeper, its comparison and decision, its broker and its client of Azure, on an Azure in memory. What is
// not ours is the controller around them, which has no Kubernetes objects: it makes the same calls in the same order.
type operator struct {
	azure   *fakearm.Azure
	wire    *wire
	client  *arm.Client
	sweeper *sweep.Sweeper
	memory  drift.Memory
	queue   workqueue.TypedRateLimitingInterface[int]

	mu sync.Mutex
	// expected are things that a look is due at anyway: AKS is done with a profile, or its rest is over.
	expected map[int]bool
	stopped  int
	needless int
}

// runOurs lives through a trace in virtual time. Whatever waits, waits for nothing: testing/synctest moves the clock on when all do.
func runOurs(t *testing.T, things []*fakearm.Thing, trace []fakearm.Event, length, every time.Duration, seed uint64) (result, error) {
	t.Helper()
	var out result
	var failed error
	synctest.Test(t, func(*testing.T) {
		out, failed = live(things, trace, length, every, seed)
	})
	return out, failed
}

func live(things []*fakearm.Thing, trace []fakearm.Event, length, every time.Duration, seed uint64) (result, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	o, err := newOperator(things, every, seed)
	if err != nil {
		return result{}, err
	}
	var all sync.WaitGroup
	profiles := o.sweeper.Register(sweep.AutoscalerProfiles(o.declared(true)))
	assignments := o.sweeper.Register(sweep.RoleAssignments(o.declared(false)))
	all.Go(func() { _ = o.sweeper.Start(ctx) })
	all.Go(func() { o.listen(ctx, profiles) })
	all.Go(func() { o.listen(ctx, assignments) })
	for range workers {
		all.Go(func() { o.work(ctx) })
	}
	all.Go(func() { o.rest(ctx, rand.New(rand.NewPCG(seed, 4))) })
	began := time.Now()
	for _, e := range trace {
		if err := pass(ctx, time.Until(began.Add(e.At))); err != nil {
			return result{}, err
		}
		o.wire.mu.Lock()
		o.azure.Apply(time.Now(), e)
		o.wire.mu.Unlock()
	}
	_ = pass(ctx, time.Until(began.Add(length)))
	o.wire.mu.Lock()
	calls := o.azure.Calls
	o.wire.mu.Unlock()
	_ = pass(ctx, after)
	stop()
	o.queue.ShutDown()
	all.Wait()
	calls.Needless = o.azure.Calls.Needless
	calls.Refused = o.azure.Calls.Refused
	r := newResult(calls, o.azure.Episodes)
	r.FalseAlarms, r.Stopped = o.needless, o.stopped
	return r, nil
}

func newOperator(things []*fakearm.Thing, every time.Duration, seed uint64) (*operator, error) {
	o := &operator{
		azure: fakearm.New(things, rand.New(rand.NewPCG(seed, 2))), expected: map[int]bool{},
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[int]()),
	}
	o.wire = &wire{azure: o.azure}
	var err error
	if o.client, err = arm.Through(arm.Options{}, principal, token{}, o.wire); err != nil {
		return nil, err
	}
	o.sweeper = sweep.New(sweep.Options{
		Azure: func(context.Context, string) (graph.Azure, error) { return o.client, nil }, Every: every, Log: logr.Discard(),
	})
	return o, nil
}

// declared is what the specs of all objects say.
func (o *operator) declared(profiles bool) func(context.Context) ([]sweep.Declared, error) {
	var out []sweep.Declared
	for i, t := range o.azure.Things {
		if t.Profile == profiles {
			out = append(out, sweep.Declared{Object: types.NamespacedName{Namespace: "fleet", Name: fmt.Sprint(i)}, ID: t.ID, Fields: fields(t)})
		}
	}
	return func(context.Context) ([]sweep.Declared, error) { return out, nil }
}

func fields(t *fakearm.Thing) map[string]any {
	if t.Profile {
		return map[string]any{"expander": fakearm.Good}
	}
	return map[string]any{sweep.FieldScope: t.Scope, sweep.FieldRole: t.Role, sweep.FieldPrincipal: t.Principal}
}

// rest looks at each thing once in sweep.Rest, whatever sweeps say, at a moment of its own.
func (o *operator) rest(ctx context.Context, random *rand.Rand) {
	for _, i := range random.Perm(len(o.azure.Things)) {
		if pass(ctx, sweep.Rest/time.Duration(len(o.azure.Things))) != nil {
			return
		}
		o.mu.Lock()
		o.expected[i] = true
		o.mu.Unlock()
		o.queue.Add(i)
	}
}

func (o *operator) listen(ctx context.Context, events <-chan event.GenericEvent) {
	for {
		select {
		case e := <-events:
			var i int
			if _, err := fmt.Sscan(e.Object.GetName(), &i); err == nil {
				o.queue.Add(i)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (o *operator) work(ctx context.Context) {
	for {
		i, ended := o.queue.Get()
		if ended {
			return
		}
		again, err := o.reconcile(ctx, i)
		switch r, is := refusal.Of(err); {
		case err == nil:
			o.queue.Forget(i)
			if again > 0 {
				o.queue.AddAfter(i, again)
			}
		case is && r.RetryAfter > 0:
			o.queue.AddAfter(i, r.RetryAfter)
		default:
			o.queue.AddRateLimited(i)
		}
		o.queue.Done(i)
	}
}

// reconcile is what each controller does about a thing: one GET, the decision, at most one PUT. An assignment that is missing is looked for
// in the list of its principal as well, and the activity log is asked who it was. A profile is read once more before it is written, because AKS takes whole clusters, and once when
// AKS is done.
func (o *operator) reconcile(ctx context.Context, i int) (again time.Duration, err error) {
	t := o.azure.Things[i]
	key := types.NamespacedName{Namespace: "fleet", Name: fmt.Sprint(i)}
	ctx = broker.For(ctx, broker.Call{Cluster: fmt.Sprint("fleet/", t.Cluster)})
	found, err := o.get(ctx, t)
	if err != nil {
		return 0, err
	}
	looked := time.Now()
	look := drift.Look{Fields: drift.Compare(fields(t), found), Applied: true}
	if len(look.Fields) == 0 {
		o.memory.AsDeclared(key, 1, looked)
		o.sweeper.Looked(t.ID, looked, false)
		o.count(i)
		return 0, nil
	}
	v := drift.Decide(fleetwrightv1.DriftPolicyHeal, look, o.memory.Drifted(key, 1, look, looked), looked)
	if v.Action != drift.Heal {
		o.mu.Lock()
		o.stopped++
		o.mu.Unlock()
		o.sweeper.Looked(t.ID, looked, true)
		return 0, nil
	}
	o.memory.Healed(key, 1, looked)
	if err := o.put(ctx, t); err != nil {
		return 0, err
	}
	o.sweeper.Looked(t.ID, time.Now(), true)
	if !t.Profile {
		return 0, nil
	}
	o.mu.Lock()
	o.expected[i] = true
	o.mu.Unlock()
	return settle, nil
}

// count tells a look that found nothing, although a sweep has asked for it, from one that was due.
func (o *operator) count(i int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.expected[i] {
		o.needless++
	}
	delete(o.expected, i)
}

func (o *operator) get(ctx context.Context, t *fakearm.Thing) (map[string]any, error) {
	if t.Profile {
		profile, err := o.client.AutoscalerProfile(ctx, t.ID)
		found := map[string]any{}
		for name, value := range profile.Values {
			found[name] = value
		}
		return found, err
	}
	a, err := o.client.Assignment(ctx, t.ID)
	if refusal.Is(err, refusal.Gone) {
		if _, err := o.client.Assignments(ctx, t.Scope, t.Principal); err != nil {
			return nil, err
		}
		_, err := o.client.Changes(ctx, t.ID, time.Now().Add(-time.Hour))
		return nil, err
	}
	return map[string]any{sweep.FieldScope: a.Scope, sweep.FieldRole: a.RoleID, sweep.FieldPrincipal: a.PrincipalID}, err
}

func (o *operator) put(ctx context.Context, t *fakearm.Thing) error {
	if t.Profile {
		_, err := o.client.WriteAutoscalerProfile(ctx, t.ID, autoscalerprofile.Values{"expander": fakearm.Good}, nil)
		return err
	}
	_, err := o.client.Assign(ctx, roles.Assignment{ID: t.ID, Scope: t.Scope, RoleID: t.Role, PrincipalID: t.Principal})
	return err
}
