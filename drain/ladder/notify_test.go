package ladder

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

const tells = "Notify: tells the owner of Deployment shop/cart, because the drain of node old-1 waits for pod shop/cart-5d4f-1 " +
	"(PodDisruptionBudget shop/cart allows 0 of 2: 2 ready, 2 needed) since 2026-11-23T11:00:00Z"

func TestTellsTheOwner(t *testing.T) {
	telling := climbing(drain.RungNotify)
	reasons := map[drain.Reason]bool{
		drain.ReasonNotCordoned: false, drain.ReasonUnreachable: false, drain.ReasonForbidden: false, drain.ReasonNamespaceTerminating: false,
		drain.ReasonWebhookDenied: true, drain.ReasonFinalizer: true, drain.ReasonWaitCompleted: true, drain.ReasonUnsatisfiableBudget: true,
		"SomethingNew": true,
	}
	for reason, want := range reasons {
		if got := only(Decide(planOf(cart(because(reason, "x"))), cartFacts(), telling, noon)); len(got) > 0 != want {
			t.Errorf("%s: steps %q, want one: %v", reason, got, want)
		}
	}
	b := cart()
	told := cartFacts()
	told.Told = map[string]bool{"shop/" + eventName(b, telling, noon): true}
	runDecide(t, map[string]stepCase{
		"the Deployment":               {plan: planOf(b), facts: cartFacts(), policy: telling, want: []string{tells}},
		"once for two rows":            {plan: planOf(b, b), facts: cartFacts(), policy: telling, want: []string{tells}},
		"not before its time":          {plan: planOf(cart(func(b *drain.Blocker) { b.Since = ago(time.Second) })), facts: cartFacts(), policy: telling},
		"not while its event is there": {plan: planOf(b), facts: told, policy: telling},
		"a pod without owner": {
			plan: planOf(cart(bare)), facts: Facts{Drain: us}, policy: telling,
			want: []string{"Notify: tells the owner of pod shop/lone, because the drain of node old-1 waits for pod shop/lone " +
				"(no controller would bring it back, move or delete it by hand) since 2026-11-23T11:00:00Z"},
		},
		"many nodes and pods": {
			plan:  planOf(cart(func(b *drain.Blocker) { b.Pods, b.Nodes = 9, []string{"old-1", "old-2", "old-3", "old-4", "old-5"} })),
			facts: cartFacts(), policy: telling,
			want: []string{"Notify: tells the owner of Deployment shop/cart, because the drain of nodes old-1, old-2, old-3 and 2 more waits for " +
				"pod shop/cart-5d4f-1 and 8 more (PodDisruptionBudget shop/cart allows 0 of 2: 2 ready, 2 needed) since 2026-11-23T11:00:00Z"},
		},
	})
}

func TestNoticesComeLast(t *testing.T) {
	facts := forceFacts()
	steps := Decide(planOf(cart(forceIn30)), facts, climbing(drain.RungNotify), noon)
	if len(steps) != 2 || steps[0].Action != ActionForce || steps[1].Action != ActionNotify {
		t.Errorf("steps %q, want the notice last", only(steps))
	}
}

func TestEventIsFoundAgainAndAgainEachHour(t *testing.T) {
	telling := climbing(drain.RungNotify)
	b := cart()
	due := b.Since.Add(time.Minute)
	first := eventName(b, telling, due)
	others := map[string]string{
		"an hour later":      eventName(b, telling, due.Add(time.Hour)),
		"two hours later":    eventName(b, telling, due.Add(2*time.Hour)),
		"another budget":     eventName(cart(func(b *drain.Blocker) { b.Budget = "shop/other" }), telling, due),
		"another owner":      eventName(cart(func(b *drain.Blocker) { b.Owner = "Deployment/web" }), telling, due),
		"another namespace":  eventName(cart(func(b *drain.Blocker) { b.Pod.Namespace = "web" }), telling, due),
		"another drain":      eventName(b, drain.Policy{Started: noon, Ladder: telling.Ladder}, due),
		"a pod of its own":   eventName(cart(bare), telling, due),
		"another lonely pod": eventName(cart(bare, func(b *drain.Blocker) { b.Pod.Name = "lone-2" }), telling, due),
	}
	seen := map[string]string{first: "the first"}
	for what, name := range others {
		if seen[name] != "" {
			t.Errorf("%s has the name of %s", what, seen[name])
		}
		seen[name] = what
	}
	same := map[string]string{
		"another reason of the same budget": eventName(cart(because(drain.ReasonUnsatisfiableBudget, "x")), telling, due),
		"the hour's end":                    eventName(b, telling, due.Add(time.Hour-time.Nanosecond)),
		"another pod of the same": eventName(cart(func(b *drain.Blocker) {
			b.Pod.Name, b.UID, b.Pods, b.Message = "cart-5d4f-2", "uid-cart-2", 7, "other numbers"
		}), telling, due),
	}
	for what, name := range same {
		if name != first {
			t.Errorf("%s has another name", what)
		}
	}
}

