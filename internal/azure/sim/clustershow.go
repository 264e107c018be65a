package sim

import (
	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// fillCluster sets what AKS fills in for a new cluster.
func (c *cloud) fillCluster(cluster, group *resource, tenant string) {
	properties, location := cluster.properties(), cluster.location()
	armjson.Default(properties, "nodeResourceGroup", aks.NodeResourceGroup(group.name(), cluster.name(), location))
	armjson.Default(properties, "enableRBAC", true)
	armjson.Default(properties, "supportPlan", "KubernetesOfficial")
	armjson.Default(properties, "maxAgentPools", float64(aks.MaxPools))
	armjson.Default(properties, "powerState", armjson.Object{"code": "Running"})
	armjson.Default(properties, "servicePrincipalProfile", armjson.Object{"clientId": "msi"})
	properties["fqdn"] = aks.FQDN(properties, cluster.ID, location)
	properties["azurePortalFQDN"] = properties["fqdn"]
	properties["resourceUID"] = uuid.NewSHA1(uuid.NameSpaceURL, []byte(cluster.ID+c.clock.Now().String())).String()
	fillNetwork(armjson.Sub(properties, "networkProfile"))
	fillOIDC(properties, location, tenant)
	armjson.Default(cluster.Body, "sku", armjson.Object{"name": "Base", "tier": "Free"})
	c.fillIdentity(cluster, tenant)
}

func fillNetwork(profile armjson.Object) {
	armjson.Default(profile, "networkPlugin", "azure")
	armjson.Default(profile, "loadBalancerSku", "standard")
	armjson.Default(profile, "serviceCidr", "10.0.0.0/16")
	armjson.Default(profile, "dnsServiceIP", "10.0.0.10")
	armjson.Default(profile, "outboundType", "loadBalancer")
	if profile["networkPlugin"] == "kubenet" || profile["networkPluginMode"] == "overlay" {
		armjson.Default(profile, "podCidr", "10.244.0.0/16")
	}
}

func fillOIDC(properties armjson.Object, location, tenant string) {
	profile := armjson.Get(properties, "oidcIssuerProfile")
	if enabled, _ := profile["enabled"].(bool); enabled {
		profile["issuerURL"] = "https://" + location + ".oic.prod-aks.azure.com/" + tenant + "/" + armjson.String(properties, "resourceUID") + "/"
	}
}

// identityOf derives the object id and client id of one of a cluster's identities. They are new when a cluster is made
// again under the same name, as on Azure.
func identityOf(cluster *resource, which string) (objectID, clientID string) {
	uid := armjson.String(cluster.properties(), "resourceUID")
	derive := func(part string) string {
		return uuid.NewSHA1(uuid.NameSpaceURL, []byte(uid+"/"+which+"/"+part)).String()
	}
	return derive("object"), derive("client")
}

// fillIdentity sets the cluster's own identity and the kubelet identity, which pulls images.
func (c *cloud) fillIdentity(cluster *resource, tenant string) {
	if identity := armjson.Get(cluster.Body, "identity"); armjson.String(identity, "type") == "SystemAssigned" {
		identity["principalId"], _ = identityOf(cluster, "controlplane")
		identity["tenantId"] = tenant
	}
	profile := armjson.Sub(cluster.properties(), "identityProfile")
	if profile["kubeletidentity"] != nil {
		return
	}
	object, client := identityOf(cluster, "kubelet")
	profile["kubeletidentity"] = armjson.Object{
		"resourceId": "/subscriptions/" + cluster.subscription() + "/resourceGroups/" + c.nodeGroupName(cluster) +
			"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" + cluster.name() + "-agentpool",
		"objectId": object, "clientId": client,
	}
}

// showCluster adds what is computed for every answer: the pools as they are now, the autoscaler's defaults, and the ETag.
// AKS reports the live pools in agentPoolProfiles whatever the last PUT said, and clients depend on it.
func (c *cloud) showCluster(cluster *resource, out armjson.Object) {
	profiles, autoscaled := []any{}, false
	for _, pool := range c.state.children(cluster.ID, typePool) {
		profile := armjson.Clone(pool.properties())
		scaled, _ := profile["enableAutoScaling"].(bool)
		autoscaled = autoscaled || scaled
		profile["name"], profile["eTag"] = pool.name(), pool.ETag
		profiles = append(profiles, profile)
	}
	properties := armjson.Sub(out, "properties")
	properties["agentPoolProfiles"] = profiles
	if profile := armjson.Get(properties, "autoScalerProfile"); profile != nil || autoscaled {
		properties["autoScalerProfile"] = aks.ShownAutoscalerProfile(profile)
	}
	out["eTag"] = cluster.ETag
}
