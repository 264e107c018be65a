package upgrade_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/workloadcluster/upgrade"
)

var update = flag.Bool("update", false, "rewrite the golden stories")

const (
	tControlPlane = 6 * time.Minute
	tReplace      = 20 * time.Minute
	tCreate       = 4 * time.Minute
	tRefused      = 5 * time.Minute
	look          = time.Minute
)

// story plays Next against a small Azure in which time passes. It writes a line for each change of plan and checks what must hold after every step.
type story struct {
	t        *testing.T
	w        upgrade.World
	now, end time.Time
	log      strings.Builder
	last     string
	due      []due
	// stubborn pools have a pod that does not go.
	stubborn map[string]bool
	// torn stories crash after every single write.
	torn bool
}

type due struct {
	at time.Time
	do func(*story)
}

// at is something that happens to the cluster from outside.
type at struct {
	after time.Duration
	what  string
	do    func(*story)
}

var stories = map[string]struct {
	begin  func(*story)
	script []at
}{
	"one-minor-version": {script: []at{wants(0, "v1.34.2")}},
	"a-blocked-pool-lets-the-next-go": {
		begin:  func(s *story) { s.stubborn["batch"] = true },
		script: []at{wants(0, "v1.34.2"), {2 * time.Hour, "the pod goes", func(s *story) { s.unblock("batch") }}},
	},
	"the-spec-goes-back-before-anything-began": {
		begin:  func(s *story) { s.w.Window, s.w.NextWindow = false, s.now.Add(10*time.Hour) },
		script: []at{wants(0, "v1.34.2"), wants(time.Hour, "v1.33.5")},
	},
	"the-spec-goes-back-after-the-control-plane-moved": {script: []at{wants(0, "v1.34.2"), wants(10*time.Minute, "v1.33.5"), wants(2*time.Hour, "v1.34.2")}},
	"the-spec-goes-on-half-way":                        {script: []at{wants(0, "v1.34.2"), wants(40*time.Minute, "v1.34.3"), wants(50*time.Minute, "v1.35.1")}},
	"a-pool-comes-half-way": {script: []at{wants(0, "v1.34.2"), {3 * time.Minute, "pool gpu is added", func(s *story) {
		s.w.Pools = append(s.w.Pools, upgrade.Pool{Name: "gpu"})
	}}}},
	"a-pool-goes-half-way": {script: []at{wants(0, "v1.34.2"), {30 * time.Minute, "pool batch is taken out", func(s *story) {
		s.w.Pools = slices.DeleteFunc(s.w.Pools, func(p upgrade.Pool) bool { return p.Name == "batch" })
	}}}},
	"an-add-on-forbids": {
		begin: func(s *story) { s.w.Addons = []upgrade.Addon{{Name: "cni", Versions: ">=1.32.0 <1.34.0"}} },
		script: []at{wants(0, "v1.34.2"), {time.Hour, "the add-on is upgraded", func(s *story) {
			s.w.Addons[0].Versions = ">=1.33.0 <1.36.0"
		}}},
	},
	"a-closed-window": {
		begin: func(s *story) { s.w.Window, s.w.NextWindow = false, s.now.Add(13*time.Hour) },
		script: []at{
			wants(0, "v1.34.2"), {13 * time.Hour, "the window opens", func(s *story) { s.w.Window = true }},
			{13*time.Hour + 10*time.Minute, "the window closes", func(s *story) { s.w.Window, s.w.NextWindow = false, s.now.Add(24*time.Hour) }},
		},
	},
	"a-freeze-half-way": {script: []at{
		wants(0, "v1.34.2"), {30 * time.Minute, "a Freeze begins", func(s *story) { s.w.Held = "Freeze ops/sale: black friday" }},
		{9 * time.Hour, "the Freeze ends", func(s *story) { s.w.Held = "" }},
	}},
	"aks-upgrades-by-itself": {script: []at{
		{0, "AKS goes to v1.33.9 by itself", func(s *story) { s.w.Reported = "v1.33.9" }}, wants(time.Hour, "v1.33.8"), wants(3*time.Hour, "v1.34.2"),
	}},
	"pools-far-behind-go-first": {
		begin: func(s *story) {
			for i := range s.w.Pools {
				s.w.Pools[i].Written, s.w.Pools[i].Kubelet = "v1.30.4", "v1.30.4"
			}
		},
		script: []at{wants(0, "v1.34.2")},
	},
	"created": {
		begin: func(s *story) {
			s.w.Written, s.w.Reported = "", ""
			for i := range s.w.Pools {
				s.w.Pools[i] = upgrade.Pool{Name: s.w.Pools[i].Name, System: s.w.Pools[i].System}
			}
		},
		script: []at{wants(0, "v1.34.9"), {2 * time.Minute, "Azure refuses that version", func(s *story) { s.due, s.w.Busy, s.w.Refused = nil, false, true }}, wants(3*time.Minute, "v1.34.2")},
	},
	"a-restore-during-a-freeze": {
		script: []at{
			{0, "a Freeze begins", func(s *story) { s.w.Held = "Freeze ops/sale: black friday" }}, wants(0, "v1.34.2"),
			{time.Hour, "the management cluster comes back from a backup, without status", func(s *story) {
				s.w.Made, s.w.Reported = true, ""
				for i := range s.w.Pools {
					s.w.Pools[i].Kubelet, s.w.Pools[i].Settled = "", false
				}
			}},
			{2 * time.Hour, "the control plane tells again what it runs", func(s *story) { s.w.Reported = s.w.Written }},
			{3 * time.Hour, "the pools tell again how they are", func(s *story) {
				for i := range s.w.Pools {
					s.w.Pools[i].Kubelet, s.w.Pools[i].Settled = s.w.Pools[i].Written, true
				}
			}},
			{4 * time.Hour, "the Freeze ends", func(s *story) { s.w.Held = "" }},
		},
	},
}

