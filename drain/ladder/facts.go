package ladder

import (
	"time"

	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Facts are what Decide looks at besides the plan. Observe fills them from live reads, and only with what the rungs that are
// due need; tests write them by hand.
type Facts struct {
	// Drain is the id of the drain, unique among all drains of the cluster and the same at every look.
	Drain string
	// Workloads are the objects people know behind the controllers of blocking pods, by the controller's UID: the
	// Deployment of a ReplicaSet.
	Workloads map[types.UID]Object
	// Deployments by UID: those behind blocking pods, and all that are marked as scaled up.
	Deployments map[types.UID]Deployment
	// Budgets by namespace/name.
	Budgets map[string]Budget
	// Told has the namespace/name of each event of this package that exists.
	Told map[string]bool
	// Nodes by name: those that are given up or to be given up.
	Nodes map[string]Node
	// Pods are the pods whose deadline is over, and the other pods of their controllers and of the budgets that cover them.
	Pods []Pod
}

// Deployment is what matters of a Deployment.
type Deployment struct {
	Object
	ResourceVersion string
	Replicas        int32
	Paused          bool
	// RollingOut says that its controller has not seen the present spec, or has not replaced all pods.
	RollingOut bool
	// Recreate says that old pods end before new ones start. Otherwise Surge pods may be there in addition while it rolls
	// out, and Unavailable may be missing, as its controller computes them.
	Recreate    bool
	Surge       int
	Unavailable int
	// Restarted is the pod template's annotation AnnotationRestarted.
	Restarted string
	// RestartedFor is the start of the drain that restarted it last, and RestartedAt when it did, both by LabelRestarted and
	// zero without it.
	RestartedFor time.Time
	RestartedAt  time.Time
	// RestartRuns is when the ReplicaSet of this drain's restart was created; zero while there is none.
	RestartRuns time.Time
	// ScaledUp is the zero value if it was not scaled up.
	ScaledUp ScaledUp
	// Unreadable says that it is labelled as scaled up and the label cannot be read.
	Unreadable bool
	// Scaler is the HorizontalPodAutoscaler that sets its size, empty if none does.
	Scaler string
	// Manager is the GitOps tool that owns spec.replicas, empty if none does.
	Manager string
	// Owner is the object that controls the Deployment, "Rollout cart", empty if none does.
	Owner string
	// Holding are its pods on the nodes to empty that nobody has asked to end.
	Holding []types.UID
}

// Budget is what matters of a PodDisruptionBudget: spec and status.
type Budget struct {
	MinAvailable   *intstr.IntOrString
	MaxUnavailable *intstr.IntOrString
	// Allowed, Healthy and Expected are status.disruptionsAllowed, currentHealthy and expectedPods.
	Allowed  int32
	Healthy  int32
	Expected int32
	// Stale says that the status speaks about an older spec, or could not be computed.
	Stale bool
}

func slimBudget(b *policyv1.PodDisruptionBudget) Budget {
	slim := Budget{
		MinAvailable: b.Spec.MinAvailable, MaxUnavailable: b.Spec.MaxUnavailable,
		Allowed: b.Status.DisruptionsAllowed, Healthy: b.Status.CurrentHealthy, Expected: b.Status.ExpectedPods,
		Stale: b.Status.ObservedGeneration < b.Generation,
	}
	for _, c := range b.Status.Conditions {
		if c.Type == policyv1.DisruptionAllowedCondition && c.Reason == policyv1.SyncFailedReason {
			slim.Stale = true
		}
	}
	return slim
}

// Node is what matters of a node.
type Node struct {
	UID             types.UID
	ResourceVersion string
	// Quarantined says that the node carries drain.LabelQuarantined, and By which drain set it, empty for a person.
	Quarantined bool
	By          string
}

// Pod is what matters of a pod that is to be forced, or of another pod of its controller or of its budgets.
type Pod struct {
	Name       string
	UID        types.UID
	Controller types.UID
	// ResourceVersion is what a deletion is decided on.
	ResourceVersion string
	// Budgets are the namespace/name of all budgets that cover the pod now, sorted.
	Budgets []string
	// Wish is what the pod itself asks for by label or annotation now, as a sentence; empty if nothing.
	Wish string
	// Mirror says that the kubelet runs the pod from a file.
	Mirror   bool
	Ready    bool
	Finished bool
	Created  time.Time
	// Deadline is when the pod should be gone; zero while nobody asked for its end.
	Deadline time.Time
}
