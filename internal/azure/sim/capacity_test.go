package sim_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

// quota is what the list of usages says about one quota: what is used, of how many.
func (a *azure) quota(name string) [2]int64 {
	a.t.Helper()
	usages := build(a, armcompute.NewUsageClient)
	for pages := usages.NewListPager("westeurope", nil); pages.More(); {
		page, err := pages.NextPage(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		for _, u := range page.Value {
			if *u.Name.Value == name {
				return [2]int64{int64(*u.CurrentValue), *u.Limit}
			}
		}
	}
	a.t.Fatalf("no quota %s", name)
	return [2]int64{}
}

// TestUsagesAreWhatIsEnforced: a pool that takes a quota's last vCPU is made, the next node is refused.
func TestUsagesAreWhatIsEnforced(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) {
		s.Catalog.Quotas = []catalog.Quota{
			{Location: location, VCPUs: 1000}, {Location: location, Family: "standardESv5Family", VCPUs: 16}, {Location: location, Spot: true, VCPUs: 8},
		}
	})
	a.makeCluster()
	a.mustPutPool("full", userPool("Standard_E8s_v5", 2))
	spot := userPool("Standard_E4s_v5", 2)
	spot.Properties.ScaleSetPriority = to.Ptr(aks.ScaleSetPrioritySpot)
	a.mustPutPool("spot", spot)
	for name, want := range map[string][2]int64{
		"cores": {2*4 + 2*8, 1000}, "standardESv5Family": {16, 16}, "lowPriorityCores": {8, 8}, "standardDSv5Family": {8, 1<<31 - 1},
	} {
		if got := a.quota(name); got != want {
			t.Errorf("%s is at %v, want %v", name, got, want)
		}
	}
	_, err := a.putPool("more", userPool("Standard_E4s_v5", 1))
	wantCode(t, err, http.StatusBadRequest, "QuotaExceeded", "standardESv5Family")
	spot.Properties.Count = to.Ptr[int32](3)
	_, err = a.putPool("spot", spot)
	wantCode(t, err, http.StatusBadRequest, "QuotaExceeded", "Low Priority")
	_, err = build(a, armcompute.NewUsageClient).NewListPager("mars", nil).NextPage(t.Context())
	wantCode(t, err, http.StatusBadRequest, "NoRegisteredProviderFound", "mars")
}

func (a *azure) skus(filter string) []*armcompute.ResourceSKU {
	a.t.Helper()
	var out []*armcompute.ResourceSKU
	options := &armcompute.ResourceSKUsClientListOptions{}
	if filter != "" {
		options.Filter = to.Ptr(filter)
	}
	for pages := build(a, armcompute.NewResourceSKUsClient).NewListPager(options); pages.More(); {
		page, err := pages.NextPage(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		out = append(out, page.Value...)
	}
	return out
}

func TestSKUsSayWhatIsOffered(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) {
		s.Catalog.Restrictions = []catalog.Restriction{
			{Location: location, VMSize: "Standard_D2s_v5"}, {Location: location, VMSize: "Standard_D4s_v5", Zones: []string{"1", "3"}},
		}
	})
	all := a.skus("location eq 'West Europe'")
	machines := map[string]*armcompute.ResourceSKU{}
	for _, s := range all {
		if *s.ResourceType == "virtualMachines" {
			machines[*s.Name] = s
		}
	}
	// More than one page, each machine type once.
	if want := len(catalog.Default().VMSizes); len(machines) != want || len(all) != want+1 {
		t.Fatalf("%d SKUs with %d machine types, want %d types", len(all), len(machines), want)
	}
	if r := machines["Standard_D2s_v5"].Restrictions; len(r) != 1 || *r[0].Type != armcompute.ResourceSKURestrictionsTypeLocation ||
		*r[0].ReasonCode != armcompute.ResourceSKURestrictionsReasonCodeNotAvailableForSubscription {
		t.Errorf("restrictions of a size that is sold out: %+v", r)
	}
	r := machines["Standard_D4s_v5"].Restrictions
	if len(r) != 1 || *r[0].Type != armcompute.ResourceSKURestrictionsTypeZone {
		t.Fatalf("restrictions of a size that two zones have not: %+v", r)
	}
	if diff := cmp.Diff([]*string{to.Ptr("1"), to.Ptr("3")}, r[0].RestrictionInfo.Zones); diff != "" {
		t.Errorf("zones (-want +got):\n%s", diff)
	}
	capabilities := map[string]string{}
	for _, c := range machines["Standard_D8ds_v5"].Capabilities {
		capabilities[*c.Name] = *c.Value
	}
	if capabilities["vCPUs"] != "8" || capabilities["EphemeralOSDiskSupported"] != "True" || capabilities["CachedDiskBytes"] != "214748364800" {
		t.Errorf("capabilities: %v", capabilities)
	}
	if got := a.skus("location eq 'mars'"); len(got) != 0 {
		t.Errorf("%d SKUs on Mars", len(got))
	}
	if got := a.skus(""); len(got) != len(all)*len(catalog.Default().Locations) {
		t.Errorf("%d SKUs in all locations", len(got))
	}
	_, err := build(a, armcompute.NewResourceSKUsClient).NewListPager(&armcompute.ResourceSKUsClientListOptions{Filter: to.Ptr("name eq 'x'")}).NextPage(t.Context())
	wantCode(t, err, http.StatusBadRequest, "InvalidFilterInQueryString", "")
}

