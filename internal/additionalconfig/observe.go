package additionalconfig

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// kindName is how a config is called in messages.
const kindName = "AzureClusterAdditionalConfig"

// Fields of the spec that every kind of child has, and gets from the config.
const (
	fieldCluster        = "clusterName"
	fieldDriftPolicy    = "driftPolicy"
	fieldReconcile      = "reconcile"
	fieldDeletionPolicy = "deletionPolicy"
)

// observe reads the cluster, who holds back, and the objects. holdChanges is when a Freeze begins or ends by its own times.
func (r *Reconciler) observe(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig) (w world, holdChanges time.Time, err error) {
	cluster, err := capi.ReadCluster(ctx, r.Client, client.ObjectKey{Namespace: config.Namespace, Name: config.Spec.ClusterName})
	if err != nil {
		return world{}, time.Time{}, err
	}
	// Past the cache: a Freeze made a moment ago counts.
	frozen := freeze.InEffect(ctx, r.Live, config.Namespace, cluster.Labels, r.Namespace, r.Clock.Now())
	w = world{
		name: config.Name, created: config.CreationTimestamp.Time, deleting: !config.DeletionTimestamp.IsZero(),
		policy: config.Spec.DeletionPolicy, clusterFound: cluster.Found,
		hold: hold.Of(asking(config), cluster, frozen),
		// Whoever else asks: a pause that objects are not told of ends for them with that of the Cluster.
		paused: hold.Of(asking(config), capi.Cluster{}, freeze.Effect{}).Everything(),
	}
	w.told = told(config.Spec, w.paused)
	if w.wanted, err = wantedOf(r.Sections, config.Spec, cluster, w.told); err != nil {
		return world{}, time.Time{}, err
	}
	w.found, err = r.find(ctx, r.Client, config, w)
	return w, frozen.CheckAgain, err
}

func asking(config *fleetwrightv1.AzureClusterAdditionalConfig) hold.Asking {
	return hold.Asking{Kind: kindName, Annotations: config.Annotations, Mode: config.Spec.Reconcile}
}

// told are the fields that every object gets. They are set in any case, so that what was told is taken back by the next telling.
func told(spec fleetwrightv1.AzureClusterAdditionalConfigSpec, paused bool) map[string]any {
	mode := cmp.Or(spec.Reconcile, fleetwrightv1.ReconcileModeActive)
	if paused {
		mode = fleetwrightv1.ReconcileModePaused
	}
	// An object that is protected could not be removed with its section: Protect is about the config.
	deletion := fleetwrightv1.DeletionPolicyDelete
	if spec.DeletionPolicy == fleetwrightv1.DeletionPolicyRetain {
		deletion = fleetwrightv1.DeletionPolicyRetain
	}
	return map[string]any{
		fieldCluster: spec.ClusterName, fieldReconcile: string(mode), fieldDeletionPolicy: string(deletion),
		fieldDriftPolicy: string(cmp.Or(spec.DriftPolicy, fleetwrightv1.DriftPolicyHeal)),
	}
}

// wantedOf are the objects that the sections ask for.
func wantedOf(sections []section.Section, spec fleetwrightv1.AzureClusterAdditionalConfigSpec, cluster capi.Cluster, told map[string]any) ([]wanted, error) {
	var out []wanted
	for _, s := range sections {
		for _, child := range s.Children(spec, cluster) {
			fields, err := plain(child.Spec)
			if err != nil {
				return nil, fmt.Errorf("read what section %s asks for: %w", s.Name, err)
			}
			maps.Copy(fields, told)
			out = append(out, wanted{target: target{s.Kind, child.Name}, section: s, spec: fields})
		}
	}
	return out, nil
}

// plain is a value as JSON has it.
func plain(v any) (map[string]any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	err = utiljson.Unmarshal(raw, &out)
	return out, err
}

// kinds are those of all sections, each once.
func kinds(sections []section.Section) []string {
	out := make([]string, 0, len(sections))
	for _, s := range sections {
		out = append(out, s.Kind)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// find reads the objects of all sections' kinds that matter to the config.
func (r *Reconciler) find(ctx context.Context, reader client.Reader, config *fleetwrightv1.AzureClusterAdditionalConfig, w world) ([]found, error) {
	var out []found
	for _, kind := range kinds(r.Sections) {
		list, err := newOf[client.ObjectList](r.Client.Scheme(), kind+"List")
		if err != nil {
			return nil, err
		}
		// They are only read, and those of other configs are many.
		if err := reader.List(ctx, list, client.InNamespace(config.Namespace), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list %ss of %s: %w", kind, client.ObjectKeyFromObject(config), err)
		}
		err = meta.EachListItem(list, func(o runtime.Object) error {
			object := o.(client.Object)
			ours := metav1.IsControlledBy(object, config)
			if !ours && !w.wants(target{kind, object.GetName()}) {
				return nil
			}
			f, err := view(kind, object, config, ours)
			out = append(out, f)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b found) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name)) })
	return out, nil
}

// view is one object in the words of decide.
func view(kind string, object client.Object, config *fleetwrightv1.AzureClusterAdditionalConfig, ours bool) (found, error) {
	fields, err := plain(object)
	if err != nil {
		return found{}, fmt.Errorf("read %s %s: %w", kind, object.GetName(), err)
	}
	spec, _ := fields["spec"].(map[string]any)
	owned, err := ownobject.OwnedSpec(object, FieldOwner)
	if err != nil {
		return found{}, fmt.Errorf("read %s %s: %w", kind, object.GetName(), err)
	}
	f := found{
		target: target{kind, object.GetName()}, uid: object.GetUID(), version: object.GetResourceVersion(), ours: ours, deleting: object.GetDeletionTimestamp() != nil,
		generation: object.GetGeneration(), spec: spec, owned: owned, annotations: object.GetAnnotations(), labelled: object.GetLabels()[fleetwrightv1.LabelCluster] == config.Spec.ClusterName,
	}
	if teller, tells := object.(interface{ GetConditions() []metav1.Condition }); tells {
		f.conditions = teller.GetConditions()
	}
	return f, nil
}

// newOf makes an empty object, or list, of one of our kinds.
func newOf[T runtime.Object](scheme *runtime.Scheme, kind string) (T, error) {
	var none T
	object, err := scheme.New(fleetwrightv1.GroupVersion.WithKind(kind))
	if err != nil {
		return none, fmt.Errorf("make an empty %s: %w", kind, err)
	}
	typed, ok := object.(T)
	if !ok {
		return none, fmt.Errorf("make an empty %s: it is a %T", kind, object)
	}
	return typed, nil
}
