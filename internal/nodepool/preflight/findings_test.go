package preflight

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		"a Job starts over": {objects: objects(newPod("import-1", "Job/import"))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, Capped[Singleton]{Items: test.want, Total: len(test.want)}, report(t, drain.Policy{}, test.objects...).Singletons)
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

func TestPinnedVolumes(t *testing.T) {
	const disk, general, beta = "topology.disk.csi.azure.com/zone", "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"
	pinned := func(pin PinnedVolume) []PinnedVolume {
		pin.Pod, pin.Workload, pin.Claim, pin.Volume = named("db-0"), db, "data", "pv-data"
		return []PinnedVolume{pin}
	}
	tests := map[string]struct {
		terms []corev1.NodeSelectorTerm
		local bool
		want  []PinnedVolume
		zones map[string]int
	}{
		"a disk in one zone":            {terms: []corev1.NodeSelectorTerm{term(disk, "In", "eu-1")}, want: pinned(PinnedVolume{Zone: "eu-1"}), zones: map[string]int{"eu-1": 1}},
		"by the general label":          {terms: []corev1.NodeSelectorTerm{term(general, "In", "eu-2")}, want: pinned(PinnedVolume{Zone: "eu-2"}), zones: map[string]int{"eu-2": 1}},
		"by the label of old":           {terms: []corev1.NodeSelectorTerm{term(beta, "In", "eu-3")}, want: pinned(PinnedVolume{Zone: "eu-3"}), zones: map[string]int{"eu-3": 1}},
		"a disk outside of zones":       {terms: []corev1.NodeSelectorTerm{term(disk, "In", "")}, want: pinned(PinnedVolume{}), zones: map[string]int{"": 1}},
		"a zone-redundant disk":         {terms: []corev1.NodeSelectorTerm{term(disk, "In", "eu-1"), term(disk, "In", "eu-2"), term(disk, "In", "")}},
		"a share that names its region": {terms: []corev1.NodeSelectorTerm{term("topology.kubernetes.io/region", "In", "eu")}},
		"an alternative without a zone": {terms: []corev1.NodeSelectorTerm{term(disk, "In", "eu-1"), term("kubernetes.io/os", "In", "linux")}},
		"a share":                       {},
		"a local volume":                {local: true, want: pinned(PinnedVolume{Node: "old-1"})},
		"a disk of a node":              {terms: []corev1.NodeSelectorTerm{term("topology.topolvm.io/node", "In", "old-1")}, want: pinned(PinnedVolume{Node: "old-1"})},
		"a disk of a host":              {terms: []corev1.NodeSelectorTerm{term("kubernetes.io/hostname", "In", "old-1")}, want: pinned(PinnedVolume{Node: "old-1"})},
		"a disk of two hosts":           {terms: []corev1.NodeSelectorTerm{term("kubernetes.io/hostname", "In", "old-1", "new-1")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			storage := boundClaim("data", corev1.ReadWriteOnce, test.terms...)
			if test.local {
				storage[0].(*corev1.PersistentVolume).Spec.Local = &corev1.LocalVolumeSource{Path: "/mnt"}
			}
			got := report(t, drain.Policy{}, objects(storage, newPod("db-0", "StatefulSet/db", claim("data")))...)
			check(t, Capped[PinnedVolume]{Items: test.want, Total: len(test.want)}, got.Pinned)
			check(t, test.zones, got.ZonesNeeded)
		})
	}
}

func TestZonesCountPodsAndNotVolumes(t *testing.T) {
	zone := func(name, zone string) []runtime.Object {
		return boundClaim(name, corev1.ReadWriteOnce, term("topology.kubernetes.io/zone", "In", zone))
	}
	ephemeral := func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}}}
	}
	got := report(t, drain.Policy{}, objects(
		zone("data-0", "eu-1"), zone("log-0", "eu-1"), zone("data-1", "eu-1"), zone("data-2", "eu-2"), zone("away", "eu-3"), zone("cart-9-scratch", "eu-3"),
		newPod("db-0", "StatefulSet/db", claim("data-0"), claim("log-0")),
		newPod("db-1", "StatefulSet/db", claim("data-1")), newPod("db-2", "StatefulSet/db", claim("data-2")),
		newPod("db-3", "StatefulSet/db", claim("away"), on("new-1")), newPod("db-4", "StatefulSet/db", claim("missing")),
		newPod("cart-9", "Deployment/cart", ephemeral),
		daemonSet("log"), newPod("log-1", "DaemonSet/log", claim("away")),
	)...)
	check(t, map[string]int{"eu-1": 2, "eu-2": 1}, got.ZonesNeeded)
	check(t, 4, got.Pinned.Total)
}

