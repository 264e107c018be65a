package sim

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

func putNetwork(c *cloud, r *call) (reply, error) {
	group, err := c.mustGroup(r.path)
	if err != nil {
		return reply{}, err
	}
	current := c.find(r)
	if err := c.checkStays(current); err != nil {
		return reply{}, err
	}
	location, err := c.checkLocation(r, current)
	if err != nil {
		return reply{}, err
	}
	armjson.DropNulls(r.body)
	properties := armjson.Sub(r.body, "properties")
	space, err := addressSpace(properties, r.path.Name())
	if err != nil {
		return reply{}, err
	}
	network := &resource{ID: group.ID + "/providers/" + typeNetwork + "/" + r.path.Name(), Type: typeNetwork, Created: c.clock.Now()}
	status := http.StatusCreated
	if current != nil {
		network.ID, network.Created, status = current.ID, current.Created, http.StatusOK
	}
	network.Body = armjson.Object{"location": location.Name, "properties": properties}
	copySent(network.Body, r.body, "tags")
	subnets, removed, err := c.inlineSubnets(network)
	if err != nil {
		return reply{}, err
	}
	if err := checkRanges(space, subnets); err != nil {
		return reply{}, err
	}
	// Nothing is refused from here on, so everything may change.
	properties["provisioningState"] = "Updating"
	c.store(network)
	for _, s := range subnets {
		c.store(s)
	}
	for _, s := range removed {
		delete(c.state.Resources, s.key())
	}
	o := c.begin(network, opNetworkWrite, c.settings.Durations.NetworkWrite.Duration, 1)
	return c.written(r, o, status, c.show(network)), nil
}

// inlineSubnets takes the list of subnets out of a network that is being put. A list says which subnets there are: one
// that is left out goes, unless it is in use. Without a list all stay. Nothing is changed but the network's body.
func (c *cloud) inlineSubnets(network *resource) (subnets, removed []*resource, err error) {
	have := c.state.children(network.ID, typeSubnet)
	list, named := network.properties()["subnets"].([]any)
	delete(network.properties(), "subnets")
	if !named {
		return have, nil, nil
	}
	keep := map[string]bool{}
	for _, item := range list {
		sent, _ := item.(armjson.Object)
		name := armjson.String(sent, "name")
		if name == "" {
			return nil, nil, armerr.BadRequest("InvalidRequestFormat", "Cannot parse the request: a subnet of virtual network %s has no name.", network.name())
		}
		s := &resource{ID: network.ID + "/subnets/" + name, Type: typeSubnet, Created: c.clock.Now()}
		if current := c.state.Resources[s.key()]; current != nil {
			if err := c.checkStays(current); err != nil {
				return nil, nil, err
			}
			s.ID, s.Created = current.ID, current.Created
		}
		s.Body = armjson.Object{"properties": armjson.Clone(armjson.Sub(sent, "properties"))}
		s.properties()["provisioningState"] = statusSucceeded
		keep[s.key()] = true
		subnets = append(subnets, s)
	}
	for _, s := range have {
		if keep[s.key()] {
			continue
		}
		if err := c.checkUnused(s); err != nil {
			return nil, nil, err
		}
		removed = append(removed, s)
	}
	return subnets, removed, nil
}

func putSubnet(c *cloud, r *call) (reply, error) {
	if _, err := c.mustGroup(r.path); err != nil {
		return reply{}, err
	}
	network := c.state.Resources[r.path.Parent().Key()]
	if network == nil {
		return reply{}, parentNotFound(r.path)
	}
	subnet, status := c.find(r), http.StatusOK
	if err := errors.Join(c.checkStays(network), c.checkStays(subnet)); err != nil {
		return reply{}, err
	}
	armjson.DropNulls(r.body)
	siblings := c.state.children(network.ID, typeSubnet)
	if subnet == nil {
		status = http.StatusCreated
		subnet = &resource{ID: network.ID + "/subnets/" + r.path.Name(), Type: typeSubnet, Created: c.clock.Now()}
		siblings = append(siblings, subnet)
	}
	before := subnet.Body
	subnet.Body = armjson.Object{"properties": armjson.Sub(r.body, "properties")}
	space, err := addressSpace(network.properties(), network.name())
	if err == nil {
		err = checkRanges(space, siblings)
	}
	if err != nil {
		subnet.Body = before
		return reply{}, err
	}
	subnet.properties()["provisioningState"] = "Updating"
	c.store(subnet)
	o := c.begin(subnet, opNetworkWrite, c.settings.Durations.NetworkWrite.Duration, 1)
	o.Region = network.location()
	return c.written(r, o, status, c.show(subnet)), nil
}

