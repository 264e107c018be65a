package ladder

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

const (
	// FieldManager is who writes the changes of this package.
	FieldManager = "fleetwright-drain"
	// LabelScaledUp tells on a Deployment that it was scaled up, how, until when and for which drain: see ScaledUp.Label. It is a
	// label because "kubectl rollout undo" replaces all annotations, and so that one list finds them all.
	LabelScaledUp = "fleetwright.io/scaled-up"
	// AnnotationScaledUp tells people on the same Deployment the id of the drain. Nothing is decided by it.
	AnnotationScaledUp = "fleetwright.io/scaled-up-by"
	// AnnotationRestarted on a pod template is when the drain began for which it was restarted.
	AnnotationRestarted = "fleetwright.io/restarted-at"
	// LabelRestarted on the Deployment says the same as "<when the drain began>-<when it was restarted>", in seconds since 1970.
	// It outlives a "kubectl rollout undo", which takes the restart back with its annotation.
	LabelRestarted = "fleetwright.io/restarted-for"
	// AnnotationQuarantinedBy on a node is the drain that set drain.LabelQuarantined. A label without it is a person's.
	AnnotationQuarantinedBy = "fleetwright.io/quarantined-by"
)

// restartPatch changes the pod template, which is what makes a Deployment roll out. Like each patch here it carries the
// version that it was decided on, so that the API server refuses it once anything has changed.
func restartPatch(d Deployment, started, now time.Time) string {
	return encode(object{
		"metadata": object{
			"resourceVersion": d.ResourceVersion,
			"labels":          object{LabelRestarted: restartedLabel(started, now)},
		},
		"spec": object{"template": object{"metadata": object{
			"annotations": object{AnnotationRestarted: restartedFor(started)},
		}}},
	})
}

func restartedFor(started time.Time) string { return started.UTC().Format(time.RFC3339) }

func restartedLabel(started, now time.Time) string {
	return fmt.Sprintf("%d-%d", started.Unix(), now.Unix())
}

// readRestarted returns when the label says that the restart was and for the drain of which start; zero times if it
// cannot be read.
func readRestarted(label string) (started, at time.Time) {
	numbers, ok := readNumbers(strings.Split(label, "-"))
	if !ok || len(numbers) != 2 {
		return time.Time{}, time.Time{}
	}
	return time.Unix(numbers[0], 0).UTC(), time.Unix(numbers[1], 0).UTC()
}

func quarantinePatch(node Node, reason drain.Reason, id string) string {
	return encode(object{"metadata": object{
		"uid":             node.UID,
		"resourceVersion": node.ResourceVersion,
		"labels":          object{drain.LabelQuarantined: string(reason)},
		"annotations":     object{AnnotationQuarantinedBy: id},
	}})
}

func unquarantinePatch(node Node) string {
	return encode(object{"metadata": object{
		"uid":             node.UID,
		"resourceVersion": node.ResourceVersion,
		"labels":          object{drain.LabelQuarantined: nil},
		"annotations":     object{AnnotationQuarantinedBy: nil},
	}})
}

type object = map[string]any

// encode cannot fail for what this package gives it: maps, strings, numbers and times of this century.
func encode(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(raw)
}
