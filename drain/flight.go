package drain

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// unseen bounds how long the mirror may take to show what an answer said.
	unseen = 5 * time.Second
	// unreachablePause is how long nothing is sent after unreachableRow requests in a row without an answer. One alone may be
	// due to a webhook that hangs, and each pod waits for itself then.
	unreachablePause = time.Second
	unreachableRow   = 3
)

// flight is an eviction between its sending and the moment the mirror shows what came of it. Until then its pod counts as
// leaving, and its budget as one with an eviction that is not counted, so that the lag of a watch causes no second
// request.
type flight struct {
	Eviction
	// revision of the budget when the eviction was decided.
	revision string
	// counted says that the mirror saw the budget with the eviction on its list. The watch of budgets may lag behind that
	// of pods, and an older state would show room that is used up.
	counted bool
	// answered is zero while the request is under way.
	answered time.Time
	outcome  Outcome
}

// lands says that the mirror shows the outcome, or should have by now.
func (s *session) lands(f *flight, now time.Time) bool {
	if f.answered.IsZero() {
		return false
	}
	if now.Sub(f.answered) > unseen {
		return true
	}
	r := s.room(f.Pod.Namespace)
	pod, found := r.pods[f.Pod.Name]
	gone := !found || pod.uid != f.UID || pod.deadline != 0
	switch f.outcome {
	case OutcomeEvicted:
		return gone && (f.counted || f.free || f.Budget == "")
	case OutcomeGone:
		return gone
	case OutcomeRefused:
		// The budget was read before somebody else used it up.
		b, found := s.budget(f.Budget)
		return !found || b.revision != f.revision
	case OutcomeConflict:
		return gone || now.Sub(f.answered) > unreachablePause
	default:
		return true
	}
}

// count marks the flights that a new state of their budget tells of.
func (s *session) count(b mirrored) {
	for _, d := range b.Disrupted {
		for _, f := range s.flights {
			f.counted = f.counted || f.Pod.Name == d.Pod && f.Budget == b.Key()
		}
	}
}

// budget finds a budget by its namespace/name.
func (s *session) budget(key string) (*mirrored, bool) {
	namespace, name, found := strings.Cut(key, "/")
	if !found {
		return nil, false
	}
	b, found := s.room(namespace).budgets[name]
	return b, found
}

// underWay says that the pod, or another one of its budget, is in flight. Of a controller without a budget another ready one
// counts too, where the policy waits for replacements: another drain may have sent it after this one was decided on.
func (s *session) underWay(e Eviction, waitFor WaitFor) bool {
	for _, f := range s.flights {
		if f.UID == e.UID || e.Budget != "" && f.Budget == e.Budget || waitFor != WaitForEviction && sameCrew(f.Eviction, e) {
			return true
		}
	}
	return false
}

// sameCrew says that both pods serve under one controller and no budget.
func sameCrew(a, b Eviction) bool {
	crew := b.known.Controller.UID
	return crew != "" && a.known.Controller.UID == crew && a.Budget == "" && b.Budget == "" && !a.free && !b.free
}

// depart takes an eviction up.
func (s *session) depart(e Eviction) {
	f := &flight{Eviction: e}
	if b, found := s.budget(e.Budget); found {
		f.revision = b.revision
	}
	s.flights[e.UID] = f
	s.flying++
}

// arrive notes the answer about a pod of the group. If its run has ended, an answer that is missing says nothing about the API server.
func (s *session) arrive(a Answer, g *group, ended bool, now time.Time) {
	s.flying--
	if !ended || a.Outcome != OutcomeUnreachable {
		s.refusals = Remember(s.refusals, Result{Answers: []Answer{a}}, now)
		s.pause(a, now)
	}
	if f := s.flights[a.UID]; f != nil {
		f.answered, f.outcome = now, a.Outcome
	}
	s.wake(g.latest(), a.Node)
}

// pause keeps every drain from sending while the API server asks to wait, or answers nobody.
func (s *session) pause(a Answer, now time.Time) {
	if a.Outcome != OutcomeUnreachable {
		s.unanswered = 0
	} else {
		s.unanswered++
	}
	switch {
	case a.Outcome == OutcomeThrottled:
		s.pausedUntil = later(s.pausedUntil, now.Add(throttled(a.RetryAfter)))
	case s.unanswered >= unreachableRow:
		s.pausedUntil = later(s.pausedUntil, now.Add(unreachablePause))
	}
}

// clear forgets the flights that have landed.
func (s *session) clear(now time.Time) {
	for uid, f := range s.flights {
		if s.lands(f, now) {
			delete(s.flights, uid)
		}
	}
}

// stands keeps an earlier answer for a pod in force while it is asked again, which may take as long as a request may: a pod
// that nothing moves would else look as if it were leaving. It says whether there was one.
func (s *session) stands(snapshot *Snapshot, uid types.UID, now time.Time) bool {
	i := slices.IndexFunc(snapshot.Refusals, func(r Refusal) bool { return r.UID == uid && r.Outcome != OutcomeThrottled })
	if i < 0 {
		return false
	}
	snapshot.Refusals = slices.Clone(snapshot.Refusals)
	snapshot.Refusals[i].At = now
	return true
}

// overlay shows the flights in a snapshot, and says whether there are any of its pods or budgets.
func (s *session) overlay(snapshot *Snapshot, pods map[types.UID]int, now time.Time) (flying bool) {
	for uid, f := range s.flights {
		leaves := f.answered.IsZero() || f.outcome != OutcomeRefused
		if f.answered.IsZero() && s.stands(snapshot, uid, now) {
			leaves = false
		}
		i, found := pods[uid]
		flying = flying || found
		if found && leaves && !snapshot.Pods[i].Terminating() {
			snapshot.Pods[i].Deadline = now.Add(snapshot.Pods[i].Grace + unseen)
		}
		if f.Budget == "" || f.free && leaves {
			continue
		}
		for i := range snapshot.Budgets {
			if b := &snapshot.Budgets[i]; b.Key() == f.Budget {
				b.Disrupted = append(slices.Clip(b.Disrupted), Disruption{Pod: f.Pod.Name, At: now})
				flying = true
			}
		}
	}
	return flying
}
