package capacity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/capacity"
)

const (
	network     = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/shop"
	nodesSubnet = network + "/subnets/nodes"
	podsSubnet  = network + "/subnets/pods"
)

var query = capacity.Query{
	SubscriptionID: "s", Location: "westeurope", MachineType: "Standard_D8ds_v5", Zones: []string{"1", "2"},
	NodeSubnetID: nodesSubnet, PodSubnetID: podsSubnet,
}

// plenty has room for 12 nodes by the region's quota, 15 by the family's and 30 by addresses.
func plenty() capacity.Answer {
	return capacity.Answer{
		SKU: capacity.SKU{Known: true, Offered: true, Family: "standardDDSv5Family", VCPUs: 8},
		Quotas: capacity.Quotas{Known: true, Of: []capacity.Quota{
			{Name: "Total Regional vCPUs", Limit: 100, Used: 4},
			{Name: "Standard DDSv5 Family vCPUs", Limit: 120},
		}},
		Subnets: []capacity.Subnet{
			{ID: nodesSubnet, Known: true, Usable: 251, Used: 221},
			{ID: podsSubnet, Known: true, Usable: 2043},
		},
	}
}

func TestNodes(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*capacity.Answer)
		perNode capacity.Addresses
		room    int32
		limit   string
	}{
		"the tightest quota binds": {
			room: 12, limit: "quota Total Regional vCPUs of westeurope: 96 of 100 vCPUs are left, a Standard_D8ds_v5 needs 8",
		},
		"a quota too small for one node": {
			change: func(a *capacity.Answer) { a.Quotas.Of[1].Used = 116 },
			room:   0, limit: "quota Standard DDSv5 Family vCPUs of westeurope: 4 of 120 vCPUs are left, a Standard_D8ds_v5 needs 8",
		},
		"a quota that was lowered below its use has nothing left": {
			change: func(a *capacity.Answer) { a.Quotas.Of[0].Limit = 2 },
			room:   0, limit: "quota Total Regional vCPUs of westeurope: 0 of 2 vCPUs are left, a Standard_D8ds_v5 needs 8",
		},
		"addresses of nodes bind": {
			perNode: capacity.Addresses{FromNodeSubnet: 31},
			room:    0, limit: "subnet shop/nodes: 30 of 251 addresses are free, a node needs 31",
		},
		"addresses of pods bind": {
			perNode: capacity.Addresses{FromNodeSubnet: 1, FromPodSubnet: 256},
			room:    7, limit: "subnet shop/pods: 2043 of 2043 addresses are free, a node needs 256",
		},
		"an overfull subnet has no room": {
			change:  func(a *capacity.Answer) { a.Subnets[0].Used = 300 },
			perNode: capacity.Addresses{FromNodeSubnet: 1},
			room:    0, limit: "subnet shop/nodes: 0 of 251 addresses are free, a node needs 1",
		},
		"not offered": {
			change: func(a *capacity.Answer) { a.SKU = capacity.SKU{Known: true} },
			room:   0, limit: "machine type Standard_D8ds_v5 is not offered in westeurope",
		},
		"restricted": {
			change: func(a *capacity.Answer) { a.SKU.Restricted = "NotAvailableForSubscription" },
			room:   0, limit: "machine type Standard_D8ds_v5 cannot be used in westeurope: NotAvailableForSubscription",
		},
		"zones missing with a reason": {
			change: func(a *capacity.Answer) {
				a.SKU.ZonesMissing, a.SKU.ZonesWhy = []string{"1", "2"}, "NotAvailableForSubscription"
			},
			room: 0, limit: "machine type Standard_D8ds_v5 cannot be used in zone 1, 2 of westeurope: NotAvailableForSubscription",
		},
		"zones missing without a reason": {
			change: func(a *capacity.Answer) { a.SKU.ZonesMissing = []string{"2"} },
			room:   0, limit: "machine type Standard_D8ds_v5 cannot be used in zone 2 of westeurope",
		},
		"an unknown machine type leaves only addresses": {
			change:  func(a *capacity.Answer) { a.SKU = capacity.SKU{} },
			perNode: capacity.Addresses{FromNodeSubnet: 10},
			room:    3, limit: "subnet shop/nodes: 30 of 251 addresses are free, a node needs 10",
		},
		"unknown quotas limit nothing": {
			change:  func(a *capacity.Answer) { a.Quotas.Known = false },
			perNode: capacity.Addresses{FromNodeSubnet: 1},
			room:    30, limit: "subnet shop/nodes: 30 of 251 addresses are free, a node needs 1",
		},
		"an unknown subnet limits nothing": {
			change:  func(a *capacity.Answer) { a.Subnets[0].Known = false },
			perNode: capacity.Addresses{FromNodeSubnet: 31},
			room:    12, limit: "quota Total Regional vCPUs of westeurope: 96 of 100 vCPUs are left, a Standard_D8ds_v5 needs 8",
		},
		"nothing known": {
			change:  func(a *capacity.Answer) { *a = capacity.Answer{} },
			perNode: capacity.Addresses{FromNodeSubnet: 31},
			room:    capacity.Unlimited,
		},
		"more than a pool could ever have": {
			change: func(a *capacity.Answer) {
				a.Quotas.Of = []capacity.Quota{{Name: "Total Regional vCPUs", Limit: 1 << 40}}
			},
			room: capacity.Unlimited,
		},
	} {
		t.Run(name, func(t *testing.T) {
			answer := plenty()
			if tc.change != nil {
				tc.change(&answer)
			}
			room, limit := capacity.Nodes(query, answer, tc.perNode)
			if room != tc.room || limit != tc.limit {
				t.Errorf("room for %d because %q, want %d because %q", room, limit, tc.room, tc.limit)
			}
		})
	}
}

