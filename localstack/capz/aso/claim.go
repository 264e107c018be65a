package aso

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

// claim prepares an object once, before anything is asked of Azure: it belongs to its owner, and its id is written down. It
// follows ClaimResource in internal/reconcilers/common.go and AddInitialResourceState.
func (r *reconciler) claim(ctx context.Context, object, owner *unstructured.Unstructured, subscription string) error {
	ownerID, _, err := r.ownerID(ctx, object, subscription)
	if err != nil {
		return err
	}
	before := object.DeepCopy()
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	if owner != nil {
		gvk := owner.GroupVersionKind()
		ensureOwner(object, metav1.OwnerReference{APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind, Name: owner.GetName(), UID: owner.GetUID()})
		labels[ownerNameLabel] = short(owner.GetName())
		labels[ownerKindLabel] = short(gvk.GroupKind().String())
		labels[ownerUIDLabel] = string(owner.GetUID())
	}
	object.SetLabels(labels)
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[idAnnotation] = r.kind.ID(ownerID, azureName(object))
	object.SetAnnotations(annotations)
	controllerutil.AddFinalizer(object, finalizer)
	if err := r.client.Patch(ctx, object, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	return nil
}

func short(label string) string { return label[:min(len(label), longestLabel)] }

func ensureOwner(object client.Object, want metav1.OwnerReference) {
	for _, each := range object.GetOwnerReferences() {
		if each.UID == want.UID {
			return
		}
	}
	object.SetOwnerReferences(append(object.GetOwnerReferences(), want))
}

// unclaimedOwner returns the object that owns an object which is not claimed yet. It has to be ready. It is nil if the owner is
// known by its id alone, or if there is none.
func (r *reconciler) unclaimedOwner(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	name := r.ownerName(object)
	if name == "" || controllerutil.ContainsFinalizer(object, finalizer) {
		return nil, nil
	}
	waiting := warning(reasonWaitingForOwner, fmt.Errorf("Owner %q cannot be found. Progress is blocked until the owner is created.", //nolint:revive,staticcheck // the words are Azure Service Operator's
		fmt.Sprintf("%s, Group/Kind: %s/%s", name, r.kind.Owner.Group, r.kind.Owner.Kind)))
	owner := newObject(r.kind.Owner)
	err := r.client.Get(ctx, client.ObjectKey{Namespace: object.GetNamespace(), Name: name}, owner)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("failed to get owner: %w", err)
	}
	if err != nil {
		return nil, waiting
	}
	if condition, _ := readyOf(owner); condition.status != "True" {
		return nil, waiting
	}
	return owner, nil
}

func (r *reconciler) ownerName(object *unstructured.Unstructured) string {
	if r.kind.Owner == nil {
		return ""
	}
	name, _, _ := unstructured.NestedString(object.Object, "spec", "owner", "name")
	return name
}

// ownerID is the id of what an object is in, and the name of the object that stands for it, if there is one.
func (r *reconciler) ownerID(ctx context.Context, object *unstructured.Unstructured, subscription string) (id, name string, err error) {
	if r.kind.Owner == nil {
		return "/subscriptions/" + subscription, "", nil
	}
	if id, _, _ := unstructured.NestedString(object.Object, "spec", "owner", "armId"); id != "" {
		return id, "", nil
	}
	name = r.ownerName(object)
	id, err = r.resolve(ctx, object.GetNamespace(), asospec.Reference{Group: r.kind.Owner.Group, Kind: r.kind.Owner.Kind, Name: name})
	if err != nil {
		return "", "", warning(reasonReferenceNotFound, err)
	}
	return id, name, nil
}

// resolve returns the id of what a reference points to: an object in the same namespace that has been claimed.
func (r *reconciler) resolve(ctx context.Context, namespace string, reference asospec.Reference) (string, error) {
	if reference.ARMID != "" {
		return reference.ARMID, nil
	}
	key := client.ObjectKey{Namespace: namespace, Name: reference.Name}
	kind := asospec.Find(schema.GroupKind{Group: reference.Group, Kind: reference.Kind})
	if kind == nil {
		return "", fmt.Errorf("%s does not exist (the stand-in knows no %s in %s; refer to it by armId)", key, reference.Kind, reference.Group)
	}
	object := newObject(kind)
	if err := r.client.Get(ctx, key, object); err != nil {
		// Not with %w: whoever asks would take it for the object itself that is not found.
		return "", fmt.Errorf("%s does not exist (%s)", key, err.Error())
	}
	id := object.GetAnnotations()[idAnnotation]
	if id == "" {
		return "", fmt.Errorf("%s does not exist (it has no id in Azure yet)", key)
	}
	return id, nil
}
