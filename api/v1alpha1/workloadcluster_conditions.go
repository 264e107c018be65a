package v1alpha1

// FinalizerWorkloadCluster keeps a WorkloadCluster until everything that was made of it is gone, in order.
const FinalizerWorkloadCluster = "fleetwright.io/workloadcluster"

// Condition types of a WorkloadCluster: Ready, Available, UpToDate, Paused, Deleting, Adopted with spec.adoption and Stalled, which mean what
// they mean for a Nodepool, and one for each step.
const (
	// ConditionAddressesReady is True while all ranges of addresses are bound.
	ConditionAddressesReady = "AddressesReady"
	// ConditionInfrastructureReady is True while Azure has the resource group and the network.
	ConditionInfrastructureReady = "InfrastructureReady"
	// ConditionControlPlaneReady is True while the API server answers, in the wanted version.
	ConditionControlPlaneReady = "ControlPlaneReady"
	// ConditionNodepoolsReady is True while all Nodepools are ready.
	ConditionNodepoolsReady = "NodepoolsReady"
	// ConditionRoleAssignmentsReady is True while all roles are assigned, and proven by a pull where that was asked for.
	ConditionRoleAssignmentsReady = "RoleAssignmentsReady"
	// ConditionAutoscalerReady is True while Azure has the profile of the cluster autoscaler.
	ConditionAutoscalerReady = "AutoscalerReady"
	// ConditionAzureSettingsReady is True while Azure has what the other sections of the additional config say.
	ConditionAzureSettingsReady = "AzureSettingsReady"
	// ConditionAddonsReady is True while all add-ons are healthy.
	ConditionAddonsReady = "AddonsReady"
)

// Reasons of condition Ready; Ready, HeldBack, Removing, and those of Stalled and Deleting as well.
const (
	// ReasonAddressesNotReady surfaces when ranges of addresses are not bound; nothing else is made before.
	ReasonAddressesNotReady = "AddressesNotReady"
	// ReasonInfrastructureNotReady surfaces when Azure does not have the resource group or the network yet.
	ReasonInfrastructureNotReady = "InfrastructureNotReady"
	// ReasonControlPlaneNotReady surfaces when the control plane is being made or upgraded, or does not answer.
	ReasonControlPlaneNotReady = "ControlPlaneNotReady"
	// ReasonNodepoolsNotReady surfaces when a Nodepool is not ready; the message quotes it.
	ReasonNodepoolsNotReady = "NodepoolsNotReady"
	// ReasonRoleAssignmentsNotReady surfaces when a role is not assigned, or a pull not proven; the message quotes it.
	ReasonRoleAssignmentsNotReady = "RoleAssignmentsNotReady"
	// ReasonAutoscalerNotReady surfaces when the profile of the cluster autoscaler is not applied; the message quotes it.
	ReasonAutoscalerNotReady = "AutoscalerNotReady"
	// ReasonAzureSettingsNotReady surfaces when another section of the additional config is not ready; the message quotes it.
	ReasonAzureSettingsNotReady = "AzureSettingsNotReady"
	// ReasonAddonsNotReady surfaces when an add-on is not healthy; the message quotes it.
	ReasonAddonsNotReady = "AddonsNotReady"
)

