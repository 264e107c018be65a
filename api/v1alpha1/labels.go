package v1alpha1

// Keys that Fleetwright writes on objects it made or looks after. They are part of the API: tools may rely on them.
const (
	// LabelNodepool marks a MachinePool, its infrastructure pool and the pool's Nodes. On the pool objects the value is
	// the Nodepool's name; on Nodes it is the pool's base name (the Nodepool's name without the leading cluster name),
	// which stays the same over generations, so workloads can select it. It is never trusted alone: whatever is
	// destructive also compares the full Azure resource id.
	LabelNodepool = "fleetwright.io/nodepool"

	// LabelCluster names the Cluster on every object Fleetwright creates.
	LabelCluster = "fleetwright.io/cluster"

	// AnnotationFingerprint holds the full fingerprint of the spec a MachinePool was created for: a format number, a
	// colon and a SHA-256 in hex. Names carry only a short form of it and are never trusted.
	AnnotationFingerprint = "fleetwright.io/fingerprint"

	// AnnotationAgentPool holds the AKS agent pool's name on a MachinePool and its infrastructure object. It tells the
	// name when the infrastructure object, whose spec has it, was deleted by hand.
	AnnotationAgentPool = "fleetwright.io/agent-pool"

	// AnnotationNodepoolUID holds the UID of the Nodepool a MachinePool belongs to, so that a Nodepool created again
	// under the same name is told from its predecessor.
	AnnotationNodepoolUID = "fleetwright.io/nodepool-uid"

	// AnnotationProvisionStarted holds the time (RFC 3339) from which spec.replacement.provisionTimeoutSeconds counts,
	// on the MachinePool that is being provisioned. A later change of a pool that was not made yet counts from then.
	// Losing it restarts the timer, nothing else.
	AnnotationProvisionStarted = "fleetwright.io/provision-started"

	// AnnotationUpdateStarted holds the time (RFC 3339) of the last in-place change of a pool, on the object changed, so that it counts as
	// an operation until the provider shows one. Losing it only makes the next change a little earlier.
	AnnotationUpdateStarted = "fleetwright.io/update-started"

	// AnnotationCordoned marks a Node that Fleetwright made unschedulable; the value is the agent pool's name. Only such
	// nodes are opened again when a change is taken back: a person's own cordon stays.
	AnnotationCordoned = "fleetwright.io/cordoned"

	// AnnotationDrainStarted holds the time (RFC 3339) at which draining a MachinePool's nodes began, on that
	// MachinePool. Losing it restarts a timer, nothing else.
	AnnotationDrainStarted = "fleetwright.io/drain-started"

	// AnnotationEmptySince holds the time (RFC 3339) at which a pool that leaves was found empty, on its MachinePool;
	// spec.replacement.soakSeconds counts from then. Losing it restarts the timer, nothing else.
	AnnotationEmptySince = "fleetwright.io/empty-since"

	// AnnotationScalingCarried holds, as min/max, what the autoscaler's bounds of a pool that leaves were before it was
	// kept from growing, on its infrastructure object. They are the next pool's, and its own again if it is taken back.
	AnnotationScalingCarried = "fleetwright.io/scaling-carried"

	// AnnotationReplacesNodes holds the number of nodes that served when a pool was made in their place, on its
	// MachinePool. A shift in stages counts from it. Losing it makes the shift count what still serves.
	AnnotationReplacesNodes = "fleetwright.io/replaces-nodes"

	// AnnotationNodeCap on a Cluster is the highest number of nodes that Nodepools let it have. 950 if it is not set.
	AnnotationNodeCap = "fleetwright.io/node-cap"

	// AnnotationSkipFitCheck on a Nodepool lets old nodes be closed although their pods have no place elsewhere, or although
	// that cannot be told. Its value is the metadata.generation that it is meant for: it ends with the next change of the spec.
	AnnotationSkipFitCheck = "fleetwright.io/skip-fit-check"

	// AnnotationAutoscalerSettings lists, on a control plane of CAPZ, the settings of the cluster autoscaler that Fleetwright wrote into
	// spec.resources or spec.asoManagedClusterPatches, as name=value of Azure. These lists have one owner each, so that nothing else tells
	// whose a setting is. Losing it makes them somebody else's, whose settings are left alone.
	AnnotationAutoscalerSettings = "fleetwright.io/autoscaler-settings"

	// AnnotationProfileApplied holds, on an AzureClusterAutoscaler, the fingerprint of the profile that Azure was last seen to have as a
	// whole. A difference after that is drift. Losing it makes the next difference a change of the spec, which is written.
	AnnotationProfileApplied = "fleetwright.io/profile-applied"

	// AnnotationAllocating holds, on an AddressPool, the ranges that were chosen and may have no AddressAllocation yet, as a JSON object: from
	// the name of the AddressAllocation to its spec and the time of the choice, as {"spec": {...}, "time": RFC 3339}. Who chooses writes it
	// with the resourceVersion that he read, so that of two only one chooses at a time. It counts as given out, and is empty most of the
	// time. Losing it may give a range to two.
	AnnotationAllocating = "fleetwright.io/allocating"

	// FinalizerNodepool keeps a Nodepool until its pools are drained and gone from Azure.
	FinalizerNodepool = "fleetwright.io/nodepool"

	// FinalizerAzureClusterAutoscaler keeps an AzureClusterAutoscaler until its settings are given up.
	FinalizerAzureClusterAutoscaler = "fleetwright.io/azureclusterautoscaler"

	// FinalizerAddressPool keeps an AddressPool while something of it is given out.
	FinalizerAddressPool = "fleetwright.io/addresspool"

	// FinalizerAddressClaim keeps an AddressClaim until its ranges are given back; and the AddressAllocations of a claim until it has given
	// them back, however early somebody deletes them.
	FinalizerAddressClaim = "fleetwright.io/addressclaim"
)
