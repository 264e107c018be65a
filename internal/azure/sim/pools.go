package sim

import (
	"net/http"
	"slices"
	"time"

	"github.com/blang/semver/v4"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

func putPool(c *cloud, r *call) (reply, error) {
	cluster, current, err := c.poolOf(r)
	if err != nil {
		return reply{}, err
	}
	if cluster == nil {
		return reply{}, parentNotFound(r.path)
	}
	if err := checkMatch(r, current); err != nil {
		return reply{}, err
	}
	if current != nil {
		return c.updatePool(r, cluster, current)
	}
	return c.createPool(r, cluster)
}

// poolOf finds the cluster and the pool of a call; either may be nil.
func (c *cloud) poolOf(r *call) (cluster, pool *resource, err error) {
	if _, err := c.mustGroup(r.path); err != nil {
		return nil, nil, err
	}
	return c.state.Resources[r.path.Parent().Key()], c.find(r), nil
}

// busy refuses a second operation on a cluster: AKS runs one at a time, be it on a pool or on the cluster.
func (c *cloud) busy(cluster *resource) error {
	for _, o := range c.runningOn(cluster.key()) {
		target := c.state.Resources[o.Target]
		if target == nil {
			continue
		}
		if target.Pool != nil {
			return aks.Busy(target.name(), target.provisioning())
		}
		return aks.Busy("", target.provisioning())
	}
	return nil
}

func (c *cloud) createPool(r *call, cluster *resource) (reply, error) {
	if len(c.pools(cluster)) >= aks.MaxPools {
		return reply{}, armerr.BadRequest("MaxAgentPoolCountReached", "The cluster already has the maximum number of %d agent pools.", aks.MaxPools)
	}
	pool, err := c.newPool(cluster, r.path.Name(), armjson.Sub(r.body, "properties"))
	if err != nil {
		return reply{}, err
	}
	if err := c.busy(cluster); err != nil {
		return reply{}, err
	}
	if err := c.checkCapacity(cluster, []aks.Pool{readPool(pool)}); err != nil {
		return reply{}, err
	}
	c.store(pool)
	o := c.begin(pool, opPoolCreate, c.settings.Durations.PoolCreate.Duration, 2)
	o.Region, o.Pools = cluster.location(), []string{pool.key()}
	return c.written(r, o, http.StatusCreated, c.show(pool)), nil
}

// newPool builds a pool from what a client sent, checked against everything but capacity and concurrency. It is not
// stored yet.
func (c *cloud) newPool(cluster *resource, name string, sent armjson.Object) (*resource, error) {
	properties := aks.Overlay(nil, sent)
	delete(properties, "name")
	aks.DefaultPool(properties, armjson.Get(cluster.properties(), "networkProfile"))
	armjson.Default(properties, "orchestratorVersion", c.controlPlane(cluster))
	p, err := aks.ReadPool(name, properties)
	if err != nil {
		return nil, err
	}
	if err := aks.CheckPool(p); err != nil {
		return nil, err
	}
	if err := c.checkSubnets(p); err != nil {
		return nil, err
	}
	version, err := aks.ResolveVersion(c.settings.Catalog, cluster.location(), cluster.name(), p.OrchestratorVersion)
	if err != nil {
		return nil, err
	}
	if err := aks.CheckSkew(version, semver.MustParse(c.controlPlane(cluster))); err != nil {
		return nil, err
	}
	properties["currentOrchestratorVersion"] = version.String()
	properties["nodeImageVersion"] = aks.NodeImage(p)
	properties["provisioningState"] = "Creating"
	id := cluster.ID + "/agentPools/" + name
	return &resource{
		ID: id, Type: typePool, Created: c.clock.Now(),
		Body: armjson.Object{"properties": properties},
		Pool: &poolPart{ScaleSet: scaleSetName(cluster.ID, p), Instances: []*instance{}, Model: modelOf(p, version.String())},
	}, nil
}

// controlPlane is the version the control plane runs.
func (c *cloud) controlPlane(cluster *resource) string {
	if v := armjson.String(cluster.properties(), "currentKubernetesVersion"); v != "" {
		return v
	}
	return c.resolved(cluster)
}

func (c *cloud) updatePool(r *call, cluster, pool *resource) (reply, error) {
	change, err := c.planPoolChange(cluster, pool, armjson.Sub(r.body, "properties"))
	if err != nil {
		return reply{}, err
	}
	if err := c.busy(cluster); err != nil {
		return reply{}, err
	}
	if err := c.checkChangeCapacity(cluster, change); err != nil {
		return reply{}, err
	}
	others := slices.DeleteFunc(c.pools(cluster), func(p aks.Pool) bool { return p.Name == change.pool.Name })
	if err := aks.CheckSystemPool(append(others, change.pool)); err != nil {
		return reply{}, err
	}
	o := c.startPoolChange(cluster, pool, change)
	return c.written(r, o, http.StatusOK, c.show(pool)), nil
}

// poolChange is a checked PUT on an existing pool.
type poolChange struct {
	properties armjson.Object
	pool       aks.Pool
	// model is what new machines are made of; rolls says that nodes of another model are to be replaced.
	model model
	rolls bool
}

func (p poolChange) stale(m *instance) bool { return m.Model != p.model }

func (c *cloud) planPoolChange(cluster, pool *resource, sent armjson.Object) (poolChange, error) {
	current := pool.properties()
	if err := aks.CheckPoolChange(current, sent); err != nil {
		return poolChange{}, err
	}
	next := aks.Overlay(current, sent)
	delete(next, "name")
	aks.AfterUpdate(next)
	clampCount(next, sent)
	p, err := aks.ReadPool(pool.name(), next)
	if err != nil {
		return poolChange{}, err
	}
	if err := aks.CheckPool(p); err != nil {
		return poolChange{}, err
	}
	version, err := c.checkPoolVersion(cluster, readPool(pool), p)
	if err != nil {
		return poolChange{}, err
	}
	change := poolChange{properties: next, pool: p, model: modelOf(p, version)}
	change.rolls = version != p.CurrentOrchestratorVersion || slices.ContainsFunc(pool.Pool.Instances, change.stale)
	return change, nil
}

// clampCount moves the count of an autoscaled pool into its bounds when the client leaves the count to the autoscaler.
func clampCount(next, sent armjson.Object) {
	least, hasLeast := next["minCount"].(float64)
	most, hasMost := next["maxCount"].(float64)
	count, hasCount := next["count"].(float64)
	if sent["count"] == nil && next["enableAutoScaling"] == true && hasLeast && hasMost && hasCount {
		next["count"] = min(max(count, least), most)
	}
}

// checkPoolVersion resolves the version a pool is to have. A minor version that the pool is on already is no change,
// whatever patches have come out since.
func (c *cloud) checkPoolVersion(cluster *resource, current, next aks.Pool) (string, error) {
	running := current.CurrentOrchestratorVersion
	if aks.OnVersion(running, next.OrchestratorVersion) {
		return running, nil
	}
	to, err := aks.ResolveVersion(c.settings.Catalog, cluster.location(), cluster.name(), next.OrchestratorVersion)
	if err != nil {
		return "", err
	}
	if err := aks.CheckPoolUpgrade(c.settings.Catalog, semver.MustParse(running), to, semver.MustParse(c.controlPlane(cluster))); err != nil {
		return "", err
	}
	return to.String(), nil
}

func (c *cloud) startPoolChange(cluster, pool *resource, change poolChange) *operation {
	kind, state, total, steps := opPoolUpdate, "Updating", c.settings.Durations.PoolUpdate.Duration, 2
	if change.rolls {
		kind, state = opPoolUpgrade, "Upgrading"
		steps = 1
		for _, m := range pool.Pool.Instances {
			if change.stale(m) {
				steps++
			}
		}
		total = time.Duration(steps) * c.settings.Durations.NodeReplace.Duration
	}
	c.storePoolChange(pool, change, state)
	o := c.begin(pool, kind, total, steps)
	o.Region, o.Pools = cluster.location(), []string{pool.key()}
	return o
}

// storePoolChange shows a change at once; nodes follow when the operation gets there.
func (c *cloud) storePoolChange(pool *resource, change poolChange, state string) {
	pool.Body["properties"], pool.Pool.Model = change.properties, change.model
	change.properties["provisioningState"] = state
	c.store(pool)
}

func deletePool(c *cloud, r *call) (reply, error) {
	cluster, pool, err := c.poolOf(r)
	if err != nil {
		return reply{}, err
	}
	if pool == nil {
		return reply{status: http.StatusNoContent}, nil
	}
	if err := checkMatch(r, pool); err != nil {
		return reply{}, err
	}
	for _, o := range c.runningOn(pool.key()) {
		if o.Kind == opPoolDelete {
			return c.joined(r, o), nil
		}
	}
	if err := c.busy(cluster); err != nil {
		return reply{}, err
	}
	others := slices.DeleteFunc(c.pools(cluster), func(p aks.Pool) bool { return p.Name == pool.name() })
	if err := aks.CheckSystemPool(others); err != nil {
		return reply{}, err
	}
	c.setState(pool, "Deleting")
	c.dirty = true
	o := c.begin(pool, opPoolDelete, c.settings.Durations.PoolDelete.Duration, 2)
	o.Region = cluster.location()
	return c.written(r, o, http.StatusAccepted, nil), nil
}
