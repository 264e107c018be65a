package additionalconfig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// FieldOwner is who writes the objects that are made of sections.
const FieldOwner = "fleetwright-additionalconfig"

// failures are what could not be done, by object.
type failures map[target]error

// err is what is worth trying again, or else what is not.
func (f failures) err() error {
	var again, never []error
	for t, err := range f {
		err = fmt.Errorf("%s: %w", t, err)
		if apierrors.IsInvalid(err) {
			never = append(never, err)
		} else {
			again = append(again, err)
		}
	}
	if len(again) > 0 {
		return errors.Join(again...)
	}
	if len(never) > 0 {
		return reconcile.TerminalError(errors.Join(never...))
	}
	return nil
}

// act does what the plan says. What fails for one object does not keep it from the others.
func (r *Reconciler) act(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig, p plan) failures {
	failed := failures{}
	for _, a := range p.actions {
		logf.FromContext(ctx).Info("Acting", "action", a.verb, "kind", a.kind, "object", a.name)
		if err := r.do(ctx, config, a); err != nil {
			failed[a.target] = fmt.Errorf("%s it: %w", verbs[a.verb], err)
		}
	}
	return failed
}

var verbs = map[verb]string{create: "create", apply: "change", tell: "change", remove: "remove"}

func (r *Reconciler) do(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig, a action) error {
	switch a.verb {
	case create:
		return r.create(ctx, config, a)
	case apply:
		return r.apply(ctx, config, a)
	case tell:
		return r.tell(ctx, config, a)
	case remove:
		return r.remove(ctx, config, a)
	}
	return fmt.Errorf("%q is not known", a.verb)
}

// create makes an object, unless one is there that the cache does not know of yet. The server would let an apply take over what it
// finds, so it is looked for past the cache first; what comes in between is not overwritten, because nothing is forced.
func (r *Reconciler) create(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig, a action) error {
	is, err := newOf[client.Object](r.Client.Scheme(), a.kind)
	if err != nil {
		return err
	}
	err = r.Live.Get(ctx, client.ObjectKey{Namespace: config.Namespace, Name: a.name}, is)
	if err == nil || !apierrors.IsNotFound(err) {
		return err // the next look decides about it
	}
	return r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(child(config, a)), client.FieldOwner(FieldOwner))
}

// apply gives an object of ours its spec, if it is as it was read: one that was made meanwhile under its name is not reached.
func (r *Reconciler) apply(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig, a action) error {
	object := child(config, a)
	object.SetResourceVersion(a.version)
	return r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(FieldOwner), client.ForceOwnership)
}

// child is an object as we want it: what is not in here belongs to others.
func child(config *fleetwrightv1.AzureClusterAdditionalConfig, a action) *unstructured.Unstructured {
	object := named(config, a)
	object.SetLabels(map[string]string{fleetwrightv1.LabelCluster: config.Spec.ClusterName})
	controller := true
	object.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: fleetwrightv1.GroupVersion.String(), Kind: kindName, Name: config.Name, UID: config.UID, Controller: &controller,
	}})
	object.Object["spec"] = a.spec
	return object
}

func named(config *fleetwrightv1.AzureClusterAdditionalConfig, a action) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(fleetwrightv1.GroupVersion.WithKind(a.kind))
	object.SetNamespace(config.Namespace)
	object.SetName(a.name)
	return object
}

// tell sets some fields of the spec, if the object is as it was read, and leaves the rest.
func (r *Reconciler) tell(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig, a action) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": a.version}, "spec": a.spec})
	if err != nil {
		return err
	}
	return client.IgnoreNotFound(r.Client.Patch(ctx, named(config, a), client.RawPatch(types.MergePatchType, patch), client.FieldOwner(FieldOwner)))
}

// remove deletes an object of ours. It hears first whether Azure is to keep what it looks after, and that it is not paused.
func (r *Reconciler) remove(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig, a action) error {
	if len(a.spec) > 0 {
		if err := r.tell(ctx, config, a); err != nil {
			return err
		}
	}
	return client.IgnoreNotFound(r.Client.Delete(ctx, named(config, a), client.Preconditions{UID: &a.uid}))
}
