package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/fleetwright/fleetwright/internal/azure/graph"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// noneReadable is how Resource Graph says, with status 400, that it may show none of the subscriptions it is asked about.
const noneReadable = "NoValidSubscriptionsInQueryRequest"

// NeedLeaderElection makes one replica sweep.
func (*Sweeper) NeedLeaderElection() bool { return true }

// Start sweeps until ctx ends.
func (s *Sweeper) Start(ctx context.Context) error {
	var all sync.WaitGroup
	for _, t := range s.targets {
		all.Go(func() { s.rounds(ctx, t) })
	}
	all.Wait()
	return nil
}

// rounds spreads the batches of a Target over the time between two looks, each at its own moment, so that requests come evenly and a
// thing is looked at again after Every. It begins at a moment of its own as well.
func (s *Sweeper) rounds(ctx context.Context, t registered) {
	log := s.options.Log.WithValues("target", t.Name)
	next := s.options.Clock.Now().Add(rand.N(t.Every))
	for s.until(ctx, next) {
		began := next
		next = began.Add(t.Every)
		declared, err := t.Declared(ctx)
		if err != nil {
			sweepsTotal.WithLabelValues(t.Name, resultFailed).Inc()
			log.Error(err, "What should be in Azure cannot be listed")
			continue
		}
		all := batches(declared, t.Row, graph.PageRows)
		for i, b := range all {
			if !s.until(ctx, began.Add(t.Every*time.Duration(i)/time.Duration(len(all)))) {
				return
			}
			s.sweep(ctx, log, t, b)
		}
		// A round that took longer is not made up for.
		if now := s.options.Clock.Now(); next.Before(now) {
			next = now
		}
	}
}

// until waits; false when ctx has ended.
func (s *Sweeper) until(ctx context.Context, at time.Time) bool {
	wait := at.Sub(s.options.Clock.Now())
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := s.options.Clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C():
		return true
	}
}

// sweep asks about a batch and wakes whose things look different. What cannot be asked is unknown, and nobody is woken.
func (s *Sweeper) sweep(ctx context.Context, log logr.Logger, t registered, b batch) {
	rows, err := s.ask(ctx, t, b)
	var found map[string]Found
	if err == nil {
		found, err = read(t, rows)
	}
	switch now := s.options.Clock.Now(); {
	case ctx.Err() != nil:
	case lacksRight(err):
		t.tell(log, b.subscriptions, true, err)
		s.conclude(ctx, log, t, b.declared, verdict{result: resultUnreadable, wake: unseen(b.declared, s.lookUp, now)})
	case err != nil:
		sweepsTotal.WithLabelValues(t.Name, resultFailed).Inc()
		log.Error(err, "Azure cannot be asked what has changed; nothing is concluded", "subscriptions", b.subscriptions)
	default:
		for _, g := range groups(b.declared, found, s.lookUp) {
			v := judge(g, found, s.lookUp, t.Rules, now)
			// Few things that show nothing are no proof that they can be seen again.
			if unreadable := v.result == resultUnreadable; unreadable || !g.silent {
				t.tell(log, g.subscriptions, unreadable, nil)
			}
			s.conclude(ctx, log, t, g.declared, v)
		}
	}
}

// lacksRight tells whether Azure shows nothing because a right is missing. An identity that gets no token, or that Azure does not know (401),
// is denied as well, and no right that could be granted helps.
func lacksRight(err error) bool {
	r, is := refusal.Of(err)
	return is && r.Kind == refusal.Denied && (r.Status == http.StatusForbidden || strings.EqualFold(r.Code, noneReadable))
}

// read reads all rows, or fails as a whole.
func read(t registered, rows []json.RawMessage) (map[string]Found, error) {
	found := make(map[string]Found, len(rows))
	for _, row := range rows {
		things, err := t.Read(row)
		if err != nil {
			return nil, fmt.Errorf("read a row: %w", err)
		}
		for _, f := range things {
			found[idKey(f.ID)] = f
		}
	}
	return found, nil
}

// tell says once that subscriptions cannot be read, and once that they can be again. Why is nil when Azure does not say.
func (t registered) tell(log logr.Logger, subscriptions []string, unreadable bool, why error) {
	changed := slices.DeleteFunc(slices.Clone(subscriptions), func(id string) bool { return t.unreadable[id] == unreadable })
	if len(changed) == 0 {
		return
	}
	for _, id := range changed {
		t.unreadable[id] = unreadable
	}
	maps.DeleteFunc(t.unreadable, func(_ string, is bool) bool { return !is })
	if !unreadable {
		log.Info("What is declared in these subscriptions can be seen again", "subscriptions", changed)
		return
	}
	reason := "Resource Graph shows nothing of them"
	if why != nil {
		reason = why.Error()
	}
	log.Info("What is declared in these subscriptions cannot be seen by the operator's own identity: drift there is found once a day. Grant it Reader",
		"subscriptions", changed, "reason", reason)
}

// conclude keeps what was learnt, and wakes.
func (s *Sweeper) conclude(ctx context.Context, log logr.Logger, t registered, declared []Declared, v verdict) {
	s.note(v, s.options.Clock.Now())
	if v.result == resultUnreadable {
		s.hide(declared, s.options.Clock.Now())
	}
	suspectsTotal.WithLabelValues(t.Name).Add(float64(len(v.wake)))
	sweepsTotal.WithLabelValues(t.Name, v.result).Inc()
	if v.result == resultStrange {
		log.Info("Most of what is declared looks different at once: a few are asked about first",
			"declared", len(declared), "different", v.different, "asked", len(v.wake), "subscription", subscriptionOf(declared[0].ID))
	}
	for _, w := range v.wake {
		select {
		case t.wake <- eventOf(w.object):
		case <-ctx.Done():
			return
		}
	}
}

func eventOf(object types.NamespacedName) event.GenericEvent {
	return event.GenericEvent{Object: &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: object.Name}}}
}
