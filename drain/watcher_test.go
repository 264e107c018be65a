package drain

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
)

// TestWatcherEndsAtTheBound drains hundreds of pods in virtual time and compares with what no drain could beat.
func TestWatcherEndsAtTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1", "old-2", "old-3", "new")
		services := drawServices(rand.New(rand.NewPCG(1, 2)), 60, 12)
		pods := 0
		for i, s := range services {
			l.add(s, []string{"shop", "bank", "post"}[i%3], "old-1", "old-2", "old-3")
			pods += s.replicas
		}
		began := time.Now()
		plan, err := l.drain(t.Context(), Options{Pace: 100}, Policy{WaitFor: WaitForEviction}, "old-1", "old-2", "old-3")
		took, least := time.Since(began), bound(services)
		if err != nil || !plan.Empty {
			t.Fatalf("drain = %v, %s", err, plan)
		}
		posts := 0
		for _, n := range l.posts {
			posts += n
		}
		t.Logf("%d pods in %s, bound %s: %.3f; %d evictions, %d refused", pods, took, least, float64(took)/float64(least), posts, l.refused)
		if ratio := float64(took) / float64(least); ratio > 1.03 {
			t.Errorf("took %s, %.3f times the bound of %s", took, ratio, least)
		}
		if posts != pods || l.refused > 0 || l.most > 1 || len(l.broken) > 0 {
			t.Errorf("%d evictions of %d pods, %d refused, %d at once under one budget, broken: %v", posts, pods, l.refused, l.most, l.broken)
		}
		if l.watches != 0 {
			t.Errorf("%d watches are open after the drain", l.watches)
		}
	})
}

// TestWatcherKeepsThePace shows that pods without a budget go no faster than the control plane brings them back.
func TestWatcherKeepsThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1", "new")
		l.add(service{name: "web", replicas: 100, starts: time.Second, stops: time.Second}, "shop", "old-1")
		began := time.Now()
		if _, err := l.drain(t.Context(), Options{Pace: 10}, Policy{WaitFor: WaitForEviction}, "old-1"); err != nil {
			t.Fatal(err)
		}
		// Ten at once, then ten a second, and a second until the last has ended.
		if took := time.Since(began); took < 9*time.Second || took > 11500*time.Millisecond {
			t.Errorf("100 pods at 10 a second took %s", took)
		}
	})
}

// TestWatcherWaitsForReplacements is one at a time for pods without a budget, by default.
func TestWatcherWaitsForReplacements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1", "new")
		l.add(service{name: "web", replicas: 5, starts: 20 * time.Second, stops: time.Second}, "shop", "old-1")
		began := time.Now()
		if _, err := l.drain(t.Context(), Options{}, Policy{}, "old-1"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 81*time.Second || took > 83*time.Second {
			t.Errorf("five pods whose replacements take 20 s each were gone in %s", took)
		}
	})
}

// TestWatcherLeavesARefusedBudgetAlone sends nothing more to a budget that refused before it has moved.
func TestWatcherLeavesARefusedBudgetAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1", "new")
		l.add(service{name: "cart", replicas: 3, away: 1, starts: time.Second, stops: time.Second}, "shop", "old-1")
		refusals := 0
		l.answers = func(string) error {
			if refusals++; refusals == 1 {
				return overBudget()
			}
			return nil
		}
		done := make(chan error)
		go func() {
			_, err := l.drain(t.Context(), Options{}, Policy{}, "old-1")
			done <- err
		}()
		pass(2 * time.Second)
		if refusals != 1 {
			t.Errorf("%d evictions within 2 s although the budget refused the first and did not move", refusals)
		}
		l.recount(l.services["cart"])
		if err := <-done; err != nil || refusals != 4 {
			t.Errorf("drain = %v after %d evictions, want 4", err, refusals)
		}
	})
}

// TestWatcherSurvives is a table of what goes wrong on the way; every drain ends, and no budget is broken.
func TestWatcherSurvives(t *testing.T) {
	for name, disturb := range map[string]func(*live){
		"evictions without an answer": func(l *live) {
			n := 0
			l.answers = func(string) error {
				if n++; n%3 == 0 {
					return errors.New("connection reset by peer")
				}
				return nil
			}
		},
		"an API server that asks to wait": func(l *live) {
			n := 0
			l.answers = func(string) error {
				if n++; n == 2 {
					return apierrors.NewTooManyRequests("slow down", 7)
				}
				return nil
			}
		},
		"watches that are too old": func(l *live) {
			n := 0
			l.client.PrependWatchReactor("pods", func(clienttesting.Action) (bool, watch.Interface, error) {
				if n++; n < 3 {
					gone := watch.NewFakeWithChanSize(1, false)
					gone.Error(&apierrors.NewResourceExpired("too old").ErrStatus)
					return true, gone, nil
				}
				return false, nil, nil
			})
		},
		"slow counting":  func(l *live) { l.counts = 3 * time.Second },
		"slow evictions": func(l *live) { l.takes = 9 * time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLive(t, "old-1", "old-2", "new")
				for _, s := range drawServices(rand.New(rand.NewPCG(3, 4)), 20, 6) {
					l.add(s, "shop", "old-1", "old-2")
				}
				disturb(l)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				plan, err := l.drain(ctx, Options{}, Policy{WaitFor: WaitForEviction}, "old-1", "old-2")
				if err != nil || !plan.Empty || len(l.broken) > 0 || l.most > 1 {
					t.Errorf("drain = %v, %s; broken: %v, %d at once under one budget", err, plan, l.broken, l.most)
				}
			})
		})
	}
}

