package workloadcluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// failures are what could not be done, by object.
type failures map[target]error

// err is what is worth trying again, or else what is not.
func (f failures) err() error {
	var again, never []error
	for t, err := range f {
		err = fmt.Errorf("%s: %w", t, err)
		if final(err) {
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

// final is true for what is refused again until a person acts.
func final(err error) bool { return apierrors.IsInvalid(err) || errors.Is(err, capi.ErrNotOurs) }

// act does what the plan says. What fails for one object does not keep it from the others, but nothing is made for a Cluster that could not be, and
// nothing is taken away with one that could not be deleted: it serves.
func (r *Reconciler) act(ctx context.Context, object *fleetwrightv1.WorkloadCluster, o *observation) failures {
	failed := failures{}
	for _, a := range o.plan.actions {
		waits := a.verb == create && a.kind != kindClaim || a.verb == remove && o.plan.leaving != ""
		if waits && failed[target{kindCluster, object.Name}] != nil {
			continue
		}
		logf.FromContext(ctx).Info("Acting", "action", a.verb, "kind", a.kind, "object", a.name)
		err := r.do(ctx, object, o, a)
		if !apierrors.IsConflict(err) { // somebody else wrote first, and nothing was done
			actions.Count(string(a.verb)+a.kind, err)
		}
		if err != nil {
			failed[a.target] = fmt.Errorf("%s it: %w", verbs[a.verb], err)
		}
	}
	return failed
}

var verbs = map[verb]string{create: "create", apply: "change", tell: "change", remove: "remove", unlabel: "take labels off", release: "let go of"}

func (r *Reconciler) do(ctx context.Context, object *fleetwrightv1.WorkloadCluster, o *observation, a action) error {
	key := client.ObjectKeyFromObject(object)
	if a.kind == kindCluster {
		switch a.verb {
		case apply:
			return capi.ApplyCluster(ctx, r.Client, r.Live, o.intent.wish, o.world.adopts() == fleetwrightv1.AdoptionPolicyAdopt)
		case remove:
			return client.IgnoreNotFound(capi.DeleteCluster(ctx, r.Client, r.Live, key, o.world.state.UID))
		case release:
			return client.IgnoreNotFound(capi.ReleaseCluster(ctx, r.Client, r.Live, key))
		case unlabel:
			return r.unlabel(ctx, object, addonLabelsOf(o.world))
		case create, tell:
		}
		return fmt.Errorf("%s is nothing that is done with a %s", a.verb, a.kind)
	}
	switch a.verb {
	case create:
		return r.create(ctx, object, a)
	case apply:
		return r.apply(ctx, object, a)
	case tell:
		return r.tell(ctx, object, a, true)
	case remove:
		return r.remove(ctx, object, a)
	case release:
		return r.release(ctx, object, a)
	case unlabel:
	}
	return fmt.Errorf("%s is nothing that is done with a %s", a.verb, a.kind)
}

// errThere is in a conflict with what the cache does not know of yet.
var errThere = errors.New("it was made a moment ago")

// create makes an object, unless one is there that the cache does not know of yet. The server would let an apply take over what it finds, so it
// is looked for past the cache first; what comes in between is not overwritten, because nothing is forced.
func (r *Reconciler) create(ctx context.Context, object *fleetwrightv1.WorkloadCluster, a action) error {
	is := named(object, a)
	switch err := r.Live.Get(ctx, client.ObjectKeyFromObject(is), is); {
	case err == nil:
		return apierrors.NewConflict(schema.GroupResource{Group: fleetwrightv1.GroupVersion.Group, Resource: a.kind}, a.name, errThere) // the next look decides about it
	case !apierrors.IsNotFound(err):
		return err
	}
	return r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied(object, a)), client.FieldOwner(FieldOwner))
}

// apply gives an object its spec, if it is as it was read: one that was made meanwhile under its name is not reached.
func (r *Reconciler) apply(ctx context.Context, object *fleetwrightv1.WorkloadCluster, a action) error {
	wanted := applied(object, a)
	wanted.SetResourceVersion(a.child.object.GetResourceVersion())
	return r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(wanted), client.FieldOwner(FieldOwner), client.ForceOwnership)
}