func TestNodesAndPodsInOneSubnet(t *testing.T) {
	q, answer := query, plenty()
	q.PodSubnetID = "/SUBSCRIPTIONS" + nodesSubnet[len("/subscriptions"):]
	answer.Subnets = answer.Subnets[:1]
	if diff := cmp.Diff([]string{nodesSubnet}, q.Subnets()); diff != "" {
		t.Errorf("subnets (-want +got):\n%s", diff)
	}
	if room, _ := capacity.Nodes(q, answer, capacity.Addresses{FromNodeSubnet: 1, FromPodSubnet: 9}); room != 3 {
		t.Errorf("room for %d, want 3: both come from the same 30 addresses", room)
	}
}

func TestAddressesPerNode(t *testing.T) {
	for _, tc := range []struct {
		networking capacity.Networking
		maxPods    int32
		want       capacity.Addresses
	}{
		{"Overlay", 250, capacity.Addresses{FromNodeSubnet: 1}},
		{"Kubenet", 110, capacity.Addresses{FromNodeSubnet: 1}},
		{"Flat", 30, capacity.Addresses{FromNodeSubnet: 31}},
		{"Flat", 250, capacity.Addresses{FromNodeSubnet: 251}},
		{"PodSubnet", 8, capacity.Addresses{FromNodeSubnet: 1, FromPodSubnet: 16}},
		{"PodSubnet", 9, capacity.Addresses{FromNodeSubnet: 1, FromPodSubnet: 32}},
		{"PodSubnet", 110, capacity.Addresses{FromNodeSubnet: 1, FromPodSubnet: 128}},
		{"PodSubnetBlocks", 16, capacity.Addresses{FromNodeSubnet: 1, FromPodSubnet: 16}},
		{"PodSubnetBlocks", 30, capacity.Addresses{FromNodeSubnet: 1, FromPodSubnet: 32}},
		{"SomethingNew", 30, capacity.Addresses{FromNodeSubnet: 31}},
		{"Flat", -1, capacity.Addresses{FromNodeSubnet: 1}},
	} {
		if got := tc.networking.PerNode(tc.maxPods); got != tc.want {
			t.Errorf("%s with %d pods takes %+v, want %+v", tc.networking, tc.maxPods, got, tc.want)
		}
	}
}

func TestUnknownKnowsNothingAndSaysWhy(t *testing.T) {
	answer, err := capacity.Unknown{}.Capacity(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	const why = "no Azure credentials are configured"
	want := capacity.Answer{
		SKU: capacity.SKU{Why: why}, Quotas: capacity.Quotas{Why: why},
		Subnets: []capacity.Subnet{{ID: nodesSubnet, Why: why}, {ID: podsSubnet, Why: why}},
	}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if room, limit := capacity.Nodes(query, answer, capacity.Flat.PerNode(250)); room != capacity.Unlimited || limit != "" {
		t.Errorf("room for %d because %q, want no limit", room, limit)
	}
}
