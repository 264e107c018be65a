package drain

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func answered(name string, outcome Outcome, message string) Answer {
	return Answer{Eviction: eviction(name, ""), Outcome: outcome, Message: message}
}

func TestAfterTellsWhatWasRefused(t *testing.T) {
	tests := map[string]struct {
		answers    []Answer
		blockers   []string
		summary    string
		checkAgain time.Duration
	}{
		"granted": {
			answers: []Answer{answered("a", OutcomeEvicted, "")}, blockers: []string{},
			summary: "0 of 1 node empty, 3 pods left, 1 leaving, 1 evicted", checkAgain: time.Second,
		},
		"denied by a webhook while another goes": {
			answers:  []Answer{answered("a", OutcomeEvicted, ""), answered("db-0", OutcomeWebhookDenied, "failing over")},
			blockers: []string{"WebhookDenied: pod shop/db-0 (failing over)"}, checkAgain: time.Second,
			summary: "0 of 1 node empty, 3 pods left, 1 leaving, 1 evicted; waits for pod shop/db-0 (failing over)",
		},
		"all denied: no hurry": {
			answers:  []Answer{answered("db-0", OutcomeWebhookDenied, "failing over")},
			blockers: []string{"WebhookDenied: pod shop/db-0 (failing over)"}, checkAgain: 10 * time.Second,
			summary: "0 of 1 node empty, 3 pods left; waits for pod shop/db-0 (failing over)",
		},
		"throttled": {
			answers:  []Answer{{Eviction: eviction("a", ""), Outcome: OutcomeThrottled, Message: "too many", RetryAfter: 30 * time.Second}},
			blockers: []string{"Unreachable: pod shop/a (too many)"}, checkAgain: 30 * time.Second,
			summary: "0 of 1 node empty, 3 pods left; waits for pod shop/a (too many)",
		},
		"gone and replaced are no trouble": {
			answers:  []Answer{answered("a", OutcomeGone, "not found"), answered("b", OutcomeConflict, "uid")},
			blockers: []string{}, checkAgain: time.Second, summary: "0 of 1 node empty, 3 pods left",
		},
		"worst first": {
			answers:  []Answer{answered("a", OutcomeRefused, "used up"), answered("b", OutcomeMisconfigured, "two budgets"), answered("c", OutcomeForbidden, "no right")},
			blockers: []string{"MultipleBudgets: pod shop/b (two budgets)", "Forbidden: pod shop/c (no right)", "PodDisruptionBudget: pod shop/a (used up)"},
			summary:  "0 of 1 node empty, 3 pods left; waits for pod shop/b (two budgets)", checkAgain: 10 * time.Second,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			before := Plan{Nodes: []NodeProgress{{Name: "old-1"}}, Remaining: 3, CheckAgain: time.Second}
			plan := before.After(Result{Answers: tc.answers})
			if diff := cmp.Diff(tc.blockers, blockers(plan)); diff != "" {
				t.Errorf("blockers (-want +got):\n%s", diff)
			}
			if plan.Summary != tc.summary {
				t.Errorf("Summary = %q, want %q", plan.Summary, tc.summary)
			}
			if plan.CheckAgain != tc.checkAgain {
				t.Errorf("CheckAgain = %s, want %s", plan.CheckAgain, tc.checkAgain)
			}
			if len(before.Blockers) != 0 {
				t.Error("After changed the plan it was called on")
			}
		})
	}
}

func TestRememberKeepsWhenItBegan(t *testing.T) {
	denied := Result{Answers: []Answer{answered("db-0", OutcomeWebhookDenied, "failing over")}}
	first := Remember(nil, denied, noon)
	second := Remember(first, denied, noon.Add(25*time.Second))
	want := []Refusal{{
		UID: "uid-db-0", Pod: denied.Answers[0].Pod, Outcome: "WebhookDenied", Message: "failing over",
		At: noon.Add(25 * time.Second), Since: noon,
	}}
	if diff := cmp.Diff(want, second); diff != "" {
		t.Errorf("second refusal (-want +got):\n%s", diff)
	}
	tests := map[string]struct {
		next Result
		at   time.Duration
		want int
	}{
		"nothing new":          {at: time.Minute, want: 1},
		"granted in the end":   {next: Result{Answers: []Answer{answered("db-0", OutcomeEvicted, "")}}, at: time.Minute, want: 0},
		"not sent":             {next: Result{Answers: []Answer{answered("db-0", OutcomeNotSent, "")}}, at: time.Minute, want: 1},
		"forgotten":            {at: 11 * time.Minute, want: 0},
		"a budget's no passes": {next: Result{Answers: []Answer{answered("x", OutcomeRefused, "")}}, at: time.Minute, want: 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Remember(second, tc.next, noon.Add(tc.at)); len(got) != tc.want {
				t.Errorf("Remember() = %+v, want %d", got, tc.want)
			}
		})
	}
}

