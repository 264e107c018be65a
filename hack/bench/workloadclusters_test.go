package main

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

// The peer gets what a WorkloadCluster amounts to: one cluster of each flavour with its pools, in a network that no other has.
func TestPlainObjects(t *testing.T) {
	want := map[int][]string{
		0: {"AzureASOManagedCluster", "AzureASOManagedControlPlane", "Cluster", "AzureASOManagedMachinePool", "MachinePool", "AzureASOManagedMachinePool", "MachinePool"},
		1: {"AzureManagedCluster", "AzureManagedControlPlane", "Cluster", "AzureManagedMachinePool", "MachinePool", "AzureManagedMachinePool", "MachinePool"},
	}
	for n, kinds := range want {
		objects, err := plainObjects(n)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		nodes := int64(0)
		for _, object := range objects {
			got = append(got, object.GetObjectKind().GroupVersionKind().Kind)
			pool, sent := object.(*unstructured.Unstructured)
			if !sent {
				t.Fatalf("the benchmark's client knows no %T", object)
			}
			if pool.GetKind() == machinePoolKind {
				replicas, _, _ := unstructured.NestedInt64(pool.Object, "spec", "replicas")
				nodes += replicas
			}
			if object.GetNamespace() != team(n) {
				t.Errorf("%s is in namespace %s", got[len(got)-1], object.GetNamespace())
			}
		}
		if diff := cmp.Diff(kinds, got); diff != "" {
			t.Errorf("objects of cluster %d (-want +got)\n%s", n, diff)
		}
		if nodes != nodesPerWorkloadCluster {
			t.Errorf("%d nodes, the note says %d", nodes, nodesPerWorkloadCluster)
		}
	}
}

func TestNetworksOfThePeerDoNotOverlap(t *testing.T) {
	var all []netip.Prefix
	for n := range maxClusters {
		network, err := netip.ParsePrefix(networkOf(n))
		if err != nil || network != network.Masked() || !netip.MustParsePrefix(addressSpace).Contains(network.Addr()) {
			t.Fatalf("network %d is %s, %v", n, network, err)
		}
		all = append(all, network)
	}
	if one, other, found := overlap(all); found {
		t.Errorf("%s and %s overlap", one, other)
	}
	inside := netip.MustParsePrefix("10.64.8.128/25")
	if _, _, found := overlap(append(all, inside)); !found {
		t.Errorf("%s lies in another network, and nothing was found", inside)
	}
	if _, _, found := overlap([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/24"), inside}); !found {
		t.Error("a small network lies before another in a large one, and nothing was found")
	}
}

// A request is counted once, however often the log is read, and twice when it was sent twice at one time.
func TestAzureRequestsAreCountedOnce(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2026, 11, 26, 20, 0, second, 0, time.UTC) }
	log := []azureRequest{
		{Time: at(1), Method: "GET", Path: "/a", Status: 200, UserAgent: "fleetwright azsdk-go"},
		{Time: at(2), Method: "GET", Path: "/a", Status: 200, UserAgent: "fleetwright azsdk-go"},
		{Time: at(2), Method: "PUT", Path: "/b", Status: 429, UserAgent: "azsdk-go"},
		{Time: at(2), Method: "PUT", Path: "/b", Status: 429, UserAgent: "azsdk-go"},
		{Time: at(3), Method: "POST", Path: "/t/oauth2/v2.0/token", Status: 200, UserAgent: "azsdk-go"},
	}
	a := &azure{asked: counts{}, seen: map[azureRequest]int{}}
	for known := range len(log) + 1 {
		var page []azureRequest // what the simulator gives: from the last known time on
		for _, r := range log[:known] {
			if !r.Time.Before(a.until) {
				page = append(page, r)
			}
		}
		a.take(page)
	}
	want := counts{byOperator: {"GET": 2}, byCAPZ: {"PUT": 2}, throttled: {"PUT": 2}, "tokens": {"POST": 1}}
	if diff := cmp.Diff(want, a.counted()); diff != "" {
		t.Errorf("counted (-want +got)\n%s", diff)
	}
}

