package nodepool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	corev1 "k8s.io/api/core/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// moving is a pool in the middle of its replacement, one pod of four having
// moved.
func moving(t *testing.T) *azure {
	t.Helper()
	a := newAzure(t)
	a.pods, a.budget = 4, 1
	a.running("D4")
	a.change(machine("D8"))
	a.converge(func(*fleetwrightv1.Nodepool) bool { return len(a.op.written("evict")) == 1 })
	return a
}

// holds looks a few times and expects that nothing but status is written, and
// condition Paused with that reason and message; then it lifts the hold and
// expects the end.
func (a *azure) holds(reason, message string, lift func()) {
	a.t.Helper()
	count := func() int {
		return len(a.op.written("")) - len(a.op.written("status"))
	}
	before := count()
	a.turns(6)
	if after := count(); after != before {
		lines := slices.DeleteFunc(a.op.written(""), func(l string) bool { return strings.Contains(l, "status") })
		a.t.Errorf("held, it wrote %s", strings.Join(lines[before:], ", "))
	}
	c := a.condition(fleetwrightv1.ConditionPaused)
	if c.Status != metav1.ConditionTrue || c.Reason != reason || !strings.HasPrefix(c.Message, message) {
		a.t.Errorf("condition Paused: %+v, want reason %s and a message that begins with %q", c, reason, message)
	}
	lift()
	a.converge(upToDate)
	a.checkEnd()
}

// condition is one of the story's one Nodepool, the zero one when it is missing.
func (a *azure) condition(kind string) metav1.Condition {
	a.t.Helper()
	if c := meta.FindStatusCondition(a.get("general").Status.Conditions, kind); c != nil {
		return *c
	}
	return metav1.Condition{}
}

func (a *azure) freeze(namespace string, spec fleetwrightv1.FreezeSpec) (lift func()) {
	a.t.Helper()
	f := &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Name: "incident", Namespace: namespace}, Spec: spec}
	create(a.t, f)
	return func() {
		a.t.Helper()
		if err := server.Delete(a.t.Context(), f); err != nil {
			a.t.Fatal(err)
		}
	}
}

// A Freeze that is made while pods move stops the next eviction, whichever way
// it reaches the cluster.
func TestFreezeStopsPodsThatMove(t *testing.T) {
	t.Parallel()
	selected := func(ring string) fleetwrightv1.FreezeSpec {
		return fleetwrightv1.FreezeSpec{Scope: fleetwrightv1.FreezeScopeSelected, ClusterSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"ring": ring}}}
	}
	for name, test := range map[string]struct {
		fleet bool
		spec  fleetwrightv1.FreezeSpec
		mode  fleetwrightv1.FreezeMode
	}{
		"fleet-paused":                        {true, fleetwrightv1.FreezeSpec{Scope: fleetwrightv1.FreezeScopeAll}, fleetwrightv1.FreezeModePaused},
		"fleet-by-labels-non-disruptive":      {true, selected("canary"), fleetwrightv1.FreezeModeNonDisruptive},
		"namespace-non-disruptive":            {false, fleetwrightv1.FreezeSpec{Scope: fleetwrightv1.FreezeScopeAll}, fleetwrightv1.FreezeModeNonDisruptive},
		"namespace-by-labels-paused":          {false, selected("canary"), fleetwrightv1.FreezeModePaused},
		"other-clusters-are-selected (moves)": {true, selected("stable"), fleetwrightv1.FreezeModePaused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := moving(t)
			namespace := a.namespace
			if test.fleet {
				namespace = a.op.reconciler.Namespace
				create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
			}
			test.spec.Reconcile, test.spec.Reason = test.mode, "INC-4711"
			lift := a.freeze(namespace, test.spec)
			if strings.Contains(name, "other") {
				defer lift()
				a.converge(upToDate)
				return
			}
			a.holds("Frozen", fmt.Sprintf("Freeze %s/incident (%s): INC-4711", namespace, test.mode), lift)
		})
	}
}