func TestZoneOf(t *testing.T) {
	tests := map[string]struct {
		labels map[string]string
		want   string
	}{
		"the disk driver's word counts": {map[string]string{"topology.disk.csi.azure.com/zone": "", "topology.kubernetes.io/zone": "0"}, ""},
		"the general label":             {map[string]string{"topology.kubernetes.io/zone": "eu-1", "failure-domain.beta.kubernetes.io/zone": "x"}, "eu-1"},
		"none":                          {nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { check(t, test.want, ZoneOf(test.labels)) })
	}
}

func TestSelectorsBoundToAGeneration(t *testing.T) {
	const pool = "kubernetes.azure.com/agentpool"
	linux := term("kubernetes.io/os", "In", "linux").MatchExpressions[0]
	tests := map[string]struct {
		owner  string
		option podOption
		want   []Selector
	}{
		"a node selector": {
			option: selects("agentpool", "blue"),
			want:   []Selector{{Use: "NodeSelector", Label: "agentpool", Values: []string{"blue"}, Strict: true}},
		},
		"a DaemonSet's": {
			owner: "DaemonSet/log", option: selects("kubernetes.io/hostname", "old-1"),
			want: []Selector{{Use: "NodeSelector", Label: "kubernetes.io/hostname", Values: []string{"old-1"}, Strict: true}},
		},
		"the label to use": {option: selects("fleetwright.io/nodepool", "general")},
		"every term of a required affinity": {
			option: require(term(pool, "In", "red", "blue"), term("agentpool", "In", "blue")),
			want: []Selector{
				{Use: "RequiredNodeAffinity", Label: "agentpool", Values: []string{"blue"}, Strict: true},
				{Use: "RequiredNodeAffinity", Label: pool, Values: []string{"blue", "red"}, Strict: true},
			},
		},
		"a required affinity with a way out": {
			option: require(term(pool, "In", "blue"), corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{linux}}),
			want:   []Selector{{Use: "RequiredNodeAffinity", Label: pool, Values: []string{"blue"}}},
		},
		"keeping away from a pool": {
			option: require(term(pool, "NotIn", "gpu")),
			want:   []Selector{{Use: "RequiredNodeAffinity", Label: pool, Values: []string{"gpu"}, Avoids: true}},
		},
		"every node has a pool": {option: require(term(pool, "Exists"))},
		"a node by name": {
			option: require(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{"old-1"}}}}),
			want:   []Selector{{Use: "RequiredNodeAffinity", Label: "metadata.name", Values: []string{"old-1"}, Strict: true}},
		},
		"a DaemonSet's controller names the node": {
			owner:  "DaemonSet/log",
			option: require(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{"old-1"}}}}),
		},
		"a preference": {
			option: affinity(func(a *corev1.Affinity) {
				a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution = []corev1.PreferredSchedulingTerm{{Weight: 1, Preference: term(pool, "In", "blue")}}
			}),
			want: []Selector{{Use: "PreferredNodeAffinity", Label: pool, Values: []string{"blue"}}},
		},
		"spreading over pools, and over hosts, which is right": {
			option: func(p *corev1.Pod) {
				p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{TopologyKey: "agentpool"}, {TopologyKey: "kubernetes.io/hostname"}}
			},
			want: []Selector{{Use: "TopologySpread", Label: "agentpool"}},
		},
		"next to and away from other pods": {
			option: affinity(func(a *corev1.Affinity) {
				a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution = []corev1.PodAffinityTerm{{TopologyKey: "agentpool"}}
				a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution = []corev1.WeightedPodAffinityTerm{{PodAffinityTerm: corev1.PodAffinityTerm{TopologyKey: pool}}}
				a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution = []corev1.PodAffinityTerm{{TopologyKey: "kubernetes.io/hostname"}}
			}),
			want: []Selector{{Use: "PodAffinity", Label: "agentpool"}, {Use: "PodAffinity", Label: pool}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			owner, workload := "Deployment/cart", cart
			if test.owner != "" {
				owner, workload = test.owner, Workload{Namespace: "shop", Kind: "DaemonSet", Name: "log"}
			}
			got := report(t, drain.Policy{}, objects(daemonSet("log"), newPod("one", owner, test.option), newPod("two", owner, test.option))...)
			var want []BoundSelector
			for _, s := range test.want {
				want = append(want, BoundSelector{Workload: workload, Selector: s, Pods: 2, Instead: "fleetwright.io/nodepool"})
			}
			check(t, Capped[BoundSelector]{Items: want, Total: len(want)}, got.Selectors)
		})
	}
}

