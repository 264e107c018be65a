package asomanaged

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	clusterctlv1 "sigs.k8s.io/cluster-api/cmd/clusterctl/api/v1alpha3"
	"sigs.k8s.io/cluster-api/util/annotations"
	v1beta1patch "sigs.k8s.io/cluster-api/util/deprecated/v1beta1/patch"
)

// saver returns a function that writes what has changed of an object since now.
func saver(ctx context.Context, writer client.Client, object client.Object) (func() error, error) {
	helper, err := v1beta1patch.NewHelper(object, writer)
	if err != nil {
		return nil, fmt.Errorf("failed to create patch helper: %w", err)
	}
	return func() error { return client.IgnoreNotFound(helper.Patch(ctx, object)) }, nil
}

// prepare adds what an object needs before anything is made for it, and says whether it was missing.
func prepare(object client.Object, finalizer string) bool {
	added := controllerutil.AddFinalizer(object, finalizer)
	if _, found := object.GetAnnotations()[clusterctlv1.BlockMoveAnnotation]; found {
		return added
	}
	marks := object.GetAnnotations()
	if marks == nil {
		marks = map[string]string{}
	}
	marks[clusterctlv1.BlockMoveAnnotation] = "true"
	object.SetAnnotations(marks)
	return true
}

// rest leaves alone what an object's spec holds while the object is paused, and lets clusterctl move it.
func (a *applier) rest(ctx context.Context, owner owner, resources []runtime.RawExtension) error {
	objects, err := mutated(resources)
	if err != nil {
		return err
	}
	if err := a.pause(ctx, owner, objects); err != nil {
		return err
	}
	marks := owner.GetAnnotations()
	delete(marks, clusterctlv1.BlockMoveAnnotation)
	owner.SetAnnotations(marks)
	return nil
}

func isPaused(cluster *clusterv1.Cluster, object client.Object) bool {
	return cluster != nil && ptr.Deref(cluster.Spec.Paused, false) || annotations.HasPaused(object)
}

func refersToKind(reference clusterv1.ContractVersionedObjectReference, kind string) bool {
	return reference.APIGroup == infrav1.GroupVersion.Group && reference.Kind == kind
}

func allReady(statuses []infrav1.ResourceStatus) bool {
	return !slices.ContainsFunc(statuses, func(each infrav1.ResourceStatus) bool { return !each.Ready })
}