func TestCountAudited(t *testing.T) {
	const log = `{"verb":"create","userAgent":"kubectl","user":{"username":"system:serviceaccount:fleetwright-system:fleetwright"},"objectRef":{"resource":"nodepools"},"responseStatus":{"code":201}}
{"verb":"patch","userAgent":"fleetwright","user":{"username":"system:serviceaccount:fleetwright-system:fleetwright"},"objectRef":{"resource":"nodepools","subresource":"status"},"responseStatus":{"code":409}}
{"verb":"update","userAgent":"fleetwright-localstack/capz","user":{"username":"admin"},"objectRef":{"resource":"secrets"},"responseStatus":{"code":200}}
{"verb":"update","userAgent":"fleetwright-localstack/cluster-api","user":{"username":"admin"},"objectRef":{"resource":"clusters"},"responseStatus":{"code":200}}
{"verb":"create","userAgent":"fleetwright-bench","user":{"username":"admin"},"objectRef":{"resource":"clusters"},"responseStatus":{"code":201}}
{"verb":"create","userAgent":"fleetwright-localstack/controllers","user":{"username":"admin"},"objectRef":{"resource":"serviceaccounts"},"responseStatus":{"code":201}}
{"verb":"get","userAgent":"fleetwright","user":{"username":"system:serviceaccount:fleetwright-system:fleetwright"},"objectRef":{"resource":"secrets"},"responseStatus":{"code":200}}
{"verb":"cre`
	got, err := countAudited(bufio.NewReader(strings.NewReader(log)))
	want := counts{
		byOperator: {"create nodepools": 1, "patch nodepools/status 409": 1}, readByOperator: {"get secrets": 1}, byCAPZ: {"update secrets": 1}, byClusterAPI: {"update clusters": 1},
		byBench: {"create clusters": 1}, byOthers: {"create serviceaccounts": 1},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("countAudited() (-want +got) %v\n%s", err, diff)
	}
	if got.sum(byOperator) != 2 {
		t.Errorf("the operator wrote %d times", got.sum(byOperator))
	}
	if diff := cmp.Diff(counts{byOperator: {"create nodepools": 1}}, got.minus(counts{byOperator: {"patch nodepools/status 409": 1}, readByOperator: want[readByOperator], byCAPZ: want[byCAPZ], byClusterAPI: want[byClusterAPI], byBench: want[byBench], byOthers: want[byOthers]})); diff != "" {
		t.Errorf("minus() (-want +got)\n%s", diff)
	}
}

func TestCountMetrics(t *testing.T) {
	const metrics = `rest_client_requests_total{code="200",host="127.0.0.1:4000",method="GET"} 7
rest_client_requests_total{code="409",host="127.0.0.1:4000",method="PATCH"} 1
rest_client_requests_total{code="200",host="127.0.0.1:4000",method="PATCH"} 2
rest_client_requests_total{code="200",host="127.0.0.1:5000",method="GET"} 1.2e+02
controller_runtime_reconcile_total{controller="nodepool",result="success"} 9
controller_runtime_reconcile_errors_total{controller="nodepool"} 9
`
	got, err := countMetrics(bufio.NewScanner(strings.NewReader(metrics)), "127.0.0.1:4000")
	want := counts{toManagement: {"GET": 7, "PATCH": 3}, toWorkload: {"GET": 120}, reconciles: {"nodepool success": 9}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("countMetrics() (-want +got) %v\n%s", err, diff)
	}
}

// A cluster of Cluster API's is there when it is available and both pools have all nodes, in whatever order that is seen; the first time counts.
func TestArrivals(t *testing.T) {
	name := workloadCluster(0).Name
	asSent := func(object any) *unstructured.Unstructured {
		raw, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		out := &unstructured.Unstructured{}
		if err := out.UnmarshalJSON(raw); err != nil {
			t.Fatal(err)
		}
		return out
	}
	cluster := func(status metav1.ConditionStatus) *unstructured.Unstructured {
		c := &clusterv1.Cluster{TypeMeta: metav1.TypeMeta{Kind: clusterKind}, ObjectMeta: metav1.ObjectMeta{Name: name}}
		c.Status.Conditions = []metav1.Condition{{Type: clusterv1.AvailableCondition, Status: status}}
		return asSent(c)
	}
	pool := func(suffix string, ready *int32) *unstructured.Unstructured {
		p := &clusterv1.MachinePool{TypeMeta: metav1.TypeMeta{Kind: machinePoolKind}, ObjectMeta: metav1.ObjectMeta{Name: name + suffix}}
		p.Spec.ClusterName, p.Spec.Replicas, p.Status.ReadyReplicas = name, ptr.To[int32](2), ready
		return asSent(p)
	}
	own := &fleetwrightv1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{Name: name}}
	own.Status.Conditions = []metav1.Condition{{Type: fleetwrightv1.ConditionReady, Status: metav1.ConditionTrue}}
	begun := time.Now()
	a := newArrivals()
	for second, object := range []any{
		pool("-a", ptr.To[int32](2)), cluster(metav1.ConditionTrue), pool("-b", nil), pool("-b", ptr.To[int32](1)), cluster(metav1.ConditionFalse),
		pool("-b", ptr.To[int32](2)), cluster(metav1.ConditionTrue), cluster(metav1.ConditionFalse), cluster(metav1.ConditionTrue), own, own,
	} {
		a.see(object, begun.Add(time.Duration(second)*time.Second))
	}
	if got := since([]time.Time{begun}, a.of(plain)); !cmp.Equal(got, []float64{6}) {
		t.Errorf("on the plain side it took %v s, want 6", got)
	}
	if got := since([]time.Time{begun}, a.of(ours)); !cmp.Equal(got, []float64{9}) {
		t.Errorf("on our side it took %v s, want 9", got)
	}
	if missing, example := a.missing(ours, 2); missing != 1 || !strings.HasPrefix(example, workloadCluster(1).Name) {
		t.Errorf("missing() = %d, %s", missing, example)
	}
}

