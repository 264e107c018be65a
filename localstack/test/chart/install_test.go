package chart_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	clusterandnodepools "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// accountUser is the manager in the audit log.
const accountUser = "system:serviceaccount:" + namespace + ":fleetwright"

// patience is for a busy machine; everything here takes seconds on an idle one.
const patience = 4 * time.Minute

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "chart-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file, err := controlplane.LogToFile(filepath.Join(dir, "log"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = file.Close() }()
	ctrl.SetLogger(logr.Discard())
	return m.Run()
}

// site is a management cluster with Cluster API and a simulated Azure, and without an operator.
type site struct {
	*stack.Stack
	client     client.Client
	kubeconfig string
}

func startSite(t *testing.T) *site {
	t.Helper()
	settings := sim.DefaultSettings()
	for _, d := range []*metav1.Duration{
		&settings.Durations.ClusterCreate, &settings.Durations.ClusterUpdate, &settings.Durations.PoolCreate,
		&settings.Durations.PoolUpdate, &settings.Durations.PoolDelete, &settings.Durations.NodeBoot,
	} {
		d.Duration = time.Second
	}
	layout := stack.Layout{Dir: t.TempDir()}
	running, err := stack.Start(t.Context(), stack.Options{Layout: layout, Azure: &settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Stop(); err != nil {
			t.Errorf("stop the stack: %v", err)
		}
		if t.Failed() {
			for _, part := range []string{"cluster-api", "capz", "azure"} {
				log, err := os.ReadFile(layout.Log(part))
				t.Logf("the end of the log of %s (%v):\n%s", part, err, tail(string(log), 3000))
			}
		}
	})
	return &site{Stack: running, client: newClient(t, running.Management()), kubeconfig: layout.Kubeconfig()}
}

func newClient(t *testing.T, admin *rest.Config) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, fleetwrightv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	cluster, err := client.New(admin, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

func (s *site) helm(t *testing.T, args ...string) string {
	t.Helper()
	out, err := helm(t, s.kubeconfig, args...)
	if err != nil {
		t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func TestManagerWorksWithTheRightsOfTheChart(t *testing.T) {
	s := startSite(t)
	metrics, health := freePort(t), freePort(t)
	notes := s.helm(t, "install", release, chart, "--namespace", namespace, "--create-namespace",
		"--set", fmt.Sprintf("metrics.port=%d,health.port=%d", metrics, health),
		// Cluster API and the stand-in for CAPZ run as the administrator here.
		"--set", "policies.deleters={admin}")
	if !strings.Contains(notes, "is installed in namespace "+namespace) {
		t.Errorf("the notes are\n%s", notes)
	}
	if _, err := helm(t, s.kubeconfig, "install", "second", chart, "--namespace", "elsewhere", "--create-namespace", "--set", "crds.install=false"); err == nil || !strings.Contains(err.Error(), "invalid ownership metadata") {
		t.Errorf("a second operator on the same management cluster: %v, want a refusal", err)
	}

	var installed deployment
	s.get(t, namespace, "fleetwright", &installed)
	m := startManager(t, s.Management(), &installed)
	awaitAnswer(t, m, fmt.Sprintf("http://127.0.0.1:%d/readyz", health))

	s.changePools(t, m)
	checkMetrics(t, awaitAnswer(t, m, fmt.Sprintf("http://127.0.0.1:%d/metrics", metrics)))

	s.configureExtras(t, m)
	s.giveAddresses(t, m)
	s.makeCluster(t, m)
	if err := m.refused(); err != nil {
		t.Error(err)
	}
	s.checkRights(t)
}

// changePools makes the operator do all it can: create a cluster's pools, change one in place, replace it, delete it.
func (s *site) changePools(t *testing.T, m *manager) {
	t.Helper()
	s.helm(t, "status", release, "--namespace", namespace)
	manifests, err := stack.ReadManifests(clusterandnodepools.Manifests, ".")
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.Apply(t.Context(), s.Management(), "test", manifests); err != nil {
		t.Fatal(err)
	}
	const general = "quickstart-general"
	s.await(t, m, general, "is ready", settled)
	s.await(t, m, "quickstart-system", "is ready", settled)
	first := s.nodepool(t, general).Status.Pools[0].Name
	s.freezeAndLift(t, m)

	s.edit(t, general, func(np *fleetwrightv1.Nodepool) {
		np.Spec.Labels = map[string]fleetwrightv1.LabelValue{"example.com/purpose": "changed"}
	})
	s.await(t, m, general, "has new labels", settled)
	if name := s.nodepool(t, general).Status.Pools[0].Name; name != first {
		t.Errorf("new labels brought pool %s in place of %s", name, first)
	}

	s.edit(t, general, func(np *fleetwrightv1.Nodepool) { np.Spec.MachineType = "Standard_D8ds_v5" })
	s.await(t, m, general, "is replaced", func(np *fleetwrightv1.Nodepool) bool {
		return settled(np) && len(np.Status.Pools) == 1 && np.Status.Pools[0].Name != first
	})

	if err := s.client.Delete(t.Context(), &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: general}}); err != nil {
		t.Fatal(err)
	}
	err = wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		err := s.client.Get(ctx, client.ObjectKey{Namespace: "default", Name: general}, &fleetwrightv1.Nodepool{})
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		t.Fatalf("Nodepool %s is not gone: %v", general, err)
	}
}

