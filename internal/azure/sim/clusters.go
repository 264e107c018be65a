package sim

import (
	"net/http"

	"github.com/blang/semver/v4"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

func putCluster(c *cloud, r *call) (reply, error) {
	group, err := c.mustGroup(r.path)
	if err != nil {
		return reply{}, err
	}
	current := c.find(r)
	if err := checkMatch(r, current); err != nil {
		return reply{}, err
	}
	location, err := c.checkLocation(r, current)
	if err != nil {
		return reply{}, err
	}
	armjson.DropNulls(r.body)
	if current != nil {
		return c.updateCluster(r, current)
	}
	return c.createCluster(r, group, location)
}

func (c *cloud) createCluster(r *call, group *resource, location catalog.Location) (reply, error) {
	name := r.path.Name()
	if err := aks.CheckClusterName(name); err != nil {
		return reply{}, err
	}
	sent := armjson.Sub(r.body, "properties")
	if err := aks.CheckCluster(sent); err != nil {
		return reply{}, err
	}
	cluster := &resource{ID: group.ID + "/providers/" + typeCluster + "/" + name, Type: typeCluster, Created: c.clock.Now()}
	version, err := aks.ResolveVersion(c.settings.Catalog, location.Name, name, armjson.String(sent, "kubernetesVersion"))
	if err != nil {
		return reply{}, err
	}
	armjson.Default(sent, "kubernetesVersion", version.String())
	cluster.Body = armjson.Object{"location": location.Name, "properties": clusterProperties(sent)}
	copySent(cluster.Body, r.body, "tags", "sku", "identity", "kind", "extendedLocation")
	c.fillCluster(cluster, group, r.tenant)
	cluster.properties()["currentKubernetesVersion"] = version.String()
	pools, err := c.firstPools(cluster, sent, version)
	if err != nil {
		return reply{}, err
	}
	if err := c.addNodeGroup(cluster, group); err != nil {
		return reply{}, err
	}
	cluster.properties()["provisioningState"] = "Creating"
	c.store(cluster)
	o := c.begin(cluster, opClusterCreate, c.settings.Durations.ClusterCreate.Duration, 2)
	for _, p := range pools {
		c.store(p)
		o.Pools = append(o.Pools, p.key())
	}
	c.wakeWorld(cluster)
	return c.written(r, o, http.StatusCreated, c.show(cluster)), nil
}

// clusterProperties are the sent properties without pools, which are resources of their own, and without what only AKS
// writes.
func clusterProperties(sent armjson.Object) armjson.Object {
	out := armjson.Clone(sent)
	for _, key := range []string{"agentPoolProfiles", "provisioningState", "powerState", "currentKubernetesVersion", "fqdn", "privateFQDN", "azurePortalFQDN", "maxAgentPools", "resourceUID", "eTag", "status"} {
		delete(out, key)
	}
	return out
}

// firstPools are the pools of the creating PUT: at least one System pool, all on the control plane's version.
func (c *cloud) firstPools(cluster *resource, sent armjson.Object, version semver.Version) ([]*resource, error) {
	profiles, err := poolProfiles(sent)
	if err != nil {
		return nil, err
	}
	var resources []*resource
	var pools []aks.Pool
	seen := map[string]bool{}
	for _, profile := range profiles {
		name := armjson.String(profile, "name")
		if seen[name] {
			return nil, armerr.BadRequest("InvalidParameter", "Agent pool name %q is used more than once.", name).OnProperty("agentPoolProfiles")
		}
		seen[name] = true
		pool, err := c.newPool(cluster, name, profile)
		if err != nil {
			return nil, err
		}
		p := readPool(pool)
		if p.CurrentOrchestratorVersion != version.String() {
			return nil, armerr.BadRequest("NodePoolMcVersionIncompatible",
				"Node pool version %s and control plane version %s are incompatible. The version of a node pool in a new cluster must be that of the control plane.", p.CurrentOrchestratorVersion, version)
		}
		resources, pools = append(resources, pool), append(pools, p)
	}
	if err := aks.CheckSystemPool(pools); err != nil {
		return nil, err
	}
	return resources, c.checkCapacity(cluster, pools)
}

func poolProfiles(sent armjson.Object) ([]armjson.Object, error) {
	list, ok := sent["agentPoolProfiles"].([]any)
	if sent["agentPoolProfiles"] != nil && !ok {
		return nil, armerr.BadRequest("InvalidRequestContent", "The request content was invalid: agentPoolProfiles is not a list.").OnProperty("properties.agentPoolProfiles")
	}
	var out []armjson.Object
	for _, item := range list {
		profile, ok := item.(armjson.Object)
		if !ok {
			return nil, armerr.BadRequest("InvalidRequestContent", "The request content was invalid: an agentPoolProfile is not an object.").OnProperty("properties.agentPoolProfiles")
		}
		out = append(out, profile)
	}
	return out, nil
}

// addNodeGroup makes the resource group of the cluster's machines. It must not exist yet.
func (c *cloud) addNodeGroup(cluster, group *resource) error {
	name := c.nodeGroupName(cluster)
	id := "/subscriptions/" + group.subscription() + "/resourceGroups/" + name
	if have := c.state.Resources[armpath.Key(id)]; have != nil && armjson.String(have.Body, "managedBy") != cluster.ID {
		return armerr.Conflict("NodeResourceGroupAlreadyExists", "The node resource group '%s' already exists and does not belong to this managed cluster.", name).
			OnProperty("nodeResourceGroup")
	}
	cluster.Cluster = &clusterPart{NodeGroup: armpath.Key(id)}
	c.store(&resource{ID: id, Type: typeGroup, Created: c.clock.Now(), Body: armjson.Object{
		"location": cluster.location(), "managedBy": cluster.ID,
		"tags":       armjson.Object{"aks-managed-cluster-name": cluster.name(), "aks-managed-cluster-rg": group.name()},
		"properties": armjson.Object{"provisioningState": statusSucceeded},
	}})
	return nil
}

func deleteCluster(c *cloud, r *call) (reply, error) {
	cluster := c.find(r)
	if cluster == nil {
		return reply{status: http.StatusNoContent}, nil
	}
	if err := checkMatch(r, cluster); err != nil {
		return reply{}, err
	}
	for _, o := range c.runningOn(cluster.key()) {
		if o.Kind == opClusterDelete {
			return c.joined(r, o), nil
		}
	}
	c.preempt(cluster)
	c.setState(cluster, "Deleting")
	c.dirty = true
	o := c.begin(cluster, opClusterDelete, c.settings.Durations.ClusterDelete.Duration, 2)
	return c.written(r, o, http.StatusAccepted, nil), nil
}

// removeCluster is a step of the deletion of a cluster: first the API server goes, then everything ARM knows.
func (c *cloud) removeCluster(cluster *resource, last bool) {
	c.dirty = true
	if !last {
		cluster.Cluster.Removing = true
		c.wakeWorld(cluster)
		return
	}
	c.removeTree(cluster.Cluster.NodeGroup)
	c.removeTree(cluster.key())
	c.world.forget(cluster.key())
}

func patchCluster(c *cloud, r *call) (reply, error) {
	cluster, err := c.mustFind(r)
	if err != nil {
		return reply{}, err
	}
	if err := checkMatch(r, cluster); err != nil {
		return reply{}, err
	}
	for key := range r.body {
		if key != "tags" {
			return reply{}, armerr.BadRequest("InvalidRequestContent", "PATCH of a managed cluster changes tags only, not '%s'.", key).OnProperty(key)
		}
	}
	if err := c.busy(cluster); err != nil {
		return reply{}, err
	}
	replaceTags(cluster, r.body)
	cluster.properties()["provisioningState"] = "Updating"
	c.store(cluster)
	o := c.begin(cluster, opClusterUpdate, c.settings.Durations.ClusterUpdate.Duration, 2)
	return c.written(r, o, http.StatusOK, c.show(cluster)), nil
}
