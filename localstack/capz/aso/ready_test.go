package aso

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

const retry = 7 * time.Second

func TestVerdicts(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		want  ready
		after time.Duration
	}{
		"done": {nil, ready{status: "True", reason: "Succeeded"}, 0},
		"under way": {
			resource.NewInProgress("PUT", "/id", time.Second),
			ready{"False", "Info", "Reconciling", "The resource is in the process of being reconciled by the operator"}, time.Second,
		},
		"waiting for something else": {
			warning(reasonWaitingForOwner, errors.New("no owner")),
			ready{"False", "Warning", "WaitingForOwner", "no owner"}, retry,
		},
		"only a person can help": {
			&impossible{severityError, reasonFailed, errors.New("no name")},
			ready{"False", "Error", "Failed", "no name"}, 0,
		},
		"anything else": {
			errors.New("connection refused"),
			ready{"False", "Warning", "Failed", "connection refused"}, retry,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, after := verdict(test.err, retry)
			if got != test.want || after != test.after {
				t.Errorf("got %+v after %s, want %+v after %s", got, after, test.want, test.after)
			}
		})
	}
}

// TestWhichConditionIsShown follows the rules of pkg/genruntime/conditions.
func TestWhichConditionIsShown(t *testing.T) {
	refused := ready{"False", "Warning", "QuotaExceeded", "too many"}
	waiting := ready{"False", "Warning", "WaitingForOwner", "no owner"}
	for name, test := range map[string]struct {
		have       ready
		generation int64
		next       ready
		seen       bool
		want       ready
	}{
		"the first one":                                 {ready{}, 0, reconciling(), false, reconciling()},
		"a refusal stays while it is retried":           {refused, 1, reconciling(), false, refused},
		"a refusal of an earlier spec does not":         {refused, 0, reconciling(), false, reconciling()},
		"waiting ends when work begins":                 {waiting, 1, reconciling(), false, reconciling()},
		"success ends a refusal":                        {refused, 1, succeeded(), false, succeeded()},
		"success is over when work begins":              {succeeded(), 1, reconciling(), false, succeeded()},
		"once the resource was looked at, work is told": {refused, 1, reconciling(), true, reconciling()},
		"deletion is always told":                       {refused, 1, deleting(), false, deleting()},
	} {
		t.Run(name, func(t *testing.T) {
			object := &unstructured.Unstructured{Object: map[string]any{}}
			object.SetGeneration(test.generation)
			if test.have != (ready{}) {
				setReady(object, test.have, false, time.Unix(1, 0))
			}
			object.SetGeneration(1)
			setReady(object, test.next, test.seen, time.Unix(2, 0))
			got, generation := readyOf(object)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(ready{})); diff != "" {
				t.Errorf("condition (-want +got):\n%s", diff)
			}
			if generation != 1 {
				t.Errorf("it is about generation %d, want 1", generation)
			}
		})
	}
}

func TestTheTimeIsOfTheTransition(t *testing.T) {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetGeneration(1)
	for i := range int64(3) {
		setReady(object, succeeded(), false, time.Unix(i, 0))
	}
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	condition, _ := conditions[0].(map[string]any)
	if condition["lastTransitionTime"] != "1970-01-01T00:00:00Z" {
		t.Errorf("the time is %v, want that of the first time", condition["lastTransitionTime"])
	}
}
