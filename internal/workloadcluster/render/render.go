// Package render says what each object underneath a WorkloadCluster is to be. It is a function of values.
package render

import (
	"errors"

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
	// Bound are the ranges of the cluster's AddressClaim, empty without one.
	Bound []fleetwrightv1.BoundRange
	// Version is the control plane's, by package upgrade. Names are those of objects that exist already.
	Version string
	Names   capi.Names
	// Reconcile is passed on to the children.
	Reconcile fleetwrightv1.ReconcileMode
	// NetworkID is the virtual network's id in Azure when it is the cluster's own and known: the control plane's identity is then given a role there.
	NetworkID string
}

// Claim is the claim of addresses, nil when the cluster asks for none.
func Claim(name string, e effective.Effective) *fleetwrightv1.AddressClaimSpec { return nil }

// Cluster is the wish for Cluster API's and CAPZ's objects.
func Cluster(in Input) (capi.Wish, error) { return capi.Wish{}, errors.ErrUnsupported }

// NodepoolName is <cluster>-<pool>.
func NodepoolName(cluster, pool string) string { return cluster + "-" + pool }

// Nodepool is one Nodepool, with the version that package upgrade gives it.
func Nodepool(in Input, pool fleetwrightv1.WorkloadClusterNodepool, version string) (fleetwrightv1.NodepoolSpec, error) {
	return fleetwrightv1.NodepoolSpec{}, errors.ErrUnsupported
}

// Config is the AzureClusterAdditionalConfig, nil when the cluster needs nothing of the kind.
func Config(in Input) *fleetwrightv1.AzureClusterAdditionalConfigSpec { return nil }
