package upgrade_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/blang/semver/v4"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fleetwright/fleetwright/internal/workloadcluster/upgrade"
)

// failer is what testing.T and rapid.T have in common.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

func read(version string) semver.Version {
	v, _ := semver.ParseTolerant(version)
	return v
}

// check looks for what must hold of every plan in every world.
func check(t failer, w upgrade.World, plan upgrade.Plan) {
	t.Helper()
	wrong := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s\nin %+v\nplan %s", fmt.Sprintf(format, args...), w, say(plan))
	}
	serves := w.Reported != "" && w.Written != ""
	if serves && read(plan.ControlPlane).LT(read(w.Written)) {
		wrong("the control plane is lowered")
	}
	if serves && plan.ControlPlane != w.Written && read(plan.ControlPlane).LT(read(w.Reported)) {
		wrong("the control plane is asked for less than it runs")
	}
	// It may serve for all that is known.
	silent := w.Reported == "" && w.Written != "" && (w.Made || !w.Refused)
	if silent && plan.ControlPlane != w.Written {
		wrong("a control plane that does not tell what it runs is changed")
	}
	if plan.Reason == "" || plan.Message == "" || len(plan.Message) > 600 {
		wrong("a plan without words, or with too many")
	}
	if plan.Stuck && plan.UpToDate || plan.Stuck && w.Written != "" && plan.ControlPlane != w.Written {
		wrong("a stuck plan that does something")
	}
	begins, onTheWay := 0, 0
	for _, p := range w.Pools {
		version, ok := plan.Pools[p.Name]
		if !ok || version == "" {
			wrong("pool %s has no version", p.Name)
			continue
		}
		if p.Written != version && serves && read(version).GT(read(w.Reported)) {
			wrong("pool %s is raised above the control plane", p.Name)
		}
		if p.Written == "" {
			continue
		}
		if silent && version != p.Written {
			wrong("pool %s is changed beside a control plane that does not tell what it runs", p.Name)
		}
		if p.Pinned == "" && serves && read(version).LT(read(p.Written)) {
			wrong("pool %s is lowered", p.Name)
		}
		switch {
		case p.Written != version:
			begins++
		case !p.Settled && p.Kubelet != "" && read(p.Kubelet).LT(read(version)):
			onTheWay++
		}
	}
	if serves && begins > 1 {
		wrong("%d pools begin at once", begins)
	}
	if serves && begins > 0 {
		if w.Held != "" || plan.Stuck || w.Busy {
			wrong("a pool begins although it must not")
		}
		for _, p := range w.Pools {
			if p.Written == plan.Pools[p.Name] && p.Written != "" && !p.Settled && !p.Blocked && plan.ControlPlane == w.Wanted && p.Pinned == "" && read(p.Written).EQ(read(w.Wanted)) {
				wrong("pool %s begins beside another", p.Name)
			}
		}
	}
	if plan.UpToDate && (begins > 0 || onTheWay > 0 || read(w.Reported).LT(read(w.Wanted))) {
		wrong("it is not up to date")
	}
}