// TestWatcherStopsAtOnce ends with its context, sends nothing afterwards, and closes its watches.
func TestWatcherStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1", "new")
		l.add(service{name: "web", replicas: 50, starts: time.Second, stops: time.Second}, "shop", "old-1")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := l.drain(ctx, Options{}, Policy{}, "old-1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain = %v, want the context's end", err)
		}
		before := len(l.posts)
		pass(time.Minute)
		if before == 0 || len(l.posts) != before || l.watches != 0 {
			t.Errorf("%d evictions at the end and %d a minute later, %d watches open", before, len(l.posts), l.watches)
		}
	})
}

// TestWatcherLetsRequestsEnd: what is under way when the drain is stopped gets its answer, for three seconds, and an answer that
// is missing then keeps no other drain of the Watcher from going on.
func TestWatcherLetsRequestsEnd(t *testing.T) {
	for takes, want := range map[time.Duration]struct {
		ends    time.Duration
		granted int
	}{
		2 * time.Second:  {ends: 2 * time.Second, granted: 1},
		14 * time.Second: {ends: 4 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLive(t, "old-1", "old-2", "new")
			l.add(service{name: "cart", replicas: 3, away: 1, starts: time.Second, stops: time.Minute}, "shop", "old-1")
			l.takes = takes
			w := NewWatcher(evicting{l.client, l}, Options{})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			other, stop := context.WithCancel(t.Context())
			l.add(service{name: "web", replicas: 1, starts: time.Second, stops: time.Second}, "bank", "old-2")
			done := make(chan error)
			go func() { done <- w.Drain(other, refs("old-2"), Policy{}, func(Plan) {}) }()
			_ = w.Drain(ctx, refs("old-1"), Policy{}, func(Plan) {})
			if took := time.Since(began); took < want.ends || took > want.ends+100*time.Millisecond {
				t.Errorf("stopped after %s, want %s, requests take %s", took, want.ends, takes)
			}
			l.mu.Lock()
			granted := 0
			for name, p := range l.pods {
				if l.serves[name] == "cart" && p.DeletionTimestamp != nil {
					granted++
				}
			}
			l.mu.Unlock()
			if granted != want.granted {
				t.Errorf("%d evictions were granted, want %d, requests take %s", granted, want.granted, takes)
			}
			w.mu.Lock()
			s := w.current
			w.mu.Unlock()
			s.mu.Lock()
			if len(s.runs) != 1 || !s.pausedUntil.IsZero() || s.unanswered != 0 {
				t.Errorf("the other drain pauses, or has ended")
			}
			s.mu.Unlock()
			stop()
			<-done
		})
	}
}

// TestWatcherNeedsClosedNodes evicts nothing while a node takes pods, and goes on by itself once it is closed.
func TestWatcherNeedsClosedNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1", "new")
		l.add(service{name: "cart", replicas: 3, away: 1, starts: time.Second, stops: time.Second}, "shop", "old-1")
		setOpen := func(open bool) {
			node, err := l.client.CoreV1().Nodes().Get(t.Context(), "old-1", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			node.Spec.Unschedulable = !open
			l.mu.Lock()
			defer l.mu.Unlock()
			l.write(node, corev1.SchemeGroupVersion.WithResource("nodes"), false)
		}
		setOpen(true)
		done := make(chan error)
		go func() {
			_, err := l.drain(t.Context(), Options{}, Policy{}, "old-1")
			done <- err
		}()
		pass(time.Minute)
		if len(l.posts) > 0 {
			t.Errorf("%d evictions from a node that takes pods", len(l.posts))
		}
		setOpen(false)
		if err := <-done; err != nil || len(l.posts) != 3 {
			t.Errorf("drain = %v with %d evictions, want 3", err, len(l.posts))
		}
	})
}

// TestWatcherSharesABudget runs two drains whose pods have one budget.
func TestWatcherSharesABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1", "old-2", "new")
		l.add(service{name: "cart", replicas: 8, away: 3, starts: 2 * time.Second, stops: time.Second}, "shop", "old-1", "old-2")
		l.takes = 500 * time.Millisecond
		w := NewWatcher(evicting{l.client, l}, Options{})
		done := make(chan error)
		for _, node := range []string{"old-1", "old-2"} {
			go func() { done <- w.Drain(t.Context(), refs(node), Policy{}, func(Plan) {}) }()
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		if l.most != 1 || l.refused > 0 || len(l.posts) != 8 || len(l.broken) > 0 || l.watches != 0 {
			t.Errorf("%d at once, %d refused, %d pods evicted, broken: %v, %d watches open", l.most, l.refused, len(l.posts), l.broken, l.watches)
		}
	})
}

// TestWatcherSaysWhyItCannotBegin returns the first list's error.
func TestWatcherSaysWhyItCannotBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1")
		l.client.PrependReactor("list", "poddisruptionbudgets", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(schema.GroupResource{Group: policyv1.GroupName, Resource: "poddisruptionbudgets"}, "", errors.New("no list"))
		})
		_, err := l.drain(t.Context(), Options{}, Policy{}, "old-1")
		if !apierrors.IsForbidden(err) || l.watches != 0 {
			t.Errorf("drain = %v with %d watches open, want Forbidden and none", err, l.watches)
		}
	})
}
