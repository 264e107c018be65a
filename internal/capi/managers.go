package capi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// fieldManager is who the API server says owns fields of an object.
type fieldManager struct {
	name string
	// applies is true for one that uses server-side apply, and so writes its fields
	// again whenever they differ.
	applies bool
	fields  map[string]any
}

// owns is true when the field, or the whole of a field above it, is the
// manager's; nil is nobody.
func (m *fieldManager) owns(path ...string) bool {
	if m == nil || slices.Contains(path, "") {
		return false
	}
	at := m.fields
	for _, name := range path {
		below, found := at["f:"+name].(map[string]any)
		if !found {
			return false
		}
		if len(below) == 0 {
			return true // a field that is one to the API server, or the last of the path
		}
		at = below
	}
	// An object whose fields have owners of their own is told by a dot.
	_, itself := at["."]
	return itself
}

// managersOf are all that own fields outside of status, those that apply first.
func managersOf(o *unstructured.Unstructured) []fieldManager {
	var out []fieldManager
	for _, entry := range o.GetManagedFields() {
		if entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		m := fieldManager{name: entry.Manager, applies: entry.Operation == metav1.ManagedFieldsOperationApply}
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &m.fields) == nil {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b fieldManager) int {
		return cmp.Compare(rankOf(a), rankOf(b))
	})
	return out
}

func rankOf(m fieldManager) int {
	if m.applies {
		return 0
	}
	return 1
}

func otherManagers(o *unstructured.Unstructured, us string) []fieldManager {
	return slices.DeleteFunc(managersOf(o), func(m fieldManager) bool { return m.name == us })
}

// managerOf is what one applies, nil for nothing.
func managerOf(o *unstructured.Unstructured, name string) *fieldManager {
	for _, m := range managersOf(o) {
		if m.name == name && m.applies {
			return &m
		}
	}
	return nil
}

// patchProfile writes a difference under an optimistic lock, and nothing when
// there is none.
func patchProfile(ctx context.Context, c client.Client, before, after *unstructured.Unstructured) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	lock := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := c.Patch(ctx, after, lock, client.FieldOwner(AutoscalerFieldOwner)); err != nil {
		return fmt.Errorf("write the autoscaler profile into %s %s: %w", after.GetKind(), client.ObjectKeyFromObject(after), err)
	}
	return nil
}

// releaseProfile takes our mark and our name off and leaves every value.
func releaseProfile(ctx context.Context, c client.Client, plane *unstructured.Unstructured) error {
	before := plane.DeepCopy()
	dropAnnotation(plane, fleetwrightv1.AnnotationAutoscalerSettings)
	plane.SetManagedFields(slices.DeleteFunc(plane.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == AutoscalerFieldOwner
	}))
	return patchProfile(ctx, c, before, plane)
}
