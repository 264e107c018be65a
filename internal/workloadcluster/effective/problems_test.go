package effective

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sound is a cluster that nothing is wrong with.
const sound = "version: v1.34.2\nazure: {location: westeurope}\nnodepools: [{name: system, spec: {mode: System, machineType: Standard_D4ds_v5}}]\n"

// TestProblems asks a sound cluster that a class, whose every value the test gives, makes unsound. Literals, so that another reason fails here.
func TestProblems(t *testing.T) {
	const managed = "flavor: AzureManaged\n"
	for name, c := range map[string]struct{ cluster, want string }{
		"nothing": {sound, ""},
		"neither version nor location nor pools": {"limits: {maxNodes: 3}", `
InvalidSpec: version is set neither here nor in the class: set it, for example v1.34.2
InvalidSpec: azure.location is set neither here nor in the class: set it, for example westeurope
InvalidSpec: nodepools are set neither here nor in the class: a cluster needs one with mode System`},
		"AzureManaged without its needs": {managed + sound, `
InvalidSpec: flavor AzureManaged needs azure.subscriptionID: set it, here or in the class
InvalidSpec: flavor AzureManaged needs azure.clusterIdentity: name an AzureClusterIdentity, here or in the class`},
		"AzureManaged with a subnet for pods": {strings.Replace(managed+sound, "{location: westeurope", "{location: westeurope, subscriptionID: s, clusterIdentity: {name: i}", 1) +
			"network: {mode: CNIPodSubnet}", `
InvalidSpec: network.mode CNIPodSubnet does not go with flavor AzureManaged, which has no subnet for pods: take mode Overlay or CNI, or flavor AzureASOManaged`},
		"AzureManaged that keeps its group": {strings.Replace(managed+sound, "{location: westeurope", "{location: westeurope, resourceGroupPolicy: Keep, subscriptionID: s, clusterIdentity: {name: i}", 1), `
InvalidSpec: azure.resourceGroupPolicy Keep does not go with flavor AzureManaged, where CAPZ deletes a group that it has made, with everything in it: leave it out, or take flavor AzureASOManaged`},
		"AzureManaged that deletes its group": {strings.Replace(managed+sound, "{location: westeurope", "{location: westeurope, resourceGroupPolicy: Delete, subscriptionID: s, clusterIdentity: {name: i}", 1), ""},
		"AzureManaged":                        {strings.Replace(managed+sound, "{location: westeurope", "{location: westeurope, subscriptionID: s, clusterIdentity: {name: i}", 1), ""},
		"nodes without vnet": {sound + "network: {addresses: [{name: nodes}]}", `
InvalidSpec: network.addresses[nodes] lies within vnet, and there is none: name vnet as well`},
		"pods of an Overlay from nowhere": {sound + "network: {addresses: [{name: pods, prefixLength: 12}]}", `
InvalidSpec: network.addresses[pods] tells neither cidr nor poolRef, and pods of an Overlay lie in no other range: give one of them, or leave pods out for 100.64.0.0`},
		"pods of an Overlay": {sound + "network: {addresses: [{name: pods, cidr: 10.0.0.0/12}]}", ""},
		"pods with CNI": {sound + "network: {mode: CNI, addresses: [{name: vnet, poolRef: {name: p}}, {name: pods}]}", `
InvalidSpec: network.addresses[pods] does not go with network.mode CNI, whose pods have addresses of the nodes' subnet: leave it out`},
		"a subnet for pods without vnet": {sound + "network: {mode: CNIPodSubnet, addresses: [{name: pods}]}", `
InvalidSpec: network.addresses[pods] lies within vnet with network.mode CNIPodSubnet, and there is no vnet: name vnet as well`},
		"a subnet for pods from a pool": {sound + "network: {mode: CNIPodSubnet, addresses: [{name: vnet, poolRef: {name: p}}, {name: pods, poolRef: {name: p}}]}", `
InvalidSpec: network.addresses[pods] lies within vnet with network.mode CNIPodSubnet and comes from no pool of its own: leave its poolRef out`},
		"a subnet for pods": {sound + "network: {mode: CNIPodSubnet, addresses: [{name: vnet, poolRef: {name: p}}, {name: pods}]}", ""},
		"services of any size": {sound + "network: {addresses: [{name: services, poolRef: {name: p}}]}", `
InvalidSpec: network.addresses[services] comes from a pool, and nothing tells how large it is: set prefixLength, for example 20, or cidr`},
		"services of a size":  {sound + "network: {addresses: [{name: services, poolRef: {name: p}, prefixLength: 20}]}", ""},
		"services as a range": {sound + "network: {addresses: [{name: services, poolRef: {name: p}, cidr: 10.0.0.0/16}]}", ""},
		"a NAT gateway in a network of one's own": {sound + "network: {outbound: NATGateway, addresses: [{name: vnet, poolRef: {name: p}}]}", `
InvalidSpec: network.outbound NATGateway does not go with network.addresses[vnet]: AKS puts its NAT gateway into no network but its own: set LoadBalancer, or leave vnet out`},
		"a NAT gateway":                {sound + "network: {outbound: NATGateway}", ""},
		"a load balancer in a network": {sound + "network: {outbound: LoadBalancer, addresses: [{name: vnet, poolRef: {name: p}}]}", ""},
		"routes of nobody's": {sound + "network: {outbound: UserDefinedRouting}", `
InvalidSpec: network.outbound UserDefinedRouting needs a subnet with a route table, and those that are made with the cluster have none: let nodepools[system].spec.subnet name one of yours, or set LoadBalancer`},
		"routes in a network that is made": {sound + "network: {outbound: UserDefinedRouting, addresses: [{name: vnet, poolRef: {name: p}}]}\nnodepoolDefaults: {subnet: nodes}", `
InvalidSpec: network.outbound UserDefinedRouting needs a subnet with a route table, and those that are made with the cluster have none: let nodepools[system].spec.subnet name one of yours, or set LoadBalancer`},
		"routes of a subnet": {sound + "network: {outbound: UserDefinedRouting}\nnodepoolDefaults: {subnet: /subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s}", ""},
		"routes of a network that CAPZ was told of": {strings.Replace(managed+sound, "{location: westeurope", "{location: westeurope, subscriptionID: s, clusterIdentity: {name: i}", 1) +
			"network: {outbound: UserDefinedRouting}", ""},
		"Cilium and Windows": {sound + "network: {dataplane: Cilium}\nnodepoolDefaults: {mode: User, os: {type: Windows}}", `
InvalidSpec: nodepools[system].spec.os.type Windows does not go with network.dataplane Cilium, which AKS runs on Linux only
InvalidSpec: nodepools[system].spec.os.type Windows does not go with mode System: AKS runs system pods on Linux`},
		"Single without a tenant": {sound + "tenancy: {mode: Single}", `
InvalidSpec: tenancy.mode Single needs tenancy.tenant: say whose the cluster is`},
		"a tenant of a Shared cluster": {sound + "tenancy: {tenant: t}", `
InvalidSpec: tenancy.tenant t does not go with tenancy.mode Shared: set mode Single, or leave the tenant out`},
		"no System pool": {strings.Replace(sound, "mode: System", "mode: User", 1), `
InvalidSpec: no pool of nodepools has mode System, and AKS needs one for the cluster's own pods: set it in one of them`},
		"a pool that fits nothing": {strings.Replace(sound, "mode: System, machineType: Standard_D4ds_v5", "mode: System, type: Spot, os: {type: Windows, sku: Ubuntu}, replicas: 0, replacement: {soakMode: ScaledToZero}", 1), `
InvalidSpec: nodepools[system].spec.machineType is set neither in the pool nor in nodepoolDefaults: set it, for example Standard_D8ds_v5
InvalidSpec: nodepools[system].spec.os.sku Ubuntu does not belong to os.type: set both
InvalidSpec: nodepools[system].spec.type Spot does not go with mode System: AKS runs system pods on Regular nodes only
InvalidSpec: nodepools[system].spec.os.type Windows does not go with mode System: AKS runs system pods on Linux
InvalidSpec: nodepools[system].spec.mode System needs at least 1 node: raise replicas or scaling.min
InvalidSpec: nodepools[system].spec.replacement.soakMode ScaledToZero does not go with mode System: set Cordoned`},
		"a System pool that scales to nothing": {strings.Replace(sound, "mode: System,", "mode: System, scaling: {min: 0, max: 2},", 1), `
InvalidSpec: nodepools[system].spec.mode System needs at least 1 node: raise replicas or scaling.min`},
		"spot of a Regular pool, and a sku of another family": {sound + "nodepoolDefaults: {spot: {maxPrice: '1'}, os: {sku: Windows2022}}", `
InvalidSpec: nodepools[system].spec.spot needs type Spot: set type, or leave spot out
InvalidSpec: nodepools[system].spec.os.sku Windows2022 does not belong to os.type: set both`},
		"more nodes than it may have": {sound + "limits: {maxNodes: 5}\nnodepoolDefaults: {replicas: 6}", `
InvalidSpec: nodepools begin with 6 nodes and limits.maxNodes is 5: raise it, or lower replicas or scaling.min`},
		"as many as it may have": {sound + "limits: {maxNodes: 5}\nnodepoolDefaults: {scaling: {min: 5, max: 9}}", ""},
		"a reserved assignment, and a registry of two names": {sound +
			"additionalConfig: {roleAssignments: [{name: network}], registries: [{name: a, id: /s/r}, {name: b, id: /S/R}, {name: c, id: /s/q}]}", `
InvalidSpec: additionalConfig.roleAssignments[network] has the name of the one by which the cluster may use its own network: call it otherwise
InvalidSpec: additionalConfig.registries[a] and [b] are the same registry: name it once, or by the same name in class and cluster`},
		"versions of an add-on": {sound + "addons: [{name: a, kind: HelmRelease, kubernetesVersions: '>=1.32 and less'}, {name: b, kind: HelmRelease, kubernetesVersions: '>=1.32.0 <1.36.0'}]", `
InvalidSpec: addons[a].kubernetesVersions ">=1.32 and less" cannot be read: write it as >=1.32.0 <1.36.0`},
		"an add-on after none": {sound + "addons: [{name: a, kind: HelmRelease, after: [b]}]", `
InvalidSpec: addons[a].after: there is no add-on "b"`},
		"an override of a field": {sound + "providerOverrides: {location: x, networkProfile: {networkPlugin: y, loadBalancerSku: z}, other: 1}", `
OverrideConflict: providerOverrides.location belongs to a field of the spec, or to another object: take it out
OverrideConflict: providerOverrides.networkProfile.networkPlugin belongs to a field of the spec, or to another object: take it out`},
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			for _, p := range Problems("c", merged(t, "", c.cluster), []string{"networkProfile.networkPlugin", "location"}) {
				lines = append(lines, p.Reason+": "+p.Message)
			}
			if diff := cmp.Diff(strings.TrimSpace(c.want), strings.Join(lines, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNameTooLong(t *testing.T) {
	name := strings.Repeat("n", 37)
	want := []Problem{{"InvalidSpec", "name " + name + " has 37 characters and the pools underneath append 27: shorten it to 36"}}
	if diff := cmp.Diff(want, Problems(name, merged(t, "", sound), nil)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Problems(name[1:], merged(t, "", sound), nil); len(got) > 0 {
		t.Errorf("36 characters: %v", got)
	}
}
