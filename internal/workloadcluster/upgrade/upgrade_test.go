package upgrade_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/workloadcluster/upgrade"
)

var now = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

// serving is a cluster that has what it wants: a System pool and two User pools of v1.33.5.
func serving() upgrade.World {
	w := upgrade.World{Wanted: "v1.33.5", Written: "v1.33.5", Reported: "v1.33.5", Window: true}
	for _, name := range []string{"batch", "general", "system"} {
		w.Pools = append(w.Pools, upgrade.Pool{Name: name, System: name == "system", Written: "v1.33.5", Kubelet: "v1.33.5", Settled: true, Words: "one pool as wanted"})
	}
	return w
}

func pool(w *upgrade.World, name string) *upgrade.Pool {
	i := slices.IndexFunc(w.Pools, func(p upgrade.Pool) bool { return p.Name == name })
	return &w.Pools[i]
}

// say writes a plan on one line.
func say(p upgrade.Plan) string {
	var pools []string
	for name, version := range p.Pools {
		pools = append(pools, name+"="+version)
	}
	slices.Sort(pools)
	verdict := ""
	if p.Stuck {
		verdict += " STUCK"
	}
	if p.UpToDate {
		verdict += " DONE"
	}
	if !p.CheckAgain.IsZero() {
		verdict += " until " + p.CheckAgain.UTC().Format("Jan _2 15:04")
	}
	return fmt.Sprintf("control plane %s, %s:%s %s: %s", p.ControlPlane, strings.Join(pools, " "), verdict, p.Reason, p.Message)
}

const (
	all5 = "batch=v1.33.5 general=v1.33.5 system=v1.33.5"
	// from here on the versions of the two sides of a step.
	sys2 = "batch=v1.33.5 general=v1.33.5 system=v1.34.2"
)

