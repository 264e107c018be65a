package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DriftPolicy says what is done about a setting in Azure that is not as declared although it was before.
// +kubebuilder:validation:Enum=Heal;Report;Adopt
type DriftPolicy string

const (
	// DriftPolicyHeal means: the declared value is written again, once per change. When somebody else writes the opposite for the
	// third time within an hour it stops and says who.
	DriftPolicyHeal DriftPolicy = "Heal"
	// DriftPolicyReport means: nothing is written; the object is not ready while they differ.
	DriftPolicyReport DriftPolicy = "Report"
	// DriftPolicyAdopt means: what was found is lived with. The object stays ready, and its status says what the spec would have to
	// say; the spec itself is never written.
	DriftPolicyAdopt DriftPolicy = "Adopt"
)

// DriftOutcome is what became of a drift.
// +kubebuilder:validation:Enum=Healed;Reported;Adopted
type DriftOutcome string

const (
	// DriftOutcomeHealed means: the declared value was written again.
	DriftOutcomeHealed DriftOutcome = "Healed"
	// DriftOutcomeReported means: it was only said.
	DriftOutcomeReported DriftOutcome = "Reported"
	// DriftOutcomeAdopted means: what was found is lived with.
	DriftOutcomeAdopted DriftOutcome = "Adopted"
)

// DriftRecord is one drift that was seen.
type DriftRecord struct {
	// time is when it was confirmed.
	// +required
	Time metav1.Time `json:"time,omitempty,omitzero"`
	// fields are what differed, by the names of the spec; "missing" when the whole was gone.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=24
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +listType=atomic
	Fields []string `json:"fields,omitempty"`
	// changedBy is who Azure says has changed it last, where it says so.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	ChangedBy string `json:"changedBy,omitempty"`
	// outcome is what became of it.
	// +required
	Outcome DriftOutcome `json:"outcome,omitempty"`
}
