package drain

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// Snapshot is everything Decide looks at. Observe fills it from live reads; tests and simulations write it by hand.
// The order of its slices has no meaning.
type Snapshot struct {
	// Nodes are the nodes to empty. A snapshot without nodes is never Empty: who names nothing drains nothing.
	Nodes []Node
	// Pods holds every pod bound to one of Nodes, and pods elsewhere that share a controller with one of them.
	Pods []Pod
	// Budgets holds every PodDisruptionBudget of the namespaces those pods live in.
	Budgets []Budget
	// Owners says how many pods a controller wants; a controller that is missing here is of unknown size.
	Owners []Owner
	// Refusals are earlier answers of the API server (see Remember). They only save calls and keep a webhook's
	// denial visible between two attempts; a snapshot without them leads to the same end.
	Refusals []Refusal
}

// Node is what matters of a node that is to be emptied.
type Node struct {
	Name string
	UID  types.UID
	// Unschedulable is spec.unschedulable: the node is cordoned.
	Unschedulable bool
	// Ready is the node's Ready condition; a kubelet that is gone cannot finish a pod's termination.
	Ready bool
	// Quarantined says that the node was given up: see DeadlineQuarantine.
	Quarantined bool
	// Gone says that the API server answered 404 for the node. Pods may still be bound to its name.
	Gone bool
}

// Pod is the slim form of a pod.
type Pod struct {
	Namespace string
	Name      string
	UID       types.UID
	// Node is spec.nodeName; empty while unscheduled.
	Node   string
	Labels map[string]string
	// Controller is the owner reference with controller: true; the zero value if there is none.
	Controller Controller
	Phase      corev1.PodPhase
	// Ready is the pod's Ready condition, which is what a budget counts as healthy.
	Ready   bool
	Created time.Time
	// Deadline is metadata.deletionTimestamp: the moment by which a terminating pod should be gone (its grace
	// period is already added by the API server). Zero while nobody asked for the pod's end.
	Deadline time.Time
	// Finalizers keep the object after its containers have ended.
	Finalizers []string
	// Mirror says that the kubelet runs the pod from a file; the API server cannot end it.
	Mirror bool
	// NamespaceLabels are the labels of the pod's namespace. They are read only for policies that select by them.
	NamespaceLabels map[string]string
	// DoNotDisrupt is the value of the do-not-disrupt annotation, empty if there is none.
	DoNotDisrupt string
	// Started is when the kubelet took the pod on, zero before.
	Started time.Time
	// Grace is the time the pod may take to end.
	Grace time.Duration
	// ToleratesCordon says that the scheduler may put the pod on a cordoned node.
	ToleratesCordon bool
	// LocalData says that the pod has an emptyDir volume, whose content the eviction loses.
	LocalData bool
}

// Key returns the pod's namespace and name.
func (p Pod) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: p.Namespace, Name: p.Name}
}

// Terminating says that somebody already asked for the pod's end.
func (p Pod) Terminating() bool { return !p.Deadline.IsZero() }

// Finished says that all containers have ended and will not start again.
func (p Pod) Finished() bool {
	return p.Phase == corev1.PodSucceeded || p.Phase == corev1.PodFailed
}

// Controller names the object that would replace a pod.
type Controller struct {
	// Group is the API group, "apps" for ReplicaSets and StatefulSets.
	Group string
	Kind  string
	Name  string
	UID   types.UID
	// Missing says that the reference points to a DaemonSet of group apps that does not exist. Nobody would bring
	// such a pod back. It is only looked up for DaemonSets.
	Missing bool
}

// Owner is the size of a controller of pods: a ReplicaSet or a StatefulSet.
type Owner struct {
	UID types.UID
	// Desired is spec.replicas.
	Desired int32
}

// Budget is what matters of a PodDisruptionBudget.
type Budget struct {
	Namespace string
	Name      string
	Created   time.Time
	// Selector is spec.selector; nil selects nothing.
	Selector labels.Selector
	// Allowed, Healthy, Desired and Expected are status.disruptionsAllowed, currentHealthy, desiredHealthy and
	// expectedPods.
	Allowed  int32
	Healthy  int32
	Desired  int32
	Expected int32
	// Disrupted is status.disruptedPods: evictions the API server granted and the disruption controller has not
	// yet counted.
	Disrupted []Disruption
	// Generation and ObservedGeneration tell whether the status speaks about the present spec.
	Generation         int64
	ObservedGeneration int64
	// Unhealthy is spec.unhealthyPodEvictionPolicy; empty means IfHealthyBudget.
	Unhealthy policyv1.UnhealthyPodEvictionPolicyType
	// BlockedSince is when the condition DisruptionAllowed turned False; zero while it is not False.
	BlockedSince time.Time
	// SyncFailure is the disruption controller's own message when it could not compute the status.
	SyncFailure string
}

// Disruption is one entry of a budget's status.disruptedPods.
type Disruption struct {
	Pod string
	At  time.Time
}

// Key returns namespace/name, the form used in messages.
func (b Budget) Key() string { return b.Namespace + "/" + b.Name }

// Selects says that the budget covers the pod, whatever the pod's state.
func (b Budget) Selects(p Pod) bool {
	return b.selects(p.Namespace, p.Labels)
}

func (b Budget) selects(namespace string, set map[string]string) bool {
	return b.Namespace == namespace && b.Selector != nil && b.Selector.Matches(labels.Set(set))
}

// sorted returns copies of nodes, pods and budgets in a fixed order, each object once, so that a decision does not
// depend on the order in which lists were read.
func (s Snapshot) sorted() Snapshot {
	s.Nodes, s.Pods, s.Budgets = slices.Clone(s.Nodes), slices.Clone(s.Pods), slices.Clone(s.Budgets)
	s.sort()
	return s
}

// sort is sorted in place.
func (s *Snapshot) sort() {
	slices.SortFunc(s.Nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	s.Nodes = slices.CompactFunc(s.Nodes, func(a, b Node) bool { return a.Name == b.Name })
	slices.SortFunc(s.Pods, comparePods)
	s.Pods = slices.CompactFunc(s.Pods, func(a, b Pod) bool { return comparePods(a, b) == 0 })
	slices.SortFunc(s.Budgets, func(a, b Budget) int { return strings.Compare(a.Key(), b.Key()) })
	s.Budgets = slices.CompactFunc(s.Budgets, func(a, b Budget) bool { return a.Key() == b.Key() })
}

func comparePods(a, b Pod) int { return compareKeys(a.Key(), a.UID, b.Key(), b.UID) }

func compareKeys(a types.NamespacedName, aUID types.UID, b types.NamespacedName, bUID types.UID) int {
	return cmp.Or(
		strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name), strings.Compare(string(aUID), string(bUID)),
	)
}
