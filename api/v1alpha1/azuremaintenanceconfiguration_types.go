package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

const (
	// FinalizerAzureMaintenanceConfiguration keeps an AzureMaintenanceConfiguration until Azure has it no more, or is to keep it.
	FinalizerAzureMaintenanceConfiguration = "fleetwright.io/azuremaintenanceconfiguration"

	// AnnotationMaintenanceApplied on an AzureMaintenanceConfiguration holds the fingerprint of the window that Azure was last seen to have as
	// declared. By it a change in Azure is told from a change of the spec. Losing it makes the next difference count as a change of the spec.
	AnnotationMaintenanceApplied = "fleetwright.io/maintenance-applied"
)

// MaintenancePlan is what AKS may do when.
//
// +kubebuilder:validation:XValidation:rule="self.type != 'default' || has(self.window.schedule.weekly)",message="type default takes a weekly schedule only: AKS' own releases come every week"
type MaintenancePlan struct {
	// type is what is done in the window: default (AKS' own weekly releases), aksManagedAutoUpgradeSchedule (upgrades of Kubernetes) or
	// aksManagedNodeOSUpgradeSchedule (patches of the nodes' operating system). A window says when, not whether: the cluster's upgrade channels
	// do.
	// +required
	Type MaintenanceType `json:"type,omitempty"`

	// window is when.
	// +required
	Window AzureMaintenanceWindow `json:"window,omitempty,omitzero"`
}

// AzureMaintenanceConfigurationSpec is when AKS may do one kind of maintenance on a cluster.
//
// +kubebuilder:validation:XValidation:rule="self.type == oldSelf.type && self.clusterName == oldSelf.clusterName",message="type and clusterName are immutable: create another AzureMaintenanceConfiguration"
type AzureMaintenanceConfigurationSpec struct {
	// clusterName is the name of the Cluster (cluster.x-k8s.io) in the same namespace. It cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	ClusterName string `json:"clusterName,omitempty"`

	MaintenancePlan `json:",inline"`

	// driftPolicy is Heal, Report or Adopt. Heal if it is not set.
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// reconcile is Active, NonDisruptive or Paused. Active if it is not set. NonDisruptive takes no window away, because AKS could begin at any
	// time then.
	// +optional
	Reconcile ReconcileMode `json:"reconcile,omitempty"`

	// deletionPolicy is Delete, Retain or Protect. Delete if it is not set. Retain leaves the window in Azure.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// AzureMaintenanceConfigurationStatus is what was last seen. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type AzureMaintenanceConfigurationStatus struct {
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

	// id is the Azure resource id of the maintenance configuration.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	ID string `json:"id,omitempty"`

	// observed is the window as Azure has it; empty while there is none, it is not known, or the spec could not say it.
	// +optional
	Observed AzureMaintenanceWindow `json:"observed,omitempty,omitzero"`

	// driftHistory is the last drifts, the newest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	DriftHistory []DriftRecord `json:"driftHistory,omitempty"`
}

// AzureMaintenanceConfiguration keeps one planned maintenance window of an AKS cluster: when AKS may do one of the three kinds of
// maintenance. A cluster has at most one per type.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=azuremaintenanceconfigurations,scope=Namespaced,shortName=fwmc,categories=fleetwright
// +kubebuilder:validation:XValidation:rule="self.metadata.name == self.spec.clusterName + '-' + self.spec.type.lowerAscii()",message="name must be spec.clusterName, a dash and spec.type in lower case: one AzureMaintenanceConfiguration per cluster and type"
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.clusterName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Start",type=string,JSONPath=`.spec.window.startTime`
// +kubebuilder:printcolumn:name="Hours",type=integer,JSONPath=`.spec.window.durationHours`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Drift",type=date,priority=1,JSONPath=`.status.driftHistory[0].time`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type AzureMaintenanceConfiguration struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata. The name is the Cluster's, a dash, and the type in lower case.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec says what AKS may do when.
	// +required
	Spec AzureMaintenanceConfigurationSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen. It is a report and may be deleted.
	// +optional
	Status AzureMaintenanceConfigurationStatus `json:"status,omitempty,omitzero"`
}

// AzureMaintenanceConfigurationList is a list of AzureMaintenanceConfigurations.
//
// +kubebuilder:object:root=true
type AzureMaintenanceConfigurationList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty,omitzero"`

	// items are the AzureMaintenanceConfigurations.
	Items []AzureMaintenanceConfiguration `json:"items"`
}

// GetConditions returns the AzureMaintenanceConfiguration's conditions.
func (a *AzureMaintenanceConfiguration) GetConditions() []metav1.Condition {
	return a.Status.Conditions
}

// SetConditions replaces the AzureMaintenanceConfiguration's conditions.
func (a *AzureMaintenanceConfiguration) SetConditions(conditions []metav1.Condition) {
	a.Status.Conditions = conditions
}