// freezeAndLift makes a Freeze of the fleet, in the namespace that the chart tells the operator is its own, until all hold.
func (s *site) freezeAndLift(t *testing.T, m *manager) {
	t.Helper()
	f := &fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "incident"},
		Spec:       fleetwrightv1.FreezeSpec{Scope: fleetwrightv1.FreezeScopeAll, Reconcile: fleetwrightv1.FreezeModePaused, Reason: "a test"},
	}
	if err := s.client.Create(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		if err := m.refused(); err != nil {
			return false, err
		}
		err := s.client.Get(ctx, client.ObjectKeyFromObject(f), f)
		return err == nil && meta.IsStatusConditionTrue(f.Status.Conditions, fleetwrightv1.ConditionInEffect), err
	})
	if err != nil || f.Status.Holding == nil || *f.Status.Holding != 2 {
		t.Fatalf("2 Nodepools hold: %v; the Freeze's status is %+v", err, f.Status)
	}
	if err := s.client.Delete(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func settled(np *fleetwrightv1.Nodepool) bool {
	return np.Status.ObservedGeneration == np.Generation &&
		meta.IsStatusConditionTrue(np.Status.Conditions, "Ready") && meta.IsStatusConditionTrue(np.Status.Conditions, "UpToDate")
}

func (s *site) get(t *testing.T, namespace, name string, into client.Object) {
	t.Helper()
	if err := s.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, into); err != nil {
		t.Fatal(err)
	}
}

func (s *site) nodepool(t *testing.T, name string) *fleetwrightv1.Nodepool {
	t.Helper()
	var np fleetwrightv1.Nodepool
	s.get(t, "default", name, &np)
	return &np
}

func (s *site) edit(t *testing.T, name string, change func(*fleetwrightv1.Nodepool)) {
	t.Helper()
	np := s.nodepool(t, name)
	before := np.DeepCopy()
	change(np)
	if err := s.client.Patch(t.Context(), np, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

func (s *site) await(t *testing.T, m *manager, name, what string, done func(*fleetwrightv1.Nodepool) bool) {
	t.Helper()
	start := time.Now()
	var np fleetwrightv1.Nodepool
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		if err := m.refused(); err != nil {
			return false, err
		}
		err := s.client.Get(ctx, client.ObjectKey{Namespace: "default", Name: name}, &np)
		return err == nil && done(&np), err
	})
	if err != nil {
		t.Fatalf("Nodepool %s %s: %v; its conditions are %+v", name, what, err, np.Status.Conditions)
	}
	t.Logf("Nodepool %s %s after %s", name, what, time.Since(start).Round(100*time.Millisecond))
}
