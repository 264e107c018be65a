package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AllocationClaim names the range of a claim that an allocation was made for.
type AllocationClaim struct {
	// name of the AddressClaim.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// namespace of the AddressClaim.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`

	// range is the name of the range in the claim.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Range string `json:"range,omitempty"`
}

// AddressAllocationSpec says who has which part of a pool. It cannot be changed, except that it can be given back.
//
// +kubebuilder:validation:XValidation:rule="self.poolName == oldSelf.poolName && self.cidr == oldSelf.cidr && has(self.claim) == has(oldSelf.claim) && (!has(self.claim) || self.claim == oldSelf.claim)",message="an allocation cannot change: delete it and make another"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.releasedTime) || (has(self.releasedTime) && self.releasedTime == oldSelf.releasedTime)",message="what was given back cannot be taken again before it has rested"
type AddressAllocationSpec struct {
	// poolName is the AddressPool in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	PoolName string `json:"poolName,omitempty"`

	// cidr is the range.
	// +required
	// +kubebuilder:validation:MinLength=4
	// +kubebuilder:validation:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self) == cidr(self).masked()",message="cidr must be a range without host bits, such as 10.64.0.0/20"
	CIDR string `json:"cidr,omitempty"`

	// claim is who has it. Not set for a range that is in use by something Fleetwright knows nothing of: such an allocation is written by people,
	// and deleted by them.
	// +optional
	Claim AllocationClaim `json:"claim,omitempty,omitzero"`

	// releasedTime is when the claim has given it back. The range rests from then on, and the allocation goes when that is over. An allocation
	// that is deleted before stays, by a finalizer, while its claim is there.
	// +optional
	ReleasedTime metav1.Time `json:"releasedTime,omitempty,omitzero"`
}

// AddressAllocationStatus is what was last seen. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type AddressAllocationStatus struct {
	// conditions is Ready.
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
}

// AddressAllocation is the record of a range that is given out: what a PersistentVolume is to its claim. It survives a wiped status and lives in
// nobody's spec.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=addressallocations,scope=Namespaced,shortName=fwaa,categories=fleetwright
// +kubebuilder:printcolumn:name="Pool",type=string,JSONPath=`.spec.poolName`
// +kubebuilder:printcolumn:name="CIDR",type=string,JSONPath=`.spec.cidr`
// +kubebuilder:printcolumn:name="Claim",type=string,JSONPath=`.spec.claim.name`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Namespace",type=string,priority=1,JSONPath=`.spec.claim.namespace`
// +kubebuilder:printcolumn:name="Range",type=string,priority=1,JSONPath=`.spec.claim.range`
type AddressAllocation struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata. Those that are made have the name <pool>-<first address in hex>-<length>.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec says who has what.
	// +required
	Spec AddressAllocationSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen. It is a report and may be deleted.
	// +optional
	Status AddressAllocationStatus `json:"status,omitempty,omitzero"`
}

// AddressAllocationList is a list of AddressAllocations.
//
// +kubebuilder:object:root=true
type AddressAllocationList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the AddressAllocations.
	Items []AddressAllocation `json:"items"`
}

// GetConditions returns the AddressAllocation's conditions.
func (a *AddressAllocation) GetConditions() []metav1.Condition { return a.Status.Conditions }

// SetConditions replaces the AddressAllocation's conditions.
func (a *AddressAllocation) SetConditions(conditions []metav1.Condition) {
	a.Status.Conditions = conditions
}
