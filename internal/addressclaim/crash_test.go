package addressclaim

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

var errKilled = errors.New("the process ended here")

// killAt lets the process end at its n-th write: right before it, or right after it.
func (s *stage) killAt(n int, after bool) (writes *int, dead *bool) {
	writes, dead = new(int), new(bool)
	count := func(write func() error) error {
		if *dead {
			return errKilled
		}
		*writes++
		if *writes != n {
			return write()
		}
		*dead = true
		if after {
			if err := write(); err != nil {
				return err
			}
		}
		return errKilled
	}
	s.reconciler.Client = interceptor.NewClient(server, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
			return count(func() error { return c.Create(ctx, o, options...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption) error {
			return count(func() error { return c.Patch(ctx, o, p, options...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, name string, o client.Object, p client.Patch, options ...client.SubResourcePatchOption) error {
			return count(func() error { return c.SubResource(name).Patch(ctx, o, p, options...) })
		},
	})
	return writes, dead
}

// Wherever the process ends, another one comes to the same end: the same ranges, each once, and nothing left over.
func TestKilledAtEachWrite(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			s := newStage(t)
			first, second := s.pool("a", "10.64.0.0/16"), s.pool("b", "10.80.0.0/16")
			a := s.claim("prod", s.from("vnet", "a", 20), fleetwrightv1.ClaimedRange{Name: "nodes", Within: "vnet", PrefixLength: 22}, s.from("services", "b", 22))
			writes, dead := s.killAt(n, after)
			what := fmt.Sprintf("write %d, after it: %t", n, after)
			until := func(end string) {
				t.Helper()
				for range 10 {
					_, err := s.reconciler.Reconcile(t.Context(), a.DeepCopy())
					if err != nil && !*dead {
						t.Fatalf("%s: %v", what, err)
					}
					if *dead {
						s.restart()
					}
					if s.says(a) == end {
						return
					}
				}
				t.Fatalf("%s: it never ends: %s", what, s.says(a))
			}
			until(fine)
			if got := bound(a); got != "vnet 10.64.0.0/20, nodes 10.64.0.0/22, services 10.80.0.0/22" {
				t.Errorf("%s: it has %s", what, got)
			}
			s.wantGiven(what, "10.64.0.0/20 prod/vnet kept, 10.80.0.0/22 prod/services kept")
			s.delete(a)
			until("gone")
			s.wantGiven(what, "10.64.0.0/20 prod/vnet rests, 10.80.0.0/22 prod/services rests")
			for _, p := range []*fleetwrightv1.AddressPool{first, second} {
				if got := s.allocating(p); got != "" {
					t.Errorf("%s: left on %s is %s", what, p.Name, got)
				}
			}
			if !*dead {
				if *writes < 10 || n != *writes+1 {
					t.Errorf("%d writes, and the last is %d", *writes, n)
				}
				break
			}
		}
	}
}
