package render

import (
	"fmt"
	"net/netip"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

const (
	// servicesDefault and overlayFirst are in the space of RFC 6598, which no organisation's pools should have. AKS' own 10.0.0.0/16 for services
	// lies in the middle of them, and its /16 for pods ends at 256 nodes.
	servicesDefault = "100.96.0.0/16"
	overlayFirst    = "100.64.0.0"
	// overlayLargest is the largest range of pods that begins there and leaves the services alone.
	overlayLargest = 11
	// overlaySurgePercent is how many more nodes there are while pools are replaced: what a claim assumes too.
	overlaySurgePercent = 25
)

// overlayPods is the range of the pods of an overlay that names none. Only the cluster itself knows it, so every cluster can have the same.
func overlayPods(maxNodes int32) (string, error) {
	length, err := cidr.Length(cidr.Sizing{Pods: true, Mode: string(fleetwrightv1.NetworkModeOverlay), MaxNodes: int(maxNodes), MaxPods: 1, SurgePercent: overlaySurgePercent})
	if err != nil {
		return "", fmt.Errorf("limits.maxNodes: %w", err)
	}
	if length < overlayLargest {
		return "", fmt.Errorf("limits.maxNodes: the pods of %d nodes do not fit into %s/%d: give network.addresses[pods] a cidr", maxNodes, overlayFirst, overlayLargest)
	}
	return fmt.Sprintf("%s/%d", overlayFirst, length), nil
}

// defaultServices is the range of the services of a cluster that names none; empty where AKS' own can be had without harm. The network that CAPZ
// makes for AzureManaged is 10.0.0.0/8, and that of an organisation is likely to be near.
func defaultServices(flavor fleetwrightv1.WorkloadClusterFlavor, vnet bool) string {
	if vnet || flavor == fleetwrightv1.WorkloadClusterFlavorManaged {
		return servicesDefault
	}
	return ""
}

// podsOf is the range of the overlay, empty with other modes.
func podsOf(in Input) (string, error) {
	if in.spec().Network.Mode != fleetwrightv1.NetworkModeOverlay {
		return "", nil
	}
	if bound := in.bound(fleetwrightv1.ClusterRangePods); bound != "" {
		return bound, nil
	}
	return overlayPods(in.spec().Limits.MaxNodes)
}

// servicesOf is the range of the services and the address of the DNS service in it, empty where AKS chooses.
func servicesOf(in Input) (services, dns string, err error) {
	services = in.bound(fleetwrightv1.ClusterRangeServices)
	if services == "" {
		services = defaultServices(in.spec().Flavor, in.bound(fleetwrightv1.ClusterRangeVNet) != "")
	}
	if services == "" {
		return "", "", nil
	}
	p, err := cidr.Parse(services)
	if err != nil {
		return "", "", fmt.Errorf("network.addresses[services]: %w", err)
	}
	address := cidr.DNSServiceIP(p)
	if address == (netip.Addr{}) {
		return "", "", fmt.Errorf("network.addresses[services]: %s has no room for the address of the DNS service, its eleventh: give a /28 or larger", services)
	}
	return services, address.String(), nil
}
