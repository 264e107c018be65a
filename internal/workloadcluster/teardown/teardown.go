// Package teardown says what is taken down next of a WorkloadCluster that is deleted, and what is waited for.
package teardown

import (
	"fmt"
	"strings"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// World is what is left.
type World struct {
	// Policy is Protect if it is empty.
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
	// Unlabel takes the add-ons' labels off; Delete are to be deleted, in this order; Release takes our label off everything.
	Unlabel, Release bool
	Delete           []Part
	// Gone is true when the finalizer can go, after a look past the cache.
	Gone            bool
	Reason, Message string
	// CheckAgain is when to look again at what no watch tells of; zero when a watch will tell.
	CheckAgain time.Time
}

const (
	// AddonPatience is how long add-ons are waited for.
	AddonPatience = 10 * time.Minute
	// addonInterval is how often installers are asked meanwhile: kinds that came after the start are not watched.
	addonInterval = 10 * time.Second
	// named is how many objects a message names.
	named = 5
)

// Next is the plan: protected or held; retain; add-ons; then additional config and Cluster at once (roles are taken back by the identity that the
// control plane names while it is there), and Nodepools as soon as the Cluster is seen to be deleted (one of a Cluster that lives on drains its
// nodes, and keeps the last System pool); then the claim.
//
// Nothing is remembered: an object that vanishes in any order, or that was deleted by hand, is just another world.
func Next(w World, now time.Time) Plan {
	for _, ask := range []func(World, time.Time) *Plan{isItProtected, isItHeld, isItToBeRetained, areAddonsLeft, isTheClusterLeft, areAddressesLeft} {
		if plan := ask(w, now); plan != nil {
			return *plan
		}
	}
	return Plan{Gone: true, Reason: fleetwrightv1.ReasonReleasingAddresses, Message: "nothing is left"}
}

func isItProtected(w World, _ time.Time) *Plan {
	if w.Policy == fleetwrightv1.DeletionPolicyDelete || w.Policy == fleetwrightv1.DeletionPolicyRetain {
		return nil
	}
	return &Plan{
		Reason:  fleetwrightv1.ReasonDeletionProtected,
		Message: "deletionPolicy is Protect, which it is if it is not set, so nothing is taken away: set spec.deletionPolicy to Delete or Retain to go on",
	}
}

func isItHeld(w World, _ time.Time) *Plan {
	if w.Held == "" {
		return nil
	}
	return &Plan{Reason: w.HeldReason, Message: "nothing is taken away: " + w.Held}
}

// isItToBeRetained: what has lost our label serves on without us, add-ons and their labels too.
func isItToBeRetained(w World, _ time.Time) *Plan {
	if w.Policy != fleetwrightv1.DeletionPolicyRetain {
		return nil
	}
	parts := w.parts(w.Claim)
	if len(parts) == 0 {
		return &Plan{Gone: true, Reason: fleetwrightv1.ReasonRetaining, Message: "everything serves on without this object"}
	}
	return &Plan{Release: true, Reason: fleetwrightv1.ReasonRetaining, Message: "lets go of " + list(parts)}
}

func areAddonsLeft(w World, now time.Time) *Plan {
	until := w.Deleted.Add(AddonPatience)
	if len(w.Addons) == 0 || !w.ClusterServes || w.Cluster.Name == "" || w.Cluster.Deleting || !now.Before(until) {
		return nil
	}
	again := now.Add(addonInterval)
	if until.Before(again) {
		again = until
	}
	return &Plan{
		Unlabel: w.AddonLabels, Reason: fleetwrightv1.ReasonDeletingAddons, CheckAgain: again,
		Message: fmt.Sprintf("add-ons are taken out, which is waited for until %s: %s", until.UTC().Format("15:04:05 UTC"), enumerate(w.Addons)),
	}
}

func isTheClusterLeft(w World, _ time.Time) *Plan {
	parts := w.parts(Part{})
	if len(parts) == 0 {
		return nil
	}
	plan := &Plan{Reason: fleetwrightv1.ReasonDeletingCluster, Message: "being deleted: " + list(parts)}
	due := []Part{w.Config, w.Cluster}
	if w.Cluster.Name == "" || w.Cluster.Deleting {
		due = append(due, w.Nodepools...)
	}
	for _, p := range due {
		if p.Name != "" && !p.Deleting {
			plan.Delete = append(plan.Delete, p)
		}
	}
	return plan
}

// areAddressesLeft: ranges are given back last, when nothing in Azure has them.
func areAddressesLeft(w World, _ time.Time) *Plan {
	if w.Claim.Name == "" {
		return nil
	}
	plan := &Plan{Reason: fleetwrightv1.ReasonReleasingAddresses, Message: "the cluster is gone, and its addresses are given back: " + list([]Part{w.Claim})}
	if !w.Claim.Deleting {
		plan.Delete = []Part{w.Claim}
	}
	return plan
}

// parts are those that are there, in the order in which they are deleted.
func (w World) parts(also Part) []Part {
	var out []Part
	for _, p := range append(append([]Part{w.Config, w.Cluster}, w.Nodepools...), also) {
		if p.Name != "" {
			out = append(out, p)
		}
	}
	return out
}

func list(parts []Part) string {
	texts := make([]string, 0, len(parts))
	for _, p := range parts {
		text := p.Kind + " " + p.Name
		if p.Words != "" {
			text += " (" + p.Words + ")"
		}
		texts = append(texts, text)
	}
	return enumerate(texts)
}

func enumerate(texts []string) string {
	if n := len(texts) - named; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:named], ", "), n)
	}
	return strings.Join(texts, ", ")
}