// lagging is a cache that still has an earlier Cluster.
type lagging struct {
	client.Client
	cluster *clusterv1.Cluster
}

func (l lagging) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if cluster, is := o.(*clusterv1.Cluster); is {
		l.cluster.DeepCopyInto(cluster)
		return nil
	}
	return l.Client.Get(ctx, key, o, opts...)
}

// A Cluster that is paused, as clusterctl does before it moves one, stops pods
// that move, also while the cache does not know of that yet.
func TestAPausedClusterStopsPodsThatMove(t *testing.T) {
	t.Parallel()
	a := moving(t)
	cluster := &clusterv1.Cluster{}
	if err := server.Get(t.Context(), a.cluster(), cluster); err != nil {
		t.Fatal(err)
	}
	r := a.op.reconciler
	now := r.Client
	r.Client = lagging{now, cluster.DeepCopy()}
	a.op.reconcile(a.key())
	if !r.drains.runFor(a.key()) {
		t.Fatal("no drain runs that could be stopped")
	}
	pause := func(paused bool) {
		t.Helper()
		cluster.Spec.Paused = new(paused)
		if err := server.Update(t.Context(), cluster); err != nil {
			t.Fatal(err)
		}
	}
	pause(true)
	if wait := a.op.reconcile(a.key()); wait != conflictPause || r.drains.runFor(a.key()) {
		t.Errorf("it looks again in %s, and a drain runs: %t", wait, r.drains.runFor(a.key()))
	}
	r.Client = now
	a.holds("ClusterPaused", "Cluster "+clusterName+" is paused", func() { pause(false) })
}

func TestReconcileModeStopsPodsThatMove(t *testing.T) {
	t.Parallel()
	for mode, message := range map[fleetwrightv1.ReconcileMode]string{
		fleetwrightv1.ReconcileModePaused:        "the Nodepool says reconcile: Paused",
		fleetwrightv1.ReconcileModeNonDisruptive: "the Nodepool says reconcile: NonDisruptive; held back: ",
	} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			a := moving(t)
			say := func(mode fleetwrightv1.ReconcileMode) {
				a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Reconcile = mode })
			}
			say(mode)
			a.holds(string(mode), message, func() { say("") })
		})
	}
}

// Nodes that were given up are helped by looks alone, without a drain; whatever
// holds evictions back holds that, too.
func TestHoldStopsTheLadderOfNodesThatWereGivenUp(t *testing.T) {
	t.Parallel()
	for _, mode := range []fleetwrightv1.FreezeMode{fleetwrightv1.FreezeModePaused, fleetwrightv1.FreezeModeNonDisruptive} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			a := quarantined(t)
			lift := a.freeze(a.namespace, fleetwrightv1.FreezeSpec{Scope: fleetwrightv1.FreezeScopeAll, Reconcile: mode, Reason: "INC-4711"})
			a.change(func(s *fleetwrightv1.NodepoolSpec) {
				deadline := s.Drain.Deadline
				s.Drain = scaleUp(60)
				s.Drain.Deadline = deadline
			})
			acts := func() []string {
				return slices.DeleteFunc(a.op.written(""), func(l string) bool { return strings.Contains(l, "status") })
			}
			before := len(acts())
			a.turns(6)
			if all := acts(); len(all) != before {
				t.Errorf("held, it wrote %s", strings.Join(all[before:], ", "))
			}
			lift()
			a.converge(func(*fleetwrightv1.Nodepool) bool { return len(a.op.written("patch Deployment")) > 0 })
		})
	}
}

// windowed gives the Nodepool a window that opens in three hours, for one hour.
func windowed(a *azure) (opens time.Time, change func(*fleetwrightv1.NodepoolSpec)) {
	opens = a.clock.Now().Add(3 * time.Hour).Truncate(time.Minute)
	return opens, func(s *fleetwrightv1.NodepoolSpec) {
		s.Maintenance.Windows = []fleetwrightv1.MaintenanceWindow{{
			Name: "nightly", Schedule: fmt.Sprintf("%d %d * * *", opens.Minute(), opens.Hour()), DurationSeconds: 3600,
		}}
	}
}

