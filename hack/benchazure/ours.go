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

	"github.com/fleetwright/fleetwright/hack/benchazure/fakearm"
	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

const (
	workers   = 20
	principal = "tenant/client"
	// settle is how long AKS works on a changed profile before the controller looks whether it is in force.
	settle = 2 * time.Minute
	// windowEvery is how often the one maintenance window of each cluster is read: no sweep looks at it.
	windowEvery = 24 * time.Hour
	roleName    = "AcrPull"
	// namesPerHour is how many drifts are asked about, by whom they are, before it decides anything.
	namesPerHour = 10
)

// operator is this project: its sweeper, its comparison and decision, its broker and its client of Azure, on an Azure in memory. What is
// not ours is the controller around them, which has no Kubernetes objects: it makes the same calls in the same order.
type operator struct {
	azure   *fakearm.Azure
	wire    *wire
	client  *arm.Client
	sweeper *sweep.Sweeper
	memory  *drift.Memory
	queue   workqueue.TypedRateLimitingInterface[int]

	mu sync.Mutex
	// expected are things that a look is due at anyway: AKS is done with a profile, or its rest is over.
	expected map[int]bool
	stopped  int
	needless int
	// named are the times of the last questions for a name.
	named []time.Time
}

// life is what our operator lives through.
type life struct {
	things        []*fakearm.Thing
	trace         []fakearm.Event
	length, every time.Duration
	seed          uint64
	// blind are the subscriptions that sweeps cannot read.
	blind map[string]bool
}

// runOurs lives through a day in virtual time. Whatever waits, waits for nothing: testing/synctest moves the clock on when all do.
func runOurs(t *testing.T, l life) (result, error) {
	t.Helper()
	var out result
	var failed error
	synctest.Test(t, func(*testing.T) {
		out, failed = l.live()
	})
	return out, failed
}

func (l life) live() (result, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	o, err := newOperator(l)
	if err != nil {
		return result{}, err
	}
	if err := o.warm(ctx, rand.New(rand.NewPCG(l.seed, 6))); err != nil {
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
	all.Go(func() { o.rest(ctx, rand.New(rand.NewPCG(l.seed, 4))) })
	all.Go(func() { o.windows(ctx, windowEvery) })
	began := time.Now()
	o.remember(began, rand.New(rand.NewPCG(l.seed, 5)))
	for _, e := range l.trace {
		if err := pass(ctx, time.Until(began.Add(e.At))); err != nil {
			return result{}, err
		}
		o.wire.mu.Lock()
		o.azure.Apply(time.Now(), e)
		o.wire.mu.Unlock()
	}
	_ = pass(ctx, time.Until(began.Add(l.length)))
	calls := o.calls()
	_ = pass(ctx, after)
	r := o.result(calls)
	r.Restart, err = o.restart(ctx)
	stop()
	o.queue.ShutDown()
	all.Wait()
	r.Calls.Needless, r.Calls.Refused = o.azure.Calls.Needless, o.azure.Calls.Refused
	return r, err
}

// result is what has been until now: another process would not know of a fight, and heal once more.
func (o *operator) result(calls fakearm.Calls) result {
	o.wire.mu.Lock()
	defer o.wire.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	r := newResult(calls, o.azure.Episodes)
	r.FalseAlarms, r.Stopped = o.needless, o.stopped
	return r
}

// warm lets a week go by in which everything was looked at once, each at its own moment, so that what the client keeps for a week or a day
// is neither all fresh nor all old. It is not counted.
func (o *operator) warm(ctx context.Context, random *rand.Rand) error {
	const before = sweep.Rest - day
	clusters := len(o.azure.Things) / fakearm.ThingsPerCluster
	for _, c := range random.Perm(clusters) {
		if err := pass(ctx, before/time.Duration(clusters)); err != nil {
			return err
		}
		id := o.azure.Things[c*fakearm.ThingsPerCluster].ID
		if _, err := o.client.IdentitiesOf(context.WithValue(ctx, identitiesOnly{}, true), id, time.Time{}); err != nil {
			return err
		}
	}
	scopes := map[string]bool{}
	for _, i := range random.Perm(len(o.azure.Things)) {
		if err := pass(ctx, day/time.Duration(len(o.azure.Things))); err != nil {
			return err
		}
		if t := o.azure.Things[i]; !t.Profile && !scopes[t.Scope] {
			scopes[t.Scope] = true
			if _, err := o.client.RoleNamed(ctx, t.Scope, roleName); err != nil {
				return err
			}
		}
	}
	o.azure.Calls = fakearm.Calls{}
	return nil
}

// remember tells the sweeper when what it cannot see was looked at last: once a day, each at its own moment.
func (o *operator) remember(now time.Time, random *rand.Rand) {
	for _, t := range o.azure.Things {
		if o.azure.Blind[t.Subscription] {
			o.sweeper.Looked(t.ID, now.Add(-time.Duration(random.Int64N(int64(day)))), sweep.AsDeclared)
		}
	}
}

func (o *operator) calls() fakearm.Calls {
	o.wire.mu.Lock()
	defer o.wire.mu.Unlock()
	return o.azure.Calls
}

// restart is another process that looks at everything at once, and knows nothing of what was asked before. It counts its requests, without
// those of the sweeps meanwhile.
func (o *operator) restart(ctx context.Context) (int, error) {
	before := o.calls()
	client, err := arm.Through(arm.Options{}, principal, token{}, o.wire)
	if err != nil {
		return 0, err
	}
	o.mu.Lock()
	o.client, o.memory = client, &drift.Memory{}
	for i := range o.azure.Things {
		o.expected[i] = true
	}
	o.mu.Unlock()
	for i := range o.azure.Things {
		o.queue.Add(i)
	}
	o.windows(ctx, 10*time.Minute)
	_ = pass(ctx, 10*time.Minute)
	now := o.calls()
	return now.All() - now.Queries - before.All() + before.Queries, nil
}

func newOperator(l life) (*operator, error) {
	o := &operator{
		azure: fakearm.New(l.things, rand.New(rand.NewPCG(l.seed, 2))), expected: map[int]bool{}, memory: &drift.Memory{},
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[int]()),
	}
	o.azure.Blind = l.blind
	o.wire = &wire{azure: o.azure}
	var err error
	if o.client, err = arm.Through(arm.Options{}, principal, token{}, o.wire); err != nil {
		return nil, err
	}
	o.sweeper = sweep.New(sweep.Options{Azure: o.client, Every: l.every, Log: logr.Discard()})
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

// windows reads the maintenance window of each cluster once in every, each at its own moment, until ctx ends or, with less time, once.
func (o *operator) windows(ctx context.Context, every time.Duration) {
	clusters := len(o.azure.Things) / fakearm.ThingsPerCluster
	for {
		for c := range clusters {
			if pass(ctx, every/time.Duration(clusters)) != nil {
				return
			}
			t := o.azure.Things[c*fakearm.ThingsPerCluster]
			// What is refused is read the next time.
			_, _ = o.azureOf().MaintenanceConfiguration(broker.For(ctx, broker.Call{Cluster: fmt.Sprint("fleet/", c)}), t.ID, "default")
		}
		if every < windowEvery {
			return
		}
	}
}

// azureOf is the client of the present process.
func (o *operator) azureOf() *arm.Client {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.client
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
