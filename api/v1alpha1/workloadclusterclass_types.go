package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WorkloadClusterClassSpec is what many clusters have in common.
type WorkloadClusterClassSpec struct {
	// allowedNamespaces are the namespaces whose WorkloadClusters may use this class besides its own. None if it is not set.
	// +optional
	AllowedNamespaces AllowedNamespaces `json:"allowedNamespaces,omitempty,omitzero"`

	// template is what the clusters get that do not say otherwise. It cannot be changed: another class under another name, to which clusters
	// are pointed one by one, is how a fleet changes.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a class is immutable: make one under a new name and point clusters to it"
	// +kubebuilder:validation:XValidation:rule="!has(self.azure) || !has(self.azure.resourceGroup)",message="each cluster has a resource group of its own: leave it out of the class"
	// +kubebuilder:validation:XValidation:rule="!has(self.nodepools) || self.nodepools.all(p, !has(p.machinePools))",message="machinePools are those of one cluster: leave them out of the class"
	// +kubebuilder:validation:XValidation:rule="!has(self.tenancy) || !has(self.tenancy.tenant)",message="a tenant is that of one cluster: leave it out of the class"
	Template WorkloadClusterTemplate `json:"template,omitempty,omitzero"`
}

// WorkloadClusterClassStatus is what was last seen. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type WorkloadClusterClassStatus struct {
	// conditions are InUse and Deleting.
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

	// clusters is how many WorkloadClusters point to the class.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Clusters *int32 `json:"clusters,omitempty"`
}

// WorkloadClusterClass is what many WorkloadClusters have in common. It is immutable and versioned by its name.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=workloadclusterclasses,scope=Namespaced,shortName=fwcc,categories=fleetwright
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="name must be at most 63 characters"
// +kubebuilder:printcolumn:name="Clusters",type=integer,JSONPath=`.status.clusters`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Flavor",type=string,priority=1,JSONPath=`.spec.template.flavor`
// +kubebuilder:printcolumn:name="Location",type=string,priority=1,JSONPath=`.spec.template.azure.location`
// +kubebuilder:printcolumn:name="Version",type=string,priority=1,JSONPath=`.spec.template.version`
type WorkloadClusterClass struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata. The name carries the version, for example prod-eu-v7.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what the clusters have in common.
	// +required
	Spec WorkloadClusterClassSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen. It is a report and may be deleted.
	// +optional
	Status WorkloadClusterClassStatus `json:"status,omitempty,omitzero"`
}

// WorkloadClusterClassList is a list of WorkloadClusterClasses.
//
// +kubebuilder:object:root=true
type WorkloadClusterClassList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the WorkloadClusterClasses.
	Items []WorkloadClusterClass `json:"items"`
}

// GetConditions returns the WorkloadClusterClass's conditions.
func (w *WorkloadClusterClass) GetConditions() []metav1.Condition { return w.Status.Conditions }

// SetConditions replaces the WorkloadClusterClass's conditions.
func (w *WorkloadClusterClass) SetConditions(conditions []metav1.Condition) {
	w.Status.Conditions = conditions
}
