// Package replacement decides what happens next to one node pool.
//
// AKS agent pool fields are immutable for the most part, so a changed field
// means a new pool (green), a drain of the old one (blue) and its deletion.
// Next looks at the World, read afresh from live objects, and answers with one
// Plan: one action, one reason, one message. It holds no client, no clock and
// no memory. What follows from that, and is tested as such:
//
//   - a crash anywhere repeats the same answer;
//   - going back to the old spec half-way is just another World;
//   - two changes in flight collapse to the newest;
//   - a pool changed or removed by hand is another World too, not an error.
package replacement

import (
	"time"

	"github.com/blang/semver/v4"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// World is everything Next looks at. Observe builds it from live objects; a
// World with an unread part says so (Cluster.Unreachable, Drain.Known), because
// an empty list read badly must never look like "nothing is left".
type World struct {
	// Nodepool is what is wanted.
	Nodepool Nodepool
	// Cluster is the workload cluster the pool belongs to.
	Cluster Cluster
	// Pools are this Nodepool's provider pools, oldest first.
	Pools []Pool
	// Others are the cluster's pools that belong to somebody else.
	Others []Neighbour
}

// Nodepool is the wanted state, as its users wrote it.
type Nodepool struct {
	// Name is the object's name; BaseName the pool's public name, which is the
	// same over all generations.
	Name, BaseName string
	// UID tells a re-created Nodepool from its predecessor.
	UID string
	// Deleting is true from the moment the Nodepool has a deletion timestamp.
	Deleting bool
	// Paused says who asks for no writes; empty means nobody does.
	Paused string
	// PausedByCluster is true when it is the Cluster that is paused.
	PausedByCluster bool
	// Invalid says why the wanted spec can never be met by this cluster, in a
	// sentence that tells what to change; empty means it can.
	Invalid string
	// Spec is the wanted pool. Unset fields are "no opinion".
	Spec agentpool.Spec
	// MinReady is how long a new node must have been Ready to count.
	MinReady time.Duration
	// ProvisionTimeout is how long a new pool may take to become ready before
	// the replacement is reported as stuck.
	ProvisionTimeout time.Duration
}

// Cluster is the workload cluster as far as pools are concerned.
type Cluster struct {
	Name string
	// Found is false when no Cluster of that name exists in the namespace.
	Found bool
	// Deleting is true when the Cluster itself is going away: pools then need
	// no drain, because everything on them goes too.
	Deleting bool
	// Provisioned is true once the control plane answers requests.
	Provisioned bool
	// Version is the control plane's reported version ("v1.34.2"); before it is
	// provisioned, the version it is being created with.
	Version string
	// WantedVersion is what the control plane's own spec asks for.
	WantedVersion string
	// Unreachable says why the workload API server did not answer; empty means
	// it did. Nothing destructive is decided while it is set.
	Unreachable string
	// Operation is the control plane's own operation in flight ("Updating"), or
	// empty.
	Operation string
}

// Neighbour is a pool of the cluster that is not this Nodepool's.
type Neighbour struct {
	// Name is the AKS agent pool name.
	Name string
	// Owner is the Nodepool it belongs to, or empty; Object its MachinePool.
	Owner, Object string
	// Mode is System or User.
	Mode string
	// Operation is the provider operation in flight, or empty; Failure its last
	// refusal, or empty.
	Operation, Failure string
	// Deleting is true once its deletion was asked for.
	Deleting bool
	// ReadyNodes are its Ready, schedulable nodes.
	ReadyNodes int
}

// Pool is one provider pool: a MachinePool with its infrastructure object and
// the AKS agent pool behind it.
type Pool struct {
	// Name is the AKS agent pool name, Object the name of the MachinePool and
	// of the infrastructure object.
	Name, Object string
	// UID is the MachinePool's, a precondition of its deletion. Empty when only
	// the infrastructure object is left.
	UID string
	// Fingerprint is the annotation written when the pool was made.
	Fingerprint string
	Created     time.Time
	// Deleting is true once its deletion was asked for; the pool is gone only
	// when neither object is left, which CAPZ grants when ARM answered 404.
	Deleting bool
	// Spec is what the provider objects say, server-added values left out.
	Spec agentpool.Spec
	// Provisioned is true when the provider reported the pool as made.
	Provisioned bool
	// Operation is the provider operation in flight (Creating, Updating,
	// Deleting), or empty.
	Operation string
	// Failure is the provider's last refusal or failure, or empty; FailureSince
	// is when it was first said in these words, zero when nobody knows.
	Failure      string
	FailureSince time.Time
	// ProvisionStarted is when the pool was asked for.
	ProvisionStarted time.Time
	// DrainStarted is when its first node was cordoned for removal; zero when
	// that has not happened (or the annotation was lost, which only makes the
	// readiness of the new pool be checked once more).
	DrainStarted time.Time
	// Incomplete is true while one of the pool's two objects is missing: its
	// creation was cut off between them, or somebody deleted one.
	Incomplete bool
	// Size is the number of nodes the pool aims at, also while the autoscaler
	// chooses it; nil when nobody said.
	Size *int32
	// Members is the number of machines the provider lists for the pool,
	// Unlisted the number of Nodes that carry its label and are not listed.
	Members, Unlisted int
	// Nodes are the live Nodes proven to belong to the pool, by full provider
	// id, ordered by name.
	Nodes []Node
	// IdentityConflict says which node contradicts the pool's membership, or is
	// empty. Nothing is cordoned, evicted or deleted while it is set.
	IdentityConflict string
	// Drain is what still runs on the pool's nodes. Only read for pools that
	// have to go.
	Drain Drain
}

// Node is one Node of a pool.
type Node struct {
	Name, UID, ProviderID string
	Ready                 bool
	// ReadySince is when it last became Ready.
	ReadySince time.Time
	Cordoned   bool
	// CordonedByUs is true when a replacement cordoned it, so that taking the
	// replacement back may uncordon it and a person's own cordon stays.
	CordonedByUs bool
	// Version is the kubelet's own word ("v1.34.2").
	Version string
}

// Drain is what the drain engine says of a pool's nodes.
type Drain struct {
	// Known is false when the pods could not be read: then nothing is empty.
	Known bool
	// Closed is true when every node was cordoned when the engine read it, which
	// is before it read the pods.
	Closed bool
	// Remaining pods still have to leave.
	Remaining int
	// Staying says which pods will end with the pool because their owners asked
	// to leave them alone; empty when there are none.
	Staying string
	// Summary is the engine's sentence about what is being waited for.
	Summary string
	// CheckAgain is when looking again is worth it.
	CheckAgain time.Duration
}

// Empty is true when the drain engine has seen all nodes closed and nothing
// left that has to leave.
func (d Drain) Empty() bool { return d.Unused() && d.Closed }

// Unused is true when nothing has to leave, though pods may still come.
func (d Drain) Unused() bool { return d.Known && d.Remaining == 0 }

// ReadyNodes counts nodes that take pods: Ready and not cordoned.
func (p Pool) ReadyNodes() int {
	n := 0
	for _, node := range p.Nodes {
		if node.Ready && !node.Cordoned {
			n++
		}
	}
	return n
}

// isOlder compares what kubelets run with a version; a suffix (-akslts) says
// nothing, and a version nobody can read counts as old. Nodes that AKS upgraded
// by itself are newer than asked for, which is not worth another pool.
func isOlder(kubelet, version string) bool {
	wanted, err := semver.ParseTolerant(version)
	if err != nil {
		return false
	}
	runs, err := semver.ParseTolerant(kubelet)
	wanted.Pre, runs.Pre = nil, nil
	return err != nil || runs.LT(wanted)
}

// settledNodes counts nodes that run the wanted version, take pods and have
// been Ready for minReady; wait is how long until the next one may count.
func (p Pool) settledNodes(version string, minReady time.Duration, now time.Time) (settled int, wait time.Duration, older string) {
	for _, n := range p.Nodes {
		switch {
		case isOlder(n.Version, version):
			older = n.Name + " runs " + n.Version
		case !n.Ready || n.Cordoned:
		case now.Sub(n.ReadySince) < minReady:
			if left := minReady - now.Sub(n.ReadySince); wait == 0 || left < wait {
				wait = left
			}
		default:
			settled++
		}
	}
	return settled, wait, older
}
