package preflight

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

var (
	cart = Workload{Namespace: "shop", Kind: "Deployment", Name: "cart"}
	db   = Workload{Namespace: "shop", Kind: "StatefulSet", Name: "db"}
)

func named(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "shop", Name: name}
}

func check[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPodsAreCountedAsTheDrainEngineDoes(t *testing.T) {
	finished := func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }
	mirror := func(p *corev1.Pod) { p.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "x"} }
	leaving := func(p *corev1.Pod) {
		p.DeletionTimestamp, p.Finalizers = new(metav1.NewTime(noon.Add(time.Minute))), []string{"example.com/hold"}
	}
	emptyDir := func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	}
	unsafe := func(p *corev1.Pod) { p.Annotations = map[string]string{safeToEvict: "false"} }
	got := report(t, drain.Policy{}, objects(
		deployment("cart", 3, 3), daemonSet("log"),
		newPod("cart-1", "Deployment/cart", emptyDir), newPod("cart-2", "Deployment/cart", leaving), newPod("cart-3", "Deployment/cart", unsafe),
		newPod("cart-4", "Deployment/cart", on("new-1")), newPod("bare-1", ""),
		newPod("log-1", "DaemonSet/log", emptyDir, unsafe), newPod("kube-proxy", "", mirror), newPod("done-1", "Job/done", finished),
		newPod("given-up", "Deployment/cart", label(drain.LabelDrain, "skip")),
	)...)
	type counts struct {
		Nodes, Move, Stay, LocalData, NotSafe int
		Staying                               map[drain.SkipReason]int
	}
	check(t, counts{
		Nodes: 1, Move: 4, Stay: 4, LocalData: 1, NotSafe: 1,
		Staying: map[drain.SkipReason]int{"DaemonSet": 1, "Mirror": 1, "Finished": 1, "Label": 1},
	}, counts{got.Nodes, got.PodsToMove, got.PodsStaying, got.LocalData, got.NotSafeToEvict, got.Staying})
}

func TestRulesHideNothing(t *testing.T) {
	of := func(app string) []drain.PodSelector {
		return []drain.PodSelector{{Pod: labels.SelectorFromSet(labels.Set{"app": app})}}
	}
	policy := drain.Policy{Rules: []drain.Rule{
		{Name: "kept", Pods: of("log"), Behavior: drain.RuleSkip}, {Name: "last", Pods: of("db"), Order: 7},
		{Name: "one", Pods: []drain.PodSelector{{Pod: labels.SelectorFromSet(labels.Set{"shard": "1"})}}},
	}}
	got := report(t, policy, objects(
		newPod("cart-1", "Deployment/cart", label("shard", "1")), newPod("cart-2", "Deployment/cart"), budget("cart", "cart", 0, 2, 2, 3),
		newPod("db-0", "StatefulSet/db"), budget("db", "db", 0, 1, 1, 1), newPod("log-0", "StatefulSet/log"),
	)...)
	check(t, Capped[BlockedBudget]{Total: 2, Items: []BlockedBudget{
		{Budget: "shop/db", Workload: db, Pods: 1, Never: true, Message: "PodDisruptionBudget shop/db can never allow a disruption: 1 expected, 1 needed"},
		{Budget: "shop/cart", Workload: cart, Pods: 2, Message: "PodDisruptionBudget shop/cart allows 0 of 3: 2 ready, 2 needed"},
	}}, got.Budgets)
	check(t, map[drain.SkipReason]int{"Rule": 1}, got.Staying)
	if want := "1 pod stays by a rule, to end with the nodes"; !slices.Contains(got.counts(), want) {
		t.Errorf("notes %q, want %q among them", got.counts(), want)
	}
}

