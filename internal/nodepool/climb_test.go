package nodepool

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/drain/ladder"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// shop is a Deployment of two pods whose budget wants both, on a pool that is to
// be replaced.
func shop(t *testing.T, policy fleetwrightv1.DrainPolicy) *azure {
	t.Helper()
	a := newAzure(t)
	labels := map[string]string{"app": "cart"}
	pods := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "cart"}}}}
	cart := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: a.namespace},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: pods},
	}
	create(t, cart)
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: a.namespace, Labels: labels, OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "apps/v1", Kind: "Deployment", Name: "cart", UID: cart.UID, Controller: new(true)},
		}},
		Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: pods},
	}
	create(t, set)
	create(t, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: a.namespace},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: new(intstr.FromInt32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels}},
	})
	a.replicaSet, a.pods = set.UID, 2
	a.before = func(*fleetwrightv1.Nodepool) { a.control() }
	a.running("D4", func(s *fleetwrightv1.NodepoolSpec) { s.Drain = policy })
	a.change(machine("D8"))
	return a
}

// control is the controllers of Deployments and of budgets.
func (a *azure) control() {
	a.t.Helper()
	cart := a.cart()
	a.pods = int(*cart.Spec.Replicas)
	pods := a.podsOn("")
	for len(pods) > a.pods { // it has one too many
		if err := server.Delete(a.t.Context(), &pods[0]); err != nil {
			a.t.Fatal(err)
		}
		pods = pods[1:]
	}
	n := int32(len(pods))
	cart.Status = appsv1.DeploymentStatus{ObservedGeneration: cart.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n}
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: a.namespace}}
	if err := server.Get(a.t.Context(), client.ObjectKeyFromObject(budget), budget); err != nil {
		a.t.Fatal(err)
	}
	budget.Status = policyv1.PodDisruptionBudgetStatus{
		Conditions:         budget.Status.Conditions,
		ObservedGeneration: budget.Generation, DisruptionsAllowed: max(n-2, 0), CurrentHealthy: n, DesiredHealthy: 2, ExpectedPods: int32(a.pods),
	}
	allows := metav1.Condition{Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse, Reason: policyv1.InsufficientPodsReason, LastTransitionTime: metav1.NewTime(a.clock.Now())}
	if n > 2 {
		allows.Status, allows.Reason = metav1.ConditionTrue, policyv1.SufficientPodsReason
	}
	meta.SetStatusCondition(&budget.Status.Conditions, allows)
	for _, o := range []client.Object{cart, budget} {
		err := server.Status().Update(a.t.Context(), o)
		if apierrors.IsConflict(err) {
			return // an eviction came first; the next turn counts again
		}
		if err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *azure) cart() *appsv1.Deployment {
	a.t.Helper()
	var cart appsv1.Deployment
	if err := server.Get(a.t.Context(), client.ObjectKey{Namespace: a.namespace, Name: "cart"}, &cart); err != nil {
		a.t.Fatal(err)
	}
	return &cart
}

func scaleUp(after int32) fleetwrightv1.DrainPolicy {
	return fleetwrightv1.DrainPolicy{Ladder: []fleetwrightv1.DrainRung{{Action: "ScaleUpBudget", AfterSeconds: &after}}}
}

// said are the events on the Nodepool so far whose text has the part.
func (a *azure) said(part string) (out []string) {
	recorder := a.op.reconciler.Recorder.(*events.FakeRecorder)
	for len(recorder.Events) > 0 {
		a.events = append(a.events, <-recorder.Events)
	}
	for _, e := range a.events {
		if strings.Contains(e, part) {
			out = append(out, e)
		}
	}
	return out
}

