package kube

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// SetFinalizer adds a finalizer to an object or removes it. Somebody else's write meanwhile is a conflict.
func SetFinalizer(ctx context.Context, writer client.Writer, object client.Object, finalizer string, present bool, owner client.FieldOwner) error {
	before := object.DeepCopyObject().(client.Object)
	edit, verb := controllerutil.AddFinalizer, "add"
	if !present {
		edit, verb = controllerutil.RemoveFinalizer, "remove"
	}
	if !edit(object, finalizer) {
		return nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := writer.Patch(ctx, object, patch, owner); err != nil {
		return fmt.Errorf("%s finalizer: %w", verb, err)
	}
	return nil
}
