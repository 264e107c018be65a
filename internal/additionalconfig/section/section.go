// Package section says what a section of an AzureClusterAdditionalConfig is: a field of its spec, and a pure function that makes objects
// of other kinds of it. How they are written, owned, reported and removed is the controller's business and the same for all.
package section

import (
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// Section is one section.
type Section struct {
	// Name is the field's name in the spec, for example "registries".
	Name string
	// Kind is the kind of the objects that it becomes. They are of our own group, in the namespace of the config, and have clusterName,
	// driftPolicy, reconcile and deletionPolicy in their spec, which the controller sets.
	Kind string
	// Fixed are the fields of that kind's spec that cannot be changed: an object in which they differ is removed and made anew.
	Fixed []string
	// Same tells of a field in Fixed whether what is wanted and what an object has mean the same, though written in another way: then it
	// stays as the object has it. It is not asked about fields that are equal. Nil: no others are the same.
	Same func(field string, want, is Written) bool
	// Children are the objects that it becomes; none when the spec does not have it.
	Children func(spec fleetwrightv1.AzureClusterAdditionalConfigSpec, cluster capi.Cluster) []Child
}

// Written is what is written in an object.
type Written struct {
	// Spec is its spec as JSON has it.
	Spec map[string]any
	// Annotations are the object's; none of one that is only wanted.
	Annotations map[string]string
}

// Child is one object that a section becomes.
type Child struct {
	// Name of the object.
	Name string
	// Spec of the object, of the Go type of its kind.
	Spec any
}

// ChildName is the usual name of a child: the config's, what it is, and the entry's.
func ChildName(config, what, entry string) string { return config + "-" + what + "-" + entry }

// Title is the section's name with a capital letter, as in its condition.
func (s Section) Title() string { return strings.ToUpper(s.Name[:1]) + s.Name[1:] }

// Condition is the type of the section's condition.
func (s Section) Condition() string { return s.Title() + fleetwrightv1.SectionReadySuffix }

// NotReady is the reason of condition Ready while something of the section is not ready.
func (s Section) NotReady() string { return s.Title() + fleetwrightv1.SectionNotReadySuffix }