// A Deployment is scaled up when its budget has let nothing go for long, its pods
// leave, and it has its old size again before the machines go.
func TestLadderScalesUpAndPutsBackBeforeMachinesGo(t *testing.T) {
	t.Parallel()
	for name, stages := range map[string]bool{"the whole pool": false, "in stages": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := shop(t, scaleUp(60))
			if stages {
				a.op.arm = &arm{a: a}
				a.op.start()
				a.change(inStages)
			}
			gone := func(line string) bool {
				return strings.HasPrefix(line, "delete MachinePool pool1") || strings.HasPrefix(line, "delete machines of pool1")
			}
			up := 0
			a.converge(func(np *fleetwrightv1.Nodepool) bool {
				cart := a.cart()
				_, marked := cart.Annotations[ladder.AnnotationScaledUp]
				if *cart.Spec.Replicas == 3 && marked {
					up++
				}
				return upToDate(np)
			})
			a.control()
			a.checkEnd()
			if cart := a.cart(); up == 0 || *cart.Spec.Replicas != 2 || len(cart.Annotations)+len(cart.Labels) > 0 {
				t.Errorf("scaled up in %d looks, left with %d replicas, annotations %v, labels %v", up, *cart.Spec.Replicas, cart.Annotations, cart.Labels)
			}
			lines := a.op.written("")
			deployments := 0
			for _, line := range lines[:slices.IndexFunc(lines, gone)] {
				if line == "patch Deployment" {
					deployments++
				}
			}
			if all := len(a.op.written("patch Deployment")); deployments%2 != 0 || all%2 != 0 || !stages && all != 2 {
				t.Errorf("of %d writes to the Deployment %d come before the first machine goes:\n%s", all, deployments, strings.Join(lines, "\n"))
			}
			if len(a.said("scales Deployment "+a.namespace+"/cart up from 2 to 3")) == 0 {
				t.Errorf("the events are %v", a.events)
			}
		})
	}
}

// However late something was scaled up for a drain, it has its old size when the
// next machines of the pool go.
func TestNothingIsLeftScaledUpWhenMachinesGo(t *testing.T) {
	t.Parallel()
	for name, stages := range map[string]bool{"the whole pool": false, "in stages": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := shop(t, scaleUp(60))
			if stages {
				a.op.arm = &arm{a: a}
				a.op.start()
				a.change(inStages)
			}
			// All that is on old nodes is emptied by people; the scale-up comes before
			// each look.
			late, seen := false, 0
			a.before = func(*fleetwrightv1.Nodepool) {
				for _, n := range a.nodes() {
					for _, p := range a.podsOn(n.Name) {
						if n.Spec.Unschedulable {
							if err := server.Delete(t.Context(), &p); err != nil {
								t.Fatal(err)
							}
							late = true
						}
					}
				}
				a.control()
				if cart := a.cart(); late && len(a.pools()) > 1 {
					cart.Spec.Replicas = new(int32(3))
					up := ladder.NewScaledUp(a.namespace+"/prod-general-old", 2, 3, a.clock.Now().Add(time.Hour))
					cart.Labels = map[string]string{ladder.LabelScaledUp: up.Label()}
					if err := server.Update(t.Context(), cart); err != nil {
						t.Fatal(err)
					}
				}
			}
			a.op.onWrite = func(line string) {
				if strings.HasPrefix(line, "delete MachinePool pool1") || strings.HasPrefix(line, "delete machines of pool1") {
					if cart := a.cart(); *cart.Spec.Replicas != 2 || len(cart.Labels) > 0 {
						t.Errorf("%s while the Deployment is scaled up to %d", line, *cart.Spec.Replicas)
					}
					seen++
				}
			}
			a.converge(func(np *fleetwrightv1.Nodepool) bool { return upToDate(np) && len(a.pools()) == 1 })
			if seen == 0 {
				t.Error("no machine went")
			}
		})
	}
}

// What the ladder cannot do stops no drain, and is said.
func TestLadderThatFailsStopsNoDrain(t *testing.T) {
	t.Parallel()
	a := shop(t, scaleUp(60))
	a.op.refuses = "patch Deployment"
	a.converge(func(*fleetwrightv1.Nodepool) bool { return len(a.op.written("patch Deployment")) > 1 })
	if runs, _ := a.op.reconciler.drains.count(); runs != 1 {
		t.Errorf("%d drains run", runs)
	}
	if wait := a.op.reconcile(a.key()); wait != lookWhileDraining {
		t.Errorf("it looks again in %s", wait)
	}
	if len(a.said("DrainHelpFailed")) == 0 {
		t.Errorf("the events are %v", a.events)
	}
	a.op.refuses = ""
	a.converge(upToDate)
	a.control()
	a.checkEnd()
}

