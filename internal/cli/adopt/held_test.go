package adopt_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/testkit"
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

// A refusal that is not of the user's rights is one: of a policy, a quota, or a namespace that goes away.
func TestARefusalByOthers(t *testing.T) {
	f := newFleet(t, "quota")
	f.cluster("aso", "c", true)
	f.create(&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "none"}, Spec: corev1.ResourceQuotaSpec{
		Hard: corev1.ResourceList{"count/workloadclusters.fleetwright.io": resource.MustParse("0")},
	}})
	quota := &corev1.ResourceQuota{}
	if err := server.Get(t.Context(), client.ObjectKey{Namespace: f.namespace, Name: "none"}, quota); err != nil {
		t.Fatal(err)
	}
	quota.Status.Hard = quota.Spec.Hard
	quota.Status.Used = quota.Spec.Hard
	if err := server.Status().Update(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the quota is known", func() error {
		code, _, errOut := f.run("adopt", "c")
		if code != 3 || !strings.Contains(errOut, "quota/c would be changed: the API server refuses it: ") || !strings.Contains(errOut, "exceeded quota: none") {
			return fmt.Errorf("exit code %d, %s", code, errOut)
		}
		return nil
	})
}

// Clusters of one name and resource group in two subscriptions are two clusters.
func TestSubscriptions(t *testing.T) {
	f := newFleet(t, "subscriptions")
	f.cluster("aso", "c", true)
	managedCluster := &unstructured.Unstructured{}
	managedCluster.SetGroupVersionKind(schema.GroupVersionKind{Group: "containerservice.azure.com", Version: "v1api20250801", Kind: "ManagedCluster"})
	managedCluster.SetNamespace(f.namespace)
	managedCluster.SetName("c")
	f.create(managedCluster)
	const subscription = "00000000-0000-0000-0000-000000000007"
	managedCluster.Object["status"] = map[string]any{"id": "/subscriptions/" + subscription + "/resourceGroups/rg-c/providers/Microsoft.ContainerService/managedClusters/aks-c"}
	if err := server.Status().Update(t.Context(), managedCluster); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut := f.run("adopt", "c"); code != 0 || !strings.Contains(out, "    subscriptionID: "+subscription+"\n") {
		t.Errorf("exit code %d, %s\n%s", code, errOut, out)
	}
}

// What the operator would refuse for the namespace alone is told before anything is applied.
func TestANamespaceThatMayNot(t *testing.T) {
	f, other := newFleet(t, "may-not"), newFleet(t, "may")
	f.class("ours", "version: v1.33.6")
	other.cluster("aso", "c", true)
	other.expect(3, "-", `
may/c would be changed: ClassNotAllowed: WorkloadClusterClass may-not/ours does not let namespace may use it: its spec.allowedNamespaces has to select that namespace
1 cluster: 0 adopted without a change, 1 with one
`, "--class", "may-not/ours")
	namespace := &corev1.Namespace{}
	f.edit(namespace, "may", func() { namespace.Labels = map[string]string{"fleetwright.io/tenant": "shop", "stage": "production"} })
	class := &fleetwrightv1.WorkloadClusterClass{}
	f.edit(class, "ours", func() {
		class.Spec.AllowedNamespaces.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"stage": "production"}}
	})
	other.expect(3, "-", `
may/c would be changed: TenantNotAllowed: namespace may belongs to tenant shop: set tenancy to Single with that tenant, which gives the pools its label and taint
1 cluster: 0 adopted without a change, 1 with one
`, "--class", "may-not/ours")
}

// Of a network of the cluster's own the identity gets a role, which is told; one that it has already, as after a deletion with Retain, is no change.
func TestTheRoleOnTheNetwork(t *testing.T) {
	f := newFleet(t, "roles")
	f.cluster("managed", "m", false)
	plane := &unstructured.Unstructured{}
	plane.SetGroupVersionKind(schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: "AzureManagedControlPlane"})
	if err := server.Get(t.Context(), client.ObjectKey{Namespace: f.namespace, Name: "m"}, plane); err != nil {
		t.Fatal(err)
	}
	plane.Object["status"] = map[string]any{"initialized": true}
	if err := server.Status().Update(t.Context(), plane); err != nil {
		t.Fatal(err)
	}
	f.expect(3, "-", `
roles/m would be changed: AzureClusterAdditionalConfig m would get other roleAssignments
1 cluster: 0 adopted without a change, 1 with one
`, "m")
	config := &fleetwrightv1.AzureClusterAdditionalConfig{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "m"}}
	config.Spec = fleetwrightv1.AzureClusterAdditionalConfigSpec{ClusterName: "m", RoleAssignments: []fleetwrightv1.AdditionalRoleAssignment{{
		Name: "network", Scope: "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/m/providers/Microsoft.Network/virtualNetworks/m",
		Role: fleetwrightv1.AzureRole{ID: "4d97b98b-1d4f-4787-a291-c67834d212e7"}, Principal: fleetwrightv1.AzurePrincipal{ClusterIdentity: "ControlPlane"},
	}}}
	f.create(config)
	f.expect(0, "-", "1 cluster: 1 adopted without a change, 0 with one\n", "m")
	if _, out, _ := f.run("adopt", "m"); strings.Contains(out, "roleAssignments") {
		t.Errorf("it writes what no spec may have:\n%s", out)
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
