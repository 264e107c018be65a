package v1alpha1

// NodepoolType says how the machines are paid for.
// +kubebuilder:validation:Enum=Regular;Spot
type NodepoolType string

const (
	// NodepoolTypeRegular machines stay until they are removed.
	NodepoolTypeRegular NodepoolType = "Regular"
	// NodepoolTypeSpot machines are cheaper and may be taken back by Azure at any time.
	NodepoolTypeSpot NodepoolType = "Spot"
)

// DiskType says where the operating system's disk lives.
// +kubebuilder:validation:Enum=Ephemeral;Managed
type DiskType string

const (
	// DiskTypeEphemeral keeps the disk on the machine's host: faster, gone with the machine.
	DiskTypeEphemeral DiskType = "Ephemeral"
	// DiskTypeManaged keeps the disk in Azure storage.
	DiskTypeManaged DiskType = "Managed"
)

// OSType is the family of operating system of the nodes.
// +kubebuilder:validation:Enum=Linux;Windows
type OSType string

const (
	// OSTypeLinux nodes may run in pools of either mode.
	OSTypeLinux OSType = "Linux"
	// OSTypeWindows nodes may run in User pools only.
	OSTypeWindows OSType = "Windows"
)

// NodepoolDisk is the disk of the nodes' operating system.
// +kubebuilder:validation:MinProperties=1
type NodepoolDisk struct {
	// sizeGiB is the size of the disk in GiB. AKS decides if it is not set.
	// +optional
	// +kubebuilder:validation:Minimum=30
	// +kubebuilder:validation:Maximum=2048
	SizeGiB int32 `json:"sizeGiB,omitempty"`

	// type is Ephemeral or Managed. A new pool gets a Managed disk if it is not set.
	// +optional
	Type DiskType `json:"type,omitempty"`
}

// NodepoolOS is the operating system of the nodes.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.sku) || self.sku.startsWith('Windows') == (has(self.type) && self.type == 'Windows')",message="os.sku does not belong to os.type"
type NodepoolOS struct {
	// type is Linux or Windows. A new pool runs Linux if it is not set.
	// +optional
	Type OSType `json:"type,omitempty"`

	// sku is the distribution as AKS names it, for example AzureLinux, Ubuntu or Windows2022. AKS decides if it is not
	// set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]+$`
	SKU string `json:"sku,omitempty"`
}

// NodepoolSpot says how Spot machines are bought. Changing it replaces the pool.
// +kubebuilder:validation:MinProperties=1
type NodepoolSpot struct {
	// maxPrice is the highest price per machine and hour in US dollars, for example "0.25"; "-1" is the price of Regular
	// machines. A new pool gets "-1" if it is not set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=12
	// +kubebuilder:validation:Pattern=`^(-1|[0-9]{1,6}(\.[0-9]{1,5})?)$`
	MaxPrice string `json:"maxPrice,omitempty"`

	// evictionPolicy says what becomes of machines that Azure takes back: Delete or Deallocate. AKS deletes them if it is
	// not set. Deallocated machines count against the quota.
	// +optional
	EvictionPolicy SpotEvictionPolicy `json:"evictionPolicy,omitempty"`
}

// SpotEvictionPolicy says what becomes of Spot machines that Azure takes back.
// +kubebuilder:validation:Enum=Delete;Deallocate
type SpotEvictionPolicy string

const (
	// SpotEvictionPolicyDelete removes the machine.
	SpotEvictionPolicyDelete SpotEvictionPolicy = "Delete"
	// SpotEvictionPolicyDeallocate stops the machine and keeps it.
	SpotEvictionPolicyDeallocate SpotEvictionPolicy = "Deallocate"
)

// ScaleDownMode says what becomes of machines that the autoscaler takes away.
// +kubebuilder:validation:Enum=Delete;Deallocate
type ScaleDownMode string

const (
	// ScaleDownModeDelete removes the machine.
	ScaleDownModeDelete ScaleDownMode = "Delete"
	// ScaleDownModeDeallocate stops the machine and keeps it, for a faster start.
	ScaleDownModeDeallocate ScaleDownMode = "Deallocate"
)
