package drain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

func drawSnapshot(t *rapid.T) Snapshot {
	apps := []string{"cart", "web", "db", "log"}
	age := rapid.Int64Range(-int64(time.Hour), int64(time.Hour))
	moment := func(label string) time.Time { return ago(time.Duration(age.Draw(t, label))) }
	var s Snapshot
	for i := range rapid.IntRange(0, 4).Draw(t, "nodes") {
		s.Nodes = append(s.Nodes, Node{
			Name: fmt.Sprintf("old-%d", i), UID: types.UID(fmt.Sprintf("node-%d", i)),
			Unschedulable: rapid.IntRange(0, 9).Draw(t, "cordoned") > 0, Ready: rapid.Bool().Draw(t, "nodeReady"),
			Quarantined: rapid.IntRange(0, 5).Draw(t, "quarantined") == 0,
		})
	}
	for i := range rapid.IntRange(0, 25).Draw(t, "pods") {
		app := rapid.SampledFrom(apps).Draw(t, "app")
		p := pod(fmt.Sprintf("%s-%d", app, i), app, on(rapid.SampledFrom([]string{"old-0", "old-1", "old-2", "new-0", ""}).Draw(t, "on")))
		p.Phase = rapid.SampledFrom([]corev1.PodPhase{"Running", "Running", "Running", "Pending", "Succeeded", "Failed", "Unknown"}).Draw(t, "phase")
		p.Ready = p.Phase == corev1.PodRunning && rapid.IntRange(0, 3).Draw(t, "ready") > 0
		p.Created = moment("created")
		p.Grace = time.Duration(rapid.IntRange(0, 2).Draw(t, "grace")) * time.Second
		p.NamespaceLabels = map[string]string{"team": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "team")}
		p.Mirror = rapid.IntRange(0, 9).Draw(t, "mirror") == 0
		switch app {
		case "log":
			p.Controller.Kind = "DaemonSet"
		case "db":
			p.Controller.Kind = "StatefulSet"
		}
		switch rapid.IntRange(0, 9).Draw(t, "twist") {
		case 0:
			bare(&p)
		case 1, 2:
			p.Deadline = moment("deadline")
		case 3:
			p.Finalizers = []string{"example.com/hold"}
		case 4:
			p.Labels = map[string]string{"app": app, LabelDrain: rapid.SampledFrom([]string{"skip", "wait-completed", "x"}).Draw(t, "label")}
		case 5:
			p.DoNotDisrupt, p.Started = rapid.SampledFrom([]string{"true", "false", "30m", "x"}).Draw(t, "calm"), moment("started")
		}
		s.Pods = append(s.Pods, p)
		if rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
			outcome := rapid.SampledFrom([]Outcome{OutcomeWebhookDenied, OutcomeThrottled, OutcomeForbidden, OutcomeRefused, "?"}).Draw(t, "outcome")
			s.Refusals = append(s.Refusals, Refusal{UID: p.UID, Pod: p.Key(), Outcome: outcome, At: moment("refusedAt")})
		}
	}
	for _, app := range apps {
		if rapid.Bool().Draw(t, "owned") {
			s.Owners = append(s.Owners, wants(app, rapid.Int32Range(0, 5).Draw(t, "desired")))
		}
		if rapid.Bool().Draw(t, "budgeted") {
			s.Budgets = append(s.Budgets, drawBudget(t, app, moment))
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "broad") == 0 {
		s.Budgets = append(s.Budgets, budget("all", func(b *Budget) { b.Selector = labels.Everything() }))
	}
	return s
}

func drawBudget(t *rapid.T, app string, moment func(string) time.Time) Budget {
	small := rapid.Int32Range(0, 5)
	b := budget(app, allows(rapid.Int32Range(-1, 3).Draw(t, "allowed"), small.Draw(t, "healthy"), small.Draw(t, "needed"), small.Draw(t, "expected")))
	b.Generation = rapid.Int64Range(1, 2).Draw(t, "generation")
	b.Unhealthy = rapid.SampledFrom([]policyv1.UnhealthyPodEvictionPolicyType{"", "IfHealthyBudget", "AlwaysAllow"}).Draw(t, "policy")
	b.BlockedSince = moment("blockedSince")
	if rapid.Bool().Draw(t, "disrupted") {
		b.Disrupted = []Disruption{{Pod: "x", At: moment("disruptedAt")}}
	}
	return b
}

