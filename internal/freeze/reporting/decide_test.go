package reporting

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func frozen(name string, mode fleetwrightv1.FreezeMode) *fleetwrightv1.Freeze {
	return &fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Namespace: "fleet", Name: name},
		Spec:       fleetwrightv1.FreezeSpec{Scope: fleetwrightv1.FreezeScopeAll, Reconcile: mode, Reason: "INC-1"},
	}
}

// pool is a Nodepool that reports condition Paused with this reason and message, and that these Freezes reach.
func pool(name, reason, message string, freezes ...*fleetwrightv1.Freeze) object {
	status := metav1.ConditionTrue
	if reason == "NotPaused" {
		status = metav1.ConditionFalse
	}
	paused := &metav1.Condition{Type: "Paused", Status: status, Reason: reason, Message: message}
	return object{kind: "Nodepool", namespace: "prod", name: name, paused: paused, current: true, freezes: freezes}
}

func TestWhoCounts(t *testing.T) {
	a, b, weak := frozen("a", "Paused"), frozen("b", "Paused"), frozen("weak", "NonDisruptive")
	over := frozen("over", "Paused")
	over.Spec.Until = ptr.To(metav1.NewTime(noon))
	unseen := pool("p", "Paused", "the Nodepool says reconcile: Paused", a)
	unseen.current = false
	silent := pool("p", "", "", a)
	silent.paused = nil
	for name, tc := range map[string]struct {
		pool object
		want bool
	}{
		"it names the Freeze":                       {pool("p", "Frozen", "Freeze fleet/a (Paused): INC-1; held back: creates pool x", a), true},
		"it names the Freeze as it was before":      {pool("p", "Frozen", "Freeze fleet/a (NonDisruptive): INC-1", a), false},
		"it names another as strict":                {pool("p", "Frozen", "Freeze fleet/b (Paused): INC-2", a, b), true},
		"it names another that is weaker":           {pool("p", "Frozen", "Freeze fleet/weak (NonDisruptive): INC-3", a, weak), false},
		"it names another that is over":             {pool("p", "Frozen", "Freeze fleet/over (Paused) until 2026-11-23T12:00:00Z: INC-3", a, over), false},
		"it names another that is gone":             {pool("p", "Frozen", "Freeze fleet/gone (Paused): INC-3", a), false},
		"it could not read Freezes":                 {pool("p", "Frozen", "Freezes cannot be read, so nothing disruptive is done: no answer", a), false},
		"it says so and does not hold":              {pool("p", "NotPaused", "Freeze fleet/a (Paused): INC-1", a), false},
		"it is paused by its own field":             {pool("p", "Paused", "the Nodepool says reconcile: Paused", a), true},
		"its Cluster is paused":                     {pool("p", "ClusterPaused", "Cluster c is paused", a), true},
		"it was paused and has not seen the change": {unseen, false},
		"it asks for less disruption by its own":    {pool("p", "NonDisruptive", "the Nodepool says reconcile: NonDisruptive", a), false},
		"nobody has looked at it yet":               {silent, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := holds(&tc.pool, a, noon); got != tc.want {
				t.Errorf("holds() = %t, want %t", got, tc.want)
			}
		})
	}
}

func TestWhatAFreezeReports(t *testing.T) {
	const named = "Freeze fleet/a (Paused): INC-1"
	at := func(hours int) *metav1.Time {
		return ptr.To(metav1.NewTime(noon.Add(time.Duration(hours) * time.Hour)))
	}
	with := func(change func(*fleetwrightv1.Freeze)) *fleetwrightv1.Freeze {
		f := frozen("a", "Paused")
		change(f)
		return f
	}
	plain := frozen("a", "Paused")
	many := func(f *fleetwrightv1.Freeze, holding, others int) []object {
		var out []object
		for range holding {
			out = append(out, pool("h", "Frozen", named, f))
		}
		for i := range others {
			out = append(out, pool(fmt.Sprint("n", others-i), "NotPaused", "", f))
		}
		return out
	}
	unreadable := with(func(f *fleetwrightv1.Freeze) {
		f.Spec.Scope = "Selected"
		f.Spec.ClusterSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "stage", Operator: "in"}}}
	})
	ends := with(func(f *fleetwrightv1.Freeze) { f.Spec.Until = at(2) })
	for name, tc := range map[string]struct {
		world world
		want  view
	}{
		"all hold": {
			world{plain, many(plain, 240, 0)},
			view{matched: 240, holding: 240, status: "True", reason: "Held", message: "240 of 240 objects hold"},
		},
		"nothing is there": {
			world{plain, nil},
			view{status: "True", reason: "Held", message: "nothing is in reach; what comes holds from its first look"},
		},
		"some do not hold": {
			world{plain, many(plain, 1, 2)},
			view{matched: 3, holding: 1, status: "False", reason: "Converging", message: "1 of 3 objects hold; not yet: Nodepool prod/n1, Nodepool prod/n2"},
		},
		"many do not hold": {
			world{plain, many(plain, 0, 5)},
			view{matched: 5, status: "False", reason: "Converging", message: "0 of 5 objects hold; not yet: Nodepool prod/n1, Nodepool prod/n2, Nodepool prod/n3 and 2 more"},
		},
		"it will end": {
			world{ends, many(ends, 1, 0)},
			view{matched: 1, holding: 1, status: "True", reason: "Held", message: "1 of 1 objects hold", checkAgain: noon.Add(2 * time.Hour)},
		},
		"it lies ahead": {
			world{with(func(f *fleetwrightv1.Freeze) { f.Spec.From, f.Spec.Until = at(1), at(2) }), many(plain, 0, 2)},
			view{matched: 2, status: "False", reason: "Scheduled", message: "begins at 2026-11-23T13:00:00Z; objects in reach: 2", checkAgain: noon.Add(time.Hour)},
		},
		"it is over": {
			world{with(func(f *fleetwrightv1.Freeze) { f.Spec.Until = at(0) }), many(plain, 1, 0)},
			view{matched: 1, status: "False", reason: "Expired", message: "ended at 2026-11-23T12:00:00Z"},
		},
		"it is being deleted": {
			world{with(func(f *fleetwrightv1.Freeze) { f.DeletionTimestamp = at(0) }), nil},
			view{status: "False", reason: "Expired", message: "is being deleted and holds no longer"},
		},
		"its selector cannot be read": {
			world{unreadable, many(unreadable, 1, 0)},
			view{matched: 1, holding: 1, status: "True", reason: "Held", message: `1 of 1 objects hold; spec.clusterSelector cannot be read ("in" is not a valid label selector operator): correct it; until then everything in reach is selected`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, decide(tc.world, noon), cmp.AllowUnexported(view{})); diff != "" {
				t.Errorf("decide() (-want +got):\n%s", diff)
			}
		})
	}
}