func TestBlockerStuck(t *testing.T) {
	tests := map[string]struct {
		blocker Blocker
		want    bool
	}{
		"budget that blocks for a minute":   {Blocker{Reason: "PodDisruptionBudget", Since: ago(time.Minute)}, false},
		"budget that blocks for an hour":    {Blocker{Reason: "PodDisruptionBudget", Since: ago(time.Hour)}, true},
		"budget that blocks since whenever": {Blocker{Reason: "PodDisruptionBudget"}, false},
		"replacement":                       {Blocker{Reason: "ReplacementNotReady", Since: ago(time.Minute)}, false},
		"two budgets, at once":              {Blocker{Reason: "MultipleBudgets"}, true},
		"bare pod, at once":                 {Blocker{Reason: "UnmanagedPod"}, true},
		"webhook, at once":                  {Blocker{Reason: "WebhookDenied", Since: ago(time.Second)}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tc.blocker.Stuck(noon, 10*time.Minute); got != tc.want {
				t.Errorf("Stuck() = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestAfterLeavesTheFirstPlanAlone(t *testing.T) {
	before := Plan{Blockers: append(make([]Blocker, 0, 8), Blocker{Reason: "PodDisruptionBudget", Message: "used up"})}
	before.After(Result{Answers: []Answer{answered("a", OutcomeMisconfigured, "two budgets")}})
	if got := before.Blockers[0].Reason; got != "PodDisruptionBudget" {
		t.Errorf("the first plan's blocker became %s", got)
	}
}

func TestOldestBlockerFirst(t *testing.T) {
	list := []Blocker{
		{Message: "unknown", Reason: "PodDisruptionBudget"},
		{Message: "new", Reason: "PodDisruptionBudget", Since: ago(time.Minute)},
		{Message: "old", Reason: "PodDisruptionBudget", Since: ago(time.Hour)},
		{Message: "worse", Reason: "UnsatisfiableBudget"},
	}
	sortBlockers(list)
	got := []string{list[0].Message, list[1].Message, list[2].Message, list[3].Message}
	if diff := cmp.Diff([]string{"worse", "old", "new", "unknown"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// TestUnansweredStandsLongerEachTime: an eviction that never gets an answer is not asked for again and again.
func TestUnansweredStandsLongerEachTime(t *testing.T) {
	silent := Result{Answers: []Answer{answered("db-0", OutcomeUnreachable, "the API server did not answer: timeout")}}
	var known []Refusal
	for _, tc := range []struct{ at, stands time.Duration }{
		{0, 2 * time.Second}, {3 * time.Second, 5 * time.Second}, {9 * time.Second, 11 * time.Second}, {time.Minute, 20 * time.Second}, {time.Hour, 2 * time.Second},
	} {
		known = Remember(known, silent, noon.Add(tc.at))
		if got := known[0].stands(); got != tc.stands {
			t.Errorf("the answer that is missing after %s stands for %s, want %s", tc.at, got, tc.stands)
		}
	}
	// An old drain does not make a fresh silence look old.
	s := Snapshot{Nodes: cordoned("old-1"), Pods: []Pod{pod("db-0", "db")}, Owners: []Owner{wants("db", 1)}, Refusals: Remember(nil, silent, ago(time.Second))}
	plan := Decide(s, Policy{Started: ago(time.Hour)}, noon)
	if len(plan.Blockers) != 1 || plan.Blockers[0].Reason != ReasonUnreachable || !plan.Blockers[0].Since.Equal(ago(time.Second)) || len(plan.Evict) > 0 {
		t.Errorf("%+v, want one pod without an answer for a second", plan)
	}
}

// TestThrottledNamesWhatWouldGo: for a time that is asked for, within bounds, and only pods that nothing else holds.
func TestThrottledNamesWhatWouldGo(t *testing.T) {
	for retry, stands := range map[time.Duration]time.Duration{0: time.Second, 7 * time.Second: 7 * time.Second, time.Hour: time.Minute} {
		s := Snapshot{
			Nodes: cordoned("old-1"),
			Pods:  []Pod{pod("web-1", "web"), pod("db-1", "db", notReady(0)), pod("cart-1", "cart")}, Owners: []Owner{wants("web", 1), wants("db", 1)},
			Budgets:  []Budget{budget("cart", allows(0, 2, 2, 3))},
			Refusals: []Refusal{{UID: "uid-x", Outcome: OutcomeThrottled, Message: "slow down", At: noon, Since: ago(time.Minute), RetryAfter: retry}},
		}
		plan := Decide(s, Policy{}, noon.Add(stands-1))
		want := []string{
			"PodDisruptionBudget: pod shop/cart-1 (PodDisruptionBudget shop/cart allows 0 of 3: 2 ready, 2 needed)",
			"Unreachable: pod shop/db-1 and 1 more (the API server asks to wait: slow down)",
		}
		if diff := cmp.Diff(want, blockers(plan)); diff != "" || len(plan.Evict) > 0 || !plan.Blockers[1].Since.Equal(ago(time.Minute)) {
			t.Errorf("asked to wait %s: evict %v, blockers %+v (-want +got):\n%s", retry, evicted(plan), plan.Blockers, diff)
		}
		if plan = Decide(s, Policy{}, noon.Add(stands)); len(plan.Evict) != 2 {
			t.Errorf("asked to wait %s, after %s: evict %v", retry, stands, evicted(plan))
		}
	}
}
