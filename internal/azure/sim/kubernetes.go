package sim

import "context"

// Kubernetes is the world behind the managed clusters: the API servers, and the nodes registered with them. The local
// stack implements it with real API servers, tests with a record of calls.
//
// All methods are idempotent. They are called again after a failure and after a restart of the simulator, never twice
// at once for the same cluster, and with a context that ends when the simulator is closed.
type Kubernetes interface {
	// EnsureCluster starts or finds the API server of a managed cluster and returns an admin kubeconfig, which has to
	// carry certificate-authority-data. A managed cluster is Succeeded only after this has succeeded.
	EnsureCluster(ctx context.Context, c Cluster) (kubeconfig []byte, err error)
	// DeleteCluster ends the API server and forgets its data. id is the managed cluster's ARM id.
	DeleteCluster(ctx context.Context, id string) error
	// EnsureNode registers a node, or brings labels, taints and version of a registered one up to date.
	EnsureNode(ctx context.Context, clusterID string, n Node) error
	// DeleteNode removes a node and the pods bound to it at once, without a drain, as when AKS deletes a machine.
	DeleteNode(ctx context.Context, clusterID, name string) error
}

// Cluster is what a world needs to know about a managed cluster.
type Cluster struct {
	// ID is the ARM id, as created.
	ID string
	// Name is the managed cluster's name.
	Name string
	// Location is the region.
	Location string
	// NodeResourceGroup is the name of the resource group that holds the machines.
	NodeResourceGroup string
	// Version is the control plane's full Kubernetes version without a leading v, for instance 1.34.2.
	Version string
}

// Node is one machine that has booted and registers itself.
type Node struct {
	// Name is the machine's computer name and the Node's name.
	Name string
	// ProviderID is azure:// and the instance's ARM id with only the resource group in lower case.
	ProviderID string
	// Labels are those AKS sets and those of the pool.
	Labels map[string]string
	// Taints are those of the pool.
	Taints []Taint
	// Version is the kubelet's version with a leading v, for instance v1.34.2.
	Version string
	// VMSize is the machine type.
	VMSize string
	// OSImage is the operating system's name for people.
	OSImage string
	// Zone is the value of topology.kubernetes.io/zone; "0" for a machine in no zone, as on Azure.
	Zone string
	// CPU is the number of CPUs.
	CPU int64
	// MemoryBytes is the memory in bytes.
	MemoryBytes int64
	// Pods is how many pods the node takes.
	Pods int64
}

// Taint is a node taint.
type Taint struct {
	// Key, Value and Effect are those of a Kubernetes taint.
	Key, Value, Effect string
}
