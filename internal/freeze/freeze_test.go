package freeze_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/freeze"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const manager = "fleetwright-system"

type change func(*fleetwrightv1.Freeze)

func made(namespace, name string, mode fleetwrightv1.FreezeMode, changes ...change) fleetwrightv1.Freeze {
	f := fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       fleetwrightv1.FreezeSpec{Scope: fleetwrightv1.FreezeScopeAll, Reconcile: mode, Reason: "INC-1"},
	}
	for _, c := range changes {
		c(&f)
	}
	return f
}

func from(hours int) change {
	return func(f *fleetwrightv1.Freeze) {
		f.Spec.From = ptr.To(metav1.NewTime(noon.Add(time.Duration(hours) * time.Hour)))
	}
}

func until(hours int) change {
	return func(f *fleetwrightv1.Freeze) {
		f.Spec.Until = ptr.To(metav1.NewTime(noon.Add(time.Duration(hours) * time.Hour)))
	}
}

func selects(key string, operator metav1.LabelSelectorOperator, values ...string) change {
	return func(f *fleetwrightv1.Freeze) {
		f.Spec.Scope = fleetwrightv1.FreezeScopeSelected
		f.Spec.ClusterSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: key, Operator: operator, Values: values}}}
	}
}

func deleted(f *fleetwrightv1.Freeze) {
	f.DeletionTimestamp = ptr.To(metav1.NewTime(noon))
	f.Finalizers = []string{"example.com/hold"}
}

const (
	nonDisruptive = fleetwrightv1.FreezeModeNonDisruptive
	paused        = fleetwrightv1.FreezeModePaused
)

