package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AutoscalerWriter is the kind of object, or the API, that the profile is written to.
// +kubebuilder:validation:Enum=AzureManagedControlPlane;AzureASOManagedControlPlane;ARM
type AutoscalerWriter string

const (
	// AutoscalerWriterAzureManagedControlPlane is CAPZ's classic control plane.
	AutoscalerWriterAzureManagedControlPlane AutoscalerWriter = "AzureManagedControlPlane"
	// AutoscalerWriterAzureASOManagedControlPlane is CAPZ's control plane of Azure Service Operator's objects.
	AutoscalerWriterAzureASOManagedControlPlane AutoscalerWriter = "AzureASOManagedControlPlane"
	// AutoscalerWriterARM is Azure itself, for a cluster that no object of CAPZ has.
	AutoscalerWriterARM AutoscalerWriter = "ARM"
)

// AzureClusterAutoscalerSpec says which settings of the cluster autoscaler are kept.
//
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.managedClusterID) || (has(self.managedClusterID) && self.managedClusterID == oldSelf.managedClusterID)",message="managedClusterID is immutable: create another AzureClusterAutoscaler"
type AzureClusterAutoscalerSpec struct {
	// clusterName is the name of the Cluster (cluster.x-k8s.io) in the same namespace, and this object's own name: there is one profile
	// per cluster. It cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="clusterName is immutable: create another AzureClusterAutoscaler"
	ClusterName string `json:"clusterName,omitempty"`

	// managedClusterID is the Azure resource id of an AKS cluster that Cluster API does not have: the profile is then written by Azure's
	// API. It is refused, with reason InvalidSpec, when a Cluster of Cluster API has that name, and nothing is written when an object of
	// CAPZ has that AKS cluster under another. Once set it cannot be changed or taken out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^/subscriptions/[^/]+/resource[gG]roups/[^/]+/providers/Microsoft[.]ContainerService/managedClusters/[^/]+$`
	ManagedClusterID string `json:"managedClusterID,omitempty"`

	// profile is the settings that are kept. A setting that is taken out is given up: it gets its default where CAPZ has the cluster, and
	// is left as it is elsewhere.
	// +required
	Profile AutoscalerProfile `json:"profile,omitempty,omitzero"`

	// driftPolicy is Heal, Report or Adopt. Heal if it is not set.
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// reconcile is Active, NonDisruptive or Paused. Active if it is not set. NonDisruptive stops nothing here: no setting of the profile
	// touches a running pod by itself.
	// +optional
	Reconcile ReconcileMode `json:"reconcile,omitempty"`

	// deletionPolicy is Delete, Retain or Protect. Delete if it is not set: the settings are given up and get their defaults. Retain
	// leaves them as they are.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// AzureClusterAutoscalerStatus is what was last seen. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type AzureClusterAutoscalerStatus struct {
	// conditions are Ready, Applied, Paused, Deleting, and Stalled while it is True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec this status speaks about.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// writtenThrough is the kind of CAPZ's object that the settings are written to, or ARM.
	// +optional
	WrittenThrough AutoscalerWriter `json:"writtenThrough,omitempty"`

	// observed is the profile as Azure has it, also what the spec does not own. A value that Azure has and the spec could not say is left
	// out.
	// +optional
	Observed AutoscalerSettings `json:"observed,omitempty,omitzero"`

	// driftHistory are the last drifts that were seen, oldest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	DriftHistory []DriftRecord `json:"driftHistory,omitempty"`
}

// AzureClusterAutoscaler keeps the autoscaler profile of one AKS cluster: of its 20 settings those that are given here. It is written
// where it stays: to the object of Cluster API's provider for Azure (CAPZ) when that has the cluster, and to Azure when nobody else has.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=azureclusterautoscalers,scope=Namespaced,shortName=fwca,categories=fleetwright
// +kubebuilder:validation:XValidation:rule="self.metadata.name == self.spec.clusterName",message="name must equal spec.clusterName: one autoscaler profile per cluster"
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.clusterName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Expander",type=string,JSONPath=`.status.observed.expander`
// +kubebuilder:printcolumn:name="Through",type=string,JSONPath=`.status.writtenThrough`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Threshold",type=integer,priority=1,JSONPath=`.status.observed.scaleDownUtilizationThresholdPercent`
// +kubebuilder:printcolumn:name="Unneeded",type=integer,priority=1,JSONPath=`.status.observed.scaleDownUnneededSeconds`
// +kubebuilder:printcolumn:name="Drift",type=date,priority=1,JSONPath=`.status.driftHistory[-1:].time`
type AzureClusterAutoscaler struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec says which settings of the cluster autoscaler are kept.
	// +required
	Spec AzureClusterAutoscalerSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen. It is a report and may be deleted.
	// +optional
	Status AzureClusterAutoscalerStatus `json:"status,omitempty,omitzero"`
}

// AzureClusterAutoscalerList is a list of AzureClusterAutoscalers.
//
// +kubebuilder:object:root=true
type AzureClusterAutoscalerList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty,omitzero"`

	// items are the AzureClusterAutoscalers.
	Items []AzureClusterAutoscaler `json:"items"`
}

// GetConditions returns the AzureClusterAutoscaler's conditions.
func (a *AzureClusterAutoscaler) GetConditions() []metav1.Condition { return a.Status.Conditions }

// SetConditions replaces the AzureClusterAutoscaler's conditions.
func (a *AzureClusterAutoscaler) SetConditions(conditions []metav1.Condition) {
	a.Status.Conditions = conditions
}
