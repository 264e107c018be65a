package ladder

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/drain"
)

// TestForceBelievesWhatIsReadNow has plans that are older than what was read of the pod and its budgets.
func TestForceBelievesWhatIsReadNow(t *testing.T) {
	not := func(why string) []string {
		return []string{"Skipped: does not delete pod shop/cart-5d4f-1 yet, because " + why}
	}
	covered := func(budgets ...string) func(*Facts) { return func(f *Facts) { f.Pods[0].Budgets = budgets } }
	allows := func(b Budget) func(*Facts) { return func(f *Facts) { f.Budgets["shop/cart"] = b } }
	const rest = ", because the drain's policy says Force after 30m0s, and it is in the way since 2026-11-23T11:00:00Z: "
	forces := []string{"Force: deletes pod shop/cart-5d4f-1 and breaks PodDisruptionBudget shop/cart" + rest + "x"}
	two := []string{"Force: deletes pod shop/cart-5d4f-1 and breaks PodDisruptionBudgets shop/cart and shop/x" + rest + "x"}
	held := planOf(cart(forceIn30, because(drain.ReasonPodDisruptionBudget, "x")))
	never := planOf(cart(forceIn30, because(drain.ReasonUnsatisfiableBudget, "x")))
	multiple := planOf(cart(forceIn30, because(drain.ReasonMultipleBudgets, "x")))
	crew := planOf(cart(forceIn30, because(drain.ReasonReplacementNotReady, "x"), func(b *drain.Blocker) { b.Budget = "" }))
	runDecide(t, map[string]stepCase{
		"a wish of its own": {
			plan: held, facts: forceFacts(func(f *Facts) { f.Pods[0].Wish = "it asks not to be disrupted, by annotation" }), policy: climbing(),
			want: not("it asks not to be disrupted, by annotation"),
		},
		"the budget allows one":          {plan: held, facts: forceFacts(allows(Budget{Allowed: 1})), policy: climbing(), want: not("PodDisruptionBudget shop/cart allows one by now")},
		"allowed by an older spec":       {plan: held, facts: forceFacts(allows(Budget{Allowed: 1, Stale: true})), policy: climbing(), want: forces},
		"a budget that never did allows": {plan: never, facts: forceFacts(allows(Budget{Allowed: 1})), policy: climbing(), want: not("PodDisruptionBudget shop/cart allows one by now")},
		"the budget is gone":             {plan: held, facts: forceFacts(covered()), policy: climbing(), want: not("PodDisruptionBudget shop/cart alone no longer covers it")},
		"there is another budget": {
			plan: held, facts: forceFacts(covered("shop/a", "shop/cart")), policy: climbing(),
			want: not("PodDisruptionBudget shop/cart alone no longer covers it"),
		},
		"two budgets": {plan: multiple, facts: forceFacts(covered("shop/cart", "shop/x"), allows(Budget{Allowed: 1})), policy: climbing(), want: two},
		"one of two budgets is gone": {
			plan: multiple, facts: forceFacts(), policy: climbing(), want: not("no longer more than one PodDisruptionBudget covers it"),
		},
		"a budget instead of a controller": {
			plan: crew, facts: forceFacts(), policy: climbing(), want: not("PodDisruptionBudget shop/cart by now decides about it"),
		},
	})
}

func TestWishes(t *testing.T) {
	tests := map[string]struct {
		change func(*corev1.Pod)
		want   string
	}{
		"none":  {func(*corev1.Pod) {}, ""},
		"skip":  {func(p *corev1.Pod) { p.Labels = map[string]string{drain.LabelDrain: "skip"} }, "its label cluster.x-k8s.io/drain is skip"},
		"other": {func(p *corev1.Pod) { p.Labels = map[string]string{drain.LabelDrain: "other"} }, ""},
		"wait": {
			func(p *corev1.Pod) { p.Labels = map[string]string{drain.LabelDrain: "wait-completed"} }, "its label cluster.x-k8s.io/drain is wait-completed",
		},
		"for ever": {
			func(p *corev1.Pod) { p.Annotations = map[string]string{drain.AnnotationDoNotDisruptKarpenter: "true"} },
			"it asks not to be disrupted, by annotation",
		},
		"for a while": {
			func(p *corev1.Pod) { p.Annotations = map[string]string{drain.AnnotationDoNotDisrupt: "61m"} },
			"it asks not to be disrupted, by annotation",
		},
		"not any more": {func(p *corev1.Pod) { p.Annotations = map[string]string{drain.AnnotationDoNotDisrupt: "59m"} }, ""},
	}
	for name, tc := range tests {
		p := &corev1.Pod{Status: corev1.PodStatus{StartTime: &metav1.Time{Time: ago(time.Hour)}}}
		if tc.change(p); wishOf(p, noon) != tc.want {
			t.Errorf("%s: wish %q, want %q", name, wishOf(p, noon), tc.want)
		}
	}
}
