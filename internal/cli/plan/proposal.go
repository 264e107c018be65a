package plan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// nodepoolKind is the only kind that is planned.
var nodepoolKind = schema.GroupKind{Group: fleetwrightv1.GroupVersion.Group, Kind: "Nodepool"}

// standardInput is the name of a file that is none.
const standardInput = "-"

var errNoFiles = errors.New("say what is proposed: -f FILE, FOLDER, URL or - for standard input, or -k FOLDER")

// readProposals are the Nodepools in the files, in their order. Other kinds are left out,
// which the error stream is told.
func readProposals(getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams, files resource.FilenameOptions) ([]*unstructured.Unstructured, error) {
	if len(files.Filenames) == 0 && files.Kustomize == "" {
		return nil, errNoFiles
	}
	// Local: the other kinds need not be known to this cluster.
	builder := resource.NewBuilder(getter).Unstructured().Local().Flatten()
	if slices.Contains(files.Filenames, standardInput) {
		builder.Stream(streams.In, "standard input")
		files.Filenames = slices.DeleteFunc(slices.Clone(files.Filenames), func(name string) bool { return name == standardInput })
	}
	if len(files.Filenames) > 0 || files.Kustomize != "" {
		builder.FilenameParam(false, &files)
	}
	infos, err := builder.Do().Infos()
	if err != nil {
		return nil, fmt.Errorf("read what is proposed: %w", err)
	}
	var proposals []*unstructured.Unstructured
	others := map[string]int{}
	for _, info := range infos {
		object, ok := info.Object.(*unstructured.Unstructured)
		if !ok || object.GroupVersionKind().GroupKind() != nodepoolKind {
			others[info.Object.GetObjectKind().GroupVersionKind().Kind]++
			continue
		}
		proposals = append(proposals, object)
	}
	tellSkipped(streams.ErrOut, others)
	if len(proposals) == 0 {
		return nil, fmt.Errorf("there is no Nodepool (%s) in what was read, which is %s: nothing can be planned", fleetwrightv1.GroupVersion, count(len(infos), "object", "objects"))
	}
	return proposals, nil
}

// tellSkipped tells in one line what is not planned, by kind.
func tellSkipped(to io.Writer, others map[string]int) {
	kinds := make([]string, 0, len(others))
	for _, kind := range slices.Sorted(maps.Keys(others)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", others[kind], shown(kind)))
	}
	if len(kinds) > 0 {
		fmt.Fprintf(to, "skipped %s: only Nodepools are planned\n", strings.Join(kinds, ", "))
	}
}

// place gives a proposal its namespace as kubectl does: its own, which must be that of the flag if there is one, else the
// flag's or the context's.
func place(object *unstructured.Unstructured, mapper meta.RESTMapper, namespace string, named bool) error {
	gvk := object.GroupVersionKind()
	mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return err
	}
	info := &resource.Info{Mapping: mapping, Namespace: object.GetNamespace(), Name: object.GetName(), Object: object}
	if named {
		return resource.RequireNamespace(namespace)(info, nil)
	}
	return resource.SetNamespace(namespace)(info, nil)
}

// tryOut lets the API server say what it would make of the proposal, in a dry run: it refuses what schema and rules
// refuse, in its own words, and nothing is stored.
func tryOut(ctx context.Context, c client.Client, object *unstructured.Unstructured) (*fleetwrightv1.Nodepool, error) {
	var tried *unstructured.Unstructured
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		live := &unstructured.Unstructured{}
		live.SetGroupVersionKind(object.GroupVersionKind())
		err := c.Get(ctx, client.ObjectKeyFromObject(object), live)
		switch {
		case apierrors.IsNotFound(err):
			tried = object.DeepCopy()
			return c.Create(ctx, tried, client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
		case err != nil:
			return err
		}
		tried = changed(live, object)
		return c.Update(ctx, tried, client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
	})
	if err != nil {
		return nil, err
	}
	np := &fleetwrightv1.Nodepool{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(tried.Object, np); err != nil {
		return nil, fmt.Errorf("understand the API server's answer: %w", err)
	}
	return np, nil
}

// changed is the live object with the proposal's spec, whole: what the file leaves out is not wanted any more. Labels and
// annotations are added to, because others set them too.
func changed(live, proposal *unstructured.Unstructured) *unstructured.Unstructured {
	out := live.DeepCopy()
	for key, value := range proposal.Object {
		if key != "metadata" && key != "status" {
			out.Object[key] = runtime.DeepCopyJSONValue(value)
		}
	}
	out.SetLabels(merged(out.GetLabels(), proposal.GetLabels()))
	out.SetAnnotations(merged(out.GetAnnotations(), proposal.GetAnnotations()))
	return out
}

func merged(base, over map[string]string) map[string]string {
	if len(over) == 0 {
		return base
	}
	out := maps.Clone(base)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, over)
	return out
}
