package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// FinalizerAzureClusterAdditionalConfig keeps an AzureClusterAdditionalConfig until everything that was made of it is gone.
const FinalizerAzureClusterAdditionalConfig = "fleetwright.io/azureclusteradditionalconfig"

// AdditionalRegistry is a container registry that the nodes of the cluster may pull from.
type AdditionalRegistry struct {
	// name tells this registry from the others of this object. It is a part of the name of the AzureRoleAssignment that is made.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// id is the Azure resource id of the registry. When it is changed, the right on the former registry is taken back first.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^/[sS]ubscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/[rR]esource[gG]roups/[^/?#%\\\s]+/providers/[mM]icrosoft[.][cC]ontainer[rR]egistry/registries/[A-Za-z0-9]{5,50}$`
	ID string `json:"id,omitempty"`

	// pullCheck proves, after each change and once a day, that a node of the cluster can pull an image from the registry. Nothing is
	// proven if it is not set.
	// +optional
	PullCheck PullCheck `json:"pullCheck,omitempty,omitzero"`
}

// AdditionalRoleAssignment is a role that the cluster, or somebody else because of it, needs.
//
// +kubebuilder:validation:XValidation:rule="!has(self.pullCheck) || self.scope.lowerAscii().matches('/providers/microsoft[.]containerregistry/registries/[^/]+$')",message="pullCheck needs a registry as scope"
type AdditionalRoleAssignment struct {
	// name tells this assignment from the others of this object. It is a part of the name of the AzureRoleAssignment that is made.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// scope is the Azure resource id of what the role is for: a resource, a resource group, a subscription or a management group. When it,
	// the role or the principal is changed, the former right is taken back first.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^/([sS]ubscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|providers/[mM]icrosoft[.][mM]anagement/managementGroups/[^/?#%\\\s]+)(/[^/?#%\\\s]+)*$`
	Scope string `json:"scope,omitempty"`

	// role is what the principal may do there.
	// +required
	Role AzureRole `json:"role,omitempty,omitzero"`

	// principal is who may.
	// +required
	Principal AzurePrincipal `json:"principal,omitempty,omitzero"`

	// existingPolicy is what is done about an equal assignment that somebody else has made: Adopt or Report. Adopt if it is not set.
	// +optional
	ExistingPolicy ExistingPolicy `json:"existingPolicy,omitempty"`

	// pullCheck proves, after each change and once a day, that a node of the cluster can pull an image from the registry at scope. Nothing
	// is proven if it is not set.
	// +optional
	PullCheck PullCheck `json:"pullCheck,omitempty,omitzero"`
}

