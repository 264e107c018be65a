//go:build realcapz

package realcapz_test

import (
	"context"
	"os"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/localstack/demo"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// TestMainJob tells the story of the demo on the real managers: one resource becomes a cluster, a node pool is replaced under a new machine type,
// the whole is upgraded, and the API servers' records prove that no disruption budget was broken. Then what somebody changes in Azure is healed,
// and a node pool is taken out of the resource.
func TestMainJob(t *testing.T) {
	t.Parallel()
	mainJob(t, demo.Managed)
}

// TestMainJobOfASOCluster is TestMainJob with the kinds AzureASOManaged*.
func TestMainJobOfASOCluster(t *testing.T) {
	t.Parallel()
	mainJob(t, demo.ASO)
}

func mainJob(t *testing.T, flavour demo.Flavour) {
	t.Helper()
	o := operated(t, options(t, "mainjob-"+string(flavour), realProvider(t)))
	report, running, err := demo.Run(t.Context(), demo.Options{
		Stack:   o,
		Flavour: flavour,
		Tell:    onceStarted(demo.Printer(os.Stdout), func() { declareProfile(t, o.Layout) }),
		Command: "make test-capz",
		// CAPZ looks every 20 s at what Azure Service Operator does, whatever that takes.
		Patience: 4,
	})
	if report != nil {
		if err := report.Print(os.Stdout); err != nil {
			t.Error(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Stop(); err != nil {
			t.Error(err)
		}
	})
	if n := len(report.Proof.Violations); n != 0 {
		t.Errorf("%d violations of disruption budgets, want 0", n)
	}
	if report.Proof.Evictions == 0 {
		t.Error("no pod was evicted: the replacement has moved nothing")
	}
	drifts := newDrifter(t, running)
	drifts.heal()
	// Its pods can run nowhere else, so with them there the drain would wait for their budgets, rightly, for ever.
	deleteWorkload(t, running)
	takeOut(t, running, "quickstart-general")
	drifts.settled()
}

// onceStarted passes events on, and does something when the first step, which starts the stack, has ended well.
func onceStarted(tell func(demo.Event), then func()) func(demo.Event) {
	started := false
	return func(e demo.Event) {
		tell(e)
		if ended, is := e.(demo.StepEnded); is && ended.Err == nil && !started {
			started = true
			then()
		}
	}
}

func deleteWorkload(t *testing.T, running *stack.Stack) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", running.Layout().ClusterKubeconfig("quickstart"))
	if err != nil {
		t.Fatal(err)
	}
	workload, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := workload.CoreV1().Namespaces().Delete(t.Context(), "shop", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// takeOut takes the cluster's own pools out of the WorkloadCluster, of which there is one besides that of its class, and waits until the Nodepool is
// gone with everything underneath.
func takeOut(t *testing.T, running *stack.Stack, name string) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clusterv1.AddToScheme, fleetwrightv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	management, err := client.New(running.Management(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	pool := &fleetwrightv1.Nodepool{}
	pool.Namespace, pool.Name = "default", name
	began := time.Now()
	cluster := &fleetwrightv1.WorkloadCluster{}
	cluster.Namespace, cluster.Name = "default", "quickstart"
	if err := management.Patch(t.Context(), cluster, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"nodepools":null}}`))); err != nil {
		t.Fatal(err)
	}
	err = wait.PollUntilContextTimeout(t.Context(), 500*time.Millisecond, 5*time.Minute, true, func(ctx context.Context) (bool, error) {
		err := management.Get(ctx, client.ObjectKeyFromObject(pool), pool)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		t.Fatalf("Nodepool %s is not gone: %v; conditions: %v", name, err, pool.Status.Conditions)
	}
	var left clusterv1.MachinePoolList
	if err := management.List(t.Context(), &left, client.InNamespace("default"), client.MatchingLabels{fleetwrightv1.LabelNodepool: name}); err != nil {
		t.Fatal(err)
	}
	if len(left.Items) > 0 {
		t.Errorf("the Nodepool is gone, but %d MachinePools of it are left", len(left.Items))
	}
	t.Logf("Nodepool %s gone with its pool after %s", name, time.Since(began).Round(time.Second))
}
