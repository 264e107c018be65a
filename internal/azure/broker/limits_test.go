package broker

import (
	"slices"
	"strings"
	"testing"
)

const (
	sub   = "/subscriptions/S1"
	group = sub + "/resourceGroups/RG"
	shop  = group + "/providers/Microsoft.ContainerService/managedClusters/Shop"
	acr   = group + "/providers/Microsoft.ContainerRegistry/registries/acr"
	grant = "/providers/Microsoft.Authorization/roleAssignments/1"
	query = "/providers/Microsoft.ResourceGraph/resources"
)

// TestTargets says what each kind of request counts against: Resource Manager's bucket first, the provider's last.
func TestTargets(t *testing.T) {
	for _, tc := range []struct {
		method, path, region string
		want                 string
		changes, reads       bool
	}{
		{"GET", shop, "", "arm_reads me/s1 , aks_get_cluster s1/rg/shop ", false, true},
		{"HEAD", shop, "", "arm_reads me/s1 , aks_other s1 ", false, true},
		{"PUT", shop, "", "arm_writes me/s1 , aks_put_cluster s1/rg/shop ", true, false},
		{"PATCH", shop, "West Europe", "arm_writes me/s1 , aks_other s1 westeurope", true, false},
		{"DELETE", shop, "westeurope", "arm_deletes me/s1 , aks_other s1 westeurope", true, false},
		{"POST", shop + "/listClusterAdminCredential", "", "arm_writes me/s1 , aks_other s1 ", false, true},
		{"POST", shop + "/abort", "", "arm_writes me/s1 , aks_other s1 ", false, false},
		{"PUT", shop + "/agentPools/blue", "x", "arm_writes me/s1 , aks_put_pool s1/rg/shop ", true, false},
		{"PUT", shop + "/agentPools/red", "x", "arm_writes me/s1 , aks_put_pool s1/rg/shop ", true, false},
		{"GET", shop + "/agentPools/blue", "x", "arm_reads me/s1 , aks_other s1 x", false, true},
		{"GET", shop + "/agentPools", "x", "arm_reads me/s1 , aks_other s1 x", false, true},
		{"DELETE", shop + "/agentPools/blue", "x", "arm_deletes me/s1 , aks_other s1 x", true, false},
		{"POST", shop + "/agentPools/blue/deleteMachines", "x", "arm_writes me/s1 , aks_other s1 x", true, false},
		{"PUT", shop + "/maintenanceConfigurations/default", "x", "arm_writes me/s1 , aks_other s1 x", true, false},
		{"GET", sub + "/providers/Microsoft.ContainerService/managedClusters", "x", "arm_reads me/s1 , aks_list s1 ", false, true},
		{"GET", group + "/providers/Microsoft.ContainerService/managedClusters", "x", "arm_reads me/s1 , aks_list_group s1/rg ", false, true},
		{"GET", sub + "/providers/Microsoft.ContainerService/locations/westeurope/operations/1", "", "arm_reads me/s1 , aks_operations s1 westeurope", false, true},
		{"GET", sub + "/providers/Microsoft.ContainerService/locations/westeurope/kubernetesVersions", "", "arm_reads me/s1 , aks_other s1 westeurope", false, true},
		// An extension resource is its own provider's, whatever it hangs on.
		{"PUT", shop + grant, "", "arm_writes me/s1 , provider s1/microsoft.authorization/writes ", false, false},
		{"PUT", acr + grant, "", "arm_writes me/s1 , provider s1/microsoft.authorization/writes ", false, false},
		{"DELETE", sub + grant, "", "arm_deletes me/s1 , provider s1/microsoft.authorization/deletes ", false, false},
		{"PUT", "/providers/Microsoft.Management/managementGroups/mg" + grant, "", "arm_writes me/ , provider /microsoft.authorization/writes ", false, false},
		{"GET", sub + "/providers/Microsoft.Compute/locations/westeurope/usages", "", "arm_reads me/s1 , provider s1/microsoft.compute/reads westeurope", false, true},
		{"GET", group, "", "arm_reads me/s1 , provider s1/microsoft.resources/reads ", false, true},
		{"POST", query, "", "arm_writes me/ , resource_graph me ", false, true},
		// A name is no word of the path.
		{"GET", "/subscriptions/S1/resourceGroups/providers/providers/Microsoft.ContainerService/managedClusters/c", "", "arm_reads me/s1 , aks_get_cluster s1/providers/c ", false, true},
		{"GET", "/subscriptions/providers/resourceGroups/managedClusters", "", "arm_reads me/providers , provider providers/microsoft.resources/reads ", false, true},
		{"GET", "", "", "arm_reads me/ , provider /microsoft.resources/reads ", false, true},
	} {
		got := targetOf("me", tc.method, tc.path, tc.region)
		var keys []string
		for _, n := range got.needs {
			keys = append(keys, n.key())
		}
		if s := strings.Join(keys, ", "); s != tc.want || got.changes != tc.changes || got.reads != tc.reads {
			t.Errorf("%s %s: %q changes=%t reads=%t\nwant %q", tc.method, tc.path, s, got.changes, got.reads, tc.want)
		}
	}
}

// TestLimitsAreThePublishedOnes repeats https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
// and https://learn.microsoft.com/azure/aks/quotas-skus-regions, read in November 2026.
func TestLimitsAreThePublishedOnes(t *testing.T) {
	type published struct {
		size      int
		perMinute float64
	}
	want := map[string]published{
		"arm_reads": {250, 1500}, "arm_writes": {200, 600}, "arm_deletes": {200, 600},
		"aks_list": {500, 60}, "aks_list_group": {60, 60}, "aks_get_cluster": {60, 60}, "aks_put_cluster": {20, 1}, "aks_put_pool": {20, 1},
		"aks_operations": {200, 120}, "aks_other": {60, 60}, "resource_graph": {7, 120}, "provider": {},
	}
	var told []string
	for _, l := range limits {
		told = append(told, l.name)
		if w := want[l.name]; l.size != w.size || float64(l.refill)*60 != w.perMinute {
			t.Errorf("%s: %d and %v a minute, want %+v", l.name, l.size, l.refill*60, w)
		}
	}
	for name := range want {
		if !slices.Contains(told, name) {
			t.Errorf("%s is not told by metrics", name)
		}
	}
}
