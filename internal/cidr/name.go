package cidr

import (
	"fmt"
	"net/netip"
)

// AllocationName is <pool>-<first address in hex>-<length>, such as corp-0a421000-20.
func AllocationName(pool string, p netip.Prefix) string {
	return fmt.Sprintf("%s-%x-%d", pool, p.Addr().AsSlice(), p.Bits())
}

// dnsServiceOffset is the place of the DNS service in a service range.
const dnsServiceOffset = 10

// DNSServiceIP is the address for the DNS service: the first of the service range and 10, such as 10.0.0.10. CAPZ and AKS' tools choose the
// same for all but ranges smaller than a /24. Zero for a range with fewer than 16 addresses, which has no such address.
func DNSServiceIP(services netip.Prefix) netip.Addr {
	address := services.Addr()
	for range dnsServiceOffset {
		address = address.Next()
	}
	if !services.Contains(address) {
		return netip.Addr{}
	}
	return address
}
