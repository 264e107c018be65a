package agentpool

import (
	"strconv"
	"strings"
)

// Two ways of writing that Azure takes for the same thing.

// sameSubnet compares Azure resource ids without regard to case. A name means a
// subnet of the cluster's own network.
func sameSubnet(want, have string) bool {
	want, have = strings.ToLower(want), strings.ToLower(have)
	if strings.HasPrefix(want, "/") == strings.HasPrefix(have, "/") {
		return want == have
	}
	return strings.HasSuffix(want, "/subnets/"+have) || strings.HasSuffix(have, "/subnets/"+want)
}

// sameSKU: AKS resolves a family of operating systems ("Ubuntu") to one of its
// releases ("Ubuntu2204"), which is no difference from the family asked for.
func sameSKU(want, have string) bool {
	want, have = currentSKU(want), currentSKU(have)
	return strings.EqualFold(want, have) || strings.EqualFold(want, strings.TrimRight(have, "0123456789"))
}

// currentSKU knows the name that AKS gave up.
func currentSKU(sku string) string {
	if strings.EqualFold(sku, "CBLMariner") || strings.EqualFold(sku, "Mariner") {
		return "AzureLinux"
	}
	return sku
}

func samePrice(want, have string) bool {
	w, errWant := strconv.ParseFloat(want, 64)
	h, errHave := strconv.ParseFloat(have, 64)
	return errWant == nil && errHave == nil && w == h
}
