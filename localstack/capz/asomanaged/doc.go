// Package asomanaged stands in for CAPZ's controllers of AzureASOManagedCluster, AzureASOManagedControlPlane and
// AzureASOManagedMachinePool, the way CAPZ v1.26.0 works: each applies the Azure Service Operator objects that its spec holds, after
// filling in what Cluster API decides, and is ready when they are. Package aso brings those objects to Azure.
package asomanaged
