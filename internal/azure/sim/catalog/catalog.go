// Package catalog is what a simulated subscription offers: locations, VM sizes, Kubernetes versions, quota and
// restrictions. It is plain data with look-ups, so that a test or a demo can take something away and see who notices.
package catalog

import (
	"slices"
	"strings"

	"github.com/blang/semver/v4"
)

// Catalog is one subscription's offer. All name comparisons ignore letter case.
type Catalog struct {
	// Locations are the regions that can be used.
	Locations []Location `json:"locations"`
	// VMSizes are the machine types that exist.
	VMSizes []VMSize `json:"vmSizes"`
	// KubernetesVersions are the supported versions as x.y.z, in any order.
	KubernetesVersions []string `json:"kubernetesVersions"`
	// Quotas limit vCPUs. What has no entry is not limited.
	Quotas []Quota `json:"quotas,omitempty"`
	// Restrictions take VM sizes away from locations or zones.
	Restrictions []Restriction `json:"restrictions,omitempty"`
}

// Location is one Azure region.
type Location struct {
	// Name is the short name, for instance westeurope.
	Name string `json:"name"`
	// Zones are the availability zones; empty for a region without any.
	Zones []string `json:"zones,omitempty"`
}

// VMSize is one machine type.
type VMSize struct {
	// Name is the full name, for instance Standard_D4s_v5.
	Name string `json:"name"`
	// Family is the name quota goes by, for instance standardDSv5Family.
	Family string `json:"family"`
	// VCPUs is the number of virtual CPUs.
	VCPUs int `json:"vCPUs"`
	// MemoryGiB is the memory in GiB.
	MemoryGiB int `json:"memoryGiB"`
	// Arm64 says that the processor is Arm.
	Arm64 bool `json:"arm64,omitempty"`
	// CacheGiB is the size of its cache disk, on which an ephemeral OS disk can live; 0 for none.
	CacheGiB int `json:"cacheGiB,omitempty"`
}

// Quota limits the vCPUs of a location: of a family, of all families together, or of Spot machines.
type Quota struct {
	// Location is the region.
	Location string `json:"location"`
	// Family is the VM family; empty means all families of the region together.
	Family string `json:"family,omitempty"`
	// Spot makes it the limit of Spot machines of all families, which count against no other. Family is empty then.
	Spot bool `json:"spot,omitempty"`
	// VCPUs is the limit.
	VCPUs int `json:"vCPUs"`
}

// Restriction makes a VM size unavailable for new instances, as when a region runs out of capacity.
type Restriction struct {
	// Location is the region.
	Location string `json:"location"`
	// VMSize is the machine type.
	VMSize string `json:"vmSize"`
	// Zones are the zones it is missing from; empty means the whole region.
	Zones []string `json:"zones,omitempty"`
}

// NormalLocation folds "West US 2" and "WestUS2" to westus2, as ARM does.
func NormalLocation(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, " ", ""))
}

// Location finds a region by any spelling of its name.
func (c Catalog) Location(name string) (Location, bool) {
	for _, l := range c.Locations {
		if NormalLocation(l.Name) == NormalLocation(name) {
			return l, true
		}
	}
	return Location{}, false
}

// LocationNames are the short names of all regions, sorted.
func (c Catalog) LocationNames() []string {
	names := make([]string, 0, len(c.Locations))
	for _, l := range c.Locations {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	return names
}

// VMSize finds a machine type.
func (c Catalog) VMSize(name string) (VMSize, bool) {
	for _, s := range c.VMSizes {
		if strings.EqualFold(s.Name, name) {
			return s, true
		}
	}
	return VMSize{}, false
}

// Offered tells whether a size can be used in a location outside zones. Unknown sizes cannot.
func (c Catalog) Offered(location, size string) bool {
	_, known := c.VMSize(size)
	return known && !c.Closed(location, size)
}

// Closed tells whether a size cannot be used in a whole location.
func (c Catalog) Closed(location, size string) bool { return len(c.restriction(location, size)) > 0 }

// restriction gives the restrictions of a size that cover the whole region.
func (c Catalog) restriction(location, size string) []Restriction {
	var out []Restriction
	for _, r := range c.Restrictions {
		if len(r.Zones) == 0 && r.matches(location, size) {
			out = append(out, r)
		}
	}
	return out
}

func (r Restriction) matches(location, size string) bool {
	return NormalLocation(r.Location) == NormalLocation(location) && strings.EqualFold(r.VMSize, size)
}

// ClosedZones are those of zones in which a size has no capacity.
func (c Catalog) ClosedZones(location, size string, zones []string) []string {
	var closed []string
	for _, r := range c.Restrictions {
		if !r.matches(location, size) {
			continue
		}
		for _, z := range zones {
			if slices.Contains(r.Zones, z) && !slices.Contains(closed, z) {
				closed = append(closed, z)
			}
		}
	}
	return closed
}

// Limit is the vCPU quota of a family (or of the region, for an empty family); false means not limited.
func (c Catalog) Limit(location, family string) (int, bool) {
	return c.limit(location, func(q Quota) bool { return !q.Spot && strings.EqualFold(q.Family, family) })
}

// SpotLimit is the vCPU quota of Spot machines in a location; false means not limited.
func (c Catalog) SpotLimit(location string) (int, bool) {
	return c.limit(location, func(q Quota) bool { return q.Spot })
}

func (c Catalog) limit(location string, which func(Quota) bool) (int, bool) {
	for _, q := range c.Quotas {
		if NormalLocation(q.Location) == NormalLocation(location) && which(q) {
			return q.VCPUs, true
		}
	}
	return 0, false
}

// Families are the names of all VM families, sorted.
func (c Catalog) Families() []string {
	var out []string
	for _, s := range c.VMSizes {
		out = append(out, s.Family)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Resolve turns a Kubernetes version into a full supported one: x.y.z must be listed, x.y takes the newest patch, and
// empty takes the newest version of the second newest minor, as AKS takes a version that is not the latest by default.
func (c Catalog) Resolve(version string) (semver.Version, bool) {
	versions := c.versions()
	if len(versions) == 0 {
		return semver.Version{}, false
	}
	if version == "" {
		newest := versions[len(versions)-1]
		for _, v := range slices.Backward(versions) {
			if v.Minor != newest.Minor {
				return v, true
			}
		}
		return newest, true
	}
	for _, v := range slices.Backward(versions) {
		if v.String() == version || strings.HasPrefix(v.String(), version+".") && strings.Count(version, ".") == 1 {
			return v, true
		}
	}
	return semver.Version{}, false
}

// Upgrades are the versions a control plane on from may go to: newer patches and the next minor.
func (c Catalog) Upgrades(from semver.Version) []string {
	var out []string
	for _, v := range c.versions() {
		if v.GT(from) && v.Major == from.Major && v.Minor <= from.Minor+1 {
			out = append(out, v.String())
		}
	}
	return out
}

// versions are the supported versions, oldest first. Entries that are no version are left out.
func (c Catalog) versions() []semver.Version {
	var out []semver.Version
	for _, s := range c.KubernetesVersions {
		if v, err := semver.Parse(s); err == nil {
			out = append(out, v)
		}
	}
	semver.Sort(out)
	return out
}
