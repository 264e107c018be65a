package replacement

import (
	"slices"
	"time"

	"github.com/blang/semver/v4"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

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
	// Deleting), or empty; OperationSince is when it was first seen, zero when
	// nobody knows.
	Operation      string
	OperationSince time.Time
	// Failure is the provider's last refusal or failure, or empty; FailureSince
	// is when it was first said in these words, zero when nobody knows.
	Failure      string
	FailureSince time.Time
	// ProvisionStarted is when the pool was asked for, Updated when it was last
	// changed; zero when nobody knows.
	ProvisionStarted, Updated time.Time
	// DrainStarted is when its first node was cordoned for removal; zero when
	// that has not happened (or the annotation was lost, which only makes the
	// readiness of the new pool be checked once more).
	DrainStarted time.Time
	// EmptySince is when it was found empty while a soak was asked for; zero when
	// that has not happened, or the annotation was lost, which starts the soak
	// anew.
	EmptySince time.Time
	// Carried are the autoscaler's bounds from before the pool was kept from
	// growing, nil when it was not.
	Carried *agentpool.Scaling
	// Replaces is how many nodes served when this pool was made in their place;
	// zero when it was the first, or nobody knows.
	Replaces int32
	// Incomplete is true while one of the pool's two objects is missing: its
	// creation was cut off between them, or somebody deleted one.
	Incomplete bool
	// Size is the number of nodes the pool aims at, also while the autoscaler
	// chooses it; nil when nobody said.
	Size *int32
	// Counted is Azure's own number of nodes, read only when a plan asks for it.
	Counted Counted
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

// Counted is the number of nodes that Azure says a pool has.
type Counted struct {
	// Asked is false while nobody has asked; Known is true when Azure answered and
	// no operation changes the number.
	Asked, Known bool
	Nodes        int32
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
	// Quarantined is true for a node that was given up: its pods leave by
	// themselves or not at all, and nobody evicts them.
	Quarantined bool
	// Version is the kubelet's own word ("v1.34.2"), Zone the zone it is in, or
	// empty.
	Version, Zone string
}

// Drain is what the drain engine says of a pool's nodes.
type Drain struct {
	// Known is false when the pods could not be read: then nothing is empty.
	Known bool
	// Of names the nodes whose pods were read, in order; nil is all of the pool.
	Of []string
	// Pinned is the number of pods per zone that cannot leave it, because of a
	// volume.
	Pinned map[string]int
	// Closed is true when every node was cordoned when the engine read it, which
	// is before it read the pods.
	Closed bool
	// Remaining pods still have to leave. Elsewhere are those of them that are not
	// on a quarantined node, and Quarantined names the nodes with the others.
	Remaining, Elsewhere int
	Quarantined          []string
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

// known is true when the pods of just these nodes were read; nil is all of the
// pool.
func (d Drain) known(nodes []string) bool { return d.Known && slices.Equal(d.Of, nodes) }

// count is the number of nodes, or of machines where there are more of them.
func (p Pool) count() int { return max(len(p.Nodes)+p.Unlisted, p.Members) }

// size is what the pool aims at.
func (p Pool) size() int32 {
	if p.Size != nil {
		return *p.Size
	}
	return int32(min(p.count(), maxPoolNodes))
}

// comes is what the pool aims at, without nodes that Azure refused or counts
// although they are not there.
func (p Pool) comes() int32 {
	if p.Counted.Known && p.Counted.Nodes == p.size() || p.Failure != "" && p.Operation == "" {
		return int32(min(p.count(), maxPoolNodes))
	}
	return p.size()
}

// soaks is true for a pool that was emptied and is kept for a way back.
func (p Pool) soaks() bool { return !p.EmptySince.IsZero() && p.ReadyNodes() == 0 }

// emptied is true for a pool that was found empty and scaled to zero since.
func (p Pool) emptied() bool {
	return !p.EmptySince.IsZero() && p.Size != nil && *p.Size == 0 && p.Spec.Scaling == nil
}

// madeBefore is true for a pool that was asked for before t.
func (p Pool) madeBefore(t time.Time) bool {
	made := p.Created
	if !p.ProvisionStarted.IsZero() && p.ProvisionStarted.Before(made) {
		made = p.ProvisionStarted // a restored object is younger than its pool
	}
	return made.Before(t)
}

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
