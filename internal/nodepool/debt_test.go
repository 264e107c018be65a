package nodepool

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// after is a time after noon.
func after(d time.Duration) time.Time { return noon.Add(d) }

// cart is a budget of Deployment cart in the way since then.
func cart(since time.Duration) drain.Blocker {
	return drain.Blocker{
		Pod: types.NamespacedName{Namespace: "shop", Name: "cart-1"}, Reason: drain.ReasonPodDisruptionBudget, Budget: "shop/cart",
		Owner: "Deployment/cart", Pods: 3, Since: after(since),
	}
}

// bare is a pod without an owner.
func bare(name string, since time.Duration) drain.Blocker {
	return drain.Blocker{Pod: types.NamespacedName{Namespace: "shop", Name: name}, Reason: drain.ReasonUnmanagedPod, Pods: 1, Since: after(since)}
}

func minutes(n int) *int64 { return new(int64(n) * 60) }

// look is one look at a drain.
type look struct {
	at       time.Duration
	blockers []drain.Blocker
}

// looks every 10 seconds from one time to another see the same.
func looks(from, to time.Duration, blockers ...drain.Blocker) (all []look) {
	for at := from; at <= to; at += 10 * time.Second {
		all = append(all, look{at, blockers})
	}
	return all
}

// debtAfter is what is told after the looks, and how often it was written.
func debtAfter(before fleetwrightv1.DrainDebt, all ...look) (debt fleetwrightv1.DrainDebt, writes int) {
	debt = before
	for _, l := range all {
		next := settleDebt(*debt.DeepCopy(), l.blockers, after(l.at))
		if !cmp.Equal(debt, next) {
			writes++
		}
		debt = next
	}
	return debt, writes
}

// brief is who owes how much, and for how long who stands in the way now.
func brief(debt fleetwrightv1.DrainDebt) (lines []string) {
	for _, d := range debt.Workloads {
		line := fmt.Sprintf("%s/%s %s %s %ds", d.Namespace, d.Owner, d.Budget, d.Reason, *d.Seconds)
		if d.Pods > 0 {
			line += fmt.Sprintf(", %d pods since %s", d.Pods, d.SinceTime.Sub(noon))
		}
		lines = append(lines, line)
	}
	return lines
}

