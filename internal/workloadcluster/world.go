package workloadcluster

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/maintenance"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
)

// world is one reading of all that a WorkloadCluster depends on.
type world struct {
	// object is the WorkloadCluster as it was read past the cache. It is only read.
	object *fleetwrightv1.WorkloadCluster
	class  classSeen
	// effective is what class and spec amount to; unmerged says why that cannot be told, or is empty.
	effective effective.Effective
	unmerged  string
	problems  []effective.Problem
	// tenant is whose the namespace is, empty for nobody's.
	tenant string
	// rival is the WorkloadCluster or the Cluster of another namespace that is the same cluster in Azure and comes first, in words, or empty.
	rival string
	// credential is the subscription of the Secret by which the cluster would be made, empty when it is not known.
	credential string
	hold       hold.Hold
	// paused is true when the WorkloadCluster itself asks that everything wait, whoever else does.
	paused bool

	// claim and config are nil when they are not there.
	claim, config *child
	// nodepools are those that are ours, and those of somebody else under names that are wanted, ordered by name.
	nodepools []child
	// state is the Cluster's, with what would be written to it and to CAPZ's objects.
	state capi.ClusterState
	// machinePools are those of the cluster, read only where adoption is asked for.
	machinePools []capi.Pool
	// poolChanges is what Nodepools would change in those that they would take over, by the Nodepool's name; only a report asks.
	poolChanges map[string][]string
	addons      []addonSeen
	// window is of the maintenance windows; windowless says what is wrong with them.
	window     maintenance.State
	windowless string
}

// classSeen is the class that a WorkloadCluster points to. key is empty when it points to none.
type classSeen struct {
	key            string
	found, allowed bool
}

// addonSeen is one add-on of the effective spec.
type addonSeen struct {
	addon    fleetwrightv1.WorkloadClusterAddon
	observed addons.Observed
	// unread says why nothing was read of it.
	unread string
}

func (w world) name() string { return w.object.Name }

func (w world) deleting() bool { return !w.object.DeletionTimestamp.IsZero() }

// adopts is what spec.adoption says, empty without it.
func (w world) adopts() fleetwrightv1.AdoptionPolicy { return w.object.Spec.Adoption.Policy }

func (w world) nodepool(name string) *child {
	for i := range w.nodepools {
		if w.nodepools[i].name == name {
			return &w.nodepools[i]
		}
	}
	return nil
}

// children are all objects of our own kinds, in the order in which they are told of.
func (w world) children() []*child {
	var out []*child
	if w.claim != nil {
		out = append(out, w.claim)
	}
	for i := range w.nodepools {
		out = append(out, &w.nodepools[i])
	}
	if w.config != nil {
		out = append(out, w.config)
	}
	return out
}

// obstacle is why nothing is written.
type obstacle struct {
	reason, message string
	// stalled is true when a person has to act.
	stalled bool
}

// verb is what is done.
type verb string

const (
	// create makes an object that is not there.
	create verb = "Create"
	// apply gives an object the spec that is wanted.
	apply verb = "Apply"
	// tell passes on some fields of the WorkloadCluster, and leaves the rest of the spec.
	tell verb = "Tell"
	// remove deletes an object, after it was told of the fields.
	remove verb = "Remove"
	// unlabel takes the add-ons' labels off the Cluster.
	unlabel verb = "Unlabel"
	// release takes what is ours off an object, and leaves it otherwise.
	release verb = "Release"
)

// action is one thing to do with one object. Each can be repeated.
type action struct {
	verb verb
	target
	// child is the object as it was read, nil for create and for the Cluster.
	child *child
	// spec is the whole spec for create and apply, some fields of it for tell, remove and release.
	spec map[string]any
}

// disruptive is true when something is taken away.
func (a action) disruptive() bool { return a.verb == remove }

func (a action) String() string { return string(a.verb) + " " + a.target.String() }

// plan is what is to be done, and what is to be said.
type plan struct {
	// actions are done now, in this order; held are those that must wait.
	actions, held []action
	obstacle      *obstacle
	// removing are objects that the spec does not have any more and that are not gone. waitsFor is the Nodepool that Nodepools among them wait for.
	removing []*child
	waitsFor string
	// strays carry our label, are not in the spec, and were not made by us: they are left alone.
	strays []*child
	// leaving is the reason of condition Deleting, with its message; empty when nobody asked for deletion. gone is true when the finalizer can go.
	leaving, leavingMessage string
	gone                    bool
	// lasting are objects that are being deleted with the WorkloadCluster.
	lasting []*child
	steps   []step
	// stuckVersion is the reason for which the wanted version cannot be had, or empty.
	stuckVersion        string
	pools               []poolSaid
	addons              []addons.State
	upToDate, available metav1.Condition
	adopted             *metav1.Condition
	// checkAgain is when to look again; zero when a watch tells of all that matters.
	checkAgain time.Time
}
