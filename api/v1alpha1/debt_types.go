package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DrainDebt is the time in which drains of one Nodepool could not go on because of a workload. It is a report: deleting it
// changes no action, and what was counted so far is forgotten.
// +kubebuilder:validation:MinProperties=1
type DrainDebt struct {
	// settledTime is up to when debt is counted. While a drain meets obstacles it moves once a minute, and when one goes.
	// +optional
	SettledTime metav1.Time `json:"settledTime,omitempty,omitzero"`

	// workloads are the 20 with the most debt, the worst first; those that stand in the way now go before those that did.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Workloads []WorkloadDebt `json:"workloads,omitempty"`
}

// WorkloadDebt is how long one workload has held up drains of a Nodepool, for one reason.
type WorkloadDebt struct {
	// namespace of the workload, in the workload cluster.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`

	// owner is the workload as kind and name, for example Deployment/cart, and Pod/debug for a pod that has no owner.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=320
	Owner string `json:"owner,omitempty"`

	// budget is the name of the PodDisruptionBudget that refused, if one did.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Budget string `json:"budget,omitempty"`

	// reason is the class of the obstacle, one of the reasons of condition DrainBlocked.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`

	// seconds is how long it stood in the way, over all drains of the Nodepool. Time in which several of its pods were in
	// the way counts once.
	// +required
	// +kubebuilder:validation:Minimum=0
	Seconds *int64 `json:"seconds,omitempty"`

	// lastTime is when it was last seen in the way.
	// +optional
	LastTime metav1.Time `json:"lastTime,omitempty,omitzero"`

	// sinceTime is since when it is in the way; missing while it is not.
	// +optional
	SinceTime metav1.Time `json:"sinceTime,omitempty,omitzero"`

	// pods is how many of its pods cannot leave now; missing while it is not in the way.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Pods int32 `json:"pods,omitempty"`
}
