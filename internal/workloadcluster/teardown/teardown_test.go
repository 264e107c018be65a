package teardown_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/teardown"
)

var deleted = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

// whole is a cluster that serves, and is to be deleted.
func whole() teardown.World {
	part := func(kind, name string) teardown.Part { return teardown.Part{Kind: kind, Name: name} }
	return teardown.World{
		Policy: "Delete", Deleted: deleted, ClusterServes: true,
		Cluster: part("Cluster", "c1"), Config: part("AzureClusterAdditionalConfig", "c1"), Claim: part("AddressClaim", "c1"),
		Nodepools: []teardown.Part{part("Nodepool", "c1-general"), part("Nodepool", "c1-system")},
	}
}

// say writes a plan on one line.
func say(p teardown.Plan) string {
	var did []string
	if p.Unlabel {
		did = append(did, "unlabel")
	}
	if p.Release {
		did = append(did, "release")
	}
	for _, d := range p.Delete {
		did = append(did, "delete "+d.Kind+" "+d.Name)
	}
	if p.Gone {
		did = append(did, "GONE")
	}
	if !p.CheckAgain.IsZero() {
		did = append(did, "again after "+p.CheckAgain.Sub(deleted).String())
	}
	return fmt.Sprintf("[%s] %s: %s", strings.Join(did, ", "), p.Reason, p.Message)
}