// A replacement begins when a window is open, and what has begun goes on after
// it closed; changes in place do not wait.
func TestReplacementWaitsForItsWindow(t *testing.T) {
	t.Parallel()
	a := newAzure(t)
	a.pods, a.budget = 4, 1
	a.running("D4")
	a.turns(1)
	opens, window := windowed(a)
	a.change(window)
	a.change(machine("D8"))
	a.change(func(s *fleetwrightv1.NodepoolSpec) {
		s.Labels = map[string]fleetwrightv1.LabelValue{"team": "shop"}
	})
	a.run(func() bool {
		return a.rolling("general") != "" && len(a.op.written("infrastructure")) > 0 && !a.changed
	}, "general")
	if got := a.pools()[0].Spec.Labels["team"]; got != "shop" {
		t.Errorf("the label waits for the window: %q", got)
	}
	np := a.get("general")
	if c := a.condition(fleetwrightv1.ConditionRollingOut); c.Status != metav1.ConditionFalse || c.Reason != fleetwrightv1.ReasonWaitingForWindow {
		t.Errorf("condition RollingOut: %+v", c)
	}
	if !np.Status.NextWindowTime.Time.Equal(opens) || np.Status.Replacement.Step != fleetwrightv1.ReplacementStepWaitingForWindow {
		t.Errorf("next window %s at step %s, want %s", np.Status.NextWindowTime, np.Status.Replacement.Step, opens)
	}
	a.run(func() bool { return len(a.op.written("create MachinePool")) > 0 }, "general")
	if now := a.clock.Now(); now.Before(opens) || now.Sub(opens) > time.Minute {
		t.Errorf("the new pool was made at %s, the window opened at %s", now, opens)
	}
	a.run(func() bool { return len(a.op.written("evict")) > 0 }, "general")
	a.clock.SetTime(opens.Add(2 * time.Hour)) // it has closed
	a.converge(upToDate)
	a.checkEnd()
	if got := a.get("general").Status.NextWindowTime.Time; !got.Equal(opens.Add(24 * time.Hour)) {
		t.Errorf("next window %s, want %s", got, opens.Add(24*time.Hour))
	}
}

// What cannot be is said, and nothing is done about it.
func TestImpossibleWishes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change                     func(*fleetwrightv1.NodepoolSpec)
		kind, status, reason, says string
	}{
		"unknown time zone": {
			func(s *fleetwrightv1.NodepoolSpec) {
				s.Maintenance.Windows = []fleetwrightv1.MaintenanceWindow{{Name: "nightly", Schedule: "0 22 * * *", DurationSeconds: 3600, TimeZone: "Europe/Atlantis"}}
			},
			"Stalled", "True", "InvalidSpec", `maintenance window nightly: timeZone "Europe/Atlantis"`,
		},
		"override of a field that has its own": {
			func(s *fleetwrightv1.NodepoolSpec) {
				s.ProviderOverrides = &runtime.RawExtension{Raw: []byte(`{"vmSize":"D16"}`)}
			},
			"Stalled", "True", "OverrideConflict", "providerOverrides.vmSize",
		},
		"only in place": {
			func(s *fleetwrightv1.NodepoolSpec) {
				s.Replacement.Strategy = fleetwrightv1.ReplacementStrategyInPlaceOnly
			},
			"UpToDate", "False", "StrategyForbids", "machineType D4 -> D8",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAzure(t)
			a.running("D4")
			a.change(machine("D8"))
			a.change(test.change)
			a.turns(3)
			if c := a.condition(test.kind); string(c.Status) != test.status || c.Reason != test.reason || !strings.Contains(c.Message, test.says) {
				t.Errorf("condition %s: %+v", test.kind, c)
			}
			if lines := append(a.op.written("MachinePool"), a.op.written("infrastructure")...); len(lines) > 0 {
				t.Errorf("it wrote %s", strings.Join(lines, ", "))
			}
		})
	}
}
