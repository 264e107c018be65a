package nodepool

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/intstr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// tale is a piece of a pool's life. It ends the same whatever happens to the
// operator on the way.
type tale struct {
	begin func(*testing.T) *azure
	play  func(*azure)
	// least is how many writes it takes, or it does not do what it says.
	least int
	// every is 1 for all writes, or how many lie between two that are cut off
	// besides the first of each kind.
	every int
}

var tales = map[string]tale{
	"made-replaced-deleted": {
		begin: func(t *testing.T) *azure {
			a := newAzure(t)
			a.pods = 3
			a.nodepool("D4")
			return a
		},
		play: func(a *azure) {
			a.converge(upToDate)
			a.change(machine("D8"))
			a.converge(upToDate)
			a.checkEnd()
			a.noPods() // they have nowhere to go
			if err := server.Delete(a.t.Context(), a.get("general")); err != nil {
				a.t.Fatal(err)
			}
			a.converge(gone)
			if left := a.pools(); len(left) > 0 {
				a.t.Errorf("I16: the Nodepool is gone and %d pools are left", len(left))
			}
		},
		least: 15, every: 4,
	},
	"autoscaled": {
		begin: func(t *testing.T) *azure { return autoscaledPool(newAzure(t)) },
		play:  replaceAutoscaled, least: 12, every: 3,
	},
	"autoscaled-aso": {
		begin: func(t *testing.T) *azure { return autoscaledPool(newAzureOf(t, asoManaged)) },
		play:  replaceAutoscaled, least: 12, every: 5,
	},
	"shifted-in-stages": {
		begin: func(t *testing.T) *azure {
			a := newAzure(t)
			a.op.arm = &arm{a: a}
			a.op.start()
			a.pods = 3
			a.running("D4", replicas(3), inStages)
			return a
		},
		play: func(a *azure) {
			a.change(machine("D8"))
			a.converge(upToDate)
			a.checkEnd()
		},
		least: 25, every: 5,
	},
	"soaks-and-is-taken-back": {
		begin: func(t *testing.T) *azure {
			a := newAzure(t)
			a.pods = 3
			a.running("D4", scaling(1, 5), soaks)
			return a
		},
		play: func(a *azure) {
			a.change(machine("D8"))
			a.converge(func(np *fleetwrightv1.Nodepool) bool { return soaksEmpty(a, np) })
			a.change(machine("D4"))
			a.converge(upToDate)
			a.checkEnd()
		},
		least: 20, every: 6,
	},
	"soaks-and-goes": {
		begin: soaking,
		play: func(a *azure) {
			a.change(machine("D8"))
			a.converge(func(np *fleetwrightv1.Nodepool) bool { return upToDate(np) && len(a.pools()) == 1 })
			a.checkEnd()
		},
		least: 12, every: 8,
	},
	"adopted":          {begin: adoptionAsked, play: adopt, least: 2, every: 1},
	"retained-halfway": {begin: halfwayAutoscaled, play: retain, least: 6, every: 4},
}

func upToDate(np *fleetwrightv1.Nodepool) bool {
	return np != nil && np.Status.ObservedGeneration == np.Generation &&
		meta.IsStatusConditionTrue(np.Status.Conditions, fleetwrightv1.ConditionUpToDate) &&
		meta.IsStatusConditionTrue(np.Status.Conditions, fleetwrightv1.ConditionReady) &&
		meta.FindStatusCondition(np.Status.Conditions, fleetwrightv1.ConditionRollingOut).Status == "False"
}

func scaling(low, high int32) func(*fleetwrightv1.NodepoolSpec) {
	return func(s *fleetwrightv1.NodepoolSpec) {
		s.Replicas, s.Scaling = nil, fleetwrightv1.NodepoolScaling{Min: &low, Max: high}
	}
}

func inStages(s *fleetwrightv1.NodepoolSpec) {
	s.Replacement.Strategy, s.Replacement.MaxSurge = fleetwrightv1.ReplacementStrategyStagedShift, new(intstr.FromInt32(1))
}

