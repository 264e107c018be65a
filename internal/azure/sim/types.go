package sim

// Canonical resource types.
const (
	typeGroup          = "Microsoft.Resources/resourceGroups"
	typeNetwork        = "Microsoft.Network/virtualNetworks"
	typeSubnet         = "Microsoft.Network/virtualNetworks/subnets"
	typeCluster        = "Microsoft.ContainerService/managedClusters"
	typePool           = "Microsoft.ContainerService/managedClusters/agentPools"
	typeMaintenance    = "Microsoft.ContainerService/managedClusters/maintenanceConfigurations"
	typeNetworkUsage   = "Microsoft.Network/virtualNetworks/usages"
	typeSKU            = "Microsoft.Compute/skus"
	typeUsage          = "Microsoft.Compute/locations/usages"
	typeScaleSet       = "Microsoft.Compute/virtualMachineScaleSets"
	typeMachine        = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
	typeRoleAssignment = "Microsoft.Authorization/roleAssignments"
	typeRoleDefinition = "Microsoft.Authorization/roleDefinitions"
	typeGraph          = "Microsoft.ResourceGraph/resources"
	typeRegistry       = "Microsoft.ContainerRegistry/registries"
)

// handler serves one method of one resource type. It runs with the lock held.
type handler func(c *cloud, r *call) (reply, error)

// resourceType is one row of the table of what is simulated.
type resourceType struct {
	// name is the canonical type, with the letter case used in answers.
	name string
	// versions are the api-versions that are understood.
	versions []string
	// resource, collection and action are the handlers by HTTP method; action's key is the name in lower case.
	resource, collection map[string]handler
	action               map[string]handler
	// extension types live under the scope of any resource; all others directly under a subscription or group.
	extension bool
}

// resourceTypes is the table of what is simulated. Everything else is refused.
func resourceTypes() []resourceType {
	aksVersions := []string{
		"2022-04-01", "2023-02-01", "2023-10-01", "2024-02-01", "2024-05-01", "2024-09-01", "2025-01-01", "2025-02-01", "2025-03-01",
		"2025-04-01", "2025-05-01", "2025-06-02-preview", "2025-07-01", "2025-08-01", "2025-09-01", "2025-10-01",
	}
	networkVersions := []string{"2020-11-01", "2021-08-01", "2022-07-01", "2023-09-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01", "2025-01-01", "2025-03-01", "2025-05-01"}
	computeVersions := []string{"2021-11-01", "2022-08-01", "2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01", "2025-11-01", "2026-04-01"}
	groupVersions := []string{"2020-06-01", "2020-10-01", "2021-04-01", "2022-09-01", "2023-07-01", "2024-03-01", "2024-07-01", "2025-03-01", "2025-04-01"}
	roleVersions := []string{"2018-01-01-preview", "2018-09-01-preview", "2020-04-01-preview", "2022-04-01"}
	registryVersions := []string{"2019-05-01", "2021-09-01", "2022-12-01", "2023-01-01-preview", "2023-07-01", "2025-04-01", "2025-11-01"}
	return []resourceType{
		{name: typeGroup, versions: groupVersions,
			resource:   map[string]handler{"PUT": putGroup, "GET": getResource, "HEAD": headResource, "PATCH": patchGroup, "DELETE": deleteGroup},
			collection: map[string]handler{"GET": listGroups}},
		{name: typeNetwork, versions: networkVersions,
			resource:   map[string]handler{"PUT": putNetwork, "GET": getResource, "HEAD": headResource, "PATCH": patchTags, "DELETE": deleteNetwork},
			collection: map[string]handler{"GET": listResources}},
		{name: typeSubnet, versions: networkVersions,
			resource:   map[string]handler{"PUT": putSubnet, "GET": getResource, "HEAD": headResource, "DELETE": deleteSubnet},
			collection: map[string]handler{"GET": listResources}},
		{name: typeCluster, versions: aksVersions,
			resource:   map[string]handler{"PUT": putCluster, "GET": getResource, "HEAD": headResource, "PATCH": patchCluster, "DELETE": deleteCluster},
			collection: map[string]handler{"GET": listResources},
			action:     map[string]handler{"listclusteradmincredential": adminCredential, "listclusterusercredential": userCredential}},
		{name: typePool, versions: aksVersions,
			resource:   map[string]handler{"PUT": putPool, "GET": getResource, "HEAD": headResource, "DELETE": deletePool},
			collection: map[string]handler{"GET": listResources},
			action:     map[string]handler{"deletemachines": deleteMachines}},
		{name: typeMaintenance, versions: aksVersions,
			resource:   map[string]handler{"PUT": putMaintenance, "GET": getResource, "HEAD": headResource, "DELETE": deleteMaintenance},
			collection: map[string]handler{"GET": listResources}},
		{name: "Microsoft.ContainerService/locations/operations", versions: aksVersions, resource: map[string]handler{"GET": getOperation}},
		{name: "Microsoft.ContainerService/locations/operationresults", versions: aksVersions, resource: map[string]handler{"GET": getOperationResult}},
		{name: "Microsoft.Network/locations/operations", versions: networkVersions, resource: map[string]handler{"GET": getOperation}},
		{name: "Microsoft.Network/locations/operationResults", versions: networkVersions, resource: map[string]handler{"GET": getOperationResult}},
		{name: "Microsoft.Resources/locations/operationresults", versions: groupVersions, resource: map[string]handler{"GET": getOperationResult}},
		{name: "Microsoft.Insights/eventtypes/values", versions: []string{"2015-04-01", "2017-03-01-preview"}, collection: map[string]handler{"GET": listActivities}},
		{name: typeGraph, versions: []string{"2021-03-01", "2021-06-01-preview", "2022-10-01", "2024-04-01"}, collection: map[string]handler{"POST": queryGraph}},
		{name: typeNetworkUsage, versions: networkVersions, collection: map[string]handler{"GET": listNetworkUsages}},
		{name: typeUsage, versions: computeVersions, collection: map[string]handler{"GET": listUsages}},
		{name: typeSKU, versions: []string{"2019-04-01", "2021-07-01"}, collection: map[string]handler{"GET": listSKUs}},
		{name: typeScaleSet, versions: computeVersions,
			resource: map[string]handler{"GET": getScaleSet}, collection: map[string]handler{"GET": listScaleSets}},
		{name: typeMachine, versions: computeVersions,
			resource: map[string]handler{"GET": getMachine}, collection: map[string]handler{"GET": listMachines}},
		{name: typeRoleAssignment, versions: roleVersions, extension: true,
			resource:   map[string]handler{"PUT": putRoleAssignment, "GET": getRoleAssignment, "HEAD": headResource, "DELETE": deleteRoleAssignment},
			collection: map[string]handler{"GET": listRoleAssignments}},
		{name: typeRoleDefinition, versions: roleVersions, extension: true,
			resource:   map[string]handler{"PUT": putRoleDefinition, "GET": getRoleDefinition, "DELETE": deleteRoleDefinition},
			collection: map[string]handler{"GET": listRoleDefinitions}},
		{name: typeRegistry, versions: registryVersions,
			resource:   map[string]handler{"PUT": putRegistry, "GET": getResource, "HEAD": headResource, "PATCH": patchTags, "DELETE": deleteRegistry},
			collection: map[string]handler{"GET": listResources}},
	}
}
