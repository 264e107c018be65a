package capi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// Both flavours of CAPZ end in the same spec of an AKS agent pool, with Azure
// Service Operator's names. Here is what it means.

// Azure tags by which a pool is found again without the management cluster.
const (
	tagPrefix      = "fleetwright-"
	tagFingerprint = tagPrefix + "fingerprint"
	tagOwner       = tagPrefix + "owner"
)

// aksPrefix is of labels and taints that AKS writes itself.
const aksPrefix = "kubernetes.azure.com/"

// readAgentPool reads a spec of AKS' agent pool. What AKS and Fleetwright add by
// themselves is left out: it is nobody's wish.
func readAgentPool(spec map[string]any) agentpool.Spec {
	u := &unstructured.Unstructured{Object: spec}
	s := agentpool.Spec{
		Version:            withV(stringAt(u, "orchestratorVersion")),
		Type:               stringAt(u, "scaleSetPriority"),
		SpotMaxPrice:       price(spec["spotMaxPrice"]),
		SpotEvictionPolicy: stringAt(u, "scaleSetEvictionPolicy"),
		MachineType:        stringAt(u, "vmSize"),
		DiskType:           stringAt(u, "osDiskType"),
		OSType:             stringAt(u, "osType"),
		OSSKU:              stringAt(u, "osSKU"),
		Zones:              stringsAt(u, "availabilityZones"),
		Subnet:             readReference(u, "vnetSubnetReference"),
		PodSubnet:          readReference(u, "podSubnetReference"),
		Mode:               stringAt(u, "mode"),
		ScaleDownMode:      stringAt(u, "scaleDownMode"),
		Labels:             usersOwn(mapAt(u, "nodeLabels"), aksPrefix, ourPrefix),
		Tags:               usersOwn(mapAt(u, "tags"), tagPrefix),
		Taints:             readTaints(stringsAt(u, "nodeTaints")),
		Overrides:          overridesIn(spec),
	}
	s.DiskSizeGiB, _ = intAt(u, "osDiskSizeGB")
	s.MaxPods, _ = intAt(u, "maxPods")
	if boolAt(u, "enableAutoScaling") {
		s.Scaling = &agentpool.Scaling{}
		s.Scaling.Min, _ = intAt(u, "minCount")
		s.Scaling.Max, _ = intAt(u, "maxCount")
	} else if count, found := intAt(u, "count"); found {
		s.Replicas = &count
	}
	return s
}

// publicName is the label by which tenants select the pool that a spec of AKS' agent pool is of.
func publicName(spec map[string]any) string {
	return mapAt(&unstructured.Unstructured{Object: spec}, "nodeLabels")[fleetwrightv1.LabelNodepool]
}

// overridesIn are the fields that have none of their own in a Nodepool.
func overridesIn(spec map[string]any) map[string]string {
	leaves := agentpool.Leaves(spec)
	maps.DeleteFunc(leaves, func(path, _ string) bool { return !agentpool.ProviderFieldOf(path).Settable() })
	return leaves
}

// usersOwn leaves out what AKS or Fleetwright added.
func usersOwn(in map[string]string, reserved ...string) map[string]string {
	out := map[string]string{}
	for k, v := range in {
		if !slices.ContainsFunc(reserved, func(prefix string) bool { return strings.HasPrefix(k, prefix) }) {
			out[k] = v
		}
	}
	return out
}

// aksOwn keeps what AKS added: taking it off would be put back for ever
// (kubernetes-sigs/cluster-api-provider-azure#3976, #4116).
func aksOwn(in map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range in {
		if strings.HasPrefix(k, aksPrefix) {
			out[k] = v
		}
	}
	return out
}

// readTaints reads taints as key=value:effect, without those of AKS.
func readTaints(texts []string) []agentpool.Taint {
	var out []agentpool.Taint
	for _, text := range texts {
		if strings.HasPrefix(text, aksPrefix) {
			continue // AKS adds its own on Spot pools
		}
		pair, effect, _ := strings.Cut(text, ":")
		key, value, _ := strings.Cut(pair, "=")
		out = append(out, agentpool.Taint{Key: key, Value: value, Effect: effect})
	}
	return out
}

func taintText(t agentpool.Taint) string { return fmt.Sprintf("%s=%s:%s", t.Key, t.Value, t.Effect) }

// price reads a price as a decimal number; Kubernetes writes quantities in
// thousandths ("250m").
func price(value any) string {
	switch v := value.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		if q, err := resource.ParseQuantity(v); err == nil {
			return strconv.FormatFloat(q.AsApproximateFloat64(), 'f', -1, 64)
		}
	}
	return ""
}

// priceNumber is the price as Azure takes it.
func priceNumber(text string) (float64, bool) {
	amount, err := strconv.ParseFloat(text, 64)
	return amount, err == nil
}

// subnetReference tells a subnet to Azure Service Operator by its Azure resource
// id or by the name of its object.
func subnetReference(subnet string) map[string]any {
	if strings.HasPrefix(subnet, "/") {
		return map[string]any{"armId": subnet}
	}
	return map[string]any{"group": "network.azure.com", "kind": "VirtualNetworksSubnet", "name": subnet}
}

func readReference(u *unstructured.Unstructured, field string) string {
	if id := stringAt(u, field, "armId"); id != "" {
		return id
	}
	return stringAt(u, field, "name")
}

// ownedTags adds Fleetwright's tags to a pool's.
func ownedTags(tags map[string]string, o Owned) map[string]any {
	out := anyMap(tags)
	// A pool that was adopted was made for no fingerprint.
	setText(out, tagFingerprint, o.Fingerprint)
	setText(out, tagOwner, o.Owner)
	return out
}

// ownedLabels adds Fleetwright's label to a pool's.
func ownedLabels(labels map[string]string, o Owned) map[string]any {
	out := anyMap(labels)
	out[fleetwrightv1.LabelNodepool] = o.BaseName
	return out
}

// wantedLabels are the spec's and those that AKS added.
func wantedLabels(today map[string]string, s agentpool.Spec) map[string]any {
	labels := aksOwn(today)
	maps.Copy(labels, s.Labels)
	return anyMap(labels)
}

// mergePatch merges as a JSON merge patch (RFC 7386) does: null removes.
func mergePatch(into, patch map[string]any) {
	for key, value := range patch {
		inner, isTree := value.(map[string]any)
		switch {
		case value == nil:
			delete(into, key)
		case isTree:
			below, _ := into[key].(map[string]any)
			if below == nil {
				below = map[string]any{}
			}
			mergePatch(below, inner)
			into[key] = below
		default:
			into[key] = value
		}
	}
}

// canonical is JSON with its keys in order.
func canonical(tree map[string]any) string {
	// What came from JSON goes back to it.
	text, _ := json.Marshal(tree)
	return string(text)
}
