// Package capz stands in for CAPZ, Cluster API's Azure provider, on a simulated Azure: it reconciles AzureManagedCluster,
// AzureManagedControlPlane and AzureManagedMachinePool, with CAPZ's own definitions and types, the way CAPZ v1.26.0 does.
//
// It exists because the real thing needs a second operator (Azure Service Operator), two more binaries and 20 s per step,
// which is too much for a laptop's every start. What Cluster API and users see is meant to be the same: contract fields,
// conditions with their reasons and messages, finalizers, provider ids, kubeconfig secrets, order of operations, refusals.
// docs/localstack-standin.md lists each of them with the CAPZ file it follows, and what differs.
package capz
