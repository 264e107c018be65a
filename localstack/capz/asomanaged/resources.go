package asomanaged

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
)

// fieldOwner is the name under which CAPZ applies.
const fieldOwner = client.FieldOwner("capz-manager")

// ownedKinds is the annotation in which an object remembers which kinds it has made, so that it finds what its spec no
// longer holds.
const ownedKinds = "sigs.k8s.io/cluster-api-provider-azure-owned-aso-kinds"

// owner is an object whose spec holds resources.
type owner interface {
	client.Object
	SetResourceStatuses(statuses []infrav1.ResourceStatus)
}

// watcher lets a controller react to objects of another kind, external.ObjectTracker outside tests.
type watcher interface {
	Watch(log logr.Logger, object client.Object, handler handler.EventHandler, predicates ...predicate.Predicate) error
}

// applier brings the resources that an object's spec holds to the API server and reports how they are, after
// controllers/resource_reconciler.go.
type applier struct {
	client  client.Client
	watcher watcher
	log     logr.Logger
}

// reconcile applies resources, deletes what belongs to the object and is no longer among them, and writes both into the
// object's status and annotation. A kind that the annotation does not name yet is only written down: it is made in
// the next round, so that nothing is ever made that is not remembered.
func (a *applier) reconcile(ctx context.Context, owner owner, resources []*unstructured.Unstructured) error {
	kinds, err := parseKinds(owner.GetAnnotations()[ownedKinds])
	if err != nil {
		return err
	}
	made, err := a.made(ctx, owner, kinds)
	if err != nil {
		return fmt.Errorf("failed to get owned objects: %w", err)
	}
	var unknown, statuses []infrav1.ResourceStatus
	for _, each := range resources {
		if !slices.Contains(kinds, each.GroupVersionKind()) {
			unknown = append(unknown, status(each.GroupVersionKind(), each.GetName(), false))
			continue
		}
		ready, err := a.apply(ctx, owner, each)
		if err != nil {
			return err
		}
		statuses = append(statuses, status(each.GroupVersionKind(), each.GetName(), ready))
	}
	for i := range made {
		if slices.ContainsFunc(resources, refersTo(&made[i])) {
			continue
		}
		gone, err := a.remove(ctx, &made[i])
		if err != nil {
			return fmt.Errorf("failed to delete %s %s/%s: %w", made[i].GroupVersionKind(), made[i].Namespace, made[i].Name, err)
		}
		if !gone {
			statuses = append(statuses, status(made[i].GroupVersionKind(), made[i].Name, false))
		}
	}
	remember(owner, append(unknown, statuses...))
	return nil
}

// apply applies one resource and says whether it is ready.
func (a *applier) apply(ctx context.Context, owner owner, object *unstructured.Unstructured) (bool, error) {
	object.SetNamespace(owner.GetNamespace())
	if err := controllerutil.SetControllerReference(owner, object, a.client.Scheme()); err != nil {
		return false, fmt.Errorf("failed to set owner reference: %w", err)
	}
	watched := meta.AsPartialObjectMetadata(object)
	watched.APIVersion, watched.Kind = object.GetAPIVersion(), object.GetKind()
	if err := a.watcher.Watch(a.log, watched, handler.EnqueueRequestForOwner(a.client.Scheme(), a.client.RESTMapper(), owner)); err != nil {
		return false, fmt.Errorf("failed to watch resource: %w", err)
	}
	if err := a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), fieldOwner, client.ForceOwnership); err != nil {
		return false, fmt.Errorf("failed to apply resource: %w", err)
	}
	return isReady(object), nil
}

// pause makes Azure Service Operator leave the resources alone that exist.
func (a *applier) pause(ctx context.Context, owner owner, resources []*unstructured.Unstructured) error {
	if err := paused(resources); err != nil {
		return fmt.Errorf("failed to pause resources: %w", err)
	}
	for _, each := range resources {
		each.SetNamespace(owner.GetNamespace())
		err := a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(each), fieldOwner)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("failed to pause resources: failed to patch resource: %w", err)
		}
	}
	return nil
}

// made returns what exists of the kinds and belongs to the object.
func (a *applier) made(ctx context.Context, owner owner, kinds []schema.GroupVersionKind) ([]metav1.PartialObjectMetadata, error) {
	var found []metav1.PartialObjectMetadata
	for _, kind := range kinds {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(kind)
		if err := a.client.List(ctx, list, client.InNamespace(owner.GetNamespace())); err != nil {
			return nil, fmt.Errorf("failed to list %s: %w", kind, err)
		}
		for _, each := range list.Items {
			if controller := metav1.GetControllerOfNoCopy(&each); controller != nil && controller.UID == owner.GetUID() {
				each.SetGroupVersionKind(kind)
				found = append(found, each)
			}
		}
	}
	return found, nil
}

// remove deletes a resource and says whether it is gone.
func (a *applier) remove(ctx context.Context, object *metav1.PartialObjectMetadata) (gone bool, err error) {
	err = a.client.Delete(ctx, object)
	if err == nil {
		err = a.client.Get(ctx, client.ObjectKeyFromObject(object), object.DeepCopy())
	}
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	return false, err
}

// isReady says whether Azure Service Operator has brought the resource to Azure as it is now.
func isReady(object *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, each := range conditions {
		condition, ok := each.(map[string]any)
		if !ok || condition["type"] != "Ready" {
			continue
		}
		observed, _, _ := unstructured.NestedInt64(condition, "observedGeneration")
		return observed >= object.GetGeneration() && condition["status"] == "True"
	}
	return false
}

func status(kind schema.GroupVersionKind, name string, ready bool) infrav1.ResourceStatus {
	return infrav1.ResourceStatus{
		Resource: infrav1.StatusResource{Group: kind.Group, Version: kind.Version, Kind: kind.Kind, Name: name},
		Ready:    ready,
	}
}

// refersTo compares without the version, which may change between rounds.
func refersTo(object *metav1.PartialObjectMetadata) func(*unstructured.Unstructured) bool {
	return func(other *unstructured.Unstructured) bool {
		return object.GroupVersionKind().GroupKind() == other.GroupVersionKind().GroupKind() && object.Name == other.GetName()
	}
}

// remember writes what was done into the object.
func remember(owner owner, statuses []infrav1.ResourceStatus) {
	var kinds []string
	for _, each := range statuses {
		kind := each.Resource.Kind + "." + each.Resource.Version + "." + each.Resource.Group
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	annotations := owner.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	delete(annotations, ownedKinds)
	if len(kinds) > 0 {
		annotations[ownedKinds] = strings.Join(kinds, ";")
	}
	owner.SetAnnotations(annotations)
	owner.SetResourceStatuses(statuses)
}

func parseKinds(value string) ([]schema.GroupVersionKind, error) {
	if value == "" {
		return nil, nil
	}
	var kinds []schema.GroupVersionKind
	for each := range strings.SplitSeq(value, ";") {
		kind, _ := schema.ParseKindArg(each)
		if kind == nil {
			return nil, fmt.Errorf("failed to parse %s annotation: invalid field %q: expected Kind.version.group", ownedKinds, each)
		}
		kinds = append(kinds, *kind)
	}
	return kinds, nil
}
