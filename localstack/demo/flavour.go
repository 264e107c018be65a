package demo

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/examples/quickstart"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// Flavour says which of CAPZ's kinds hold the cluster: one field of the one resource.
type Flavour string

const (
	// ASO is AzureASOManagedCluster and its kin.
	ASO Flavour = "aso"
	// Managed is AzureManagedCluster and its kin.
	Managed Flavour = "managed"
)

// Flavours are all there are, the default first.
func Flavours() []Flavour { return []Flavour{ASO, Managed} }

// field is the value of spec.flavor.
func (f Flavour) field() fleetwrightv1.WorkloadClusterFlavor {
	if f == ASO {
		return fleetwrightv1.WorkloadClusterFlavorASO
	}
	return fleetwrightv1.WorkloadClusterFlavorManaged
}

// example is the one resource of examples/quickstart in this flavour.
func (f Flavour) example() (*unstructured.Unstructured, error) {
	objects, err := stack.ReadManifests(quickstart.Manifests, ".")
	if err != nil {
		return nil, err
	}
	if len(objects) != 1 {
		return nil, fmt.Errorf("the example has %d resources beside its folders, want one", len(objects))
	}
	if err := unstructured.SetNestedField(objects[0].Object, string(f.field()), "spec", "flavor"); err != nil {
		return nil, errors.Join(errors.New("set the flavour of the example"), err)
	}
	return objects[0], nil
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
