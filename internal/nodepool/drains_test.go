package nodepool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/workload"
)

// engine is a drain engine that does as the test says.
type engine struct {
	t *testing.T
	// begun are the drains in the order in which they began.
	begun chan *fakeDrain
	// lingers keeps a drain from ending when it is told to, until it is closed.
	lingers chan struct{}
}

type fakeDrain struct {
	api    kubernetes.Interface
	ctx    context.Context
	nodes  []drain.NodeRef
	report func(drain.Plan)
	ends   chan error
}

type engineOf struct {
	*engine
	api kubernetes.Interface
}

func (e engineOf) Drain(ctx context.Context, nodes []drain.NodeRef, _ drain.Policy, report func(drain.Plan)) error {
	d := &fakeDrain{e.api, ctx, nodes, report, make(chan error, 1)}
	e.begun <- d
	select {
	case err := <-d.ends:
		return err
	case <-ctx.Done():
		<-e.lingers
		return ctx.Err()
	}
}

// onlySecret is a management cluster that holds a kubeconfig.
type onlySecret struct {
	client.Reader
	mu    sync.Mutex
	value []byte
}

func (s *onlySecret) Get(_ context.Context, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.(*corev1.Secret).Data = map[string][]byte{"value": s.value}
	return nil
}

type drainsTest struct {
	*testing.T
	drains
	fake     *engine
	secret   *onlySecret
	clusters *workload.Clusters
	clock    *clocktesting.FakePassiveClock
	looks    chan types.NamespacedName
}

var (
	drained = types.NamespacedName{Namespace: "prod-eu", Name: "prod-general"}
	inPlace = types.NamespacedName{Namespace: "prod-eu", Name: "prod"}
)

func newDrainsTest(t *testing.T) *drainsTest {
	t.Helper()
	d := &drainsTest{
		T: t, fake: &engine{t: t, begun: make(chan *fakeDrain, 10), lingers: make(chan struct{})},
		secret: &onlySecret{value: kubeconfig(t, "https://127.0.0.1:1")},
		clock:  clocktesting.NewFakePassiveClock(time.Unix(1_000_000, 0)), looks: make(chan types.NamespacedName, 10),
	}
	d.clusters = workload.New(d.secret, "test", d.clock)
	d.engine = func(api kubernetes.Interface) drainer { return engineOf{d.fake, api} }
	d.wakeBy(func(nodepool types.NamespacedName) { d.looks <- nodepool })
	t.Cleanup(d.close)
	t.Cleanup(func() {
		select {
		case <-d.fake.lingers:
		default:
			close(d.fake.lingers)
		}
	})
	return d
}

func (d *drainsTest) order() drainOrder {
	return drainOrder{nodepool: "np", object: "blue", nodes: []drain.NodeRef{{Name: "n1", UID: "1"}, {Name: "n2", UID: "2"}}}
}

func (d *drainsTest) allow(order drainOrder, word *drainWord) error {
	return d.keep(d.Context(), d.clusters, inPlace, drained, order, word, d.clock)
}

// begins expects that the order begins a drain.
func (d *drainsTest) begins(order drainOrder) *fakeDrain {
	d.Helper()
	if err := d.allow(order, nil); err != nil {
		d.Fatal(err)
	}
	return <-d.fake.begun
}

func (d *drainsTest) mayEnd() { close(d.fake.lingers) }

// The same drain goes on however often it is allowed; another one takes its place
// when anything of it is another.
func TestDrainIsRenewedOrReplaced(t *testing.T) {
	t.Parallel()
	selector := func() drain.Policy {
		return drain.Policy{Rules: []drain.Rule{{Name: "r", Pods: []drain.PodSelector{{Pod: labels.SelectorFromSet(labels.Set{"app": "a", "tier": "b"})}}}}}
	}
	for name, test := range map[string]struct {
		change func(*drainOrder)
		same   bool
	}{
		"nothing":             {func(*drainOrder) {}, true},
		"what the nodes are":  {func(o *drainOrder) { o.of = []string{"n1", "n2"} }, true},
		"an equal policy":     {func(o *drainOrder) { o.policy = selector() }, true},
		"the policy":          {func(o *drainOrder) { o.policy.Unmanaged = drain.UnmanagedEvict }, false},
		"a node less":         {func(o *drainOrder) { o.nodes = o.nodes[:1] }, false},
		"a node of that name": {func(o *drainOrder) { o.nodes = []drain.NodeRef{{Name: "n1", UID: "1"}, {Name: "n2", UID: "3"}} }, false},
		"the pool":            {func(o *drainOrder) { o.object = "older" }, false},
		"the Nodepool":        {func(o *drainOrder) { o.nodepool = "np2" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrainsTest(t)
			d.mayEnd()
			order := d.order()
			order.policy = selector()
			first := d.begins(order)
			test.change(&order)
			if err := d.allow(order, nil); err != nil {
				t.Fatal(err)
			}
			if ended := first.ctx.Err() != nil; ended == test.same {
				t.Errorf("the drain has ended: %t", ended)
			}
			if !test.same {
				if next := <-d.fake.begun; len(next.nodes) != len(order.nodes) || next.api != first.api {
					t.Errorf("the next drain is of %v, over another connection: %t", next.nodes, next.api != first.api)
				}
			}
		})
	}
}