func drawPolicy(t *rapid.T) Policy {
	policy := Policy{
		Started:       ago(time.Duration(rapid.IntRange(0, 2).Draw(t, "since")) * time.Hour),
		Deadline:      Deadline{Action: rapid.SampledFrom([]DeadlineAction{"", "Wait", "Quarantine", "Force"}).Draw(t, "deadline"), After: time.Hour},
		WaitFor:       rapid.SampledFrom([]WaitFor{"", "Eviction", "ReplacementReady"}).Draw(t, "waitFor"),
		Unmanaged:     rapid.SampledFrom([]Unmanaged{"", "Wait", "Evict"}).Draw(t, "unmanaged"),
		MaxUnbudgeted: rapid.IntRange(-1, 3).Draw(t, "maxUnbudgeted"),
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "rules") {
		policy.Rules = append(policy.Rules, drawRule(t, fmt.Sprintf("rule-%d", i)))
	}
	return policy
}

func drawRule(t *rapid.T, name string) Rule {
	rule := Rule{
		Name: name, Order: rapid.Int32Range(-1, 2).Draw(t, "order"),
		Behavior: rapid.SampledFrom([]RuleBehavior{"", "Drain", "Drain", "Skip", "WaitCompleted"}).Draw(t, "behavior"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "selectors") {
		var s PodSelector
		if rapid.Bool().Draw(t, "byPod") {
			s.Pod = labels.SelectorFromSet(labels.Set{"app": rapid.SampledFrom([]string{"cart", "web", "db"}).Draw(t, "selected")})
		}
		if rapid.Bool().Draw(t, "byNamespace") {
			s.Namespace = labels.SelectorFromSet(labels.Set{"team": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "selectedTeam")})
		}
		rule.Pods = append(rule.Pods, s)
	}
	return rule
}

// word is what the rules say about a pod, computed in another way than by Classify.
func (p Policy) word(pod Pod) (RuleBehavior, int32) {
	for _, rule := range p.Rules {
		selected := len(rule.Pods) == 0
		for _, s := range rule.Pods {
			byPod := s.Pod == nil || s.Pod.String() == "app="+pod.Labels["app"]
			byNamespace := s.Namespace == nil || s.Namespace.String() == "team="+pod.NamespaceLabels["team"]
			selected = selected || byPod && byNamespace
		}
		if selected && (rule.Behavior == RuleSkip || rule.Behavior == RuleWaitCompleted) {
			return rule.Behavior, 0
		}
		if selected {
			return RuleDrain, rule.Order
		}
	}
	return RuleDrain, 0
}

func calmNow(p Pod) bool {
	return p.DoNotDisrupt == "true" || p.DoNotDisrupt == "30m" && noon.Before(p.Started.Add(30*time.Minute))
}

// stays says that the pod does not keep its node from being empty.
func (p Policy) stays(pod Pod) bool {
	if pod.Mirror || pod.Controller.Kind == "DaemonSet" || pod.Finished() || pod.Labels[LabelDrain] == "skip" {
		return true
	}
	behavior, _ := p.word(pod)
	return behavior == RuleSkip && !calmNow(pod) && pod.Labels[LabelDrain] != "wait-completed"
}

// turn is the pod's order on its node.
func (p Policy) turn(pod Pod) int32 {
	if calmNow(pod) || pod.Labels[LabelDrain] == "wait-completed" {
		return 0
	}
	_, order := p.word(pod)
	return order
}

// eachDecision draws worlds and gives the check the snapshot as drawn and the plan made of it.
func eachDecision(t *testing.T, check func(*rapid.T, Snapshot, Policy, Plan)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		s, policy := drawSnapshot(t), drawPolicy(t)
		check(t, s, policy, Decide(s, policy, noon))
	})
}

func (s Snapshot) find(t *rapid.T, e Eviction) Pod {
	i := slices.IndexFunc(s.Pods, func(p Pod) bool { return p.UID == e.UID && p.Key() == e.Pod })
	if i < 0 {
		t.Fatalf("eviction of %s, which is not in the snapshot", e.Pod)
	}
	return s.Pods[i]
}

