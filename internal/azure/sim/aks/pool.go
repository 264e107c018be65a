// Package aks holds the rules of the AKS resource provider as functions of values: which names, versions, pools and
// changes it accepts, and in which words it refuses the others. It knows no store, no clock and no HTTP.
package aks

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// Values of agent pool fields that rules ask about.
const (
	ModeSystem      = "System"
	ModeUser        = "User"
	OSLinux         = "Linux"
	OSWindows       = "Windows"
	PriorityRegular = "Regular"
	PrioritySpot    = "Spot"

	// SpotTaint is what AKS puts on spot nodes by itself.
	SpotTaint = "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"
)

// MaxPoolNodes is the largest count of one pool (one scale set).
const MaxPoolNodes = 1000

// MaxPools is the largest number of pools of one cluster.
const MaxPools = 100

// Pool is the part of an agent pool's properties that rules look at.
type Pool struct {
	Name                       string            `json:"name"`
	Type                       string            `json:"type"`
	Mode                       string            `json:"mode"`
	OSType                     string            `json:"osType"`
	OSSKU                      string            `json:"osSKU"`
	EnableFIPS                 bool              `json:"enableFIPS"`
	VMSize                     string            `json:"vmSize"`
	OSDiskSizeGB               int               `json:"osDiskSizeGB"`
	OSDiskType                 string            `json:"osDiskType"`
	MaxPods                    int               `json:"maxPods"`
	Count                      *int              `json:"count"`
	EnableAutoScaling          bool              `json:"enableAutoScaling"`
	MinCount                   *int              `json:"minCount"`
	MaxCount                   *int              `json:"maxCount"`
	ScaleSetPriority           string            `json:"scaleSetPriority"`
	SpotMaxPrice               float64           `json:"spotMaxPrice"`
	AvailabilityZones          []string          `json:"availabilityZones"`
	VnetSubnetID               string            `json:"vnetSubnetID"`
	PodSubnetID                string            `json:"podSubnetID"`
	PodIPAllocationMode        string            `json:"podIPAllocationMode"`
	OrchestratorVersion        string            `json:"orchestratorVersion"`
	CurrentOrchestratorVersion string            `json:"currentOrchestratorVersion"`
	NodeLabels                 map[string]string `json:"nodeLabels"`
	NodeTaints                 []string          `json:"nodeTaints"`
	Tags                       map[string]string `json:"tags"`
	ProvisioningState          string            `json:"provisioningState"`
}

// ReadPool reads the properties of a pool. A field of the wrong type is ARM's InvalidRequestContent.
func ReadPool(name string, properties armjson.Object) (Pool, error) {
	var p Pool
	if err := armjson.Decode(properties, &p); err != nil {
		return Pool{}, armerr.BadRequest("InvalidRequestContent",
			"The request content was invalid and could not be deserialized: '%v'.", err).OnProperty("properties")
	}
	p.Name = name
	return p, nil
}

// Nodes is the count of the pool, 0 when none is given.
func (p Pool) Nodes() int {
	if p.Count == nil {
		return 0
	}
	return *p.Count
}

// readOnly are the properties that only AKS writes; what a client sends there is ignored.
func readOnly() []string {
	return []string{"provisioningState", "currentOrchestratorVersion", "nodeImageVersion", "eTag", "status"}
}

// replaced are the properties that an update without them empties. All others keep their value when left out.
func replaced() []string {
	return []string{"nodeLabels", "nodeTaints", "tags", "enableAutoScaling", "minCount", "maxCount"}
}

// Overlay gives the properties of a pool after a PUT: those of the request over those that were there. With nil
// current (a new pool) it is the request without its read-only parts. Neither argument is changed.
func Overlay(current, request armjson.Object) armjson.Object {
	next := armjson.Object{}
	if current != nil {
		next = armjson.Clone(current)
		for _, key := range replaced() {
			delete(next, key)
		}
	}
	sent := armjson.Clone(request)
	armjson.DropNulls(sent)
	for _, key := range readOnly() {
		delete(sent, key)
	}
	if state := armjson.String(armjson.Get(sent, "powerState"), "code"); current == nil && state == "" {
		sent["powerState"] = armjson.Object{"code": "Running"}
	}
	maps.Copy(next, sent)
	return next
}

// DefaultPool fills in what AKS fills in for a new pool; the cluster's network profile decides about maxPods.
func DefaultPool(properties, network armjson.Object) {
	armjson.Default(properties, "type", "VirtualMachineScaleSets")
	armjson.Default(properties, "mode", ModeUser)
	armjson.Default(properties, "osType", OSLinux)
	if properties["osType"] == OSWindows {
		armjson.Default(properties, "osSKU", "Windows2022")
	} else {
		armjson.Default(properties, "osSKU", "Ubuntu")
	}
	armjson.Default(properties, "osDiskSizeGB", float64(128))
	armjson.Default(properties, "osDiskType", "Managed")
	armjson.Default(properties, "kubeletDiskType", "OS")
	armjson.Default(properties, "maxPods", float64(defaultMaxPods(network)))
	armjson.Default(properties, "count", float64(defaultCount(properties)))
	armjson.Default(properties, "scaleDownMode", "Delete")
	armjson.Default(properties, "enableNodePublicIP", false)
	armjson.Default(properties, "enableFIPS", false)
	if properties["scaleSetPriority"] == PrioritySpot {
		armjson.Default(properties, "spotMaxPrice", float64(-1))
		armjson.Default(properties, "scaleSetEvictionPolicy", "Delete")
		addSpotTaint(properties)
	}
	upgrade := armjson.Sub(properties, "upgradeSettings")
	armjson.Default(upgrade, "maxSurge", "10%")
}

func defaultMaxPods(network armjson.Object) int {
	switch {
	case armjson.String(network, "networkPluginMode") == "overlay":
		return 250
	case armjson.String(network, "networkPlugin") == "azure":
		return 30
	default:
		return 110
	}
}

func defaultCount(properties armjson.Object) int {
	if n, ok := properties["minCount"].(float64); ok {
		return int(n)
	}
	return 1
}

// addSpotTaint does what AKS does: the taint of spot nodes is part of the pool's answer although nobody sent it.
func addSpotTaint(properties armjson.Object) {
	taints, _ := properties["nodeTaints"].([]any)
	if !slices.Contains(taints, any(SpotTaint)) {
		properties["nodeTaints"] = append(taints, SpotTaint)
	}
	labels := armjson.Sub(properties, "nodeLabels")
	armjson.Default(labels, "kubernetes.azure.com/scalesetpriority", "spot")
}

// AfterUpdate restores what an update may leave out and AKS keeps all the same.
func AfterUpdate(properties armjson.Object) {
	if properties["scaleSetPriority"] == PrioritySpot {
		addSpotTaint(properties)
	}
}

// NodeImage is the node image version of a pool, in AKS's form.
func NodeImage(p Pool) string {
	switch {
	case p.OSType == OSWindows:
		return "AKSWindows-2022-containerd-20348.4171.250910"
	case p.OSSKU == "AzureLinux":
		return "AKSAzureLinux-V3gen2-202510.03.0"
	default:
		return "AKSUbuntu-2204gen2containerd-202510.03.0"
	}
}

func notAllowed(property string) error {
	target := "properties." + property
	return armerr.BadRequest("PropertyChangeNotAllowed", "Changing property '%s' is not allowed.", target).OnProperty(target)
}

func invalid(target, format string, args ...any) error {
	return armerr.BadRequest("InvalidParameter", "%s", fmt.Sprintf(format, args...)).OnProperty(target)
}
