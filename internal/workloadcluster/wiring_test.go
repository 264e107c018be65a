package workloadcluster

import (
	"fmt"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// In a real manager everything that matters brings the WorkloadCluster back: its class, what was made of it, CAPZ's objects, a namesake that goes,
// and a Freeze.
func TestWhatWakesIt(t *testing.T) {
	mgr := testkit.NewManager(t, serverConfig, server.Scheme())
	if err := AddToManager(t.Context(), mgr, Options{Workers: 2, Workload: workload{}, PoolDifferences: nodepool.Differences, Namespace: "manager"}); err != nil {
		t.Fatal(err)
	}
	// The controller of Nodepools watches pools; here they would be watched from the first look at a cluster that is adopted.
	pools, err := capi.Served(mgr.GetRESTMapper())
	if err != nil {
		t.Fatal(err)
	}
	for _, pool := range pools {
		if _, err := mgr.GetCache().GetInformer(t.Context(), pool, cache.BlockUntilSynced(false)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Run(t, mgr)
	s := newStage(t, "woken")
	reports := func(what, want string) {
		t.Helper()
		testkit.Eventually(t, what, func() error {
			if seen := s.seen(); !slices.Contains(seen, want) {
				return fmt.Errorf("it reports %q: %s", seen, s.message("Ready"))
			}
			return nil
		})
	}
	s.apply("classRef: {name: late}\nazure: {resourceGroup: NAMESPACE}\ndeletionPolicy: Delete")
	reports("there is no class", "Stalled True ClassNotFound")
	class := &fleetwrightv1.WorkloadClusterClass{ObjectMeta: metav1.ObjectMeta{Namespace: "woken", Name: "late"}}
	class.Spec.Template = s.template(small(aso))
	class.Spec.Template.Azure.ResourceGroup = ""
	s.create(class)
	reports("the class comes", "AddressClaim c")
	s.bound(network...)
	reports("the claim is bound", "InfrastructureReady False Provisioning")
	s.infrastructureReady(aso)
	reports("CAPZ's object tells", "Ready False ControlPlaneNotReady")
	s.clusterServes(aso, "v1.33.6")
	reports("the Cluster tells", "Ready Unknown NodepoolsNotReady")
	s.poolReady("c-system", "v1.33.6")
	s.poolReady("c-general", "v1.33.6")
	reports("Nodepools tell", "Ready Unknown RoleAssignmentsNotReady")
	testkit.Eventually(t, "the config gets its last section", func() error {
		config := &fleetwrightv1.AzureClusterAdditionalConfig{}
		if s.get(config, "c"); len(config.Spec.RoleAssignments) != 1 {
			return fmt.Errorf("it has %v", config.Spec.RoleAssignments)
		}
		return nil
	})
	s.reports(&fleetwrightv1.AzureClusterAdditionalConfig{}, "c", "RegistriesReady True Ready", "RoleAssignmentsReady True Ready", "AutoscalerReady True Ready")
	reports("the config tells", "Ready True Ready")

	frozen := &fleetwrightv1.Freeze{
		ObjectMeta: metav1.ObjectMeta{Namespace: "woken", Name: "incident"}, Spec: fleetwrightv1.FreezeSpec{Scope: "All", Reconcile: "Paused", Reason: "x"},
	}
	s.create(frozen)
	reports("it is frozen", "Paused True Frozen")
	if err := server.Delete(t.Context(), frozen); err != nil {
		t.Fatal(err)
	}
	if err := server.Delete(t.Context(), &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Namespace: "woken", Name: "c-general"}}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "what somebody deletes comes back", func() error {
		np := &fleetwrightv1.Nodepool{}
		if !s.get(np, "c-general") || np.Status.Version != "" {
			return fmt.Errorf("it is not there")
		}
		return nil
	})
	cluster := &clusterv1.Cluster{}
	s.get(cluster, "c")
	uid := cluster.UID
	if err := server.Delete(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "everything goes", func() error {
		if s.object() != nil {
			return fmt.Errorf("it is there: %q", s.seen())
		}
		return nil
	})
	if s.get(cluster, "c") || uid == types.UID("") {
		t.Errorf("the Cluster is left")
	}
}
