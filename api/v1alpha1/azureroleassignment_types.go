package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AzureRole names one role definition: by its name, as people know it, or by its GUID, which never changes.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.name) != has(self.id)",message="give either role.name or role.id"
type AzureRole struct {
	// name is the role's name as Azure shows it, for example AcrPull, of a built-in or a custom role that can be assigned at the scope.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[^'%\\]+$`
	Name string `json:"name,omitempty"`

	// id is the GUID of the role definition, for example 7f951dda-4ed3-4680-a7ca-43fe172d538d for AcrPull.
	// +optional
	// +kubebuilder:validation:MinLength=36
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`
	ID string `json:"id,omitempty"`
}

// ClusterIdentity is one of the identities that an AKS cluster has.
// +kubebuilder:validation:Enum=Kubelet;ControlPlane
type ClusterIdentity string

const (
	// ClusterIdentityKubelet is the identity by which nodes pull images. AKS makes it with the cluster, unless one was given.
	ClusterIdentityKubelet ClusterIdentity = "Kubelet"
	// ClusterIdentityControlPlane is the identity by which AKS works on load balancers, networks and disks.
	ClusterIdentityControlPlane ClusterIdentity = "ControlPlane"
)

// PrincipalType is what kind of object of Entra ID a principal is.
// +kubebuilder:validation:Enum=ServicePrincipal;User;Group
type PrincipalType string

const (
	// PrincipalTypeServicePrincipal is an application or a managed identity.
	PrincipalTypeServicePrincipal PrincipalType = "ServicePrincipal"
	// PrincipalTypeUser is a person.
	PrincipalTypeUser PrincipalType = "User"
	// PrincipalTypeGroup is a group.
	PrincipalTypeGroup PrincipalType = "Group"
)

// AzurePrincipal names who gets a role.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.clusterIdentity) != has(self.objectID)",message="give either principal.clusterIdentity or principal.objectID"
// +kubebuilder:validation:XValidation:rule="!has(self.type) || has(self.objectID)",message="principal.type goes with principal.objectID: the identities of a cluster are of type ServicePrincipal"
type AzurePrincipal struct {
	// clusterIdentity is an identity of the cluster that clusterName names: Kubelet or ControlPlane. It is waited for, since AKS makes it
	// with the cluster.
	// +optional
	ClusterIdentity ClusterIdentity `json:"clusterIdentity,omitempty"`

	// objectID is the object id (GUID) of the principal in Entra ID. For an application it is that of its service principal, not the
	// application's own.
	// +optional
	// +kubebuilder:validation:MinLength=36
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`
	ObjectID string `json:"objectID,omitempty"`

	// type is what objectID is the id of: ServicePrincipal, User or Group. ServicePrincipal if it is not set.
	// +optional
	Type PrincipalType `json:"type,omitempty"`
}

// ExistingPolicy says what is done about an equal assignment (same scope, role and principal) that somebody else has made. Azure does
// not take a second one.
// +kubebuilder:validation:Enum=Adopt;Report
type ExistingPolicy string

const (
	// ExistingPolicyAdopt means: it counts as the assignment. It is never deleted by Fleetwright; when somebody deletes it, Fleetwright makes
	// its own.
	ExistingPolicyAdopt ExistingPolicy = "Adopt"
	// ExistingPolicyReport means: the object is not ready while it exists.
	ExistingPolicyReport ExistingPolicy = "Report"
)

// PullCheck asks for a proof that nodes of the cluster can pull from the registry.
type PullCheck struct {
	// image is a repository inside the registry with a tag or a digest, without the registry's name: for example probe/pause:3.10. It
	// should be small: a pod pulls it on one node after each change and once a day.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[a-f0-9]{64})?$`
	Image string `json:"image,omitempty"`
}

