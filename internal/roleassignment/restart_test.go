package roleassignment

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

var errKilled = errors.New("the process ended here")

// killAfter lets the process end right after its n-th write to the management cluster: the write is done, and nothing after it.
func (s *stage) killAfter(n int) (writes *int, dead *bool) {
	writes, dead = new(int), new(bool)
	count := func(write func() error) error {
		if *dead {
			return errKilled
		}
		err := write()
		*writes++
		if err == nil && *writes == n {
			*dead = true
			return errKilled
		}
		return err
	}
	s.reconciler.Client = interceptor.NewClient(s.client.(client.WithWatch), interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption) error {
			return count(func() error { return c.Patch(ctx, o, p, options...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, name string, o client.Object, p client.Patch, options ...client.SubResourcePatchOption) error {
			return count(func() error { return c.SubResource(name).Patch(ctx, o, p, options...) })
		},
	})
	return writes, dead
}

// TestKilledAfterEachWrite: wherever the process ends, another one comes to the same end, with one PUT and one DELETE, and no pod is left.
func TestKilledAfterEachWrite(t *testing.T) {
	for n := 1; ; n++ {
		s := newStage(t, pulling())
		s.addNode()
		writes, dead := s.killAfter(n)
		look := func(until func() bool) {
			t.Helper()
			for range 20 {
				if _, err := s.try(); *dead {
					s.restart()
				} else if err != nil {
					t.Fatalf("write %d: %v", n, err)
				}
				if until() {
					return
				}
				s.pull()
				s.clock.SetTime(s.clock.Now().Add(time.Second))
			}
			t.Fatalf("write %d: it never ends: %+v", n, s.object())
		}
		look(func() bool { return meta.IsStatusConditionTrue(s.object().Status.Conditions, "Ready") })
		if err := s.client.Delete(t.Context(), s.object()); err != nil {
			t.Fatal(err)
		}
		look(func() bool { return s.object() == nil })
		s.wantWrites("PUT 201", "DELETE 200")
		if s.pull() {
			t.Errorf("write %d: a pod is left", n)
		}
		if !*dead {
			if *writes < 6 || n != *writes+1 {
				t.Errorf("%d writes, and the last is %d", *writes, n)
			}
			return
		}
	}
}
