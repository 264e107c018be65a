package preflight

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/fleetwright/fleetwright/drain"
)

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
