package drift

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

var (
	noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	key  = types.NamespacedName{Namespace: "shop", Name: "prod"}
)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func TestDecide(t *testing.T) {
	one := []Field{{"expander", "random", "priority"}}
	fight := []Write{{At: at(-50), By: "gitops"}, {At: at(-49), Ours: true}, {At: at(-30)}, {At: at(-29), Ours: true}, {At: at(0)}}
	for name, tc := range map[string]struct {
		policy  fleetwrightv1.DriftPolicy
		look    Look
		history []Write
		want    Verdict
	}{
		"as declared": {look: Look{Applied: true}, want: Verdict{Action: "Leave"}},
		"never written": {
			policy: "Report", look: Look{Fields: one},
			want: Verdict{Action: "Apply", Fields: one, Message: `expander is "priority", declared is "random"`},
		},
		"healed": {
			look: Look{Fields: one, Applied: true, ChangedAt: at(-3), ChangedBy: "jo@example.com"},
			want: Verdict{Action: "Heal", Reason: "Drifted", Fields: one, ChangedBy: "jo@example.com", Message: `expander is "priority", declared is "random", changed by jo@example.com 3m0s ago`},
		},
		"reported": {
			policy: "Report", look: Look{Fields: one, Applied: true, ChangedAt: at(-3)}, history: fight,
			want: Verdict{Action: "Report", Reason: "Drifted", Fields: one, Message: `expander is "priority", declared is "random", changed 3m0s ago; driftPolicy Report leaves it so`},
		},
		"adopted": {
			policy: "Adopt", look: Look{Fields: one, Applied: true},
			want: Verdict{Action: "Adopt", Reason: "Drifted", Fields: one, Message: `expander is "priority", declared is "random"; driftPolicy Adopt lives with it: put what was found into the spec`},
		},
		"contended": {
			policy: "Heal", look: Look{Fields: one, Applied: true}, history: fight,
			want: Verdict{Action: "Stop", Reason: "ContendedByAnotherManager", Fields: one, Message: `gitops has written the opposite 3 times since 11:10:00 (expander is "priority", declared is "random"): ` +
				"end that, or take these fields out of the spec, or set driftPolicy to Report"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Decide(tc.policy, tc.look, tc.history, noon)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFought: from the second opposite write within an hour on, somebody may have to be named.
func TestFought(t *testing.T) {
	other, ours := func(m int) Write { return Write{At: at(m)} }, func(m int) Write { return Write{At: at(m), Ours: true} }
	for name, tc := range map[string]struct {
		history []Write
		want    bool
	}{
		"nothing known":        {},
		"the first":            {history: []Write{other(-1)}},
		"two without answer":   {history: []Write{other(-2), other(-1)}},
		"the second":           {history: []Write{other(-60), ours(-59), other(-1)}, want: true},
		"the second, later":    {history: []Write{other(-61), ours(-60), other(-1)}},
		"the third, and later": {history: []Write{other(-300), ours(-299), other(-20), ours(-19), other(-1)}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Fought(tc.history, noon); got != tc.want {
				t.Errorf("fought is %t, want %t", got, tc.want)
			}
		})
	}
}

func TestContention(t *testing.T) {
	other, ours := func(m int) Write { return Write{At: at(m)} }, func(m int) Write { return Write{At: at(m), Ours: true} }
	for name, tc := range map[string]struct {
		history []Write
		want    bool
	}{
		"nothing known":           {},
		"two":                     {history: []Write{other(0), ours(1), other(2)}},
		"three in an hour":        {history: []Write{other(0), ours(1), other(2), ours(3), other(60)}, want: true},
		"three in more":           {history: []Write{other(0), ours(1), other(2), ours(3), other(61)}},
		"the last three":          {history: []Write{other(-200), ours(-199), other(0), ours(1), other(2), ours(3), other(60)}, want: true},
		"three without an answer": {history: []Write{other(0), other(1), other(2)}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, got := contention(tc.history); got != tc.want {
				t.Errorf("contention is %t, want %t", got, tc.want)
			}
		})
	}
}

// fight is one object, another manager, and what a controller does with both.
type fight struct {
	memory  Memory
	drifted bool
	puts    int
}

func (f *fight) look(now time.Time, generation int64) Action {
	if !f.drifted {
		f.memory.AsDeclared(key, generation, now)
		return Leave
	}
	look := Look{Fields: []Field{{Path: "a"}}, Applied: true}
	v := Decide("", look, f.memory.Drifted(key, generation, look, now), now)
	if v.Action == Heal {
		f.drifted = false
		f.puts++
		f.memory.Healed(key, generation, now)
	}
	return v.Action
}

func TestAFightEndsAfterTwoPutsAndStaysEnded(t *testing.T) {
	f := &fight{}
	for minute := range 24 * 60 {
		if minute%5 == 0 {
			f.drifted = true // the other manager reconciles
		}
		f.look(at(minute), 1)
	}
	if f.puts != 2 {
		t.Errorf("%d writes in a day of a fight, want 2", f.puts)
	}
	if got := f.look(at(25*60), 2); got != Heal {
		t.Errorf("after the spec was changed: %s, want Heal", got)
	}
}

// TestAFightAcrossRestarts: the memory is lost with each process, and each costs two writes, not one per look.
func TestAFightAcrossRestarts(t *testing.T) {
	f := &fight{}
	for minute := range 120 {
		if minute%60 == 0 {
			f.memory = Memory{}
		}
		f.drifted = f.drifted || minute%5 == 0
		f.look(at(minute), 1)
	}
	if f.puts != 4 {
		t.Errorf("%d writes with one restart, want 4", f.puts)
	}
}

func TestSlowDriftIsAlwaysHealed(t *testing.T) {
	f := &fight{}
	for hour := range 48 {
		f.drifted = true
		f.look(at(hour*60), 1)
		f.look(at(hour*60+1), 1)
	}
	if f.puts != 48 {
		t.Errorf("%d writes for 48 drifts, one each hour", f.puts)
	}
}

// TestAManagerThatGivesInAndBeginsAgain: while it is stopped, the other manager puts the value right by itself; its next opposite
// write within the hour is not healed, one after an hour of peace is.
func TestAManagerThatGivesInAndBeginsAgain(t *testing.T) {
	f := &fight{}
	for minute := range 3 {
		f.drifted = true
		f.look(at(minute), 1)
	}
	f.drifted = false
	f.look(at(10), 1)
	f.drifted = true
	if got := f.look(at(11), 1); got != Stop {
		t.Errorf("the fight begins again: %s, want Stop", got)
	}
	f.drifted = false
	f.look(at(12), 1)
	f.look(at(80), 1)
	if len(f.memory.objects) != 0 {
		t.Errorf("after an hour of peace there is still something to be counted: %v", f.memory.objects)
	}
	f.drifted = true
	if got := f.look(at(81), 1); got != Heal {
		t.Errorf("after an hour of peace: %s, want Heal", got)
	}
}

func TestMemoryCountsADriftThatStandsOnce(t *testing.T) {
	m := &Memory{}
	look := Look{Fields: []Field{{Path: "a"}}, ChangedAt: at(-1)}
	m.Drifted(key, 1, look, at(0))
	look.ChangedBy = "late news"
	history := m.Drifted(key, 1, look, at(5))
	if diff := cmp.Diff([]Write{{At: at(-1), By: "late news"}}, history); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m.Healed(key, 1, at(6))
	// Azure tells the time of an older change, which is not that of this one.
	if history = m.Drifted(key, 1, look, at(10)); !history[2].At.Equal(at(10)) {
		t.Errorf("the second drift is dated %s", history[2].At)
	}
	m.Forget(key)
	m.Healed(key, 1, at(11))
	m.AsDeclared(key, 1, at(11))
	if len(m.objects) != 0 {
		t.Errorf("an object that is gone is remembered: %v", m.objects)
	}
}

func TestRecord(t *testing.T) {
	long := make([]Field, 30)
	for i := range long {
		long[i].Path = string(make([]byte, 300))
	}
	for action, want := range map[Action]fleetwrightv1.DriftOutcome{Heal: "Healed", Report: "Reported", Stop: "Reported", Adopt: "Adopted", Leave: "", Apply: ""} {
		r, is := Verdict{Action: action, Fields: long}.Record(noon)
		if r.Outcome != want || is != (want != "") {
			t.Errorf("%s is recorded as %q, want %q", action, r.Outcome, want)
		}
		if is && (len(r.Fields) != 24 || len(r.Fields[0]) > 256) {
			t.Errorf("%d fields of %d bytes do not fit into status", len(r.Fields), len(r.Fields[0]))
		}
	}
}
