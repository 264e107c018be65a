package v1alpha1

import (
	"k8s.io/apimachinery/pkg/runtime"
)

// WorkloadClusterTemplate is what a WorkloadCluster and its class have in common. What the cluster says wins; what neither says is left to
// the defaults told here, or to Azure.
// +kubebuilder:validation:MinProperties=1
type WorkloadClusterTemplate struct {
	// version is the Kubernetes version of the cluster, with its patch, for example v1.34.2. It is needed, here or in the class. A higher one
	// upgrades the control plane first and then the node pools one by one. It goes up one minor version at a time, and never down.
	// +optional
	// +kubebuilder:validation:MinLength=5
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`
	Version string `json:"version,omitempty"`

	// flavor says by which kinds of CAPZ the cluster is held: AzureASOManaged or AzureManaged. AzureASOManaged if it is not set. It cannot be
	// changed.
	// +optional
	Flavor WorkloadClusterFlavor `json:"flavor,omitempty"`

	// azure says where in Azure the cluster is, and by whose right.
	// +optional
	Azure WorkloadClusterAzure `json:"azure,omitempty,omitzero"`

	// network is how nodes and pods are connected, and where their addresses come from.
	// +optional
	Network WorkloadClusterNetwork `json:"network,omitempty,omitzero"`

	// limits are how large the cluster may become.
	// +optional
	Limits WorkloadClusterLimits `json:"limits,omitempty,omitzero"`

	// nodepoolDefaults are what every node pool of the cluster gets that does not say otherwise.
	// +optional
	NodepoolDefaults NodepoolTemplateSpec `json:"nodepoolDefaults,omitempty,omitzero"`

	// nodepools are the cluster's node pools. Each becomes a Nodepool <cluster>-<name>. A pool of a class is changed by naming it again, field by
	// field; it cannot be left out. One that is taken out is drained and removed. At least one has mode System.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=24
	Nodepools []WorkloadClusterNodepool `json:"nodepools,omitempty"`

	// additionalConfig is what the cluster needs of Azure beyond that: it becomes an AzureClusterAdditionalConfig.
	// +optional
	AdditionalConfig WorkloadClusterAdditionalConfig `json:"additionalConfig,omitempty,omitzero"`

	// addons are what has to run in the cluster before it counts as ready. Those who install add-ons do so; see each one's kind.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Addons []WorkloadClusterAddon `json:"addons,omitempty"`

	// tenancy says whose the cluster is.
	// +optional
	Tenancy WorkloadClusterTenancy `json:"tenancy,omitempty,omitzero"`

	// maintenance says when an upgrade of the control plane may begin, and a replacement of a pool that does not say otherwise.
	// +optional
	Maintenance MaintenancePolicy `json:"maintenance,omitempty,omitzero"`

	// providerOverrides are merged into the spec of the managed cluster (Azure Service Operator's ManagedCluster, which has the names of the AKS
	// API), in either flavour, for what has no field here. A key that a field here or another object of Fleetwright owns is refused. A key
	// taken out here is taken out there.
	// +optional
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	ProviderOverrides *runtime.RawExtension `json:"providerOverrides,omitempty"`
}

// WorkloadClusterFlavor is a way in which CAPZ holds AKS clusters.
// +kubebuilder:validation:Enum=AzureASOManaged;AzureManaged
type WorkloadClusterFlavor string

const (
	// WorkloadClusterFlavorASO is AzureASOManagedCluster and its kin, which hold objects of Azure Service Operator. CAPZ recommends it.
	WorkloadClusterFlavorASO WorkloadClusterFlavor = "AzureASOManaged"
	// WorkloadClusterFlavorManaged is AzureManagedCluster and its kin.
	WorkloadClusterFlavorManaged WorkloadClusterFlavor = "AzureManaged"
)

// ResourceGroupPolicy says what becomes of the resource group when the cluster is deleted.
// +kubebuilder:validation:Enum=Keep;Delete
type ResourceGroupPolicy string

const (
	// ResourceGroupPolicyKeep leaves it, with whatever else is in it.
	ResourceGroupPolicyKeep ResourceGroupPolicy = "Keep"
	// ResourceGroupPolicyDelete deletes it with everything that is in it: say so only of a group that is the cluster's alone.
	ResourceGroupPolicyDelete ResourceGroupPolicy = "Delete"
)

// AKSTier is how available AKS promises the control plane to be.
// +kubebuilder:validation:Enum=Free;Standard;Premium
type AKSTier string

const (
	// AKSTierFree promises nothing and takes at most 1,000 nodes.
	AKSTierFree AKSTier = "Free"
	// AKSTierStandard has an uptime that AKS answers for.
	AKSTierStandard AKSTier = "Standard"
	// AKSTierPremium adds long-term support of versions.
	AKSTierPremium AKSTier = "Premium"
)

// WorkloadClusterAzure says where in Azure a cluster is.
// +kubebuilder:validation:MinProperties=1
type WorkloadClusterAzure struct {
	// subscriptionID is the subscription's GUID. Flavour AzureManaged needs it. In the other one the credential says which it is, and a cluster
	// whose credential says another one than this is not made.
	// +optional
	// +kubebuilder:validation:MinLength=36
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`
	SubscriptionID string `json:"subscriptionID,omitempty"`

	// location is the Azure region, for example westeurope. It is needed, here or in the class.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[a-z0-9]+$`
	Location string `json:"location,omitempty"`

	// resourceGroup is the name of the cluster's resource group. The cluster's name if it is not set. A class has none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=90
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_()-]([A-Za-z0-9_().-]*[A-Za-z0-9_()-])?$`
	ResourceGroup string `json:"resourceGroup,omitempty"`

	// resourceGroupPolicy is Keep or Delete: what becomes of the resource group with the cluster, with flavour AzureASOManaged. Keep if it is
	// not set. With AzureManaged CAPZ deletes a group that it made, and Keep is refused.
	// +optional
	ResourceGroupPolicy ResourceGroupPolicy `json:"resourceGroupPolicy,omitempty"`

	// tier is Free, Standard or Premium. AKS decides if it is not set.
	// +optional
	Tier AKSTier `json:"tier,omitempty"`

	// tags are the Azure tags of the cluster's resources.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=40
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('fleetwright-'))",message="tags under fleetwright- are reserved"
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 256 && size(self[k]) <= 256)",message="a tag's name must be 1 to 256 characters and its value at most 256"
	Tags map[string]string `json:"tags,omitempty"`

	// clusterIdentity is the AzureClusterIdentity by which CAPZ looks after the cluster. Flavour AzureManaged needs it; the other one does not
	// read it.
	// +optional
	ClusterIdentity NamespacedReference `json:"clusterIdentity,omitempty,omitzero"`

	// credentialSecret is the Secret of the cluster's namespace by which Azure Service Operator looks after the cluster's resources, with
	// flavour AzureASOManaged. The namespace's aso-credential, else Azure Service Operator's own, if it is not set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	CredentialSecret string `json:"credentialSecret,omitempty"`
}

// WorkloadClusterLimits are how large a cluster may become.
// +kubebuilder:validation:MinProperties=1
type WorkloadClusterLimits struct {
	// maxNodes is how many nodes the cluster may have. 950 if it is not set. Nodepools keep it, and address ranges are made for it; they do not
	// grow with it later.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5000
	MaxNodes int32 `json:"maxNodes,omitempty"`
}

// WorkloadClusterNodepool is one node pool of a cluster.
type WorkloadClusterNodepool struct {
	// name of the pool, by which tenants know it: its Nodes carry it as label fleetwright.io/nodepool.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^[a-z][a-z0-9]*$`
	Name string `json:"name,omitempty"`

	// machinePools are MachinePools of the cluster that become this pool's, when a cluster that exists is adopted. See spec.adoption.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	MachinePools []string `json:"machinePools,omitempty"`

	// spec is what the pool is like.
	// +optional
	Spec NodepoolTemplateSpec `json:"spec,omitempty,omitzero"`
}

