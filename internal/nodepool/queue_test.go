package nodepool

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// crowd is a cluster with several Nodepools, each with a pool that has served it
// for long: the first is pool1, the next pool2 and so on.
func crowd(t *testing.T, bases ...string) *azure {
	t.Helper()
	a := newAzure(t)
	for _, base := range bases {
		np := a.runningCalled(base, "D4", replicas(1))
		a.op.born[np.UID] = a.clock.Now() // the first is the oldest
	}
	return a
}

func (a *azure) allUpToDate(bases ...string) func() bool {
	return func() bool {
		return !slices.ContainsFunc(bases, func(base string) bool { return !upToDate(a.get(base)) })
	}
}

func (a *azure) rolling(base string) string {
	a.t.Helper()
	c := meta.FindStatusCondition(a.get(base).Status.Conditions, fleetwrightv1.ConditionRollingOut)
	if c == nil {
		return ""
	}
	return c.Message
}

// Nodepools of one cluster change at once: Azure is asked for one thing at a time
// (that is held at each write). Who looks first begins; of those that wait the
// oldest is next, and each says who comes before it.
func TestNodepoolsOfAClusterTakeTurns(t *testing.T) {
	t.Parallel()
	bases := []string{"alpha", "beta", "gamma", "delta"}
	looks := []string{"delta", "gamma", "beta", "alpha"}
	a := crowd(t, bases...)
	for _, base := range bases {
		a.changeOf(base, machine("D8"))
	}
	first := regexp.MustCompile(`prod-[a-z]+ comes first .*`)
	named := regexp.MustCompile(`prod-[a-z]+`)
	bothAhead := 0
	a.run(func() bool {
		names := named.FindAllString(first.FindString(a.rolling("gamma")), -1)
		alpha, beta := slices.Index(names, "prod-alpha"), slices.Index(names, "prod-beta")
		if alpha >= 0 && beta >= 0 {
			if bothAhead++; alpha > beta {
				t.Errorf("gamma says: %s", a.rolling("gamma"))
			}
		}
		return a.allUpToDate(bases...)()
	}, looks...)
	if bothAhead == 0 {
		t.Error("gamma never said that alpha and beta come first")
	}
	var made []string
	for _, object := range a.appeared[len(bases):] {
		made = append(made, named.FindString(object))
	}
	if diff := cmp.Diff([]string{"prod-delta", "prod-alpha", "prod-beta", "prod-gamma"}, made); diff != "" {
		t.Errorf("order of the new pools: %s", diff)
	}
	if n := len(a.pools()); n != len(bases) {
		t.Errorf("%d pools are left, want one of each Nodepool", n)
	}
}

// More nodes are needed now: who asks for them does not wait for the replacement
// that waits already.
func TestScaleUpOvertakes(t *testing.T) {
	t.Parallel()
	a := crowd(t, "alpha", "beta", "gamma")
	a.changeOf("alpha", machine("D8"))
	a.turn("alpha", "beta", "gamma") // Azure is at work for alpha
	a.changeOf("beta", machine("D8"))
	a.changeOf("gamma", replicas(2))
	a.run(a.allUpToDate("alpha", "beta", "gamma"), "beta", "gamma", "alpha")
	lines := a.op.written("")
	grown := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "patch MachinePool pool3 replicas") })
	begun := slices.Index(lines, "create MachinePool pool5")
	if grown < 0 || begun < 0 || grown > begun {
		t.Errorf("gamma grew at write %d, beta's new pool was made at %d:\n%s", grown, begun, strings.Join(lines, "\n"))
	}
}

// One whose write always fails stands in nobody's way for long.
func TestFailingNodepoolLetsOthersPass(t *testing.T) {
	t.Parallel()
	a := crowd(t, "alpha", "beta")
	a.op.refuses = "create infrastructure pool3" // alpha's new pool: alpha looks first
	a.changeOf("alpha", machine("D8"))
	a.changeOf("beta", machine("D8"))
	a.run(a.allUpToDate("beta"), "alpha", "beta")
	if tries := len(a.op.written(a.op.refuses)); tries < 2 {
		t.Errorf("alpha tried %d times", tries)
	}
	a.op.refuses = ""
	a.run(a.allUpToDate("alpha", "beta"), "alpha", "beta")
}

// One that is told to do nothing, or nothing disruptive, wants no turn.
func TestPausedNodepoolsStandInNobodysWay(t *testing.T) {
	t.Parallel()
	for _, mode := range []fleetwrightv1.ReconcileMode{fleetwrightv1.ReconcileModePaused, fleetwrightv1.ReconcileModeNonDisruptive} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			a := crowd(t, "alpha", "beta")
			a.changeOf("alpha", func(s *fleetwrightv1.NodepoolSpec) { s.MachineType, s.Reconcile = "D8", mode })
			a.changeOf("beta", machine("D8"))
			a.run(func() bool {
				if message := a.rolling("beta"); strings.Contains(message, "alpha") {
					t.Errorf("beta waits for alpha: %s", message)
				}
				return a.allUpToDate("beta")()
			}, "alpha", "beta")
			if lines := a.op.written("pool1"); len(lines) > 0 {
				t.Errorf("alpha is %s and wrote %v", mode, lines)
			}
		})
	}
}
