// Package render says what each object underneath a WorkloadCluster is to be. It is a function of values.
package render

import (
	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
)

// Input is what the objects are made from.
type Input struct {
	Namespace, Name string
	// Labels are the WorkloadCluster's own; AddonLabels those of the add-ons whose turn has come.
	Labels, AddonLabels map[string]string
	Effective           effective.Effective
	// Adopted is true for a cluster that was there before its claim is made: the claim then asks for nothing that the spec does not name.
	Adopted bool
	// Bound are the ranges of the cluster's AddressClaim, empty without one.
	Bound []fleetwrightv1.BoundRange
	// Subnets are the subnets' objects of a cluster that is there, nil while it is being made: a pool of it is moved to no other.
	Subnets []string
	// Version is the control plane's, by package upgrade. Names are those of objects that exist already.
	Version string
	Names   capi.Names
	// Reconcile is passed on to the children.
	Reconcile fleetwrightv1.ReconcileMode
	// NetworkID is the virtual network's id in Azure when it is the cluster's own and known: the control plane's identity is then given a role
	// there. The role is taken back when it is empty again, so it has to be given for as long as the network is there.
	NetworkID string
}

// spec is what the cluster amounts to.
func (in Input) spec() fleetwrightv1.WorkloadClusterTemplate { return in.Effective.Spec }

// bound is the range of that name that the claim has got, empty without one.
func (in Input) bound(name fleetwrightv1.ClusterRangeName) string {
	for _, r := range in.Bound {
		if r.Name == string(name) {
			return r.CIDR
		}
	}
	return ""
}