func TestNeverMoreThanABudgetAllows(t *testing.T) {
	eachDecision(t, func(t *rapid.T, s Snapshot, _ Policy, plan Plan) {
		for _, b := range s.Budgets {
			spent := 0
			for _, e := range plan.Evict {
				p := s.find(t, e)
				if !b.Selects(p) || p.Phase == corev1.PodPending {
					continue
				}
				if p.Ready {
					spent++
				} else if b.Unhealthy != policyv1.AlwaysAllow && (b.Healthy < b.Desired || b.Desired == 0) {
					spent++
				}
			}
			if spent > 1 || spent > int(max(b.Allowed, 0)) {
				t.Fatalf("%d evictions spend budget %+v", spent, b)
			}
			if spent > 0 && (b.inFlight(noon) || b.ObservedGeneration < b.Generation) {
				t.Fatalf("eviction by a status that is not fresh: %+v", b)
			}
		}
	})
}

func TestNeverAPodThatMustStay(t *testing.T) {
	eachDecision(t, func(t *rapid.T, s Snapshot, policy Policy, plan Plan) {
		outside := 0
		for _, e := range plan.Evict {
			p := s.find(t, e)
			switch {
			case p.Mirror, p.Controller.Kind == "DaemonSet", p.Finished(), p.Terminating():
				t.Fatalf("eviction of %+v", p)
			case p.Labels[LabelDrain] == "skip", p.Labels[LabelDrain] == "wait-completed":
				t.Fatalf("eviction against the label of %+v", p)
			case calmNow(p):
				t.Fatalf("eviction against the annotation of %+v", p)
			case p.Controller.Name == "" && policy.Unmanaged != UnmanagedEvict:
				t.Fatalf("eviction of %s, which nobody brings back", e.Pod)
			case !slices.ContainsFunc(s.Nodes, func(n Node) bool { return n.Name == p.Node && n.Unschedulable && !n.Quarantined }):
				t.Fatalf("eviction of %s from node %q", e.Pod, p.Node)
			}
			if behavior, _ := policy.word(p); behavior != RuleDrain {
				t.Fatalf("eviction of %s, about which a rule says %s", e.Pod, behavior)
			}
			covering := 0
			for _, b := range s.Budgets {
				if b.Selects(p) {
					covering++
				}
			}
			if covering > 1 && p.Phase != corev1.PodPending {
				t.Fatalf("eviction of %s under %d budgets", e.Pod, covering)
			}
			if e.Budget == "" {
				outside++
			}
		}
		if outside > policy.withDefaults().MaxUnbudgeted {
			t.Fatalf("%d evictions outside budgets", outside)
		}
	})
}

func TestNeverBeforeALowerOrder(t *testing.T) {
	eachDecision(t, func(t *rapid.T, s Snapshot, policy Policy, plan Plan) {
		lowest := map[string]int32{}
		for _, p := range s.Pods {
			if order, known := lowest[p.Node]; !policy.stays(p) && (!known || policy.turn(p) < order) {
				lowest[p.Node] = policy.turn(p)
			}
		}
		for _, e := range plan.Evict {
			if p := s.find(t, e); policy.turn(p) > lowest[p.Node] {
				t.Fatalf("eviction of %s of order %d while order %d is on %s", e.Pod, policy.turn(p), lowest[p.Node], p.Node)
			}
		}
		for _, b := range plan.Blockers {
			if b.Pod.Name == "" || b.Reason == ReasonUnmanagedPod || b.Reason == ReasonWaitCompleted || b.Reason == ReasonDoNotDisrupt {
				continue
			}
			p := s.find(t, Eviction{Pod: b.Pod, UID: b.UID})
			if !p.Terminating() && policy.turn(p) > lowest[p.Node] {
				t.Fatalf("%s is called a blocker before its turn: %s", b.Pod, b)
			}
		}
	})
}

func TestBlockersAreWhole(t *testing.T) {
	eachDecision(t, func(t *rapid.T, s Snapshot, policy Policy, plan Plan) {
		for _, b := range plan.Blockers {
			if b.Since.IsZero() || b.Since.Before(policy.Started) || len(b.Nodes) == 0 || !slices.Contains(b.Nodes, b.Node) || !slices.IsSorted(b.Nodes) {
				t.Fatalf("began %s: %+v", policy.Started, b)
			}
			if b.Pod.Name == "" {
				continue
			}
			p := s.find(t, Eviction{Pod: b.Pod, UID: b.UID})
			asked := calmNow(p) || p.Labels[LabelDrain] == "wait-completed" || b.Reason == ReasonWebhookDenied
			switch {
			case b.Pods < 1 || b.Controller != p.Controller || b.Node != p.Node || b.Deadline.Action == "":
				t.Fatalf("%+v of %+v", b, p)
			case asked && !p.Terminating() && b.Deadline != (Deadline{Action: DeadlineWait}):
				t.Fatalf("a deadline against its owner's wish: %+v of %+v", b, p)
			}
		}
	})
}

