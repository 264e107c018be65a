package ladder

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fleetwright/fleetwright/drain"
)

func drawPolicy(t *rapid.T) drain.Policy {
	p := drain.Policy{Started: started}
	for _, action := range []drain.RungAction{drain.RungNotify, drain.RungRestartSingleton, drain.RungScaleUpBudget} {
		if rapid.IntRange(0, 3).Draw(t, string(action)) > 0 {
			p.Ladder = append(p.Ladder, drain.Rung{Action: action, After: time.Minute})
		}
	}
	p.Deadline.Action = rapid.SampledFrom([]drain.DeadlineAction{
		drain.DeadlineWait, drain.DeadlineWait, drain.DeadlineQuarantine, drain.DeadlineForce,
	}).Draw(t, "deadline")
	return p
}

func writes(s Step) bool { return s.Action != ActionSkipped && s.Action != ActionStanding }

// TestTheLadderComesToRest climbs in drawn worlds until nothing is left to write, with looks whose steps are lost and steps
// that are taken twice, and then finds the world as it was.
func TestTheLadderComesToRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		policy := drawPolicy(t)
		before := w.snapshot()
		var steps []Step
		lost := false
		for look, quiet := 0, 0; quiet < 16; look++ { // longer than a deadline waits for help, from the last eviction on
			if look > 150 {
				t.Fatalf("after %d looks there are still steps: %q", look, only(steps))
			}
			steps = w.look(t, policy)
			quiet++
			if slices.ContainsFunc(steps, writes) {
				quiet = 0
			}
			times := rapid.IntRange(0, 2).Draw(t, "times")
			if lost && times == 0 {
				times = 1
			}
			lost = times == 0
			for range times {
				for _, s := range steps {
					if err := Act(t.Context(), w.client, s, nil); err != nil {
						t.Fatal(err)
					}
				}
			}
			w.tick()
			if !lost {
				w.helped(t, steps)
			}
		}
		left := w.plan(policy).Blockers
		switch {
		case policy.Deadline.Action == drain.DeadlineForce && len(left) > 0:
			t.Fatalf("the deadline is over and %q are still there", left)
		case policy.Deadline.Action != drain.DeadlineQuarantine && len(Outstanding(steps)) == 0:
			if diff := cmp.Diff(before, w.snapshot()); diff != "" {
				t.Fatalf("nothing is outstanding, and the world is not as it was (-before +after):\n%s", diff)
			}
		case policy.Deadline.Action == drain.DeadlineWait && len(left) == 0:
			t.Fatalf("no pod is left and there is still %q", Outstanding(steps))
		}
		if err := PutBackAll(t.Context(), w.client, us); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, w.snapshot()); diff != "" {
			t.Fatalf("the drain left something behind (-before +after):\n%s", diff)
		}
	})
}

// look is one look of the ladder: the same world gives the same answer, and no Deployment is changed twice by it.
func (w *world) look(t *rapid.T, policy drain.Policy) []Step {
	plan := w.plan(policy)
	facts, err := Observe(t.Context(), w.client, us, plan, policy, w.now)
	if err != nil {
		t.Fatal(err)
	}
	steps := Decide(plan, facts, policy, w.now)
	if diff := cmp.Diff(steps, Decide(plan, facts, policy, w.now)); diff != "" {
		t.Fatalf("the same world has two answers:\n%s", diff)
	}
	changed := map[Object]Action{}
	for _, s := range steps {
		if s.String() == "" || s.Does == "" {
			t.Fatalf("a step without words: %+v", s)
		}
		if !writes(s) || s.Action == ActionNotify {
			continue
		}
		if changed[s.Object] != "" {
			t.Fatalf("%s: %s and %s in one look", s.Object, changed[s.Object], s.Action)
		}
		changed[s.Object] = s.Action
	}
	return steps
}

// helped says that a scale-up has made its budget allow one, unless the new pod is not ready, and that a Deployment never
// has more than one pod in addition.
func (w *world) helped(t *rapid.T, steps []Step) {
	for _, a := range w.apps {
		if n := *w.deployment(a).Spec.Replicas; n > a.replicas+1 {
			t.Fatalf("%s has %d pods, began with %d", a.name, n, a.replicas)
		}
		for _, s := range steps {
			if s.Action == ActionScaleUp && s.Object.Name == a.name && !a.slow && a.budget.Allowed == 0 {
				t.Fatalf("%s, and the budget still allows nothing: %+v", s, a.budget)
			}
		}
	}
}
