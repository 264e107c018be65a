package catalog

import "fmt"

// Default is an offer large enough for the examples: some regions, the common general purpose, memory, compute, burst
// and Arm sizes, and three minor versions of Kubernetes. Quota is not limited.
func Default() Catalog {
	return Catalog{
		Locations:          defaultLocations(),
		VMSizes:            defaultVMSizes(),
		KubernetesVersions: []string{"1.33.5", "1.33.6", "1.34.1", "1.34.2", "1.35.0"},
	}
}

func defaultLocations() []Location {
	zoned := []string{
		"eastus", "eastus2", "westus2", "westus3", "centralus", "southcentralus", "canadacentral", "brazilsouth",
		"northeurope", "westeurope", "uksouth", "francecentral", "germanywestcentral", "swedencentral",
		"switzerlandnorth", "norwayeast", "polandcentral", "italynorth", "japaneast", "southeastasia",
		"australiaeast", "centralindia", "koreacentral",
	}
	out := []Location{{Name: "westus"}, {Name: "ukwest"}, {Name: "northcentralus"}}
	for _, name := range zoned {
		out = append(out, Location{Name: name, Zones: []string{"1", "2", "3"}})
	}
	return out
}

// series is a run of sizes that differ only in how many vCPUs they have.
type series struct {
	format, family string
	gibPerVCPU     int
	vCPUs          []int
	arm64          bool
	// cachePerVCPU is the cache disk in GiB.
	cachePerVCPU int
}

func defaultVMSizes() []VMSize {
	usual := []int{2, 4, 8, 16, 32, 48, 64}
	all := []series{
		{"Standard_D%ds_v3", "standardDSv3Family", 4, usual, false, 25},
		{"Standard_D%ds_v4", "standardDSv4Family", 4, usual, false, 0},
		{"Standard_D%ds_v5", "standardDSv5Family", 4, usual, false, 0},
		{"Standard_D%ds_v6", "standardDsv6Family", 4, usual, false, 0},
		{"Standard_D%dds_v5", "standardDDSv5Family", 4, usual, false, 25},
		{"Standard_D%dds_v6", "standardDdsv6Family", 4, usual, false, 0},
		{"Standard_D%das_v5", "standardDASv5Family", 4, usual, false, 0},
		{"Standard_D%dads_v5", "standardDADSv5Family", 4, usual, false, 25},
		{"Standard_D%dps_v5", "standardDPSv5Family", 4, usual, true, 0},
		{"Standard_E%ds_v5", "standardESv5Family", 8, usual, false, 0},
		{"Standard_E%ds_v6", "standardEsv6Family", 8, usual, false, 0},
		{"Standard_F%ds_v2", "standardFSv2Family", 2, usual, false, 16},
		{"Standard_B%dms", "standardBSFamily", 4, []int{2, 4, 8, 16}, false, 0},
	}
	out := []VMSize{
		{Name: "Standard_DS2_v2", Family: "standardDSv2Family", VCPUs: 2, MemoryGiB: 7, CacheGiB: 86},
		{Name: "Standard_D2_v3", Family: "standardDv3Family", VCPUs: 2, MemoryGiB: 8},
		{Name: "Standard_NC4as_T4_v3", Family: "Standard NCASv3_T4 Family", VCPUs: 4, MemoryGiB: 28},
		// AKS wants 2 vCPUs: this one exists so that the refusal can be seen.
		{Name: "Standard_B1s", Family: "standardBSFamily", VCPUs: 1, MemoryGiB: 1},
	}
	for _, s := range all {
		for _, n := range s.vCPUs {
			out = append(out, VMSize{
				Name: fmt.Sprintf(s.format, n), Family: s.family, VCPUs: n, MemoryGiB: n * s.gibPerVCPU, Arm64: s.arm64, CacheGiB: n * s.cachePerVCPU,
			})
		}
	}
	return out
}
