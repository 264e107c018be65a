package arm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/capacity"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

func TestCapacityIsWhatAzureHas(t *testing.T) {
	a := newAzure(t, quotas(
		catalog.Quota{Location: location, VCPUs: 100}, catalog.Quota{Location: location, Family: "standardDDSv5Family", VCPUs: 48}, catalog.Quota{Location: location, Spot: true, VCPUs: 7},
	))
	got, err := a.client.Capacity(t.Context(), query())
	if err != nil {
		t.Fatal(err)
	}
	want := capacity.Answer{
		SKU: capacity.SKU{Known: true, Offered: true, Family: "standardDDSv5Family", VCPUs: 8, EphemeralOSDisk: true, CacheGiB: 200},
		Quotas: capacity.Quotas{Known: true, Of: []capacity.Quota{
			{Name: "Total Regional vCPUs", Limit: 100, Used: 4 + 3*8}, {Name: "Standard DDSv5 Family vCPUs", Limit: 48, Used: 24},
		}},
		Subnets: []capacity.Subnet{{ID: nodesID, Known: true, Usable: 251, Used: 3 * 31}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	room, limit := capacity.Nodes(query(), got, capacity.Flat.PerNode(30))
	if room != 3 || limit != "quota Standard DDSv5 Family vCPUs of West Europe: 24 of 48 vCPUs are left, a Standard_D8ds_v5 needs 8" {
		t.Errorf("room for %d because %q", room, limit)
	}
	// Three pages of machine types, each asked for once; everything else is one request.
	for suffix, want := range map[string]int{"/skus": 3, "/usages": 2} {
		if n := a.asked(suffix); n != want {
			t.Errorf("%d requests for %s, want %d", n, suffix, want)
		}
	}
	spot := query()
	spot.Spot = true
	got, err = a.client.Capacity(t.Context(), spot)
	if diff := cmp.Diff([]capacity.Quota{{Name: "Total Regional Low-priority vCPUs", Limit: 7}}, got.Quotas.Of); err != nil || diff != "" {
		t.Errorf("quotas of Spot machines %v (-want +got):\n%s", err, diff)
	}
}

func TestCapacityKnowsWhatIsNotOffered(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) {
		s.Catalog.Restrictions = []catalog.Restriction{
			{Location: location, VMSize: "Standard_D2s_v5"}, {Location: location, VMSize: "Standard_D8s_v5", Zones: []string{"3", "1"}},
		}
	})
	for name, tc := range map[string]struct {
		change func(*capacity.Query)
		want   string
	}{
		"a size that does not exist":        {func(q *capacity.Query) { q.MachineType = "Standard_X1" }, "machine type Standard_X1 is not offered in West Europe"},
		"a size closed to the subscription": {func(q *capacity.Query) { q.MachineType = "Standard_D2s_v5" }, "machine type Standard_D2s_v5 cannot be used in West Europe: NotAvailableForSubscription"},
		"zones that lack a size": {
			func(q *capacity.Query) { q.MachineType, q.Zones = "standard_d8s_V5", []string{"3", "2", "1"} },
			"machine type standard_d8s_V5 cannot be used in zone 1, 3 of West Europe: NotAvailableForSubscription",
		},
		"a zone that does not exist": {func(q *capacity.Query) { q.Zones = []string{"1", "4"} }, "machine type Standard_D8ds_v5 cannot be used in zone 4 of West Europe"},
	} {
		t.Run(name, func(t *testing.T) {
			q := query()
			tc.change(&q)
			got, err := a.client.Capacity(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if room, limit := capacity.Nodes(q, got, capacity.Addresses{}); room != 0 || limit != tc.want {
				t.Errorf("room for %d because %q, want %q", room, limit, tc.want)
			}
		})
	}
}

func TestCapacityKeepsAnswersForAWhile(t *testing.T) {
	a := newAzure(t)
	for _, step := range []struct {
		pass         time.Duration
		skus, usages int
	}{
		{0, 3, 2}, {29 * time.Second, 3, 2}, {time.Second, 3, 4}, {15*time.Minute - 30*time.Second, 6, 6},
	} {
		a.clock.SetTime(a.clock.Now().Add(step.pass))
		if _, err := a.client.Capacity(t.Context(), query()); err != nil {
			t.Fatal(err)
		}
		if skus, usages := a.asked("/skus"), a.asked("/usages"); skus != step.skus || usages != step.usages {
			t.Errorf("at %s: %d and %d requests, want %d and %d", a.clock.Now(), skus, usages, step.skus, step.usages)
		}
	}
}

// TestCapacityAnswersWhatItCan: a part that failed in passing is unknown, comes with an error and is asked for again; one
// that this identity may not read is unknown and no error.
func TestCapacityAnswersWhatItCan(t *testing.T) {
	a := newAzure(t)
	a.fault("/locations/westeurope/usages", 1, serverError)
	got, err := a.client.Capacity(t.Context(), query())
	if !refusal.Is(err, refusal.Passing) || got.Quotas.Known || !strings.Contains(got.Quotas.Why, "read the quotas of westeurope: Azure cannot answer now: ServerBusy: later") {
		t.Errorf("%v, %+v", err, got.Quotas)
	}
	if !got.SKU.Known || !got.Subnets[0].Known {
		t.Errorf("the other parts are lost: %+v", got)
	}
	if got, err = a.client.Capacity(t.Context(), query()); err != nil || !got.Quotas.Known {
		t.Errorf("an error was kept: %v %+v", err, got.Quotas)
	}
	a.clock.SetTime(a.clock.Now().Add(time.Hour))
	a.fault("/virtualNetworks/shop/usages", 1, sim.FaultError{Status: 403, Code: "AuthorizationFailed", Message: "no"})
	got, err = a.client.Capacity(t.Context(), query())
	const why = "count the addresses of network shop: the operator's identity may not; grant it Microsoft.Network/virtualNetworks/usages/read on " + networkID + " (AuthorizationFailed)"
	if err != nil || got.Subnets[0].Known || got.Subnets[0].Why != why || !got.Quotas.Known {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestCapacityOfSubnetsThatAreNone(t *testing.T) {
	a := newAzure(t)
	for id, why := range map[string]string{
		networkID + "/subnets/other": "network shop has no subnet other",
		groupID + "/providers/Microsoft.Network/virtualNetworks/none/subnets/nodes": "ResourceNotFound",
		networkID: "not of a Microsoft.Network/virtualNetworks/subnets",
		"nodes":   `"nodes" is not an Azure resource id`,
	} {
		q := query()
		q.NodeSubnetID = id
		got, err := a.client.Capacity(t.Context(), q)
		if err != nil || got.Subnets[0].Known || !strings.Contains(got.Subnets[0].Why, why) {
			t.Errorf("%s: %v %+v, want %q", id, err, got.Subnets, why)
		}
	}
	for _, q := range []capacity.Query{
		{Location: location, MachineType: "x"}, {SubscriptionID: subscription, MachineType: "x", Location: "a' or '"}, {SubscriptionID: subscription, Location: location},
	} {
		if _, err := a.client.Capacity(t.Context(), q); err == nil {
			t.Errorf("%+v is answered", q)
		}
	}
}
