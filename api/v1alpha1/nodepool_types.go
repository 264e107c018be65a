package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// NodepoolMode says what a pool is for.
// +kubebuilder:validation:Enum=System;User
type NodepoolMode string

const (
	// NodepoolModeSystem pools run the cluster's own pods. AKS needs at least one at any time.
	NodepoolModeSystem NodepoolMode = "System"
	// NodepoolModeUser pools run workloads.
	NodepoolModeUser NodepoolMode = "User"
)

// TaintEffect says what a taint does to pods that do not tolerate it.
// +kubebuilder:validation:Enum=NoSchedule;PreferNoSchedule;NoExecute
type TaintEffect string

const (
	// TaintEffectNoSchedule keeps new pods away.
	TaintEffectNoSchedule TaintEffect = "NoSchedule"
	// TaintEffectPreferNoSchedule keeps new pods away where there is another place for them.
	TaintEffectPreferNoSchedule TaintEffect = "PreferNoSchedule"
	// TaintEffectNoExecute keeps new pods away and removes running ones, past their budgets. Adding one therefore
	// replaces the pool.
	TaintEffectNoExecute TaintEffect = "NoExecute"
)

// NodepoolSpec is what the users of a pool want. A field that is not set means "no opinion": it neither changes a pool
// that exists nor starts a replacement.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.replicas) && has(self.scaling))",message="set either replicas or scaling, not both"
// +kubebuilder:validation:XValidation:rule="!(has(self.mode) && self.mode == 'System' && has(self.type) && self.type == 'Spot')",message="a System pool cannot be Spot: AKS runs system pods on Regular nodes only"
// +kubebuilder:validation:XValidation:rule="!(has(self.mode) && self.mode == 'System' && has(self.os) && has(self.os.type) && self.os.type == 'Windows')",message="a System pool must run Linux"
// +kubebuilder:validation:XValidation:rule="!has(self.spot) || (has(self.type) && self.type == 'Spot')",message="spot settings need type: Spot"
// +kubebuilder:validation:XValidation:rule="!(has(self.mode) && self.mode == 'System' && has(self.replacement) && has(self.replacement.soakMode) && self.replacement.soakMode == 'ScaledToZero')",message="a System pool cannot be scaled to zero while it soaks: use Cordoned"
// +kubebuilder:validation:XValidation:rule="!(has(self.mode) && self.mode == 'System') || ((!has(self.replicas) || self.replicas >= 1) && (!has(self.scaling) || self.scaling.min >= 1))",message="a System pool needs at least 1 node"
type NodepoolSpec struct {
	// clusterName is the name of the Cluster (cluster.x-k8s.io) in the same namespace that the pool belongs to.
	// It cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="clusterName is immutable: create another Nodepool"
	ClusterName string `json:"clusterName,omitempty"`

	// version is the Kubernetes version of the nodes, with its patch, for example v1.34.2. It must not be newer than the
	// control plane's, nor more than two minor versions behind. Changing it replaces the pool.
	// If it is not set, the pool follows the control plane.
	// +optional
	// +kubebuilder:validation:MinLength=5
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`
	Version string `json:"version,omitempty"`

	// mode is System or User. If it is not set, the first pool is a User pool and later ones are what the one before was.
	// It is changed in place, except away from the cluster's last System pool.
	// +optional
	Mode NodepoolMode `json:"mode,omitempty"`

	// type is Regular or Spot. A new pool is Regular if it is not set. Changing it replaces the pool.
	// +optional
	Type NodepoolType `json:"type,omitempty"`

	// spot says how Spot machines are bought, with type Spot. Changing it replaces the pool.
	// +optional
	Spot NodepoolSpot `json:"spot,omitempty,omitzero"`

	// machineType is the Azure VM size, for example Standard_D8ds_v5. Changing it replaces the pool.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	MachineType string `json:"machineType,omitempty"`

	// disk is the operating system's disk. Changing it replaces the pool.
	// +optional
	Disk NodepoolDisk `json:"disk,omitempty,omitzero"`

	// maxPods is the highest number of pods per node. AKS decides if it is not set. Changing it replaces the pool.
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=250
	MaxPods int32 `json:"maxPods,omitempty"`

	// os is the operating system. Changing it replaces the pool.
	// +optional
	OS NodepoolOS `json:"os,omitempty,omitzero"`

	// zones are the availability zones the nodes are spread over. A new pool has no zones if it is not set.
	// Changing them replaces the pool; their order has no meaning.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1
	// +kubebuilder:validation:items:Pattern=`^[1-3]$`
	Zones []string `json:"zones,omitempty"`

	// subnet is where the nodes get their addresses: the name of a subnet in the cluster's virtual network, or in the
	// flavour AzureASOManaged also a whole Azure resource id. A new pool uses the cluster's node subnet if it is not set.
	// Changing it replaces the pool.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?|/subscriptions/[^/]+/resource[gG]roups/[^/]+/providers/Microsoft[.]Network/virtualNetworks/[^/]+/subnets/[^/]+)$`
	Subnet string `json:"subnet,omitempty"`

	// podSubnet is where the pods get their addresses, as subnet, where the cluster's network has subnets for pods.
	// Changing it replaces the pool.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?|/subscriptions/[^/]+/resource[gG]roups/[^/]+/providers/Microsoft[.]Network/virtualNetworks/[^/]+/subnets/[^/]+)$`
	PodSubnet string `json:"podSubnet,omitempty"`

	// labels are the nodes' labels, exactly: a label taken out here is taken off the nodes; labels that AKS adds stay.
	// They are changed in place.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('kubernetes.azure.com/') && !k.startsWith('fleetwright.io/'))",message="labels under kubernetes.azure.com/ and fleetwright.io/ are reserved"
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$') && k.indexOf('/') <= 253)",message="a label's key is a name of at most 63 letters, digits, dashes, dots and underscores, after a lower-case DNS name and a slash if it has a prefix"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// taints are the nodes' taints, exactly: a taint taken out here is taken off the nodes; taints that AKS adds stay.
	// They are changed in place, except that adding a NoExecute taint replaces the pool.
	// +optional
	// +listType=map
	// +listMapKey=key
	// +listMapKey=effect
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Taints []NodepoolTaint `json:"taints,omitempty"`

	// tags are the Azure tags of the pool, exactly as labels are. They are changed in place.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=40
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('fleetwright-'))",message="tags under fleetwright- are reserved"
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 256 && size(self[k]) <= 256)",message="a tag's name must be 1 to 256 characters and its value at most 256"
	Tags map[string]string `json:"tags,omitempty"`

	// replicas is a fixed number of nodes. It is changed in place. If neither replicas nor scaling is set, the first pool
	// starts with 1 node, and what others make of its number or its autoscaler is kept, also by the pool that replaces it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Replicas *int32 `json:"replicas,omitempty"`

	// scaling lets AKS' cluster autoscaler choose the number of nodes. It is changed in place.
	// +optional
	Scaling NodepoolScaling `json:"scaling,omitempty,omitzero"`

	// providerOverrides are merged into the spec of the agent pool (Azure Service Operator's ManagedClustersAgentPool,
	// which has the names of the AKS API), for what has no field here: kubeletConfig, linuxOSConfig, upgradeSettings and
	// so on. A key that a field here owns is refused. Changing one that AKS changes in place does that; changing any other
	// replaces the pool. A key taken out here is no wish for another value.
	// +optional
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	ProviderOverrides *runtime.RawExtension `json:"providerOverrides,omitempty"`

	// replacement says how the pool is replaced. It takes effect at the next look.
	// +optional
	Replacement ReplacementPolicy `json:"replacement,omitempty,omitzero"`

	// drain says how the nodes of an old pool are emptied: which pods go how, what is done for a pod that cannot go, and for
	// how long it is waited for. It takes effect at the next look, also in the middle of a drain.
	// +optional
	Drain DrainPolicy `json:"drain,omitempty,omitzero"`

	// maintenance says when a replacement may begin. It takes effect at the next look.
	// +optional
	Maintenance MaintenancePolicy `json:"maintenance,omitempty,omitzero"`

	// rolloutAfter replaces pools that were made before that time once it has come, with no other change: for a newer
	// node image, or a pool that is sick.
	// +optional
	RolloutAfter *metav1.Time `json:"rolloutAfter,omitempty"`

	// adoption takes pools over that exist already.
	// +optional
	Adoption NodepoolAdoption `json:"adoption,omitempty,omitzero"`

	// reconcile is Active, NonDisruptive or Paused. Active if it is not set. It takes effect at the next look.
	// +optional
	Reconcile ReconcileMode `json:"reconcile,omitempty"`

	// deletionPolicy is Delete, Retain or Protect. Delete if it is not set.
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// LabelValue is the value of a label, which may be empty.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`
type LabelValue string

