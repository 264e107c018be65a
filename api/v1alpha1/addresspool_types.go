package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ReservedPrefix is a part of a pool that is given to nobody.
type ReservedPrefix struct {
	// prefix is the part.
	// +required
	// +kubebuilder:validation:MinLength=4
	// +kubebuilder:validation:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self) == cidr(self).masked()",message="a reserved prefix must be a CIDR without host bits, such as 10.64.0.0/16"
	Prefix string `json:"prefix,omitempty"`

	// reason is for people.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Reason string `json:"reason,omitempty"`
}

// AddressPoolSpec is address space of an organisation that clusters may have parts of.
//
// +kubebuilder:validation:XValidation:rule="!has(self.reserved) || self.reserved.all(r, self.prefixes.exists(p, isCIDR(p) && isCIDR(r.prefix) && cidr(p).containsCIDR(r.prefix)))",message="a reserved prefix must lie inside one of the pool's prefixes"
type AddressPoolSpec struct {
	// prefixes are the space, of one address family, without overlaps. More may be added. One of which something is given out cannot be taken away:
	// the pool is then not ready and gives out nothing.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=4
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="self.all(p, isCIDR(p) && cidr(p) == cidr(p).masked())",message="each prefix must be a CIDR without host bits, such as 10.64.0.0/11"
	// +kubebuilder:validation:XValidation:rule="!self.all(p, isCIDR(p)) || self.all(p, cidr(p).ip().family() == cidr(self[0]).ip().family())",message="all prefixes must be of one address family: make another pool for the other"
	Prefixes []string `json:"prefixes,omitempty"`

	// reserved are parts that are given to nobody, such as what routers use already.
	// +optional
	// +listType=map
	// +listMapKey=prefix
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	Reserved []ReservedPrefix `json:"reserved,omitempty"`

	// quarantineSeconds is how long a range rests after it was given back, since routes and names outlive a cluster. 86400 if it is not set.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=31536000
	QuarantineSeconds *int32 `json:"quarantineSeconds,omitempty"`

	// allowedNamespaces are the namespaces whose claims may have parts of the pool besides its own. None if it is not set.
	// +optional
	AllowedNamespaces AllowedNamespaces `json:"allowedNamespaces,omitempty,omitzero"`

	// deletionPolicy is Delete or Protect, and never Retain. Protect if it is not set. In any case the pool stays while something of it is given out.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self != 'Retain'",message="deletionPolicy must be Delete or Protect: nothing is left behind that could be retained"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// AddressPoolStatus is what was last seen. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type AddressPoolStatus struct {
	// conditions are Ready, Exhausting and Deleting, and Stalled while it is True.
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

	// allocated is how many ranges are given out, those that rest included.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Allocated *int32 `json:"allocated,omitempty"`

	// freePercent is how much of the space, without what is reserved, is free.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	FreePercent *int32 `json:"freePercent,omitempty"`

	// largestFree is the length of the largest range that can be given out, such as /14.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=4
	LargestFree string `json:"largestFree,omitempty"`

	// exhaustionTime is when nothing will be free if clusters go on to be made as in the last 90 days.
	// +optional
	ExhaustionTime metav1.Time `json:"exhaustionTime,omitempty,omitzero"`
}

// AddressPool is address space of an organisation, of which AddressClaims get ranges that never overlap.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=addresspools,scope=Namespaced,shortName=fwap,categories=fleetwright
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63 && !self.metadata.name.contains('.')",message="name must be at most 63 characters without dots: the names of ranges begin with it"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Free%",type=integer,JSONPath=`.status.freePercent`
// +kubebuilder:printcolumn:name="Largest",type=string,JSONPath=`.status.largestFree`
// +kubebuilder:printcolumn:name="Allocated",type=integer,JSONPath=`.status.allocated`
// +kubebuilder:printcolumn:name="Exhaustion",type=date,JSONPath=`.status.exhaustionTime`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type AddressPool struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is the space.
	// +required
	Spec AddressPoolSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen. It is a report and may be deleted.
	// +optional
	Status AddressPoolStatus `json:"status,omitempty,omitzero"`
}

// AddressPoolList is a list of AddressPools.
//
// +kubebuilder:object:root=true
type AddressPoolList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the AddressPools.
	Items []AddressPool `json:"items"`
}

// GetConditions returns the AddressPool's conditions.
func (a *AddressPool) GetConditions() []metav1.Condition { return a.Status.Conditions }

// SetConditions replaces the AddressPool's conditions.
func (a *AddressPool) SetConditions(conditions []metav1.Condition) { a.Status.Conditions = conditions }
