package v1alpha1

// AutoscalerExpander is how AKS' cluster autoscaler chooses the pool that grows. The words are Azure's own.
// +kubebuilder:validation:Enum=least-waste;most-pods;priority;random
type AutoscalerExpander string

const (
	// AutoscalerExpanderLeastWaste takes the pool that is left with the least idle CPU, then memory.
	AutoscalerExpanderLeastWaste AutoscalerExpander = "least-waste"
	// AutoscalerExpanderMostPods takes the pool in which most of the waiting pods find a place.
	AutoscalerExpanderMostPods AutoscalerExpander = "most-pods"
	// AutoscalerExpanderPriority takes the pool with the highest priority in ConfigMap kube-system/cluster-autoscaler-priority-expander.
	AutoscalerExpanderPriority AutoscalerExpander = "priority"
	// AutoscalerExpanderRandom takes any pool that would do.
	AutoscalerExpanderRandom AutoscalerExpander = "random"
)

// AutoscalerSwitch turns a setting of the cluster autoscaler on or off.
// +kubebuilder:validation:Enum=Enabled;Disabled
type AutoscalerSwitch string

const (
	// AutoscalerSwitchEnabled is Azure's true.
	AutoscalerSwitchEnabled AutoscalerSwitch = "Enabled"
	// AutoscalerSwitchDisabled is Azure's false.
	AutoscalerSwitchDisabled AutoscalerSwitch = "Disabled"
)

// AutoscalerProfile is what is wanted of the cluster autoscaler of an AKS cluster. A setting that is not given is not owned: it is
// left as it is found, and its change is no drift.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.scaleDownDelayAfterDeleteSeconds) || !has(self.scanIntervalSeconds) || self.scaleDownDelayAfterDeleteSeconds >= self.scanIntervalSeconds",message="scaleDownDelayAfterDeleteSeconds must not be shorter than scanIntervalSeconds"
type AutoscalerProfile struct {
	AutoscalerSettings `json:",inline"`
}

