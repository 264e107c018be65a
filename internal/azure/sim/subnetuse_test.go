package sim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

const networkGroup = "rg-network"

// withNetwork is an Azure with a cluster, and in another group a network with the subnets "nodes" and "pods". Deletions
// of networks take a minute.
func withNetwork(t *testing.T) *azure {
	t.Helper()
	a := newAzure(t)
	a.makeCluster()
	if _, err := a.groups.CreateOrUpdate(t.Context(), networkGroup, armresources.ResourceGroup{Location: to.Ptr(location)}, nil); err != nil {
		t.Fatal(err)
	}
	p, err := a.networks.BeginCreateOrUpdate(t.Context(), networkGroup, network,
		vnet("10.0.0.0/8", subnet("nodes", "10.1.0.0/16"), subnet("pods", "10.2.0.0/16")), nil)
	done(a, p, err)
	settings := a.server.Settings()
	settings.Durations.NetworkWrite.Duration, settings.Durations.GroupDelete.Duration = time.Minute, time.Minute
	a.server.SetSettings(settings)
	return a
}

func subnetID(name string) *string {
	return to.Ptr("/subscriptions/" + subscription + "/resourceGroups/" + networkGroup + "/providers/Microsoft.Network/virtualNetworks/" + network + "/subnets/" + name)
}

func (a *azure) poolIn(nodes, pods *string) error {
	a.t.Helper()
	pool := userPool("Standard_D4s_v5", 1)
	pool.Properties.VnetSubnetID, pool.Properties.PodSubnetID = nodes, pods
	_, err := a.putPool("blue", pool)
	return err
}

func TestSubnetsInUseStay(t *testing.T) {
	for name, use := range map[string]struct{ nodes, pods *string }{
		"by nodes":                 {nodes: subnetID("nodes")},
		"by pods":                  {nodes: subnetID("pods"), pods: subnetID("nodes")},
		"whatever the letter case": {nodes: to.Ptr("/SUBSCRIPTIONS" + (*subnetID("NODES"))[len("/subscriptions"):])},
	} {
		t.Run(name, func(t *testing.T) {
			a := withNetwork(t)
			if err := a.poolIn(use.nodes, use.pods); err != nil {
				t.Fatal(err)
			}
			_, err := a.subnets.BeginDelete(t.Context(), networkGroup, network, "nodes", nil)
			wantCode(t, err, http.StatusBadRequest, "InUseSubnetCannotBeDeleted", "agentPools/blue")
			_, err = a.networks.BeginDelete(t.Context(), networkGroup, network, nil)
			wantCode(t, err, http.StatusBadRequest, "InUseSubnetCannotBeDeleted", "agentPools/blue")
			_, err = a.groups.BeginDelete(t.Context(), networkGroup, nil)
			wantCode(t, err, http.StatusConflict, "ResourceGroupDeletionBlocked", "agentPools/blue")
			got, err := a.groups.Get(t.Context(), networkGroup, nil)
			if err != nil || *got.Properties.ProvisioningState != "Succeeded" {
				t.Errorf("group after the refusal: %v %v", got.Properties, err)
			}
		})
	}
}

func TestGroupWithBothNetworkAndClusterIsDeleted(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	p, err := a.networks.BeginCreateOrUpdate(t.Context(), group, network, vnet("10.0.0.0/8", subnet("nodes", "10.1.0.0/16")), nil)
	own := done(a, p, err)
	if err := a.poolIn(own.Properties.Subnets[0].ID, nil); err != nil {
		t.Fatal(err)
	}
	d, err := a.groups.BeginDelete(t.Context(), group, nil)
	done(a, d, err)
}

func TestMissingPodSubnet(t *testing.T) {
	a := withNetwork(t)
	err := a.poolIn(subnetID("nodes"), subnetID("none"))
	wantCode(t, err, http.StatusBadRequest, "VnetSubnetNotFound", "subnets/none")
}

func TestNothingIsPutIntoWhatIsBeingDeleted(t *testing.T) {
	for name, test := range map[string]struct {
		remove  func(*azure)
		network string // the refusal of a PUT of the network
		group   string // the refusal of one in the group
	}{
		"subnet": {remove: func(a *azure) { a.delete(*subnetID("nodes")) }},
		"network": {remove: func(a *azure) { a.delete((*subnetID(""))[:len(*subnetID(""))-len("/subnets/")]) },
			network: "AnotherOperationInProgress"},
		"group": {remove: func(a *azure) {
			if _, err := a.groups.BeginDelete(a.t.Context(), networkGroup, nil); err != nil {
				a.t.Fatal(err)
			}
		}, group: "ResourceGroupBeingDeleted"},
	} {
		t.Run(name, func(t *testing.T) {
			a := withNetwork(t)
			test.remove(a)
			for _, use := range []struct{ nodes, pods *string }{{nodes: subnetID("nodes")}, {pods: subnetID("nodes")}} {
				wantCode(t, a.poolIn(use.nodes, use.pods), http.StatusConflict, "ReferencedResourceNotProvisioned", "subnets/nodes")
			}
			refusal := "AnotherOperationInProgress"
			if test.group != "" {
				refusal = test.group
			}
			_, err := a.subnets.BeginCreateOrUpdate(t.Context(), networkGroup, network, "nodes", *subnet("nodes", "10.1.0.0/16"), nil)
			wantCode(t, err, http.StatusConflict, refusal, "")
			_, err = a.networks.BeginCreateOrUpdate(t.Context(), networkGroup, network, vnet("10.0.0.0/8", subnet("nodes", "10.1.0.0/16")), nil)
			wantCode(t, err, http.StatusConflict, refusal, "")
			if test.network != "" {
				_, err = a.networks.BeginCreateOrUpdate(t.Context(), networkGroup, network, vnet("10.0.0.0/8"), nil)
				wantCode(t, err, http.StatusConflict, test.network, "")
				_, err = a.subnets.BeginCreateOrUpdate(t.Context(), networkGroup, network, "new", *subnet("new", "10.3.0.0/16"), nil)
				wantCode(t, err, http.StatusConflict, test.network, "")
			}
		})
	}
}

// TestDeletionOutlastsAWrite: the end of an earlier PUT must not make a subnet look well that is being deleted, and asking
// twice is about one operation.
func TestDeletionOutlastsAWrite(t *testing.T) {
	a := withNetwork(t)
	if _, err := a.subnets.BeginCreateOrUpdate(t.Context(), networkGroup, network, "nodes", *subnet("nodes", "10.1.0.0/16"), nil); err != nil {
		t.Fatal(err)
	}
	a.clock.Step(30 * time.Second)
	a.delete(*subnetID("nodes"))
	deletion := a.running()
	a.delete(*subnetID("nodes"))
	if again := a.running(); again != deletion {
		t.Errorf("the second DELETE started operation %s besides %s", again, deletion)
	}
	a.clock.Step(40 * time.Second)
	got, err := a.subnets.Get(t.Context(), networkGroup, network, "nodes", nil)
	if err != nil || *got.Properties.ProvisioningState != armnetwork.ProvisioningStateDeleting {
		t.Errorf("subnet at the end of the PUT: %v %v", got.Properties, err)
	}
	a.expectOperation(deletion, "Succeeded")
}
