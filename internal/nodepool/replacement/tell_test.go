package replacement

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/capi/capitest"
)

var update = flag.Bool("update", false, "rewrite the golden stories")

func TestStories(t *testing.T) {
	for name, tc := range stories {
		t.Run(name, func(t *testing.T) {
			s := tc.begin(t)
			s.script = tc.script
			s.tell(tc.ends)
			golden := filepath.Join("testdata", "stories", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(s.log.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), s.log.String()); diff != "" {
				t.Errorf("the story changed (-update rewrites it):\n%s", diff)
			}
		})
	}
}

// TestStoriesInEveryFlavor plays every story with the pools kept in the objects
// of each provider, also of one that is not Azure's: the same is told.
func TestStoriesInEveryFlavor(t *testing.T) {
	for kind, flavor := range capitest.Flavors() {
		t.Run(kind, func(t *testing.T) {
			for name, tc := range stories {
				t.Run(name, func(t *testing.T) {
					s := tc.begin(t)
					s.flavor, s.script = flavor, tc.script
					for i := range s.w.Pools {
						s.w.Pools[i].Spec = capitest.RoundTrip(flavor, s.w.Pools[i].Spec)
					}
					s.tell(tc.ends)
					want, err := os.ReadFile(filepath.Join("testdata", "stories", name+".golden"))
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(string(want), s.log.String()); diff != "" {
						t.Errorf("flavour %s tells another story:\n%s", kind, diff)
					}
				})
			}
		})
	}
}

// TestStoriesInRandomOrder plays every story with things taking shorter or
// longer, one fixed seed and a hundred fresh ones.
func TestStoriesInRandomOrder(t *testing.T) {
	seeds := []uint64{0}
	for range 100 {
		seeds = append(seeds, rand.Uint64())
	}
	for name, tc := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, seed := range seeds {
				s := tc.begin(t)
				s.script = tc.script
				s.jitter = rand.New(rand.NewPCG(seed, seed))
				s.tell(tc.ends)
				if t.Failed() {
					t.Fatalf("failed with seed %d", seed)
				}
			}
		})
	}
}

func (s *story) tell(ends string) {
	s.t.Helper()
	plan := s.run(1500)
	if plan.Reason != ends {
		s.t.Errorf("ends with reason %q, want %q\n%s", plan.Reason, ends, s.log.String())
	}
	if ends == "Ready" {
		s.checkEnd(plan)
	}
	if ends == "DeletingPool" && !s.removed {
		s.t.Errorf("I16: the finalizer was never removed\n%s", s.log.String())
	}
}
