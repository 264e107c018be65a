// Package teardown says what is taken down next of a WorkloadCluster that is deleted, and what is waited for.
package teardown

import (
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// World is what is left.
type World struct {
	Policy  fleetwrightv1.DeletionPolicy
	Deleted time.Time
	// Held says why nothing may be taken away, or is empty; HeldReason is that of condition Paused.
	Held, HeldReason string
	// ClusterServes is true while the API server answers: add-ons are taken out only of such a cluster.
	ClusterServes bool
	// Addons are what installers still have for this cluster, as kind and name; AddonLabels whether the Cluster still has their labels.
	Addons      []string
	AddonLabels bool
	// What is there and carries our label, and what of it is being deleted; Words quote each one's condition Deleting.
	Cluster, Config, Claim Part
	Nodepools              []Part
}

// Part is one object, or none when Name is empty.
type Part struct {
	Kind, Name string
	Deleting   bool
	Words      string
}

// Plan is what to do, and what to say.
type Plan struct {
	// Unlabel takes the add-ons' labels off; Delete are to be deleted, in this order, in one pass; Release takes our label off everything.
	Unlabel, Release bool
	Delete           []Part
	// Gone is true when the finalizer can go, after a look past the cache.
	Gone            bool
	Reason, Message string
	CheckAgain      time.Time
}

// AddonPatience is how long add-ons are waited for.
const AddonPatience = 10 * time.Minute

// Next is the plan: protected or held; retain; add-ons; then additional config, Cluster and Nodepools at once (a Nodepool of a Cluster that is being
// deleted drains nothing, and roles are taken back by the identity that the control plane names while it is there); then the claim.
func Next(w World, now time.Time) Plan { return Plan{} }
