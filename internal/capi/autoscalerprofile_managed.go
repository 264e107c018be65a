package capi

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
)

var _ profileFlavor = AzureManaged{}

const (
	// profileField holds 17 of the settings, under CAPZ's names.
	profileField = "autoscalerProfile"
	// clusterPatchesField holds JSON merge patches that CAPZ applies, in order, to
	// the ManagedCluster that it makes: the way for the other three.
	clusterPatchesField = "asoManagedClusterPatches"
)

// azureOf: CAPZ names the ManagedCluster after its own object
// (azure.GetNormalizedKubernetesName).
func (AzureManaged) azureOf(plane *unstructured.Unstructured) *unstructured.Unstructured {
	out := empty(asoManagedCluster)
	out.SetName(strings.Trim(notInNames.ReplaceAllString(strings.ToLower(plane.GetName()), "-"), "-"))
	return out
}

var notInNames = regexp.MustCompile(`[^a-z0-9-]+`)

// typedProfile are the 17 settings as CAPZ's field has them, under their names in
// Azure.
func typedProfile(plane *unstructured.Unstructured) autoscalerprofile.Values {
	out := autoscalerprofile.Values{}
	for _, f := range autoscalerprofile.Fields() {
		if value := stringAt(plane, "spec", profileField, f.Typed); f.Typed != "" && value != "" {
			out[f.Key] = value
		}
	}
	return out
}

func (AzureManaged) declared(plane *unstructured.Unstructured) (all autoscalerprofile.Values, ours []string) {
	tree := autoscalerprofile.Tree(typedProfile(plane))
	for _, text := range stringsAt(plane, "spec", clusterPatchesField) {
		mergePatch(tree, profileIn(text))
	}
	all = autoscalerprofile.FromTree(tree)
	for _, key := range stillOurs(plane, all) {
		if f, _ := autoscalerprofile.FieldOf(key); f.Typed == "" {
			ours = append(ours, key)
		}
	}
	if own := managerOf(plane, AutoscalerFieldOwner); own != nil {
		for _, f := range autoscalerprofile.Fields() {
			if f.Typed != "" && own.owns("spec", profileField, f.Typed) {
				ours = append(ours, f.Key)
			}
		}
	}
	slices.Sort(ours)
	return all, ours
}

// profileIn is what a patch says of the profile.
func profileIn(text string) map[string]any {
	spec, _ := readPatch(text)["spec"].(map[string]any)
	profile, _ := spec[asoProfileField].(map[string]any)
	return profile
}

func (AzureManaged) holders(plane *unstructured.Unstructured) []holder {
	var out []holder
	typed := typedProfile(plane)
	for _, m := range otherManagers(plane, AutoscalerFieldOwner) {
		values := autoscalerprofile.Values{}
		for _, f := range autoscalerprofile.Fields() {
			if value, set := typed[f.Key]; set && m.owns("spec", profileField, f.Typed) {
				values[f.Key] = value
			}
		}
		out = append(out, holder{manager: m.name, where: "spec." + profileField, values: values})
		if m.applies && m.owns("spec", clusterPatchesField) {
			out = append(out, holder{manager: m.name, where: "spec." + clusterPatchesField, list: true, again: true, covers: untyped()})
		}
	}
	for i, text := range stringsAt(plane, "spec", clusterPatchesField) {
		if !isOurPatch(plane, text) {
			out = append(out, holder{manager: "a patch", where: fmt.Sprintf("spec.%s[%d]", clusterPatchesField, i), values: autoscalerprofile.FromTree(profileIn(text))})
		}
	}
	return out
}

// separate: CAPZ's field is an object with a field for each.
func (AzureManaged) separate() []string {
	var out []string
	for _, f := range autoscalerprofile.Fields() {
		if f.Typed != "" {
			out = append(out, f.Key)
		}
	}
	return out
}

// untyped are the settings that CAPZ has no field for.
func untyped() []string {
	var out []string
	for _, f := range autoscalerprofile.Fields() {
		if f.Typed == "" {
			out = append(out, f.Key)
		}
	}
	return out
}

// ourPatchOf is the patch that says so; empty for no settings.
func ourPatchOf(values autoscalerprofile.Values) string {
	if len(values) == 0 {
		return ""
	}
	return canonical(map[string]any{"spec": map[string]any{asoProfileField: autoscalerprofile.Tree(values)}})
}

