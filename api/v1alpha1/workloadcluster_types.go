package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WorkloadClusterSpec is one AKS cluster, from its addresses to what runs in it before tenants come.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.classRef) || (has(self.version) && has(self.azure) && has(self.azure.location) && has(self.nodepools))",message="without a class, version, azure.location and nodepools are needed"
// +kubebuilder:validation:XValidation:rule="has(self.classRef) || !has(self.nodepools) || (has(self.nodepoolDefaults) && has(self.nodepoolDefaults.mode) && self.nodepoolDefaults.mode == 'System') || self.nodepools.exists(p, has(p.spec) && has(p.spec.mode) && p.spec.mode == 'System')",message="a cluster needs a pool of mode System"
// +kubebuilder:validation:XValidation:rule="has(self.classRef) || !has(self.nodepools) || (has(self.nodepoolDefaults) && has(self.nodepoolDefaults.machineType)) || self.nodepools.all(p, has(p.spec) && has(p.spec.machineType))",message="each pool needs a machineType, in its spec or in nodepoolDefaults"
// +kubebuilder:validation:XValidation:rule="has(self.classRef) || !has(self.flavor) || self.flavor != 'AzureManaged' || (has(self.azure) && has(self.azure.subscriptionID) && has(self.azure.clusterIdentity))",message="flavor AzureManaged needs azure.subscriptionID and azure.clusterIdentity"
// +kubebuilder:validation:XValidation:rule="!has(self.flavor) || self.flavor != 'AzureManaged' || !has(self.network) || !has(self.network.mode) || self.network.mode != 'CNIPodSubnet'",message="network.mode CNIPodSubnet needs flavor AzureASOManaged"
// +kubebuilder:validation:XValidation:rule="has(self.classRef) || !has(self.network) || !has(self.network.addresses) || !self.network.addresses.exists(r, r.name == 'nodes') || self.network.addresses.exists(r, r.name == 'vnet')",message="nodes lie within vnet: name vnet in network.addresses as well"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.flavor) || (has(self.flavor) && self.flavor == oldSelf.flavor)",message="flavor cannot change after it is set: make another WorkloadCluster"
// +kubebuilder:validation:XValidation:rule="(!has(oldSelf.azure) || !has(oldSelf.azure.subscriptionID) || (has(self.azure) && has(self.azure.subscriptionID) && self.azure.subscriptionID == oldSelf.azure.subscriptionID)) && (!has(oldSelf.azure) || !has(oldSelf.azure.location) || (has(self.azure) && has(self.azure.location) && self.azure.location == oldSelf.azure.location)) && (!has(oldSelf.azure) || !has(oldSelf.azure.resourceGroup) || (has(self.azure) && has(self.azure.resourceGroup) && self.azure.resourceGroup == oldSelf.azure.resourceGroup))",message="azure.subscriptionID, location and resourceGroup cannot change after they are set: make another WorkloadCluster"
// +kubebuilder:validation:XValidation:rule="(!has(oldSelf.network) || !has(oldSelf.network.mode) || (has(self.network) && has(self.network.mode) && self.network.mode == oldSelf.network.mode)) && (!has(oldSelf.network) || !has(oldSelf.network.outbound) || (has(self.network) && has(self.network.outbound) && self.network.outbound == oldSelf.network.outbound)) && (!has(oldSelf.network) || !has(oldSelf.network.dataplane) || (has(self.network) && has(self.network.dataplane) && self.network.dataplane == oldSelf.network.dataplane))",message="network.mode, dataplane and outbound cannot change after they are set: make another WorkloadCluster"
// +kubebuilder:validation:XValidation:rule="(!has(oldSelf.tenancy) || !has(oldSelf.tenancy.mode) || (has(self.tenancy) && has(self.tenancy.mode) && self.tenancy.mode == oldSelf.tenancy.mode)) && (!has(oldSelf.tenancy) || !has(oldSelf.tenancy.tenant) || (has(self.tenancy) && has(self.tenancy.tenant) && self.tenancy.tenant == oldSelf.tenancy.tenant))",message="tenancy cannot change after it is set: make another WorkloadCluster"
type WorkloadClusterSpec struct {
	// classRef names the WorkloadClusterClass that says everything that is not said here. To point to another class is a change like any
	// other.
	// +optional
	ClassRef NamespacedReference `json:"classRef,omitempty,omitzero"`

	WorkloadClusterTemplate `json:",inline"`

	// adoption takes a Cluster over that exists under this name.
	// +optional
	Adoption WorkloadClusterAdoption `json:"adoption,omitempty,omitzero"`

	// reconcile is Active, NonDisruptive or Paused, for this object and everything that is made of it. Active if it is not set. NonDisruptive
	// upgrades no control plane and takes nothing away.
	// +optional
	Reconcile ReconcileMode `json:"reconcile,omitempty"`

	// deletionPolicy is Delete, Retain or Protect. Protect if it is not set: a pruned file deletes no cluster. With Retain everything that was
	// made of this object stays, and works on without it.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// WorkloadClusterAdoption says whether a Cluster that exists is taken over.
//
// +kubebuilder:validation:XValidation:rule="oldSelf.policy != 'Adopt' || self.policy == 'Adopt'",message="an adoption that was carried out cannot be taken back: delete the WorkloadCluster with deletionPolicy Retain"
type WorkloadClusterAdoption struct {
	// policy is Report, which tells what would be changed and writes nothing, or Adopt.
	// +required
	Policy AdoptionPolicy `json:"policy,omitempty"`
}

// WorkloadClusterStepName is one step on the way to a cluster that is ready.
// +kubebuilder:validation:Enum=Addresses;Infrastructure;ControlPlane;Nodepools;RoleAssignments;Autoscaler;AzureSettings;Addons
type WorkloadClusterStepName string

const (
	// WorkloadClusterStepAddresses ends when the cluster's ranges of addresses are bound.
	WorkloadClusterStepAddresses WorkloadClusterStepName = "Addresses"
	// WorkloadClusterStepInfrastructure ends when Azure has the resource group and the network.
	WorkloadClusterStepInfrastructure WorkloadClusterStepName = "Infrastructure"
	// WorkloadClusterStepControlPlane ends when the API server answers, in the wanted version.
	WorkloadClusterStepControlPlane WorkloadClusterStepName = "ControlPlane"
	// WorkloadClusterStepNodepools ends when all Nodepools are ready.
	WorkloadClusterStepNodepools WorkloadClusterStepName = "Nodepools"
	// WorkloadClusterStepRoleAssignments ends when all roles are assigned, and proven by a pull where that was asked for.
	WorkloadClusterStepRoleAssignments WorkloadClusterStepName = "RoleAssignments"
	// WorkloadClusterStepAutoscaler ends when Azure has the profile of the cluster autoscaler.
	WorkloadClusterStepAutoscaler WorkloadClusterStepName = "Autoscaler"
	// WorkloadClusterStepAzureSettings ends when Azure has what the other sections of the additional config say.
	WorkloadClusterStepAzureSettings WorkloadClusterStepName = "AzureSettings"
	// WorkloadClusterStepAddons ends when all add-ons are healthy.
	WorkloadClusterStepAddons WorkloadClusterStepName = "Addons"
)

// WorkloadClusterStep is when one step of the cluster's creation began and ended, by the times of the objects that it is about. It stays when
// the step is undone later; the conditions tell how things are now.
type WorkloadClusterStep struct {
	// name of the step.
	// +required
	Name WorkloadClusterStepName `json:"name,omitempty"`

	// startedTime is when it began.
	// +optional
	StartedTime metav1.Time `json:"startedTime,omitempty,omitzero"`

	// finishedTime is when it had ended for the first time.
	// +optional
	FinishedTime metav1.Time `json:"finishedTime,omitempty,omitzero"`

	// message says what it waits for, while it has not ended.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// WorkloadClusterNodepoolStatus is how one node pool is.
type WorkloadClusterNodepoolStatus struct {
	// name of the pool, as in the spec.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// ready is True, False or Unknown: what the Nodepool's condition Ready says about its present spec.
	// +required
	// +kubebuilder:validation:Enum=True;False;Unknown
	Ready metav1.ConditionStatus `json:"ready,omitempty"`

	// reason is that of the Nodepool's condition Ready, or NameTaken, Creating or Removing.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Reason string `json:"reason,omitempty"`

	// version is the lowest kubelet version of its nodes.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Version string `json:"version,omitempty"`

	// readyReplicas is how many of its nodes are ready.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReadyReplicas *int32 `json:"readyReplicas,omitempty"`
}

// WorkloadClusterAddonStatus is how one add-on is.
type WorkloadClusterAddonStatus struct {
	// name of the add-on.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// ready is True, False or Unknown.
	// +required
	// +kubebuilder:validation:Enum=True;False;Unknown
	Ready metav1.ConditionStatus `json:"ready,omitempty"`

	// reason says why, in one word.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Reason string `json:"reason,omitempty"`

	// version is what its installer says: a chart's version, or a source's revision.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Version string `json:"version,omitempty"`
}

// WorkloadClusterStatus is what was last seen. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type WorkloadClusterStatus struct {
	// conditions are Ready, Available, UpToDate, one for each step (<Step>Ready), Paused, Deleting, Adopted with spec.adoption, and Stalled while it
	// is True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=24
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec this status speaks about.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// step is the first step that is not done; empty when all are.
	// +optional
	Step WorkloadClusterStepName `json:"step,omitempty"`

	// version is the control plane's, as Azure reports it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Version string `json:"version,omitempty"`

	// readyNodes is how many nodes of all pools are ready.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReadyNodes *int32 `json:"readyNodes,omitempty"`

	// class is the class that counts, as namespace/name.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=317
	Class string `json:"class,omitempty"`

	// effectiveHash is a short hash of what class and spec amount to, which `kubectl fleetwright effective` prints. Equal hashes are equal
	// clusters, but for their names and addresses.
	// +optional
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=8
	EffectiveHash string `json:"effectiveHash,omitempty"`

	// addresses are the cluster's ranges.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Addresses []BoundRange `json:"addresses,omitempty"`

	// nodepools are the cluster's pools.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Nodepools []WorkloadClusterNodepoolStatus `json:"nodepools,omitempty"`

	// addons are the cluster's add-ons.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Addons []WorkloadClusterAddonStatus `json:"addons,omitempty"`

	// steps are where the time of the cluster's creation went.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Steps []WorkloadClusterStep `json:"steps,omitempty"`

	// readyTime is when the cluster was ready for the first time.
	// +optional
	ReadyTime metav1.Time `json:"readyTime,omitempty,omitzero"`
}

// WorkloadCluster is the one object that yields an AKS cluster which tenants can use: its addresses, Cluster API's and CAPZ's objects, its node
// pools, what it needs of Azure besides, its add-ons, and one condition Ready.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=workloadclusters,scope=Namespaced,shortName=fwc,categories=fleetwright
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 36 && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')",message="name must be at most 36 characters, start with a letter and have no dots: the pools underneath append 27"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.tenancy) || !has(self.spec.tenancy.tenant) || self.metadata.name == self.spec.tenancy.tenant || self.metadata.name.startsWith(self.spec.tenancy.tenant + '-')",message="the name of a tenant's cluster begins with the tenant's and a dash"
// +kubebuilder:validation:XValidation:rule="!(has(oldSelf.spec.network) && has(oldSelf.spec.network.addresses)) || (has(oldSelf.spec.adoption) && oldSelf.spec.adoption.policy == 'Report') || oldSelf.spec.network.addresses.all(o, (has(self.spec.network) && has(self.spec.network.addresses) && self.spec.network.addresses.exists(r, r == o)) || (has(oldSelf.status) && has(oldSelf.status.conditions) && oldSelf.status.conditions.exists(c, c.type == 'InfrastructureReady' && (c.reason == 'Ready' || c.reason == 'Provisioning')) && !(has(oldSelf.status.addresses) && oldSelf.status.addresses.exists(b, b.name == o.name))))",message="a range of network.addresses cannot change or be taken out: make another WorkloadCluster"
// +kubebuilder:validation:XValidation:rule="!(has(self.spec.network) && has(self.spec.network.addresses)) || (has(oldSelf.spec.adoption) && oldSelf.spec.adoption.policy == 'Report') || !(has(oldSelf.status) && has(oldSelf.status.conditions) && oldSelf.status.conditions.exists(c, (c.type == 'InfrastructureReady' && (c.reason == 'Ready' || c.reason == 'Provisioning')) || (c.type == 'AddressesReady' && !(c.reason in ['NotDeclared', 'Creating', 'NameTaken'])))) || self.spec.network.addresses.all(r, (has(oldSelf.spec.network) && has(oldSelf.spec.network.addresses) && oldSelf.spec.network.addresses.exists(o, o.name == r.name)) || (has(oldSelf.status.addresses) && oldSelf.status.addresses.exists(b, b.name == r.name && (!has(r.cidr) || r.cidr == b.cidr))))",message="a cluster gets no other ranges in network.addresses once its AddressClaim or the cluster itself is there: make another WorkloadCluster"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`
// +kubebuilder:printcolumn:name="Nodes",type=integer,JSONPath=`.status.readyNodes`
// +kubebuilder:printcolumn:name="Class",type=string,JSONPath=`.status.class`
// +kubebuilder:printcolumn:name="Step",type=string,JSONPath=`.status.step`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="UpToDate",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="UpToDate")].status`
// +kubebuilder:printcolumn:name="Hash",type=string,priority=1,JSONPath=`.status.effectiveHash`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type WorkloadCluster struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata. The Cluster (cluster.x-k8s.io) gets the same name, and these labels.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec says what the cluster is like.
	// +required
	Spec WorkloadClusterSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen. It is a report and may be deleted.
	// +optional
	Status WorkloadClusterStatus `json:"status,omitempty,omitzero"`
}

// WorkloadClusterList is a list of WorkloadClusters.
//
// +kubebuilder:object:root=true
type WorkloadClusterList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the WorkloadClusters.
	Items []WorkloadCluster `json:"items"`
}

// GetConditions returns the WorkloadCluster's conditions.
func (w *WorkloadCluster) GetConditions() []metav1.Condition { return w.Status.Conditions }

// SetConditions replaces the WorkloadCluster's conditions.
func (w *WorkloadCluster) SetConditions(conditions []metav1.Condition) {
	w.Status.Conditions = conditions
}
