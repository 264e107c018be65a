package sim_test

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
)

const network = "vnet"

func vnet(space string, subnets ...*armnetwork.Subnet) armnetwork.VirtualNetwork {
	return armnetwork.VirtualNetwork{
		Location: to.Ptr(location),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{to.Ptr(space)}}, Subnets: subnets,
		},
	}
}

func subnet(name, prefix string) *armnetwork.Subnet {
	return &armnetwork.Subnet{Name: to.Ptr(name), Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: to.Ptr(prefix)}}
}

func TestNetworks(t *testing.T) {
	a := newAzure(t)
	ctx := t.Context()
	_, err := a.networks.BeginCreateOrUpdate(ctx, group, network, vnet("10.0.0.0/8"), nil)
	wantCode(t, err, http.StatusNotFound, "ResourceGroupNotFound", "")
	a.makeCluster()
	p, err := a.networks.BeginCreateOrUpdate(ctx, group, network, vnet("10.0.0.0/8", subnet("inline", "10.1.0.0/16")), nil)
	if err != nil {
		t.Fatal(err)
	}
	early, err := a.networks.Get(ctx, group, network, nil)
	if err != nil || *early.Properties.ProvisioningState != armnetwork.ProvisioningStateUpdating {
		t.Errorf("right after the PUT: %v", err)
	}
	if got := done(a, p, nil); len(got.Properties.Subnets) != 1 || *got.Properties.ProvisioningState != armnetwork.ProvisioningStateSucceeded {
		t.Errorf("network: %+v", got.Properties)
	}
	s, err := a.subnets.BeginCreateOrUpdate(ctx, group, network, "nodes", *subnet("nodes", "10.2.0.0/16"), nil)
	created := done(a, s, err)
	// A PUT without subnets keeps them.
	p, err = a.networks.BeginCreateOrUpdate(ctx, group, network, vnet("10.0.0.0/8"), nil)
	if got := done(a, p, err); len(got.Properties.Subnets) != 2 {
		t.Errorf("%d subnets after a PUT without, want 2", len(got.Properties.Subnets))
	}
	for name, test := range map[string]struct{ prefix, code string }{
		"outside":   {"192.168.0.0/24", "NetcfgInvalidSubnet"},
		"overlaps":  {"10.2.128.0/24", "NetcfgSubnetRangesOverlap"},
		"host bits": {"10.3.0.1/16", "InvalidAddressPrefixFormat"},
		"no prefix": {"", "InvalidAddressPrefixFormat"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.subnets.BeginCreateOrUpdate(ctx, group, network, "other", *subnet("other", test.prefix), nil)
			wantCode(t, err, http.StatusBadRequest, test.code, "")
		})
	}
	if _, err := a.subnets.Get(ctx, group, network, "other", nil); err == nil {
		t.Error("a refused subnet exists")
	}
	_, err = a.subnets.BeginCreateOrUpdate(ctx, group, "none", "x", *subnet("x", "10.3.0.0/16"), nil)
	wantCode(t, err, http.StatusNotFound, "ParentResourceNotFound", "")

	pool := userPool("Standard_D4s_v5", 1)
	pool.Properties.VnetSubnetID = created.ID
	a.mustPutPool("blue", pool)
	_, err = a.subnets.BeginDelete(ctx, group, network, "nodes", nil)
	wantCode(t, err, http.StatusBadRequest, "InUseSubnetCannotBeDeleted", "blue")
	_, err = a.networks.BeginDelete(ctx, group, network, nil)
	wantCode(t, err, http.StatusBadRequest, "InUseSubnetCannotBeDeleted", "")
	_, err = a.networks.BeginCreateOrUpdate(ctx, group, network, vnet("10.0.0.0/8", subnet("inline", "10.1.0.0/16")), nil)
	wantCode(t, err, http.StatusBadRequest, "InUseSubnetCannotBeDeleted", "")

	d, err := a.pools.BeginDelete(ctx, group, cluster, "blue", nil)
	done(a, d, err)
	ds, err := a.subnets.BeginDelete(ctx, group, network, "nodes", nil)
	done(a, ds, err)
	dn, err := a.networks.BeginDelete(ctx, group, network, nil)
	done(a, dn, err)
	_, err = a.subnets.Get(ctx, group, network, "inline", nil)
	wantCode(t, err, http.StatusNotFound, "ResourceNotFound", "")
}

// TestRefusedInlineSubnetsChangeNothing: one bad subnet in a list must not have removed or changed the others.
func TestRefusedInlineSubnetsChangeNothing(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	p, err := a.networks.BeginCreateOrUpdate(t.Context(), group, network, vnet("10.0.0.0/8", subnet("a", "10.1.0.0/16"), subnet("b", "10.2.0.0/16")), nil)
	done(a, p, err)
	_, err = a.networks.BeginCreateOrUpdate(t.Context(), group, network, vnet("10.0.0.0/8", subnet("a", "10.9.0.0/16"), subnet("c", "192.168.0.0/24")), nil)
	wantCode(t, err, http.StatusBadRequest, "NetcfgInvalidSubnet", "")
	got, err := a.networks.Get(t.Context(), group, network, nil)
	if err != nil {
		t.Fatal(err)
	}
	prefixes := map[string]string{}
	for _, s := range got.Properties.Subnets {
		prefixes[*s.Name] = *s.Properties.AddressPrefix
	}
	if len(prefixes) != 2 || prefixes["a"] != "10.1.0.0/16" || prefixes["b"] != "10.2.0.0/16" {
		t.Errorf("subnets after the refusal: %v", prefixes)
	}
}
