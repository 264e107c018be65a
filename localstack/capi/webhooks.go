package capi

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"

	"sigs.k8s.io/cluster-api/controllers/clustercache"
	"sigs.k8s.io/cluster-api/core/webhooks/admission"
	"sigs.k8s.io/cluster-api/core/webhooks/conversion"

	"github.com/fleetwright/fleetwright/localstack/crds"
)

// addWebhooks serves Cluster API's admission and conversion webhooks for the kinds that are installed.
func addWebhooks(manager ctrl.Manager, clusters clustercache.ClusterCache) error {
	setAPIVersionGetter()
	for kind, add := range map[string]func(ctrl.Manager) error{
		"Cluster":                   (&admission.Cluster{Client: manager.GetClient(), ClusterCacheReader: clusters}).SetupWebhookWithManager,
		"Machine":                   (&admission.Machine{}).SetupWebhookWithManager,
		"MachineSet":                (&admission.MachineSet{}).SetupWebhookWithManager,
		"MachineDeployment":         (&admission.MachineDeployment{}).SetupWebhookWithManager,
		"MachineDrainRule":          (&admission.MachineDrainRule{}).SetupWebhookWithManager,
		"MachinePool":               (&admission.MachinePool{}).SetupWebhookWithManager,
		"MachineHealthCheck":        (&admission.MachineHealthCheck{}).SetupWebhookWithManager,
		"ClusterResourceSet":        (&admission.ClusterResourceSet{}).SetupWebhookWithManager,
		"ClusterResourceSetBinding": (&admission.ClusterResourceSetBinding{}).SetupWebhookWithManager,
	} {
		if err := add(manager); err != nil {
			return fmt.Errorf("add Cluster API's %s webhook: %w", kind, err)
		}
	}
	return nil
}

// setAPIVersionGetter tells conversion which apiVersion a reference without one means, as clients of v1beta1 want to
// read. Cluster API keeps the function in a package variable and asks the API server; several providers in one process
// would overwrite each other's, so the answer comes from the definitions themselves, and once.
var setAPIVersionGetter = sync.OnceFunc(func() {
	conversion.SetAPIVersionGetter(func(_ context.Context, kind schema.GroupKind) (string, error) {
		return storedAPIVersion(kind)
	})
})

// storedAPIVersion returns the apiVersion in which objects of an installed kind are stored.
func storedAPIVersion(kind schema.GroupKind) (string, error) {
	for _, provider := range []crds.Provider{crds.Azure, crds.ClusterAPI} {
		definitions, err := crds.Definitions(provider)
		if err != nil {
			return "", err
		}
		for _, definition := range definitions {
			group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
			name, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "kind")
			if group != kind.Group || name != kind.Kind {
				continue
			}
			versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
			for _, each := range versions {
				if version, ok := each.(map[string]any); ok && version["storage"] == true {
					return fmt.Sprintf("%s/%s", group, version["name"]), nil
				}
			}
		}
	}
	return "", fmt.Errorf("no definition of %s is installed", kind)
}
