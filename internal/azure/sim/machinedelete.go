package sim

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// deleteMachines takes the named machines out of a pool, without a drain, and lowers its count by as many.
func deleteMachines(c *cloud, r *call) (reply, error) {
	cluster, pool, err := c.poolOf(r)
	if err != nil {
		return reply{}, err
	}
	if pool == nil {
		return reply{}, notFound(r.path)
	}
	ids, err := machinesNamed(pool, r.body)
	if err != nil {
		return reply{}, err
	}
	if err := c.busy(cluster); err != nil {
		return reply{}, err
	}
	// Bounds of an autoscaler are not looked at: whether AKS does is not known.
	left := readPool(pool)
	count := max(left.Nodes()-len(ids), 0)
	left.Count = &count
	if left.Mode == aks.ModeSystem && count == 0 {
		if err := aks.CheckPool(left); err != nil {
			return reply{}, err
		}
	}
	pool.properties()["count"] = float64(count)
	pool.properties()["provisioningState"] = "Updating"
	c.store(pool)
	o := c.begin(pool, opMachineDelete, c.settings.Durations.PoolUpdate.Duration, 2)
	o.Region, o.Pools, o.Machines = cluster.location(), []string{pool.key()}, ids
	return c.written(r, o, http.StatusAccepted, nil), nil
}

// machinesNamed are the ids of the machines in a request. A name that the pool has not refuses them all.
func machinesNamed(pool *resource, body armjson.Object) ([]int, error) {
	names, _ := body["machineNames"].([]any)
	if len(names) == 0 {
		return nil, armerr.BadRequest("InvalidParameter", "The value of parameter machineNames is invalid: at least one machine name must be given.").OnProperty("machineNames")
	}
	byName, valid := map[string]int{}, []string{}
	for _, m := range pool.Pool.Instances {
		name := computerName(pool.Pool.ScaleSet, m.ID)
		byName[name] = m.ID
		valid = append(valid, name)
	}
	var ids []int
	var unknown []string
	for _, item := range names {
		name, _ := item.(string)
		id, found := byName[name]
		switch {
		case !found:
			unknown = append(unknown, name)
		case !slices.Contains(ids, id):
			ids = append(ids, id)
		}
	}
	if len(unknown) > 0 {
		return nil, armerr.BadRequest("InvalidParameter", "Cannot find any valid machines to delete. Please check your input machine names. "+
			"The valid machines to delete in agent pool '%s' are: %s. Not among them: %s.", pool.name(), strings.Join(valid, ", "), strings.Join(unknown, ", "))
	}
	return ids, nil
}

// removeMachines is the step of an operation that takes away its machines.
func (c *cloud) removeMachines(o *operation, pool *resource) {
	for _, id := range o.Machines {
		at := slices.IndexFunc(pool.Pool.Instances, func(m *instance) bool { return m.ID == id })
		if at >= 0 {
			c.removeInstance(pool, at)
		}
	}
}
