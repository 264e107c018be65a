package sim

import (
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

// The properties by which a pool uses subnets: one for its nodes, one for its pods.
const (
	nodeSubnet = "vnetSubnetID"
	podSubnet  = "podSubnetID"
)

// checkSubnets refuses a pool in subnets that do not exist, or that are being deleted.
func (c *cloud) checkSubnets(p aks.Pool) error {
	for _, property := range []string{nodeSubnet, podSubnet} {
		id := map[string]string{nodeSubnet: p.VnetSubnetID, podSubnet: p.PodSubnetID}[property]
		if id == "" {
			continue
		}
		subnet := c.state.Resources[armpath.Key(id)]
		if subnet == nil || subnet.Type != typeSubnet {
			return armerr.BadRequest("VnetSubnetNotFound", "The subnet '%s' of agent pool %q could not be found.", id, p.Name).OnProperty("agentPoolProfile." + property)
		}
		if c.leaving(subnet) {
			return armerr.Conflict("ReferencedResourceNotProvisioned", "Cannot proceed with operation because resource %s used by agent pool %q is not in Succeeded state. "+
				"Resource is in Deleting state.", subnet.ID, p.Name).OnProperty("agentPoolProfile." + property)
		}
	}
	return nil
}

// leaving tells whether a resource is being deleted, be it by itself or with its network or group.
func (c *cloud) leaving(r *resource) bool {
	for key := r.key(); key != ""; key = key[:strings.LastIndexByte(key, '/')] {
		if up := c.state.Resources[key]; up != nil && up.provisioning() == "Deleting" {
			return true
		}
	}
	return false
}

// checkStays refuses to write a network or subnet that is being deleted. nil is one that does not exist yet.
func (c *cloud) checkStays(r *resource) error {
	if r == nil || !c.leaving(r) {
		return nil
	}
	return armerr.Conflict("AnotherOperationInProgress", "Another operation on this or dependent resource is in progress: %s is being deleted.", r.ID)
}

// checkUnused refuses to delete a subnet in which a pool has its nodes or pods.
func (c *cloud) checkUnused(subnet *resource) error {
	if users := c.poolsIn(subnet); len(users) > 0 {
		return armerr.BadRequest("InUseSubnetCannotBeDeleted", "Subnet %s is in use by %s and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. "+
			"See aka.ms/deletesubnet.", subnet.name(), users[0].ID)
	}
	return nil
}

// checkNetworksUnused refuses to delete a group whose networks hold pools of clusters in other groups.
func (c *cloud) checkNetworksUnused(group *resource) error {
	for _, subnet := range c.state.children(group.ID, typeSubnet) {
		for _, pool := range c.poolsIn(subnet) {
			if !strings.HasPrefix(pool.key(), group.key()+"/") {
				return armerr.Conflict("ResourceGroupDeletionBlocked", "Deletion of resource group '%s' failed as resources with identifiers '%s' could not be deleted: "+
					"InUseSubnetCannotBeDeleted, subnet %s is in use by %s.", group.name(), armpath.Key(subnet.ID), subnet.name(), pool.ID)
			}
		}
	}
	return nil
}

// poolsIn are the pools that use a subnet, sorted by key.
func (c *cloud) poolsIn(subnet *resource) []*resource {
	return slices.DeleteFunc(c.state.children("", typePool), func(pool *resource) bool {
		uses := func(property string) bool {
			return armpath.Key(armjson.String(pool.properties(), property)) == subnet.key()
		}
		return !uses(nodeSubnet) && !uses(podSubnet)
	})
}
