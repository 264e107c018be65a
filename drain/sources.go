package drain

import (
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
			slim: slimNode, put: m.putNode, drop: m.dropNode, replace: m.replaceNodes,
		})
	case kindPods:
		api := client.CoreV1().Pods("")
		return follow(m, kind, source[*corev1.PodList, corev1.Pod, Pod]{
			list: api.List, watch: api.Watch, items: func(l *corev1.PodList) []corev1.Pod { return l.Items },
			slim: m.slimPod, put: m.putPod, drop: m.dropPod, replace: m.replacePods,
		})
	case kindBudgets:
		api := client.PolicyV1().PodDisruptionBudgets("")
		return follow(m, kind, source[*policyv1.PodDisruptionBudgetList, policyv1.PodDisruptionBudget, mirrored]{
			list: api.List, watch: api.Watch,
			items: func(l *policyv1.PodDisruptionBudgetList) []policyv1.PodDisruptionBudget { return l.Items },
			slim:  mirrorBudget, put: m.putBudget, drop: m.dropBudget, replace: m.replaceBudgets,
		})
	case kindDaemonSets:
		api := client.AppsV1().DaemonSets("")
		return follow(m, kind, source[*appsv1.DaemonSetList, appsv1.DaemonSet, types.UID]{
			list: api.List, watch: api.Watch, items: func(l *appsv1.DaemonSetList) []appsv1.DaemonSet { return l.Items },
			slim: func(set *appsv1.DaemonSet) types.UID { return set.UID },
			put:  m.putDaemon, drop: m.dropDaemon, replace: m.replaceDaemons,
		})
	case kindReplicaSets:
		api := client.AppsV1().ReplicaSets("")
		return follow(m, kind, source[*appsv1.ReplicaSetList, appsv1.ReplicaSet, owned]{
			list: api.List, watch: api.Watch, items: func(l *appsv1.ReplicaSetList) []appsv1.ReplicaSet { return l.Items },
			slim: slimReplicaSet, put: m.putOwner, drop: m.dropOwner, replace: m.replaceOwners,
		})
	case kindStatefulSets:
		api := client.AppsV1().StatefulSets("")
		return follow(m, kind, source[*appsv1.StatefulSetList, appsv1.StatefulSet, owned]{
			list: api.List, watch: api.Watch, items: func(l *appsv1.StatefulSetList) []appsv1.StatefulSet { return l.Items },
			slim: slimStatefulSet, put: m.putOwner, drop: m.dropOwner, replace: m.replaceOwners,
		})
	default:
		api := client.CoreV1().Namespaces()
		return follow(m, kind, source[*corev1.NamespaceList, corev1.Namespace, corev1.Namespace]{
			list: api.List, watch: api.Watch, items: func(l *corev1.NamespaceList) []corev1.Namespace { return l.Items },
			slim: func(ns *corev1.Namespace) corev1.Namespace { return *ns },
			put:  m.putNamespace, drop: m.dropNamespace, replace: func(all []corev1.Namespace) {
				for i := range all {
					m.putNamespace(all[i])
				}
			},
		})
	}
}

// replacePods takes what is not in the list for gone. Everything may have moved.
func (m *mirror) replacePods(all []Pod) {
	for _, r := range m.rooms {
		r.pods = map[string]Pod{}
	}
	for _, p := range all {
		m.room(p.Namespace).pods[p.Name] = p
	}
	m.changed("")
}

func (m *mirror) replaceBudgets(all []mirrored) {
	for _, r := range m.rooms {
		r.budgets = map[string]mirrored{}
	}
	for _, b := range all {
		m.budgeted(b)
		m.room(b.Namespace).budgets[b.Name] = b
	}
	m.changed("")
}

func (m *mirror) replaceNodes(all []Node) {
	m.nodes = make(map[string]Node, len(all))
	for _, n := range all {
		m.nodes[n.Name] = n
	}
	m.changed("")
}

func (m *mirror) replaceDaemons(all []types.UID) {
	m.daemons = make(map[types.UID]bool, len(all))
	for _, uid := range all {
		m.daemons[uid] = true
	}
	m.changed("")
}

// replaceOwners keeps owners that are gone: nothing refers to them any more.
func (m *mirror) replaceOwners(all []owned) {
	for _, o := range all {
		m.room(o.namespace).owners[o.UID] = o.Owner
	}
	m.changed("")
}
