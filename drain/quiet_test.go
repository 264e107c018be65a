package drain

import (
	"testing"
	"time"
)

func TestDoNotDisrupt(t *testing.T) {
	tests := map[string]struct {
		pod      Pod
		behavior Behavior
		// message is the blocker's, or what is added to the reason of the eviction.
		message string
	}{
		"none": {pod: pod("a", "cart"), behavior: "Evict"},
		"true": {
			pod: pod("a", "cart", calm("true")), behavior: "DoNotDisrupt",
			message: "its do-not-disrupt annotation asks to leave it alone, take it off or move the pod by hand",
		},
		"True, with a blank": {
			pod: pod("a", "cart", calm(" True")), behavior: "DoNotDisrupt",
			message: "its do-not-disrupt annotation asks to leave it alone, take it off or move the pod by hand",
		},
		"a bare pod": {
			pod: pod("a", "tool", bare, calm("true")), behavior: "DoNotDisrupt",
			message: "its do-not-disrupt annotation asks to leave it alone, take it off or move the pod by hand",
		},
		"terminating":  {pod: pod("a", "cart", calm("true"), deadline(noon)), behavior: "Leaving"},
		"finished":     {pod: pod("a", "cart", calm("true"), phase("Succeeded")), behavior: "Skip"},
		"label skip":   {pod: pod("a", "cart", calm("true"), label(LabelDrain, "skip")), behavior: "Skip"},
		"label waits":  {pod: pod("a", "cart", calm("true"), label(LabelDrain, "wait-completed")), behavior: "WaitCompleted", message: "it carries the label cluster.x-k8s.io/drain: wait-completed and has not finished"},
		"false is no":  {pod: pod("a", "cart", calm("false")), behavior: "Evict"},
		"just not yet": {pod: pod("a", "cart", calm("1h"), started(time.Hour-1)), behavior: "DoNotDisrupt", message: "its do-not-disrupt annotation asks to leave it alone until 2026-11-23T12:00:00Z"},
		"over":         {pod: pod("a", "cart", calm("1h"), started(time.Hour)), behavior: "Evict", message: "; its do-not-disrupt annotation ended at 2026-11-23T12:00:00Z"},
		"counted from the creation before the start": {
			pod: pod("a", "cart", calm("1h30m")), behavior: "DoNotDisrupt", message: "its do-not-disrupt annotation asks to leave it alone until 2026-11-23T12:30:00Z",
		},
		"a number without unit": {
			pod: pod("a", "cart", calm("3600")), behavior: "Evict", message: `; its do-not-disrupt annotation means nothing: "3600" is neither true nor a duration`,
		},
		"less than nothing": {
			pod: pod("a", "cart", calm("-1h")), behavior: "Evict", message: `; its do-not-disrupt annotation means nothing: "-1h" is neither true nor a duration`,
		},
		"a word": {
			pod: pod("a", "cart", calm("please")), behavior: "Evict", message: `; its do-not-disrupt annotation means nothing: "please" is neither true nor a duration`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Classify(tc.pod, Policy{}, noon).Behavior; got != tc.behavior {
				t.Errorf("Behavior = %s, want %s", got, tc.behavior)
			}
			plan := Decide(Snapshot{Nodes: cordoned("old-1"), Pods: []Pod{tc.pod}, Budgets: []Budget{budget("cart")}}, Policy{}, noon)
			got := ""
			switch {
			case len(plan.Blockers) == 1:
				got = plan.Blockers[0].Message
			case len(plan.Evict) == 1:
				got = plan.Evict[0].Why[len("PodDisruptionBudget shop/cart allows 1 of 3: 3 ready, 2 needed"):]
			}
			if got != tc.message {
				t.Errorf("message %q, want %q", got, tc.message)
			}
		})
	}
}

// FuzzDoNotDisrupt: whatever the value, the pod is left alone exactly as long as the value says.
func FuzzDoNotDisrupt(f *testing.F) {
	for _, value := range []string{"true", "false", "", "4h", "-4h", "1h30m", "90", "2562047h47m16.854775807s", "9999999h", "1e9h", "h", "\x00", "0", "+5m"} {
		f.Add(value, int64(time.Hour))
	}
	f.Fuzz(func(t *testing.T, value string, age int64) {
		p := pod("a", "cart", calm(value), started(time.Duration(age)))
		verdict := Classify(p, Policy{}, noon)
		duration, err := time.ParseDuration(value)
		holds := verdict.Behavior == BehaviorDoNotDisrupt
		if err == nil && holds != (duration >= 0 && noon.Before(p.Started.Add(duration))) {
			t.Errorf("%q on a pod of %s: %+v", value, time.Duration(age), verdict)
		}
		if value == "true" && (!holds || !verdict.Until.IsZero()) {
			t.Errorf("true: %+v", verdict)
		}
		if holds && verdict.Deadline != (Deadline{Action: DeadlineWait}) {
			t.Errorf("%q has a deadline: %+v", value, verdict)
		}
		if !verdict.Until.IsZero() && noon.Before(verdict.Until) != holds {
			t.Errorf("%q: Until and Behavior do not agree: %+v", value, verdict)
		}
	})
}
