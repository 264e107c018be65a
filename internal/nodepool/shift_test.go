package nodepool

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/broker"
)

// A shift in stages never has more nodes than before but one, takes emptied
// machines one by one, and writes their number down only when Azure has settled
// it: refused, unsettled and unanswered, it comes to the same end.
func TestShiftInStages(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*azure){
		"undisturbed":          func(*azure) {},
		"somebody else works":  func(a *azure) { a.op.arm.busy = 2 },
		"number not settled":   func(a *azure) { a.op.arm.unsettled = 3 },
		"the answer gets lost": func(a *azure) { a.op.arm.loses = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := tales["shifted-in-stages"].begin(t)
			disturb(a)
			a.change(machine("D8"))
			strategies := map[fleetwrightv1.ReplacementStrategy]bool{}
			a.converge(func(np *fleetwrightv1.Nodepool) bool {
				strategies[np.Status.Replacement.Strategy] = true
				nodes := 0
				for _, p := range a.agentPools {
					nodes += len(p.nodes)
				}
				if nodes > 4 {
					t.Errorf("%d nodes, 3 and a surge of 1 are allowed", nodes)
				}
				return upToDate(np)
			})
			a.checkEnd()
			if !strategies[fleetwrightv1.ReplacementStrategyStagedShift] || strategies[fleetwrightv1.ReplacementStrategyFullGreen] {
				t.Errorf("status.replacement.strategy was %v", strategies)
			}
			if a.op.arm.busy > 0 || a.op.arm.unsettled > 0 || a.op.arm.loses {
				t.Errorf("the disturbance did not happen: %+v", a.op.arm)
			}
			if a.op.arm.deleted != 2 {
				t.Errorf("%d machines were taken away singly, want 2: the last goes with its pool", a.op.arm.deleted)
			}
			// The number of the pool that leaves is written down after each machine.
			var lines []string
			for _, line := range a.op.written("pool1") {
				if strings.HasPrefix(line, "patch MachinePool pool1 replicas") {
					lines = append(lines, line)
				}
			}
			if len(lines) != 2 {
				t.Errorf("the size of the old pool was written %d times", len(lines))
			}
		})
	}
}

// Azure at work for somebody else is no failure: the operator waits, and says no
// error.
func TestBusyIsNoError(t *testing.T) {
	t.Parallel()
	a := tales["shifted-in-stages"].begin(t)
	a.op.arm.busy = 1
	a.change(machine("D8"))
	asks := func() bool { return len(a.op.written("delete machines")) > 0 }
	var wait time.Duration
	for range 60 {
		if wait = a.op.reconcile(a.key()); asks() {
			break
		}
		a.pass(3 * time.Second)
		a.step()
	}
	if !asks() || wait < busyPause {
		t.Errorf("refused as busy, it looks again after %s", wait)
	}
	if slices.ContainsFunc(a.get("general").Status.Conditions, func(c metav1.Condition) bool { return c.Type == "Stalled" }) {
		t.Error("it is Stalled")
	}
	a.told("capacity", broker.PriorityDefault)
	a.told("delete", broker.PriorityDefault)
}

// Who has fewer nodes than are wanted goes before all else that asks Azure; a pool
// that takes over from another is not enough for that, see above.
func TestAShortNodepoolAsksAzureFirst(t *testing.T) {
	t.Parallel()
	a := tales["shifted-in-stages"].begin(t)
	a.change(machine("D8"))
	for len(a.agentPools) < 2 {
		a.op.reconcile(a.key())
		a.pass(3 * time.Second)
		a.step()
	}
	a.change(replicas(9))
	a.op.arm.calls = nil
	for range 20 {
		if a.op.reconcile(a.key()); len(a.op.arm.calls) > 0 {
			break
		}
		a.pass(3 * time.Second)
		a.step()
	}
	a.told("capacity", broker.PriorityScaleUp)
}

// told checks what was said of the requests of one kind.
func (a *azure) told(what string, priority broker.Priority) {
	a.t.Helper()
	calls := a.op.arm.calls[what]
	if len(calls) == 0 {
		a.t.Errorf("%s was not asked for", what)
	}
	for _, c := range calls {
		if want := (broker.Call{Cluster: a.namespace + "/" + clusterName, Priority: priority, Region: "westeurope"}); c != want {
			a.t.Errorf("%s: %+v, want %+v", what, c, want)
		}
	}
}
