package ladder

import (
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

const (
	// FieldManager is who writes the changes of this package.
	FieldManager = "fleetwright-drain"
	// LabelScaledUp is "true" on a Deployment that was scaled up, so that one list finds them all.
	LabelScaledUp = "fleetwright.io/scaled-up"
	// AnnotationScaledUp tells on the same Deployment how, as JSON: see ScaledUp.
	AnnotationScaledUp = "fleetwright.io/scaled-up"
	// AnnotationRestarted on a pod template is when the drain began for which it was restarted.
	AnnotationRestarted = "fleetwright.io/restarted-at"
	// AnnotationQuarantinedBy on a node is the drain that set drain.LabelQuarantined. A label without it is a person's.
	AnnotationQuarantinedBy = "fleetwright.io/quarantined-by"
)

// read returns what the annotation says, and whether it can be understood.
func (s *ScaledUp) read(annotation string) bool {
	var found ScaledUp
	if err := json.Unmarshal([]byte(annotation), &found); err != nil || found.By == "" || found.Until.IsZero() {
		return false
	}
	if found.From < 0 || found.To <= found.From {
		return false
	}
	*s = found
	return true
}

func (s ScaledUp) annotation() string { return encode(s) }

func (s ScaledUp) yes() bool { return s.By != "" }

// restartPatch changes the pod template, which is what makes a Deployment roll out. Like each patch here it carries the
// version that it was decided on, so that the API server refuses it once anything has changed.
func restartPatch(d Deployment, started time.Time) string {
	return encode(object{
		"metadata": object{"resourceVersion": d.ResourceVersion},
		"spec": object{"template": object{"metadata": object{
			"annotations": object{AnnotationRestarted: restartedFor(started)},
		}}},
	})
}

func restartedFor(started time.Time) string { return started.UTC().Format(time.RFC3339) }

func scaleUpPatch(d Deployment, up ScaledUp) string {
	return encode(object{
		"metadata": object{
			"resourceVersion": d.ResourceVersion,
			"labels":          object{LabelScaledUp: "true"},
			"annotations":     object{AnnotationScaledUp: up.annotation()},
		},
		"spec": object{"replicas": up.To},
	})
}

// putBackPatch takes the marks off, and the pod too unless somebody else has set another number meanwhile.
func putBackPatch(d Deployment) string {
	patch := object{"metadata": object{
		"resourceVersion": d.ResourceVersion,
		"labels":          object{LabelScaledUp: nil},
		"annotations":     object{AnnotationScaledUp: nil},
	}}
	if d.Replicas == d.ScaledUp.To {
		patch["spec"] = object{"replicas": d.ScaledUp.From}
	}
	return encode(patch)
}

func quarantinePatch(uid types.UID, reason drain.Reason, id string) string {
	return encode(object{"metadata": object{
		"uid":         uid,
		"labels":      object{drain.LabelQuarantined: string(reason)},
		"annotations": object{AnnotationQuarantinedBy: id},
	}})
}

func unquarantinePatch(uid types.UID) string {
	return encode(object{"metadata": object{
		"uid":         uid,
		"labels":      object{drain.LabelQuarantined: nil},
		"annotations": object{AnnotationQuarantinedBy: nil},
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
