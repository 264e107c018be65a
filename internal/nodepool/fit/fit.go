// Package fit tells whether the pods of nodes that are to be emptied have a place elsewhere, by the scheduler's own
// plugins and in the scheduler's own words.
//
// [Observe] reads a cluster, [Check] puts the pods into it one by one, the biggest first, as kube-scheduler would: node
// selectors and affinity, taints, requests, host ports, topology spread, affinity between pods, the zones of volumes and
// how many disks a node takes. The nodes to empty stay in the picture, closed and with what stays on them, because that
// is what the scheduler will see.
//
// What it does not know: devices claimed through dynamic resource allocation, scheduler extenders, profiles and
// plugins of the cluster's own, preemption (a pod that would have to push another one out does not fit), and volumes
// that are not made yet. Pods of negative priority, which give way to all others, are not there at all, nor are those
// that wait for a gate, a device or another scheduler. Which zone an autoscaler's next node comes up in is assumed to be the one that is needed.
package fit

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
)

// World is what the answer depends on. Objects need only the fields that Observe keeps.
type World struct {
	// Nodes are all nodes of the cluster.
	Nodes []*corev1.Node
	// Emptied are the names of those whose pods move. They take no pods, whatever their own word is.
	Emptied []string
	// Pods are all pods of the cluster that hold or want a place.
	Pods []Pod
	// Growth are pools that may get more nodes, in the order in which that is tried.
	Growth []Growth
	// Claims, Volumes and CSINodes are what volumes need; Namespaces what affinity by namespace labels does.
	Claims     []*corev1.PersistentVolumeClaim
	Volumes    []*corev1.PersistentVolume
	CSINodes   []*storagev1.CSINode
	Namespaces []*corev1.Namespace
}

// Pod is one pod. Pods that are alike share the object that describes them.
type Pod struct {
	Name string
	// Node is where it is bound; empty for one that waits for a place.
	Node string
	// Moves is true for a pod that has to leave its node and will be made anew.
	Moves bool
	// Daemon is true for a pod that every new node of the pool will have as well.
	Daemon bool
	// Alike is what the scheduler looks at, shared and never written.
	Alike *corev1.Pod
}

// Growth is a pool that may get more nodes like those it has.
type Growth struct {
	// Pool is its name, for messages and for the names of nodes that are not there yet.
	Pool string
	// Like are the names of nodes it has. A new one is like the first of them that takes the pod.
	Like []string
	// More is how many nodes it may get by itself.
	More int
}

// MaxListed bounds Report.Misfits.
const MaxListed = 10

// Report is where the pods would go. The same World gives the same Report.
type Report struct {
	// Moving pods were looked at, of which Unfit have no place.
	Moving, Unfit int
	// Misfits are the pods without a place, alike ones together, the most first. Kinds counts them, listed or not.
	Misfits []Misfit
	Kinds   int
	// Grows is how many nodes the autoscaler would add.
	Grows int
	// Short is how many nodes more, beyond what may be added, the first pool of Growth would need for those pods that
	// only lack room. Zero when more nodes would not help, or there is no such pool.
	Short int
}

// Misfit are pods that are alike and have no place.
type Misfit struct {
	// Namespace and Name are those of the first of them by name.
	Namespace, Name string
	Pods            int
	// Message is what the scheduler would say, without its full stop: "0/5 nodes are available: 3 Insufficient cpu, ...".
	Message string
}

func (r *Report) add(m Misfit) {
	r.Unfit += m.Pods
	r.Kinds++
	m.Message = strings.TrimSuffix(m.Message, ".")
	r.Misfits = append(r.Misfits, m)
}

func (r *Report) sort() {
	slices.SortFunc(r.Misfits, func(a, b Misfit) int {
		return cmp.Or(b.Pods-a.Pods, cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	r.Misfits = r.Misfits[:min(len(r.Misfits), MaxListed)]
}
