package asomanaged

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

const (
	policyAnnotation = "serviceoperator.azure.com/reconcile-policy"
	policySkip       = "skip"
)

// incompatible says that a spec fixes what CAPZ has to decide, in the words of pkg/mutators/mutator.go.
type incompatible struct {
	location    string
	user, value any
	reason      string
}

func (e incompatible) Error() string {
	return fmt.Sprintf("incompatible value: value at %s set by user to %v but CAPZ must set it to %v %s. "+
		"The user-defined value must not be defined, or must match CAPZ's desired value.", e.location, e.user, e.value, e.reason)
}

// mutator changes the resources of a spec before they are applied.
type mutator func([]*unstructured.Unstructured) error

// mutated returns the resources of a spec as they are to be applied.
func mutated(resources []runtime.RawExtension, mutators ...mutator) ([]*unstructured.Unstructured, error) {
	objects := make([]*unstructured.Unstructured, 0, len(resources))
	for _, each := range resources {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(each.Raw); err != nil {
			return nil, fmt.Errorf("failed to unmarshal resource JSON: %w", err)
		}
		objects = append(objects, object)
	}
	for _, mutate := range mutators {
		if err := mutate(objects); err != nil {
			return nil, terminal(fmt.Errorf("failed to run mutator: %w", err))
		}
	}
	return objects, nil
}

// terminal keeps what only another spec can mend from being tried again.
func terminal(err error) error {
	if _, ok := errors.AsType[incompatible](err); ok {
		return reconcile.TerminalError(err)
	}
	return err
}

// paused makes Azure Service Operator leave the resources alone.
func paused(objects []*unstructured.Unstructured) error {
	for i, object := range objects {
		annotations := object.GetAnnotations()
		if policy, found := annotations[policyAnnotation]; found && policy != policySkip {
			return terminal(incompatible{
				location: fmt.Sprintf("spec.resources[%d].metadata.annotations.%s", i, policyAnnotation),
				user:     policy, value: policySkip, reason: "because the CAPZ resource is paused",
			})
		}
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[policyAnnotation] = policySkip
		object.SetAnnotations(annotations)
	}
	return nil
}

// found is one of the resources of a spec.
type found struct {
	*unstructured.Unstructured

	path string
}

// find returns the first resource of a kind, in whatever version; nil if there is none.
func find(objects []*unstructured.Unstructured, kind *asospec.Kind) *found {
	for i, object := range objects {
		if object.GroupVersionKind().GroupKind() == kind.GroupKind {
			return &found{object, fmt.Sprintf("spec.resources[%d]", i)}
		}
	}
	return nil
}

// set sets a field that the user must have left out, or set to the same.
func (f *found) set(value any, reason string, path ...string) error {
	user, present, err := unstructured.NestedFieldNoCopy(f.Object, path...)
	if err != nil {
		return err
	}
	if present && user != value {
		return incompatible{location: f.path + "." + strings.Join(path, "."), user: user, value: value, reason: reason}
	}
	return unstructured.SetNestedField(f.Object, value, path...)
}