// When stop has returned, the engine has: nothing of it evicts any more.
func TestStopWaitsForTheDrainToEnd(t *testing.T) {
	t.Parallel()
	d := newDrainsTest(t)
	d.begins(d.order())
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.stop(impatient, drained); !errors.Is(err, context.Canceled) {
		t.Errorf("stop() = %v while the drain goes on", err)
	}
	if err := d.keep(impatient, d.clusters, inPlace, drained, drainOrder{nodepool: "np", object: "older"}, nil, d.clock); !errors.Is(err, context.Canceled) {
		t.Errorf("another drain begins while the last goes on: %v", err)
	}
	d.mayEnd()
	if err := d.stop(t.Context(), drained); err != nil {
		t.Fatal(err)
	}
	if runs, connections := d.count(); runs != 0 || connections != 0 {
		t.Errorf("%d drains and %d connections are left", runs, connections)
	}
	if err := d.stop(t.Context(), drained); err != nil {
		t.Errorf("stop() of what does not run: %v", err)
	}
}

// Without a look that renews it, the permission to evict lapses; the next look
// begins anew.
func TestPermissionLapses(t *testing.T) {
	t.Parallel()
	d := newDrainsTest(t)
	d.mayEnd()
	d.permission = time.Millisecond
	first := d.begins(d.order())
	<-first.ctx.Done()
	if cause := context.Cause(first.ctx); !errors.Is(cause, errLapsed) {
		t.Errorf("it ends for %v", cause)
	}
	d.permission = time.Hour
	if second := d.begins(d.order()); second.ctx.Err() != nil {
		t.Error("it is not allowed anew")
	}
}

func TestPermissionIsShort(t *testing.T) {
	var d drains
	if got := d.permits(); got > 30*time.Second || got < 3*lookWhileDraining {
		t.Errorf("pods are evicted for %s after a look, and the next is due after %s", got, lookWhileDraining)
	}
}

// An end, and somebody who has stood in the way for long, are looked at at once;
// progress is not.
func TestDrainAsksForALookWhenItIsWorthOne(t *testing.T) {
	t.Parallel()
	d := newDrainsTest(t)
	d.mayEnd()
	run := d.begins(d.order())
	plan := func(remaining int, blockers ...drain.Blocker) drain.Plan {
		return drain.Plan{Remaining: remaining, Blockers: blockers, Nodes: []drain.NodeProgress{{Name: "n1", Cordoned: true}}}
	}
	blocker := func(pod string, reason drain.Reason, since time.Duration) drain.Blocker {
		return drain.Blocker{Pod: types.NamespacedName{Namespace: "shop", Name: pod}, Reason: reason, Since: d.clock.Now().Add(-since)}
	}
	quiet := []drain.Plan{
		plan(9), plan(8), plan(7, blocker("cart", drain.ReasonPodDisruptionBudget, time.Minute)), plan(7, blocker("till", drain.ReasonPodDisruptionBudget, time.Minute)),
	}
	for _, p := range quiet {
		if run.report(p); len(d.looks) != 0 {
			t.Errorf("a look is asked for: %s", p)
		}
	}
	for _, p := range []drain.Plan{
		plan(7, blocker("till", drain.ReasonPodDisruptionBudget, 3*time.Minute)), plan(7, blocker("till", drain.ReasonWebhookDenied, 0)), plan(7, blocker("cart", drain.ReasonWebhookDenied, 0)), plan(6),
	} {
		if run.report(p); len(d.looks) != 1 {
			t.Errorf("%d looks are asked for: %s", len(d.looks), p)
		}
		if run.report(p); len(d.looks) != 1 {
			t.Errorf("a second look is asked for: %s", p)
		}
		<-d.looks
	}
	run.ends <- nil
	if got := <-d.looks; got != drained {
		t.Errorf("a look at %s is asked for", got)
	}
}

