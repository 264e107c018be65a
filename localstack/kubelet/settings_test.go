package kubelet

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestDraw(t *testing.T) {
	r := Range{time.Second, 3 * time.Second}
	different := map[time.Duration]bool{}
	for i := range 100 {
		name := fmt.Sprintf("shop/pod-%d", i)
		d := draw(7, r, "start", name, "")
		if d < r.Min || d > r.Max {
			t.Errorf("draw(%s) = %s, outside %v", name, d, r)
		}
		if again := draw(7, r, "start", name, ""); again != d {
			t.Errorf("draw(%s) = %s and then %s", name, d, again)
		}
		different[d] = true
	}
	if len(different) < 50 {
		t.Errorf("100 pods got only %d different durations", len(different))
	}
	if draw(7, r, "start", "shop/pod-0", "") == draw(8, r, "start", "shop/pod-0", "") {
		t.Error("another seed drew the same duration")
	}
	for scripted, want := range map[string]time.Duration{
		"0": 0, "1.5": 1500 * time.Millisecond, "40": 40 * time.Second,
		"-1": time.Minute, "soon": time.Minute, "NaN": time.Minute, "1e300": time.Minute,
	} {
		if got := draw(7, Range{time.Minute, time.Minute}, "start", "shop/pod", scripted); got != want {
			t.Errorf("draw with annotation %q = %s, want %s", scripted, got, want)
		}
	}
}

func TestDue(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, int(700*time.Millisecond), time.UTC)
	for name, tc := range map[string]struct {
		recorded time.Time
		want     time.Time
	}{
		"just begun, the record lacks the fraction": {now.Truncate(time.Second), now.Add(10 * time.Second)},
		"begun before this process was started":     {now.Add(-7 * time.Second), now.Add(4 * time.Second)},
		"never recorded":                            {time.Time{}, now.Add(10 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSightings()
			if got := s.due("uid", starting, tc.recorded, now, 10*time.Second); !got.Equal(tc.want) {
				t.Errorf("due() = %s, want %s", got, tc.want)
			}
			if got := s.due("uid", starting, tc.recorded, now.Add(5*time.Second), 10*time.Second); !got.Equal(tc.want) {
				t.Errorf("due() seen again later = %s, want %s", got, tc.want)
			}
			s.forget(types.UID("uid"))
			if len(s.first) != 0 {
				t.Errorf("%d objects remembered after forget()", len(s.first))
			}
		})
	}
}
