package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

func budget(name string, healthy, desired int32) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name), ResourceVersion: fmt.Sprint(healthy, "/", desired)},
		Status:     policyv1.PodDisruptionBudgetStatus{CurrentHealthy: healthy, DesiredHealthy: desired},
	}
}

func TestBudgetsBroken(t *testing.T) {
	modified := func(p *policyv1.PodDisruptionBudget) watch.Event { return watch.Event{Type: watch.Modified, Object: p} }
	deleted := func(p *policyv1.PodDisruptionBudget) watch.Event { return watch.Event{Type: watch.Deleted, Object: p} }
	for name, test := range map[string]struct {
		events []watch.Event
		want   []string
		gap    bool
	}{
		"at the limit":     {events: []watch.Event{modified(budget("web", 5, 5)), modified(budget("web", 6, 5))}},
		"below":            {events: []watch.Event{modified(budget("web", 6, 5)), modified(budget("web", 4, 5))}, want: []string{"web 4/5"}},
		"below at first":   {events: []watch.Event{modified(budget("web", 4, 5))}, want: []string{"web 4/5"}},
		"below for long":   {events: []watch.Event{modified(budget("web", 4, 5)), modified(budget("web", 3, 5))}, want: []string{"web 4/5"}},
		"below twice":      {events: []watch.Event{modified(budget("web", 4, 5)), modified(budget("web", 5, 5)), modified(budget("web", 4, 5))}, want: []string{"web 4/5", "web 4/5"}},
		"each by itself":   {events: []watch.Event{modified(budget("web", 4, 5)), modified(budget("orders", 1, 2))}, want: []string{"web 4/5", "orders 1/2"}},
		"gone":             {events: []watch.Event{deleted(budget("web", 4, 5))}},
		"history was lost": {events: []watch.Event{{Type: watch.Error, Object: &metav1.Status{Code: 410, Reason: metav1.StatusReasonExpired}}}, gap: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBudgetWatch()
			for _, e := range test.events {
				b.take(e, begun)
			}
			_, violations, gap := b.result()
			var got []string
			for _, v := range violations {
				got = append(got, fmt.Sprintf("%s %d/%d", v.Budget, v.Healthy, v.Desired))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("violations:\n%s", diff)
			}
			if (gap != nil) != test.gap {
				t.Errorf("gap: %v", gap)
			}
		})
	}
}

const auditLines = `{"verb":"create","userAgent":"fleetwright","user":{"username":"admin"},"objectRef":{"resource":"pods","subresource":"eviction"},"responseStatus":{"code":201}}
{"verb":"create","userAgent":"fleetwright","user":{"username":"admin"},"objectRef":{"resource":"pods","subresource":"eviction"},"responseStatus":{"code":429}}
{"verb":"create","userAgent":"kubectl/v1.36.3","user":{"username":"admin"},"objectRef":{"resource":"pods","subresource":"eviction"},"responseStatus":{"code":404}}
{"verb":"delete","userAgent":"fleetwright-localstack/kubelet","user":{"username":"admin"},"objectRef":{"resource":"pods"},"responseStatus":{"code":200}}
{"verb":"delete","userAgent":"fleetwright/v0.1.0 (linux/amd64)","user":{"username":"admin"},"objectRef":{"resource":"pods"},"responseStatus":{"code":200}}
{"verb":"patch","userAgent":"fleetwright","user":{"username":"admin"},"objectRef":{"resource":"nodes"},"responseStatus":{"code":200}}
{"verb":"delete","userAgent":"fleetwr`

