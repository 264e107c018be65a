package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/config"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	_ "github.com/fleetwright/fleetwright/localstack/controlplane/etcdlog" // keeps the test's output readable
	"github.com/fleetwright/fleetwright/localstack/kubelet"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	if err := controlplane.LogTo(io.Discard); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// buildOperator builds the operator of this tree: bin/fleetwright may be an older one.
func buildOperator(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fleetwright")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("..", ".."), "-o", path, "./cmd/fleetwright")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the operator: %v\n%s", err, out)
	}
	return path
}

// hurried is a world in which nothing takes long, and everything still takes some time.
func hurried(t *testing.T, operator string) stack.Options {
	t.Helper()
	quick := metav1.Duration{Duration: 500 * time.Millisecond}
	settings := sim.DefaultSettings()
	settings.Durations = sim.Durations{
		ClusterCreate: quick, ClusterUpdate: quick, ClusterUpgrade: quick, ClusterDelete: quick, PoolCreate: quick, PoolUpdate: quick,
		PoolDelete: quick, NodeReplace: quick, NodeBoot: quick, NetworkWrite: metav1.Duration{}, GroupDelete: quick, RetryAfter: metav1.Duration{Duration: time.Second},
	}
	nodes := kubelet.DefaultSettings()
	nodes.NodeStart = kubelet.Range{Min: 200 * time.Millisecond, Max: 500 * time.Millisecond}
	nodes.PodStart = kubelet.Range{Min: 200 * time.Millisecond, Max: 800 * time.Millisecond}
	nodes.PodTermination = kubelet.Range{Min: 100 * time.Millisecond, Max: 400 * time.Millisecond}
	return stack.Options{
		Layout: stack.Layout{Dir: filepath.Join(t.TempDir(), "demo")}, Operator: operator, Manifests: config.Manifests,
		Azure: &settings, Kubelet: &nodes,
	}
}

// TestMainJob is the promise of the project: one resource becomes a cluster, two edits of it replace node pools, and no budget is broken. Run
// itself fails when the records speak against it.
func TestMainJob(t *testing.T) {
	operator := buildOperator(t)
	for _, flavour := range Flavours() {
		t.Run(string(flavour), func(t *testing.T) { mainJob(t, operator, flavour) })
	}
}

