// Package ownobject is what every controller does with the objects of its own kind: looks at them, and writes their finalizer,
// annotations and status.
package ownobject

import (
	"context"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// conflictPause is how long to wait after somebody else wrote first.
const conflictPause = time.Second

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
	if err := writer.Patch(ctx, object, unlessChanged(before), owner); err != nil {
		return fmt.Errorf("%s finalizer: %w", verb, err)
	}
	return nil
}

// Meet reads an object past the cache, and sets the finalizer of a new one. It is false for one that is gone, or that we have let go of.
func Meet(ctx context.Context, live client.Reader, writer client.Writer, object client.Object, finalizer string, owner client.FieldOwner) (bool, error) {
	if err := live.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	if controllerutil.ContainsFinalizer(object, finalizer) {
		return true, nil
	}
	if !object.GetDeletionTimestamp().IsZero() {
		return false, nil
	}
	return true, SetFinalizer(ctx, writer, object, finalizer, true, owner)
}

// Annotate sets annotations of an object; an empty value takes one off. Somebody else's write meanwhile is a conflict.
func Annotate(ctx context.Context, writer client.Writer, object client.Object, values map[string]string, owner client.FieldOwner) error {
	before := object.DeepCopyObject().(client.Object)
	annotations := map[string]string{}
	maps.Copy(annotations, before.GetAnnotations())
	for name, value := range values {
		if annotations[name] = value; value == "" {
			delete(annotations, name)
		}
	}
	object.SetAnnotations(annotations)
	if err := writer.Patch(ctx, object, unlessChanged(before), owner); err != nil {
		return fmt.Errorf("write annotations: %w", err)
	}
	return nil
}

func unlessChanged(before client.Object) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

// WriteStatus writes the status in which an object differs from what it was before; nothing when it does not.
func WriteStatus(ctx context.Context, writer client.StatusClient, before, after client.Object, owner client.FieldOwner) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	if err := writer.Status().Patch(ctx, after, client.MergeFrom(before), owner); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}

// Quietly ends a reconcile that could not write its object: it looks again soon when somebody else wrote first, and not at all when the
// object is gone.
func Quietly(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: conflictPause}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(err)
}
