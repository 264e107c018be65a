package capi

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// fixes are the two ways in which a pool gets a number in place of its
// autoscaler.
var fixes = map[string]func(p *provider, n int32) error{
	"resized": func(p *provider, n int32) error {
		return Resize(p.t.Context(), p.client, p.client, key, "o", n, p.now)
	},
	"given a number by its users": func(p *provider, n int32) error {
		spec := agentpool.Spec{Version: "v1.34.2", MachineType: "D4", Replicas: &n}
		return UpdatePool(p.t.Context(), p.client, p.client, key, "o", "general", spec, nil, p.now)
	},
}

// Wherever we are cut off, and whenever a round of CAPZ that began before ends:
// Azure is asked for the number that is wanted and never for the old one of 5.
func TestANumberInPlaceOfTheAutoscaler(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		for name, fix := range fixes {
			for _, wanted := range []int32{9, 12, 7} {
				for cut := -1; cut < 2; cut++ {
					for during := range 3 {
						t.Run(fmt.Sprintf("%s to %d, cut %d, during %d", name, wanted, cut, during), func(t *testing.T) {
							p := newProvider(newStage(t, f, generalx(scaled)))
							p.writes, p.cutAfter = 0, cut
							_ = p.during(during, func() error { return fix(p, wanted) })
							p.cutAfter = -1
							p.settles(func(_ context.Context, seen Pool) error {
								if seen.Spec.Scaling == nil && *seen.Spec.Replicas == wanted {
									return nil
								}
								return fix(p, wanted)
							})
							p.isSettledOn(wanted)
							if p.fewest < min(wanted, 9) {
								t.Errorf("Azure had only %d nodes left at a time", p.fewest)
							}
						})
					}
				}
			}
		}
	})
}

func (p *provider) isSettledOn(wanted int32) {
	p.t.Helper()
	seen, mp := p.pool(), p.machinePool()
	_, managed := mp.Annotations[clusterv1.ReplicasManagedByAnnotation]
	_, pinned := p.stage.spec()["count"]
	if seen.Unsettled || seen.Operation != "" || pinned || managed || *mp.Spec.Replicas != wanted || p.live != wanted || p.spec.scaled {
		p.t.Errorf("unsettled %t, operation %q, pinned %t, CAPZ writes replicas %t, replicas %d, %d nodes, scaled %t",
			seen.Unsettled, seen.Operation, pinned, managed, *mp.Spec.Replicas, p.live, p.spec.scaled)
	}
}

// The next number may come before the first one is settled, or the autoscaler
// may come back.
func TestAChangeOfMindBeforeItIsSettled(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		resize := fixes["resized"]
		t.Run("another number", func(t *testing.T) {
			p := newProvider(newStage(t, f, generalx(scaled)))
			_ = p.during(1, func() error { return resize(p, 9) })
			_ = p.during(1, func() error { return resize(p, 11) })
			p.settles(func(context.Context, Pool) error { return nil })
			p.isSettledOn(11)
		})
		t.Run("the autoscaler", func(t *testing.T) {
			p := newProvider(newStage(t, f, generalx(scaled)))
			_ = p.during(1, func() error { return resize(p, 9) })
			back := func() error {
				return UpdatePool(t.Context(), p.client, p.client, key, "o", "general", scaled, nil, p.now)
			}
			p.change(f.Kinds().Pool, "o", func(content map[string]any) {
				content["spec"].(map[string]any)["providerIDList"] = []any{"a", "b", "c", "d"}
			})
			_ = p.during(1, back)
			p.settles(func(context.Context, Pool) error { return back() })
			if seen := p.pool(); seen.Unsettled || *seen.Spec.Scaling != *scaled.Scaling || p.fewest < 9 || p.spec.count != nil {
				t.Errorf("unsettled %t, bounds %v, %d nodes at least, asked for %v", seen.Unsettled, seen.Spec.Scaling, p.fewest, p.spec.count)
			}
		})
		t.Run("the autoscaler, by hand", func(t *testing.T) {
			p := newProvider(newStage(t, f, generalx(scaled)))
			_ = p.during(1, func() error { return resize(p, 9) })
			p.change(f.Kinds().Pool, "o", func(content map[string]any) {
				f.SetScaling(&unstructured.Unstructured{Object: content}, scaled.Scaling)
			})
			p.settles(func(context.Context, Pool) error { return nil })
			if p.pool().Unsettled || !p.spec.scaled || p.spec.count != nil {
				t.Errorf("unsettled %t, scaled %t, asked for %v", p.pool().Unsettled, p.spec.scaled, p.spec.count)
			}
		})
	})
}