func TestMeanSteps(t *testing.T) {
	at := func(second int) metav1.Time {
		return metav1.NewTime(time.Date(2026, 11, 26, 20, 0, second, 0, time.UTC))
	}
	cluster := func(created int, steps ...fleetwrightv1.WorkloadClusterStep) fleetwrightv1.WorkloadCluster {
		c := fleetwrightv1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: at(created)}}
		c.Status.Steps = steps
		return c
	}
	got := meanSteps([]fleetwrightv1.WorkloadCluster{
		cluster(0, fleetwrightv1.WorkloadClusterStep{Name: "Addresses", StartedTime: at(0), FinishedTime: at(1)}, fleetwrightv1.WorkloadClusterStep{Name: "ControlPlane", StartedTime: at(2), FinishedTime: at(10)}),
		cluster(10, fleetwrightv1.WorkloadClusterStep{Name: "Addresses", StartedTime: at(10), FinishedTime: at(13)}, fleetwrightv1.WorkloadClusterStep{Name: "ControlPlane", StartedTime: at(14)}),
	})
	want := []stepSeen{
		{Name: "Addresses", Clusters: 2, Begins: 0, Ends: 2, Takes: 2, Longest: 3},
		{Name: "ControlPlane", Clusters: 1, Begins: 2, Ends: 10, Takes: 8, Longest: 8},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("meanSteps() (-want +got)\n%s", diff)
	}
}

func TestPercentile(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	for p, want := range map[float64]float64{0: 1, 20: 1, 50: 3, 95: 5, 100: 5} {
		if got := percentile(values, p); got != want {
			t.Errorf("percentile(%v) = %v, want %v", p, got, want)
		}
	}
}

// What is reported can be saved, and no figure of a run is lost in the journal.
func TestReportOfClusters(t *testing.T) {
	c := clustersBench{bench: &bench{machine: measurement.Machine{Cores: 2, Memory: "24 GiB", OS: "linux/amd64", Go: "go1.26.0"}}, clusters: 2, repeats: 1}
	c.journal = t.TempDir() + "/journal"
	runs := []clustersRun{
		{
			Side: ours, Clusters: 2, Applied: 1, Whole: 21, Ready: []float64{20, 16}, Served: []float64{15, 13}, Networks: 2, Operator: &processSeen{Peak: 80},
			Audited: counts{byOperator: {"create clusters": 2, "patch nodepools/status": 6}, byClusterAPI: {"update clusters": 10}},
			Counts:  counts{toManagement: {"GET": 40, "PATCH": 6}, reconciles: {"nodepool success": 30}},
			Steps:   []stepSeen{{Name: "Addresses", Clusters: 2, Ends: 1, Takes: 1, Longest: 1}},
		},
		{Side: plain, Clusters: 2, Applied: 2, Whole: 16, Ready: []float64{15, 14}, Served: []float64{15, 14}, Networks: 2},
	}
	for _, r := range runs {
		if err := c.keep(r); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := c.kept()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(runs, kept); diff != "" {
		t.Errorf("the journal lost something (-ran +kept)\n%s", diff)
	}
	m, err := c.report(kept)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	figures := map[string]string{}
	for _, f := range m.Figures {
		figures[f.Name] = f.Value.String() + " " + f.Note
	}
	for name, want := range map[string]string{
		"Fleetwright, between the slowest and the fastest":              "4 what a cluster may lose to the others",
		"Cluster API alone, a cluster ready, p50":                       "14 from its own first object on",
		"Operator's requests to the management API server, per cluster": "23 20 GET, 3 PATCH",
		"Operator's reconciles, per cluster":                            "15 15 nodepool",
	} {
		if figures[name] != want {
			t.Errorf("%s is %q, want %q", name, figures[name], want)
		}
	}
	if row := m.Tables[2].Rows[0]; !cmp.Equal(row, []string{"patch nodepools/status", "3.00"}) {
		t.Errorf("the most frequent write is %v", row)
	}
}
