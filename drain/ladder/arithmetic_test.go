package ladder

import (
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"
)

func TestOneMore(t *testing.T) {
	tests := map[string]struct {
		budget Budget
		why    string
	}{
		"as many as there are":          {budget: Budget{MinAvailable: number(3), Healthy: 3, Expected: 3}},
		"more than there are":           {Budget{MinAvailable: number(4), Healthy: 3, Expected: 3}, "minAvailable 4 of shop/cart needs 4 ready, and there would be 4 pods"},
		"one is not ready, one more is": {budget: Budget{MinAvailable: number(2), Healthy: 2, Expected: 3}},
		"two are not ready": {
			Budget{MinAvailable: number(2), Healthy: 1, Expected: 3}, "minAvailable 2 of shop/cart needs 2 of 4 ready, and 2 would be",
		},
		"all":                                 {Budget{MinAvailable: percent("100%"), Healthy: 3, Expected: 3}, "minAvailable 100% of shop/cart never allows one, however many pods there are"},
		"a share that rounds up to all":       {Budget{MinAvailable: percent("90%"), Healthy: 5, Expected: 5}, "minAvailable 90% of shop/cart needs 6 ready, and there would be 6 pods"},
		"a share that leaves one of one more": {budget: Budget{MinAvailable: percent("90%"), Healthy: 9, Expected: 9}},
		"none may be missing":                 {Budget{MaxUnavailable: number(0), Healthy: 3, Expected: 3}, "maxUnavailable 0 of shop/cart never allows one, however many pods there are"},
		"no share may be missing":             {Budget{MaxUnavailable: percent("0%"), Healthy: 3, Expected: 3}, "maxUnavailable 0% of shop/cart never allows one, however many pods there are"},
		"one is missing already": {
			Budget{MaxUnavailable: number(1), Healthy: 2, Expected: 3}, "maxUnavailable 1 of shop/cart needs 3 of 4 ready, and 3 would be",
		},
		"a share of which one more makes two": {budget: Budget{MaxUnavailable: percent("25%"), Healthy: 3, Expected: 4}},
		"nothing is set":                      {Budget{Healthy: 3, Expected: 3}, "the empty spec of shop/cart never allows one, however many pods there are"},
		"no number":                           {Budget{MinAvailable: percent("most"), Healthy: 3, Expected: 3}, "minAvailable most of shop/cart is no number and no percentage"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			helps, why := tc.budget.oneMore("shop/cart")
			if helps != (tc.why == "") || why != tc.why {
				t.Errorf("oneMore() = %v, %q, want %q", helps, why, tc.why)
			}
		})
	}
}

// TestOneMoreIsWhatTheControllerWouldSay computes status.disruptionsAllowed after the change with whole numbers, without the
// function that the controller and we share.
func TestOneMoreIsWhatTheControllerWouldSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expected := rapid.IntRange(0, 50).Draw(t, "expected")
		healthy := rapid.IntRange(0, expected).Draw(t, "healthy")
		value := rapid.IntRange(0, 110).Draw(t, "value")
		share, away := rapid.Bool().Draw(t, "percent"), rapid.Bool().Draw(t, "maxUnavailable")
		limit, resolved := intstr.FromInt32(int32(value)), value
		if share {
			limit = *percent(strconv.Itoa(value) + "%")
			resolved = (value*(expected+1) + 99) / 100
		}
		b := Budget{Healthy: int32(healthy), Expected: int32(expected), MinAvailable: &limit}
		needed := resolved
		if away {
			b.MinAvailable, b.MaxUnavailable = nil, &limit
			needed = max(0, expected+1-resolved)
		}
		want := healthy+1-needed >= 1
		if got, why := b.oneMore("shop/cart"); got != want || got == (why != "") {
			t.Fatalf("oneMore() = %v, %q with %d needed of %d, %d ready; want %v", got, why, needed, expected+1, healthy+1, want)
		}
	})
}

func TestFenceposts(t *testing.T) {
	tests := map[string]struct {
		surge, unavailable *intstr.IntOrString
		replicas           int
		wantS, wantU       int
	}{
		"defaults with one pod":    {percent("25%"), percent("25%"), 1, 1, 0},
		"both come out as zero":    {number(0), percent("25%"), 1, 0, 1},
		"nothing is set":           {nil, nil, 1, 0, 1},
		"numbers":                  {number(2), number(1), 5, 2, 1},
		"percentages of five":      {percent("25%"), percent("25%"), 5, 2, 1},
		"what cannot be read":      {percent("x"), number(0), 1, 0, 1},
		"what cannot be read, too": {number(1), percent("x"), 1, 0, 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if s, u := fenceposts(tc.surge, tc.unavailable, tc.replicas); s != tc.wantS || u != tc.wantU {
				t.Errorf("fenceposts() = %d, %d, want %d, %d", s, u, tc.wantS, tc.wantU)
			}
		})
	}
}
