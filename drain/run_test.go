package drain

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
)

// shop is a group of which nothing is left in the mirror.
var shop = &group{}

// decided is a run on node old-1 that has decided on the evictions of group shop and not sent them yet.
func decided(policy Policy, evictions ...Eviction) *run {
	r := newRun([]NodeRef{{Name: "old-1"}}, policy.withDefaults(), func(Plan) {})
	r.session = newSession(fake.NewClientset(), Options{Parallel: 10, Timeout: time.Second, Pace: 100, ReportEvery: time.Second}, rate.NewLimiter(100, 100))
	r.session.runs[r] = true
	r.session.mirror.nodes["old-1"] = cordoned("old-1")[0]
	r.all = false
	if err := r.watch(r.session.mirror); err != nil {
		panic(err)
	}
	r.parts[shop] = &part{plan: Plan{Evict: evictions, Remaining: len(evictions)}, sent: map[types.UID]bool{}, due: time.Now().Add(time.Hour)}
	return r
}

// of makes an eviction one of a ready pod of the controller.
func of(e Eviction, controller types.UID) Eviction {
	e.known.Controller.UID = controller
	return e
}

// TestSendLooksAtWhatOthersSent is about what another drain sent after this one decided.
func TestSendLooksAtWhatOthersSent(t *testing.T) {
	unready := func(e Eviction) Eviction { e.free = true; return e }
	web := of(eviction("web-1", ""), "rs-web")
	tests := map[string]struct {
		other  Eviction
		policy Policy
		goes   bool
	}{
		"the same pod":                         {other: web},
		"another of its controller":            {other: of(eviction("web-2", ""), "rs-web")},
		"another whose replacement may wait":   {other: of(eviction("web-2", ""), "rs-web"), policy: Policy{WaitFor: WaitForEviction}, goes: true},
		"one that serves nobody":               {other: unready(of(eviction("web-2", ""), "rs-web")), goes: true},
		"one of another controller":            {other: of(eviction("db-1", ""), "rs-db"), goes: true},
		"one that has a budget":                {other: of(eviction("web-2", "shop/web"), "rs-web"), goes: true},
		"one without controller is of no crew": {other: eviction("tool", ""), goes: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := decided(tc.policy, web)
				r.session.depart(tc.other)
				r.send(t.Context(), time.Now())
				if sent := r.parts[shop].sent[web.UID]; sent != tc.goes {
					t.Errorf("sent: %v, want %v", sent, tc.goes)
				}
				r.sending.Wait()
			})
		})
	}
}

// TestSendNothingAfterANodeMoved: the node may have been opened, or given up, since the run decided.
func TestSendNothingAfterANodeMoved(t *testing.T) {
	for name, move := range map[string]func(*session){
		"a node was opened":   func(s *session) { s.putNode(Node{Name: "old-1", Ready: true}) },
		"a node was given up": func(s *session) { s.putNode(Node{Name: "old-1", Ready: true, Unschedulable: true, Quarantined: true}) },
		"a watch broke":       func(s *session) { s.changed(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			r := decided(Policy{}, eviction("web-1", ""), eviction("web-2", ""))
			move(r.session)
			if wait := r.send(t.Context(), time.Now()); wait != 0 || r.session.flying != 0 {
				t.Errorf("%d evictions sent, next look in %s, want none and at once", r.session.flying, wait)
			}
			r.sending.Wait()
		})
	}
}

// TestLookIsNotEmptyBeforeItHasLooked: a namespace that moved and is not decided about yet may hold a pod.
func TestLookIsNotEmptyBeforeItHasLooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := decided(Policy{})
		r.session.putPod(pod("cart-1", "cart"))
		for _, t := range r.session.room("shop").teams {
			r.parts[t.group] = &part{notBefore: time.Now().Add(time.Second), due: time.Now().Add(time.Hour)}
		}
		for range 2 {
			next, err := r.look(t.Context())
			if err != nil || r.told.Empty || next > time.Second {
				t.Fatalf("look = %s, %v; %s", next, err, r.told)
			}
			pass(next)
		}
		if r.told.Remaining != 1 {
			t.Errorf("%s, want the pod", r.told)
		}
		r.sending.Wait()
	})
}
