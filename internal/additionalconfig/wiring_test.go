package additionalconfig

import (
	"fmt"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// In a real manager everything that matters brings the config back: a change of its spec, of an object, of its Cluster, and a Freeze.
func TestWhatWakesIt(t *testing.T) {
	mgr := testkit.NewManager(t, serverConfig, server.Scheme())
	if err := AddToManager(mgr, "manager"); err != nil {
		t.Fatal(err)
	}
	testkit.Run(t, mgr)
	p := newPlace(t, "woken", both)
	reports := func(want string) func() error {
		return func() error {
			if slices.Contains(p.seen(), want) {
				return nil
			}
			return fmt.Errorf("it reports %q", p.seen())
		}
	}
	testkit.Eventually(t, "objects appear", reports("RegistriesReady Unknown NotReported"))
	p.reports(assignment(), "c-registry-shared", "True", "Ready")
	p.reports(profile(), "c", "True", "Ready")
	testkit.Eventually(t, "they get ready", reports("Ready True Ready"))
	p.create(&fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Namespace: "woken", Name: "incident"},
		Spec:       fleetwrightv1.FreezeSpec{Scope: "All", Reconcile: "Paused", Reason: "x"},
	})
	testkit.Eventually(t, "it is frozen", reports("Paused True Frozen"))
	p.change("autoscaler: {expander: random}")
	testkit.Eventually(t, "nothing is removed", reports("Ready False HeldBack"))
	if err := server.DeleteAllOf(t.Context(), &fleetwrightv1.Freeze{}, client.InNamespace("woken")); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "a section goes", func() error {
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
	testkit.Eventually(t, "what somebody deletes comes back", reports("AutoscalerReady Unknown NotReported"))
}