// addresses are what the network's usages say of a subnet: used, of how many.
func (a *azure) addresses(name string) [2]float64 {
	a.t.Helper()
	page, err := a.networks.NewListUsagePager(networkGroup, network, nil).NextPage(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	at := slices.IndexFunc(page.Value, func(u *armnetwork.VirtualNetworkUsage) bool { return *u.ID == *subnetID(name) })
	return [2]float64{*page.Value[at].CurrentValue, *page.Value[at].Limit}
}

func TestAddressesAreCountedAndEnforced(t *testing.T) {
	a := withNetwork(t)
	settings := a.server.Settings()
	settings.Durations.NetworkWrite.Duration = 0
	a.server.SetSettings(settings)
	p, err := a.networks.BeginCreateOrUpdate(t.Context(), networkGroup, network,
		vnet("10.0.0.0/8", subnet("nodes", "10.1.0.0/28"), subnet("pods", "10.2.0.0/26")), nil)
	done(a, p, err)
	pool := userPool("Standard_D4s_v5", 3)
	pool.Properties.VnetSubnetID, pool.Properties.PodSubnetID = subnetID("nodes"), subnetID("pods")
	a.mustPutPool("blue", pool)
	if nodes, pods := a.addresses("nodes"), a.addresses("pods"); nodes != [2]float64{3, 11} || pods != [2]float64{48, 59} {
		t.Errorf("nodes have %v addresses, pods %v", nodes, pods)
	}
	pool.Properties.Count = to.Ptr[int32](4)
	_, err = a.putPool("blue", pool)
	wantCode(t, err, http.StatusBadRequest, "InsufficientSubnetSize", "Pre-allocated IPs 16 exceeds IPs available 11 in Subnet Cidr 10.2.0.0/26, Subnet Name pods")
	// What could not grow further may still be changed otherwise.
	pool.Properties.Count, pool.Properties.NodeLabels = to.Ptr[int32](3), map[string]*string{"tier": to.Ptr("gold")}
	a.mustPutPool("blue", pool)
	// The autoscaler's bound counts, not today's number: 9 nodes with 30 pods each.
	bounded := userPool("Standard_D4s_v5", 1)
	bounded.Properties.VnetSubnetID = subnetID("nodes")
	autoscale(1, 1, 9)(bounded.Properties)
	_, err = a.putPool("green", bounded)
	wantCode(t, err, http.StatusBadRequest, "InsufficientSubnetSize", "Pre-allocated IPs 279 exceeds IPs available 8")
	_, err = a.networks.NewListUsagePager(networkGroup, "nowhere", nil).NextPage(t.Context())
	wantCode(t, err, http.StatusNotFound, "ResourceNotFound", "nowhere")
}