func TestBudgetsThatAllowNothing(t *testing.T) {
	got := report(t, drain.Policy{}, objects(
		newPod("cart-1", "Deployment/cart"), newPod("cart-2", "Deployment/cart"), budget("cart", "cart", 0, 2, 2, 3),
		newPod("db-0", "StatefulSet/db"), budget("db", "db", 0, 1, 1, 1),
		newPod("web-1", "Deployment/web"), budget("web", "web", 1, 3, 2, 3),
		newPod("ui-1", "Deployment/ui", notReady), budget("ui", "ui", 0, 2, 2, 3),
		newPod("mq-1", "Deployment/mq"), budget("mq", "mq", 1, 3, 2, 3), budget("all-mq", "mq", 0, 3, 3, 3),
		newPod("mq-2", "Deployment/mq"),
	)...)
	check(t, Capped[BlockedBudget]{Total: 2, Items: []BlockedBudget{
		{Budget: "shop/db", Workload: db, Pods: 1, Never: true, Message: "PodDisruptionBudget shop/db can never allow a disruption: 1 expected, 1 needed"},
		{Budget: "shop/cart", Workload: cart, Pods: 2, Message: "PodDisruptionBudget shop/cart allows 0 of 3: 2 ready, 2 needed"},
	}}, got.Budgets)
	check(t, 1, got.BudgetsNever)
	check(t, Capped[Overlap]{Total: 1, Items: []Overlap{{
		Workload: Workload{Namespace: "shop", Kind: "Deployment", Name: "mq"}, Pods: 2,
		Message: "PodDisruptionBudgets shop/all-mq and shop/mq both cover it, which the eviction API refuses",
	}}}, got.Overlaps)
	check(t, []string{"Deployment shop/mq", "PodDisruptionBudget shop/db of StatefulSet shop/db"}, got.Estimate.Unbounded)
	check(t, 2, got.WithoutEnd)
	check(t, Chain{Budget: "shop/cart", Workload: cart, Pods: 2, AtOnce: 1}, got.Longest)
}

func TestSingletons(t *testing.T) {
	tests := map[string]struct {
		objects []runtime.Object
		policy  drain.Policy
		want    []Singleton
	}{
		"one replica without a budget": {
			objects: objects(deployment("cart", 1, 1), newPod("cart-1", "Deployment/cart")),
			want:    []Singleton{{Workload: cart, Pod: named("cart-1")}},
		},
		"a StatefulSet of one": {
			objects: objects(statefulSet("db", 1), newPod("db-0", "StatefulSet/db")),
			want:    []Singleton{{Workload: db, Pod: named("db-0")}},
		},
		"a budget that allows it says that its owner knows": {
			objects: objects(deployment("cart", 1, 1), newPod("cart-1", "Deployment/cart"), budget("cart", "cart", 1, 1, 0, 1)),
		},
		"three replicas, two of them elsewhere": {
			objects: objects(deployment("cart", 3, 3), newPod("cart-1", "Deployment/cart")),
		},
		"one of two ReplicaSets in the middle of a rollout": {
			objects: objects(deployment("cart", 1, 4), newPod("cart-1", "Deployment/cart")),
		},
		"two pods of one, the second already its replacement": {
			objects: objects(deployment("cart", 1, 1), newPod("cart-1", "Deployment/cart"), newPod("cart-2", "Deployment/cart")),
			want:    []Singleton{{Workload: cart, Pod: named("cart-1")}},
		},
		"a pod that is not ready is away already": {
			objects: objects(deployment("cart", 1, 1), newPod("cart-1", "Deployment/cart", notReady)),
		},
		"a controller of unknown size with one pod": {
			objects: objects(newPod("pg-1", "Postgres/pg")),
			want:    []Singleton{{Workload: Workload{Namespace: "shop", Kind: "Postgres", Name: "pg"}, Pod: named("pg-1")}},
		},
		"a controller of unknown size with another pod elsewhere": {
			objects: objects(newPod("pg-1", "Postgres/pg"), newPod("pg-2", "Postgres/pg", on("new-1"))),
		},
		"one that is leaving elsewhere does not count": {
			objects: objects(newPod("pg-1", "Postgres/pg"), newPod("pg-2", "Postgres/pg", on("new-1"), func(p *corev1.Pod) {
				p.DeletionTimestamp, p.Finalizers = new(metav1.NewTime(noon)), []string{"example.com/hold"}
			})),
			want: []Singleton{{Workload: Workload{Namespace: "shop", Kind: "Postgres", Name: "pg"}, Pod: named("pg-1")}},
		},
		"at any pace": {
			objects: objects(deployment("cart", 1, 1), newPod("cart-1", "Deployment/cart"), newPod("cart-2", "Deployment/cart", on("new-1"))),
			policy:  drain.Policy{WaitFor: drain.WaitForEviction},
			want:    []Singleton{{Workload: cart, Pod: named("cart-1")}},
		},
		"a Job starts over": {objects: objects(newPod("import-1", "Job/import"))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, Capped[Singleton]{Items: test.want, Total: len(test.want)}, report(t, test.policy, test.objects...).Singletons)
		})
	}
}

