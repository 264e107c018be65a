package aks

import (
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

// Usage counts vCPUs per family of one subscription and location.
type Usage map[string]int

// Add counts n nodes of a size.
func (u Usage) Add(size catalog.VMSize, n int) {
	u[strings.ToLower(size.Family)] += n * size.VCPUs
	u[""] += n * size.VCPUs
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

// CheckQuota refuses extra nodes of a size when the family's or the region's vCPU quota does not hold them.
func CheckQuota(c catalog.Catalog, location string, used Usage, size catalog.VMSize, extra int) error {
	required := extra * size.VCPUs
	if required <= 0 {
		return nil
	}
	for _, family := range []string{size.Family, ""} {
		limit, limited := c.Limit(location, family)
		current := used[strings.ToLower(family)]
		if !limited || current+required <= limit {
			continue
		}
		name := "Total Regional"
		if family != "" {
			name = family
		}
		return armerr.BadRequest("QuotaExceeded", "Operation could not be completed as it results in exceeding approved %s Cores quota. "+
			"Additional details - Deployment Model: Resource Manager, Location: %s, Current Limit: %d, Current Usage: %d, Additional Required: %d, (Minimum) New Limit Required: %d. "+
			"Setup Alerts when Quota reaches threshold. Learn more at https://aka.ms/quotamonitoringalerting .",
			name, location, limit, current, required, current+required)
	}
	return nil
}
