package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// poolPart is what a pool has beyond its ARM body: its scale set and machines, and what was last applied to them.
type poolPart struct {
	ScaleSet  string      `json:"scaleSet"`
	Next      int         `json:"next"`
	Instances []*instance `json:"instances"`
	// Model is what new machines are made of.
	Model model `json:"model"`
	// Applied are the properties existing nodes carry; a PUT shows at once in Body and reaches nodes later.
	Applied applied `json:"applied"`
}

type applied struct {
	Mode   string            `json:"mode"`
	Labels map[string]string `json:"labels,omitempty"`
	Taints []string          `json:"taints,omitempty"`
}

// instance is one machine of a scale set.
type instance struct {
	ID      int       `json:"id"`
	Zone    string    `json:"zone,omitempty"`
	Model   model     `json:"model"`
	Created time.Time `json:"created"`
	BootAt  time.Time `json:"bootAt"`
	Booted  bool      `json:"booted,omitempty"`
	// NeverBoots marks a machine that runs, costs and counts but never becomes a node.
	NeverBoots bool `json:"neverBoots,omitempty"`
}

// model is what makes one machine of a pool different from another: an upgrade replaces those of another model.
type model struct {
	Version string `json:"version"`
	OSSKU   string `json:"osSKU"`
	FIPS    bool   `json:"fips,omitempty"`
}

func modelOf(p aks.Pool, version string) model {
	return model{Version: version, OSSKU: p.OSSKU, FIPS: p.EnableFIPS}
}

// scaleSetName follows AKS: Windows names are shorter because Windows host names are.
func scaleSetName(clusterID string, p aks.Pool) string {
	if p.OSType == aks.OSWindows {
		return "aks" + p.Name
	}
	return fmt.Sprintf("aks-%s-%s-vmss", p.Name, aks.Digits(clusterID))
}

// computerName is the scale set's name and the instance id as six base-36 digits.
func computerName(scaleSet string, id int) string {
	return fmt.Sprintf("%s%06s", scaleSet, strconv.FormatInt(int64(id), 36))
}

func (c *cloud) clusterOf(pool *resource) *resource {
	key := pool.key()
	return c.state.Resources[key[:strings.LastIndex(key, "/agentpools/")]]
}

func readPool(r *resource) aks.Pool {
	// The body passed the same check when it was stored.
	p, err := aks.ReadPool(r.name(), r.properties())
	if err != nil {
		panic(fmt.Sprintf("stored pool %s cannot be read: %v", r.ID, err))
	}
	return p
}

// applyPool brings machines and nodes to what the pool's body says: count, labels, taints and mode.
func (c *cloud) applyPool(o *operation, r *resource) {
	p := readPool(r)
	r.Pool.Applied = applied{Mode: p.Mode, Labels: p.NodeLabels, Taints: p.NodeTaints}
	for len(r.Pool.Instances) < p.Nodes() {
		c.addInstance(o, r, p)
	}
	c.removeInstances(r, p.Nodes())
	c.wakeWorld(c.clusterOf(r))
}

func (c *cloud) addInstance(o *operation, r *resource, p aks.Pool) {
	now := c.clock.Now()
	m := &instance{
		ID: r.Pool.Next, Model: r.Pool.Model, Created: now,
		BootAt: now.Add(c.settings.Durations.NodeBoot.Duration),
	}
	if len(p.AvailabilityZones) > 0 {
		m.Zone = c.emptiestZone(r, p.AvailabilityZones)
	}
	if o.NeverBoot != 0 {
		m.NeverBoots = true
		o.NeverBoot--
	}
	r.Pool.Next++
	r.Pool.Instances = append(r.Pool.Instances, m)
}

func (c *cloud) emptiestZone(r *resource, zones []string) string {
	count := map[string]int{}
	for _, m := range r.Pool.Instances {
		count[m.Zone]++
	}
	return slices.MinFunc(zones, func(a, b string) int { return count[a] - count[b] })
}

// removeInstances takes away the newest machines until keep are left. Their nodes go without a drain.
func (c *cloud) removeInstances(r *resource, keep int) {
	for len(r.Pool.Instances) > keep {
		c.removeInstance(r, len(r.Pool.Instances)-1)
	}
}

func (c *cloud) removeInstance(r *resource, at int) {
	m := r.Pool.Instances[at]
	r.Pool.Instances = slices.Delete(r.Pool.Instances, at, at+1)
	cluster := c.clusterOf(r)
	cluster.Cluster.GoneNodes = append(cluster.Cluster.GoneNodes, computerName(r.Pool.ScaleSet, m.ID))
	c.wakeWorld(cluster)
}

// rollPool is one step of an upgrade in place: the first n steps add one new machine each, and each step after the
// first removes the old machine the step before it made superfluous. There is no surge setting and no drain.
func (c *cloud) rollPool(o *operation, r *resource) {
	p := readPool(r)
	if o.Done == 1 {
		r.Pool.Applied = applied{Mode: p.Mode, Labels: p.NodeLabels, Taints: p.NodeTaints}
		for _, m := range r.Pool.Instances {
			if m.Model != r.Pool.Model {
				o.Old = append(o.Old, m.ID)
			}
		}
	} else if len(o.Old) > 0 {
		at := slices.IndexFunc(r.Pool.Instances, func(m *instance) bool { return m.ID == o.Old[0] })
		if at >= 0 {
			c.removeInstance(r, at)
		}
		o.Old = o.Old[1:]
	}
	if o.Done < o.Steps {
		if len(o.Old) > 0 {
			c.addInstance(o, r, p)
		}
		return
	}
	r.properties()["currentOrchestratorVersion"] = r.Pool.Model.Version
	r.properties()["nodeImageVersion"] = aks.NodeImage(p)
	c.applyPool(o, r)
}

// bootMachines marks the machines whose boot time has come; the world then registers them as nodes.
func (c *cloud) bootMachines() {
	for _, r := range c.state.Resources {
		if r.Pool == nil {
			continue
		}
		for _, m := range r.Pool.Instances {
			if m.Booted || m.NeverBoots || m.BootAt.After(c.settled) {
				continue
			}
			m.Booted, c.dirty = true, true
			c.wakeWorld(c.clusterOf(r))
		}
	}
}

// resolved is the full version a cluster's body asks for.
func (c *cloud) resolved(cluster *resource) string {
	return c.fullVersion(armjson.String(cluster.properties(), "kubernetesVersion"))
}

// fullVersion resolves a minor version to its newest patch. A version that has left the catalog since stays as it is.
func (c *cloud) fullVersion(asked string) string {
	if v, ok := c.settings.Catalog.Resolve(asked); ok {
		return v.String()
	}
	return asked
}
