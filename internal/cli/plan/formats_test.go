package plan

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/util/exec"

	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/nodepool"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	cart = preflight.Workload{Namespace: "shop", Kind: "Deployment", Name: "cart"}
	db   = preflight.Workload{Namespace: "shop", Kind: "StatefulSet", Name: "db"}
)

// blocked is a replacement that meets one of everything.
func blocked() nodepool.Foresight {
	report := preflight.Report{
		Nodes: 5, PodsToMove: 43, PodsStaying: 12, Staying: map[drain.SkipReason]int{drain.SkipDaemonSet: 11, drain.SkipLabel: 1},
		Budgets: preflight.Capped[preflight.BlockedBudget]{Total: 2, Items: []preflight.BlockedBudget{
			{Budget: "shop/cart", Workload: cart, Pods: 3, Never: true, Message: "PodDisruptionBudget shop/cart can never allow a disruption: maxUnavailable is 0"},
			{Budget: "shop/db", Workload: db, Pods: 2, Message: "PodDisruptionBudget shop/db allows no disruption now: 2 of 3 pods are healthy, 3 are wanted", Since: time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)},
		}},
		BudgetsNever: 1,
		Overlaps: preflight.Capped[preflight.Overlap]{Total: 1, Items: []preflight.Overlap{
			{Workload: db, Pods: 1, Message: "PodDisruptionBudgets shop/db and shop/all cover it, which the eviction API refuses"},
		}},
		Waits: preflight.Capped[preflight.Wait]{Total: 1, Items: []preflight.Wait{
			{Workload: preflight.Workload{Namespace: "shop", Kind: "Job", Name: "report"}, Pods: 1, Reason: drain.ReasonWaitCompleted, Message: "it asks to finish by itself"},
		}},
		Singletons: preflight.Capped[preflight.Singleton]{Total: 1, Items: []preflight.Singleton{
			{Workload: preflight.Workload{Namespace: "shop", Kind: "Deployment", Name: "admin"}, Pod: types.NamespacedName{Namespace: "shop", Name: "admin-1"}},
		}},
		Unmanaged: preflight.Capped[preflight.UnmanagedPod]{Total: 1, Items: []preflight.UnmanagedPod{
			{Pod: types.NamespacedName{Namespace: "default", Name: "debug"}, Node: "aks-general-1"},
		}},
		Pinned: preflight.Capped[preflight.PinnedVolume]{Total: 1, Items: []preflight.PinnedVolume{
			{Pod: types.NamespacedName{Namespace: "shop", Name: "db-0"}, Workload: db, Claim: "data-db-0", Volume: "pv1", Zone: "westeurope-1"},
		}},
		ZonesNeeded: map[string]int{"westeurope-1": 1},
		Selectors: preflight.Capped[preflight.BoundSelector]{Total: 1, Items: []preflight.BoundSelector{
			{Workload: cart, Selector: preflight.Selector{Use: preflight.UseNodeSelector, Label: "agentpool", Values: []string{"generala"}, Strict: true}, Pods: 3, Instead: "fleetwright.io/nodepool"},
		}},
		SelectorsStrict: 1, LocalData: 4, NotSafeToEvict: 2,
		Estimate:   preflight.Range{Low: 4 * time.Minute, High: 23 * time.Minute, Unbounded: []string{"PodDisruptionBudget shop/cart of Deployment shop/cart"}},
		WithoutEnd: 1,
		Longest:    preflight.Chain{Budget: "shop/db", Workload: db, Pods: 8, AtOnce: 1},
	}
	return nodepool.Foresight{
		Namespace: "prod-eu", Name: "prod-eu-1-general", Cluster: "prod-eu-1", Leaves: "generala", Nodes: 5, ClusterNodes: 12, NodeCap: 950, Report: &report,
		Plan: replacement.Plan{
			Verdict: replacement.Moving, Step: "CreatingGreen", Reason: "CreatingGreen", Message: "creates pool generalb for machineType Standard_D4s_v5 -> Standard_D8s_v5",
			Action: replacement.Action{Kind: replacement.CreatePool, Pool: "generalb"},
			Changes: []agentpool.Change{
				{Field: "machineType", From: "Standard_D4s_v5", To: "Standard_D8s_v5", Effect: agentpool.Replace},
				{Field: "labels", To: "team=shop", Effect: agentpool.InPlace},
			},
			Outgoing: []string{"o"}, Strategy: "FullGreen", StrategyMessage: "5 more nodes fit: the cluster has 12 of at most 950 nodes", PeakNodes: 17,
		},
	}
}

func plain(name string, plan replacement.Plan) nodepool.Foresight {
	return nodepool.Foresight{Namespace: "prod-eu", Name: name, Cluster: "prod-eu-1", ClusterNodes: 12, NodeCap: 950, Plan: plan}
}