// A pool on which a number is pinned looks as it is asked for, keeps others
// waiting, and still shows what Azure refuses.
func TestAPinnedPool(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		p := newProvider(newStage(t, f, generalx(scaled)))
		if err := fixes["resized"](p, 9); err != nil {
			t.Fatal(err)
		}
		mp := p.machinePool()
		mp.Spec.Replicas = ptr.To[int32](5)
		if err := p.inner.Update(t.Context(), mp); err != nil {
			t.Fatal(err)
		}
		later := func(do func(content map[string]any)) Pool {
			t.Helper()
			of := f.Kinds().Pool
			if f.Kinds().Related != nil {
				of = asoAgentPool
			}
			p.change(of, "o", do)
			p.now = now.Add(time.Hour)
			return p.pool()
		}
		seen := later(func(map[string]any) {})
		if !seen.Unsettled || *seen.Replicas != 9 || *seen.Spec.Replicas != 9 || seen.Operation != "Updating" || seen.Failure != "" {
			t.Errorf("unsettled %t, %d nodes of %d wanted, operation %q, failure %q", seen.Unsettled, *seen.Replicas, *seen.Spec.Replicas, seen.Operation, seen.Failure)
		}
		seen = later(func(content map[string]any) {
			c := content["status"].(map[string]any)["conditions"].([]any)[0].(map[string]any)
			c["status"], c["reason"], c["severity"], c["message"] = "False", "Failed", "Error", "QuotaExceeded"
		})
		if seen.Operation != "" || seen.Failure == "" {
			t.Errorf("refused: operation %q, failure %q", seen.Operation, seen.Failure)
		}
		if err := Release(t.Context(), p.client, p.client, key, "o"); err != nil {
			t.Fatal(err)
		}
		if p.pool().Unsettled {
			t.Error("it is nobody's any more, and nobody is to settle it")
		}
	})
}

// Every write to a pool makes CAPZ ask Azure again: as long as the autoscaler
// chooses the number, for none.
func TestAWriteToAScaledPoolAsksForNoOldNumber(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		for name, write := range map[string]func(p *provider) error{
			"held": func(p *provider) error {
				return HoldScaling(t.Context(), p.client, p.client, key, "o", agentpool.Scaling{Min: 0, Max: 9}, p.now)
			},
			"other bounds": func(p *provider) error {
				spec := agentpool.Spec{Scaling: &agentpool.Scaling{Min: 4, Max: 20}}
				return UpdatePool(t.Context(), p.client, p.client, key, "o", "general", spec, nil, p.now)
			},
			"labels": func(p *provider) error {
				spec := agentpool.Spec{Labels: map[string]string{"a": "b"}}
				return UpdatePool(t.Context(), p.client, p.client, key, "o", "general", spec, nil, p.now)
			},
			"adopted": func(p *provider) error {
				return Adopt(t.Context(), p.client, p.client, key, "o", Owner{Nodepool: "np", NodepoolUID: "u", BaseName: "other"}, p.now)
			},
		} {
			t.Run(name, func(t *testing.T) {
				p := newProvider(newStage(t, f, generalx(scaled)))
				_ = p.during(1, func() error { return write(p) })
				p.settles(func(context.Context, Pool) error { return nil })
				if p.fewest < 9 || p.spec.count != nil || p.pool().Spec.Scaling == nil {
					t.Errorf("Azure had only %d nodes left, and is asked for %v", p.fewest, p.spec.count)
				}
				p.writesNothing(func() error { return write(p) })
			})
		}
	})
}

