package addressclaim

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// fieldOwner is who writes what was chosen, allocations, finalizers and status.
const fieldOwner = client.FieldOwner("fleetwright-addresses")

// act does the one thing of the plan. Each can be repeated. It leaves the line as soon as the pool is written: the next one reads there what was
// chosen, and need not wait for its allocations.
func (r *Reconciler) act(ctx context.Context, a *fleetwrightv1.AddressClaim, o *observation, leave func()) error {
	defer leave()
	if o.plan.action != nothing {
		logf.FromContext(ctx).Info("Acting", "action", o.plan.action, "reason", o.plan.reason, "message", o.plan.message)
	}
	switch o.plan.action {
	case take:
		return r.take(ctx, a, o, leave)
	case tidy:
		return r.writeDown(ctx, o)
	case settle:
		if err := r.create(ctx, a, o); err != nil {
			return err
		}
		return r.writeDown(ctx, o)
	case giveBack:
		return r.giveBack(ctx, o)
	case letGo:
		return ownobject.SetFinalizer(ctx, r.Client, a, fleetwrightv1.FinalizerAddressClaim, false, fieldOwner)
	case nothing:
	}
	return nil
}

// take writes down on the pools what was chosen, and then makes it allocations. Before both, the claim gets its finalizer: whatever is taken
// has to be given back.
func (r *Reconciler) take(ctx context.Context, a *fleetwrightv1.AddressClaim, o *observation, leave func()) error {
	if err := ownobject.SetFinalizer(ctx, r.Client, a, fleetwrightv1.FinalizerAddressClaim, true, fieldOwner); err != nil {
		return err
	}
	if err := r.writeDown(ctx, o); err != nil {
		return err
	}
	leave()
	return r.create(ctx, a, o)
}

// writeDown swaps in what the plan has chosen, with the resourceVersions at which the pools were read. It is a conflict when anybody has chosen
// meanwhile. This is what keeps ranges apart: the choice itself goes with the one write that only one of two can do.
func (r *Reconciler) writeDown(ctx context.Context, o *observation) error {
	for _, s := range o.plan.steps {
		object := o.objects[s.pool]
		if !s.write || object == nil {
			continue
		}
		if err := r.writeTo(ctx, object, s.choices); err != nil {
			return err
		}
	}
	return nil
}

// writeTo writes down on a pool what was chosen, and is a conflict unless the pool is as it was read.
func (r *Reconciler) writeTo(ctx context.Context, object *fleetwrightv1.AddressPool, choices map[string]choice) error {
	text, err := writeChoices(choices)
	if err != nil {
		return err
	}
	before := object.DeepCopy()
	object.Annotations = maps.Clone(object.Annotations)
	if text == "" {
		delete(object.Annotations, fleetwrightv1.AnnotationAllocating)
	} else {
		if object.Annotations == nil {
			object.Annotations = map[string]string{}
		}
		object.Annotations[fleetwrightv1.AnnotationAllocating] = text
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, object, patch, fieldOwner); err != nil {
		return fmt.Errorf("write down on AddressPool %s what was chosen: %w", client.ObjectKeyFromObject(object), err)
	}
	return nil
}

// create makes the allocations that are missing: first the claim's own, and then those that others have left unfinished, whose failure is
// nothing to the claim.
func (r *Reconciler) create(ctx context.Context, a *fleetwrightv1.AddressClaim, o *observation) error {
	claim := client.ObjectKeyFromObject(a)
	for _, mine := range []bool{true, false} {
		for _, s := range o.plan.steps {
			for _, name := range slices.Sorted(maps.Keys(s.create)) {
				if isOf(s.create[name].Spec, claim) != mine {
					continue
				}
				switch err := r.createOne(ctx, a, client.ObjectKey{Namespace: s.pool.Namespace, Name: name}, s.create[name]); {
				case err != nil && mine:
					return err
				case err != nil:
					logf.FromContext(ctx).Error(err, "An AddressAllocation that another AddressClaim has left unfinished cannot be made; that is tried again")
				}
			}
		}
	}
	return nil
}

func (r *Reconciler) createOne(ctx context.Context, a *fleetwrightv1.AddressClaim, key client.ObjectKey, c choice) error {
	wanted := &fleetwrightv1.AddressAllocation{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}, Spec: c.Spec}
	controllerutil.AddFinalizer(wanted, fleetwrightv1.FinalizerAddressClaim)
	if isOf(c.Spec, client.ObjectKeyFromObject(a)) {
		wanted.Labels = map[string]string{fleetwrightv1.LabelCluster: a.Spec.ClusterName}
	}
	err := r.Client.Create(ctx, wanted, fieldOwner)
	switch {
	case apierrors.IsAlreadyExists(err):
		var there fleetwrightv1.AddressAllocation
		if err := r.Live.Get(ctx, key, &there); err != nil {
			return fmt.Errorf("read AddressAllocation %s: %w", key, err)
		}
		if !same(there.Spec, c.Spec) {
			// The next look finds it, and chooses another range.
			return fmt.Errorf("AddressAllocation %s was made for something else meanwhile", key)
		}
		return nil
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) && !a.DeletionTimestamp.IsZero():
		return nil // nobody can make it any more
	case err != nil:
		return fmt.Errorf("make AddressAllocation %s: %w", key, err)
	}
	return nil
}

// giveBack notes on each allocation since when its range rests, and lets go of it.
func (r *Reconciler) giveBack(ctx context.Context, o *observation) error {
	for _, k := range o.world.kept {
		key := client.ObjectKey{Namespace: k.namespace, Name: k.name}
		var a fleetwrightv1.AddressAllocation
		if err := r.Live.Get(ctx, key, &a); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return fmt.Errorf("read AddressAllocation %s: %w", key, err)
		}
		if !isOf(a.Spec, o.world.claim) {
			continue
		}
		before := a.DeepCopy()
		if a.Spec.ReleasedTime.IsZero() {
			a.Spec.ReleasedTime = metav1.NewTime(r.Clock.Now())
		}
		controllerutil.RemoveFinalizer(&a, fleetwrightv1.FinalizerAddressClaim)
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		if err := client.IgnoreNotFound(r.Client.Patch(ctx, &a, patch, fieldOwner)); err != nil {
			return fmt.Errorf("give back AddressAllocation %s: %w", key, err)
		}
	}
	return nil
}
