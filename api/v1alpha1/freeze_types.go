package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FreezeScope says what a Freeze is about.
// +kubebuilder:validation:Enum=All;Selected
type FreezeScope string

const (
	// FreezeScopeAll is every object in reach: of the fleet for a Freeze in the manager's own namespace, of its namespace
	// for any other.
	FreezeScopeAll FreezeScope = "All"
	// FreezeScopeSelected is what belongs to the Clusters that the selector names.
	FreezeScopeSelected FreezeScope = "Selected"
)

// FreezeMode is how much a Freeze stops.
// +kubebuilder:validation:Enum=NonDisruptive;Paused
type FreezeMode string

const (
	// FreezeModeNonDisruptive stops what touches running pods.
	FreezeModeNonDisruptive FreezeMode = "NonDisruptive"
	// FreezeModePaused stops every write but status.
	FreezeModePaused FreezeMode = "Paused"
)

// FreezeSpec says what is stopped, how much and why. A Freeze without scope is refused: a stop that stops nothing would
// be as bad as one that stops everything by mistake.
//
// +kubebuilder:validation:XValidation:rule="self.scope == 'Selected' ? has(self.clusterSelector) && ((has(self.clusterSelector.matchLabels) && size(self.clusterSelector.matchLabels) > 0) || (has(self.clusterSelector.matchExpressions) && size(self.clusterSelector.matchExpressions) > 0)) : !has(self.clusterSelector)",message="scope Selected needs a non-empty clusterSelector; scope All takes none"
// +kubebuilder:validation:XValidation:rule="!has(self.from) || !has(self.until) || self.from < self.until",message="from must be before until"
type FreezeSpec struct {
	// scope is All or Selected.
	// +required
	Scope FreezeScope `json:"scope,omitempty"`

	// clusterSelector names Clusters (cluster.x-k8s.io) by their labels, with scope Selected.
	// +optional
	ClusterSelector *metav1.LabelSelector `json:"clusterSelector,omitempty"`

	// reconcile is what is still done: NonDisruptive or Paused.
	// +required
	Reconcile FreezeMode `json:"reconcile,omitempty"`

	// reason is shown in condition Paused of everything that holds.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Reason string `json:"reason,omitempty"`

	// from is when the stop begins. At once if it is not set.
	// +optional
	From *metav1.Time `json:"from,omitempty"`

	// until is when the stop ends. With the Freeze's deletion if it is not set.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
}

// FreezeStatus is what was last seen. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type FreezeStatus struct {
	// conditions is InEffect.
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

	// matched is the number of objects in reach.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Matched *int32 `json:"matched,omitempty"`

	// holding is the number of those that report that they hold.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Holding *int32 `json:"holding,omitempty"`
}

// Freeze stops Fleetwright: the fleet, a namespace, or what a selector names. Its presence is the stop, its deletion or
// its until is the go. In the manager's own namespace it reaches the fleet, elsewhere only its namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=freezes,scope=Namespaced,shortName=fwfz,categories=fleetwright
// +kubebuilder:printcolumn:name="Scope",type=string,JSONPath=`.spec.scope`
// +kubebuilder:printcolumn:name="Reconcile",type=string,JSONPath=`.spec.reconcile`
// +kubebuilder:printcolumn:name="InEffect",type=string,JSONPath=`.status.conditions[?(@.type=="InEffect")].reason`
// +kubebuilder:printcolumn:name="Holding",type=integer,JSONPath=`.status.holding`
// +kubebuilder:printcolumn:name="Until",type=string,JSONPath=`.spec.until`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Matched",type=integer,priority=1,JSONPath=`.status.matched`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.spec.reason`
type Freeze struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec says what is stopped, how much and why.
	// +required
	Spec FreezeSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen. It is a report and may be deleted.
	// +optional
	Status FreezeStatus `json:"status,omitempty,omitzero"`
}

// FreezeList is a list of Freezes.
//
// +kubebuilder:object:root=true
type FreezeList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty,omitzero"`

	// items are the Freezes.
	Items []Freeze `json:"items"`
}

// GetConditions returns the Freeze's conditions.
func (f *Freeze) GetConditions() []metav1.Condition { return f.Status.Conditions }

// SetConditions replaces the Freeze's conditions.
func (f *Freeze) SetConditions(conditions []metav1.Condition) { f.Status.Conditions = conditions }