// A drain that failed is told of by the next look, which begins it again.
func TestFailedDrainBeginsAgain(t *testing.T) {
	t.Parallel()
	d := newDrainsTest(t)
	d.mayEnd()
	failing := errors.New("pods cannot be listed")
	first := d.begins(d.order())
	first.ends <- failing
	<-d.runs[drained].done
	if len(d.looks) != 0 {
		t.Error("a failure asks for a look at once, again and again")
	}
	if err := d.allow(d.order(), nil); !errors.Is(err, failing) {
		t.Errorf("keep() = %v", err)
	}
	second := <-d.fake.begun
	if err := d.allow(d.order(), nil); err != nil || second.ctx.Err() != nil {
		t.Errorf("keep() = %v, %v", err, second.ctx.Err())
	}
}

// A kubeconfig that is rotated ends what goes on with the old one, at the next
// look of each.
func TestDrainsFollowTheKubeconfig(t *testing.T) {
	t.Parallel()
	d := newDrainsTest(t)
	d.mayEnd()
	first := d.begins(d.order())
	other := types.NamespacedName{Namespace: "prod-eu", Name: "prod-batch"}
	batch := drainOrder{nodepool: "np2", object: "batch", nodes: []drain.NodeRef{{Name: "n3", UID: "3"}}}
	if err := d.keep(t.Context(), d.clusters, inPlace, other, batch, nil, d.clock); err != nil {
		t.Fatal(err)
	}
	second := <-d.fake.begun
	if first.api != second.api {
		t.Error("two drains of a cluster have two connections")
	}
	d.secret.mu.Lock()
	d.secret.value = kubeconfig(t, "https://127.0.0.1:2")
	d.secret.mu.Unlock()
	d.clock.SetTime(d.clock.Now().Add(2 * time.Minute))
	next := d.begins(d.order())
	if first.ctx.Err() == nil || next.api == first.api {
		t.Error("it goes on with the old kubeconfig")
	}
	if second.ctx.Err() != nil {
		t.Error("it ends another one, too")
	}
	if err := d.keep(t.Context(), d.clusters, inPlace, other, batch, nil, d.clock); err != nil {
		t.Fatal(err)
	}
	if last := <-d.fake.begun; last.api != next.api || second.ctx.Err() == nil {
		t.Error("the other one does not follow")
	}
	for _, nodepool := range []types.NamespacedName{drained, other} {
		if err := d.stop(t.Context(), nodepool); err != nil {
			t.Fatal(err)
		}
	}
	if _, connections := d.count(); connections != 0 {
		t.Errorf("%d connections are left", connections)
	}
}

// Nothing begins once the manager ends.
func TestDrainsEndWithTheManager(t *testing.T) {
	t.Parallel()
	d := newDrainsTest(t)
	d.mayEnd()
	first := d.begins(d.order())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.run(ctx); err != nil || first.ctx.Err() == nil {
		t.Errorf("run() = %v, the drain has ended: %t", err, first.ctx.Err() != nil)
	}
	if err := d.allow(d.order(), nil); !errors.Is(err, errClosed) {
		t.Errorf("keep() = %v", err)
	}
}

// A drain's word stands for a reading of the pods for a minute, and never for
// empty nodes.
func TestWordOfADrain(t *testing.T) {
	t.Parallel()
	d := newDrainsTest(t)
	d.mayEnd()
	order := d.order()
	follows := func() string {
		got, word, yes := d.following(drained, order.nodepool, order.object, d.clock.Now())
		return fmt.Sprintf("%t %d %d", yes, len(got.nodes), word.plan.Remaining)
	}
	expect := func(what, want string) {
		t.Helper()
		if got := follows(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	expect("before it runs", "false")
	run := d.begins(order)
	expect("before it said anything", "false")
	full := drain.Plan{Remaining: 3, Nodes: []drain.NodeProgress{{Name: "n1", Remaining: 3}}}
	run.report(full)
	expect("when it said something", "true 2 3")
	d.clock.SetTime(d.clock.Now().Add(followedFor))
	expect("when it said nothing for long", "false")
	if err := d.allow(order, &drainWord{plan: full, at: d.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	expect("when a live look stands in", "true 2 3")
	if _, _, yes := d.following(drained, "np2", order.object, d.clock.Now()); yes {
		t.Error("it speaks for another Nodepool of that name")
	}
	if _, _, yes := d.following(drained, order.nodepool, "older", d.clock.Now()); yes {
		t.Error("it speaks for another pool")
	}
	run.report(drain.Plan{Empty: true, Nodes: full.Nodes})
	expect("when it calls the nodes empty", "false")
}