// WorkloadClusterAdditionalConfig are the sections of an AzureClusterAdditionalConfig.
// +kubebuilder:validation:MinProperties=1
type WorkloadClusterAdditionalConfig struct {
	// registries are the container registries that the cluster's nodes may pull from.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Registries []AdditionalRegistry `json:"registries,omitempty"`

	// roleAssignments are any other roles.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=63
	// +kubebuilder:validation:XValidation:rule="self.all(r, r.name != 'network')",message="network is the role assignment that Fleetwright makes by itself for the cluster's own network: choose another name"
	RoleAssignments []AdditionalRoleAssignment `json:"roleAssignments,omitempty"`

	// autoscaler is the profile of the cluster autoscaler.
	// +optional
	Autoscaler AutoscalerProfile `json:"autoscaler,omitempty,omitzero"`

	// maintenanceConfigurations are when AKS may do its own work.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	MaintenanceConfigurations []MaintenancePlan `json:"maintenanceConfigurations,omitempty"`

	// driftPolicy is Heal, Report or Adopt, for everything that is made of the sections. Heal if it is not set.
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`
}

// TenancyMode says how many tenants a cluster has.
// +kubebuilder:validation:Enum=Shared;Single
type TenancyMode string

const (
	// TenancyModeShared is a cluster for many.
	TenancyModeShared TenancyMode = "Shared"
	// TenancyModeSingle is a cluster for one tenant: its nodes carry label tenancy.fleetwright.io/tenant, its User pools are tainted with the
	// same key and value (NoSchedule), and its name begins with the tenant's.
	TenancyModeSingle TenancyMode = "Single"
)

// WorkloadClusterTenancy says whose a cluster is.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.tenant) || !has(self.mode) || self.mode == 'Single'",message="a Shared cluster has no tenant"
type WorkloadClusterTenancy struct {
	// mode is Shared or Single. Shared if it is not set.
	// +optional
	Mode TenancyMode `json:"mode,omitempty"`

	// tenant is who has a Single cluster to himself. A namespace that is labelled fleetwright.io/tenant may have clusters of that tenant only.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=30
	// +kubebuilder:validation:Pattern=`^[a-z]([a-z0-9-]*[a-z0-9])?$`
	Tenant string `json:"tenant,omitempty"`
}