func TestUnmanagedPodsAndOtherWaits(t *testing.T) {
	world := objects(
		newPod("bare-1", ""), newPod("import-1", "Job/import", label(drain.LabelDrain, "wait-completed")), newPod("gone-1", "DaemonSet/gone"),
		deployment("cart", 3, 3), newPod("cart-1", "Deployment/cart"), newPod("cart-2", "Deployment/cart"),
		newPod("cart-3", "Deployment/cart", on("new-1"), notReady, func(p *corev1.Pod) { p.CreationTimestamp = metav1.NewTime(noon) }),
	)
	got := report(t, drain.Policy{}, world...)
	check(t, Capped[UnmanagedPod]{Total: 2, Items: []UnmanagedPod{
		{Pod: named("bare-1"), Node: "old-1"}, {Pod: named("gone-1"), Node: "old-1"},
	}}, got.Unmanaged)
	check(t, Capped[Wait]{Total: 2, Items: []Wait{
		{
			Workload: Workload{Namespace: "shop", Kind: "Job", Name: "import"}, Pods: 1, Reason: "WaitCompleted",
			Message: "it carries the label cluster.x-k8s.io/drain: wait-completed and has not finished",
		},
		{
			Workload: cart, Pods: 2, Reason: "ReplacementNotReady",
			Message: "Deployment/cart has 2 of 3 pods ready, the replacement of an earlier one is starting",
		},
	}}, got.Waits)
	check(t, []string{"DaemonSet shop/gone", "Job shop/import", "Pod shop/bare-1"}, got.Estimate.Unbounded)

	evicted := report(t, drain.Policy{Unmanaged: drain.UnmanagedEvict}, world...)
	check(t, Capped[UnmanagedPod]{Total: 2, Items: []UnmanagedPod{
		{Pod: named("bare-1"), Node: "old-1", Evicted: true}, {Pod: named("gone-1"), Node: "old-1", Evicted: true},
	}}, evicted.Unmanaged)
	check(t, []string{"Job shop/import"}, evicted.Estimate.Unbounded)
}

func TestListsAreCapped(t *testing.T) {
	var world []runtime.Object
	for i := range MaxListed + 7 {
		app := fmt.Sprintf("app-%02d", i)
		world = append(world, newPod(app, "StatefulSet/"+app, selects("agentpool", "blue")), budget(app, app, 0, 1, 1, 1))
	}
	got := report(t, drain.Policy{}, world...)
	check(t, []int{MaxListed, MaxListed + 7, MaxListed + 7}, []int{len(got.Budgets.Items), got.Budgets.Total, got.BudgetsNever})
	check(t, []int{MaxListed, MaxListed + 7, MaxListed + 7}, []int{len(got.Selectors.Items), got.Selectors.Total, got.SelectorsStrict})
	check(t, []int{MaxListed, MaxListed + 7}, []int{len(got.Estimate.Unbounded), got.WithoutEnd})
}