func TestTakeWorkload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit")
	const earlier = `{"verb":"delete","userAgent":"fleetwright","objectRef":{"resource":"pods"}}` + "\n"
	if err := os.WriteFile(file, []byte(earlier+auditLines), 0o600); err != nil {
		t.Fatal(err)
	}
	got := Proof{Workload: map[string]int{}}
	if err := readAudit(file, int64(len(earlier)), got.takeWorkload); err != nil {
		t.Fatal(err)
	}
	want := Proof{
		Evictions: 1, Refusals: 1, OtherEvictions: 1, PodsDeleted: 1,
		Workload: map[string]int{"create pods/eviction": 2, "delete pods": 1, "patch nodes": 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A line that is not JSON means that the log cannot be trusted, which must not pass for "no violation".
func TestBrokenAuditLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit")
	if err := os.WriteFile(file, []byte("not json\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := readAudit(file, 0, func(AuditEntry) {}); err == nil {
		t.Error("a broken log was read")
	}
	if err := readAudit(file+"x", 0, func(AuditEntry) {}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing log: %v", err)
	}
}

func TestProblems(t *testing.T) {
	sound := func() Proof {
		return Proof{Evictions: 18, Services: []ReportService{{Name: "web", Wanted: 6, Budget: 5, Least: 5, Requests: 100}}}
	}
	for name, test := range map[string]struct {
		change func(*Proof)
		want   string
	}{
		"sound":           {change: func(*Proof) {}},
		"refusals are ok": {change: func(p *Proof) { p.Refusals = 3 }},
		"violation":       {change: func(p *Proof) { p.Violations = []Violation{{Namespace: "shop", Budget: "web", Healthy: 4, Desired: 5}} }, want: "PodDisruptionBudget shop/web was broken: 4 healthy pods of 5"},
		"gap":             {change: func(p *Proof) { p.Gap = "watch ended" }, want: "has a gap: watch ended"},
		"deleted":         {change: func(p *Proof) { p.PodsDeleted = 1 }, want: "the operator deleted 1 pod without asking"},
		"nothing done":    {change: func(p *Proof) { p.Evictions = 0 }, want: "nothing was proven"},
		"unanswered":      {change: func(p *Proof) { p.Services[0].Failed = 2 }},
		"too few":         {change: func(p *Proof) { p.Services[0].Least = 4 }, want: "had 4 available replicas where its budget wants 5"},
	} {
		t.Run(name, func(t *testing.T) {
			proof := sound()
			test.change(&proof)
			got := strings.Join(proof.problems(), "; ")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
		})
	}
}

func TestPhaseClock(t *testing.T) {
	var clock phaseClock
	clock.at("", at(0))
	clock.at("CreatingGreen", at(1))
	clock.at("CreatingGreen", at(3))
	clock.at("DrainingBlue", at(5))
	want := []PhaseTime{{"Unseen", 1}, {"CreatingGreen", 4}, {"DrainingBlue", 10}}
	if diff := cmp.Diff(want, clock.end(at(15))); diff != "" {
		t.Error(diff)
	}
	if got := (&phaseClock{}).end(at(1)); got != nil {
		t.Errorf("a clock that never ran has phases: %v", got)
	}
}

func TestReportGolden(t *testing.T) {
	report := Report{
		Seconds: 93.8,
		Steps: []ReportStep{
			{Title: "Start the local stack", Seconds: 8.4, Phases: []PhaseTime{{"Start etcd", 0.9}}},
			{Title: "Replace the pool: machineType becomes Standard_D8ds_v5", Start: 8.4, Seconds: 29.8, Phases: []PhaseTime{{"CreatingGreen", 6.2}, {"DrainingBlue", 16}}},
		},
		Waterfall: []WaterfallStep{{Name: "ControlPlane", Start: 1, Seconds: 9}, {Name: "Nodepools", Start: 2, Seconds: 11}},
		Proof: Proof{
			Evictions: 18, Refusals: 1, BudgetRevisions: 70,
			Services:   []ReportService{{Name: "web", Wanted: 6, Budget: 5, Least: 5, Requests: 1239}},
			Images:     "from the private registry shop.azurecr.io",
			Calls:      map[string]int{"GET": 433, "PATCH": 73},
			Management: map[string]int{"patch nodepools/status": 65, "create machinepools": 2, "delete machinepools": 2},
			Workload:   map[string]int{"create pods/eviction": 18, "patch nodes": 6},
		},
	}
	var b strings.Builder
	if err := report.Print(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report", b.String())
}
