package additionalconfig

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/hold"
)

// world is one reading of all that a config depends on.
type world struct {
	name         string
	created      time.Time
	deleting     bool
	policy       fleetwrightv1.DeletionPolicy
	clusterFound bool
	hold         hold.Hold
	// paused is true when the config itself asks that everything wait, whoever else does.
	paused bool
	// told are the fields that every object gets from the config.
	told map[string]any
	// wanted are the objects that the sections ask for, in the order of sections and entries.
	wanted []wanted
	// found are the objects that are ours, and those of somebody else under a name that is wanted, ordered by kind and name.
	found []found
}

// target names an object of the config's namespace.
type target struct{ kind, name string }

func (t target) String() string { return t.kind + " " + t.name }

// wanted is an object that a section asks for.
type wanted struct {
	target
	section section.Section
	// spec is its whole spec, as JSON has it.
	spec map[string]any
}

// found is an object that exists.
type found struct {
	target
	uid types.UID
	// version is its resourceVersion.
	version string
	// ours is true when the config is its controller.
	ours, deleting bool
	generation     int64
	spec           map[string]any
	// owned are the fields of its spec that we have set, as managedFields has them.
	owned       map[string]any
	annotations map[string]string
	// labelled is true while it carries the labels that we give it.
	labelled bool
	// conditions are its own.
	conditions []metav1.Condition
}

func (w world) find(t target) (found, bool) {
	for _, f := range w.found {
		if f.target == t {
			return f, true
		}
	}
	return found{}, false
}

func (w world) wants(t target) bool {
	for i := range w.wanted {
		if w.wanted[i].target == t {
			return true
		}
	}
	return false
}

// verb is what is done with an object.
type verb string

const (
	// create makes an object that is not there.
	create verb = "Create"
	// apply gives one of ours the spec that is wanted.
	apply verb = "Apply"
	// tell passes on some fields of the config, and leaves the rest of the spec.
	tell verb = "Tell"
	// remove deletes one of ours, after it was told of the fields.
	remove verb = "Remove"
)

// action is one thing to do with one object. Each is idempotent.
type action struct {
	verb verb
	target
	// uid and version are those of the object as it was read; empty for create.
	uid     types.UID
	version string
	// spec is the whole spec for create and apply, some fields of it for tell and remove.
	spec map[string]any
}

// disruptive is true when a right or a setting is taken away.
func (a action) disruptive() bool { return a.verb == remove }

func (a action) String() string { return fmt.Sprintf("%s %s", a.verb, a.target) }

// resource is how one object is.
type resource struct {
	fleetwrightv1.AdditionalResource
	// message says more than the reason.
	message string
	// stuck is the reason for which nothing goes on with it until a person acts, or empty.
	stuck string
}

func (r resource) target() target { return target{r.Kind, r.Name} }

// plan is what is to be done, and what is to be said.
type plan struct {
	// actions are done now; held are those that must wait.
	actions, held []action
	resources     []resource
	// gone is true when nothing is left and the finalizer can go.
	gone bool
	// leaving is the reason of condition Deleting, with its message; empty when nobody asked for deletion.
	leaving, leavingMessage string
	// unknownCluster is true while there is no Cluster of that name; stuck since it has been so for long.
	unknownCluster, clusterOverdue bool
	// checkAgain is when to look again; zero when a watch tells of all that matters.
	checkAgain time.Time
}
