package capi

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// UpdatePool writes the in-place fields of a pool, under an optimistic lock. A
// pool that is given bounds or a number is wanted again: what was carried for
// its successor is dropped, unless carried says what to keep for later.
// It may have to be called more than once: a pool that nobody scales gets its
// autoscaler only when it has as many nodes as the autoscaler has to keep.
// Each object carries the mark of its change in the same write: a change that
// is refused must not look like an operation and hold the cluster's slot.
func UpdatePool(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, object, baseName string, spec agentpool.Spec, carried *agentpool.Scaling, now time.Time) error {
	o, err := readObjects(ctx, reader, types.NamespacedName{Namespace: cluster.Namespace, Name: object})
	if err != nil {
		return err
	}
	pool := o.View(now)
	// The bounds are what tells that a change is needed. While there is no pool, its
	// number comes first: cut off in between, it would stay outside of the bounds
	// for good.
	numberFirst := !pool.Made()
	if growsFirst(spec, pool) {
		carried = cmp.Or(carried, spec.Scaling)
		spec.Replicas, spec.Scaling = ptr.To(max(ptr.Deref(pool.Replicas, 0), spec.Scaling.Min)), nil
	}
	replicas := wantedReplicas(spec, o.MachinePool.Spec.Replicas, pool.Made())
	writes := []func() error{
		func() error { return updateInfra(ctx, c, o, baseName, spec, carried, now) },
		func() error { return updateReplicas(ctx, c, o.MachinePool, replicas, now) },
	}
	if numberFirst {
		slices.Reverse(writes)
	}
	for _, write := range writes {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// growsFirst is true for a pool that is to be scaled and has fewer nodes than
// the autoscaler has to keep: Azure may refuse an autoscaler for a pool that is
// outside of its bounds.
func growsFirst(spec agentpool.Spec, pool Pool) bool {
	return spec.Scaling != nil && pool.Spec.Scaling == nil && pool.Made() && len(pool.ProviderIDs) < int(spec.Scaling.Min)
}

func updateInfra(ctx context.Context, c client.Client, o Objects, baseName string, spec agentpool.Spec, carried *agentpool.Scaling, now time.Time) error {
	before := o.Infra.DeepCopy()
	o.SetInPlace(spec, carried, baseName)
	return patchChange(ctx, c, before, o.Infra, now)
}

func updateReplicas(ctx context.Context, c client.Client, mp *clusterv1.MachinePool, replicas *int32, now time.Time) error {
	if replicas == nil {
		return nil
	}
	before := mp.DeepCopy()
	mp.Spec.Replicas = replicas
	return patchChange(ctx, c, before, mp, now)
}

// patchChange writes what Azure has to be told, with the mark of the change, and
// nothing when nothing is different.
func patchChange(ctx context.Context, c client.Client, before, after client.Object, now time.Time) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	annotate(after, fleetwrightv1.AnnotationUpdateStarted, now)
	return patch(ctx, c, "update", before, after)
}

// patch writes a difference under an optimistic lock, and nothing when there is
// none.
func patch(ctx context.Context, c client.Client, verb string, before, after client.Object) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	lock := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := c.Patch(ctx, after, lock, client.FieldOwner(FieldOwner)); err != nil {
		return fmt.Errorf("%s %s %s: %w", verb, cmp.Or(kindOf(after), "MachinePool"), client.ObjectKeyFromObject(after), err)
	}
	return nil
}

func dropAnnotation(o client.Object, key string) {
	annotations := o.GetAnnotations()
	delete(annotations, key)
	o.SetAnnotations(annotations)
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

// DeletePool deletes the MachinePool, which takes the infrastructure object and
// the AKS pool with it; a pool without MachinePool loses what is left. The UIDs
// are preconditions: an object made again under the name stays.
func DeletePool(ctx context.Context, c client.Client, key types.NamespacedName, uid, infraUID types.UID) error {
	if uid != "" {
		return deleteOne(ctx, c, &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}, "MachinePool", uid)
	}
	if infraUID == "" {
		return fmt.Errorf("delete pool %s: it was not read, so it is not deleted", key)
	}
	// The UID finds out of which flavour it is.
	for _, f := range flavors {
		infra := empty(f.Kinds().Pool)
		infra.SetNamespace(key.Namespace)
		infra.SetName(key.Name)
		if err := deleteOne(ctx, c, infra, infra.GetKind(), infraUID); err != nil && !apierrors.IsConflict(err) {
			return err
		}
	}
	return nil
}

func deleteOne(ctx context.Context, c client.Client, o client.Object, kind string, uid types.UID) error {
	err := c.Delete(ctx, o, client.Preconditions{UID: &uid})
	if err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
		return fmt.Errorf("delete %s %s: %w", kind, client.ObjectKeyFromObject(o), err)
	}
	return nil
}

func annotate(o client.Object, key string, t time.Time) {
	annotateText(o, key, t.UTC().Format(time.RFC3339))
}

func annotateText(o client.Object, key, value string) {
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	o.SetAnnotations(annotations)
}
