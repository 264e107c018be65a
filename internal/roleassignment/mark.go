package roleassignment

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
)

// mark is one assignment that was seen in Azure for an object, with the principal it was for.
type mark struct{ principal, id string }

// maxMarks bounds the annotation: a cluster changes its identity hardly ever.
const maxMarks = 8

// marksOf reads the annotation of an object. People can write it: what is not an assignment at the object's scope is left out.
func marksOf(a *fleetwrightv1.AzureRoleAssignment) []mark {
	var out []mark
	for entry := range strings.FieldsSeq(a.Annotations[fleetwrightv1.AnnotationRoleAssignments]) {
		principal, id, found := strings.Cut(entry, "=")
		name := lastSegment(id)
		if found && uuid.Validate(principal) == nil && uuid.Validate(name) == nil && strings.EqualFold(id, roles.IDOf(a.Spec.Scope, name)) {
			out = append(out, mark{principal, id})
		}
	}
	return out
}

// markOf is the mark for a principal, false when there is none.
func markOf(marks []mark, principal string) (mark, bool) {
	at := slices.IndexFunc(marks, func(m mark) bool { return strings.EqualFold(m.principal, principal) })
	if at < 0 {
		return mark{}, false
	}
	return marks[at], true
}

// withMark puts a mark first, in place of the former one for its principal. Those of other principals stay: their assignments are deleted
// with the object.
func withMark(marks []mark, m mark) []mark {
	out := []mark{m}
	for _, other := range marks {
		if !strings.EqualFold(other.principal, m.principal) && len(out) < maxMarks {
			out = append(out, other)
		}
	}
	return out
}

func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

func markText(marks []mark) string {
	entries := make([]string, 0, len(marks))
	for _, m := range marks {
		entries = append(entries, m.principal+"="+m.id)
	}
	return strings.Join(entries, " ")
}
