package sim

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

var groupName = regexp.MustCompile(`^[-\w.()]{0,89}[-\w()]$`)

func putGroup(c *cloud, r *call) (reply, error) {
	if !groupName.MatchString(r.path.Group) {
		return reply{}, armerr.BadRequest("InvalidResourceGroupName", "The provided resource group name '%s' is invalid.", r.path.Group)
	}
	current := c.find(r)
	asked := armjson.String(r.body, "location")
	l, known := c.settings.Catalog.Location(asked)
	if !known {
		return reply{}, armerr.BadRequest("LocationNotAvailableForResourceGroup",
			"The provided location '%s' is not available for resource group. List of available regions is '%s'.",
			asked, strings.Join(c.settings.Catalog.LocationNames(), ","))
	}
	if current != nil && current.location() != l.Name {
		return reply{}, armerr.Conflict("InvalidResourceGroupLocation",
			"Invalid resource group location '%s'. The Resource group already exists in location '%s'.", asked, current.location())
	}
	if current != nil && current.provisioning() == "Deleting" {
		_, err := c.mustGroup(r.path)
		return reply{}, err
	}
	status := http.StatusOK
	if current == nil {
		status = http.StatusCreated
		current = &resource{ID: "/subscriptions/" + r.path.Subscription + "/resourceGroups/" + r.path.Group, Type: typeGroup, Created: c.clock.Now()}
	}
	managedBy := current.Body["managedBy"]
	current.Body = armjson.Object{"location": l.Name, "properties": armjson.Object{"provisioningState": statusSucceeded}}
	copySent(current.Body, r.body, "tags")
	if managedBy != nil {
		current.Body["managedBy"] = managedBy
	}
	c.store(current)
	return reply{status: status, body: c.show(current)}, nil
}

// store adds or rewrites a resource.
func (c *cloud) store(r *resource) {
	c.dirty = true
	c.sign(r)
	c.state.add(r)
}

// copySent copies top-level keys that the client sent with a value.
func copySent(to, from armjson.Object, keys ...string) {
	for _, key := range keys {
		if from[key] != nil {
			to[key] = from[key]
		}
	}
}

func patchGroup(c *cloud, r *call) (reply, error) {
	if _, err := c.mustGroup(r.path); err != nil {
		return reply{}, err
	}
	return patchTags(c, r)
}

// patchTags replaces the tags of a resource if there are any in the body; everything else must be absent.
func patchTags(c *cloud, r *call) (reply, error) {
	current, err := c.mustFind(r)
	if err != nil {
		return reply{}, err
	}
	if err := checkMatch(r, current); err != nil {
		return reply{}, err
	}
	for key := range r.body {
		if key != "tags" {
			return reply{}, armerr.BadRequest("InvalidRequestContent", "The simulator's PATCH changes tags only, not '%s'.", key).OnProperty(key)
		}
	}
	replaceTags(current, r.body)
	c.store(current)
	return ok(c.show(current)), nil
}

// replaceTags takes the tags of a PATCH; without any, those that are there stay.
func replaceTags(r *resource, body armjson.Object) {
	if tags, sent := body["tags"]; sent {
		r.Body["tags"] = tags
	}
}

func listGroups(c *cloud, r *call) (reply, error) {
	var items []armjson.Object
	for _, g := range c.state.children("/subscriptions/"+r.path.Subscription, typeGroup) {
		items = append(items, c.show(g))
	}
	return list(items), nil
}

func deleteGroup(c *cloud, r *call) (reply, error) {
	g := c.find(r)
	if g == nil {
		return reply{}, notFound(r.path)
	}
	if owner := armjson.String(g.Body, "managedBy"); owner != "" && c.state.Resources[armpath.Key(owner)] != nil {
		return reply{}, armerr.New(http.StatusForbidden, "DenyAssignmentAuthorizationFailed",
			"The resource group '%s' belongs to '%s': delete that instead.", g.name(), owner)
	}
	for _, o := range c.runningOn(g.key()) {
		if o.Kind == opGroupDelete {
			return c.joined(r, o), nil
		}
	}
	if err := c.checkNetworksUnused(g); err != nil {
		return reply{}, err
	}
	g.properties()["provisioningState"] = "Deleting"
	c.store(g)
	o := c.begin(g, opGroupDelete, c.settings.Durations.GroupDelete.Duration, 2)
	return c.written(r, o, http.StatusAccepted, nil), nil
}

// removeGroup is a step of the deletion of a group: its clusters go first, then everything under its id.
func (c *cloud) removeGroup(g *resource, last bool) {
	clusters := c.state.children(g.ID, typeCluster)
	for _, cluster := range clusters {
		if !cluster.Cluster.Removing {
			c.preempt(cluster)
			c.setState(cluster, "Deleting")
		}
		c.removeCluster(cluster, last)
	}
	if last {
		c.removeTree(g.key())
	}
}
