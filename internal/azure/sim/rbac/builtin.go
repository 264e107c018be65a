package rbac

import "strings"

// BuiltIn are those of Azure's own roles that clusters are usually given. Their GUIDs and actions are Azure's.
func BuiltIn() []Role {
	// What most roles for one service may do besides.
	common := []string{
		"Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.ResourceHealth/availabilityStatuses/read",
		"Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*",
	}
	with := func(actions ...string) []string { return append(actions, common...) }
	return []Role{
		{GUID: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", Name: "Owner", Actions: []string{"*"},
			Description: "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC."},
		{GUID: "b24988ac-6180-42a0-ab88-20f7382dd24c", Name: "Contributor", Actions: []string{"*"},
			NotActions: []string{
				"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action",
				"Microsoft.Blueprint/blueprintAssignments/write", "Microsoft.Blueprint/blueprintAssignments/delete", "Microsoft.Compute/galleries/share/action",
			},
			Description: "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC."},
		{GUID: "acdd72a7-3385-48ef-bd42-f606fba81ae7", Name: "Reader", Actions: []string{"*/read"},
			Description: "View all resources, but does not allow you to make any changes."},
		{GUID: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", Name: "User Access Administrator",
			Actions: []string{"*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"}, Description: "Lets you manage user access to Azure resources."},
		{GUID: "f58310d9-a9f6-439a-9e8d-f62e7b41a168", Name: "Role Based Access Control Administrator",
			Actions:     []string{"Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete", "*/read", "Microsoft.Support/*"},
			Description: "Manage access to Azure resources by assigning roles using Azure RBAC."},
		{GUID: "7f951dda-4ed3-4680-a7ca-43fe172d538d", Name: "AcrPull", Actions: []string{ActionPull}, Description: "acr pull"},
		{GUID: "8311e382-0749-4cb8-b61a-304f252e45ec", Name: "AcrPush",
			Actions: []string{ActionPull, "Microsoft.ContainerRegistry/registries/push/write"}, Description: "acr push"},
		{GUID: "4d97b98b-1d4f-4787-a291-c67834d212e7", Name: "Network Contributor", Actions: with("Microsoft.Network/*"),
			Description: "Lets you manage networks, but not access to them."},
		{GUID: "befefa01-2a29-4197-83a8-272ff33ce314", Name: "DNS Zone Contributor", Actions: with("Microsoft.Network/dnsZones/*"),
			Description: "Lets you manage DNS zones and record sets in Azure DNS, but does not let you control who has access to them."},
		{GUID: "b12aa53e-6015-4669-85d0-8515ebb3ae7f", Name: "Private DNS Zone Contributor",
			Actions: with("Microsoft.Network/privateDnsZones/*", "Microsoft.Network/privateDnsOperationResults/*", "Microsoft.Network/privateDnsOperationStatuses/*",
				"Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/join/action"),
			Description: "Lets you manage private DNS zone resources, but not the virtual networks they are linked to."},
		{GUID: "f1a07417-d97a-45cb-824c-7a7467783830", Name: "Managed Identity Operator",
			Actions:     with("Microsoft.ManagedIdentity/userAssignedIdentities/*/read", "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"),
			Description: "Read and Assign User Assigned Identity"},
	}
}

// ByGUID finds one of Azure's own roles.
func ByGUID(guid string) (Role, bool) {
	for _, r := range BuiltIn() {
		if strings.EqualFold(r.GUID, guid) {
			return r, true
		}
	}
	return Role{}, false
}