func deleteNetwork(c *cloud, r *call) (reply, error) {
	network := c.find(r)
	if network == nil {
		return reply{status: http.StatusNoContent}, nil
	}
	for _, s := range c.state.children(network.ID, typeSubnet) {
		if err := c.checkUnused(s); err != nil {
			return reply{}, err
		}
	}
	return c.deleteNetworkPart(r, network, network.location()), nil
}

func deleteSubnet(c *cloud, r *call) (reply, error) {
	subnet := c.find(r)
	if subnet == nil {
		return reply{status: http.StatusNoContent}, nil
	}
	if err := c.checkUnused(subnet); err != nil {
		return reply{}, err
	}
	return c.deleteNetworkPart(r, subnet, c.state.Resources[r.path.Parent().Key()].location()), nil
}

func (c *cloud) deleteNetworkPart(r *call, target *resource, region string) reply {
	for _, o := range c.runningOn(target.key()) {
		if o.Kind == opNetworkDelete && o.Target == target.key() {
			return c.joined(r, o)
		}
	}
	c.preempt(target)
	c.setState(target, "Deleting")
	c.dirty = true
	o := c.begin(target, opNetworkDelete, c.settings.Durations.NetworkWrite.Duration, 1)
	o.Region = region
	return c.written(r, o, http.StatusAccepted, nil)
}

// showNetwork adds the subnets, which are resources of their own.
func (c *cloud) showNetwork(network *resource, out armjson.Object) {
	subnets := []any{}
	for _, s := range c.state.children(network.ID, typeSubnet) {
		subnets = append(subnets, c.show(s))
	}
	armjson.Sub(out, "properties")["subnets"] = subnets
	out["etag"] = `W/"` + network.ETag + `"`
}

func addressSpace(properties armjson.Object, network string) ([]netip.Prefix, error) {
	list, _ := armjson.Get(properties, "addressSpace")["addressPrefixes"].([]any)
	if len(list) == 0 {
		return nil, armerr.BadRequest("InvalidRequestFormat", "Virtual network %s has no address space.", network).OnProperty("properties.addressSpace")
	}
	var out []netip.Prefix
	for _, item := range list {
		p, err := prefix(item, network)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func prefix(value any, owner string) (netip.Prefix, error) {
	s, _ := value.(string)
	p, err := netip.ParsePrefix(strings.TrimSpace(s))
	if err != nil || p != p.Masked() {
		return p, armerr.BadRequest("InvalidAddressPrefixFormat", "Address prefix '%s' of %s is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24.", s, owner)
	}
	return p, nil
}

// checkRanges refuses subnets outside the address space of their network, and subnets that overlap.
func checkRanges(space []netip.Prefix, subnets []*resource) error {
	var seen []netip.Prefix
	for _, s := range subnets {
		for _, value := range subnetPrefixes(s) {
			p, err := prefix(value, s.name())
			if err != nil {
				return err
			}
			if !within(space, p) {
				return armerr.BadRequest("NetcfgInvalidSubnet", "Subnet '%s' is not valid because its IP address range is outside the IP address range of its virtual network.", s.name())
			}
			for _, other := range seen {
				if other.Overlaps(p) {
					return armerr.BadRequest("NetcfgSubnetRangesOverlap", "Subnet '%s' is not valid because its IP address range overlaps with that of an existing subnet in its virtual network.", s.name())
				}
			}
			seen = append(seen, p)
		}
	}
	return nil
}

func subnetPrefixes(s *resource) []any {
	if one := s.properties()["addressPrefix"]; one != nil {
		return []any{one}
	}
	many, _ := s.properties()["addressPrefixes"].([]any)
	if len(many) == 0 {
		return []any{nil} // refused as a malformed prefix
	}
	return many
}

func within(space []netip.Prefix, p netip.Prefix) bool {
	for _, s := range space {
		if s.Bits() <= p.Bits() && s.Contains(p.Addr()) {
			return true
		}
	}
	return false
}