func TestStrictest(t *testing.T) {
	for name, tc := range map[string]struct {
		freezes []fleetwrightv1.Freeze
		want    freeze.Effect
	}{
		"none": {},
		"of its namespace": {
			freezes: []fleetwrightv1.Freeze{made("prod", "a", nonDisruptive)},
			want:    freeze.Effect{Mode: "NonDisruptive", Message: "Freeze prod/a (NonDisruptive): INC-1"},
		},
		"of the fleet": {
			freezes: []fleetwrightv1.Freeze{made(manager, "a", paused)},
			want:    freeze.Effect{Mode: "Paused", Message: "Freeze fleetwright-system/a (Paused): INC-1"},
		},
		"of another namespace": {freezes: []fleetwrightv1.Freeze{made("staging", "a", paused, until(1))}},
		"its until is told": {
			freezes: []fleetwrightv1.Freeze{made("prod", "a", paused, from(-1), until(1))},
			want:    freeze.Effect{Mode: "Paused", Message: "Freeze prod/a (Paused) until 2026-11-23T13:00:00Z: INC-1", CheckAgain: noon.Add(time.Hour)},
		},
		"as it begins": {
			freezes: []fleetwrightv1.Freeze{made("prod", "a", paused, from(0))},
			want:    freeze.Effect{Mode: "Paused", Message: "Freeze prod/a (Paused): INC-1"},
		},
		"before it begins": {
			freezes: []fleetwrightv1.Freeze{made("prod", "a", paused, from(2), until(3))},
			want:    freeze.Effect{CheckAgain: noon.Add(2 * time.Hour)},
		},
		"as it ends": {freezes: []fleetwrightv1.Freeze{made("prod", "a", paused, until(0))}},
		"deleted":    {freezes: []fleetwrightv1.Freeze{made("prod", "a", paused, until(1), deleted)}},
		"its label is selected": {
			freezes: []fleetwrightv1.Freeze{made("prod", "a", paused, selects("stage", metav1.LabelSelectorOpIn, "production"))},
			want:    freeze.Effect{Mode: "Paused", Message: "Freeze prod/a (Paused): INC-1"},
		},
		"another label is selected": {freezes: []fleetwrightv1.Freeze{made("prod", "a", paused, until(1), selects("stage", metav1.LabelSelectorOpIn, "test"))}},
		"a selector that nobody can read": {
			freezes: []fleetwrightv1.Freeze{made("prod", "a", paused, selects("stage", "in", "test"))},
			want:    freeze.Effect{Mode: "Paused", Message: "Freeze prod/a (Paused): INC-1"},
		},
		"Paused before NonDisruptive, though it ends sooner": {
			freezes: []fleetwrightv1.Freeze{made("prod", "a", nonDisruptive, until(9)), made("prod", "b", paused, until(1)), made(manager, "c", nonDisruptive)},
			want:    freeze.Effect{Mode: "Paused", Message: "Freeze prod/b (Paused) until 2026-11-23T13:00:00Z: INC-1", CheckAgain: noon.Add(time.Hour)},
		},
		"of equals the one that ends last": {
			freezes: []fleetwrightv1.Freeze{made("prod", "a", paused, until(1)), made("prod", "b", paused, until(2))},
			want:    freeze.Effect{Mode: "Paused", Message: "Freeze prod/b (Paused) until 2026-11-23T14:00:00Z: INC-1", CheckAgain: noon.Add(time.Hour)},
		},
		"of equals the one without end": {
			freezes: []fleetwrightv1.Freeze{made("prod", "z", paused), made("prod", "b", paused, until(2))},
			want:    freeze.Effect{Mode: "Paused", Message: "Freeze prod/z (Paused): INC-1", CheckAgain: noon.Add(2 * time.Hour)},
		},
		"of equals the first by name": {
			freezes: []fleetwrightv1.Freeze{made("prod", "b", paused), made("prod", "a", paused)},
			want:    freeze.Effect{Mode: "Paused", Message: "Freeze prod/a (Paused): INC-1"},
		},
		"a stricter one lies ahead": {
			freezes: []fleetwrightv1.Freeze{made("prod", "b", nonDisruptive), made("prod", "a", paused, from(1))},
			want:    freeze.Effect{Mode: "NonDisruptive", Message: "Freeze prod/b (NonDisruptive): INC-1", CheckAgain: noon.Add(time.Hour)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			target := freeze.Target{Namespace: "prod", ClusterLabels: map[string]string{"stage": "production"}}
			got := freeze.Strictest(tc.freezes, target, manager, noon)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Strictest() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoHolds(t *testing.T) {
	f := made("prod", "a", paused)
	for message, want := range map[string]bool{
		"Freeze prod/a (Paused): INC-1; held back: creates pool x": true,
		"Freeze prod/a (NonDisruptive): INC-1":                     false, // it was stricter made since
		"Freeze prod/aa (Paused): INC-1":                           false,
		"Freeze prod/b (Paused): see Freeze prod/a (Paused)":       false,
		"": false,
	} {
		if got := freeze.HeldBy(&f, message); got != want {
			t.Errorf("HeldBy(%q) = %t, want %t", message, got, want)
		}
	}
}

type reader struct {
	client.Reader

	freezes []fleetwrightv1.Freeze
	err     error
}

func (r reader) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*fleetwrightv1.FreezeList).Items = r.freezes
	return r.err
}

func TestFreezesThatCannotBeReadHoldWhatIsDisruptive(t *testing.T) {
	got := freeze.InEffect(t.Context(), reader{err: errors.New("no answer")}, "prod", nil, manager, noon)
	want := freeze.Effect{
		Mode: "NonDisruptive", Message: "Freezes cannot be read, so nothing disruptive is done: no answer", CheckAgain: noon.Add(15 * time.Second),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("InEffect() (-want +got):\n%s", diff)
	}
	got = freeze.InEffect(t.Context(), reader{freezes: []fleetwrightv1.Freeze{made(manager, "a", paused, selects("stage", metav1.LabelSelectorOpExists))}},
		"prod", map[string]string{"stage": "production"}, manager, noon)
	if got.Mode != "Paused" {
		t.Errorf("InEffect() = %+v, want Paused", got)
	}
}