// A tenant's webhook that is down, and so refuses to have a Deployment put back,
// keeps no node closed that is wanted again: it may need it to run on.
func TestNodesOpenBeforeWhatWasChangedIsPutBack(t *testing.T) {
	t.Parallel()
	a := shop(t, scaleUp(60))
	scaled := func() bool { return *a.cart().Spec.Replicas == 3 }
	a.converge(func(*fleetwrightv1.Nodepool) bool { return scaled() })
	a.op.refuses = "patch Deployment"
	a.change(machine("D4"))
	closed := func() (names []string) {
		for _, n := range a.nodes() {
			if n.Spec.Unschedulable {
				names = append(names, n.Name)
			}
		}
		return names
	}
	a.converge(func(*fleetwrightv1.Nodepool) bool { return len(closed()) == 0 })
	a.turns(3)
	if c := a.condition("RollingOut"); c.Reason != "RollingBack" || !strings.Contains(c.Message, "put back what was changed") || !scaled() {
		t.Errorf("nothing was put back yet, and condition RollingOut is %+v", c)
	}
	a.op.refuses = ""
	a.converge(func(np *fleetwrightv1.Nodepool) bool { return upToDate(np) && len(a.pools()) == 1 })
	a.control()
	a.checkEnd()
	if cart := a.cart(); scaled() || len(cart.Annotations)+len(cart.Labels) > 0 {
		t.Errorf("left with %d replicas, annotations %v", *cart.Spec.Replicas, cart.Annotations)
	}
}

// Pods are helped on the pool that is drained, and on those of which nodes were given
// up, also while another one is drained; never on one that is open or on hold.
func TestWhichPoolsAreHelped(t *testing.T) {
	t.Parallel()
	given := replacement.Drain{Known: true, Closed: true, Quarantined: []string{"n1"}}
	open := given
	open.Closed = false
	for name, test := range map[string]struct {
		plan   replacement.Plan
		hold   replacement.Hold
		drains map[string]replacement.Drain
		want   []string
	}{
		"one is drained": {plan: evicting("a"), drains: map[string]replacement.Drain{"a": {Known: true, Closed: true}, "b": {Known: true}}, want: []string{"a"}},
		"one is drained, and nodes of another were given up": {
			plan: evicting("b"), drains: map[string]replacement.Drain{"a": given, "b": {Known: true, Closed: true}}, want: []string{"b", "a"},
		},
		"nodes of the one that is drained were given up": {plan: evicting("a"), drains: map[string]replacement.Drain{"a": given}, want: []string{"a"}},
		"only nodes that were given up are left": {
			plan: waitingFor(fleetwrightv1.ReasonDrainQuarantined), drains: map[string]replacement.Drain{"a": given, "b": given}, want: []string{"a", "b"},
		},
		"a person calls nodes of an open pool given up": {plan: evicting("a"), drains: map[string]replacement.Drain{"a": {Known: true, Closed: true}, "b": open}, want: []string{"a"}},
		"on hold": {
			plan: waitingFor(fleetwrightv1.ReasonDrainQuarantined), hold: replacement.Hold{Reason: "Frozen", NonDisruptive: true},
			drains: map[string]replacement.Drain{"a": given},
		},
		"pods have no place": {plan: waitingFor(fleetwrightv1.ReasonPodsDoNotFit), drains: map[string]replacement.Drain{"a": {Known: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			o := &observation{plan: test.plan, drains: map[string]drain.Plan{}}
			o.world.Nodepool.Hold = test.hold
			for _, object := range []string{"a", "b"} {
				if d, known := test.drains[object]; known {
					o.drains[object] = drain.Plan{}
					o.world.Pools = append(o.world.Pools, replacement.Pool{Object: object, Drain: d})
				}
			}
			if got := climbs(o); !slices.Equal(got, test.want) {
				t.Errorf("pods are helped on %v, want %v", got, test.want)
			}
		})
	}
}

func evicting(object string) replacement.Plan {
	return replacement.Plan{Action: replacement.Action{Kind: replacement.EvictPods, Object: object}}
}

func waitingFor(reason string) replacement.Plan {
	return replacement.Plan{Reason: reason, Action: replacement.Action{Kind: replacement.None}}
}

// heard is a notifier that counts.
type heard struct{ notices []ladder.Notice }

func (h *heard) Notify(_ context.Context, n ladder.Notice) error {
	h.notices = append(h.notices, n)
	return nil
}

// By default the owner is told after ten minutes, once an hour; a pause tells
// nobody.
func TestOwnersAreToldOfBlockedDrains(t *testing.T) {
	t.Parallel()
	a := shop(t, fleetwrightv1.DrainPolicy{})
	h := &heard{}
	a.op.reconciler.Notifier = h
	a.converge(func(*fleetwrightv1.Nodepool) bool { return a.condition("RollingOut").Reason == "DrainingBlue" })
	pause := func(mode fleetwrightv1.ReconcileMode) {
		a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Reconcile = mode })
	}
	pause(fleetwrightv1.ReconcileModePaused)
	a.pass(20 * time.Minute)
	a.turns(3)
	if len(h.notices) > 0 || len(a.op.written("tell")) > 0 {
		t.Errorf("paused, it tells %v", h.notices)
	}
	pause("")
	a.turns(10)
	if len(h.notices) != 1 || h.notices[0].Workload.Name != "cart" || h.notices[0].Drain != a.namespace+"/prod-general-old" || len(a.op.written("tell")) != 1 {
		t.Errorf("told: %+v", h.notices)
	}
	if len(a.said("tells the owner of Deployment "+a.namespace+"/cart")) != 1 {
		t.Errorf("the events are %v", a.events)
	}
}

