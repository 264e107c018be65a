package preflight

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestEstimate(t *testing.T) {
	cart := Workload{Namespace: "shop", Kind: "Deployment", Name: "cart"}
	db := Workload{Namespace: "shop", Kind: "StatefulSet", Name: "db"}
	tests := map[string]struct {
		chains []Chain
		pods   int
		want   Range
	}{
		"nothing to move takes no time": {},
		"12 pods one at a time: 11 starts of 8 s or 45 s, and the last end of 1 s or 30 s": {
			chains: []Chain{{Workload: cart, Pods: 12, AtOnce: 1, Grace: 30 * time.Second}}, pods: 12,
			want: Range{Low: 89 * time.Second, High: 525 * time.Second},
		},
		"10 pods three at a time are four rounds": {
			chains: []Chain{{Workload: cart, Pods: 10, AtOnce: 3, Grace: 30 * time.Second}}, pods: 10,
			want: Range{Low: 25 * time.Second, High: 165 * time.Second},
		},
		"all at once wait for no start": {
			chains: []Chain{{Workload: cart, Pods: 3, AtOnce: 3, Grace: 30 * time.Second}}, pods: 3,
			want: Range{Low: time.Second, High: 30 * time.Second},
		},
		"an ordered pod starts when the one before has ended: 2 times 1+8 s or 60+45 s": {
			chains: []Chain{{Workload: db, Pods: 3, AtOnce: 1, Ordered: true, Grace: time.Minute}}, pods: 3,
			want: Range{Low: 19 * time.Second, High: 270 * time.Second},
		},
		"a grace of a day counts as 10 minutes, one of nothing as none": {
			chains: []Chain{{Workload: db, Pods: 1, AtOnce: 1, Grace: 24 * time.Hour}, {Workload: cart, Pods: 1, AtOnce: 1}}, pods: 2,
			want: Range{Low: time.Second, High: 10 * time.Minute},
		},
		"chains run side by side": {
			chains: []Chain{{Workload: cart, Pods: 2, AtOnce: 1}, {Workload: db, Pods: 3, AtOnce: 1}}, pods: 5,
			want: Range{Low: 16 * time.Second, High: 90 * time.Second},
		},
		"many pods need 20 or 10 creations per second": {
			chains: []Chain{{Workload: cart, Pods: 2, AtOnce: 1}}, pods: 6000,
			want: Range{Low: 5 * time.Minute, High: 10 * time.Minute},
		},
		"none at once has no end, and the others have": {
			chains: []Chain{
				{Workload: db, Budget: "shop/db", Pods: 3}, {Workload: cart, Pods: 2, AtOnce: 1}, {Workload: cart, Pods: 1}, {Workload: cart, Pods: 1},
			},
			pods: 5,
			want: Range{Low: 8 * time.Second, High: 45 * time.Second, Unbounded: []string{
				"Deployment shop/cart", "PodDisruptionBudget shop/db of StatefulSet shop/db",
			}},
		},
		"pods that cannot start elsewhere stand after the first round": {
			chains: []Chain{{Workload: db, Pods: 2, AtOnce: 1, Bound: true}, {Workload: cart, Pods: 2, AtOnce: 2, Bound: true}}, pods: 4,
			want: Range{Low: 200 * time.Millisecond, High: 400 * time.Millisecond, Unbounded: []string{"StatefulSet shop/db"}},
		},
		"odd numbers stay within bounds": {
			chains: []Chain{
				{Workload: cart, Pods: math.MaxInt, AtOnce: 1, Ordered: true, Grace: math.MaxInt64}, {Workload: db, Pods: -1, AtOnce: 1, Grace: math.MinInt64},
			},
			pods: math.MaxInt,
			want: Range{Low: 99_999*9*time.Second + time.Second, High: 99_999*645*time.Second + 10*time.Minute},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Estimate(test.chains, test.pods)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Estimate() (-want +got):\n%s", diff)
			}
		})
	}
}
