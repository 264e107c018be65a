package addressclaim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// turns lets one of several processes do one request at a time, in an order that a seed decides: between any two steps of one, the others may
// do as many as they like. So every delay that matters happens, and none takes time.
type turns struct {
	asks chan ask
	ends chan int
}

type ask struct {
	who int
	may chan struct{}
}

// take waits for the turn of a process.
func (t turns) take(who int) {
	a := ask{who, make(chan struct{})}
	t.asks <- a
	<-a.may
}

// direct gives turns until all processes have ended.
func (t turns) direct(seed uint64, processes int) {
	random, waiting := rand.New(rand.NewPCG(seed, 0)), map[int]ask{}
	for processes > 0 {
		for len(waiting) < processes {
			select {
			case a := <-t.asks:
				waiting[a.who] = a
			case <-t.ends:
				processes--
			}
		}
		if processes == 0 {
			return
		}
		ready := slices.Sorted(maps.Keys(waiting))
		who := ready[random.IntN(len(ready))]
		a := waiting[who]
		delete(waiting, who)
		close(a.may)
	}
}

// protocol is how a process of the test talks to the API server.
type protocol func(who int, turn func()) interceptor.Funcs

// ours is what the reconciler does.
func ours(_ int, turn func()) interceptor.Funcs {
	return interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
			if _, is := o.(*fleetwrightv1.AddressPool); is {
				turn()
			}
			return c.Get(ctx, key, o, options...)
		},
		List: func(ctx context.Context, c client.WithWatch, l client.ObjectList, options ...client.ListOption) error {
			if _, is := l.(*fleetwrightv1.AddressAllocationList); is {
				turn()
			}
			return c.List(ctx, l, options...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption) error {
			if _, is := o.(*fleetwrightv1.AddressPool); is {
				turn()
			}
			return c.Patch(ctx, o, p, options...)
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
			turn()
			return c.Create(ctx, o, options...)
		},
	}
}

// counting swaps in a counter instead of the choice: whoever has swapped knows nothing of what the one before him is about to make.
func counting(who int, turn func()) interceptor.Funcs {
	out := ours(who, turn)
	out.Patch = func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption) error {
		pool, is := o.(*fleetwrightv1.AddressPool)
		if !is {
			return c.Patch(ctx, o, p, options...)
		}
		turn()
		n, _ := strconv.Atoi(pool.Annotations["epoch"])
		body, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": pool.ResourceVersion, "annotations": map[string]any{"epoch": strconv.Itoa(n + 1)}}})
		if err != nil {
			return err
		}
		return c.Patch(ctx, o, client.RawPatch(types.MergePatchType, body), options...)
	}
	return out
}

// theOtherOrder reads allocations first and the pool afterwards.
func theOtherOrder(who int, turn func()) interceptor.Funcs {
	out, read := ours(who, turn), &fleetwrightv1.AddressAllocationList{}
	get := out.Get
	out.Get = func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
		if _, is := o.(*fleetwrightv1.AddressPool); is {
			turn()
			read = &fleetwrightv1.AddressAllocationList{}
			if err := c.List(ctx, read, client.InNamespace(key.Namespace)); err != nil {
				return err
			}
		}
		return get(ctx, c, key, o, options...)
	}
	out.List = func(ctx context.Context, c client.WithWatch, l client.ObjectList, options ...client.ListOption) error {
		if all, is := l.(*fleetwrightv1.AddressAllocationList); is {
			read.DeepCopyInto(all)
			return nil
		}
		return c.List(ctx, l, options...)
	}
	return out
}

// race lets processes bind claims of one pool at once. It says which allocations overlap then, if any do.
func race(t *testing.T, seed uint64, processes, each int, how protocol) string {
	t.Helper()
	s := newStage(t)
	pool := s.pool("corp", "10.64.0.0/12")
	order := turns{asks: make(chan ask), ends: make(chan int)}
	results := make(chan error, processes)
	for who := range processes {
		var mine []*fleetwrightv1.AddressClaim
		for n := range each {
			// Of several sizes: of equal ones, the names of the allocations alone would keep them apart.
			length := int32(18 + (who*3+n*5)%7)
			mine = append(mine, s.claim(fmt.Sprintf("c-%d-%d", who, n), s.from("vnet", "corp", length), s.from("more", "corp", 24)))
		}
		seen := interceptor.NewClient(server, how(who, func() { order.take(who) }))
		r := &Reconciler{Client: seen, Live: seen, Recorder: s.recorder, Clock: s.clock, Namespace: "fleetwright-system"}
		go func() {
			results <- bindAll(t.Context(), r, mine)
			order.ends <- who
		}()
	}
	order.direct(seed, processes)
	var errs []error
	for range processes {
		errs = append(errs, <-results)
	}
	all := s.allocations()
	if found := overlap(t, all); found != "" {
		return found
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if len(all) != processes*each*2 {
		t.Errorf("seed %d: %d allocations", seed, len(all))
	}
	for i := range processes * each {
		a := &fleetwrightv1.AddressClaim{}
		a.Namespace, a.Name = s.here, fmt.Sprintf("c-%d-%d", i/each, i%each)
		s.expect(a, "it stays bound", fine)
	}
	if got := s.allocating(pool); got != "" {
		t.Errorf("seed %d: what is finished is still written down: %s", seed, got)
	}
	return ""
}

// bindAll looks at claims in turn until all are bound.
func bindAll(ctx context.Context, r *Reconciler, claims []*fleetwrightv1.AddressClaim) error {
	var last error
	for range 400 {
		open := 0
		for _, a := range claims {
			if len(a.Status.Ranges) > 0 {
				continue
			}
			open++
			if _, err := r.Reconcile(ctx, a); err != nil {
				last = err
			}
		}
		if open == 0 {
			return nil
		}
	}
	return fmt.Errorf("not all are bound: %w", last)
}

// Whatever the order of their steps, no two of 40 claims get the same address.
func TestManyAtOnce(t *testing.T) {
	for processes, each := range map[int]int{2: 20, 8: 5} {
		if found := race(t, uint64(processes), processes, each, ours); found != "" {
			t.Errorf("%d processes: %s", processes, found)
		}
	}
}

// The same test finds what is wrong with two other ways that look as good.
func TestOtherWaysAreUnsafe(t *testing.T) {
	for name, way := range map[string]struct {
		how protocol
		// seed is the first that is tried: one that is known to find it.
		seed uint64
	}{"a counter is swapped in": {counting, 1}, "allocations are read before the pool": {theOtherOrder, 4}} {
		t.Run(name, func(t *testing.T) {
			for seed := way.seed; seed < way.seed+20; seed++ {
				if found := race(t, seed, 4, 4, way.how); found != "" {
					t.Logf("seed %d: %s", seed, found)
					return
				}
			}
			t.Error("no two ranges overlap, so the test does not see what it has to")
		})
	}
}