// quarantined is a drain whose nodes were given up.
func quarantined(t *testing.T) *azure {
	t.Helper()
	a := shop(t, fleetwrightv1.DrainPolicy{
		Ladder:   []fleetwrightv1.DrainRung{{Action: "None"}},
		Deadline: fleetwrightv1.DrainDeadline{Action: "Quarantine", AfterSeconds: 900},
	})
	for _, reason := range []string{"DrainingBlue", "DrainQuarantined"} {
		a.converge(func(*fleetwrightv1.Nodepool) bool { return a.condition("RollingOut").Reason == reason })
		a.pass(15 * time.Minute)
	}
	return a
}

// Nodes that were given up may be waited for for weeks: a look at them does not ask
// for all pods of the cluster.
func TestNodesThatAreGivenUpAreCheapToWaitFor(t *testing.T) {
	t.Parallel()
	a := quarantined(t)
	a.pass(time.Hour) // no forecast is kept for that long
	var mu sync.Mutex
	var asked []string
	a.op.onRead = func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasSuffix(r.URL.Path, "/deployments") && r.URL.Query().Get("labelSelector") == "" {
			asked = append(asked, r.URL.String()) // only what looks for volumes asks for all of them
		}
	}
	a.turns(5)
	mu.Lock()
	defer mu.Unlock()
	if len(asked) > 0 || a.condition("RollingOut").Reason != "DrainQuarantined" {
		t.Errorf("it asked for %v; condition RollingOut is %+v", asked, a.condition("RollingOut"))
	}
}

// marked are the nodes that were given up.
func (a *azure) marked() (names []string) {
	for _, n := range a.nodes() {
		if n.Labels[drain.LabelQuarantined] != "" {
			names = append(names, n.Name)
		}
	}
	return names
}

// Nodes that were given up are waited for without a drain, and named; their pools
// stay. What frees them lets the replacement go on, and what takes it back opens
// them.
func TestNodesThatAreGivenUp(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*azure){
		"their pods end": func(a *azure) {
			cart := a.cart()
			cart.Spec.Replicas = new(int32(0))
			if err := server.Update(a.t.Context(), cart); err != nil {
				a.t.Fatal(err)
			}
			a.converge(upToDate)
		},
		"the replacement is taken back": func(a *azure) {
			a.change(machine("D4"))
			a.converge(upToDate)
		},
		"the policy no longer gives nodes up": func(a *azure) {
			a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Drain = scaleUp(60) })
			a.converge(upToDate)
		},
		"the Nodepool is deleted, and then their pods": func(a *azure) {
			if err := server.Delete(a.t.Context(), a.get("general")); err != nil {
				a.t.Fatal(err)
			}
			a.converge(func(*fleetwrightv1.Nodepool) bool { return a.condition("Deleting").Reason == "DrainQuarantined" })
			cart := a.cart()
			cart.Spec.Replicas = new(int32(0))
			if err := server.Update(a.t.Context(), cart); err != nil {
				a.t.Fatal(err)
			}
			a.converge(gone)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := quarantined(t)
			given := a.marked()
			c := a.condition("RollingOut")
			if len(given) != 2 || c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, given[0]) || !strings.Contains(c.Message, given[1]) || !strings.Contains(c.Message, "PodDisruptionBudget") {
				t.Errorf("%v are given up; condition RollingOut: %+v", given, c)
			}
			if len(a.said("gives node "+given[0]+" up")) != 1 {
				t.Errorf("the events are %v", a.events)
			}
			if wait := a.op.reconcile(a.key()); wait != time.Minute {
				t.Errorf("it looks again in %s", wait)
			}
			if runs, connections := a.op.reconciler.drains.count(); runs != 0 || connections != 0 {
				t.Errorf("%d drains run over %d connections", runs, connections)
			}
			a.turns(3)
			if left := len(a.pools()); left != 2 {
				t.Errorf("%d pools are left", left)
			}
			end(a)
			if left := a.marked(); len(left) > 0 {
				t.Errorf("%v are still given up", left)
			}
			if !strings.Contains(name, "deleted") {
				a.control()
				a.checkEnd()
			}
		})
	}
}
