package adopt_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// A pool that was let go of has the public name that tenants select it by, and keeps it; where it cannot, that is told.
func TestPublicNames(t *testing.T) {
	f := newFleet(t, "released")
	for _, flavor := range []string{"aso", "managed"} {
		f.cluster(flavor, flavor, false, "{example.com/team: a}", "{example.com/team: a, fleetwright.io/nodepool: web}")
		f.expect(3, "-", strings.ReplaceAll(`
released/FLAVOR would be changed: pool system: label fleetwright.io/nodepool of its nodes from web to system
1 cluster: 0 adopted without a change, 1 with one
`, "FLAVOR", flavor), flavor)
		if _, out, _ := f.run("adopt", flavor); !strings.Contains(out, "  - machinePools:\n    - "+flavor+"-general\n    name: web\n") {
			t.Errorf("%s: %s", flavor, out)
		}
	}
}

// What somebody holds back does not begin because the cluster is adopted: the document is as strict, and what else it holds back is told.
func TestWhatIsHeldBack(t *testing.T) {
	f := newFleet(t, "held")
	f.cluster("aso", "c", true)
	f.cluster("managed", "d", true)
	pool := &fleetwrightv1.Nodepool{}
	f.edit(pool, "c-general", func() { pool.Spec.Reconcile = "Paused" })
	config := &fleetwrightv1.AzureClusterAdditionalConfig{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "d"}}
	config.Spec = fleetwrightv1.AzureClusterAdditionalConfigSpec{ClusterName: "d", Reconcile: "NonDisruptive"}
	config.Spec.Autoscaler.Expander = "random"
	f.create(config)
	f.edit(pool, "d-general", func() { pool.Spec.Reconcile = "NonDisruptive" })
	code, out, errOut := f.run("adopt")
	if code != 3 || strings.Count(out, "  reconcile: Paused\n") != 1 || strings.Count(out, "  reconcile: NonDisruptive\n") != 1 {
		t.Errorf("exit code %d, %s", code, out)
	}
	const want = "held/c would be changed: Nodepool c-system is Active and would be Paused\nheld/d would be changed: Nodepool d-system is Active and would be NonDisruptive\n"
	if !strings.HasPrefix(errOut, want) {
		t.Errorf("it says\n%s", errOut)
	}
}
