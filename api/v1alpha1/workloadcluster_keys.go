package v1alpha1

// Keys that a WorkloadCluster writes, besides those in labels.go. They are part of the API.
const (
	// LabelWorkloadCluster names the WorkloadCluster on everything that was made of it, or that it has adopted. It is what makes an object the
	// WorkloadCluster's: an ownerReference would let a foreground deletion take a cluster that is protected or to be retained.
	LabelWorkloadCluster = "fleetwright.io/workloadcluster"

	// LabelAddonPrefix is followed by an add-on's name on a Cluster when the add-on's turn has come, with value enabled.
	LabelAddonPrefix = "addons.fleetwright.io/"

	// LabelTenant on a namespace is whose it is: a WorkloadCluster of another tenant is refused there. On a Cluster it is whose that is.
	LabelTenant = "fleetwright.io/tenant"

	// LabelNodeTenant is on the nodes of a Single cluster, and the key of the taint of its User pools.
	LabelNodeTenant = "tenancy.fleetwright.io/tenant"

	// AnnotationApplied holds, on Cluster API's and CAPZ's objects, what Fleetwright wrote there last, as JSON. Lists of these objects have one owner
	// each, so that nothing else tells what was ours when it is not wanted any more. Losing it leaves in place what is taken out next.
	AnnotationApplied = "fleetwright.io/applied"
)
