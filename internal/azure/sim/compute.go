package sim

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

// scaleSet is one pool seen as the scale set behind it.
type scaleSet struct {
	cluster, pool *resource
	id            string
}

// scaleSetsIn are the scale sets of a node resource group, or of the subscription when the path has no group.
func (c *cloud) scaleSetsIn(p armpath.Path) []scaleSet {
	var out []scaleSet
	for _, pool := range c.state.children("/subscriptions/"+p.Subscription, typePool) {
		cluster := c.clusterOf(pool)
		group := c.nodeGroupName(cluster)
		exists := pool.Pool.Next > 0 // the scale set is made with its first machine
		if exists && (p.Group == "" || strings.EqualFold(group, p.Group)) {
			out = append(out, scaleSet{cluster, pool, scaleSetID(cluster, group, pool.Pool.ScaleSet)})
		}
	}
	return out
}

func (c *cloud) findScaleSet(p armpath.Path) (scaleSet, error) {
	if _, err := c.mustGroup(p); err != nil {
		return scaleSet{}, err
	}
	for _, s := range c.scaleSetsIn(p) {
		if strings.EqualFold(s.pool.Pool.ScaleSet, p.Names[0]) {
			return s, nil
		}
	}
	return scaleSet{}, notFound(p)
}

func getScaleSet(c *cloud, r *call) (reply, error) {
	s, err := c.findScaleSet(r.path)
	if err != nil {
		return reply{}, err
	}
	return ok(s.show()), nil
}

func listScaleSets(c *cloud, r *call) (reply, error) {
	if r.path.Group != "" {
		if _, err := c.mustGroup(r.path); err != nil {
			return reply{}, err
		}
	}
	var items []armjson.Object
	for _, s := range c.scaleSetsIn(r.path) {
		items = append(items, s.show())
	}
	return list(items), nil
}

// show is the scale set with the tags by which CAPZ and people find the pool it belongs to.
func (s scaleSet) show() armjson.Object {
	p := readPool(s.pool)
	tags := armjson.Object{}
	for k, v := range p.Tags {
		tags[k] = v
	}
	tags["aks-managed-poolName"], tags["poolName"] = p.Name, p.Name
	out := armjson.Object{
		"id": s.id, "name": s.pool.Pool.ScaleSet, "type": typeScaleSet, "location": s.cluster.location(), "tags": tags,
		"sku": armjson.Object{"name": p.VMSize, "tier": "Standard", "capacity": len(s.pool.Pool.Instances)},
		"properties": armjson.Object{
			"provisioningState": statusSucceeded, "singlePlacementGroup": false, "orchestrationMode": "Uniform",
			"uniqueId": uuid.NewSHA1(uuid.NameSpaceURL, []byte(s.id)).String(),
		},
	}
	if len(p.AvailabilityZones) > 0 {
		out["zones"] = p.AvailabilityZones
	}
	return out
}

func getMachine(c *cloud, r *call) (reply, error) {
	s, err := c.findScaleSet(r.path)
	if err != nil {
		return reply{}, err
	}
	for _, m := range s.pool.Pool.Instances {
		if strconv.Itoa(m.ID) == r.path.Names[1] {
			return ok(s.showMachine(m)), nil
		}
	}
	return reply{}, notFound(r.path)
}

func listMachines(c *cloud, r *call) (reply, error) {
	s, err := c.findScaleSet(r.path)
	if err != nil {
		return reply{}, err
	}
	var items []armjson.Object
	for _, m := range s.pool.Pool.Instances {
		items = append(items, s.showMachine(m))
	}
	return list(items), nil
}

func (s scaleSet) showMachine(m *instance) armjson.Object {
	p := readPool(s.pool)
	id := fmt.Sprintf("%s/virtualMachines/%d", s.id, m.ID)
	out := armjson.Object{
		"id": id, "name": fmt.Sprintf("%s_%d", s.pool.Pool.ScaleSet, m.ID), "type": typeMachine, "location": s.cluster.location(),
		"instanceId": strconv.Itoa(m.ID), "sku": armjson.Object{"name": p.VMSize, "tier": "Standard"},
		"properties": armjson.Object{
			"provisioningState": statusSucceeded, "latestModelApplied": true,
			"timeCreated": m.Created.UTC().Format("2006-01-02T15:04:05.0000000Z"),
			"vmId":        uuid.NewSHA1(uuid.NameSpaceURL, []byte(id+m.Created.String())).String(),
			"osProfile":   armjson.Object{"computerName": computerName(s.pool.Pool.ScaleSet, m.ID)},
		},
	}
	if m.Zone != "" {
		out["zones"] = []any{m.Zone}
	}
	return out
}
