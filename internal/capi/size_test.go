package capi

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

func TestHoldScalingCarriesTheBoundsFromBefore(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
		hold := func(low, high int32) func() error {
			return func() error {
				return HoldScaling(t.Context(), s.client, s.client, key, "o", agentpool.Scaling{Min: low, Max: high}, now)
			}
		}
		for _, do := range []func() error{hold(3, 8), hold(0, 5)} {
			if err := do(); err != nil {
				t.Fatal(err)
			}
		}
		p := s.pool()
		if diff := cmp.Diff([]*agentpool.Scaling{{Min: 0, Max: 5}, {Min: 3, Max: 40}}, []*agentpool.Scaling{p.Spec.Scaling, p.Carried}); diff != "" {
			t.Error(diff)
		}
		s.writesNothing(hold(0, 5))
		// The pool is wanted again.
		wanted := func() error {
			return UpdatePool(t.Context(), s.client, s.client, key, "o", "general", scaled, nil, now)
		}
		if err := wanted(); err != nil {
			t.Fatal(err)
		}
		if p := s.pool(); p.Carried != nil || *p.Spec.Scaling != *scaled.Scaling {
			t.Errorf("taken back, the pool has bounds %v and carries %v", p.Spec.Scaling, p.Carried)
		}
		s.writesNothing(wanted)
	})
}

func TestAPoolThatNobodyScalesIsNotHeld(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(agentpool.Spec{MachineType: "D4", Replicas: ptr.To[int32](5)}))
		s.writesNothing(func() error {
			return HoldScaling(t.Context(), s.client, s.client, key, "o", agentpool.Scaling{Min: 1, Max: 5}, now)
		})
	})
}

func TestResize(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
		s.made()
		resize := func() error { return Resize(t.Context(), s.client, s.client, key, "o", 0, now) }
		if err := resize(); err != nil {
			t.Fatal(err)
		}
		p := s.pool()
		if p.Spec.Scaling != nil || *p.Replicas != 0 || *p.Carried != (agentpool.Scaling{Min: 3, Max: 40}) || p.Operation == "" {
			t.Errorf("bounds %v, %d nodes, carried %v, operation %q", p.Spec.Scaling, *p.Replicas, p.Carried, p.Operation)
		}
		s.writesNothing(resize)
	})
}

// CAPZ asks for an autoscaler together with the number of nodes there are, which
// Azure may refuse outside of the bounds.
func TestAPoolGrowsBeforeItIsScaled(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
		s.made()
		nodes := func(n int) {
			s.change(f.Kinds().Pool, "o", func(content map[string]any) {
				ids := make([]any, 0, n)
				for i := range n {
					ids = append(ids, fmt.Sprintf("azure:///%d", i))
				}
				content["spec"].(map[string]any)["providerIDList"] = ids
			})
		}
		// It soaked without nodes, and is wanted again.
		if err := Resize(t.Context(), s.client, s.client, key, "o", 0, now); err != nil {
			t.Fatal(err)
		}
		update := func() error {
			return UpdatePool(t.Context(), s.client, s.client, key, "o", "general", scaled, nil, now)
		}
		for have := range 3 {
			nodes(have)
			if err := update(); err != nil {
				t.Fatal(err)
			}
			if p := s.pool(); p.Spec.Scaling != nil || *p.Replicas != 3 || *p.Carried != *scaled.Scaling {
				t.Fatalf("with %d nodes: bounds %v, asked for %d, carried %v", have, p.Spec.Scaling, *p.Replicas, p.Carried)
			}
			s.writesNothing(update)
		}
		nodes(3)
		if err := update(); err != nil {
			t.Fatal(err)
		}
		if p := s.pool(); *p.Spec.Scaling != *scaled.Scaling || p.Carried != nil {
			t.Errorf("with 3 nodes: bounds %v, carried %v", p.Spec.Scaling, p.Carried)
		}
	})
}

// A pool that is yet to take over keeps its later bounds beside those of today.
func TestBoundsForLater(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		later := agentpool.Scaling{Min: 1, Max: 40}
		made := generalx(scaled)
		made.Carried = &later
		s := newStage(t, f, made)
		if p := s.pool(); p.Carried == nil || *p.Carried != later {
			t.Errorf("made, it carries %v", p.Carried)
		}
		change := func(carried *agentpool.Scaling) error {
			return UpdatePool(t.Context(), s.client, s.client, key, "o", "general", scaled, carried, now)
		}
		s.writesNothing(func() error { return change(&later) })
		if err := change(nil); err != nil {
			t.Fatal(err)
		}
		if p := s.pool(); p.Carried != nil || *p.Spec.Scaling != *scaled.Scaling {
			t.Errorf("it has taken over: bounds %v, carried %v", p.Spec.Scaling, p.Carried)
		}
	})
}

// Without a scaler CAPZ asks Azure for what the MachinePool says: as long as that
// may be what CAPZ wrote down an hour ago, the scaler must stay.
func TestResizeCutOffNeverAsksForAnOldNumber(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		for name, change := range map[string]func(s *stage) error{
			"resized": func(s *stage) error { return Resize(s.t.Context(), s.client, s.client, key, "o", 9, now) },
			"given a number by its users": func(s *stage) error {
				spec := agentpool.Spec{Version: "v1.34.2", MachineType: "D4", Replicas: ptr.To[int32](9)}
				return UpdatePool(s.t.Context(), s.client, s.client, key, "o", "general", spec, nil, now)
			},
		} {
			t.Run(name, func(t *testing.T) {
				for cut := range 2 {
					s := newStage(t, f, generalx(scaled))
					s.made()
					s.writes, s.cutAfter = 0, cut
					if err := change(s); !errors.Is(err, errCut) {
						t.Fatalf("cut after %d writes: %v", cut, err)
					}
					if p := s.pool(); p.Spec.Scaling == nil && *p.Replicas != 9 {
						t.Errorf("cut after %d writes, CAPZ asks for %d nodes", cut, *p.Replicas)
					}
					s.cutAfter = -1
					if err := change(s); err != nil {
						t.Fatal(err)
					}
					if p := s.pool(); p.Spec.Scaling != nil || *p.Replicas != 9 {
						t.Errorf("cut after %d writes and done again: bounds %v, %d nodes", cut, p.Spec.Scaling, *p.Replicas)
					}
				}
			})
		}
	})
}
