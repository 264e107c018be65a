package debt

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var at = time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)

// owed is a workload's debt; standing is for how long it is in the way now.
func owed(namespace, owner, budget, reason string, minutes, pods int, standing time.Duration) fleetwrightv1.WorkloadDebt {
	d := fleetwrightv1.WorkloadDebt{
		Namespace: namespace, Owner: owner, Budget: budget, Reason: reason, Seconds: new(int64(minutes) * 60), LastTime: metav1.NewTime(at.Add(-time.Hour)),
	}
	if pods > 0 {
		d.Pods, d.SinceTime, d.LastTime = int32(pods), metav1.NewTime(at.Add(-standing)), metav1.NewTime(at.Add(-30*time.Second))
	}
	return d
}

func pool(namespace, cluster, name string, debts ...fleetwrightv1.WorkloadDebt) fleetwrightv1.Nodepool {
	return fleetwrightv1.Nodepool{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: cluster + "-" + name}, Spec: fleetwrightv1.NodepoolSpec{ClusterName: cluster},
		Status: fleetwrightv1.NodepoolStatus{DrainDebt: fleetwrightv1.DrainDebt{Workloads: debts}},
	}
}

// fleet are pools of three clusters; a shop runs in all of them.
func fleet() []fleetwrightv1.Nodepool {
	return []fleetwrightv1.Nodepool{
		pool("prod-eu", "prod-eu-1", "general",
			owed("shop", "Deployment/cart", "cart", "PodDisruptionBudget", 31, 3, 31*time.Minute),
			owed("shop", "Deployment/cart", "cart-canary", "MultipleBudgets", 600, 0, 0),
			owed("bank", "StatefulSet/ledger", "", "WebhookDenied", 90, 0, 0)),
		pool("prod-eu", "prod-eu-1", "batch", owed("shop", "Deployment/cart", "cart", "PodDisruptionBudget", 12, 1, 12*time.Minute)),
		pool("prod-eu", "prod-eu-2", "general", owed("shop", "Deployment/cart", "cart", "UnsatisfiableBudget", 1440, 0, 0)),
		pool("prod-us", "prod-us-1", "general", owed("shop", "Pod/debug", "", "UnmanagedPod", 0, 1, 20*time.Second)),
		pool("prod-us", "prod-us-1", "system"),
	}
}

func TestFormats(t *testing.T) {
	for name, tc := range map[string]struct {
		nodepools  []fleetwrightv1.Nodepool
		by, format string
	}{
		"workload":       {fleet(), "workload", "table"},
		"namespace":      {fleet(), "namespace", "table"},
		"budget":         {fleet(), "budget", "table"},
		"cluster":        {fleet(), "cluster", "table"},
		"reason":         {fleet(), "reason", "table"},
		"json":           {fleet(), "workload", "json"},
		"markdown":       {fleet(), "workload", "markdown"},
		"empty":          {fleet()[4:], "workload", "table"},
		"empty-json":     {fleet()[4:], "workload", "json"},
		"empty-markdown": {append(fleet()[4:], fleet()[4:]...), "namespace", "markdown"},
	} {
		t.Run(name, func(t *testing.T) {
			list := rank(tc.nodepools, tc.by)
			list.where = "in any namespace"
			var out bytes.Buffer
			if err := formats[tc.format](&out, list, at); err != nil {
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

// However it is grouped, no second is lost and none is counted twice.
func TestGroupsAddUp(t *testing.T) {
	for _, by := range groupNames {
		list := rank(fleet(), by)
		var seconds int64
		var pods int32
		for _, item := range list.Items {
			seconds += item.Seconds
			pods += item.PodsNow
		}
		if seconds != 2173*60 || list.Seconds != seconds || pods != 5 {
			t.Errorf("by %s it is %d s, of %d in all, and %d pods; want %d s and 5 pods", by, seconds, list.Seconds, pods, 2173*60)
		}
		if len(columns[by]) == 0 {
			t.Errorf("there are no columns for --by %s", by)
		}
	}
}

// What tenants call their objects must neither move the cursor nor notify anybody.
func TestNamesAreInert(t *testing.T) {
	list := rank([]fleetwrightv1.Nodepool{pool("prod", "c", "p", owed("shop", "Weird/\x1b[2J`@all`|x", "", "WebhookDenied", 60, 0, 0))}, "workload")
	var table, page bytes.Buffer
	if err := writeTable(&table, list, at); err != nil {
		t.Fatal(err)
	}
	if err := writeMarkdown(&page, list, at); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(table.String()+page.String(), "\x1b") {
		t.Errorf("an escape sequence is in:\n%q\n%q", &table, &page)
	}
	if !strings.Contains(page.String(), "'@all'\\|x` |") {
		t.Errorf("the name is not within its code span:\n%s", &page)
	}
}

// The pages show what the command prints, but for spaces at the end of lines.
func TestPagesShowTheViews(t *testing.T) {
	for name, file := range map[string]string{"workload": "kubectl-plugin.md", "budget": "drain-debt.md"} {
		page, err := os.ReadFile(filepath.Join("../../../docs", file))
		if err != nil {
			t.Fatal(err)
		}
		golden, err := os.ReadFile(filepath.Join("testdata", name+".golden"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(golden), "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
		}
		if view := strings.Join(lines, "\n"); !strings.Contains(string(page), view) {
			t.Errorf("docs/%s does not show the view %s:\n%s", file, name, view)
		}
	}
}
