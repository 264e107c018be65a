package kubelet

import (
	"testing"
	"time"
)

func TestPullsAreTriedAgainEverMoreRarely(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := newPulls(Range{time.Second, 3 * time.Second})
	var a attempt
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second} {
		a = p.after(a, "401 Unauthorized", now)
		if got := a.next.Sub(now); got != want {
			t.Errorf("pause after failure %d = %s, want %s", i+1, got, want)
		}
	}
	if a = p.after(a, "", now); !a.pulled {
		t.Errorf("after a pull that went well: %+v", a)
	}
}

func TestWordsWhileAnImageIsNotThere(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := newPulls(Range{}).after(attempt{}, "401 Unauthorized", now)
	for _, tc := range []struct {
		after           time.Duration
		reason, message string
		again           time.Duration
	}{
		{0, "ErrImagePull", "401 Unauthorized", 500 * time.Millisecond},
		{499 * time.Millisecond, "ErrImagePull", "401 Unauthorized", time.Millisecond},
		{500 * time.Millisecond, "ImagePullBackOff", `Back-off pulling image "shop.azurecr.io/web:1": ErrImagePull: 401 Unauthorized`, 500 * time.Millisecond},
	} {
		state, again := a.state("shop.azurecr.io/web:1", now.Add(tc.after))
		if state.Reason != tc.reason || state.Message != tc.message || again != tc.again {
			t.Errorf("after %s: %s, %q, again in %s; want %s, %q, %s", tc.after, state.Reason, state.Message, again, tc.reason, tc.message, tc.again)
		}
	}
}
