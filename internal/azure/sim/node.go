package sim

import (
	"fmt"
	"maps"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
)

// SimulatedLabel is on every node of a simulated cluster, with the value "true"; simulated kubelets serve those nodes.
const SimulatedLabel = "fleetwright.io/simulated"

// instanceID is the ARM id of a machine. The node resource group keeps its letter case here.
func instanceID(cluster *resource, nodeGroup, scaleSet string, id int) string {
	return fmt.Sprintf("%s/virtualMachines/%d", scaleSetID(cluster, nodeGroup, scaleSet), id)
}

func scaleSetID(cluster *resource, nodeGroup, scaleSet string) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/%s/%s", cluster.subscription(), nodeGroup, typeScaleSet, scaleSet)
}

// providerID has only the resource group in lower case, as the Azure cloud provider writes it.
func providerID(cluster *resource, nodeGroup, scaleSet string, id int) string {
	return "azure://" + instanceID(cluster, strings.ToLower(nodeGroup), scaleSet, id)
}

// nodeOf is the Node a machine registers as.
func (c *cloud) nodeOf(cluster, pool *resource, m *instance) Node {
	p := readPool(pool)
	size, _ := c.settings.Catalog.VMSize(p.VMSize)
	name := computerName(pool.Pool.ScaleSet, m.ID)
	location := cluster.location()
	n := Node{
		Name:        name,
		ProviderID:  providerID(cluster, c.nodeGroupName(cluster), pool.Pool.ScaleSet, m.ID),
		Labels:      map[string]string{},
		Version:     "v" + m.Model.Version,
		VMSize:      size.Name,
		OSImage:     osImage(p.OSType, m.Model.OSSKU),
		Zone:        "0",
		CPU:         int64(size.VCPUs),
		MemoryBytes: int64(size.MemoryGiB) << 30,
		Pods:        int64(p.MaxPods),
	}
	if m.Zone != "" {
		n.Zone = location + "-" + m.Zone
	}
	arch := "amd64"
	if size.Arm64 {
		arch = "arm64"
	}
	maps.Copy(n.Labels, pool.Pool.Applied.Labels)
	maps.Copy(n.Labels, map[string]string{
		"agentpool":                        p.Name,
		"kubernetes.azure.com/agentpool":   p.Name,
		"kubernetes.azure.com/cluster":     c.nodeGroupName(cluster),
		"kubernetes.azure.com/mode":        strings.ToLower(pool.Pool.Applied.Mode),
		"kubernetes.azure.com/os-sku":      m.Model.OSSKU,
		"kubernetes.azure.com/role":        "agent",
		"kubernetes.io/arch":               arch,
		"kubernetes.io/hostname":           name,
		"kubernetes.io/os":                 strings.ToLower(p.OSType),
		"node.kubernetes.io/instance-type": size.Name,
		"topology.kubernetes.io/region":    location,
		"topology.kubernetes.io/zone":      n.Zone,
		SimulatedLabel:                     "true",
	})
	for _, raw := range pool.Pool.Applied.Taints {
		if t, err := aks.ParseTaint(raw); err == nil {
			n.Taints = append(n.Taints, Taint(t))
		}
	}
	return n
}

func osImage(osType, sku string) string {
	switch {
	case osType == aks.OSWindows:
		return "Windows Server 2022 Datacenter"
	case sku == "AzureLinux":
		return "Microsoft Azure Linux 3.0"
	default:
		return "Ubuntu 22.04.5 LTS"
	}
}

func (c *cloud) nodeGroupName(cluster *resource) string {
	name, _ := cluster.properties()["nodeResourceGroup"].(string)
	return name
}
