package drain

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
)

// TestWatcherGoesOnBesideSilence: pods whose eviction never gets an answer are named, asked for rarely, and hold up nobody else.
func TestWatcherGoesOnBesideSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1", "new")
		l.add(service{name: "mute", replicas: 1, starts: time.Second, stops: time.Second}, "bank", "old-1")
		l.add(service{name: "web", replicas: 200, starts: time.Second, stops: time.Second}, "shop", "old-1")
		asked, others := 0, time.Time{}
		l.answers = func(pod string) error {
			if strings.HasPrefix(pod, "mute-") {
				asked++
				return errors.New("context deadline exceeded")
			}
			others = time.Now()
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		began := time.Now()
		plan, _ := l.drain(ctx, Options{}, Policy{WaitFor: WaitForEviction}, "old-1")
		if took := others.Sub(began); took > 11*time.Second {
			t.Errorf("200 other pods at 20 a second took %s", took)
		}
		if asked < 20 || asked > 40 {
			t.Errorf("the pod was asked for %d times in 10 minutes", asked)
		}
		want := "Unreachable: pod bank/mute-1 (the API server did not answer: context deadline exceeded)"
		if got := blockers(plan); len(got) != 1 || got[0] != want || plan.Blockers[0].Since.Sub(began) > time.Second {
			t.Errorf("blockers %+v, want %s from the beginning on", plan.Blockers, want)
		}
	})
}

// TestWatcherNamesThePodWhileItIsAskedAgain: a request may take as long as it may, and the pod still waits for an answer.
func TestWatcherNamesThePodWhileItIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1", "new")
		l.add(service{name: "mute", replicas: 1, starts: time.Second, stops: time.Second}, "bank", "old-1")
		l.takes = 15 * time.Second
		l.answers = func(string) error { return errors.New("context deadline exceeded") }
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		silent, named, last := time.Duration(0), false, time.Now()
		_ = NewWatcher(evicting{l.client, l}, Options{}).Drain(ctx, refs("old-1"), Policy{}, func(p Plan) {
			if !named {
				silent += time.Since(last)
			}
			named, last = len(p.Blockers) == 1 && p.Leaving == 0, time.Now()
		})
		if silent > time.Minute {
			t.Errorf("the pod was not named for %s of 10 minutes, want only the first request and a second of each other", silent)
		}
	})
}

// TestWatcherWaitsWhenAsked: no namespace sends anything while the API server asks to wait, which is a minute at most.
func TestWatcherWaitsWhenAsked(t *testing.T) {
	for asked, waits := range map[int]time.Duration{7: 7 * time.Second, 3600: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			l := newLive(t, "old-1", "new")
			for _, name := range []string{"cart", "web", "db"} {
				l.add(service{name: name, replicas: 20, away: 1, starts: time.Second, stops: time.Second}, name, "old-1")
			}
			var throttled time.Time
			n, sooner, said := 0, 0, false
			l.answers = func(string) error {
				if n++; n == 10 {
					throttled = time.Now()
					return apierrors.NewTooManyRequests("slow down", asked)
				}
				if n > 10 && time.Since(throttled) < waits && time.Since(throttled) > l.takes {
					sooner++
				}
				return nil
			}
			err := NewWatcher(evicting{l.client, l}, Options{}).Drain(t.Context(), refs("old-1"), Policy{}, func(p Plan) {
				for _, b := range p.Blockers {
					said = said || b.Reason == ReasonUnreachable && strings.Contains(b.Message, "asks to wait")
				}
			})
			if err != nil || sooner > 0 || !said {
				t.Errorf("drain = %v, %d evictions within %s of an answer that asked for %d s; named: %v", err, sooner, waits, asked, said)
			}
		})
	}
}

// TestWatcherListsRarelyWhileAWatchIsRefused: the lists of a large cluster are no way to follow it.
func TestWatcherListsRarelyWhileAWatchIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLive(t, "old-1", "new")
		l.add(service{name: "cart", replicas: 1, starts: time.Second, stops: time.Second}, "shop", "old-1")
		l.answers = func(string) error { return overBudget() }
		lists := 0
		l.client.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
			lists++
			return false, nil, nil
		})
		l.client.PrependWatchReactor("pods", func(clienttesting.Action) (bool, watch.Interface, error) {
			return true, nil, apierrors.NewForbidden(podsResource.GroupResource(), "", errors.New("no watch"))
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		_, _ = l.drain(ctx, Options{}, Policy{}, "old-1")
		if lists < 10 || lists > 60 {
			t.Errorf("%d lists in 10 minutes in which no watch was to be had", lists)
		}
	})
}