func soaks(s *fleetwrightv1.NodepoolSpec) { s.Replacement.SoakSeconds = new(int32(3600)) }

func autoscaledPool(a *azure) *azure {
	a.t.Helper()
	a.pods = 3
	a.running("D4", scaling(1, 5))
	return a
}

func soaking(t *testing.T) *azure {
	t.Helper()
	a := newAzure(t)
	a.pods = 3
	a.running("D4", soaks)
	return a
}

func soaksEmpty(a *azure, np *fleetwrightv1.Nodepool) bool {
	old := a.agentPools[np.Name+"-old"]
	c := meta.FindStatusCondition(np.Status.Conditions, fleetwrightv1.ConditionRollingOut)
	return len(old.nodes) == 0 && old.working == "" && c != nil && c.Reason == fleetwrightv1.ReasonSoaking
}

// replaceAutoscaled: on the way the old pool cannot grow and the new one cannot
// shrink; in the end the new one has the old one's bounds.
func replaceAutoscaled(a *azure) {
	a.change(machine("D8"))
	a.converge(func(np *fleetwrightv1.Nodepool) bool {
		pools := a.pools()
		for _, p := range pools {
			if len(pools) < 2 || p.Deleting || p.Spec.Scaling == nil {
				continue
			}
			switch {
			case p.Spec.MachineType == "D8" && p.Spec.Scaling.Min != 2:
				a.t.Errorf("the new pool has bounds %v while the old one serves", *p.Spec.Scaling)
			case p.Spec.MachineType == "D4" && !p.DrainStarted.IsZero() && (p.Spec.Scaling.Max != 2 || p.Carried == nil || p.Carried.Max != 5):
				a.t.Errorf("the pool that leaves has bounds %v and carries %v", *p.Spec.Scaling, p.Carried)
			}
		}
		return upToDate(np)
	})
	a.checkEnd()
	if got := a.get("general").Status.Flavor; got != a.flavor.Kinds().Pool.Kind {
		a.t.Errorf("status.flavor is %q", got)
	}
}

// TestEveryCrashPoint ends the operator after each of its writes, or has the
// write refused, or its reply lost, and expects the same end every time. To be
// killed before a write is to be killed after the one before it, so each is
// covered. In every tale the operator is killed after the first write of each
// kind (the same fields of the same pool), and after every k-th of the others.
// Status decides nothing, so it is left out of all tales but the short ones.
func TestEveryCrashPoint(t *testing.T) {
	for name, s := range tales {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.begin(t)
			s.play(a)
			writes := a.op.written("")
			if len(writes) < s.least {
				t.Fatalf("it took only %d writes:\n%s", len(writes), strings.Join(writes, "\n"))
			}
			for _, f := range faults(writes, s.every) {
				t.Run(fmt.Sprintf("%s-%d-%s", f.how, f.at, strings.NewReplacer(" ", "-", "/", "-", ",", "-").Replace(writes[f.at-1])), func(t *testing.T) {
					t.Parallel()
					a := s.begin(t)
					a.op.fault = f
					s.play(a)
					if !a.op.hit {
						t.Errorf("the tale ended after %d writes, before the %dth", len(a.op.writes), f.at)
					}
				})
			}
		})
	}
}

// faults kills after the chosen writes. Of three kinds, one has its reply lost or
// is denied besides; all have in a tale of which every write is taken.
func faults(writes []string, every int) (out []fault) {
	kinds := map[string]bool{}
	for i, line := range writes {
		first := !kinds[line]
		if every > 1 && strings.Contains(line, "status") || !first && i%every != 0 {
			continue
		}
		kinds[line] = true
		out = append(out, fault{i + 1, killed})
		if n := len(kinds); first && (every == 1 || n%3 == 0) {
			out = append(out, fault{i + 1, []string{lost, denied}[n%2]})
		}
	}
	return out
}