func TestDebt(t *testing.T) {
	const minute = time.Minute
	for name, tc := range map[string]struct {
		looks []look
		want  []string
		// most is how often it may be written.
		most int
	}{
		"nothing in the way": {looks: looks(0, 10*minute)},
		"a budget that passes within 2 minutes owes nothing": {
			looks: slices.Concat(looks(0, 2*minute, cart(0)), looks(2*minute+10*time.Second, 4*minute)),
			most:  3,
		},
		"a budget that does not owes from its beginning": {
			looks: looks(0, 10*minute, cart(0)),
			want:  []string{"shop/Deployment/cart cart PodDisruptionBudget 600s, 3 pods since 0s"},
			most:  11,
		},
		"to its end": {
			looks: slices.Concat(looks(0, 10*minute+20*time.Second, cart(0)), looks(10*minute+30*time.Second, 20*minute)),
			want:  []string{"shop/Deployment/cart cart PodDisruptionBudget 630s"},
			most:  12,
		},
		"one that was blocked before anybody waited owes from the first look": {
			looks: looks(0, 10*minute, cart(-5*time.Hour)),
			want:  []string{"shop/Deployment/cart cart PodDisruptionBudget 600s, 3 pods since -5h0m0s"},
			most:  11,
		},
		"each blockage of a budget adds": {
			looks: slices.Concat(looks(0, 4*minute, cart(0)), looks(4*minute+10*time.Second, 9*minute+10*time.Second, cart(4*minute+10*time.Second))),
			want:  []string{"shop/Deployment/cart cart PodDisruptionBudget 550s, 3 pods since 4m10s"},
			most:  11,
		},
		"what never passes owes at once": {
			looks: looks(0, minute, bare("debug", 0)),
			want:  []string{"shop/Pod/debug  UnmanagedPod 60s, 1 pods since 0s"},
			most:  2,
		},
		"time in which several pods wait counts once": {
			looks: looks(0, 10*minute, cart(0), cart(5*minute)),
			want:  []string{"shop/Deployment/cart cart PodDisruptionBudget 600s, 6 pods since 0s"},
			most:  11,
		},
		"a drain that is on hold is nobody's debt": {
			looks: slices.Concat(looks(0, 3*minute, bare("debug", 0)), looks(3*time.Hour, 3*time.Hour+3*minute, bare("debug", 0))),
			want:  []string{"shop/Pod/debug  UnmanagedPod 360s, 1 pods since 0s"},
			most:  8,
		},
		"what ended while nobody looked": {
			looks: slices.Concat(looks(0, 3*minute, bare("debug", 0)), looks(3*time.Hour, 3*time.Hour)),
			want:  []string{"shop/Pod/debug  UnmanagedPod 180s"},
			most:  5,
		},
		"a restart of some minutes loses nothing": {
			looks: slices.Concat(looks(0, 3*minute, bare("debug", 0)), looks(7*minute, 8*minute, bare("debug", 0))),
			want:  []string{"shop/Pod/debug  UnmanagedPod 480s, 1 pods since 0s"},
			most:  6,
		},
		"one that began long ago and comes into the way now owes from now": {
			looks: slices.Concat(looks(0, 30*time.Second, bare("debug", 0)), looks(40*time.Second, 3*minute+40*time.Second, bare("debug", 0), cart(-5*minute))),
			want:  []string{"shop/Pod/debug  UnmanagedPod 180s, 1 pods since 0s", "shop/Deployment/cart cart PodDisruptionBudget 120s, 3 pods since -5m0s"},
			most:  4,
		},
		"another reason is another debt, and the worst comes first": {
			looks: slices.Concat(looks(0, 4*minute, bare("debug", 0)), looks(4*minute+10*time.Second, 6*minute+10*time.Second, cart(4*minute)), looks(6*minute+20*time.Second, 7*minute)),
			want:  []string{"shop/Pod/debug  UnmanagedPod 250s", "shop/Deployment/cart cart PodDisruptionBudget 140s"},
			most:  9,
		},
		"a clock that was set back takes nothing and gives nothing": {
			looks: slices.Concat(looks(10*minute, 12*minute, bare("debug", 10*minute)), looks(0, minute, bare("debug", 10*minute))),
			want:  []string{"shop/Pod/debug  UnmanagedPod 120s, 1 pods since 1m0s"},
			most:  5,
		},
		"what no workload can help": {looks: looks(0, 10*minute,
			drain.Blocker{Node: "n", Reason: drain.ReasonNotCordoned, Since: noon},
			drain.Blocker{Pod: cart(0).Pod, Reason: drain.ReasonNodeLost, Since: noon},
			drain.Blocker{Pod: cart(0).Pod, Reason: drain.ReasonForbidden, Since: noon},
			drain.Blocker{Pod: cart(0).Pod, Reason: drain.ReasonUnreachable, Since: noon},
		)},
	} {
		t.Run(name, func(t *testing.T) {
			debt, writes := debtAfter(fleetwrightv1.DrainDebt{}, tc.looks...)
			if diff := cmp.Diff(tc.want, brief(debt)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if writes > tc.most {
				t.Errorf("%d writes in %d looks, want at most %d", writes, len(tc.looks), tc.most)
			}
		})
	}
}

// With its debt wiped in the middle, nothing that was counted is counted again.
func TestDebtIsNotCountedTwice(t *testing.T) {
	before, _ := debtAfter(fleetwrightv1.DrainDebt{}, looks(0, time.Hour, cart(0), bare("debug", 0))...)
	wiped, _ := debtAfter(fleetwrightv1.DrainDebt{}, looks(time.Hour, time.Hour+10*time.Minute, cart(0), bare("debug", 0))...)
	if got := *before.Workloads[0].Seconds + *wiped.Workloads[0].Seconds; got != 70*60 {
		t.Errorf("%d seconds in 70 minutes", got)
	}
	again, writes := debtAfter(before, looks(time.Hour, time.Hour+50*time.Second, cart(0), bare("debug", 0))...)
	if writes != 0 || !cmp.Equal(before, again) {
		t.Errorf("within a minute it was written %d times: %s", writes, cmp.Diff(before, again))
	}
}

// The list is bounded. Who begins to stand in the way has no debt yet, and finds
// a place all the same.
func TestDebtIsBounded(t *testing.T) {
	full := fleetwrightv1.DrainDebt{SettledTime: metav1.NewTime(noon)}
	for n := range maxDebts {
		full.Workloads = append(full.Workloads, fleetwrightv1.WorkloadDebt{
			Namespace: "shop", Owner: fmt.Sprintf("Deployment/d%02d", n), Reason: "WebhookDenied", Seconds: minutes(100 - n), LastTime: metav1.NewTime(noon),
		})
	}
	debt, _ := debtAfter(full, looks(time.Minute, 3*time.Minute, bare("debug", time.Minute))...)
	got := brief(debt)
	if len(got) != maxDebts || got[0] != "shop/Pod/debug  UnmanagedPod 120s, 1 pods since 1m0s" {
		t.Errorf("%d entries, the first is %q", len(got), got[0])
	}
	if last := "shop/Deployment/d18  WebhookDenied 4920s"; got[maxDebts-1] != last {
		t.Errorf("the last is %q, want %q", got[maxDebts-1], last)
	}
	var crowd []drain.Blocker
	for n := range 50 {
		crowd = append(crowd, bare(fmt.Sprintf("p%02d", n), 0))
	}
	one, writes := debtAfter(fleetwrightv1.DrainDebt{}, looks(0, 10*time.Minute, crowd...)...)
	for range 5 {
		slices.Reverse(crowd)
		if other, _ := debtAfter(fleetwrightv1.DrainDebt{}, looks(0, 10*time.Minute, crowd...)...); !cmp.Equal(one, other) {
			t.Fatalf("another order, another debt: %s", cmp.Diff(one, other))
		}
	}
	if len(one.Workloads) != maxDebts || *one.Workloads[0].Seconds != 600 || writes > 11 {
		t.Errorf("%d entries, the first %+v, after %d writes", len(one.Workloads), one.Workloads[0], writes)
	}
}

// What is told of debt decides nothing: wiped before each look, the operator does
// the same. Told, it is written once a minute at most.
func TestDebtIsOnlyAReport(t *testing.T) {
	t.Parallel()
	play := func(wipe bool) (*azure, []string) {
		a := newAzure(t)
		a.running("D4")
		a.startTrouble(0)
		a.before = func(np *fleetwrightv1.Nodepool) {
			if !wipe || cmp.Equal(np.Status.DrainDebt, fleetwrightv1.DrainDebt{}) {
				return
			}
			np.Status.DrainDebt = fleetwrightv1.DrainDebt{}
			if err := server.Status().Update(t.Context(), np); err != nil {
				t.Fatal(err)
			}
		}
		a.change(machine("D8"))
		began := a.clock.Now()
		a.run(func() bool { return a.clock.Now().Sub(began) > 10*time.Minute }, "general")
		return a, slices.DeleteFunc(a.op.written(""), func(line string) bool { return strings.HasPrefix(line, "patch status") })
	}
	told, wrote := play(false)
	if _, wroteWiped := play(true); !cmp.Equal(wrote, wroteWiped) {
		t.Errorf("with debt wiped, the operator wrote something else: %s", cmp.Diff(wrote, wroteWiped))
	}
	debt := told.get("general").Status.DrainDebt.Workloads
	if len(debt) != 1 || debt[0].Owner != "ReplicaSet/trouble0" || debt[0].Reason != "UnsatisfiableBudget" || *debt[0].Seconds < 5*60 || *debt[0].Seconds > 10*60 {
		t.Errorf("10 minutes later debt is %v", brief(fleetwrightv1.DrainDebt{Workloads: debt}))
	}
}
