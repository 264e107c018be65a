package section

import (
	"maps"
	"reflect"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
)

// SameAssignment is Same of the sections that become AzureRoleAssignments: Azure makes no difference between letters in ids and names of
// roles. A role that is named by its id instead of its name is the same one if that gives the assignment which the object has made its own
// name. The other way round only Azure can tell, and the object is made anew.
func SameAssignment(field string, want, is Written) bool {
	switch field {
	case "scope":
		return fold(want.Spec["scope"], is.Spec["scope"])
	case "principal":
		return reflect.DeepEqual(folded(want.Spec["principal"], "objectID"), folded(is.Spec["principal"], "objectID"))
	case "role":
		id, byID := folded(want.Spec["role"], "name", "id")["id"].(string)
		if _, named := folded(is.Spec["role"])["name"]; named && byID {
			scope, _ := is.Spec["scope"].(string)
			return madeWith(id, scope, is.Annotations[fleetwrightv1.AnnotationRoleAssignments])
		}
		return reflect.DeepEqual(folded(want.Spec["role"], "name", "id"), folded(is.Spec["role"], "name", "id"))
	}
	return false
}

// madeWith is true when an assignment that was seen for an object has the name that we give to one of this role: it is made of scope, role
// and principal.
func madeWith(role, scope, seen string) bool {
	for entry := range strings.FieldsSeq(seen) {
		principal, id, _ := strings.Cut(entry, "=")
		if strings.EqualFold(id, roles.IDOf(scope, roles.Name(scope, role, principal))) {
			return true
		}
	}
	return false
}

func fold(a, b any) bool {
	left, isText := a.(string)
	right, isTextToo := b.(string)
	return isText && isTextToo && strings.EqualFold(left, right)
}

// folded is an object with some of its texts in lower case.
func folded(value any, fields ...string) map[string]any {
	object, _ := value.(map[string]any)
	out := maps.Clone(object)
	for _, field := range fields {
		if text, is := out[field].(string); is {
			out[field] = strings.ToLower(text)
		}
	}
	return out
}