func document() List {
	frozen := plain("prod-eu-1-batch", replacement.Plan{
		Verdict: replacement.Held, Step: "None", Reason: "Frozen",
		Message: "Freeze fleetwright-system/black-friday (NonDisruptive) until 2026-12-01T06:00:00Z: no risk this week; held back: creates pool batchb for maxPods 30 -> 60",
		Action:  replacement.Action{Kind: replacement.None}, Changes: []agentpool.Change{{Field: "maxPods", From: "30", To: "60", Effect: agentpool.Replace}},
		Outgoing: []string{"o"}, Strategy: "FullGreen", StrategyMessage: "a whole new pool fits", PeakNodes: 13,
	})
	frozen.Leaves, frozen.Nodes = "batcha", 1
	frozen.Report = &preflight.Report{Nodes: 1, PodsToMove: 2, PodsStaying: 3, Estimate: preflight.Range{Low: time.Second, High: 30 * time.Second}}
	unread := plain("prod-eu-1-gpu", replacement.Plan{
		Verdict: replacement.Waiting, Step: "None", Reason: "ConnectionDown", Message: "the API server of prod-eu-1 does not answer, so nothing is drained or deleted: i/o timeout", Wanted: "w",
	})
	unread.Unread = "list nodes: i/o timeout"
	made := plain("prod-eu-1-spot", replacement.Plan{
		Verdict: replacement.Moving, Step: "CreatingGreen", Reason: "CreatingGreen", Message: "creates pool spotx", Action: replacement.Action{Kind: replacement.CreatePool, Pool: "spotx"},
		Changes: []agentpool.Change{{Field: "machineType", To: "Standard_D8s_v5", Effect: agentpool.Replace}},
	})
	made.New = true
	done := plain("prod-eu-1-system", replacement.Plan{Verdict: replacement.Done, Step: "None", Reason: "Ready", Message: "pool systema runs v1.34.2 on 3 ready nodes of Standard_D4s_v5", Wanted: "w"})
	refused := NodepoolPlan{Namespace: "prod-eu", Name: "prod-eu-1-wrong", Changes: []Change{}, Outcome: outcomeError, Error: "spec.scaling: Invalid value: scaling.min must not be greater than scaling.max"}
	return list([]NodepoolPlan{describe(blocked()), describe(frozen), describe(unread), describe(made), describe(done), refused}, false)
}

func TestFormats(t *testing.T) {
	for name, write := range formats {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := write(&out, document()); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	for name, test := range map[string]struct {
		outcomes []nodepool.Outcome
		code     int
	}{
		"nothing":       {[]nodepool.Outcome{"Nothing"}, 0},
		"changes":       {[]nodepool.Outcome{"Changes", "Nothing"}, 2},
		"blocked":       {[]nodepool.Outcome{"Nothing", "Blocked", "Changes"}, 3},
		"unknown":       {[]nodepool.Outcome{"Unknown", "Blocked"}, 1},
		"error":         {[]nodepool.Outcome{"Changes", "Error", "Blocked"}, 1},
		"one not known": {[]nodepool.Outcome{"Nothing", "Surprise"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var items []NodepoolPlan
			for _, o := range test.outcomes {
				items = append(items, NodepoolPlan{Outcome: o})
			}
			err := exit(worst(items))
			var ended exec.CodeExitError
			errors.As(err, &ended)
			if ended.Code != test.code {
				t.Errorf("exit code %d, want %d", ended.Code, test.code)
			}
		})
	}
}

// Names and messages come from tenants: a comment made of them notifies nobody, breaks no table and shows no picture.
func TestMarkdownIsInert(t *testing.T) {
	f := blocked()
	f.Plan.Message = "ask @platform-team ![x](https://evil.example/x.png) <img src=x> | `end` </details>\n# Approved https://evil.example WWW.evil.example"
	f.Plan.Changes[1].To = "a=`|\n@platform-team"
	var out bytes.Buffer
	if err := writeMarkdown(&out, list([]NodepoolPlan{describe(f)}, true)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"ask @platform", "![x](", "<img", "\n# Approved", "`end` </details>", "a=`|", "https://", "WWW."} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("%q is in:\n%s", bad, &out)
		}
	}
}

// What a file says of itself is printed to a log or a terminal, which it must not steer, whatever comes of it.
func TestFilesDoNotSteerTheTerminal(t *testing.T) {
	const steers = "\x1b[2J"
	f := blocked()
	f.Namespace, f.Name, f.Cluster = steers, steers, steers
	refused, unread := describe(f), describe(f)
	refused.Outcome, refused.Error = outcomeError, steers
	unread.Outcome, unread.Unread = nodepool.OutcomeUnknown, steers
	items := list([]NodepoolPlan{describe(f), refused, unread}, true)
	var out bytes.Buffer
	if err := writeText(&out, items); err != nil {
		t.Fatal(err)
	}
	o := &options{streams: genericiooptions.IOStreams{ErrOut: &out}}
	o.sayWhatIsMissing(items)
	tellSkipped(&out, map[string]int{steers: 1})
	if got := strings.Count(out.String(), "^[[2J"); strings.Contains(out.String(), "\x1b") || got < 9 {
		t.Errorf("an escape sequence is in this, or too little of it is shown (%d times):\n%q", got, &out)
	}
}

// Of one thing it does not speak as of many.
func TestOneIsNotMany(t *testing.T) {
	f := blocked()
	f.Report.PodsToMove, f.Report.PodsStaying = 1, 1
	var out bytes.Buffer
	if err := writeText(&out, list([]NodepoolPlan{describe(f)}, true)); err != nil {
		t.Fatal(err)
	}
	if want := "1 moves, 1 stays until its node goes"; !strings.Contains(out.String(), want) {
		t.Errorf("%q is not in:\n%s", want, &out)
	}
}

// A comment that is too long is not accepted at all: rows stay, details go, and that is said.
func TestMarkdownFitsIntoAComment(t *testing.T) {
	f := blocked()
	f.Report.Selectors.Items[0].Selector.Label = strings.Repeat("x", 5000)
	var items []NodepoolPlan
	for range 60 {
		items = append(items, describe(f))
	}
	var out bytes.Buffer
	if err := writeMarkdown(&out, list(items, true)); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 65_536 {
		t.Errorf("%d characters", out.Len())
	}
	if n := strings.Count(out.String(), "| `prod-eu/prod-eu-1-general`"); n != 60 {
		t.Errorf("%d of 60 rows", n)
	}
	if !strings.Contains(out.String(), "Nodepools are left out") {
		t.Error("does not say that details are left out")
	}
}
