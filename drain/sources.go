package drain

import (
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Kinds that are followed. Which ones a drain needs depends on its policy.
const (
	kindNodes        = "nodes"
	kindPods         = "pods"
	kindBudgets      = "pod disruption budgets"
	kindDaemonSets   = "daemon sets"
	kindReplicaSets  = "replica sets"
	kindStatefulSets = "stateful sets"
	kindNamespaces   = "namespaces"
)

// kindsFor are the kinds that decisions by the policy rest on.
func kindsFor(policy Policy) []string {
	kinds := []string{kindNodes, kindPods, kindBudgets, kindDaemonSets}
	if policy.WaitFor == WaitForReplacementReady {
		kinds = append(kinds, kindReplicaSets, kindStatefulSets)
	}
	if policy.selectsNamespaces() {
		kinds = append(kinds, kindNamespaces)
	}
	return kinds
}

// selectsNamespaces says that some rule asks for the labels of namespaces.
func (p Policy) selectsNamespaces() bool {
	return slices.ContainsFunc(p.Rules, func(r Rule) bool {
		return slices.ContainsFunc(r.Pods, func(s PodSelector) bool { return s.Namespace != nil })
	})
}

func newFollower(m *mirror, client kubernetes.Interface, kind string) *follower {
	switch kind {
	case kindNodes:
		api := client.CoreV1().Nodes()
		return follow(m, kind, source[*corev1.NodeList, corev1.Node, Node]{
			list: api.List, watch: api.Watch, items: func(l *corev1.NodeList) []corev1.Node { return l.Items },
			slim: slimNode, put: m.putNode, drop: m.dropNode, known: maps.Values(m.nodes), key: func(n Node) string { return n.Name },
		})
	case kindPods:
		api := client.CoreV1().Pods("")
		return follow(m, kind, source[*corev1.PodList, corev1.Pod, Pod]{
			list: api.List, watch: api.Watch, items: func(l *corev1.PodList) []corev1.Pod { return l.Items },
			slim: slimPod, put: m.putPod, drop: m.dropPod, known: m.allPods, key: func(p Pod) string { return string(p.UID) },
		})
	case kindBudgets:
		api := client.PolicyV1().PodDisruptionBudgets("")
		return follow(m, kind, source[*policyv1.PodDisruptionBudgetList, policyv1.PodDisruptionBudget, mirrored]{
			list: api.List, watch: api.Watch,
			items: func(l *policyv1.PodDisruptionBudgetList) []policyv1.PodDisruptionBudget { return l.Items },
			slim:  mirrorBudget, put: m.putBudget, drop: m.dropBudget, known: m.allBudgets, key: func(b mirrored) string { return b.Key() },
		})
	case kindDaemonSets:
		api := client.AppsV1().DaemonSets("")
		return follow(m, kind, source[*appsv1.DaemonSetList, appsv1.DaemonSet, types.UID]{
			list: api.List, watch: api.Watch, items: func(l *appsv1.DaemonSetList) []appsv1.DaemonSet { return l.Items },
			slim: func(set *appsv1.DaemonSet) types.UID { return set.UID },
			put:  m.putDaemon, drop: m.dropDaemon, known: maps.Keys(m.daemons), key: func(uid types.UID) string { return string(uid) },
		})
	case kindReplicaSets:
		api := client.AppsV1().ReplicaSets("")
		return follow(m, kind, source[*appsv1.ReplicaSetList, appsv1.ReplicaSet, owned]{
			list: api.List, watch: api.Watch, items: func(l *appsv1.ReplicaSetList) []appsv1.ReplicaSet { return l.Items },
			slim: slimReplicaSet, put: m.putOwner, drop: m.dropOwner, known: none[owned], key: func(o owned) string { return string(o.UID) },
		})
	case kindStatefulSets:
		api := client.AppsV1().StatefulSets("")
		return follow(m, kind, source[*appsv1.StatefulSetList, appsv1.StatefulSet, owned]{
			list: api.List, watch: api.Watch, items: func(l *appsv1.StatefulSetList) []appsv1.StatefulSet { return l.Items },
			slim: slimStatefulSet, put: m.putOwner, drop: m.dropOwner, known: none[owned], key: func(o owned) string { return string(o.UID) },
		})
	default:
		api := client.CoreV1().Namespaces()
		return follow(m, kind, source[*corev1.NamespaceList, corev1.Namespace, corev1.Namespace]{
			list: api.List, watch: api.Watch, items: func(l *corev1.NamespaceList) []corev1.Namespace { return l.Items },
			slim: func(ns *corev1.Namespace) corev1.Namespace { return *ns },
			put:  m.putNamespace, drop: m.dropNamespace, known: none[corev1.Namespace], key: func(ns corev1.Namespace) string { return ns.Name },
		})
	}
}

// none is for what stays known when it is gone: nothing refers to it any more.
func none[S any](func(S) bool) {}

func (m *mirror) allPods(yield func(Pod) bool) {
	for _, r := range m.rooms {
		for _, p := range r.pods {
			if !yield(p.pod()) {
				return
			}
		}
	}
}

func (m *mirror) allBudgets(yield func(mirrored) bool) {
	for _, r := range m.rooms {
		for _, b := range r.budgets {
			if !yield(*b) {
				return
			}
		}
	}
}