// A pool that is still to be made needs a number.
func TestANewScaledPoolIsAskedForWithANumber(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
		if err := HoldScaling(t.Context(), s.client, s.client, key, "o", agentpool.Scaling{Min: 3, Max: 7}, now); err != nil {
			t.Fatal(err)
		}
		if r := f.Read(s.infra(), nil); r.CountLeft || r.Pinned != nil {
			t.Errorf("it is asked for with count %v, left out %t", r.Pinned, r.CountLeft)
		}
	})
}

func TestCountPatches(t *testing.T) {
	const theirs = "spec:\n  messageOfTheDay: aGk=\n"
	infra := infraWith(nil, true)
	infra.Object["spec"] = map[string]any{patchesField: []any{theirs, `{"spec":{"osSKU":"AzureLinux"}}`}}
	steps := []struct {
		do   func()
		want []string
	}{
		{func() { managed.LeaveCount(infra) }, []string{theirs, `{"spec":{"count":null,"osSKU":"AzureLinux"}}`}},
		{func() { managed.Pin(infra, ptr.To[int32](9)) }, []string{theirs, `{"spec":{"count":9,"osSKU":"AzureLinux"}}`}},
		{func() {
			managed.SetInPlace(infra, agentpool.Spec{Overrides: map[string]string{"upgradeSettings.maxSurge": `"1"`}})
		}, []string{theirs, `{"spec":{"count":9,"osSKU":"AzureLinux","upgradeSettings":{"maxSurge":"1"}}}`}},
		{func() { managed.Pin(infra, nil) }, []string{theirs, `{"spec":{"osSKU":"AzureLinux","upgradeSettings":{"maxSurge":"1"}}}`}},
	}
	for i, step := range steps {
		for range 2 {
			step.do()
			if got := stringsAt(infra, "spec", patchesField); fmt.Sprint(got) != fmt.Sprint(step.want) {
				t.Errorf("step %d: %v, want %v", i, got, step.want)
			}
		}
	}
}

// A patch of somebody else would have the word once ours is gone.
func TestANumberThatSomebodyElsePatchesIsNotLetIn(t *testing.T) {
	p := newProvider(newStage(t, managed, generalx(scaled)))
	if err := fixes["resized"](p, 9); err != nil {
		t.Fatal(err)
	}
	p.change(azureManagedMachinePool, "o", func(content map[string]any) {
		spec := content["spec"].(map[string]any)
		spec[patchesField] = append([]any{"spec: {count: 2}"}, spec[patchesField].([]any)...)
	})
	var last error
	for range 10 {
		p.round()()
		p.put()
		p.now = p.now.Add(time.Minute)
		last = Settle(t.Context(), p.client, p.client, key, "o", p.now)
	}
	if last == nil || p.fewest < 9 {
		t.Errorf("%v, %d nodes at least", last, p.fewest)
	}
}

// A round of CAPZ may take longer than all we do: the pin stays until CAPZ is
// known not to write any more.
func TestThePinOutlivesALongRound(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		for name, tc := range map[string]struct {
			later     time.Duration
			annotated bool
		}{
			"a minute":                             {time.Minute, true},
			"CAPZ has not said yet that it writes": {time.Second, false},
		} {
			t.Run(name, func(t *testing.T) {
				p := newProvider(newStage(t, f, generalx(scaled)))
				mp := p.machinePool()
				// CAPZ writes only what differs from what it read.
				mp.Spec.Replicas = ptr.To[int32](7)
				if !tc.annotated {
					delete(mp.Annotations, clusterv1.ReplicasManagedByAnnotation)
				}
				if err := p.inner.Update(t.Context(), mp); err != nil {
					t.Fatal(err)
				}
				finish := p.round()
				if err := fixes["resized"](p, 9); err != nil {
					t.Fatal(err)
				}
				p.now = p.now.Add(tc.later)
				if err := Settle(t.Context(), p.client, p.client, key, "o", p.now); err != nil {
					t.Fatal(err)
				}
				finish()
				p.settles(func(context.Context, Pool) error { return nil })
				p.isSettledOn(9)
				if p.fewest < 9 {
					t.Errorf("Azure had only %d nodes left at a time", p.fewest)
				}
			})
		}
	})
}
