package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NamespacedReference names an object, in another namespace if it says so.
type NamespacedReference struct {
	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// namespace of the object. The referring object's own if it is not set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`
}

// AllowedNamespaces says from which namespaces an object may be used besides its own.
type AllowedNamespaces struct {
	// selector names namespaces by their labels. An empty one selects none; kubernetes.io/metadata.name with operator Exists selects all.
	// +required
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}
