package resource

import (
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
)

// coversBody says whether everything asked for of a resource is so. The properties named in exact mean "these and no
// others", so that what is no longer wanted counts as a difference. Elsewhere Azure fills in what was left out.
func coversBody(actual, desired armclient.Body, exact sets.Set[string]) bool {
	for field, want := range desired {
		if field != "properties" {
			if !covers(actual[field], want) {
				return false
			}
			continue
		}
		have, _ := actual[field].(map[string]any)
		properties, _ := want.(map[string]any)
		if !coversFields(have, properties, exact) {
			return false
		}
	}
	return true
}

// covers says whether one value is as asked. What was not asked for is Azure's business. Zero numbers and empty
// strings ask for nothing: Azure reads them as "your default", and answers with that default.
func covers(actual, desired any) bool {
	if desired == nil || reflect.ValueOf(desired).IsZero() && isScalarDefault(actual, desired) {
		return true
	}
	switch want := desired.(type) {
	case map[string]any:
		have, ok := actual.(map[string]any)
		return (ok || actual == nil) && coversFields(have, want, nil)
	case []any:
		have, ok := actual.([]any)
		return (ok || actual == nil) && coversList(have, want)
	case string:
		have, ok := actual.(string)
		return ok && sameText(have, want)
	default:
		return reflect.DeepEqual(actual, desired)
	}
}

// isScalarDefault says whether a zero number, an empty string or false asks for nothing. False does not where Azure says
// true; a field that Azure leaves out of its answer is false.
func isScalarDefault(actual, desired any) bool {
	switch desired.(type) {
	case float64, string:
		return true
	case bool:
		return actual == nil
	default:
		return false
	}
}

func coversFields(have, want map[string]any, exact sets.Set[string]) bool {
	for field, value := range want {
		if exact.Has(field) {
			if !sameExactly(have[field], value) {
				return false
			}
			continue
		}
		if !covers(have[field], value) {
			return false
		}
	}
	return true
}

// coversList compares element by element. The order is Azure's to keep.
func coversList(have, want []any) bool {
	if len(have) != len(want) {
		return false
	}
	for i := range want {
		if !covers(have[i], want[i]) {
			return false
		}
	}
	return true
}

func sameExactly(actual, desired any) bool {
	return isEmpty(actual) && isEmpty(desired) || reflect.DeepEqual(actual, desired)
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	default:
		return false
	}
}

// sameText compares resource ids without regard to case, as Azure does, and everything else as written.
func sameText(a, b string) bool {
	if strings.HasPrefix(strings.ToLower(b), "/subscriptions/") {
		return strings.EqualFold(a, b)
	}
	return a == b
}
