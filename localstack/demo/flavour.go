package demo

import (
	"context"
	"fmt"
	"io/fs"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"

	clusterandnodepools "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools"
	clusterandnodepoolsaso "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools-aso"
)

// Flavour says with which of CAPZ's kinds the example describes its cluster. The Nodepools are the same.
type Flavour string

const (
	// Managed is AzureManagedCluster and its kin, from examples/cluster-and-nodepools.
	Managed Flavour = "managed"
	// ASO is AzureASOManagedCluster and its kin, from examples/cluster-and-nodepools-aso.
	ASO Flavour = "aso"
)

// Flavours are all there are, the default first.
func Flavours() []Flavour { return []Flavour{Managed, ASO} }

// example has the objects of the management cluster.
func (f Flavour) example() fs.FS {
	if f == ASO {
		return clusterandnodepoolsaso.Manifests
	}
	return clusterandnodepools.Manifests
}

func (f Flavour) controlPlaneKind() string {
	if f == ASO {
		return infrav1.AzureASOManagedControlPlaneKind
	}
	return infrav1.AzureManagedControlPlaneKind
}

// controlPlaneLacks says what keeps the control plane from running a version; nothing if it does.
func (f Flavour) controlPlaneLacks(ctx context.Context, reader client.Reader, version string) (Progress, error) {
	key := client.ObjectKey{Namespace: namespace, Name: clusterName}
	if f == ASO {
		plane := &infrav1.AzureASOManagedControlPlane{}
		if err := reader.Get(ctx, key, plane); err != nil {
			return Progress{}, err
		}
		return lacks(plane.Status.Ready, plane.Status.Version, version), nil
	}
	plane := &infrav1.AzureManagedControlPlane{}
	if err := reader.Get(ctx, key, plane); err != nil {
		return Progress{}, err
	}
	missing := lacks(plane.Status.Ready, plane.Status.Version, version)
	for _, condition := range plane.Status.Conditions {
		if missing != (Progress{}) && condition.Type == infrav1.ManagedClusterRunningCondition && condition.Message != "" {
			return Progress{Reason: condition.Reason, Text: oneLine(condition.Message)}, nil
		}
	}
	return missing, nil
}

func lacks(ready bool, version, wanted string) Progress {
	if ready && version == wanted {
		return Progress{}
	}
	return Progress{Text: fmt.Sprintf("runs %s, wanted is %s", version, wanted)}
}

// machineType is that of a pool, "" while it is unknown.
func (f Flavour) machineType(ctx context.Context, reader client.Reader, pool string) string {
	key := client.ObjectKey{Namespace: namespace, Name: pool}
	if f != ASO {
		infra := &infrav1.AzureManagedMachinePool{}
		if err := reader.Get(ctx, key, infra); err != nil {
			return ""
		}
		return infra.Spec.SKU
	}
	infra := &infrav1.AzureASOManagedMachinePool{}
	if err := reader.Get(ctx, key, infra); err != nil {
		return ""
	}
	for _, each := range infra.Spec.Resources {
		resource := &unstructured.Unstructured{}
		if resource.UnmarshalJSON(each.Raw) == nil {
			if size, _, _ := unstructured.NestedString(resource.Object, "spec", "vmSize"); size != "" {
				return size
			}
		}
	}
	return ""
}
