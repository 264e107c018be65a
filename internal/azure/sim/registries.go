package sim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// registryDomain ends the login servers of all container registries.
const registryDomain = ".azurecr.io"

var registryName = regexp.MustCompile(`^[A-Za-z0-9]{5,50}$`)

// putRegistry makes or changes a container registry. It is there at once.
func putRegistry(c *cloud, r *call) (reply, error) {
	group, err := c.mustGroup(r.path)
	if err != nil {
		return reply{}, err
	}
	name, current := r.path.Name(), c.find(r)
	if !registryName.MatchString(name) {
		return reply{}, armerr.BadRequest("InvalidResourceName", "The resource name '%s' is invalid: it has to be 5 to 50 letters and digits.", name).OnProperty("name")
	}
	location, err := c.checkLocation(r, current)
	if err != nil {
		return reply{}, err
	}
	armjson.DropNulls(r.body)
	if sku := armjson.String(armjson.Get(r.body, "sku"), "name"); !slices.Contains([]string{"Basic", "Standard", "Premium"}, sku) {
		return reply{}, armerr.BadRequest("InvalidSku", "The registry SKU '%s' is not valid. Valid values are Basic, Standard and Premium.", sku).OnProperty("sku.name")
	}
	server := loginServer(name)
	if other := c.registryOf(server); current == nil && other != nil {
		return reply{}, armerr.Conflict("AlreadyInUse", "The registry DNS name %s is already in use. You can check if the name is already claimed using following API: "+
			"https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability", server)
	}
	status := http.StatusOK
	if current == nil {
		status = http.StatusCreated
		current = &resource{ID: group.ID + "/providers/" + typeRegistry + "/" + name, Type: typeRegistry, Created: c.clock.Now()}
	}
	properties := armjson.Sub(r.body, "properties")
	properties["loginServer"], properties["provisioningState"] = server, statusSucceeded
	properties["creationDate"] = current.Created.UTC().Format(time.RFC3339Nano)
	armjson.Default(properties, "adminUserEnabled", false)
	armjson.Default(properties, "anonymousPullEnabled", false)
	armjson.Default(properties, "publicNetworkAccess", "Enabled")
	current.Body = armjson.Object{"location": location.Name, "properties": properties}
	copySent(current.Body, r.body, "tags", "sku", "identity")
	c.store(current)
	return reply{status: status, body: c.show(current)}, nil
}

func loginServer(registry string) string { return strings.ToLower(registry) + registryDomain }

// registryOf finds the registry behind a login server; nil when there is none.
func (c *cloud) registryOf(server string) *resource {
	for _, r := range c.state.Resources {
		if r.Type == typeRegistry && strings.EqualFold(loginServer(r.name()), server) {
			return r
		}
	}
	return nil
}

// deleteRegistry takes a registry away, with the role assignments at it.
func deleteRegistry(c *cloud, r *call) (reply, error) {
	current := c.find(r)
	if current == nil {
		return reply{status: http.StatusNoContent}, nil
	}
	c.removeTree(current.key())
	c.dirty = true
	return reply{status: http.StatusOK}, nil
}
