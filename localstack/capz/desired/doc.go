// Package desired describes the Azure resources behind CAPZ's AzureManaged* objects: pure functions from the objects to
// the bodies that CAPZ v1.26.0, through Azure Service Operator, puts. Each names the CAPZ file that it follows.
//
// Bodies are first made in the shape of Azure Service Operator's objects, because users patch those
// (asoManagedClusterPatches, asoManagedClustersAgentPoolPatches), and then turned into what Azure Resource Manager wants.
package desired