func TestLongestChain(t *testing.T) {
	tests := map[string]struct {
		objects []runtime.Object
		policy  drain.Policy
		want    Chain
		noEnd   []string
	}{
		"a budget's width is what it allows when all are healthy": {
			objects: objects(
				budget("cart", "cart", 1, 5, 4, 6), newPod("cart-1", "Deployment/cart", grace(20)), newPod("cart-2", "Deployment/cart", grace(30)),
				newPod("cart-3", "Deployment/cart"), newPod("cart-4", "Deployment/cart", notReady),
			),
			want: Chain{Budget: "shop/cart", Workload: cart, Pods: 3, AtOnce: 2, Grace: 30 * time.Second},
		},
		"without a budget, one at a time": {
			objects: objects(deployment("cart", 3, 3), newPod("cart-1", "Deployment/cart"), newPod("cart-2", "Deployment/cart"), newPod("cart-3", "Deployment/cart")),
			want:    Chain{Workload: cart, Pods: 3, AtOnce: 1},
		},
		"or all at once, if policy says so": {
			objects: objects(deployment("cart", 3, 3), newPod("cart-1", "Deployment/cart"), newPod("cart-2", "Deployment/cart"), newPod("cart-3", "Deployment/cart")),
			policy:  drain.Policy{WaitFor: drain.WaitForEviction},
			want:    Chain{Workload: cart, Pods: 3, AtOnce: 3},
		},
		"a StatefulSet goes in order": {
			objects: objects(statefulSet("db", 2), newPod("db-0", "StatefulSet/db", grace(60)), newPod("db-1", "StatefulSet/db")),
			want:    Chain{Workload: db, Pods: 2, AtOnce: 1, Ordered: true, Grace: time.Minute},
		},
		"so does a Deployment with a disk": {
			objects: objects(boundClaim("data", corev1.ReadWriteOnce), newPod("cart-1", "Deployment/cart", claim("data"))),
			want:    Chain{Workload: cart, Pods: 1, AtOnce: 1, Ordered: true},
		},
		"but not with a share": {
			objects: objects(boundClaim("data", corev1.ReadWriteMany), newPod("cart-1", "Deployment/cart", claim("data"))),
			want:    Chain{Workload: cart, Pods: 1, AtOnce: 1},
		},
		"the second of two that cannot start elsewhere never goes": {
			objects: objects(newPod("cart-1", "Deployment/cart", selects("agentpool", "blue")), newPod("cart-2", "Deployment/cart", selects("agentpool", "blue"))),
			noEnd:   []string{"Deployment shop/cart"},
		},
		"nor that of a workload with a local disk": {
			objects: objects(
				boundClaim("data", corev1.ReadWriteOnce, term("kubernetes.io/hostname", "In", "old-1")),
				newPod("db-0", "StatefulSet/db", claim("data")), newPod("db-1", "StatefulSet/db"),
			),
			noEnd: []string{"StatefulSet shop/db"},
		},
		"a selector that names two pools may leave one": {
			objects: objects(
				newPod("cart-1", "Deployment/cart", require(term("agentpool", "In", "blue", "red"))),
				newPod("cart-2", "Deployment/cart", require(term("agentpool", "In", "blue", "red"))),
			),
			want: Chain{Workload: cart, Pods: 2, AtOnce: 1},
		},
		"a budget whose status cannot be computed": {
			objects: objects(newPod("cart-1", "Deployment/cart"), func() runtime.Object {
				b := budget("cart", "cart", 0, 0, 0, 0)
				b.Status.Conditions = []metav1.Condition{{Type: "DisruptionAllowed", Status: "False", Reason: "SyncFailed", Message: "no scale"}}
				return b
			}()),
			noEnd: []string{"PodDisruptionBudget shop/cart of Deployment shop/cart"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := report(t, test.policy, test.objects...)
			check(t, test.want, got.Longest)
			check(t, test.noEnd, got.Estimate.Unbounded)
		})
	}
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