// AzureRoleAssignmentSpec is one role for one principal at one scope.
//
// +kubebuilder:validation:XValidation:rule="has(self.principal.objectID) || has(self.clusterName)",message="clusterIdentity needs clusterName"
// +kubebuilder:validation:XValidation:rule="self.scope == oldSelf.scope && self.role == oldSelf.role && self.principal == oldSelf.principal && (!has(oldSelf.clusterName) || (has(self.clusterName) && self.clusterName == oldSelf.clusterName))",message="scope, role, principal and clusterName are immutable (as in Azure): create another AzureRoleAssignment"
// +kubebuilder:validation:XValidation:rule="!has(self.pullCheck) || self.scope.lowerAscii().matches('/providers/microsoft[.]containerregistry/registries/[^/]+$')",message="pullCheck needs a registry as scope"
// +kubebuilder:validation:XValidation:rule="!has(self.pullCheck) || has(self.clusterName)",message="pullCheck needs clusterName: a node of that cluster pulls"
type AzureRoleAssignmentSpec struct {
	// clusterName is the name of the Cluster (cluster.x-k8s.io) in the same namespace that the assignment is for: a Freeze or a pause of
	// the Cluster holds the assignment as well, clusterIdentity is found there and pullCheck is done there. It may be left out with
	// principal.objectID. Once set it cannot be changed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	ClusterName string `json:"clusterName,omitempty"`

	// scope is the Azure resource id of what the role is for: a resource, a resource group, a subscription or a management group.
	// It cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^/([sS]ubscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|providers/[mM]icrosoft[.][mM]anagement/managementGroups/[^/?#%\\\s]+)(/[^/?#%\\\s]+)*$`
	Scope string `json:"scope,omitempty"`

	// role is what the principal may do there. It cannot be changed.
	// +required
	Role AzureRole `json:"role,omitempty,omitzero"`

	// principal is who may. It cannot be changed.
	// +required
	Principal AzurePrincipal `json:"principal,omitempty,omitzero"`

	// existingPolicy is what is done about an equal assignment that somebody else has made: Adopt or Report. Adopt if it is not set.
	// +optional
	ExistingPolicy ExistingPolicy `json:"existingPolicy,omitempty"`

	// pullCheck proves, after each change and once a day, that a node of the cluster can pull an image from the registry at scope. Nothing is
	// proven if it is not set.
	// +optional
	PullCheck PullCheck `json:"pullCheck,omitempty,omitzero"`

	// driftPolicy is what is done when the assignment is gone although it was there: Heal, Report or Adopt. Heal if it is not set.
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// reconcile is how much is done: Active, NonDisruptive or Paused. Active if it is not set.
	// +optional
	Reconcile ReconcileMode `json:"reconcile,omitempty"`

	// deletionPolicy is what the deletion of this object does to the assignment: Delete, Retain or Protect. Delete if it is not set.
	// An assignment that was adopted stays in any case.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// AssignmentOrigin is who made an assignment.
// +kubebuilder:validation:Enum=Created;Adopted
type AssignmentOrigin string

const (
	// AssignmentOriginCreated means: Fleetwright did; the name says so.
	AssignmentOriginCreated AssignmentOrigin = "Created"
	// AssignmentOriginAdopted means: somebody else did.
	AssignmentOriginAdopted AssignmentOrigin = "Adopted"
)

// AzureRoleAssignmentStatus is what was last seen. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type AzureRoleAssignmentStatus struct {
	// conditions are Ready, Assigned, PullVerified (with pullCheck), Paused, Deleting and, while nothing goes on, Stalled.
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

	// assignmentID is the Azure resource id of the assignment that was found or made.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1200
	AssignmentID string `json:"assignmentID,omitempty"`

	// origin is who made that assignment: Created is Fleetwright, Adopted is somebody else.
	// +optional
	Origin AssignmentOrigin `json:"origin,omitempty"`

	// principalID is the object id of the principal.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	PrincipalID string `json:"principalID,omitempty"`

	// roleDefinitionID is the GUID of the role definition.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	RoleDefinitionID string `json:"roleDefinitionID,omitempty"`

	// driftHistory are the last drifts that were seen, oldest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	DriftHistory []DriftRecord `json:"driftHistory,omitempty"`
}

// AzureRoleAssignment is one role assignment of Azure: a role for a principal at a scope. It is made under a name that anybody can
// compute again, found again when it is there already, made again when somebody deletes it, and removed with this object.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=azureroleassignments,scope=Namespaced,shortName=fwra,categories=fleetwright
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.clusterName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.spec.role.name`
// +kubebuilder:printcolumn:name="Identity",type=string,JSONPath=`.spec.principal.clusterIdentity`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Principal",type=string,priority=1,JSONPath=`.status.principalID`
// +kubebuilder:printcolumn:name="Scope",type=string,priority=1,JSONPath=`.spec.scope`
// +kubebuilder:printcolumn:name="Origin",type=string,priority=1,JSONPath=`.status.origin`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type AzureRoleAssignment struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec says who may do what, and where.
	// +required
	Spec AzureRoleAssignmentSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen. It is a report and may be deleted.
	// +optional
	Status AzureRoleAssignmentStatus `json:"status,omitempty,omitzero"`
}

// AzureRoleAssignmentList is a list of AzureRoleAssignments.
//
// +kubebuilder:object:root=true
type AzureRoleAssignmentList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty,omitzero"`

	// items are the AzureRoleAssignments.
	Items []AzureRoleAssignment `json:"items"`
}

// GetConditions returns the AzureRoleAssignment's conditions.
func (a *AzureRoleAssignment) GetConditions() []metav1.Condition { return a.Status.Conditions }

// SetConditions replaces the AzureRoleAssignment's conditions.
func (a *AzureRoleAssignment) SetConditions(conditions []metav1.Condition) {
	a.Status.Conditions = conditions
}