func TestEventAndNotice(t *testing.T) {
	steps := Decide(planOf(cart(ending(drain.DeadlineForce, 4*time.Hour))), cartFacts(), climbing(drain.RungNotify), noon)
	if len(steps) != 1 {
		t.Fatalf("steps = %q", only(steps))
	}
	e := steps[0].Event
	if e.Namespace != "shop" || e.Type != "Warning" || e.Reason != "DrainBlocked" || e.InvolvedObject.Kind != "Deployment" ||
		e.InvolvedObject.Name != "cart" || e.InvolvedObject.UID != types.UID("uid-cart") || e.InvolvedObject.APIVersion != "apps/v1" {
		t.Errorf("event %+v", e)
	}
	if e.Message != steps[0].Why {
		t.Errorf("event says %q", e.Message)
	}
	raw, err := json.MarshalIndent(steps[0].Notice, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "version": "v1",
  "type": "DrainBlocked",
  "drain": "prod/general",
  "workload": {
    "kind": "Deployment",
    "namespace": "shop",
    "name": "cart"
  },
  "pod": "shop/cart-5d4f-1",
  "pods": 1,
  "nodes": [
    "old-1"
  ],
  "budget": "shop/cart",
  "reason": "PodDisruptionBudget",
  "message": "PodDisruptionBudget shop/cart allows 0 of 2: 2 ready, 2 needed",
  "since": "2026-11-23T11:00:00Z",
  "time": "2026-11-23T12:00:00Z",
  "count": 1,
  "deadline": {
    "action": "Force",
    "time": "2026-11-23T15:00:00Z"
  }
}`
	if diff := cmp.Diff(want, string(raw)); diff != "" {
		t.Errorf("notice (-want +got):\n%s", diff)
	}
}

func TestNoticeThreatensOnlyWithWhatWillHappen(t *testing.T) {
	telling := climbing(drain.RungNotify)
	tests := map[string]struct {
		blocker drain.Blocker
		action  string
	}{
		"wait":               {cart(ending(drain.DeadlineWait, 0)), ""},
		"force":              {cart(ending(drain.DeadlineForce, time.Hour*9)), "Force"},
		"force of a webhook": {cart(because(drain.ReasonWebhookDenied, "no"), ending(drain.DeadlineForce, time.Hour*9)), ""},
		"quarantine":         {cart(because(drain.ReasonFinalizer, "x"), ending(drain.DeadlineQuarantine, time.Hour*9)), "Quarantine"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if d := Decide(planOf(tc.blocker), cartFacts(), telling, noon)[0].Notice.Deadline; d != nil {
				got = d.Action
			}
			if got != tc.action {
				t.Errorf("notice threatens with %q, want %q", got, tc.action)
			}
		})
	}
}

func TestLongMessagesAreCutAtACharacter(t *testing.T) {
	steps := Decide(planOf(cart(because(drain.ReasonRejected, strings.Repeat("ä", 1000)))), cartFacts(), climbing(drain.RungNotify), noon)
	m := steps[0].Event.Message
	if len(m) > 1024 || len(m) < 1020 || !strings.HasSuffix(m, "ä...") {
		t.Errorf("message of %d bytes ends in %q", len(m), m[len(m)-12:])
	}
}
