package sim_test

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

func TestClusterBecomesReady(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	poller, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(systemPool("sys")), nil)
	if err != nil {
		t.Fatal(err)
	}
	early, err := a.clusters.Get(t.Context(), group, cluster, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := *early.Properties.ProvisioningState; got != "Creating" {
		t.Errorf("provisioningState right after the PUT is %s", got)
	}
	if _, err := a.clusters.ListClusterAdminCredentials(t.Context(), group, cluster, nil); err != nil {
		wantCode(t, err, http.StatusNotFound, "ControlPlaneNotFound", "")
	}
	got := done(a, poller, nil).ManagedCluster
	p := got.Properties
	for what, pair := range map[string][2]string{
		"id":                       {*got.ID, clusterID},
		"provisioningState":        {*p.ProvisioningState, "Succeeded"},
		"powerState":               {string(*p.PowerState.Code), "Running"},
		"nodeResourceGroup":        {*p.NodeResourceGroup, nodeGroup},
		"currentKubernetesVersion": {*p.CurrentKubernetesVersion, "1.34.1"},
		"pool":                     {*p.AgentPoolProfiles[0].Name, "sys"},
		"pool state":               {*p.AgentPoolProfiles[0].ProvisioningState, "Succeeded"},
		"pool version":             {*p.AgentPoolProfiles[0].CurrentOrchestratorVersion, "1.34.1"},
		"pool image":               {*p.AgentPoolProfiles[0].NodeImageVersion, "AKSUbuntu-2204gen2containerd-202510.03.0"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
	if p.Fqdn == nil || p.IdentityProfile["kubeletidentity"].ObjectID == nil || got.Identity.PrincipalID == nil {
		t.Errorf("fqdn, kubelet identity or principal is missing in %+v", p)
	}
	credentials, err := a.clusters.ListClusterAdminCredentials(t.Context(), group, cluster, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(credentials.Kubeconfigs[0].Value); got != "kubeconfig of shop" {
		t.Errorf("kubeconfig is %q", got)
	}
}

func TestNodesAreOfAzuresShape(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	pool := userPool("Standard_D4s_v5", 1)
	pool.Properties.NodeLabels = map[string]*string{"team": to.Ptr("shop")}
	pool.Properties.NodeTaints = []*string{to.Ptr("dedicated=shop:NoSchedule")}
	pool.Properties.AvailabilityZones = []*string{to.Ptr("2")}
	pool.Properties.MaxPods = to.Ptr[int32](42)
	a.mustPutPool("blue", pool)
	a.boot()
	digits := "80356398"
	name := "aks-blue-" + digits + "-vmss000000"
	a.eventuallyNodes(name, "aks-sys-"+digits+"-vmss000000", "aks-sys-"+digits+"-vmss000001")
	got, _ := a.world.node(name)
	want := sim.Node{
		Name: name,
		ProviderID: "azure:///subscriptions/" + subscription + "/resourceGroups/mc_rg-shop_shop_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets/aks-blue-" +
			digits + "-vmss/virtualMachines/0",
		Labels: map[string]string{
			"agentpool": "blue", "kubernetes.azure.com/agentpool": "blue", "kubernetes.azure.com/cluster": nodeGroup,
			"kubernetes.azure.com/mode": "user", "kubernetes.azure.com/os-sku": "Ubuntu", "kubernetes.azure.com/role": "agent",
			"kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
			"node.kubernetes.io/instance-type": "Standard_D4s_v5",
			"topology.kubernetes.io/region":    location, "topology.kubernetes.io/zone": "westeurope-2",
			"fleetwright.io/simulated": "true", "team": "shop",
		},
		Taints:  []sim.Taint{{Key: "dedicated", Value: "shop", Effect: "NoSchedule"}},
		Version: "v1.34.1", VMSize: "Standard_D4s_v5", OSImage: "Ubuntu 22.04.5 LTS", Zone: "westeurope-2",
		CPU: 4, MemoryBytes: 16 << 30, Pods: 42,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("node (-want +got):\n%s", diff)
	}
}