func TestNext(t *testing.T) {
	const everything = "AzureClusterAdditionalConfig c1, Cluster c1, Nodepool c1-general, Nodepool c1-system"
	for name, test := range map[string]struct {
		change func(*teardown.World)
		after  time.Duration
		want   string
	}{
		"protected": {change: func(w *teardown.World) { w.Policy, w.Held = "Protect", "Freeze x" },
			want: "[] DeletionProtected: deletionPolicy is Protect, which it is if it is not set, so nothing is taken away: set spec.deletionPolicy to Delete or Retain to go on"},
		"protected without a word": {change: func(w *teardown.World) { w.Policy = "" },
			want: "[] DeletionProtected: deletionPolicy is Protect, which it is if it is not set, so nothing is taken away: set spec.deletionPolicy to Delete or Retain to go on"},
		"held": {change: func(w *teardown.World) { w.Held, w.HeldReason = "Freeze ops/sale: black friday", "Frozen" },
			want: "[] Frozen: nothing is taken away: Freeze ops/sale: black friday"},
		"held and to be retained": {change: func(w *teardown.World) {
			w.Policy, w.Held, w.HeldReason = "Retain", "Cluster c1 is paused", "ClusterPaused"
		},
			want: "[] ClusterPaused: nothing is taken away: Cluster c1 is paused"},
		"held half-way": {change: func(w *teardown.World) {
			*w = going(*w)
			w.Cluster.Deleting, w.Held, w.HeldReason = false, "Freeze x", "Frozen"
		},
			want: "[] Frozen: nothing is taken away: Freeze x"},

		"retained": {change: func(w *teardown.World) {
			w.Policy, w.Addons, w.AddonLabels = "Retain", []string{"HelmReleaseProxy c1-cni"}, true
		},
			want: "[release] Retaining: lets go of " + everything + ", AddressClaim c1"},
		"retained, of what is being deleted": {change: func(w *teardown.World) { *w = going(*w); w.Policy = "Retain" },
			want: "[release] Retaining: lets go of " + everything + ", AddressClaim c1"},
		"retained, only addresses are left": {change: func(w *teardown.World) { *w = teardown.World{Policy: "Retain", Claim: w.Claim} },
			want: "[release] Retaining: lets go of AddressClaim c1"},
		"retained, and all let go of": {change: func(w *teardown.World) { *w = teardown.World{Policy: "Retain", ClusterServes: true, Addons: w.Addons} },
			want: "[GONE] Retaining: everything serves on without this object"},

		"add-ons first": {change: func(w *teardown.World) {
			w.Addons, w.AddonLabels = []string{"HelmReleaseProxy c1-cni", "HelmReleaseProxy c1-csi"}, true
		}, after: time.Minute,
			want: "[unlabel, again after 1m10s] DeletingAddons: add-ons are taken out, which is waited for until 09:10:00 UTC: HelmReleaseProxy c1-cni, HelmReleaseProxy c1-csi"},
		"add-ons on their way": {change: func(w *teardown.World) { w.Addons = []string{"HelmReleaseProxy c1-cni"} }, after: 9*time.Minute + 55*time.Second,
			want: "[again after 10m0s] DeletingAddons: add-ons are taken out, which is waited for until 09:10:00 UTC: HelmReleaseProxy c1-cni"},
		"many add-ons": {change: func(w *teardown.World) { w.Addons = []string{"A a", "A b", "A c", "A d", "A e", "A f", "A g"} },
			want: "[again after 10s] DeletingAddons: add-ons are taken out, which is waited for until 09:10:00 UTC: A a, A b, A c, A d, A e and 2 more"},
		"add-ons that do not go": {change: func(w *teardown.World) { w.Addons = []string{"HelmReleaseProxy c1-cni"} }, after: 10 * time.Minute,
			want: "[delete AzureClusterAdditionalConfig c1, delete Cluster c1] DeletingCluster: being deleted: " + everything},
		"add-ons of a cluster that does not answer": {change: func(w *teardown.World) { w.Addons, w.ClusterServes = []string{"HelmReleaseProxy c1-cni"}, false },
			want: "[delete AzureClusterAdditionalConfig c1, delete Cluster c1] DeletingCluster: being deleted: " + everything},
		"add-ons of a cluster that is being deleted": {change: func(w *teardown.World) { *w = going(*w); w.Addons = []string{"HelmReleaseProxy c1-cni"} },
			want: "[] DeletingCluster: being deleted: " + everything},
		"add-ons of a cluster that is gone": {change: func(w *teardown.World) { w.Cluster, w.Addons = teardown.Part{}, []string{"HelmReleaseProxy c1-cni"} },
			want: "[delete AzureClusterAdditionalConfig c1, delete Nodepool c1-general, delete Nodepool c1-system] DeletingCluster: being deleted: AzureClusterAdditionalConfig c1, Nodepool c1-general, Nodepool c1-system"},

		"config and cluster": {want: "[delete AzureClusterAdditionalConfig c1, delete Cluster c1] DeletingCluster: being deleted: " + everything},
		"then its pools": {change: func(w *teardown.World) { w.Cluster.Deleting, w.Config.Deleting = true, true },
			want: "[delete Nodepool c1-general, delete Nodepool c1-system] DeletingCluster: being deleted: " + everything},
		"a config that comes back": {change: func(w *teardown.World) { *w = going(*w); w.Config.Deleting = false },
			want: "[delete AzureClusterAdditionalConfig c1] DeletingCluster: being deleted: " + everything},
		"what is waited for, in its words": {change: func(w *teardown.World) {
			*w = going(*w)
			w.Config.Words, w.Nodepools = "role AcrPull: Azure refuses with 403", nil
		}, want: "[] DeletingCluster: being deleted: AzureClusterAdditionalConfig c1 (role AcrPull: Azure refuses with 403), Cluster c1"},

		"addresses last": {change: func(w *teardown.World) { w.Cluster, w.Config, w.Nodepools = teardown.Part{}, teardown.Part{}, nil },
			want: "[delete AddressClaim c1] ReleasingAddresses: the cluster is gone, and its addresses are given back: AddressClaim c1"},
		"addresses on their way": {change: func(w *teardown.World) {
			*w = teardown.World{Policy: "Delete", Claim: teardown.Part{Kind: "AddressClaim", Name: "c1", Deleting: true, Words: "Cluster c1 is there"}}
		}, want: "[] ReleasingAddresses: the cluster is gone, and its addresses are given back: AddressClaim c1 (Cluster c1 is there)"},
		"nothing": {change: func(w *teardown.World) { *w = teardown.World{Policy: "Delete"} }, want: "[GONE] ReleasingAddresses: nothing is left"},
	} {
		t.Run(name, func(t *testing.T) {
			w := whole()
			if test.change != nil {
				test.change(&w)
			}
			if diff := cmp.Diff(test.want, say(teardown.Next(w, deleted.Add(test.after)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// going is a cluster of which everything is being deleted but the addresses.
func going(w teardown.World) teardown.World {
	w.Cluster.Deleting, w.Config.Deleting = true, true
	for i := range w.Nodepools {
		w.Nodepools[i].Deleting = true
	}
	return w
}

// Whatever there is, and in whatever order it vanishes: all ends, in order, and nothing that is to stay is touched.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := func(name string) teardown.Part {
			if rapid.Bool().Draw(t, "no "+name) {
				return teardown.Part{}
			}
			return teardown.Part{Kind: name, Name: "c1", Deleting: rapid.Bool().Draw(t, name+" is being deleted")}
		}
		w := teardown.World{
			Policy: rapid.SampledFrom([]fleetwrightv1.DeletionPolicy{"", "Protect", "Retain", "Delete", "Delete"}).Draw(t, "policy"),
			Held:   rapid.SampledFrom([]string{"", "", "Freeze x"}).Draw(t, "held"), HeldReason: "Frozen", Deleted: deleted,
			ClusterServes: rapid.Bool().Draw(t, "serves"), AddonLabels: rapid.Bool().Draw(t, "labels"),
			Cluster: part("Cluster"), Config: part("Config"), Claim: part("Claim"), Nodepools: []teardown.Part{part("a"), part("b")},
		}
		for i := range rapid.IntRange(0, 7).Draw(t, "add-ons") {
			w.Addons = append(w.Addons, fmt.Sprintf("A a%d", i))
		}
		all := func() []*teardown.Part {
			return []*teardown.Part{&w.Config, &w.Cluster, &w.Nodepools[0], &w.Nodepools[1], &w.Claim}
		}
		now := deleted
		for range 300 {
			plan := teardown.Next(w, now)
			left := 0
			for _, p := range all() {
				if p.Name != "" {
					left++
				}
			}
			if plan.Gone && left > 0 || !plan.Gone && left == 0 && w.Policy == "Delete" && w.Held == "" {
				t.Fatalf("%d parts left: %s", left, say(plan))
			}
			if plan.Reason == "" || plan.Message == "" || !plan.CheckAgain.IsZero() && !plan.CheckAgain.After(now) {
				t.Fatalf("a plan without words or end: %s", say(plan))
			}
			if w.Policy != "Delete" && (len(plan.Delete) > 0 || plan.Unlabel) || w.Policy != "Retain" && plan.Release || w.Held != "" && (len(plan.Delete) > 0 || plan.Unlabel || plan.Release) {
				t.Fatalf("with %q and %q: %s", w.Policy, w.Held, say(plan))
			}
			if plan.Gone {
				return
			}
			for _, d := range plan.Delete {
				if d.Name == "" || d.Deleting || d.Kind == "Claim" && left > 1 || (d.Kind == "a" || d.Kind == "b") && w.Cluster.Name != "" && !w.Cluster.Deleting {
					t.Fatalf("deletes %+v in %+v", d, w)
				}
				for _, p := range all() {
					if p.Kind == d.Kind {
						p.Deleting = true
					}
				}
			}
			if plan.Unlabel {
				w.AddonLabels = false
			}
			for _, p := range all() {
				if plan.Release || p.Deleting && rapid.IntRange(0, 3).Draw(t, "vanishes") == 0 {
					*p = teardown.Part{}
				}
			}
			if len(w.Addons) > 0 && rapid.IntRange(0, 5).Draw(t, "uninstalled") == 0 {
				w.Addons = w.Addons[1:]
			}
			now = now.Add(30 * time.Second)
		}
		if w.Policy != "" && w.Policy != "Protect" && w.Held == "" {
			t.Fatalf("it does not end: %+v", w)
		}
	})
}
