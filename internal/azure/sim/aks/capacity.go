package aks

import (
	"math"
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

// Usage counts vCPUs of one subscription and location by the name of the quota they count against, in lower case.
type Usage map[string]int

// Names of quotas besides those of families, as Azure's list of usages has them.
const (
	quotaRegion = "cores"
	quotaSpot   = "lowPriorityCores"
)

// Unlimited is the limit that is shown where the catalog sets none: Azure always has one.
const Unlimited = math.MaxInt32

// Quota is one vCPU limit of a location and what is used of it.
type Quota struct {
	// Name is for programs, Title for people.
	Name, Title string
	Limit, Used int
}

// Add counts n nodes of a pool's size.
func (u Usage) Add(p Pool, size catalog.VMSize, n int) {
	for _, name := range quotasOf(p, size) {
		u[strings.ToLower(name)] += n * size.VCPUs
	}
}

// quotasOf are the names of the quotas that a pool's nodes count against: Spot nodes have one of their own.
func quotasOf(p Pool, size catalog.VMSize) []string {
	if p.ScaleSetPriority == PrioritySpot {
		return []string{quotaSpot}
	}
	return []string{size.Family, quotaRegion}
}

// Quotas are all vCPU limits of a location, the region's first, then that of Spot machines, then families by name.
func Quotas(c catalog.Catalog, location string, used Usage) []Quota {
	out := []Quota{readQuota(c, location, used, quotaRegion), readQuota(c, location, used, quotaSpot)}
	for _, family := range c.Families() {
		out = append(out, readQuota(c, location, used, family))
	}
	return out
}

func readQuota(c catalog.Catalog, location string, used Usage, name string) Quota {
	q := Quota{Name: name, Used: used[strings.ToLower(name)]}
	var limited bool
	switch name {
	case quotaRegion:
		q.Title = "Total Regional vCPUs"
		q.Limit, limited = c.Limit(location, "")
	case quotaSpot:
		q.Title = "Total Regional Low-priority vCPUs"
		q.Limit, limited = c.SpotLimit(location)
	default:
		series := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(name, "standard"), "Standard "), "Family"))
		q.Title = "Standard " + series + " Family vCPUs"
		q.Limit, limited = c.Limit(location, name)
	}
	if !limited {
		q.Limit = Unlimited
	}
	return q
}

// CheckSize refuses a VM size that does not exist, is too small for a node, or is not offered in the location and zones.
func CheckSize(c catalog.Catalog, location string, p Pool) (catalog.VMSize, error) {
	size, ok := c.VMSize(p.VMSize)
	if !ok {
		return size, armerr.BadRequest("BadRequest", "The VM size of %s is not allowed in your subscription in location '%s'. The available VM sizes are '%s'. "+
			"For more details, please visit https://aka.ms/aks/quotas-skus-regions", p.VMSize, location, strings.Join(sizeNames(c, location), ",")).
			OnProperty("agentPoolProfile.vmSize")
	}
	if size.VCPUs < 2 {
		return size, invalid("agentPoolProfile.vmSize", "VM size %s of agent pool %q has fewer than 2 vCPUs, which is too small for a node.", size.Name, p.Name)
	}
	if !c.Offered(location, size.Name) {
		return size, skuNotAvailable(size, location, nil)
	}
	region, _ := c.Location(location)
	for _, z := range p.AvailabilityZones {
		if !slices.Contains(region.Zones, z) {
			return size, armerr.BadRequest("AvailabilityZoneNotSupported", "The zone(s) '%s' for resource '%s' is not supported. The supported zones for location '%s' are '%s'",
				z, p.Name, location, strings.Join(region.Zones, ",")).OnProperty("agentPoolProfile.availabilityZones")
		}
	}
	if closed := c.ClosedZones(location, size.Name, p.AvailabilityZones); len(closed) > 0 {
		return size, skuNotAvailable(size, location, closed)
	}
	return size, nil
}

func skuNotAvailable(size catalog.VMSize, location string, zones []string) error {
	where := "location '" + location + "'"
	if len(zones) > 0 {
		where += " zones '" + strings.Join(zones, ",") + "'"
	}
	return armerr.Conflict("SkuNotAvailable", "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: %s' is currently not available in %s. "+
		"Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details.", size.Name, where)
}

func sizeNames(c catalog.Catalog, location string) []string {
	var names []string
	for _, s := range c.VMSizes {
		if s.VCPUs >= 2 && c.Offered(location, s.Name) {
			names = append(names, strings.ToLower(s.Name))
		}
	}
	slices.Sort(names)
	return names
}

// CheckQuota refuses extra nodes of a pool's size when a vCPU quota does not hold them.
func CheckQuota(c catalog.Catalog, location string, used Usage, p Pool, size catalog.VMSize, extra int) error {
	required := extra * size.VCPUs
	if required <= 0 {
		return nil
	}
	for _, name := range quotasOf(p, size) {
		q := readQuota(c, location, used, name)
		if q.Used+required <= q.Limit {
			continue
		}
		return armerr.BadRequest("QuotaExceeded", "Operation could not be completed as it results in exceeding approved %s Cores quota. "+
			"Additional details - Deployment Model: Resource Manager, Location: %s, Current Limit: %d, Current Usage: %d, Additional Required: %d, (Minimum) New Limit Required: %d. "+
			"Setup Alerts when Quota reaches threshold. Learn more at https://aka.ms/quotamonitoringalerting .",
			quotaWords(name), location, q.Limit, q.Used, required, q.Used+required)
	}
	return nil
}

// quotaWords is what the refusal calls a quota, which is not what the list calls it.
func quotaWords(name string) string {
	switch name {
	case quotaRegion:
		return "Total Regional"
	case quotaSpot:
		return "Low Priority"
	default:
		return name
	}
}
