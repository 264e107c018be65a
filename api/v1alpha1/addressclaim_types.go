package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClaimedRange is one range of a claim.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.poolRef) && has(self.within))",message="give poolRef or within, not both"
// +kubebuilder:validation:XValidation:rule="has(self.poolRef) || has(self.within) || has(self.cidr)",message="give poolRef, within or cidr"
// +kubebuilder:validation:XValidation:rule="[has(self.cidr), has(self.prefixLength), has(self.sizing)].filter(x, x).size() <= 1",message="give only one of cidr, prefixLength and sizing"
type ClaimedRange struct {
	// name tells this range from the others of the claim.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// poolRef is the AddressPool that the range is carved from.
	// +optional
	PoolRef NamespacedReference `json:"poolRef,omitempty,omitzero"`

	// within is the name of another range of this claim that this one lies in.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Within string `json:"within,omitempty"`

	// cidr is the range itself: with poolRef or within, exactly this part of it, such as one that is in use already; alone, a range that nobody
	// looks after.
	// +optional
	// +kubebuilder:validation:MinLength=4
	// +kubebuilder:validation:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self) == cidr(self).masked()",message="cidr must be a range without host bits, such as 10.64.0.0/20"
	CIDR string `json:"cidr,omitempty"`

	// prefixLength is the length of the range.
	// +optional
	// +kubebuilder:validation:Minimum=8
	// +kubebuilder:validation:Maximum=120
	PrefixLength int32 `json:"prefixLength,omitempty"`

	// sizing says for how much the range has to be large enough. A range that has neither cidr, prefixLength nor sizing is as large as those within
	// it need.
	// +optional
	Sizing RangeSizing `json:"sizing,omitempty,omitzero"`
}

// AddressClaimSpec asks for ranges of addresses, all of them or none.
type AddressClaimSpec struct {
	// clusterName is the name of the Cluster (cluster.x-k8s.io) in the same namespace that uses the ranges: they are not given back while it
	// exists.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="clusterName is immutable: make another AddressClaim"
	ClusterName string `json:"clusterName,omitempty"`

	// ranges are what is asked for. They cannot be changed.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the ranges of a claim cannot change: make another AddressClaim"
	// +kubebuilder:validation:XValidation:rule="self.all(r, !has(r.within) || self.exists(s, s.name == r.within && !has(s.within)))",message="within must name another range of this claim that is within none"
	// +kubebuilder:validation:XValidation:rule="self.all(r, has(r.cidr) || has(r.prefixLength) || has(r.sizing) || self.exists(s, has(s.within) && s.within == r.name))",message="give cidr, prefixLength or sizing, or ranges within it"
	Ranges []ClaimedRange `json:"ranges,omitempty"`

	// reconcile is Active, NonDisruptive or Paused. Active if it is not set. NonDisruptive holds nothing back: ranges are taken for a cluster that
	// is not there yet, and given back when it is gone.
	// +optional
	Reconcile ReconcileMode `json:"reconcile,omitempty"`
}

// AddressClaimStatus is what was last seen. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type AddressClaimStatus struct {
	// conditions are Ready, Paused, Deleting, and Stalled while it is True.
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

	// ranges are what the claim has got: all of them, or none while it is not ready.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Ranges []BoundRange `json:"ranges,omitempty"`
}

// AddressClaim asks for the ranges of addresses of one cluster.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=addressclaims,scope=Namespaced,shortName=fwacl,categories=fleetwright
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.clusterName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Range",type=string,JSONPath=`.status.ranges[0].cidr`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type AddressClaim struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what is asked for.
	// +required
	Spec AddressClaimSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen. It is a report and may be deleted.
	// +optional
	Status AddressClaimStatus `json:"status,omitempty,omitzero"`
}

// AddressClaimList is a list of AddressClaims.
//
// +kubebuilder:object:root=true
type AddressClaimList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the AddressClaims.
	Items []AddressClaim `json:"items"`
}

// GetConditions returns the AddressClaim's conditions.
func (a *AddressClaim) GetConditions() []metav1.Condition { return a.Status.Conditions }

// SetConditions replaces the AddressClaim's conditions.
func (a *AddressClaim) SetConditions(conditions []metav1.Condition) { a.Status.Conditions = conditions }
