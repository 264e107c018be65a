package sim

import (
	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

// checkCapacity asks the catalog whether pools fit as they would be, on top of all that the subscription already has. Pools
// that do not grow need no machine: a size that has been sold out since does not matter to them.
func (c *cloud) checkCapacity(cluster *resource, pools []aks.Pool) error {
	location := cluster.location()
	used := c.usage(cluster.subscription(), location)
	for _, p := range pools {
		current := c.state.Resources[armpath.Key(cluster.ID+"/agentPools/"+p.Name)]
		extra := p.Nodes()
		if current != nil {
			extra -= readPool(current).Nodes()
		}
		size, _ := c.settings.Catalog.VMSize(p.VMSize)
		if current == nil || extra > 0 {
			var err error
			if size, err = aks.CheckSize(c.settings.Catalog, location, p); err != nil {
				return err
			}
		}
		if err := aks.CheckQuota(c.settings.Catalog, location, used, p, size, extra); err != nil {
			return err
		}
		used.Add(p, size, extra)
	}
	return c.checkAddresses(cluster, pools)
}

// checkChangeCapacity is the same for one change of a pool. Replacing nodes needs machines of its size as well.
func (c *cloud) checkChangeCapacity(cluster *resource, change poolChange) error {
	if change.rolls {
		if _, err := aks.CheckSize(c.settings.Catalog, cluster.location(), change.pool); err != nil {
			return err
		}
	}
	return c.checkCapacity(cluster, []aks.Pool{change.pool})
}

// usage counts the vCPUs of all pools in a subscription and location.
func (c *cloud) usage(subscription, location string) aks.Usage {
	used := aks.Usage{}
	for _, pool := range c.state.children("/subscriptions/"+subscription, typePool) {
		owner := c.clusterOf(pool)
		if owner == nil || owner.location() != location {
			continue
		}
		p := readPool(pool)
		if size, ok := c.settings.Catalog.VMSize(p.VMSize); ok {
			used.Add(p, size, p.Nodes())
		}
	}
	return used
}

// pools are the pools of a cluster as values, sorted by name.
func (c *cloud) pools(cluster *resource) []aks.Pool {
	var out []aks.Pool
	for _, p := range c.state.children(cluster.ID, typePool) {
		out = append(out, readPool(p))
	}
	return out
}
