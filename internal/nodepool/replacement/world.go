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

	"k8s.io/apimachinery/pkg/util/intstr"

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
	// Adoptable are the pools that the Nodepool asks to take over, as they were
	// found.
	Adoptable []Adoptable
	// Azure is what Azure has left for more nodes. Read only when a plan asks
	// for it.
	Azure Azure
	// Fits are whether pods have a place elsewhere. Read only when a plan asks for it.
	Fits []Fit
	// Ahead are the other Nodepools of the cluster whose turn comes first, in
	// order.
	Ahead []Turn
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
	// Hold says who asks to do less; the zero Hold is nobody.
	Hold Hold
	// Invalid says why the wanted spec can never be met by this cluster, in a
	// sentence that tells what to change; empty means it can. InvalidReason is
	// InvalidSpec if it is empty.
	Invalid, InvalidReason string
	// BrokenRule says which drain rule cannot be understood, in such a sentence. It
	// is found when pods are looked at, and nothing is drained by such rules.
	BrokenRule string
	// Spec is the wanted pool. Unset fields are "no opinion".
	Spec agentpool.Spec
	// MinReady is how long a new node must have been Ready to count.
	MinReady time.Duration
	// ProvisionTimeout is how long a new pool may take to become ready before
	// the replacement is reported as stuck.
	ProvisionTimeout time.Duration
	// Strategy is Auto (or empty), InPlaceOnly, FullGreen or StagedShift.
	Strategy string
	// MaxSurge is how many more nodes than before a staged shift may have; nil is
	// a quarter of them.
	MaxSurge *intstr.IntOrString
	// Soak is how long an emptied old pool is kept; SoakCordoned keeps its nodes
	// too.
	Soak         time.Duration
	SoakCordoned bool
	// Window says when a replacement may begin.
	Window Window
	// RolloutAfter is the moment that pools made earlier are replaced after, once
	// it has come; zero is never.
	RolloutAfter time.Time
	// DeletionPolicy is Delete (or empty), Retain or Protect.
	DeletionPolicy string
	// Adopt says whether Adoptable pools are taken over, or only told of.
	Adopt bool
	// Generation counts the changes of what is wanted. SkipFitCheck is true when a
	// person asked, for this one, to close nodes whose pods have no place.
	Generation   int64
	SkipFitCheck bool
}

// Hold is a request to do less.
type Hold struct {
	// Reason is one of condition Paused, or empty: nobody asks. Message says who,
	// and why.
	Reason, Message string
	// NonDisruptive allows what touches no running pod; without it nothing is
	// written.
	NonDisruptive bool
}

// Window says when a replacement may begin. The zero Window is always open.
type Window struct {
	// Closed is true while none is open; Opens is when the next one does, zero if
	// none ever does.
	Closed bool
	Opens  time.Time
}

// Turn is a Nodepool whose write comes before this one's.
type Turn struct{ Nodepool, Purpose string }

// Adoptable is a pool that exists and is asked for.
type Adoptable struct {
	// Object is the MachinePool's name. Found is false when the cluster has no
	// such pool.
	Object string
	Found  bool
	// Topology is true when the Cluster's topology makes the pool, and would make it
	// again.
	Topology bool
	// Owner is the Nodepool it belongs to, or empty; Mine is true when that is
	// this one.
	Owner string
	Mine  bool
	// Name is the AKS agent pool's name, Spec what it is like.
	Name string
	Spec agentpool.Spec
}

// Azure is what Azure has left for more nodes of the wanted kind.
type Azure struct {
	// Asked is false while nobody has asked.
	Asked bool
	// Refused says why the machine type cannot be had, or is empty.
	Refused string
	// Room is how many more nodes there is room for; Limit names what binds. An
	// empty Limit means that nothing is known to bind.
	Room  int32
	Limit string
	// Machines is true when single machines can be removed from a pool, which a
	// staged shift needs. NoMachines says why not, where it is more than that the
	// operator has no credentials.
	Machines   bool
	NoMachines string
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
	// empty; OperationSince is when it was first seen, zero when nobody knows.
	Operation      string
	OperationSince time.Time
	// NodeCap is the highest number of nodes the cluster may have; 0 is the
	// default of 950.
	NodeCap int
}

// Neighbour is a pool of the cluster that is not this Nodepool's.
type Neighbour struct {
	// Name is the AKS agent pool name.
	Name string
	// Owner is the Nodepool it belongs to, or empty; Object its MachinePool.
	Owner, Object string
	// Mode is System or User.
	Mode string
	// Operation is the provider operation in flight, or empty, since
	// OperationSince; Failure its last refusal, or empty.
	Operation, Failure string
	OperationSince     time.Time
	// Deleting is true once its deletion was asked for.
	Deleting bool
	// Nodes is the number of its nodes, or of its machines if there are more;
	// ReadyNodes are those that are Ready and take pods.
	Nodes, ReadyNodes int
}