func isOurPatch(plane *unstructured.Unstructured, text string) bool {
	return text == ourPatchOf(markedSettings(plane))
}

func (f AzureManaged) write(ctx context.Context, c client.Client, plane *unstructured.Unstructured, wanted autoscalerprofile.Values) error {
	typed, patched := autoscalerprofile.Values{}, autoscalerprofile.Values{}
	for _, field := range autoscalerprofile.Fields() {
		value, is := wanted[field.Key]
		switch {
		case !is:
		case field.Typed == "":
			patched[field.Key] = value
		default:
			typed[field.Key] = value
		}
	}
	if err := f.writePatch(ctx, c, plane, patched); err != nil {
		return err
	}
	return f.applyTyped(ctx, c, plane, typed)
}

// writePatch puts our one patch after those of people.
func (AzureManaged) writePatch(ctx context.Context, c client.Client, plane *unstructured.Unstructured, wanted autoscalerprofile.Values) error {
	before := plane.DeepCopy()
	var patches []string
	theirs := map[string]any{}
	for _, text := range stringsAt(plane, "spec", clusterPatchesField) {
		if !isOurPatch(plane, text) {
			patches = append(patches, text)
			mergePatch(theirs, profileIn(text))
		}
	}
	// What people's patches say already needs none of ours.
	missing := autoscalerprofile.Values{}
	for _, key := range autoscalerprofile.Differing(wanted, autoscalerprofile.FromTree(theirs)) {
		missing[key] = wanted[key]
	}
	if text := ourPatchOf(missing); text != "" {
		patches = append(patches, text)
	}
	if specOf(plane)[clusterPatchesField] = anyList(patches); len(patches) == 0 {
		delete(specOf(plane), clusterPatchesField)
	}
	markSettings(plane, missing)
	return patchProfile(ctx, c, before, plane)
}

// applyTyped applies our settings and no others to CAPZ's field, without force.
func (AzureManaged) applyTyped(ctx context.Context, c client.Client, plane *unstructured.Unstructured, wanted autoscalerprofile.Values) error {
	own, now := managerOf(plane, AutoscalerFieldOwner), typedProfile(plane)
	profile, differs := map[string]any{}, false
	for _, f := range autoscalerprofile.Fields() {
		if f.Typed == "" {
			continue
		}
		owned := own.owns("spec", profileField, f.Typed)
		value, wants := wanted[f.Key]
		if !wants {
			differs = differs || owned
			continue
		}
		if autoscalerprofile.Same(f.Key, value, now[f.Key]) {
			value = now[f.Key] // another spelling of it would be another value to the API server
		}
		differs = differs || !owned || value != now[f.Key]
		profile[f.Typed] = value
	}
	if !differs {
		return nil
	}
	apply := empty(plane.GroupVersionKind())
	apply.SetNamespace(plane.GetNamespace())
	apply.SetName(plane.GetName())
	apply.SetUID(plane.GetUID()) // or it would make an object that was deleted meanwhile anew
	if len(profile) > 0 {
		apply.Object["spec"] = map[string]any{profileField: profile}
	}
	err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(apply), client.FieldOwner(AutoscalerFieldOwner))
	if contended := conflictOf(err, plane); contended != nil {
		return contended
	}
	if err != nil {
		return fmt.Errorf("apply the autoscaler profile to %s %s: %w", plane.GetKind(), client.ObjectKeyFromObject(plane), err)
	}
	return nil
}

// conflictOf is the other manager that server-side apply met, nil for none.
func conflictOf(err error, plane *unstructured.Unstructured) *Contended {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	out := &Contended{Where: fmt.Sprintf("spec.%s of %s %s", profileField, plane.GetKind(), plane.GetName())}
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		// conflict with "kubectl-edit" using infrastructure.cluster.x-k8s.io/v1beta1
		if parts := strings.Split(cause.Message, `"`); len(parts) > 1 && out.Manager == "" {
			out.Manager = parts[1]
		}
		typed := cause.Field[strings.LastIndexByte(cause.Field, '.')+1:]
		for _, f := range autoscalerprofile.Fields() {
			if f.Typed == typed && typed != "" {
				out.Settings = append(out.Settings, f.Name)
			}
		}
	}
	if out.Manager == "" {
		return nil
	}
	return out
}

func (AzureManaged) release(ctx context.Context, c client.Client, plane *unstructured.Unstructured) error {
	return releaseProfile(ctx, c, plane)
}
