package crds

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
)

// awaitDiscovered waits until discovery lists every served version of the definitions. An API server serves a definition
// a moment before it lists it, and controllers that start in between find no such kind.
func awaitDiscovered(ctx context.Context, config *rest.Config, definitions []*unstructured.Unstructured) error {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("connect to discover definitions: %w", err)
	}
	for _, definition := range definitions {
		group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
		plural, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "plural")
		for _, version := range servedVersions(definition) {
			groupVersion := group + "/" + version
			err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, establishTimeout, true, func(context.Context) (bool, error) {
				// Not listed yet is an error of discovery, too.
				list, err := client.ServerResourcesForGroupVersion(groupVersion)
				return err == nil && slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == plural }), nil
			})
			if err != nil {
				return fmt.Errorf("wait until %s %s is listed: %w", groupVersion, plural, err)
			}
		}
	}
	return nil
}

func servedVersions(definition *unstructured.Unstructured) []string {
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	var served []string
	for _, each := range versions {
		version, _ := each.(map[string]any)
		if name, _ := version["name"].(string); version["served"] == true {
			served = append(served, name)
		}
	}
	return served
}
