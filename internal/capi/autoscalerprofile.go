package capi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
)

// AutoscalerFieldOwner is who writes autoscaler profiles.
const AutoscalerFieldOwner = "fleetwright-clusterautoscaler"

// AutoscalerProfile is what CAPZ's object of a cluster, and Azure behind it, say
// of the cluster autoscaler. Settings have their names in Azure.
type AutoscalerProfile struct {
	// Kind and Object are those of the object that holds it; empty while the
	// cluster has none.
	Kind, Object string
	// Declared is what the object has Azure asked for.
	Declared autoscalerprofile.Values
	// Ours are the settings in it that are Fleetwright's, in order.
	Ours []string
	// Azure is what Azure has, nil when the object related to it does not tell.
	Azure autoscalerprofile.Values
	// Progress is how far Azure has come with what the object asks for.
	Progress Progress
	// ListOwner is who else wrote the list that settings are in last, empty where it
	// is not known.
	ListOwner string

	holders []holder
	// separate are the settings that have an owner of their own in the API server.
	separate []string
}

// NeedsWrite is true when Fleetwright's settings are not those that are wanted.
func (p AutoscalerProfile) NeedsWrite(wanted autoscalerprofile.Values) bool {
	if len(autoscalerprofile.Differing(wanted, p.Declared)) > 0 {
		return true
	}
	if slices.ContainsFunc(p.Ours, func(key string) bool { _, is := wanted[key]; return !is }) {
		return true
	}
	return slices.ContainsFunc(p.separate, func(key string) bool {
		_, is := wanted[key]
		return is && !slices.Contains(p.Ours, key)
	})
}

// holder is another manager who has a word on settings.
type holder struct {
	// manager is who, where is the field that is his.
	manager, where string
	// values are what he says of each setting.
	values autoscalerprofile.Values
	// list is true for one who has the whole list that settings without a value of
	// their own are in. What is there and is not ours is his.
	list bool
	// again is true for a list that is applied again and again: what is put into it
	// does not last.
	again bool
	// covers are the settings that the list can have, nil for all.
	covers []string
}

// somebody is a manager whose name is not known.
const somebody = "another manager"

// says is what the holder says of a setting, empty for "it shall not be there";
// false when it is nothing to him.
func (h holder) says(p AutoscalerProfile, key string) (string, bool) {
	if !h.list {
		value, said := h.values[key]
		return value, said
	}
	if h.covers != nil && !slices.Contains(h.covers, key) {
		return "", false
	}
	value, present := p.Declared[key]
	return value, h.again || present && !slices.Contains(p.Ours, key)
}

// Contended says that another manager has settings that were to be written.
type Contended struct {
	// Manager is who: a field manager of the API server, or a patch in the object
	// itself. Where is the object and the field.
	Manager, Where string
	// Settings are those it is about, by their names in a profile.
	Settings []string
}

// Error names the manager, the field and the ways out.
func (c *Contended) Error() string {
	return fmt.Sprintf("%s sets %s in %s: take it out there, or out of the profile", c.Manager, strings.Join(c.Settings, ", "), c.Where)
}

// profileFlavor is a flavour's own way with autoscaler profiles.
type profileFlavor interface {
	Flavor
	// azureOf is an empty object of the name and kind that tells what Azure has.
	azureOf(plane *unstructured.Unstructured) *unstructured.Unstructured
	// declared is what the object has Azure asked for; ours are the settings in it
	// that Fleetwright wrote.
	declared(plane *unstructured.Unstructured) (all autoscalerprofile.Values, ours []string)
	// separate are the settings that have an owner of their own in the API server.
	separate() []string
	// holders are the others who have a word on settings.
	holders(plane *unstructured.Unstructured) []holder
	// write makes Fleetwright's settings in the object exactly these.
	write(ctx context.Context, c client.Client, plane *unstructured.Unstructured, wanted autoscalerprofile.Values) error
	// release leaves the settings as they are and takes Fleetwright's name off.
	release(ctx context.Context, c client.Client, plane *unstructured.Unstructured) error
}

// ReadAutoscalerProfile reads the profile of a Cluster. A Cluster without control
// plane has none, which is no error; neither is a Cluster of another provider.
func ReadAutoscalerProfile(ctx context.Context, reader client.Reader, cluster types.NamespacedName) (AutoscalerProfile, error) {
	f, plane, err := controlPlaneOf(ctx, reader, cluster)
	if plane == nil || err != nil {
		return AutoscalerProfile{}, err
	}
	p := profileOf(f, plane)
	related := f.azureOf(plane)
	if related == nil {
		return p, nil
	}
	key := types.NamespacedName{Namespace: plane.GetNamespace(), Name: related.GetName()}
	switch err := reader.Get(ctx, key, related); {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		// Then CAPZ's own object says how far it has come, in the flavour that tells.
		p.Progress = conditionOf(plane, "ManagedClusterRunning").progress()
		return p, nil
	case err != nil:
		return p, fmt.Errorf("read %s %s: %w", related.GetKind(), key, err)
	}
	p.Progress = asoProgress(related).Progress
	if _, told := treeAt(related, "status")["id"]; told {
		p.Azure = autoscalerprofile.FromTree(treeAt(related, "status", "autoScalerProfile"))
	}
	// CAPZ changes the object a moment after its own was changed.
	if asked := autoscalerprofile.FromTree(treeAt(related, "spec", "autoScalerProfile")); !maps.Equal(asked, p.Declared) && p.Progress.State == Done {
		p.Progress.State = Working
	}
	return p, nil
}

