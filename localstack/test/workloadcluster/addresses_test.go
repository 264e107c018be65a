package workloadcluster_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

const (
	acr      = subscription + "/resourceGroups/acr"
	registry = acr + "/providers/Microsoft.ContainerRegistry/registries/fleetwrightshop"
)

// addressesOfSeveral: three clusters of one class, of both flavours, have networks in Azure that do not overlap. One that is deleted leaves nothing
// behind but its group, which nobody said is its own; its range rests, and a cluster that comes later gets another one.
func addressesOfSeveral(t *testing.T, w *world) {
	w.raw.do(t, http.MethodPut, acr, apiGroup, map[string]any{"location": "westeurope"})
	w.raw.do(t, http.MethodPut, registry, "2023-07-01", map[string]any{"location": "westeurope", "sku": map[string]any{"name": "Standard"}})
	w.namespace(t, "several", "production")
	w.namespace(t, "leaving", "production")
	w.cluster(t, "leaving", "leaves", "  additionalConfig: {registries: [{name: shop, id: "+registry+"}]}\n")
	w.cluster(t, "several", "stays", "")
	w.cluster(t, "several", "other", "  flavor: AzureManaged\n")
	taken := map[string]netip.Prefix{}
	for name, namespace := range map[string]string{"leaves": "leaving", "stays": "several", "other": "several"} {
		w.awaitReady(t, namespace, name)
		taken[name] = w.network(t, name)
	}
	disjoint(t, taken)

	assigned := w.assignments(t, "leaving")
	if len(assigned) != 2 {
		t.Fatalf("roles %v, want one on the registry and one on the network", assigned)
	}
	w.remove(t, "leaving", "leaves")
	for id, version := range map[string]string{
		managedCluster("leaves"): apiAKS, virtualNetwork("leaves"): apiNetwork, assigned[0]: "2022-04-01", assigned[1]: "2022-04-01",
	} {
		if w.raw.has(t, id, version) {
			t.Errorf("%s is left in Azure", id)
		}
	}
	if !w.raw.has(t, subscription+"/resourceGroups/leaves", apiGroup) {
		t.Error("the resource group is gone, though its policy is Keep")
	}
	var allocations fleetwrightv1.AddressAllocationList
	must(t, w.management.List(t.Context(), &allocations, client.InNamespace("platform")))
	rests := false
	for _, a := range allocations.Items {
		if a.Spec.CIDR == taken["leaves"].String() {
			rests = a.Spec.Claim.Namespace == "leaving" && !a.Spec.ReleasedTime.IsZero()
		}
	}
	if !rests {
		t.Errorf("range %s does not rest", taken["leaves"])
	}
	must(t, w.management.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "leaving"}}))
	eventually(t, patience, "the namespace is gone", func(context.Context) (bool, string) {
		return w.is404(t, &corev1.Namespace{}, "", "leaving"), "it is there"
	})

	w.cluster(t, "several", "later", "")
	w.awaitReady(t, "several", "later")
	taken["later"] = w.network(t, "later")
	disjoint(t, taken)
	if o, err := w.get(t.Context(), "several", "stays"); err != nil || o.Status.ReadyTime.IsZero() {
		t.Errorf("the others: %v, %v", o, err)
	}
	if w.is404(t, &clusterv1.Cluster{}, "several", "stays") {
		t.Error("a cluster went with the one that was deleted")
	}
}

func managedCluster(name string) string {
	return subscription + "/resourceGroups/" + name + "/providers/Microsoft.ContainerService/managedClusters/" + name
}

func virtualNetwork(name string) string {
	return subscription + "/resourceGroups/" + name + "/providers/Microsoft.Network/virtualNetworks/" + name
}

// network is the address space that Azure has for a cluster's virtual network. Its subnet of the nodes has to lie within.
func (w *world) network(t *testing.T, name string) netip.Prefix {
	t.Helper()
	answer := w.raw.do(t, http.MethodGet, virtualNetwork(name), apiNetwork, nil)
	properties, _ := answer["properties"].(map[string]any)
	space, _ := properties["addressSpace"].(map[string]any)
	prefixes, _ := space["addressPrefixes"].([]any)
	if len(prefixes) != 1 {
		t.Fatalf("the network of %s is %v", name, answer)
	}
	out, err := netip.ParsePrefix(fmt.Sprint(prefixes[0]))
	must(t, err)
	if pool := netip.MustParsePrefix("10.64.0.0/16"); !pool.Contains(out.Addr()) || netip.MustParsePrefix("10.64.0.0/20").Overlaps(out) {
		t.Errorf("the network of %s is %s", name, out)
	}
	subnets, _ := properties["subnets"].([]any)
	if len(subnets) != 1 {
		t.Fatalf("the network of %s has subnets %v", name, subnets)
	}
	return out
}

func disjoint(t *testing.T, taken map[string]netip.Prefix) {
	t.Helper()
	for a, of := range taken {
		for b, and := range taken {
			if a != b && of.Overlaps(and) {
				t.Errorf("%s has %s, and %s has %s", a, of, b, and)
			}
		}
	}
}

// assignments are the ids of the roles that are assigned for the clusters of a namespace.
func (w *world) assignments(t *testing.T, namespace string) []string {
	t.Helper()
	var all fleetwrightv1.AzureRoleAssignmentList
	must(t, w.management.List(t.Context(), &all, client.InNamespace(namespace)))
	var out []string
	for _, a := range all.Items {
		if w.raw.has(t, a.Status.AssignmentID, "2022-04-01") {
			out = append(out, a.Status.AssignmentID)
		}
	}
	return out
}