// Reasons of the steps' conditions; Ready, Creating, NotReported, NameTaken and those of the objects that they are about as well.
const (
	// ReasonNotDeclared surfaces when the spec asks for nothing there; it counts as ready.
	ReasonNotDeclared = "NotDeclared"
	// ReasonWaitingForAddresses surfaces when a step cannot begin before the addresses are bound.
	ReasonWaitingForAddresses = "WaitingForAddresses"
	// ReasonProvisioning surfaces when Azure is making what the step is about.
	ReasonProvisioning = "Provisioning"
	// ReasonNotReachable surfaces when Cluster API's probe of the API server fails.
	ReasonNotReachable = "NotReachable"
	// ReasonWaitingForAddon surfaces when an add-on's turn has not come; the message names what it comes after.
	ReasonWaitingForAddon = "WaitingForAddon"
	// ReasonAddonObjectNotFound surfaces when the object that installs an add-on, or what it makes for this cluster, is not there.
	ReasonAddonObjectNotFound = "AddonObjectNotFound"
	// ReasonAddonKindNotInstalled surfaces when the API server does not know the kind that installs an add-on.
	ReasonAddonKindNotInstalled = "AddonKindNotInstalled"
	// ReasonInstalling surfaces when the installer of an add-on is at work.
	ReasonInstalling = "Installing"
	// ReasonInstallFailed surfaces when the installer of an add-on says that it failed; the message quotes it.
	ReasonInstallFailed = "InstallFailed"
	// ReasonUnhealthy surfaces when an add-on is installed and an object of its health is not as it should be.
	ReasonUnhealthy = "Unhealthy"
)

// Reasons of condition UpToDate; UpToDate and WaitingForWindow as well.
const (
	// ReasonControlPlaneUpgrading surfaces when the control plane is below the wanted version.
	ReasonControlPlaneUpgrading = "ControlPlaneUpgrading"
	// ReasonNodepoolsUpgrading surfaces when the control plane has the wanted version and the pools follow one by one; the message counts them.
	ReasonNodepoolsUpgrading = "NodepoolsUpgrading"
	// ReasonAddonIncompatible surfaces when an add-on's kubernetesVersions do not admit the wanted version: nothing is upgraded before they do.
	ReasonAddonIncompatible = "AddonIncompatible"
	// ReasonNodepoolsChanging surfaces when a Nodepool is not up to date for another reason; the message quotes it.
	ReasonNodepoolsChanging = "NodepoolsChanging"
	// ReasonNotCreated surfaces when the cluster is still being made.
	ReasonNotCreated = "NotCreated"
)

// Reasons of condition Deleting; DeletionProtected, Retaining, WaitingForAzure and NotDeleting as well.
const (
	// ReasonDeletingAddons surfaces when add-ons are being taken out, for ten minutes at most; the message lists what is left.
	ReasonDeletingAddons = "DeletingAddons"
	// ReasonDeletingCluster surfaces when the Cluster, its Nodepools and its Azure settings are being deleted; the message lists what is left.
	ReasonDeletingCluster = "DeletingCluster"
	// ReasonReleasingAddresses surfaces when the cluster is gone and its ranges are being given back.
	ReasonReleasingAddresses = "ReleasingAddresses"
)

// Reasons of condition Adopted; Adopted, Differs and AlreadyOwned as well.
const (
	// ReasonUnsupportedCluster surfaces when the Cluster is one that cannot be taken over, such as one of a ClusterClass.
	ReasonUnsupportedCluster = "UnsupportedCluster"
)

// Reasons of condition Stalled; InvalidSpec, OverrideConflict, NameTaken, PermissionDenied and those of the objects underneath as well.
const (
	// ReasonClassNotFound surfaces when classRef names nothing.
	ReasonClassNotFound = "ClassNotFound"
	// ReasonClassNotAllowed surfaces when the class does not let this namespace use it.
	ReasonClassNotAllowed = "ClassNotAllowed"
	// ReasonDowngradeNotPossible surfaces when version is lower than the control plane's.
	ReasonDowngradeNotPossible = "DowngradeNotPossible"
	// ReasonVersionTooFar surfaces when version is more than one minor version above the control plane's.
	ReasonVersionTooFar = "VersionTooFar"
	// ReasonClusterNameTaken surfaces when another WorkloadCluster is the same cluster in Azure, or a Cluster of this name is not this object's.
	ReasonClusterNameTaken = "ClusterNameTaken"
	// ReasonTenantNotAllowed surfaces when the namespace belongs to another tenant.
	ReasonTenantNotAllowed = "TenantNotAllowed"
	// ReasonAddressesExhausted surfaces when a pool has no room for a range; the message tells the largest that is free.
	ReasonAddressesExhausted = "AddressesExhausted"
)
