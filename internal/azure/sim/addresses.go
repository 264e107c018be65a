package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

// listNetworkUsages answers how many addresses each subnet of a network has and how many are taken.
func listNetworkUsages(c *cloud, r *call) (reply, error) {
	r.path = r.path.Parent()
	network, err := c.mustFind(r)
	if err != nil {
		return reply{}, err
	}
	var items []armjson.Object
	for _, s := range c.state.children(network.ID, typeSubnet) {
		usable, used := c.addresses(s)
		items = append(items, armjson.Object{
			"id": s.ID, "limit": float64(usable), "currentValue": float64(used), "unit": "Count",
			"name": armjson.Object{"value": "SubnetSpace", "localizedValue": "Subnet size and usage"},
		})
	}
	return list(items), nil
}

// addresses are how many a subnet has for machines and pods, and how many the machines of pools hold.
func (c *cloud) addresses(subnet *resource) (usable, used int) {
	for _, value := range subnetPrefixes(subnet) {
		if p, err := prefix(value, subnet.name()); err == nil && p.Addr().Is4() {
			usable += 1<<(32-p.Bits()) - aks.Reserved
		}
	}
	for _, pool := range c.poolsIn(subnet) {
		used += len(pool.Pool.Instances) * c.takes(c.clusterOf(pool), readPool(pool), subnet)
	}
	return max(usable, 0), used
}

// takes is how many addresses of a subnet one node of a pool holds.
func (c *cloud) takes(cluster *resource, p aks.Pool, subnet *resource) int {
	nodes, pods := aks.Addresses(p, armjson.Get(cluster.properties(), "networkProfile"))
	n := 0
	if armpath.Key(p.VnetSubnetID) == subnet.key() {
		n += nodes
	}
	if armpath.Key(p.PodSubnetID) == subnet.key() {
		n += pods
	}
	return n
}

// checkAddresses asks whether the subnets of pools hold the nodes that the pools may come to have, on top of the machines
// that there are. A pool that may not come to have more than before needs nothing.
func (c *cloud) checkAddresses(cluster *resource, pools []aks.Pool) error {
	needed := map[string]int{}
	for _, p := range pools {
		more := p.MostNodes()
		if current := c.state.Resources[armpath.Key(cluster.ID+"/agentPools/"+p.Name)]; current != nil {
			more -= max(readPool(current).MostNodes(), len(current.Pool.Instances))
		}
		for _, key := range slices.Compact([]string{armpath.Key(p.VnetSubnetID), armpath.Key(p.PodSubnetID)}) {
			if subnet := c.state.Resources[key]; subnet != nil && more > 0 {
				needed[key] += more * c.takes(cluster, p, subnet)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(needed)) {
		subnet := c.state.Resources[key]
		usable, used := c.addresses(subnet)
		if err := aks.CheckAddresses(needed[key], usable-used, prefixWords(subnet), subnet.name()); err != nil {
			return err
		}
	}
	return nil
}

func prefixWords(subnet *resource) string {
	var words []string
	for _, value := range subnetPrefixes(subnet) {
		words = append(words, fmt.Sprint(value))
	}
	return strings.Join(words, ",")
}