// Each question has the smallest world in which it is answered, and one in which it just is not.
func TestNext(t *testing.T) {
	tests := []struct {
		name   string
		change func(*upgrade.World)
		want   string
	}{
		{"nothing to do", func(*upgrade.World) {}, "control plane v1.33.5, " + all5 + ": DONE UpToDate: the control plane runs v1.33.5, and each pool has its version"},

		{"1 no version", func(w *upgrade.World) { w.Wanted = "latest" },
			"control plane v1.33.5, " + all5 + `: STUCK InvalidSpec: version "latest" is not one of Kubernetes: write it as v1.34.2`},
		{"1 a control plane that asks for none", func(w *upgrade.World) { w.Written = "stable" },
			"control plane stable, " + all5 + `: STUCK InvalidSpec: the control plane's object asks for version "stable", which is not one of Kubernetes: write it as v1.34.2 there`},
		{"1 a pin that is none", func(w *upgrade.World) { pool(w, "batch").Pinned = "old" },
			"control plane v1.33.5, " + all5 + `: STUCK InvalidSpec: version "old" of pool batch is not one of Kubernetes: write it as v1.34.2`},
		{"1 a range that is none", func(w *upgrade.World) { w.Addons = []upgrade.Addon{{Name: "cni", Versions: "new"}} },
			"control plane v1.33.5, " + all5 + `: STUCK InvalidSpec: kubernetesVersions "new" of add-on cni cannot be read: write it as ">=1.32.0 <1.36.0"`},
		{"1 a pin above the cluster", func(w *upgrade.World) { pool(w, "batch").Pinned = "v1.34.2" },
			"control plane v1.33.5, " + all5 + ": STUCK InvalidSpec: version v1.34.2 of pool batch is above the cluster's v1.33.5: take it out, or raise version"},
		{"1 a pin above the spec, and not above what AKS made of it", func(w *upgrade.World) { pool(w, "batch").Pinned, w.Reported = "v1.33.9", "v1.33.9" },
			"control plane v1.33.5, batch=v1.33.9 general=v1.33.5 system=v1.33.5: NodepoolsUpgrading: 2 of 3 pools have their version; pool batch goes from v1.33.5 to v1.33.9"},
		{"1 a pin too far behind", func(w *upgrade.World) { pool(w, "batch").Pinned = "v1.29.9" },
			"control plane v1.33.5, " + all5 + ": STUCK InvalidSpec: version v1.29.9 of pool batch is more than 3 minor versions behind the cluster's v1.33.5: raise it first"},
		{"1 a pin just not too far behind", func(w *upgrade.World) {
			*pool(w, "batch") = upgrade.Pool{Name: "batch", Pinned: "v1.30.9", Written: "v1.30.9", Settled: true}
		},
			"control plane v1.33.5, batch=v1.30.9 general=v1.33.5 system=v1.33.5: DONE UpToDate: the control plane runs v1.33.5, and each pool has its version"},

		{"2 no control plane", func(w *upgrade.World) {
			*w = upgrade.World{Wanted: "v1.34.2", Pools: []upgrade.Pool{{Name: "system", System: true}, {Name: "batch", Pinned: "v1.33.5"}}}
		}, "control plane v1.34.2, batch=v1.33.5 system=v1.34.2: NotCreated: the control plane is being made with v1.34.2"},
		{"2 the spec changes while it is made", func(w *upgrade.World) {
			*w = upgrade.World{Wanted: "v1.34.9", Written: "v1.33.5", Window: true, Pools: []upgrade.Pool{{Name: "batch", Written: "v1.33.5"}, {Name: "new"}}}
		}, "control plane v1.33.5, batch=v1.33.5 new=v1.33.5: NotCreated: the control plane is being made with v1.33.5; v1.34.9 follows when it tells that it runs"},
		{"2 the spec goes down while it is made", func(w *upgrade.World) {
			*w = upgrade.World{Wanted: "v1.33.5", Written: "v1.34.9", Window: true, Pools: []upgrade.Pool{{Name: "batch", Written: "v1.34.9"}}}
		}, "control plane v1.34.9, batch=v1.34.9: NotCreated: the control plane is being made with v1.34.9; v1.33.5 is lower, and taken only if Azure refuses v1.34.9"},
		{"2 Azure refuses the version, and the spec changes, down as well, held or not", func(w *upgrade.World) {
			*w = upgrade.World{Wanted: "v1.33.5", Written: "v1.34.9", Refused: true, Held: "Freeze x", Pools: []upgrade.Pool{{Name: "batch", Written: "v1.34.9"}, {Name: "system", System: true, Written: "v1.34.9"}}}
		}, "control plane v1.33.5, batch=v1.33.5 system=v1.33.5: NotCreated: the control plane is being made with v1.33.5"},
		{"2 it came back from a backup", restored("v1.34.2"),
			"control plane v1.33.5, batch=v1.32.1 general=v1.33.5 system=v1.33.5: NotReported: the control plane does not tell which version it runs, so nothing is upgraded"},
		{"2 it came back from a backup, and the spec is lower", restored("v1.33.4"),
			"control plane v1.33.5, batch=v1.32.1 general=v1.33.5 system=v1.33.5: NotReported: the control plane does not tell which version it runs, so nothing is upgraded"},
		{"2 it came back from a backup, and Azure refuses what was asked for", func(w *upgrade.World) { restored("v1.34.2")(w); w.Refused = true },
			"control plane v1.33.5, batch=v1.32.1 general=v1.33.5 system=v1.33.5: NotReported: the control plane does not tell which version it runs, so nothing is upgraded"},
		{"2 it came back from a backup, and its object names no version", func(w *upgrade.World) { restored("v1.34.2")(w); w.Written = "" },
			"control plane , batch=v1.32.1 general=v1.33.5 system=v1.33.5: NotReported: the control plane does not tell which version it runs, so nothing is upgraded"},
		{"2 it serves, and its object names no version", func(w *upgrade.World) { w.Wanted, w.Written, w.Window = "v1.34.2", "", false },
			"control plane v1.33.5, " + all5 + ": WaitingForWindow: the upgrade from v1.33.5 to v1.34.2 waits for a maintenance window: none will open"},
		{"2 it serves and does not tell", func(w *upgrade.World) { w.Wanted, w.Reported, pool(w, "batch").Written = "v1.34.2", "", "v1.33.4" },
			"control plane v1.33.5, batch=v1.33.4 general=v1.33.5 system=v1.33.5: NotReported: the control plane does not tell which version it runs, so nothing is upgraded"},
		{"2 and a pool comes", func(w *upgrade.World) {
			w.Wanted, w.Reported = "v1.34.2", ""
			w.Pools = append(w.Pools, upgrade.Pool{Name: "new"})
		},
			"control plane v1.33.5, batch=v1.33.5 general=v1.33.5 new=v1.33.5 system=v1.33.5: NotReported: the control plane does not tell which version it runs, so nothing is upgraded"},
		{"2 what it tells is none", func(w *upgrade.World) { w.Wanted, w.Reported = "v1.34.2", "unknown" },
			"control plane v1.33.5, " + all5 + ": NotReported: the control plane does not tell which version it runs, so nothing is upgraded"},

		{"3 down", func(w *upgrade.World) { w.Wanted = "v1.33.4"; pool(w, "batch").Written = "v1.33.3" },
			"control plane v1.33.5, batch=v1.33.3 general=v1.33.5 system=v1.33.5: STUCK DowngradeNotPossible: version v1.33.4 is lower than the control plane's v1.33.5, and AKS never goes back: set it to v1.33.5 or higher"},
		{"3 AKS upgraded by itself", func(w *upgrade.World) { w.Reported = "v1.33.9" },
			"control plane v1.33.5, " + all5 + ": DONE UpToDate: the control plane runs v1.33.9, and each pool has its version"},
		{"3 the spec follows what AKS did, in a closed window", func(w *upgrade.World) { w.Reported, w.Wanted, w.Window = "v1.33.9", "v1.33.9", false },
			"control plane v1.33.9, batch=v1.33.5 general=v1.33.5 system=v1.33.9: NodepoolsUpgrading: 0 of 3 pools have their version; pool system goes from v1.33.5 to v1.33.9"},
		{"3 the spec follows half of the way, and the control plane is not asked to go back", func(w *upgrade.World) { w.Reported, w.Wanted, w.Window = "v1.33.9", "v1.33.8", false },
			"control plane v1.33.5, batch=v1.33.5 general=v1.33.5 system=v1.33.8: NodepoolsUpgrading: 0 of 3 pools have their version; pool system goes from v1.33.5 to v1.33.8"},

		{"4 too far", func(w *upgrade.World) { w.Wanted = "v1.35.0" },
			"control plane v1.33.5, " + all5 + ": STUCK VersionTooFar: version v1.35.0 is more than one minor version above the control plane's v1.33.5: set it to a v1.34 first"},
		{"4 just not too far", func(w *upgrade.World) { w.Wanted = "v1.34.99" },
			"control plane v1.34.99, " + all5 + ": ControlPlaneUpgrading: the control plane goes from v1.33.5 to v1.34.99, then the pools follow one by one"},

		{"5 an add-on forbids", func(w *upgrade.World) {
			w.Wanted, w.Window = "v1.34.2", false
			w.Addons = []upgrade.Addon{{"any", ""}, {"cni", ">=1.32.0 <1.34.0"}, {"csi", "<1.34.0"}, {"dns", ">=1.34.0"}}
		}, "control plane v1.33.5, " + all5 + ": AddonIncompatible: add-on cni works with Kubernetes >=1.32.0 <1.34.0 (and 1 more like it), and version is v1.34.2: upgrade the add-on and its kubernetesVersions first"},
		{"5 an add-on forbids what is held as well", func(w *upgrade.World) {
			w.Wanted, w.Held, w.Addons = "v1.34.2", "Freeze x", []upgrade.Addon{{"cni", "<1.34.0"}}
		},
			"control plane v1.33.5, " + all5 + ": AddonIncompatible: add-on cni works with Kubernetes <1.34.0, and version is v1.34.2: upgrade the add-on and its kubernetesVersions first"},
		{"5 an add-on forbids too late", func(w *upgrade.World) {
			w.Wanted, w.Written = "v1.34.2", "v1.34.2"
			w.Addons = []upgrade.Addon{{"cni", "<1.34.0"}}
		}, "control plane v1.34.2, " + all5 + ": ControlPlaneUpgrading: the control plane goes from v1.33.5 to v1.34.2, then the pools follow one by one"},

		{"6 held", func(w *upgrade.World) { w.Wanted, w.Held = "v1.34.2", "Freeze ops/black-friday: sale" },
			"control plane v1.33.5, " + all5 + ": HeldBack: the upgrade from v1.33.5 to v1.34.2 has not begun: Freeze ops/black-friday: sale"},
		{"6 held too late", func(w *upgrade.World) { w.Wanted, w.Written, w.Held = "v1.34.2", "v1.34.2", "Freeze x" },
			"control plane v1.34.2, " + all5 + ": ControlPlaneUpgrading: the control plane goes from v1.33.5 to v1.34.2, then the pools follow one by one"},

		{"7 a pool would be left behind", func(w *upgrade.World) {
			w.Wanted = "v1.34.2"
			*pool(w, "batch") = upgrade.Pool{Name: "batch", Written: "v1.30.9", Kubelet: "v1.30.9", Settled: true}
		}, "control plane v1.33.5, " + all5 + ": NodepoolsUpgrading: pool batch has v1.30.9, which AKS does not take beside a control plane of v1.34.2: the pools go to v1.33.5 first"},
		{"7 and is on its way", func(w *upgrade.World) {
			w.Wanted = "v1.34.2"
			*pool(w, "batch") = upgrade.Pool{Name: "batch", Written: "v1.33.5", Kubelet: "v1.30.9"}
		}, "control plane v1.33.5, " + all5 + ": NodepoolsUpgrading: pool batch has v1.30.9, which AKS does not take beside a control plane of v1.34.2: the pools go to v1.33.5 first"},
		{"7 a pool without nodes would be left behind", func(w *upgrade.World) {
			w.Wanted = "v1.34.2"
			*pool(w, "batch") = upgrade.Pool{Name: "batch", Written: "v1.30.9", Settled: true}
		}, "control plane v1.33.5, " + all5 + ": NodepoolsUpgrading: pool batch has v1.30.9, which AKS does not take beside a control plane of v1.34.2: the pools go to v1.33.5 first"},
		{"7 and is not held back by that", func(w *upgrade.World) {
			w.Wanted = "v1.34.2"
			*pool(w, "batch") = upgrade.Pool{Name: "batch", Written: "v1.31.9", Kubelet: "v1.31.9", Settled: true}
		}, "control plane v1.34.2, batch=v1.31.9 general=v1.33.5 system=v1.33.5: ControlPlaneUpgrading: the control plane goes from v1.33.5 to v1.34.2, then the pools follow one by one"},

		{"8 closed", func(w *upgrade.World) { w.Wanted, w.Window, w.NextWindow = "v1.34.2", false, now.Add(13*time.Hour) },
			"control plane v1.33.5, " + all5 + ": until Nov 26 22:00 WaitingForWindow: the upgrade from v1.33.5 to v1.34.2 waits for a maintenance window: the next one opens 2026-11-26 22:00 UTC"},
		{"8 closed, by an old look", func(w *upgrade.World) { w.Wanted, w.Window, w.NextWindow = "v1.34.2", false, now.Add(-time.Second) },
			"control plane v1.33.5, " + all5 + ": WaitingForWindow: the upgrade from v1.33.5 to v1.34.2 waits for a maintenance window: the next one opens 2026-11-26 08:59 UTC"},
		{"8 closed for ever", func(w *upgrade.World) { w.Wanted, w.Window = "v1.34.2", false },
			"control plane v1.33.5, " + all5 + ": WaitingForWindow: the upgrade from v1.33.5 to v1.34.2 waits for a maintenance window: none will open"},
		{"8 closed too late", func(w *upgrade.World) { w.Wanted, w.Written, w.Window = "v1.34.2", "v1.34.2", false },
			"control plane v1.34.2, " + all5 + ": ControlPlaneUpgrading: the control plane goes from v1.33.5 to v1.34.2, then the pools follow one by one"},
		{"8 what pools had begun goes on meanwhile", func(w *upgrade.World) { w.Wanted, w.Window, pool(w, "batch").Written = "v1.34.2", false, "v1.33.4" },
			"control plane v1.33.5, " + all5 + ": WaitingForWindow: the upgrade from v1.33.5 to v1.34.2 waits for a maintenance window: none will open"},

		{"9 it goes", func(w *upgrade.World) { w.Wanted = "v1.34.2" },
			"control plane v1.34.2, " + all5 + ": ControlPlaneUpgrading: the control plane goes from v1.33.5 to v1.34.2, then the pools follow one by one"},
		{"9 a pool that comes meanwhile", func(w *upgrade.World) {
			w.Wanted, w.Written = "v1.34.2", "v1.34.2"
			w.Pools = append(w.Pools, upgrade.Pool{Name: "new"}, upgrade.Pool{Name: "pinned", Pinned: "v1.34.2"})
		}, "control plane v1.34.2, batch=v1.33.5 general=v1.33.5 new=v1.33.5 pinned=v1.33.5 system=v1.33.5: ControlPlaneUpgrading: the control plane goes from v1.33.5 to v1.34.2, then the pools follow one by one"},

		{"pools: System goes first", func(w *upgrade.World) { upgraded(w) },
			"control plane v1.34.2, " + sys2 + ": NodepoolsUpgrading: 0 of 3 pools have their version; pool system goes from v1.33.5 to v1.34.2"},
		{"pools: the others wait for it", func(w *upgrade.World) { upgraded(w); moving(w, "system") },
			"control plane v1.34.2, " + sys2 + ": NodepoolsUpgrading: 0 of 3 pools have their version; pool system: draining"},
		{"pools: then by name", func(w *upgrade.World) { upgraded(w); arrived(w, "system") },
			"control plane v1.34.2, batch=v1.34.2 general=v1.33.5 system=v1.34.2: NodepoolsUpgrading: 1 of 3 pools have their version; pool batch goes from v1.33.5 to v1.34.2"},
		{"pools: a blocked one is not waited for", func(w *upgrade.World) {
			upgraded(w)
			arrived(w, "system")
			moving(w, "batch")
			pool(w, "batch").Blocked = true
		},
			"control plane v1.34.2, batch=v1.34.2 general=v1.34.2 system=v1.34.2: NodepoolsUpgrading: 1 of 3 pools have their version; pool general goes from v1.33.5 to v1.34.2; pool batch: draining"},
		{"pools: blocked ones are counted", func(w *upgrade.World) {
			upgraded(w)
			for _, name := range []string{"system", "batch", "general"} {
				moving(w, name)
				pool(w, name).Blocked = true
			}
			pool(w, "system").Words = ""
		}, "control plane v1.34.2, batch=v1.34.2 general=v1.34.2 system=v1.34.2: NodepoolsUpgrading: 0 of 3 pools have their version; pool system: is blocked (and 2 more like it)"},
		{"pools: one that is at work for another reason is waited for", func(w *upgrade.World) { upgraded(w); arrived(w, "batch"); pool(w, "batch").Settled = false },
			"control plane v1.34.2, batch=v1.34.2 general=v1.33.5 system=v1.33.5: NodepoolsUpgrading: 1 of 3 pools have their version; pool batch: one pool as wanted"},
		{"pools: one that is at work for another reason has its turn all the same", func(w *upgrade.World) { upgraded(w); pool(w, "system").Settled = false },
			"control plane v1.34.2, " + sys2 + ": NodepoolsUpgrading: 0 of 3 pools have their version; pool system goes from v1.33.5 to v1.34.2"},
		{"pools: held", func(w *upgrade.World) { upgraded(w); arrived(w, "system"); w.Held = "Freeze x" },
			"control plane v1.34.2, " + sys2 + ": HeldBack: 1 of 3 pools have their version; pool batch has not begun: Freeze x"},
		{"pools: held while one is on its way", func(w *upgrade.World) { upgraded(w); moving(w, "system"); w.Held = "Freeze x" },
			"control plane v1.34.2, " + sys2 + ": NodepoolsUpgrading: 0 of 3 pools have their version; pool system: draining"},
		{"pools: an operation runs", func(w *upgrade.World) { upgraded(w); w.Busy = true },
			"control plane v1.34.2, " + all5 + ": NodepoolsUpgrading: 0 of 3 pools have their version; pool system waits for the operation that runs on the control plane"},
		{"pools: an operation that is not about versions", func(w *upgrade.World) { w.Busy = true },
			"control plane v1.33.5, " + all5 + ": DONE UpToDate: the control plane runs v1.33.5, and each pool has its version"},
		{"pools: a closed window is their own business", func(w *upgrade.World) { upgraded(w); w.Window = false },
			"control plane v1.34.2, " + sys2 + ": NodepoolsUpgrading: 0 of 3 pools have their version; pool system goes from v1.33.5 to v1.34.2"},
		{"pools: at work for another reason", func(w *upgrade.World) { pool(w, "batch").Settled = false },
			"control plane v1.33.5, " + all5 + ": DONE UpToDate: the control plane runs v1.33.5, and each pool has its version"},
		{"pools: without a node yet", func(w *upgrade.World) { pool(w, "batch").Settled, pool(w, "batch").Kubelet = false, "" },
			"control plane v1.33.5, " + all5 + ": DONE UpToDate: the control plane runs v1.33.5, and each pool has its version"},
		{"pools: pinned", func(w *upgrade.World) {
			upgraded(w)
			arrived(w, "system")
			arrived(w, "general")
			pool(w, "batch").Pinned = "v1.33.5"
		},
			"control plane v1.34.2, batch=v1.33.5 general=v1.34.2 system=v1.34.2: DONE UpToDate: the control plane runs v1.34.2, and each pool has its version"},
		{"pools: pinned to something lower", func(w *upgrade.World) { pool(w, "batch").Pinned = "v1.33.1" },
			"control plane v1.33.5, batch=v1.33.1 general=v1.33.5 system=v1.33.5: NodepoolsUpgrading: 2 of 3 pools have their version; pool batch goes from v1.33.5 to v1.33.1"},
		{"pools: AKS upgraded one by itself", func(w *upgrade.World) {
			w.Reported = "v1.33.9"
			pool(w, "batch").Written, pool(w, "batch").Kubelet = "v1.33.9", "v1.33.9"
		},
			"control plane v1.33.5, batch=v1.33.9 general=v1.33.5 system=v1.33.5: DONE UpToDate: the control plane runs v1.33.9, and each pool has its version"},
		{"words of objects that mean the same stay", func(w *upgrade.World) { w.Written, w.Reported, pool(w, "batch").Written = "1.33.5", "1.33.5", "1.33.5" },
			"control plane 1.33.5, batch=1.33.5 general=v1.33.5 system=v1.33.5: DONE UpToDate: the control plane runs 1.33.5, and each pool has its version"},
		{"a suffix says nothing about age", func(w *upgrade.World) { w.Reported = "v1.33.5-akslts" },
			"control plane v1.33.5, " + all5 + ": DONE UpToDate: the control plane runs v1.33.5-akslts, and each pool has its version"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := serving()
			test.change(&w)
			if diff := cmp.Diff(test.want, say(upgrade.Next(w, now))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// restored is a cluster as it comes back from a backup without status, half-way through an upgrade.
func restored(wanted string) func(*upgrade.World) {
	return func(w *upgrade.World) {
		w.Wanted, w.Reported, w.Made, pool(w, "batch").Written = wanted, "", true, "v1.32.1"
		for i := range w.Pools {
			w.Pools[i].Kubelet, w.Pools[i].Settled = "", false
		}
	}
}

// upgraded is a control plane that has arrived at v1.34.2.
func upgraded(w *upgrade.World) { w.Wanted, w.Written, w.Reported = "v1.34.2", "v1.34.2", "v1.34.2" }

func moving(w *upgrade.World, name string) {
	p := pool(w, name)
	p.Written, p.Settled, p.Words = "v1.34.2", false, "draining"
}

func arrived(w *upgrade.World, name string) {
	p := pool(w, name)
	p.Written, p.Kubelet, p.Settled = "v1.34.2", "v1.34.2", true
}
