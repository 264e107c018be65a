package v1alpha1

import (
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ReconcileMode says how much is done. Of all that speak (the object itself, a Freeze, the Cluster's pause, the paused
// annotation) the most restrictive one wins.
// +kubebuilder:validation:Enum=Active;NonDisruptive;Paused
type ReconcileMode string

const (
	// ReconcileModeActive means: everything is done.
	ReconcileModeActive ReconcileMode = "Active"
	// ReconcileModeNonDisruptive means: what touches no running pod is done (labels, tags, mode, bounds, more nodes, a
	// first pool); nothing is closed, evicted, deleted or made smaller, and no replacement begins.
	ReconcileModeNonDisruptive ReconcileMode = "NonDisruptive"
	// ReconcileModePaused means: nothing is written but status.
	ReconcileModePaused ReconcileMode = "Paused"
)

// DeletionPolicy says what the deletion of an object does to what it looks after.
// +kubebuilder:validation:Enum=Delete;Retain;Protect
type DeletionPolicy string

const (
	// DeletionPolicyDelete means: what it looks after is removed, in order.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyRetain means: what it looks after serves on, without Fleetwright.
	DeletionPolicyRetain DeletionPolicy = "Retain"
	// DeletionPolicyProtect means: deletion is refused by the admission policy of the chart, and without that policy
	// nothing is done until this field is changed.
	DeletionPolicyProtect DeletionPolicy = "Protect"
)

// ReplacementStrategy says how a pool is replaced.
// +kubebuilder:validation:Enum=Auto;InPlaceOnly;FullGreen;StagedShift
type ReplacementStrategy string

const (
	// ReplacementStrategyAuto makes the whole new pool at once where it fits, and shifts in stages where it does not.
	ReplacementStrategyAuto ReplacementStrategy = "Auto"
	// ReplacementStrategyInPlaceOnly reports that a replacement is needed and does not begin one.
	ReplacementStrategyInPlaceOnly ReplacementStrategy = "InPlaceOnly"
	// ReplacementStrategyFullGreen makes the whole new pool at once and waits where it does not fit.
	ReplacementStrategyFullGreen ReplacementStrategy = "FullGreen"
	// ReplacementStrategyStagedShift lets the new pool grow as the old one shrinks, within maxSurge.
	ReplacementStrategyStagedShift ReplacementStrategy = "StagedShift"
)

// SoakMode says how an emptied old pool is kept.
// +kubebuilder:validation:Enum=Cordoned;ScaledToZero
type SoakMode string

const (
	// SoakModeCordoned keeps the old nodes, closed for pods: the way back takes seconds and costs the machines.
	SoakModeCordoned SoakMode = "Cordoned"
	// SoakModeScaledToZero keeps the old pool without nodes: the way back takes minutes and costs nothing.
	SoakModeScaledToZero SoakMode = "ScaledToZero"
)

// ReplacementPolicy says how a pool is replaced.
// +kubebuilder:validation:MinProperties=1
type ReplacementPolicy struct {
	// strategy is Auto, InPlaceOnly, FullGreen or StagedShift. Auto if it is not set.
	// +optional
	Strategy ReplacementStrategy `json:"strategy,omitempty"`

	// maxSurge is how many more nodes than before may exist during a staged shift, as a number of nodes or as a
	// percentage of the old ones, rounded up. 25% if it is not set. A whole new pool needs 100% and does not ask.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:Pattern=`^(100|[1-9][0-9]?)%$`
	// +kubebuilder:validation:XValidation:rule="type(self) != int || (self >= 1 && self <= 1000)",message="maxSurge must be 1 to 1000 nodes or 1% to 100%"
	MaxSurge *intstr.IntOrString `json:"maxSurge,omitempty"`

	// minReadySeconds is how long a new node must have been Ready before it counts. 60 if it is not set.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	MinReadySeconds *int32 `json:"minReadySeconds,omitempty"`

	// provisionTimeoutSeconds is how long a new pool may take until the Nodepool is Stalled with reason
	// ProvisioningTimedOut. The old pool stays as it is. 3600 if it is not set.
	// +optional
	// +kubebuilder:validation:Minimum=300
	// +kubebuilder:validation:Maximum=86400
	ProvisionTimeoutSeconds int32 `json:"provisionTimeoutSeconds,omitempty"`

	// soakSeconds is how long an emptied old pool is kept before it is deleted; until then the way back is short. 0 if it
	// is not set.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	SoakSeconds *int32 `json:"soakSeconds,omitempty"`

	// soakMode is Cordoned or ScaledToZero. ScaledToZero if it is not set; System pools are always kept Cordoned.
	// +optional
	SoakMode SoakMode `json:"soakMode,omitempty"`
}

// MaintenancePolicy says when a replacement may begin.
// +kubebuilder:validation:MinProperties=1
type MaintenancePolicy struct {
	// windows are the times at which a replacement may begin; one that has begun goes on. Without windows it may begin at
	// any time. Changes in place do not wait for one.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Windows []MaintenanceWindow `json:"windows,omitempty"`
}

// MaintenanceWindow is a time that comes again and again.
type MaintenanceWindow struct {
	// name of the window, for messages.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// schedule says when the window opens, in the five fields of cron (minute, hour, day of month, month, day of week),
	// for example "0 22 * * 1-4".
	// +required
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[-A-Za-z0-9*/,?]+( [-A-Za-z0-9*/,?#L]+){4}$`
	Schedule string `json:"schedule,omitempty"`

	// durationSeconds is how long it stays open.
	// +required
	// +kubebuilder:validation:Minimum=900
	// +kubebuilder:validation:Maximum=604800
	DurationSeconds int32 `json:"durationSeconds,omitempty"`

	// timeZone is the IANA name of the zone the schedule is told in, for example Europe/Berlin. UTC if it is not set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`
	TimeZone string `json:"timeZone,omitempty"`
}

// AdoptionPolicy says whether pools that exist are taken over.
// +kubebuilder:validation:Enum=Report;Adopt
type AdoptionPolicy string

const (
	// AdoptionPolicyReport tells what would differ and writes nothing.
	AdoptionPolicyReport AdoptionPolicy = "Report"
	// AdoptionPolicyAdopt takes the pools over. A pool that satisfies every set field keeps its nodes and pods.
	AdoptionPolicyAdopt AdoptionPolicy = "Adopt"
)

// NodepoolAdoption names pools that exist and become this Nodepool's.
//
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.policy) || oldSelf.policy != 'Adopt' || (has(self.policy) && self.policy == 'Adopt' && self.machinePools == oldSelf.machinePools)",message="an adoption that was carried out cannot be changed; set deletionPolicy: Retain and delete the Nodepool to undo it"
type NodepoolAdoption struct {
	// machinePools are the names of the MachinePools, in the same namespace.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	MachinePools []string `json:"machinePools,omitempty"`

	// policy is Report or Adopt. Report if it is not set: the difference is shown first.
	// +optional
	Policy AdoptionPolicy `json:"policy,omitempty"`
}
