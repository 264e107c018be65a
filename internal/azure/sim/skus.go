package sim

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

// skusPerPage is how many SKUs one page has.
const skusPerPage = 40

// locationFilter is the only filter that the list of SKUs understands.
var locationFilter = regexp.MustCompile(`^\s*location\s+eq\s+'([^']*)'\s*$`)

// listUsages answers the vCPU quotas of a location: the limits that the simulator enforces, and what pools use of them.
func listUsages(c *cloud, r *call) (reply, error) {
	location, known := c.settings.Catalog.Location(r.path.Names[0])
	if !known {
		return reply{}, armerr.BadRequest("NoRegisteredProviderFound", "No registered resource provider found for location '%s' and API version '%s' for type 'locations/usages'. "+
			"The supported locations are '%s'.", r.path.Names[0], r.version, strings.Join(c.settings.Catalog.LocationNames(), ", "))
	}
	var items []armjson.Object
	for _, q := range aks.Quotas(c.settings.Catalog, location.Name, c.usage(r.path.Subscription, location.Name)) {
		items = append(items, armjson.Object{
			"unit": "Count", "limit": q.Limit, "currentValue": q.Used,
			"name": armjson.Object{"value": q.Name, "localizedValue": q.Title},
		})
	}
	return list(items), nil
}

// listSKUs answers the machine types of one location or, as without a filter, of all, page by page.
func listSKUs(c *cloud, r *call) (reply, error) {
	locations := c.settings.Catalog.Locations
	if filter := r.query.Get("$filter"); filter != "" {
		match := locationFilter.FindStringSubmatch(filter)
		if match == nil {
			return reply{}, armerr.BadRequest("InvalidFilterInQueryString", "Invalid $filter '%s' specified in the query string. Only location eq '{location}' is supported.", filter)
		}
		locations = nil
		if l, known := c.settings.Catalog.Location(match[1]); known {
			locations = []catalog.Location{l}
		}
	}
	var items []armjson.Object
	for _, l := range locations {
		// The list of Azure has other things than machine types as well.
		items = append(items, armjson.Object{"resourceType": "availabilitySets", "name": "Aligned", "locations": []any{l.Name}})
		for _, size := range c.settings.Catalog.VMSizes {
			items = append(items, sku(c.settings.Catalog, l, size))
		}
	}
	return page(r, items, skusPerPage)
}

// page cuts a list and links to the rest of it.
func page(r *call, items []armjson.Object, size int) (reply, error) {
	from, err := strconv.Atoi(cmp.Or(r.query.Get("$skiptoken"), "0"))
	if err != nil || from < 0 || from > len(items) {
		return reply{}, armerr.BadRequest("InvalidSkipToken", "The skip token '%s' is not valid.", r.query.Get("$skiptoken"))
	}
	to := min(from+size, len(items))
	answer := list(items[from:to])
	if to < len(items) {
		query := r.query
		query.Set("$skiptoken", strconv.Itoa(to))
		answer.body.(armjson.Object)["nextLink"] = "https://" + r.host + r.path.ID() + "?" + query.Encode()
	}
	answer.status = http.StatusOK
	return answer, nil
}

func sku(c catalog.Catalog, l catalog.Location, size catalog.VMSize) armjson.Object {
	capability := func(name, value string) armjson.Object { return armjson.Object{"name": name, "value": value} }
	capabilities := []any{
		capability("vCPUs", strconv.Itoa(size.VCPUs)), capability("vCPUsAvailable", strconv.Itoa(size.VCPUs)),
		capability("MemoryGB", strconv.Itoa(size.MemoryGiB)), capability("CpuArchitectureType", architecture(size)),
		capability("EphemeralOSDiskSupported", map[bool]string{true: "True", false: "False"}[size.CacheGiB > 0]),
	}
	if size.CacheGiB > 0 {
		capabilities = append(capabilities, capability("CachedDiskBytes", strconv.Itoa(size.CacheGiB<<30)))
	}
	return armjson.Object{
		"resourceType": "virtualMachines", "name": size.Name, "tier": "Standard", "size": strings.TrimPrefix(size.Name, "Standard_"), "family": size.Family,
		"locations": []any{l.Name}, "locationInfo": []any{armjson.Object{"location": l.Name, "zones": slices.Clone(l.Zones), "zoneDetails": []any{}}},
		"capabilities": capabilities, "restrictions": restrictions(c, l, size),
	}
}

func architecture(size catalog.VMSize) string {
	if size.Arm64 {
		return "Arm64"
	}
	return "x64"
}

func restrictions(c catalog.Catalog, l catalog.Location, size catalog.VMSize) []any {
	out := []any{}
	restrict := func(kind string, info armjson.Object) {
		info["locations"] = []any{l.Name}
		out = append(out, armjson.Object{"type": kind, "values": []any{l.Name}, "restrictionInfo": info, "reasonCode": "NotAvailableForSubscription"})
	}
	if c.Closed(l.Name, size.Name) {
		restrict("Location", armjson.Object{})
	}
	if zones := c.ClosedZones(l.Name, size.Name, l.Zones); len(zones) > 0 {
		restrict("Zone", armjson.Object{"zones": zones})
	}
	return out
}
