package capi

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// UpdatePool writes the in-place fields of a pool, under an optimistic lock.
// Each object carries the mark of its change in the same write: a change that
// is refused must not look like an operation and hold the cluster's slot.
func UpdatePool(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, object, baseName string, spec agentpool.Spec, now time.Time) error {
	key := types.NamespacedName{Namespace: cluster.Namespace, Name: object}
	infra := MachinePoolObject()
	if err := reader.Get(ctx, key, infra); err != nil {
		return fmt.Errorf("read AzureManagedMachinePool %s: %w", key, err)
	}
	var mp clusterv1.MachinePool
	if err := reader.Get(ctx, key, &mp); err != nil {
		return fmt.Errorf("read MachinePool %s: %w", key, err)
	}
	made := viewPool(&mp, infra, now).Made()
	writes := []func() error{
		func() error { return updateInfra(ctx, c, infra, baseName, spec, now) },
		func() error { return updateReplicas(ctx, c, &mp, wantedReplicas(spec, mp.Spec.Replicas, made), now) },
	}
	if !made {
		// The bounds are what tells that a change is needed, so they come last: cut
		// off in between, the number would stay outside of them for good.
		slices.Reverse(writes)
	}
	for _, write := range writes {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

func updateInfra(ctx context.Context, c client.Client, infra *unstructured.Unstructured, baseName string, spec agentpool.Spec, now time.Time) error {
	old := infra.DeepCopy()
	setInPlace(infra, spec, owned{
		baseName: baseName, fingerprint: infra.GetAnnotations()[fleetwrightv1.AnnotationFingerprint],
		owner: infra.GetNamespace() + "/" + infra.GetLabels()[fleetwrightv1.LabelNodepool],
	})
	if equality.Semantic.DeepEqual(old.Object, infra.Object) {
		return nil
	}
	annotate(infra, fleetwrightv1.AnnotationUpdateStarted, now)
	if err := c.Patch(ctx, infra, optimistic(old), client.FieldOwner(FieldOwner)); err != nil {
		return fmt.Errorf("update AzureManagedMachinePool %s: %w", client.ObjectKeyFromObject(infra), err)
	}
	return nil
}

func updateReplicas(ctx context.Context, c client.Client, mp *clusterv1.MachinePool, replicas *int32, now time.Time) error {
	if replicas == nil || ptr.Deref(mp.Spec.Replicas, -1) == *replicas {
		return nil
	}
	before := mp.DeepCopy()
	annotate(mp, fleetwrightv1.AnnotationUpdateStarted, now)
	mp.Spec.Replicas = replicas
	if err := c.Patch(ctx, mp, optimistic(before), client.FieldOwner(FieldOwner)); err != nil {
		return fmt.Errorf("update MachinePool %s: %w", client.ObjectKeyFromObject(mp), err)
	}
	return nil
}

// wantedReplicas is the number to write to the MachinePool, nil for none: the
// autoscaler's is left alone, except for a pool that is still to be made. CAPZ
// asks for that with the MachinePool's number, which Azure refuses outside the
// bounds.
func wantedReplicas(spec agentpool.Spec, today *int32, made bool) *int32 {
	if s := spec.Scaling; s != nil && !made {
		return ptr.To(min(max(ptr.Deref(today, s.Min), s.Min), s.Max))
	}
	return spec.Replicas
}

// MarkDraining writes down on the pool's MachinePool when its drain began, or
// takes that back when started is zero.
func MarkDraining(ctx context.Context, c client.Client, reader client.Reader, key types.NamespacedName, started time.Time) error {
	var mp clusterv1.MachinePool
	if err := reader.Get(ctx, key, &mp); err != nil {
		if apierrors.IsNotFound(err) && started.IsZero() {
			return nil
		}
		return fmt.Errorf("read MachinePool %s: %w", key, err)
	}
	before := mp.DeepCopy()
	if started.IsZero() {
		delete(mp.Annotations, fleetwrightv1.AnnotationDrainStarted)
	} else {
		annotate(&mp, fleetwrightv1.AnnotationDrainStarted, started)
	}
	if err := c.Patch(ctx, &mp, optimistic(before), client.FieldOwner(FieldOwner)); err != nil {
		return fmt.Errorf("mark MachinePool %s: %w", key, err)
	}
	return nil
}

// DeletePool deletes the MachinePool, which takes the infrastructure object and
// the AKS pool with it; a pool without MachinePool loses what is left. The UIDs
// are preconditions: an object made again under the name stays.
func DeletePool(ctx context.Context, c client.Client, key types.NamespacedName, uid, infraUID types.UID) error {
	var target client.Object = &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	kind := "MachinePool"
	if uid == "" {
		infra := MachinePoolObject()
		infra.SetNamespace(key.Namespace)
		infra.SetName(key.Name)
		target, uid, kind = infra, infraUID, azureManagedMachinePool.Kind
	}
	if uid == "" {
		return fmt.Errorf("delete pool %s: it was not read, so it is not deleted", key)
	}
	err := c.Delete(ctx, target, client.Preconditions{UID: &uid})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s %s: %w", kind, key, err)
	}
	return nil
}

func optimistic(before client.Object) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

func annotate(o client.Object, key string, t time.Time) {
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = t.UTC().Format(time.RFC3339)
	o.SetAnnotations(annotations)
}