// AutoscalerSettings are the 20 settings of the autoscaler profile of an AKS cluster. It is one profile for all pools. The defaults
// named here are those of AKS; where Cluster API's provider for Azure (CAPZ) has the cluster as kind AzureManagedControlPlane, it gives
// every setting of the first 17 that nobody set its own default as soon as one is set, which is the same but for
// scaleDownDelayAfterDeleteSeconds.
//
// +kubebuilder:validation:MinProperties=1
type AutoscalerSettings struct {
	// balanceSimilarNodeGroups says whether pools of the same machines and labels are kept at about the same size.
	// AKS: Disabled.
	// +optional
	BalanceSimilarNodeGroups AutoscalerSwitch `json:"balanceSimilarNodeGroups,omitempty"`

	// expander is how the pool that grows is chosen: least-waste, most-pods, priority or random. AKS: random.
	// +optional
	Expander AutoscalerExpander `json:"expander,omitempty"`

	// maxEmptyBulkDelete is how many empty nodes are removed at the same time, at most. AKS: 10.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxEmptyBulkDelete int32 `json:"maxEmptyBulkDelete,omitempty"`

	// maxGracefulTerminationSeconds is how long a pod's end is waited for when its node is removed, in seconds. AKS: 600.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	MaxGracefulTerminationSeconds *int32 `json:"maxGracefulTerminationSeconds,omitempty"`

	// maxNodeProvisionSeconds is how long a new machine may take to become a node, in seconds. Azure counts whole minutes. AKS: 900.
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=2592000
	// +kubebuilder:validation:MultipleOf=60
	MaxNodeProvisionSeconds int32 `json:"maxNodeProvisionSeconds,omitempty"`

	// maxTotalUnreadyPercent is the percentage of nodes that are not ready, beyond which the autoscaler does nothing. AKS: 45.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	MaxTotalUnreadyPercent *int32 `json:"maxTotalUnreadyPercent,omitempty"`

	// newPodScaleUpDelaySeconds is how old a pod that has no place must be before it makes a pool grow, in seconds. AKS: 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	NewPodScaleUpDelaySeconds *int32 `json:"newPodScaleUpDelaySeconds,omitempty"`

	// okTotalUnreadyCount is the number of nodes that may be not ready whatever maxTotalUnreadyPercent says. AKS: 3.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=5000
	OKTotalUnreadyCount *int32 `json:"okTotalUnreadyCount,omitempty"`

	// scanIntervalSeconds is how often the autoscaler looks, in seconds. AKS: 10.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	ScanIntervalSeconds int32 `json:"scanIntervalSeconds,omitempty"`

	// scaleDownDelayAfterAddSeconds is how long after a pool grew none shrinks, in seconds. Azure counts whole minutes. AKS: 600.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	// +kubebuilder:validation:MultipleOf=60
	ScaleDownDelayAfterAddSeconds *int32 `json:"scaleDownDelayAfterAddSeconds,omitempty"`

	// scaleDownDelayAfterDeleteSeconds is how long after a node was removed no other is, in seconds. AKS: scanIntervalSeconds;
	// CAPZ: 10.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	ScaleDownDelayAfterDeleteSeconds *int32 `json:"scaleDownDelayAfterDeleteSeconds,omitempty"`

	// scaleDownDelayAfterFailureSeconds is how long after a removal failed no other is tried, in seconds. Azure counts whole minutes.
	// AKS: 180.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	// +kubebuilder:validation:MultipleOf=60
	ScaleDownDelayAfterFailureSeconds *int32 `json:"scaleDownDelayAfterFailureSeconds,omitempty"`

	// scaleDownUnneededSeconds is how long a node must have been unneeded before it is removed, in seconds. Azure counts whole minutes.
	// AKS: 600.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	// +kubebuilder:validation:MultipleOf=60
	ScaleDownUnneededSeconds *int32 `json:"scaleDownUnneededSeconds,omitempty"`

	// scaleDownUnreadySeconds is how long a node that is not ready must have been unneeded before it is removed, in seconds. Azure
	// counts whole minutes. AKS: 1200.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	// +kubebuilder:validation:MultipleOf=60
	ScaleDownUnreadySeconds *int32 `json:"scaleDownUnreadySeconds,omitempty"`

	// scaleDownUtilizationThresholdPercent is the part of a node's CPU or memory that its pods ask for, as a percentage, below which it
	// may be removed. AKS: 50.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	ScaleDownUtilizationThresholdPercent *int32 `json:"scaleDownUtilizationThresholdPercent,omitempty"`

	// skipNodesWithLocalStorage keeps nodes whose pods have local storage, such as emptyDir or hostPath. AKS: Disabled by its guide,
	// Enabled by its API's text.
	// +optional
	SkipNodesWithLocalStorage AutoscalerSwitch `json:"skipNodesWithLocalStorage,omitempty"`

	// skipNodesWithSystemPods keeps nodes with pods of kube-system that no DaemonSet made. AKS: Enabled.
	// +optional
	SkipNodesWithSystemPods AutoscalerSwitch `json:"skipNodesWithSystemPods,omitempty"`

	// ignoreDaemonsetsUtilization leaves DaemonSets' pods out when the use of a node is counted. AKS: Disabled.
	// +optional
	IgnoreDaemonsetsUtilization AutoscalerSwitch `json:"ignoreDaemonsetsUtilization,omitempty"`

	// daemonsetEvictionForEmptyNodes evicts DaemonSets' pods from nodes without other pods before these are removed. AKS: Disabled.
	// +optional
	DaemonsetEvictionForEmptyNodes AutoscalerSwitch `json:"daemonsetEvictionForEmptyNodes,omitempty"`

	// daemonsetEvictionForOccupiedNodes evicts DaemonSets' pods from nodes with other pods before these are removed. AKS: Enabled.
	// +optional
	DaemonsetEvictionForOccupiedNodes AutoscalerSwitch `json:"daemonsetEvictionForOccupiedNodes,omitempty"`
}