// NodepoolTaint is one taint of the nodes.
type NodepoolTaint struct {
	// key of the taint, a label key.
	// +required
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('kubernetes.azure.com/')",message="taints under kubernetes.azure.com/ are AKS' own"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$`
	Key string `json:"key,omitempty"`

	// value of the taint, a label value. A taint without a value leaves it out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$`
	Value string `json:"value,omitempty"`

	// effect on pods that do not tolerate the taint.
	// +required
	Effect TaintEffect `json:"effect,omitempty"`
}

// NodepoolScaling are the bounds of the cluster autoscaler.
// +kubebuilder:validation:XValidation:rule="self.min <= self.max",message="scaling.min must not be greater than scaling.max"
type NodepoolScaling struct {
	// min is the lowest number of nodes.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Min *int32 `json:"min,omitempty"`

	// max is the highest number of nodes.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Max int32 `json:"max,omitempty"`

	// downMode is Delete or Deallocate: what becomes of machines that the autoscaler takes away. AKS deletes them if it is
	// not set. It is changed in place.
	// +optional
	DownMode ScaleDownMode `json:"downMode,omitempty"`
}

// Nodepool is one node pool for its users and, underneath, a sequence of provider pools: a change that Azure cannot make
// in place creates a new pool, moves the pods within their disruption budgets and removes the old one.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=nodepools,scope=Namespaced,shortName=fwnp,categories=fleetwright
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.clusterName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Step",type=string,JSONPath=`.status.replacement.step`
// +kubebuilder:printcolumn:name="Nodes",type=integer,JSONPath=`.status.readyReplicas`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Wanted",type=string,priority=1,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Machine",type=string,priority=1,JSONPath=`.spec.machineType`
// +kubebuilder:printcolumn:name="Mode",type=string,priority=1,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Type",type=string,priority=1,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Strategy",type=string,priority=1,JSONPath=`.status.replacement.strategy`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 57 && !self.metadata.name.contains('.')",message="name must be at most 57 characters without dots: the pools underneath append 6"
type Nodepool struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata. The name is <cluster>-<pool> by custom; what follows the cluster's name is
	// the pool's base name, which Nodes carry as label fleetwright.io/nodepool.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what the users of the pool want.
	// +required
	Spec NodepoolSpec `json:"spec,omitempty,omitzero"`

	// status is what was last seen and done. It is a report and may be deleted.
	// +optional
	Status NodepoolStatus `json:"status,omitempty,omitzero"`
}

// NodepoolList is a list of Nodepools.
//
// +kubebuilder:object:root=true
type NodepoolList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty,omitzero"`

	// items are the Nodepools.
	Items []Nodepool `json:"items"`
}

// IsDefined says whether scaling was set at all. min alone does not count: both bounds are required together.
func (s NodepoolScaling) IsDefined() bool { return s.Min != nil || s.Max != 0 }

// GetConditions returns the Nodepool's conditions.
func (n *Nodepool) GetConditions() []metav1.Condition { return n.Status.Conditions }

// SetConditions replaces the Nodepool's conditions.
func (n *Nodepool) SetConditions(conditions []metav1.Condition) { n.Status.Conditions = conditions }
