package additionalconfig

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/hold"
)

var (
	noon   = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	things = section.Section{
		Name: "things", Kind: "Thing", Fixed: []string{"id"},
		Same: func(field string, want, is section.Written) bool {
			return want.Spec[field] == "1" && is.Spec[field] == is.Annotations["one"]
		},
	}
)

// told1 is what the objects of these tests get from their config.
func told1() map[string]any {
	return map[string]any{"clusterName": "c", "reconcile": "Active", "deletionPolicy": "Delete", "driftPolicy": "Heal"}
}

// thing is the spec of an object, with what it gets from the config.
func thing(more ...string) map[string]any {
	out := told1()
	out["id"], out["size"] = "1", "small"
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		out[name] = value
	}
	return out
}

func wants(name string) wanted {
	return wanted{target: target{"Thing", name}, section: things, spec: thing()}
}

// has is an object of ours that is as it should be, and says so.
func has(name string, change ...func(*found)) found {
	f := found{
		target: target{"Thing", name}, uid: "uid", ours: true, generation: 2, spec: thing(), labelled: true,
		conditions: []metav1.Condition{{Type: "Ready", Status: "True", Reason: "Ready", Message: "fine", ObservedGeneration: 2}},
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func foreign(f *found)    { f.ours = false }
func leaving(f *found)    { f.deleting = true }
func unlabelled(f *found) { f.labelled = false }
func spec(more ...string) func(*found) {
	return func(f *found) { f.spec = thing(more...) }
}
func called(one string) func(*found) {
	return func(f *found) { f.annotations = map[string]string{"one": one} }
}
func says(kind, status, reason, message string, generation int64) func(*found) {
	return func(f *found) {
		c := metav1.Condition{Type: kind, Status: metav1.ConditionStatus(status), Reason: reason, Message: message, ObservedGeneration: generation}
		if kind == "Ready" {
			f.conditions = nil
		}
		f.conditions = append(f.conditions, c)
	}
}

// tellOf is a plan on a few lines: what is done, what is held back, how each object is, and what the conditions say.
func tellOf(w world, p plan) []string {
	var out []string
	for _, a := range p.actions {
		line := "do " + a.String()
		if a.verb == tell || a.verb == remove && len(a.spec) > 0 {
			line += fmt.Sprint(" ", a.spec)
		}
		out = append(out, line)
	}
	for _, a := range p.held {
		out = append(out, "hold "+a.String())
	}
	if p.gone {
		out = append(out, "gone")
	}
	if !p.checkAgain.IsZero() {
		out = append(out, "again in "+p.checkAgain.Sub(noon).String())
	}
	for _, c := range conditions([]section.Section{things}, w, p) {
		if quiet := c.Type == "Paused" && c.Reason == "NotPaused" || c.Type == "Deleting" && c.Reason == "NotDeleting"; !quiet {
			out = append(out, fmt.Sprintf("%s %s %s: %s", c.Type, c.Status, c.Reason, c.Message))
		}
	}
	return out
}

func TestDecide(t *testing.T) {
	frozen := hold.Hold{Reason: "Frozen", Message: "Freeze x", NonDisruptive: true}
	stopped := hold.Hold{Reason: "Frozen", Message: "Freeze x"}
	paused := hold.Hold{Reason: "Paused", Message: "it says so"}
	for name, test := range map[string]struct {
		world world
		want  []string
	}{
		"the spec asks for nothing": {want: []string{"Ready True Ready: the spec asks for nothing"}},
		"an object is missing": {
			world: world{wanted: []wanted{wants("a")}},
			want: []string{
				"do Create Thing a", "again in 1m0s",
				"Ready False ThingsNotReady: Thing a: it is not there yet", "ThingsReady False Creating: Thing a: it is not there yet",
			},
		},
		"all is well": {
			world: world{wanted: []wanted{wants("a"), wants("b")}, found: []found{has("a"), has("b")}},
			want:  []string{"Ready True Ready: all is ready: 2", "ThingsReady True Ready: all is ready: 2"},
		},
		"the first that is not ready is told of": {
			world: world{wanted: []wanted{wants("a"), wants("b"), wants("c")}, found: []found{
				has("a"), has("b", says("Ready", "False", "WaitingForIdentity", "not yet", 2)), has("c", says("Ready", "Unknown", "Later", "who knows", 2)),
			}},
			want: []string{
				"Ready False ThingsNotReady: Thing b: not yet", "ThingsReady False WaitingForIdentity: Thing b: not yet",
			},
		},
		"what an object says about an earlier spec is not believed": {
			world: world{wanted: []wanted{wants("a")}, found: []found{has("a", says("Ready", "True", "Ready", "fine", 1))}},
			want: []string{
				"Ready Unknown ThingsNotReady: Thing a: it has said nothing about its present spec yet",
				"ThingsReady Unknown NotReported: Thing a: it has said nothing about its present spec yet",
			},
		},
		"an object is stuck": {
			world: world{wanted: []wanted{wants("a")}, found: []found{
				has("a", says("Ready", "False", "PermissionDenied", "grant it", 2), says("Stalled", "True", "PermissionDenied", "grant it", 2)),
			}},
			want: []string{
				"Ready False ThingsNotReady: Thing a: grant it", "ThingsReady False PermissionDenied: Thing a: grant it",
				"Stalled True PermissionDenied: Thing a: grant it",
			},
		},
		"a spec was changed": {
			world: world{wanted: []wanted{wants("a")}, found: []found{has("a", spec("size=large"))}},
			want: []string{
				"do Apply Thing a", "Ready Unknown ThingsNotReady: Thing a: it has said nothing about its present spec yet",
				"ThingsReady Unknown NotReported: Thing a: it has said nothing about its present spec yet",
			},
		},
		"somebody set more in it": {
			world: world{wanted: []wanted{wants("a")}, found: []found{has("a", spec("colour=red"))}},
			want:  []string{"Ready True Ready: all is ready: 1", "ThingsReady True Ready: all is ready: 1"},
		},
		"it has what the spec once had": {
			world: world{wanted: []wanted{wants("a")}, found: []found{has("a", spec("colour=red"), func(f *found) { f.owned = map[string]any{"f:colour": map[string]any{}} })}},
			want: []string{
				"do Apply Thing a", "Ready Unknown ThingsNotReady: Thing a: it has said nothing about its present spec yet",
				"ThingsReady Unknown NotReported: Thing a: it has said nothing about its present spec yet",
			},
		},
		"a label was taken off": {
			world: world{wanted: []wanted{wants("a")}, found: []found{has("a", unlabelled)}},
			want:  []string{"do Apply Thing a", "Ready True Ready: all is ready: 1", "ThingsReady True Ready: all is ready: 1"},
		},
		"what cannot be changed was changed": {
			world: world{wanted: []wanted{wants("a")}, found: []found{has("a", spec("id=2"))}},
			want: []string{
				"do Remove Thing a", "Ready False ThingsNotReady: Thing a: what cannot be changed in it was changed: it is removed and made anew",
				"ThingsReady False Replacing: Thing a: what cannot be changed in it was changed: it is removed and made anew",
			},
		},
		"what cannot be changed is only written in another way": {
			world: world{wanted: []wanted{wants("a"), wants("b")}, found: []found{has("a", spec("id=one"), called("one")), has("b", spec("id=one", "size=large"), called("one"))}},
			want: []string{
				"do Apply Thing b", "Ready Unknown ThingsNotReady: Thing b: it has said nothing about its present spec yet",
				"ThingsReady Unknown NotReported: Thing b: it has said nothing about its present spec yet",
			},
		},
		"what is being removed is waited for": {
			world: world{wanted: []wanted{wants("a")}, found: []found{has("a", spec("id=2"), leaving, says("Deleting", "True", "Releasing", "Azure is asked", 2))}},
			want: []string{
				"Ready False ThingsNotReady: Thing a: it is being removed and made anew: Azure is asked",
				"ThingsReady False Replacing: Thing a: it is being removed and made anew: Azure is asked",
			},
		},
		"who is removed to be made anew hears that it may go on, and what to leave in Azure": {
			world: world{wanted: []wanted{wants("a")}, found: []found{has("a", spec("id=2", "reconcile=Paused", "deletionPolicy=Retain"), leaving)}},
			want: []string{
				"do Tell Thing a map[deletionPolicy:Delete reconcile:Active]",
				"Ready False ThingsNotReady: Thing a: it is being removed and made anew", "ThingsReady False Replacing: Thing a: it is being removed and made anew",
			},
		},
		"a name is taken": {
			world: world{wanted: []wanted{wants("a")}, found: []found{has("a", foreign, spec("size=large"))}},
			want: []string{
				"again in 1m0s",
				"Ready False ThingsNotReady: Thing a: an object of this name exists and is not owned by this AzureClusterAdditionalConfig: delete it, or take the entry out",
				"ThingsReady False NameTaken: Thing a: an object of this name exists and is not owned by this AzureClusterAdditionalConfig: delete it, or take the entry out",
				"Stalled True NameTaken: Thing a: an object of this name exists and is not owned by this AzureClusterAdditionalConfig: delete it, or take the entry out",
			},
		},
		"an entry was taken out": {
			world: world{wanted: []wanted{wants("a")}, found: []found{has("a"), has("b"), has("c", foreign)}},
			want: []string{
				"do Remove Thing b", "Ready False Removing: Thing b: it is being removed", "ThingsReady True Ready: all is ready: 1",
			},
		},
		"who is removed hears what to leave in Azure": {
			world: world{found: []found{has("b", spec("deletionPolicy=Retain", "driftPolicy=Report"))}},
			want:  []string{"do Remove Thing b map[deletionPolicy:Delete]", "Ready False Removing: Thing b: it is being removed"},
		},
		"also when it is being removed already": {
			world: world{found: []found{has("b", leaving, spec("reconcile=Paused"))}},
			want:  []string{"do Tell Thing b map[reconcile:Active]", "Ready False Removing: Thing b: it is being removed"},
		},
		"nothing disruptive": {
			world: world{hold: frozen, wanted: []wanted{wants("a"), wants("b"), wants("c")}, found: []found{has("b", spec("size=large")), has("c", spec("id=2")), has("d")}},
			want: []string{
				"do Create Thing a", "do Apply Thing b", "hold Remove Thing c", "hold Remove Thing d", "again in 1m0s",
				"Ready False ThingsNotReady: Thing a: it is not there yet", "ThingsReady False Creating: Thing a: it is not there yet",
				"Paused True Frozen: Freeze x; held back: Remove Thing c, Remove Thing d",
			},
		},
		"nothing at all": {
			world: world{hold: stopped, wanted: []wanted{wants("a")}, found: []found{has("a", spec("size=large")), has("b", spec("size=large"))}},
			want: []string{
				"hold Apply Thing a", "hold Remove Thing b",
				"Ready False HeldBack: Freeze x; held back: Apply Thing a, Remove Thing b", "ThingsReady True Ready: all is ready: 1",
				"Paused True Frozen: Freeze x; held back: Apply Thing a, Remove Thing b",
			},
		},
		"a pause that holds nothing back": {
			world: world{hold: frozen, wanted: []wanted{wants("a")}, found: []found{has("a")}},
			want: []string{
				"Ready True Ready: all is ready: 1", "ThingsReady True Ready: all is ready: 1", "Paused True Frozen: Freeze x; nothing is held back",
			},
		},
		"there is no cluster": {
			world: world{clusterFound: true, created: noon.Add(-4 * time.Minute), wanted: []wanted{wants("a")}},
			want: []string{
				"again in 6m0s", "Ready False ClusterNotFound: there is no Cluster c in this namespace: nothing is made until there is",
				"ThingsReady False Creating: Thing a: it is not there yet",
			},
		},
		"there is no cluster for long": {
			world: world{clusterFound: true, created: noon.Add(-10 * time.Minute), found: []found{has("a")}},
			want: []string{
				"Ready False ClusterNotFound: there is no Cluster c in this namespace: nothing is made until there is",
				"Stalled True ClusterNotFound: there is no Cluster c in this namespace: nothing is made until there is",
			},
		},
		"it leaves": {
			world: world{deleting: true, wanted: []wanted{wants("a"), wants("b")}, found: []found{has("a", foreign), has("b"), has("c", leaving, says("Deleting", "True", "Releasing", "Azure is asked", 2))}},
			want: []string{
				"do Remove Thing b", "Ready False DeletingResources: what is left: 2, the first is Thing b: it is being removed",
				"Deleting True DeletingResources: what is left: 2, the first is Thing b: it is being removed",
			},
		},
		"it leaves, and is held": {
			world: world{deleting: true, hold: frozen, found: []found{has("b")}},
			want: []string{
				"hold Remove Thing b", "Ready False DeletingResources: what is left: 1, the first is Thing b: it is being removed",
				"Paused True Frozen: Freeze x; held back: Remove Thing b",
				"Deleting True DeletingResources: what is left: 1, the first is Thing b: it is being removed",
			},
		},
		"it leaves, and what it leaves is stuck": {
			world: world{deleting: true, found: []found{has("b", leaving, says("Stalled", "True", "PermissionDenied", "x", 2), says("Deleting", "True", "Releasing", "grant it", 2))}},
			want: []string{
				"Ready False DeletingResources: what is left: 1, the first is Thing b: it is being removed: grant it",
				"Deleting True DeletingResources: what is left: 1, the first is Thing b: it is being removed: grant it",
				"Stalled True PermissionDenied: Thing b: it is being removed: grant it",
			},
		},
		"it is protected": {
			world: world{deleting: true, policy: "Protect", found: []found{has("b")}},
			want: []string{
				"Ready False DeletionProtected: deletionPolicy is Protect: set it to Delete or Retain",
				"Deleting True DeletionProtected: deletionPolicy is Protect: set it to Delete or Retain",
			},
		},
		"it is gone": {
			world: world{deleting: true, wanted: []wanted{wants("a")}, found: []found{has("a", foreign)}},
			want: []string{
				"gone", "Ready False DeletingResources: everything is gone", "Deleting True DeletingResources: everything is gone",
			},
		},
		"a pause of its own is passed on, and nothing else": {
			world: world{hold: paused, paused: true, wanted: []wanted{wants("a"), wants("b")}, found: []found{has("a", spec("size=large")), has("b", spec("reconcile=Paused")), has("c", foreign), has("d")}},
			want: []string{
				"do Tell Thing a map[reconcile:Paused]", "do Tell Thing d map[reconcile:Paused]",
				"hold Apply Thing a", "hold Remove Thing d",
				"Ready False HeldBack: it says so; held back: Apply Thing a, Remove Thing d", "ThingsReady True Ready: all is ready: 2",
				"Paused True Paused: it says so; held back: Apply Thing a, Remove Thing d",
			},
		},
		"a pause of its own is passed on while the Cluster is paused, too": {
			world: world{hold: hold.Hold{Reason: "ClusterPaused", Message: "Cluster c is paused"}, paused: true, wanted: []wanted{wants("a")}, found: []found{has("a")}},
			want: []string{
				"do Tell Thing a map[reconcile:Paused]", "hold Apply Thing a",
				"Ready False HeldBack: Cluster c is paused; held back: Apply Thing a", "ThingsReady True Ready: all is ready: 1",
				"Paused True ClusterPaused: Cluster c is paused; held back: Apply Thing a",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := test.world
			w.name, w.told = "c", told1()
			w.clusterFound = !w.clusterFound // found unless the test says otherwise
			if w.paused {
				w.told["reconcile"] = "Paused"
				for i := range w.wanted {
					w.wanted[i].spec = thing("reconcile=Paused")
				}
			}
			if diff := cmp.Diff(test.want, tellOf(w, decide(w, noon))); diff != "" {
				t.Errorf("decided differently (-want +got):\n%s", diff)
			}
		})
	}
}

// Status has room for 64 objects: those that people look for come first.
func TestStatusTellsOfWhatIsNotReady(t *testing.T) {
	w := world{name: "c", told: told1(), clusterFound: true}
	for i := range 70 {
		name := fmt.Sprintf("o%02d", i)
		w.wanted = append(w.wanted, wants(name))
		if i < 67 {
			w.found = append(w.found, has(name))
		}
	}
	s := status(nil, decide(w, noon))
	if len(s.Resources) != 64 || *s.ResourcesTotal != 70 || *s.ResourcesReady != 67 {
		t.Errorf("%d resources, %d in all, %d ready", len(s.Resources), *s.ResourcesTotal, *s.ResourcesReady)
	}
	for i, want := range []string{"o67", "o68", "o69", "o00"} {
		if s.Resources[i].Name != want {
			t.Errorf("resource %d is %s, want %s", i, s.Resources[i].Name, want)
		}
	}
}