// AzureClusterAdditionalConfigSpec is what one AKS cluster needs of Azure beyond what Cluster API's provider for Azure gives it. Each
// of its sections becomes objects of other kinds. A section that is taken out takes its objects with it.
type AzureClusterAdditionalConfigSpec struct {
	// clusterName is the name of the Cluster (cluster.x-k8s.io) in the same namespace, and this object's own name: there is one per
	// cluster. It cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="clusterName is immutable: create another AzureClusterAdditionalConfig"
	ClusterName string `json:"clusterName,omitempty"`

	// registries are the container registries that the cluster's nodes may pull from: each becomes an AzureRoleAssignment of the role
	// AcrPull for the kubelet identity.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:XValidation:rule="self.all(r, self.exists_one(s, s.id.lowerAscii() == r.id.lowerAscii()))",message="a registry must be named only once"
	Registries []AdditionalRegistry `json:"registries,omitempty"`

	// roleAssignments are any other roles: each becomes an AzureRoleAssignment.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	RoleAssignments []AdditionalRoleAssignment `json:"roleAssignments,omitempty"`

	// autoscaler is the profile of the cluster autoscaler: it becomes an AzureClusterAutoscaler. The profile is left alone if it is not
	// set.
	// +optional
	Autoscaler AutoscalerProfile `json:"autoscaler,omitempty,omitzero"`

	// maintenanceConfigurations are when AKS may do its work: each becomes an AzureMaintenanceConfiguration.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	MaintenanceConfigurations []MaintenancePlan `json:"maintenanceConfigurations,omitempty"`

	// driftPolicy is Heal, Report or Adopt, for everything that is made of the sections. Heal if it is not set.
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// reconcile is Active, NonDisruptive or Paused, for this object and everything that is made of its sections. Active if it is not set.
	// NonDisruptive takes nothing away.
	// +optional
	Reconcile ReconcileMode `json:"reconcile,omitempty"`

	// deletionPolicy is Delete, Retain or Protect. Delete if it is not set. With Retain, Azure keeps what was made of this object when the
	// object is deleted, or a section or an entry is taken out of it.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// AdditionalResource is one object that was made of a section.
type AdditionalResource struct {
	// kind of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind,omitempty"`

	// name of the object, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// section of the spec that it was made of. Empty for one that is not asked for any more and is being removed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Section string `json:"section,omitempty"`

	// ready is True, False or Unknown: what the object's condition Ready says about its present spec.
	// +required
	// +kubebuilder:validation:Enum=True;False;Unknown
	Ready metav1.ConditionStatus `json:"ready,omitempty"`

	// reason is that of the object's condition Ready, or NameTaken, Creating or Removing.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Reason string `json:"reason,omitempty"`
}

// AzureClusterAdditionalConfigStatus is what was last seen. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type AzureClusterAdditionalConfigStatus struct {
	// conditions are Ready, one for each section that the spec has (<Section>Ready), Paused, Deleting, and Stalled while it is True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec this status speaks about.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// resourcesTotal is how many objects the sections ask for, and how many are being removed besides.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ResourcesTotal *int32 `json:"resourcesTotal,omitempty"`

	// resourcesReady is how many of them are ready.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ResourcesReady *int32 `json:"resourcesReady,omitempty"`

	// resources are those objects; when there are more than 64, those that are not ready first.
	// +optional
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Resources []AdditionalResource `json:"resources,omitempty"`
}

// AzureClusterAdditionalConfig is everything that one AKS cluster needs of Azure beyond what Cluster API's provider for Azure gives it,
// in one object. Its sections become objects of other kinds, which do the work; it owns them and sums up how they are.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=azureclusteradditionalconfigs,scope=Namespaced,shortName=fwac,categories=fleetwright
// +kubebuilder:validation:XValidation:rule="self.metadata.name == self.spec.clusterName",message="name must equal spec.clusterName: one AzureClusterAdditionalConfig per cluster"
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.clusterName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Resources",type=integer,JSONPath=`.status.resourcesTotal`
// +kubebuilder:printcolumn:name="ReadyResources",type=integer,JSONPath=`.status.resourcesReady`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type AzureClusterAdditionalConfig struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata. The name is that of the Cluster.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec says what the cluster needs.
	// +required
	Spec AzureClusterAdditionalConfigSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen. It is a report and may be deleted.
	// +optional
	Status AzureClusterAdditionalConfigStatus `json:"status,omitempty,omitzero"`
}

// AzureClusterAdditionalConfigList is a list of AzureClusterAdditionalConfigs.
//
// +kubebuilder:object:root=true
type AzureClusterAdditionalConfigList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty,omitzero"`

	// items are the AzureClusterAdditionalConfigs.
	Items []AzureClusterAdditionalConfig `json:"items"`
}

// GetConditions returns the AzureClusterAdditionalConfig's conditions.
func (a *AzureClusterAdditionalConfig) GetConditions() []metav1.Condition { return a.Status.Conditions }

// SetConditions replaces the AzureClusterAdditionalConfig's conditions.
func (a *AzureClusterAdditionalConfig) SetConditions(conditions []metav1.Condition) {
	a.Status.Conditions = conditions
}
