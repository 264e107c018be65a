package sim

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/blang/semver/v4"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// keptProperties stay as they are when a PUT leaves them out. Every other property is replaced, so leaving it out
// removes it.
func keptProperties() []string {
	return []string{
		"kubernetesVersion", "dnsPrefix", "fqdnSubdomain", "nodeResourceGroup", "enableRBAC", "networkProfile", "linuxProfile", "windowsProfile",
		"servicePrincipalProfile", "identityProfile", "supportPlan", "oidcIssuerProfile", "storageProfile",
		"currentKubernetesVersion", "fqdn", "azurePortalFQDN", "maxAgentPools", "resourceUID", "powerState", "provisioningState",
	}
}

func (c *cloud) updateCluster(r *call, cluster *resource) (reply, error) {
	sent, current := armjson.Sub(r.body, "properties"), cluster.properties()
	if err := aks.CheckClusterChange(current, sent); err != nil {
		return reply{}, err
	}
	next := clusterProperties(sent)
	for _, key := range keptProperties() {
		armjson.Default(next, key, current[key])
	}
	armjson.DropNulls(next)
	keepNetwork(armjson.Get(next, "networkProfile"), armjson.Get(current, "networkProfile"))
	if err := aks.CheckCluster(next); err != nil {
		return reply{}, err
	}
	upgrades, err := c.checkClusterVersion(cluster, next)
	if err != nil {
		return reply{}, err
	}
	changes, err := c.planProfiles(cluster, sent)
	if err != nil {
		return reply{}, err
	}
	if err := c.busy(cluster); err != nil {
		return reply{}, err
	}
	retry := cluster.provisioning() == statusFailed && !c.wasCreated(cluster)
	body := armjson.Object{"location": cluster.location(), "properties": next}
	copySent(body, cluster.Body, "sku", "identity")
	copySent(body, r.body, "tags", "sku", "identity", "kind", "extendedLocation")
	cluster.Body = body
	c.fillIdentity(cluster, r.tenant)
	kind, state, total := opClusterUpdate, "Updating", c.settings.Durations.ClusterUpdate.Duration
	switch {
	case upgrades:
		kind, state, total = opClusterUpgrade, "Upgrading", c.settings.Durations.ClusterUpgrade.Duration
	case retry:
		kind, total = opClusterCreate, c.settings.Durations.ClusterCreate.Duration
	}
	next["provisioningState"] = state
	c.store(cluster)
	o := c.begin(cluster, kind, total, 2)
	for key, change := range changes {
		c.storePoolChange(c.state.Resources[key], change, state)
		o.Pools = append(o.Pools, key)
	}
	if kind == opClusterCreate {
		c.retryPools(cluster, o)
	}
	return c.written(r, o, http.StatusOK, c.show(cluster)), nil
}

// wasCreated tells a cluster whose creation failed from one that was well once.
func (c *cloud) wasCreated(cluster *resource) bool {
	return c.world.ready(cluster.key()) && !slices.ContainsFunc(c.pools(cluster), func(p aks.Pool) bool { return p.ProvisioningState == statusFailed })
}

// retryPools lets the failed pools of a failed creation take part in the next try.
func (c *cloud) retryPools(cluster *resource, o *operation) {
	for _, p := range c.state.children(cluster.ID, typePool) {
		if p.provisioning() == statusFailed {
			c.setState(p, "Creating")
			o.Pools = append(o.Pools, p.key())
		}
	}
}

// keepNetwork fills a sent network profile with what AKS had resolved.
func keepNetwork(next, current armjson.Object) {
	if next == nil {
		return
	}
	kept := armjson.Clone(current)
	maps.Copy(kept, next)
	maps.Copy(next, kept)
}

// checkClusterVersion tells whether the control plane is to be upgraded. Naming the minor it is on is no change.
func (c *cloud) checkClusterVersion(cluster *resource, next armjson.Object) (bool, error) {
	asked, running := armjson.String(next, "kubernetesVersion"), c.controlPlane(cluster)
	if aks.OnVersion(running, asked) {
		return false, nil
	}
	to, err := aks.ResolveVersion(c.settings.Catalog, cluster.location(), cluster.name(), asked)
	if err != nil {
		return false, err
	}
	var pools []semver.Version
	for _, p := range c.pools(cluster) {
		pools = append(pools, semver.MustParse(p.CurrentOrchestratorVersion))
	}
	if err := aks.CheckControlPlaneUpgrade(c.settings.Catalog, semver.MustParse(running), to, pools); err != nil {
		return false, err
	}
	return true, nil
}

// planProfiles checks the pools named in a PUT on an existing cluster. No list at all means: leave the pools alone.
// A list has to name exactly the pools there are; only differences that replace no node are taken.
func (c *cloud) planProfiles(cluster *resource, sent armjson.Object) (map[string]poolChange, error) {
	profiles, err := poolProfiles(sent)
	if err != nil || len(profiles) == 0 {
		return nil, err
	}
	changes := map[string]poolChange{}
	var after []aks.Pool
	for _, profile := range profiles {
		key := strings.ToLower(cluster.ID + "/agentPools/" + armjson.String(profile, "name"))
		pool := c.state.Resources[key]
		if pool == nil {
			return nil, armerr.BadRequest("BadRequest", "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed through managed cluster operations. "+
				"For agent pool specific change, please use per agent pool operations: https://aka.ms/agent-pool-rest-api").OnProperty("agentPoolProfiles")
		}
		change, err := c.planPoolChange(cluster, pool, profile)
		if err != nil {
			return nil, err
		}
		if change.rolls {
			return nil, armerr.New(http.StatusNotImplemented, "NotSimulated",
				"The simulator does not roll the nodes of pool %q through its managed cluster: put the agent pool.", pool.name()).OnProperty("agentPoolProfiles")
		}
		changes[key], after = change, append(after, change.pool)
	}
	if have := len(c.pools(cluster)); len(changes) != have {
		return nil, armerr.BadRequest("BadRequest", "Not all agent pools of the cluster are in the request (%d of %d). Removing agent pools is not allowed through managed cluster operations. "+
			"For agent pool specific change, please use per agent pool operations: https://aka.ms/agent-pool-rest-api", len(changes), have).OnProperty("agentPoolProfiles")
	}
	if err := aks.CheckSystemPool(after); err != nil {
		return nil, err
	}
	return changes, c.checkCapacity(cluster, after)
}
