package arm

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"
	testclock "k8s.io/utils/clock/testing"

	"github.com/fleetwright/fleetwright/internal/azure/broker"
)

// TestAskersShareOneRequest: all who ask while one request runs get its answer, also when the one who started it has gone.
func TestAskersShareOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache[int](clock.RealClock{}, time.Minute)
		var fetched atomic.Int32
		release := make(chan struct{})
		fetch := func(ctx context.Context) (int, error) {
			fetched.Add(1)
			select {
			case <-release:
				return 7, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		leaving, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := c.get(leaving, "here", time.Time{}, fetch)
			gone <- err
		}()
		synctest.Wait()
		answers := make(chan int, 10)
		for range 10 {
			go func() {
				v, _ := c.get(t.Context(), "here", time.Time{}, fetch)
				answers <- v
			}()
		}
		synctest.Wait()
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone gets %v", err)
		}
		close(release)
		for range 10 {
			if v := <-answers; v != 7 {
				t.Errorf("an asker got %d", v)
			}
		}
		if n := fetched.Load(); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestWhoIsInAHurryDoesNotShareAQueue: an emergency does not wait for budget where a read waits that began before it; two emergencies share.
func TestWhoIsInAHurryDoesNotShareAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache[broker.Priority](clock.RealClock{}, time.Minute)
		var reads, emergencies atomic.Int32
		fetch := func(ctx context.Context) (broker.Priority, error) {
			p := broker.CallOf(ctx).Priority
			if p == broker.PriorityScaleUp {
				emergencies.Add(1)
				<-time.After(time.Second)
				return p, nil
			}
			reads.Add(1)
			<-time.After(5 * time.Second) // it waits for its turn
			return p, nil
		}
		type answer struct {
			of, is broker.Priority
			after  time.Duration
		}
		answers, begin := make(chan answer, 4), time.Now()
		for _, p := range []broker.Priority{broker.PriorityDefault, broker.PriorityDefault, broker.PriorityScaleUp, broker.PriorityScaleUp} {
			go func() {
				is, err := c.get(broker.For(t.Context(), broker.Call{Priority: p}), "here", time.Time{}, fetch)
				if err != nil {
					t.Error(err)
				}
				answers <- answer{p, is, time.Since(begin)}
			}()
			synctest.Wait()
		}
		for range 4 {
			a := <-answers
			if want := map[broker.Priority]time.Duration{broker.PriorityDefault: 5 * time.Second, broker.PriorityScaleUp: time.Second}[a.of]; a.is != a.of || a.after != want {
				t.Errorf("who asked with priority %s got the answer of %s after %s", a.of, a.is, a.after)
			}
		}
		if reads.Load() != 1 || emergencies.Load() != 1 {
			t.Errorf("%d reads and %d emergencies were sent", reads.Load(), emergencies.Load())
		}
	})
}

// TestRequestsEnd: a request that Azure never answers ends by itself, and the next one starts anew.
func TestRequestsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache[int](clock.RealClock{}, time.Minute)
		_, err := c.get(t.Context(), "here", time.Time{}, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if v, err := c.get(t.Context(), "here", time.Time{}, func(context.Context) (int, error) { return 7, nil }); v != 7 || err != nil {
			t.Errorf("then %d %v", v, err)
		}
	})
}

func TestAnswersAreDroppedWhenTheyAreOld(t *testing.T) {
	now := testclock.NewFakePassiveClock(time.Unix(0, 0))
	c := newCache[int](now, time.Minute)
	for _, key := range []string{"a", "b"} {
		if _, err := c.get(t.Context(), key, time.Time{}, func(context.Context) (int, error) { return 1, nil }); err != nil {
			t.Fatal(err)
		}
		now.SetTime(now.Now().Add(time.Minute))
	}
	if len(c.answers) != 1 {
		t.Errorf("%d answers are kept, want 1", len(c.answers))
	}
}

// What was read before a change says nothing of the room after it.
func TestAnswersFromBeforeAChangeAreReadAgain(t *testing.T) {
	clk := testclock.NewFakeClock(time.Unix(1000, 0))
	c := newCache[int](clk, time.Minute)
	answers := 0
	get := func(since time.Time) int {
		v, err := c.get(t.Context(), "here", since, func(context.Context) (int, error) { answers++; return answers, nil })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := get(time.Time{})
	clk.Step(5 * time.Second)
	changed := clk.Now()
	if again := get(changed.Add(-10 * time.Second)); again != first {
		t.Errorf("nothing has changed and the answer is the %d.", again)
	}
	if again := get(changed); again == first {
		t.Error("the answer is from before the change")
	}
}
