package capi

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
)

var _ profileFlavor = AzureASOManaged{}

const asoProfileField = "autoScalerProfile"

func (f AzureASOManaged) azureOf(plane *unstructured.Unstructured) *unstructured.Unstructured {
	return f.Related(plane)
}

func (AzureASOManaged) declared(plane *unstructured.Unstructured) (all autoscalerprofile.Values, ours []string) {
	all = autoscalerprofile.Values{}
	if resource := resourceIn(plane, asoManagedCluster.Kind); resource != nil {
		all = autoscalerprofile.FromTree(treeAt(resource, "spec", asoProfileField))
	}
	return all, stillOurs(plane, all)
}

func (AzureASOManaged) separate() []string { return nil }

// holders: spec.resources is one field to the API server, and all in it is its
// owner's. Who is the last to have written the list is not always known.
func (AzureASOManaged) holders(plane *unstructured.Unstructured) []holder {
	const where = "spec.resources"
	var out []holder
	for _, m := range otherManagers(plane, AutoscalerFieldOwner) {
		if m.owns("spec", "resources") {
			out = append(out, holder{manager: m.name, where: where, list: true, again: m.applies})
		}
	}
	return append(out, holder{manager: somebody, where: where, list: true})
}

func (AzureASOManaged) write(ctx context.Context, c client.Client, plane *unstructured.Unstructured, wanted autoscalerprofile.Values) error {
	before := plane.DeepCopy()
	resource := resourceIn(plane, asoManagedCluster.Kind)
	if resource == nil {
		return fmt.Errorf("write the autoscaler profile of %s %s: %w", plane.GetKind(), plane.GetName(), errNoManagedCluster)
	}
	spec := specOf(resource)
	profile, _ := spec[asoProfileField].(map[string]any)
	if profile == nil {
		profile = map[string]any{}
	}
	declared := autoscalerprofile.FromTree(profile)
	ours := stillOurs(plane, declared)
	marks := autoscalerprofile.Values{}
	for _, key := range ours {
		if _, still := wanted[key]; !still {
			delete(profile, key)
		}
	}
	for key, value := range wanted {
		now, present := declared[key]
		switch {
		case !present || !autoscalerprofile.Same(key, value, now):
			field, _ := autoscalerprofile.FieldOf(key)
			profile[key], marks[key] = field.JSON(value), value
		case slices.Contains(ours, key):
			marks[key] = now
		}
	}
	if spec[asoProfileField] = profile; len(profile) == 0 {
		delete(spec, asoProfileField)
	}
	markSettings(plane, marks)
	return patchProfile(ctx, c, before, plane)
}

func (AzureASOManaged) release(ctx context.Context, c client.Client, plane *unstructured.Unstructured) error {
	return releaseProfile(ctx, c, plane)
}
