package aks

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

var (
	clusterName = regexp.MustCompile(`^[A-Za-z0-9]([-_A-Za-z0-9]{0,61}[A-Za-z0-9])?$`)
	dnsPrefix   = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9]{0,52}[A-Za-z0-9])?$`)
)

// CheckClusterName refuses names that are not 1 to 63 letters, digits, hyphens and underscores.
func CheckClusterName(name string) error {
	if !clusterName.MatchString(name) {
		return invalid("resourceName", "The value of parameter resourceName is invalid. Error details: managed cluster name %q must match %s. "+
			"Please see https://aka.ms/aks-naming-rules for more details.", name, clusterName)
	}
	return nil
}

// CheckCluster refuses properties of a managed cluster that are wrong in themselves.
func CheckCluster(properties armjson.Object) error {
	prefix := armjson.String(properties, "dnsPrefix")
	if prefix == "" && armjson.String(properties, "fqdnSubdomain") == "" {
		return armerr.BadRequest("InvalidParameter", "Required parameter dnsPrefix is missing (null).").OnProperty("dnsPrefix")
	}
	if prefix != "" && !dnsPrefix.MatchString(prefix) {
		return invalid("dnsPrefix", "The value of parameter dnsPrefix is invalid: %q must match %s.", prefix, dnsPrefix)
	}
	return CheckAutoscalerProfile(armjson.Get(properties, "autoScalerProfile"))
}

// CheckClusterChange refuses changes of properties a managed cluster keeps for life.
func CheckClusterChange(current, request armjson.Object) error {
	for _, key := range []string{"dnsPrefix", "fqdnSubdomain", "nodeResourceGroup", "enableRBAC"} {
		if changes(current, request, key) {
			return notAllowed(key)
		}
	}
	have, sent := armjson.Get(current, "networkProfile"), armjson.Get(request, "networkProfile")
	for _, key := range []string{"serviceCidr", "dnsServiceIP", "loadBalancerSku"} {
		if changes(have, sent, key) {
			return notAllowed("networkProfile." + key)
		}
	}
	return checkPodNetworkChange(have, sent)
}

// checkPodNetworkChange refuses changes of how pods are connected, less the ways on that AKS has: to overlay, which may
// bring addresses for pods; to and from no network policies; and to Cilium together with its data plane.
func checkPodNetworkChange(have, sent armjson.Object) error {
	toOverlay := changes(have, sent, "networkPluginMode") && armjson.String(sent, "networkPluginMode") == "overlay"
	if changes(have, sent, "networkPlugin") && !(toOverlay && armjson.String(sent, "networkPlugin") == "azure") {
		return notAllowed("networkProfile.networkPlugin")
	}
	if changes(have, sent, "podCidr") && !toOverlay {
		return notAllowed("networkProfile.podCidr")
	}
	if changes(have, sent, "networkPolicy") && !policyMayBecome(have, sent) {
		return notAllowed("networkProfile.networkPolicy")
	}
	return nil
}

func policyMayBecome(have, sent armjson.Object) bool {
	none := func(policy string) bool { return policy == "" || policy == "none" }
	was, is := armjson.String(have, "networkPolicy"), armjson.String(sent, "networkPolicy")
	switch {
	case none(was):
		return true
	case was == "cilium":
		return false
	case is == "cilium":
		return armjson.String(sent, "networkDataplane") == "cilium"
	default:
		return none(is)
	}
}

// NodeResourceGroup is the name AKS gives the resource group of a cluster's machines, cut to the 80 characters it may have.
func NodeResourceGroup(group, cluster, location string) string {
	name := fmt.Sprintf("MC_%s_%s_%s", group, cluster, location)
	return name[:min(len(name), 80)]
}

// Digits are the 8 digits in the names of a cluster's scale sets: a hash of the cluster's id, the same for all its pools.
func Digits(clusterID string) string {
	h := fnv.New64a()
	h.Write([]byte(strings.ToLower(clusterID)))
	return fmt.Sprintf("%08d", h.Sum64()%100_000_000)
}

// FQDN is the API server's name as ARM reports it. It does not resolve; the kubeconfig says where the server is.
func FQDN(properties armjson.Object, clusterID, location string) string {
	prefix := armjson.String(properties, "dnsPrefix")
	if sub := armjson.String(properties, "fqdnSubdomain"); prefix == "" {
		prefix = sub
	}
	return fmt.Sprintf("%s-%s.hcp.%s.azmk8s.io", strings.ToLower(prefix), Digits(clusterID), location)
}

// CheckSystemPool refuses a set of pools without a System pool.
func CheckSystemPool(pools []Pool) error {
	for _, p := range pools {
		if p.Mode == ModeSystem {
			return nil
		}
	}
	return armerr.BadRequest("MustDefineAtLeastOneSystemPool", "Must define at least one system pool.").OnProperty("agentPoolProfiles")
}

// Busy is the refusal of an operation while another one of the same cluster runs. pool is empty when the other one is
// on the cluster itself; state is its provisioning state.
func Busy(pool, state string) error {
	what := fmt.Sprintf("Another operation (%s)", state)
	if pool != "" {
		what = fmt.Sprintf("Another agentpool operation (%s - %s)", pool, state)
	}
	return armerr.Conflict("OperationNotAllowed", "Operation is not allowed: %s is in progress, please wait for it to finish before starting a new operation. "+
		"See https://aka.ms/aks-pending-operation for more details", what)
}