func TestEmptyOnlyWhenNothingIsLeft(t *testing.T) {
	eachDecision(t, func(t *rapid.T, s Snapshot, policy Policy, plan Plan) {
		left := 0
		for _, p := range s.Pods {
			onOld := slices.ContainsFunc(s.Nodes, func(n Node) bool { return n.Name == p.Node })
			if onOld && !policy.stays(p) {
				left++
			}
		}
		allCordoned := !slices.ContainsFunc(s.Nodes, func(n Node) bool { return !n.Unschedulable })
		if want := left == 0 && allCordoned && len(s.Nodes) > 0; plan.Empty != want {
			t.Fatalf("Empty = %v with %d pods left on %+v", plan.Empty, left, s.Nodes)
		}
		if plan.Remaining != left {
			t.Fatalf("Remaining = %d, want %d", plan.Remaining, left)
		}
	})
}

func TestNeverSilent(t *testing.T) {
	eachDecision(t, func(t *rapid.T, s Snapshot, _ Policy, plan Plan) {
		if plan.Empty || len(s.Nodes) == 0 {
			return
		}
		if plan.CheckAgain <= 0 {
			t.Fatalf("not empty and nobody looks again: %+v", plan)
		}
		throttled := slices.ContainsFunc(s.Refusals, func(r Refusal) bool { return r.Outcome == OutcomeThrottled })
		inFlight := slices.ContainsFunc(s.Budgets, func(b Budget) bool { return b.inFlight(noon) })
		givenUp := slices.ContainsFunc(plan.Nodes, func(n NodeProgress) bool { return n.Quarantined && !n.Empty })
		if len(plan.Evict) == 0 && len(plan.Blockers) == 0 && plan.Leaving == 0 && !throttled && !inFlight && !givenUp {
			t.Fatalf("nothing moves and nothing blocks: %s", plan)
		}
	})
}

func TestOrderOfTheSnapshotDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, policy := drawSnapshot(t), drawPolicy(t)
		shuffled := Snapshot{
			Nodes: slices.Clone(s.Nodes), Pods: slices.Clone(s.Pods), Budgets: slices.Clone(s.Budgets),
			Owners: slices.Clone(s.Owners), Refusals: slices.Clone(s.Refusals),
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		shuffle(r, shuffled.Nodes)
		shuffle(r, shuffled.Pods)
		shuffle(r, shuffled.Budgets)
		shuffle(r, shuffled.Owners)
		shuffle(r, shuffled.Refusals)
		// Lists that overlap name a pod twice.
		shuffled.Pods = append(shuffled.Pods, s.Pods...)
		if diff := cmp.Diff(Decide(s, policy, noon), Decide(shuffled, policy, noon), cmp.AllowUnexported(Eviction{})); diff != "" {
			t.Fatalf("another order, another plan (-want +got):\n%s", diff)
		}
	})
}

func shuffle[T any](r *rand.Rand, items []T) {
	r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
}

// TestEveryDrainEnds plays whole drains against a small world that does what controllers do, and checks after every
// step that no budget is broken.
func TestEveryDrainEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, policy := world{now: noon}, Policy{}
		for i := range rapid.IntRange(1, 6).Draw(t, "apps") {
			name := fmt.Sprintf("app%d", i)
			w.add(rapid.IntRange(1, 6).Draw(t, "replicas"), name, rapid.IntRange(0, 3).Draw(t, "away"))
			policy.Rules = append(policy.Rules, Rule{Pods: app(name), Order: rapid.Int32Range(-1, 1).Draw(t, "order")})
		}
		for step := 0; ; step++ {
			plan := Decide(w.snapshot(), policy, w.now)
			if plan.Empty {
				return
			}
			if step > 400 {
				t.Fatalf("not empty after %d steps: %s", step, plan)
			}
			for _, e := range plan.Evict {
				if early := w.tooEarly(e, policy); early != "" {
					t.Fatalf("step %d: %s", step, early)
				}
			}
			for _, e := range plan.Evict {
				w.evict(e)
			}
			w.step(max(plan.CheckAgain, time.Second))
			if broken := w.broken(); broken != "" {
				t.Fatalf("step %d: %s", step, broken)
			}
		}
	})
}