func wants(after time.Duration, version string) at {
	return at{after, "version is set to " + version, func(s *story) { s.w.Wanted = version }}
}

func TestStories(t *testing.T) {
	for name := range stories {
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", "stories", name+".golden")
			got := tell(t, name, false)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the story changed (-update rewrites it):\n%s", diff)
			}
		})
	}
}

// A crash after any single write leads to the same end.
func TestTornStoriesEndTheSame(t *testing.T) {
	for name := range stories {
		t.Run(name, func(t *testing.T) {
			end := func(log string) string {
				lines := strings.Split(strings.TrimSpace(log), "\n")
				_, plan, _ := strings.Cut(lines[len(lines)-1], "  ")
				return plan
			}
			if diff := cmp.Diff(end(tell(t, name, false)), end(tell(t, name, true))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func tell(t *testing.T, name string, torn bool) string {
	t.Helper()
	s := &story{t: t, w: serving(), now: now, end: now.Add(48 * time.Hour), stubborn: map[string]bool{}, torn: torn}
	if begin := stories[name].begin; begin != nil {
		begin(s)
	}
	script := stories[name].script
	for s.now.Before(s.end) {
		for len(script) > 0 && !s.now.Before(now.Add(script[0].after)) {
			fmt.Fprintf(&s.log, "%s  -- %s\n", s.clock(), script[0].what)
			script[0].do(s)
			script = script[1:]
		}
		for i := 0; i < len(s.due); i++ {
			if d := s.due[i]; !s.now.Before(d.at) {
				s.due = slices.Delete(s.due, i, i+1)
				i--
				d.do(s)
			}
		}
		plan := upgrade.Next(s.w, s.now)
		if line := say(plan); line != s.last {
			fmt.Fprintf(&s.log, "%s  %s\n", s.clock(), line)
			s.last = line
		}
		check(t, s.w, plan)
		s.act(plan)
		s.now = s.now.Add(look)
	}
	if plan := upgrade.Next(s.w, s.now); !plan.UpToDate {
		t.Errorf("the story has no end: %s\n%s", say(plan), s.log.String())
	}
	return s.log.String()
}

func (s *story) clock() string {
	d := s.now.Sub(now)
	return fmt.Sprintf("%2dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

func (s *story) after(d time.Duration, do func(*story)) { s.due = append(s.due, due{s.now.Add(d), do}) }

// act carries a plan out, all of it or its first write.
func (s *story) act(plan upgrade.Plan) {
	if plan.Stuck {
		return
	}
	if plan.ControlPlane != s.w.Written {
		s.w.Written, s.w.Busy = plan.ControlPlane, true
		s.after(tControlPlane, func(s *story) {
			if s.w.Written == plan.ControlPlane {
				s.w.Reported, s.w.Busy = plan.ControlPlane, false
			}
		})
		if s.torn {
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(plan.Pools)) {
		p, version := pool(&s.w, name), plan.Pools[name]
		if p.Written == version {
			continue
		}
		takes := tReplace
		if p.Kubelet == "" {
			takes = tCreate + tControlPlane
		}
		p.Written, p.Settled, p.Words = version, false, "draining"
		if s.stubborn[name] {
			s.after(tRefused, func(s *story) { pool(&s.w, name).Blocked, pool(&s.w, name).Words = true, "pod shop/cart does not go" })
			return
		}
		s.after(takes, func(s *story) { s.settle(name, version) })
		if s.torn {
			return
		}
	}
}

func (s *story) settle(name, version string) {
	if !slices.ContainsFunc(s.w.Pools, func(p upgrade.Pool) bool { return p.Name == name }) {
		return
	}
	if p := pool(&s.w, name); p.Written == version {
		p.Kubelet, p.Settled, p.Blocked, p.Words = version, true, false, "one pool as wanted"
	}
}

func (s *story) unblock(name string) {
	s.stubborn[name] = false
	s.settle(name, pool(&s.w, name).Written)
}