// applied is an object as we want it: what is not in here belongs to others.
func applied(object *fleetwrightv1.WorkloadCluster, a action) *unstructured.Unstructured {
	out := named(object, a)
	out.SetLabels(map[string]string{fleetwrightv1.LabelWorkloadCluster: object.Name, fleetwrightv1.LabelCluster: object.Name})
	out.Object["spec"] = a.spec
	return out
}

func named(object *fleetwrightv1.WorkloadCluster, a action) *unstructured.Unstructured {
	out := &unstructured.Unstructured{}
	out.SetGroupVersionKind(fleetwrightv1.GroupVersion.WithKind(a.kind))
	out.SetNamespace(object.Namespace)
	out.SetName(a.name)
	return out
}

// tell sets some fields of the spec, and our label on what is taken over, if the object is as it was read, and leaves the rest.
func (r *Reconciler) tell(ctx context.Context, object *fleetwrightv1.WorkloadCluster, a action, mark bool) error {
	metadata := map[string]any{"resourceVersion": a.child.object.GetResourceVersion()}
	if mark {
		metadata["labels"] = map[string]any{fleetwrightv1.LabelWorkloadCluster: object.Name}
	}
	patch := map[string]any{"metadata": metadata}
	if len(a.spec) > 0 {
		patch["spec"] = a.spec
	}
	return client.IgnoreNotFound(r.patch(ctx, named(object, a), patch))
}

func (r *Reconciler) patch(ctx context.Context, object client.Object, patch map[string]any) error {
	raw, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	return r.Client.Patch(ctx, object, client.RawPatch(types.MergePatchType, raw), client.FieldOwner(FieldOwner))
}

// remove deletes an object that is ours, asked past the cache. It hears first that it may go.
func (r *Reconciler) remove(ctx context.Context, object *fleetwrightv1.WorkloadCluster, a action) error {
	live := named(object, a)
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(live), live); err != nil {
		return client.IgnoreNotFound(err)
	}
	if live.GetUID() != a.child.object.GetUID() || live.GetLabels()[fleetwrightv1.LabelWorkloadCluster] != object.Name {
		return nil // it is another one, or ours no more: the next look decides
	}
	if len(a.spec) > 0 {
		if err := r.tell(ctx, object, a, false); err != nil {
			return err
		}
	}
	uid := live.GetUID()
	return client.IgnoreNotFound(r.Client.Delete(ctx, live, client.Preconditions{UID: &uid}))
}

// release takes our label off an object, which serves on as one that nobody made, and sets what we told it for our own sake back.
func (r *Reconciler) release(ctx context.Context, object *fleetwrightv1.WorkloadCluster, a action) error {
	patch := map[string]any{"metadata": map[string]any{
		"resourceVersion": a.child.object.GetResourceVersion(), "labels": map[string]any{fleetwrightv1.LabelWorkloadCluster: nil},
	}}
	if len(a.spec) > 0 {
		patch["spec"] = a.spec
	}
	return client.IgnoreNotFound(r.patch(ctx, named(object, a), patch))
}

// unlabel takes labels off the Cluster, if it is ours.
func (r *Reconciler) unlabel(ctx context.Context, object *fleetwrightv1.WorkloadCluster, labels []string) error {
	cluster := capi.ClusterObject()
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(object), cluster); err != nil {
		return client.IgnoreNotFound(err)
	}
	if cluster.GetLabels()[fleetwrightv1.LabelWorkloadCluster] != object.Name {
		return nil
	}
	off := map[string]any{}
	for _, label := range labels {
		off[label] = nil
	}
	return client.IgnoreNotFound(r.patch(ctx, cluster, map[string]any{"metadata": map[string]any{"resourceVersion": cluster.GetResourceVersion(), "labels": off}}))
}