func profileOf(f profileFlavor, plane *unstructured.Unstructured) AutoscalerProfile {
	p := AutoscalerProfile{Kind: plane.GetKind(), Object: plane.GetName(), holders: f.holders(plane), separate: f.separate()}
	p.Declared, p.Ours = f.declared(plane)
	for _, h := range p.holders {
		if h.list && h.manager != somebody {
			p.ListOwner = h.manager
		}
	}
	return p
}

// Contended are those whose word on settings stands against what is wanted.
func (p AutoscalerProfile) Contended(wanted autoscalerprofile.Values) *Contended {
	differing := autoscalerprofile.Differing(wanted, p.Declared)
	for _, h := range p.holders {
		var against []string
		for _, key := range differing {
			if said, says := h.says(p, key); says && !autoscalerprofile.Same(key, wanted[key], said) {
				against = append(against, autoscalerprofile.NameOf(key))
			}
		}
		if len(against) > 0 {
			return &Contended{Manager: h.manager, Where: fmt.Sprintf("%s of %s %s", h.where, p.Kind, p.Object), Settings: against}
		}
	}
	return nil
}

// WriteAutoscalerProfile makes Fleetwright's settings in CAPZ's object exactly
// those that are wanted, and writes nothing when they are. It reads the object
// live first, and is refused (a conflict) when that changed meanwhile. The error
// is a *Contended where another manager has settings.
func WriteAutoscalerProfile(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, wanted autoscalerprofile.Values) error {
	f, plane, err := controlPlaneOf(ctx, reader, cluster)
	if err != nil {
		return err
	}
	if plane == nil {
		return fmt.Errorf("write the autoscaler profile of Cluster %s: its control plane does not exist", cluster)
	}
	if contended := profileOf(f, plane).Contended(wanted); contended != nil {
		return contended
	}
	return f.write(ctx, c, plane, wanted)
}

// ControlPlaneOf names the object of CAPZ, in whatever namespace, that has an AKS
// cluster; empty for none.
func ControlPlaneOf(ctx context.Context, reader client.Reader, managedClusterID string) (string, error) {
	for _, f := range flavors {
		kind := f.Kinds().ControlPlane
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := reader.List(ctx, list); meta.IsNoMatchError(err) {
			continue
		} else if err != nil {
			return "", fmt.Errorf("list %ss: %w", kind.Kind, err)
		}
		for i := range list.Items {
			plane := &list.Items[i]
			related, err := readRelated(ctx, reader, f, plane)
			if err != nil {
				return "", err
			}
			var c Cluster
			f.ReadControlPlane(&c, plane, related)
			if strings.EqualFold(c.ManagedClusterID(), managedClusterID) {
				return fmt.Sprintf("%s %s/%s", kind.Kind, plane.GetNamespace(), plane.GetName()), nil
			}
		}
	}
	return "", nil
}

// ReleaseAutoscalerProfile takes Fleetwright's name off the settings in CAPZ's
// object and leaves them as they are. An object that is gone has none.
func ReleaseAutoscalerProfile(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName) error {
	f, plane, err := controlPlaneOf(ctx, reader, cluster)
	if plane == nil || err != nil {
		return err
	}
	return f.release(ctx, c, plane)
}

// controlPlaneOf is CAPZ's control plane of a Cluster, nil when there is none.
func controlPlaneOf(ctx context.Context, reader client.Reader, key types.NamespacedName) (profileFlavor, *unstructured.Unstructured, error) {
	var cluster clusterv1.Cluster
	if err := reader.Get(ctx, key, &cluster); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil, nil
		}
		return nil, nil, fmt.Errorf("read Cluster %s: %w", key, err)
	}
	f, _ := flavorOfCluster(cluster.Spec.InfrastructureRef.Kind, cluster.Spec.ControlPlaneRef.Kind).(profileFlavor)
	if f == nil {
		return nil, nil, nil
	}
	plane := empty(f.Kinds().ControlPlane)
	key.Name = cluster.Spec.ControlPlaneRef.Name
	if err := reader.Get(ctx, key, plane); err != nil {
		if apierrors.IsNotFound(err) {
			return f, nil, nil
		}
		return f, nil, fmt.Errorf("read %s %s: %w", plane.GetKind(), key, err)
	}
	return f, plane, nil
}

// markedSettings are those that the annotation lists, with the values that were
// written.
func markedSettings(plane *unstructured.Unstructured) autoscalerprofile.Values {
	out := autoscalerprofile.Values{}
	for pair := range strings.SplitSeq(plane.GetAnnotations()[fleetwrightv1.AnnotationAutoscalerSettings], ",") {
		if key, value, whole := strings.Cut(pair, "="); whole {
			out[key] = value
		}
	}
	return out
}

func markSettings(plane *unstructured.Unstructured, values autoscalerprofile.Values) {
	if len(values) == 0 {
		dropAnnotation(plane, fleetwrightv1.AnnotationAutoscalerSettings)
		return
	}
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, key+"="+values[key])
	}
	annotateText(plane, fleetwrightv1.AnnotationAutoscalerSettings, strings.Join(pairs, ","))
}

// stillOurs are the marked settings that nobody else has changed since.
func stillOurs(plane *unstructured.Unstructured, declared autoscalerprofile.Values) []string {
	var out []string
	for key, value := range markedSettings(plane) {
		if now, present := declared[key]; present && autoscalerprofile.Same(key, value, now) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// errNoManagedCluster says that there is nothing to write settings into.
var errNoManagedCluster = errors.New("spec.resources has no ManagedCluster of containerservice.azure.com")