// Whatever happens to a cluster in whatever order, every plan is sound, and once peace is made the cluster arrives in few plans.
func TestAnyWorld(t *testing.T) {
	version := func(t *rapid.T, name string) string {
		return fmt.Sprintf("v1.%d.%d", rapid.IntRange(31, 36).Draw(t, name+" minor"), rapid.IntRange(0, 2).Draw(t, name+" patch"))
	}
	rapid.Check(t, func(t *rapid.T) {
		w := upgrade.World{Wanted: "v1.33.0", Window: true}
		for i := range rapid.IntRange(1, 5).Draw(t, "pools") {
			w.Pools = append(w.Pools, upgrade.Pool{Name: fmt.Sprintf("p%d", i), System: i == 0})
		}
		write := func(plan upgrade.Plan) {
			if plan.Stuck {
				return
			}
			w.Written = plan.ControlPlane
			for i := range w.Pools {
				if p := &w.Pools[i]; p.Written != plan.Pools[p.Name] {
					p.Written, p.Settled = plan.Pools[p.Name], false
				}
			}
		}
		one := func() *upgrade.Pool { return &w.Pools[rapid.IntRange(0, len(w.Pools)-1).Draw(t, "pool")] }
		arrive := func(p *upgrade.Pool) {
			if w.Reported != "" && p.Written != "" {
				p.Kubelet, p.Settled, p.Blocked = p.Written, true, false
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 15).Draw(t, "event") {
			case 0:
				w.Wanted = version(t, "wanted")
			case 1, 2:
				if w.Written != "" && !read(w.Written).LT(read(w.Reported)) {
					w.Reported, w.Busy = w.Written, false
				}
			case 3:
				if w.Reported != "" { // AKS goes on by itself
					v := read(w.Reported)
					v.Patch++
					w.Reported = "v" + v.String()
				}
			case 4, 5:
				arrive(one())
			case 6:
				one().Blocked = rapid.Bool().Draw(t, "blocked")
			case 7:
				one().Pinned = rapid.SampledFrom([]string{"", version(t, "pin")}).Draw(t, "pinned")
			case 8:
				w.Held = rapid.SampledFrom([]string{"", "Freeze x"}).Draw(t, "held")
			case 9:
				w.Window = rapid.Bool().Draw(t, "window")
			case 10:
				w.Addons = rapid.SampledFrom([][]upgrade.Addon{nil, {{"cni", "<1.34.0"}}}).Draw(t, "addons")
			case 11:
				w.Busy = rapid.Bool().Draw(t, "busy")
			case 12:
				w.Pools = append(w.Pools, upgrade.Pool{Name: fmt.Sprintf("p%d", len(w.Pools)+100)})
			case 13:
				one().Settled = false // at work for another reason
			case 14:
				if w.Written != "" { // a restore
					w.Made, w.Reported = w.Made || w.Reported != "", ""
					for i := range w.Pools {
						w.Pools[i].Kubelet, w.Pools[i].Settled = "", false
					}
				}
			case 15:
				w.Refused = rapid.Bool().Draw(t, "refused")
			}
			plan := upgrade.Next(w, now)
			check(t, w, plan)
			shuffled := w
			shuffled.Pools = rapid.Permutation(w.Pools).Draw(t, "order")
			if diff := cmp.Diff(plan, upgrade.Next(shuffled, now)); diff != "" {
				t.Errorf("the plan hangs on the order of the pools:\n%s", diff)
			}
			if rapid.Bool().Draw(t, "written") {
				write(plan)
			}
		}
		arrives(t, &w, write, arrive)
	})
}

// arrives makes peace: nobody holds, pins or forbids, and what is wanted is the next that can be.
func arrives(t *rapid.T, w *upgrade.World, write func(upgrade.Plan), arrive func(*upgrade.Pool)) {
	w.Held, w.Window, w.Addons, w.Busy = "", true, nil, false
	// A patch above what runs and what was asked for.
	highest := slices.MaxFunc([]semver.Version{read(w.Written), read(w.Reported)}, semver.Version.Compare)
	if w.Written == "" {
		highest = read("v1.33.0")
	}
	highest.Patch++
	w.Wanted = "v" + highest.String()
	if w.Reported != "" && read(w.Reported).Minor+1 < highest.Minor {
		w.Reported = w.Written // the step that was under way ends
	}
	for i := range w.Pools {
		w.Pools[i].Pinned, w.Pools[i].Blocked = "", false
	}
	for range 3*len(w.Pools) + 3 {
		plan := upgrade.Next(*w, now)
		check(t, *w, plan)
		if plan.UpToDate && w.Written == w.Wanted {
			return
		}
		write(plan)
		if w.Written != "" {
			w.Reported = w.Written
		}
		for i := range w.Pools {
			arrive(&w.Pools[i])
		}
	}
	t.Errorf("it does not arrive: %s\nin %+v", say(upgrade.Next(*w, now)), *w)
}

func FuzzNext(f *testing.F) {
	f.Add("v1.34.2", "v1.33.5", "v1.33.5", "v1.33.5", "", ">=1.32.0")
	f.Add("", "", "", "", "", "")
	f.Add("latest", "1", "v1.33", "v1.33.5-akslts", "v9.9.9", "||")
	f.Fuzz(func(t *testing.T, wanted, written, reported, pool, pinned, addon string) {
		w := upgrade.World{
			Wanted: wanted, Written: written, Reported: reported, Window: true, Addons: []upgrade.Addon{{"a", addon}},
			Pools: []upgrade.Pool{{Name: "a", Written: pool, Kubelet: pool, Pinned: pinned}, {Name: "b"}},
		}
		plan := upgrade.Next(w, now)
		if plan.Reason == "" || plan.Message == "" || len(plan.Pools) != 2 {
			t.Errorf("%+v: %s", w, say(plan))
		}
		if diff := cmp.Diff(plan, upgrade.Next(w, now)); diff != "" {
			t.Error(diff)
		}
	})
}
