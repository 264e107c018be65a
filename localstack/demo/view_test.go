package demo

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var begun = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return begun.Add(time.Duration(seconds * float64(time.Second))) }

const about = "Nodepool quickstart-general"

// replacing is a story up to the middle of a drain.
func replacing() []Event {
	old := Pool{Name: "generala1", Role: "Outgoing", Machine: "Standard_D4ds_v5", Version: "v1.33.6", Nodes: 3}
	fresh := Pool{Name: "generalb2", Role: "Incoming", Machine: "Standard_D8ds_v5", Version: "v1.33.6", Nodes: 3, Ready: 3}
	starting, created := old, fresh
	starting.Ready, created.Nodes, created.Ready = 3, 0, 0
	return []Event{
		StoryBegan{At: at(0), Steps: []string{"Start the local stack", "Replace the pool", "Read the records"}},
		StepBegan{At: at(0), Title: "Start the local stack"},
		Progress{At: at(0.1), About: "Stack", Reason: "Start etcd"},
		Progress{At: at(0.4), About: "Stack", Reason: "Start the management API server"},
		WaterfallSeen{At: at(8.3), Steps: []WaterfallStep{
			{Name: "Addresses", Seconds: 0}, {Name: "ControlPlane", Start: 1, Seconds: 5}, {Name: "Nodepools", Start: 1, Seconds: 7}, {Name: "Addons", Start: 6, Seconds: 2},
		}},
		StepEnded{At: at(8.4)},
		StepBegan{At: at(8.4), Title: "Replace the pool"},
		PoolsSeen{At: at(8.5), Pools: []Pool{starting, created}, Total: 3},
		Progress{At: at(8.5), About: about, Reason: "CreatingGreen", Text: "pool generalb2 is being created since 10:00:08 UTC"},
		Progress{At: at(12), About: about, Reason: "CreatingGreen", Text: "pool generalb2 is being created since 10:00:08 UTC"},
		TrafficSeen{At: at(16), Services: []Service{{Name: "web", Available: 5, Wanted: 6, Least: 5, Budget: 5, Requests: 320}, {Name: "orders", Available: 3, Wanted: 3, Least: 2, Budget: 2, Requests: 320}}},
		PoolsSeen{At: at(16.2), Pools: []Pool{old, fresh}, PodsLeft: 9, Total: 3},
		Progress{At: at(16.2), About: about, Reason: "DrainingBlue", Text: "pool generala1: 0 of 3 nodes empty, 9 pods left, 2 to evict now"},
		Progress{At: at(17), About: about, Reason: "DrainingBlue", Text: "pool generala1: 0 of 3 nodes empty, 9 pods left, 2 leaving"},
		PoolsSeen{At: at(20.2), Pools: []Pool{old, fresh}, PodsLeft: 4, Drained: 1, Total: 3},
		Progress{At: at(20.2), About: about, Reason: "DrainingBlue", Text: "pool generala1: 1 of 3 nodes empty, 4 pods left; waits for pod shop/web-656b59959f-wqhhb and 1 more (PodDisruptionBudget shop/web allows 0 of 6: 5 ready, 5 needed)"},
	}
}

func done() []Event {
	return append(replacing(),
		StepEnded{At: at(29)},
		StepBegan{At: at(29), Title: "Read the records"},
		StepEnded{At: at(29.1)},
		Ended{At: at(29.1)},
	)
}

func failed() []Event {
	err := errors.New("Replace the pool: it took longer than 4m0s; Nodepool quickstart-general: DrainingBlue: pool generala1: 1 of 3 nodes empty")
	return append(replacing(), StepEnded{At: at(248.4), Err: err}, Ended{At: at(248.5), Err: err})
}

func TestView(t *testing.T) {
	for name, test := range map[string]struct {
		events []Event
		now    time.Time
		width  int
	}{
		"before":    {now: at(0), width: 100},
		"draining":  {events: replacing(), now: at(21), width: 100},
		"narrow":    {events: replacing(), now: at(21), width: 20},
		"done":      {events: done(), now: at(29.1), width: 100},
		"failed":    {events: failed(), now: at(249), width: 100},
		"clockback": {events: replacing(), now: at(8), width: 100},
	} {
		t.Run(name, func(t *testing.T) {
			var model Model
			for _, e := range test.events {
				model = model.Apply(e)
			}
			golden(t, "view-"+name, ansi.Strip(View(model, test.now, test.width)))
		})
	}
}

func TestTranscript(t *testing.T) {
	for name, events := range map[string][]Event{"done": done(), "failed": failed()} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			hear := Printer(&b)
			for _, e := range events {
				hear(e)
			}
			golden(t, "transcript-"+name, b.String())
		})
	}
}

// Apply must not change a model that somebody still shows.
func TestApplyLeavesTheOldModelAlone(t *testing.T) {
	var model Model
	for _, e := range replacing() {
		model = model.Apply(e)
	}
	shown := View(model, at(21), 100)
	for _, e := range failed()[len(replacing()):] {
		model.Apply(e)
	}
	model.Apply(Progress{At: at(22), About: about, Reason: "Other"})
	if diff := cmp.Diff(shown, View(model, at(21), 100)); diff != "" {
		t.Errorf("the old model shows something else after Apply:\n%s", diff)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("not as in %s (run with -update to accept):\n%s", file, diff)
	}
}
