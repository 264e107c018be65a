package additionalconfig

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// In a real manager everything that matters brings the config back: a change of its spec, of an object, of its Cluster, and a Freeze.
func TestWhatWakesIt(t *testing.T) {
	mgr, err := ctrl.NewManager(serverConfig, ctrl.Options{Scheme: server.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := AddToManager(mgr, "manager"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	p := newPlace(t, "woken", both)
	eventually := func(what string, check func() error) {
		t.Helper()
		var last error
		err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
			last = check()
			return last == nil, nil
		})
		if err != nil {
			t.Fatalf("%s: %v", what, last)
		}
	}
	reports := func(want string) func() error {
		return func() error {
			if slices.Contains(p.seen(), want) {
				return nil
			}
			return fmt.Errorf("it reports %q", p.seen())
		}
	}
	eventually("objects appear", reports("RegistriesReady Unknown NotReported"))
	p.reports(assignment(), "c-registry-shared", "True", "Ready")
	p.reports(profile(), "c", "True", "Ready")
	eventually("they get ready", reports("Ready True Ready"))
	p.create(&fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Namespace: "woken", Name: "incident"},
		Spec:       fleetwrightv1.FreezeSpec{Scope: "All", Reconcile: "Paused", Reason: "x"},
	})
	eventually("it is frozen", reports("Paused True Frozen"))
	p.change("autoscaler: {expander: random}")
	eventually("nothing is removed", reports("Ready False HeldBack"))
	if err := server.DeleteAllOf(t.Context(), &fleetwrightv1.Freeze{}, client.InNamespace("woken")); err != nil {
		t.Fatal(err)
	}
	eventually("a section goes", func() error {
		if p.get(assignment(), "c-registry-shared") {
			return fmt.Errorf("it is there: %q", p.seen())
		}
		return reports("Ready True Ready")()
	})
	gone := profile()
	gone.Namespace, gone.Name = "woken", "c"
	if err := server.Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	eventually("what somebody deletes comes back", reports("AutoscalerReady Unknown NotReported"))
}