func mainJob(t *testing.T, operator string, flavour Flavour) {
	t.Helper()
	var b strings.Builder
	report, running, err := Run(t.Context(), Options{
		Stack: hurried(t, operator), Flavour: flavour, Tell: Printer(&b), Command: "test", Patience: 2,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	t.Cleanup(func() { _ = running.Stop() })

	for _, name := range []string{nodepoolName, clusterName + "-system"} {
		pool := livePool(t, running, name)
		if len(pool.Status.Pools) != 1 || pool.Status.Pools[0].Role != fleetwrightv1.PoolRoleCurrent {
			t.Errorf("Nodepool %s ends with pools %+v, want one current one", name, pool.Status.Pools)
		}
		if pool.Status.Version != newVersion {
			t.Errorf("the nodes of %s run %s, want %s", name, pool.Status.Version, newVersion)
		}
	}
	wantWaterfall(t, report.Waterfall)
	wantOneByOne(t, running, flavour)
	proof := report.Proof
	if len(proof.Violations) != 0 || proof.PodsDeleted != 0 || proof.Gap != "" {
		t.Errorf("proof: %+v", proof)
	}
	// Nine pods of the shop move twice; the system pool has none but the add-on's, which go with their nodes. A pod may be evicted more than once
	// if it lands on an old node, which must not happen.
	if proof.Evictions != 18 {
		t.Errorf("%d evictions, want 18", proof.Evictions)
	}
	var deleted int
	for what, n := range proof.Management {
		if strings.HasPrefix(what, "delete ") {
			deleted += n
		}
	}
	if deleted != 3 {
		t.Errorf("the operator deleted %d objects, want the 3 old MachinePools: %v", deleted, proof.Management)
	}
	if content, err := json.Marshal(report); err != nil || !strings.Contains(string(content), `"violations":[]`) {
		t.Errorf("report as JSON: %s, %v", content, err)
	}
	wantFlavour(t, running, flavour)
}

// wantWaterfall checks that every step of the example has been told, each of which ends before the cluster is ready.
func wantWaterfall(t *testing.T, steps []WaterfallStep) {
	t.Helper()
	var names []string
	for _, step := range steps {
		names = append(names, step.Name)
		if step.Start < 0 || step.Seconds < 0 {
			t.Errorf("step %+v is not of this world", step)
		}
	}
	if diff := cmp.Diff([]string{"Addresses", "Infrastructure", "ControlPlane", "Nodepools", "RoleAssignments", "Addons"}, names); diff != "" {
		t.Errorf("the waterfall has not the steps of the example:\n%s", diff)
	}
}

// wantOneByOne checks, by what the management API server wrote down, that machineType touched one pool, and that the version went through the
// control plane and then through one pool after the other, the System pool first.
func wantOneByOne(t *testing.T, running *stack.Stack, flavour Flavour) {
	t.Helper()
	plane := map[Flavour]string{ASO: "azureasomanagedcontrolplanes", Managed: "azuremanagedcontrolplanes"}[flavour]
	var wrote []string
	err := readAudit(running.Layout().ManagementAudit(), 0, func(e AuditEntry) {
		if e.User.Username != stack.OperatorUser || e.Status.Code >= http.StatusMultipleChoices {
			return
		}
		switch what := e.what(); what {
		case "patch " + plane, "patch nodepools":
			wrote = append(wrote, what+" "+e.Object.Name)
		case "delete machinepools":
			wrote = append(wrote, what+" "+e.Object.Name[:strings.LastIndex(e.Object.Name, "-")])
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"patch nodepools quickstart-general", "delete machinepools quickstart-general",
		"patch " + plane + " quickstart",
		"patch nodepools quickstart-system", "delete machinepools quickstart-system",
		"patch nodepools quickstart-general", "delete machinepools quickstart-general",
	}
	wrote = slices.Compact(wrote)
	if diff := cmp.Diff(want, wrote[max(0, len(wrote)-len(want)):]); diff != "" {
		t.Errorf("the operator's last writes:\n%s", diff)
	}
}

// wantFlavour checks that the cluster is held by the kinds that were asked for.
func wantFlavour(t *testing.T, running *stack.Stack, flavour Flavour) {
	t.Helper()
	c, err := newManagementClient(running.Management())
	if err != nil {
		t.Fatal(err)
	}
	var plane client.Object = &infrav1.AzureASOManagedControlPlane{}
	if flavour == Managed {
		plane = &infrav1.AzureManagedControlPlane{}
	}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: clusterName}, plane); err != nil {
		t.Error(err)
	}
}

func livePool(t *testing.T, running *stack.Stack, name string) *fleetwrightv1.Nodepool {
	t.Helper()
	pool := &fleetwrightv1.Nodepool{}
	c, err := newManagementClient(running.Management())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, pool); err != nil {
		t.Fatal(err)
	}
	return pool
}

// TestFailureIsTold: a story that cannot go on says at which step and why, and leaves nothing running.
func TestFailureIsTold(t *testing.T) {
	options := hurried(t, "")
	options.Operator = filepath.Join(t.TempDir(), "missing")
	var last Event
	report, running, err := Run(t.Context(), Options{Stack: options, Tell: func(e Event) { last = e }})
	if err == nil || !strings.Contains(err.Error(), "Start the local stack: Start the operator") {
		t.Errorf("got error %v", err)
	}
	if running != nil {
		t.Error("a stack was left running")
	}
	if report.Error == "" || len(report.Steps) != 1 {
		t.Errorf("report: %+v", report)
	}
	if ended, ok := last.(Ended); !ok || ended.Err == nil {
		t.Errorf("the last event is %#v", last)
	}
	if _, alive, err := options.Layout.Read(); err != nil || alive {
		t.Errorf("still in use: %v, %v", alive, err)
	}
}

// TestStepLimit: what does not come in time is given up with the system's own words.
func TestStepLimit(t *testing.T) {
	s := &story{teller: newTeller(nil)}
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, fmt.Errorf("it took longer than 1ms"))
	defer cancel()
	err := s.await(ctx, about, func(context.Context) (Progress, error) {
		return Progress{Reason: "DrainingBlue", Text: "3 pods left"}, nil
	})
	want := "it took longer than 1ms; Nodepool quickstart-general: DrainingBlue: 3 pods left"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
