package ownobject

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// FromCache hands a reconciler the object as the cache has it. Of one that is gone it only forgets what is remembered.
func FromCache[T any, O interface {
	*T
	client.Object
}](cache client.Reader, reconciler reconcile.ObjectReconciler[O], forget func(types.NamespacedName)) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		object := O(new(T))
		if err := cache.Get(ctx, request.NamespacedName, object); apierrors.IsNotFound(err) {
			forget(request.NamespacedName)
			return reconcile.Result{}, nil
		} else if err != nil {
			return reconcile.Result{}, err
		}
		return reconciler.Reconcile(ctx, object)
	})
}

// Requests asks for a look at all objects of a list's kind that the options select. The list is only read from. A failure is logged:
// watches have nobody to return it to.
func Requests(ctx context.Context, cache client.Reader, kind client.ObjectList, options ...client.ListOption) (all []reconcile.Request) {
	list := kind.DeepCopyObject().(client.ObjectList)
	err := cache.List(ctx, list, options...)
	if err == nil {
		err = meta.EachListItem(list, func(item runtime.Object) error {
			all = append(all, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
			return nil
		})
	}
	if err != nil {
		logf.FromContext(ctx).Error(err, "Failed to list who is to be looked at", "kind", fmt.Sprintf("%T", kind))
	}
	return all
}
