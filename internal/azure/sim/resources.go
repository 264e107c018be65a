package sim

import (
	"net/http"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

// find is the resource of a call; nil when there is none.
func (c *cloud) find(r *call) *resource { return c.state.Resources[r.path.Key()] }

func (c *cloud) groupKey(p armpath.Path) string {
	return armpath.Key("/subscriptions/" + p.Subscription + "/resourceGroups/" + p.Group)
}

// mustGroup is the resource group of a call, or ARM's refusal.
func (c *cloud) mustGroup(p armpath.Path) (*resource, error) {
	g := c.state.Resources[c.groupKey(p)]
	if g == nil {
		return nil, armerr.NotFound("ResourceGroupNotFound", "Resource group '%s' could not be found.", p.Group)
	}
	if g.provisioning() == "Deleting" {
		return nil, armerr.Conflict("ResourceGroupBeingDeleted", "The resource group '%s' is in deprovisioning state and cannot perform this operation.", p.Group)
	}
	return g, nil
}

func notFound(p armpath.Path) error {
	if strings.EqualFold(p.Type(), typeGroup) {
		return armerr.NotFound("ResourceGroupNotFound", "Resource group '%s' could not be found.", p.Group)
	}
	return armerr.NotFound("ResourceNotFound", "The Resource '%s/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
		p.Type(), strings.Join(p.Names, "/"), p.Group)
}

func parentNotFound(p armpath.Path) error {
	return armerr.NotFound("ParentResourceNotFound", "Failed to perform 'write' on resource(s) of type '%s', because the parent resource '%s' could not be found.",
		strings.Join(p.Types, "/"), p.Parent().ID())
}

// mustFind is the resource of a call or ARM's 404: for the group if that is missing, for the resource otherwise.
func (c *cloud) mustFind(r *call) (*resource, error) {
	if found := c.find(r); found != nil {
		return found, nil
	}
	if r.path.Group != "" && c.state.Resources[c.groupKey(r.path)] == nil {
		return nil, armerr.NotFound("ResourceGroupNotFound", "Resource group '%s' could not be found.", r.path.Group)
	}
	return nil, notFound(r.path)
}

func getResource(c *cloud, r *call) (reply, error) {
	found, err := c.mustFind(r)
	if err != nil {
		return reply{}, err
	}
	return ok(c.show(found)), nil
}

func headResource(c *cloud, r *call) (reply, error) {
	if c.find(r) == nil {
		return reply{status: http.StatusNotFound}, nil
	}
	return reply{status: http.StatusNoContent}, nil
}

// listResources lists a collection: of a group or parent, or of the whole subscription.
func listResources(c *cloud, r *call) (reply, error) {
	scope := r.path.Scope
	if len(r.path.Types) > 1 {
		parent := r.path.Parent()
		if c.state.Resources[parent.Key()] == nil {
			return reply{}, notFound(parent)
		}
		scope = parent.ID()
	} else if r.path.Group != "" {
		if _, err := c.mustGroup(r.path); err != nil && c.state.Resources[c.groupKey(r.path)] == nil {
			return reply{}, err
		}
	}
	var items []armjson.Object
	for _, child := range c.state.children(scope, canonicalType(r.path.Type())) {
		items = append(items, c.show(child))
	}
	return list(items), nil
}

func canonicalType(t string) string {
	for _, known := range resourceTypes() {
		if strings.EqualFold(known.name, t) {
			return known.name
		}
	}
	return t
}

// show is a resource as its provider answers it, with the parts that are computed.
func (c *cloud) show(r *resource) armjson.Object {
	out := r.answer()
	switch r.Type {
	case typeCluster:
		c.showCluster(r, out)
	case typePool:
		armjson.Sub(out, "properties")["eTag"] = r.ETag
	case typeNetwork:
		c.showNetwork(r, out)
	case typeSubnet:
		out["etag"] = `W/"` + r.ETag + `"`
	}
	return out
}

// checkMatch is optimistic locking: If-Match must name the current ETag (or *), If-None-Match: * forbids an update.
func checkMatch(r *call, current *resource) error {
	match, none := r.header.Get("If-Match"), r.header.Get("If-None-Match")
	failed := func(what string) error {
		return armerr.New(http.StatusPreconditionFailed, "PreconditionFailed", "The condition '%s' of the request is not met.", what)
	}
	if none == "*" && current != nil {
		return failed("If-None-Match: *")
	}
	if match == "" {
		return nil
	}
	if current == nil || match != "*" && trimETag(match) != current.ETag {
		return failed("If-Match: " + match)
	}
	return nil
}

func trimETag(s string) string { return strings.Trim(strings.TrimPrefix(s, "W/"), `"`) }

// checkLocation resolves the location in a body and refuses unknown ones and moves.
func (c *cloud) checkLocation(r *call, current *resource) (catalog.Location, error) {
	asked := armjson.String(r.body, "location")
	if asked == "" {
		return catalog.Location{}, armerr.BadRequest("LocationRequired", "The location property is required for this definition.").OnProperty("location")
	}
	l, known := c.settings.Catalog.Location(asked)
	if !known {
		return l, armerr.BadRequest("LocationNotAvailableForResourceType",
			"The provided location '%s' is not available for resource type '%s'. List of available regions for the resource type is '%s'.",
			asked, canonicalType(r.path.Type()), strings.Join(c.settings.Catalog.LocationNames(), ","))
	}
	if current != nil && catalog.NormalLocation(current.location()) != catalog.NormalLocation(l.Name) {
		return l, armerr.Conflict("InvalidResourceLocation",
			"The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
			r.path.Name(), current.location(), r.path.Group, asked)
	}
	return l, nil
}

// removeTree deletes a resource and all that is under its id.
func (c *cloud) removeTree(key string) {
	for k := range c.state.Resources {
		if k == key || strings.HasPrefix(k, key+"/") {
			delete(c.state.Resources, k)
		}
	}
}

// limits are the request limits in force.
func (c *cloud) limits() (aks bool, arm ARMThrottling) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settings.Throttling, c.settings.ARMThrottling
}

func (c *cloud) subscriptions() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]string, 0, len(c.settings.Subscriptions))
	for _, s := range c.settings.Subscriptions {
		out = append(out, strings.ToLower(s))
	}
	return out
}
