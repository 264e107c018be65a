package drift

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// As is how two values are compared. What holds without a Rule: an Azure id and a GUID have no letter case, a time has no zone and no
// trailing zeros, 10 and "10" are the same, and so are true and "true".
type As int

// The ways to compare besides the usual one.
const (
	// Fold means: letter case does not matter. For names and enumerations that Azure compares so.
	Fold As = iota + 1
	// Duration means: "10m", "600s" and 600 (seconds) are the same.
	Duration
	// Number means: "0.50" and "0.5" are the same. Not the usual way, because 1.30 and 1.3 are two versions of Kubernetes.
	Number
	// Ordered means: the order of a list matters. Without, it never does.
	Ordered
	// AtLeast means: a list may have more than what is declared.
	AtLeast
)

// Rule is how the value at a path is compared. Names are joined by a dot, and [] stands for each element of a list: "logs[].category".
type Rule struct {
	Path string
	As   As
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// plain brings a value down to nil, text, []any and map[string]any without nils.
func plain(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return number(v.String())
	case time.Time:
		if v.IsZero() {
			return nil
		}
		return v.UTC().Format(time.RFC3339Nano)
	case time.Duration:
		return v.String()
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			if value := plain(value); value != nil {
				out[name] = value
			}
		}
		return out
	}
	return reflected(v)
}

// reflected is about the other types that a spec has.
func reflected(v any) any {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Pointer:
		if r.IsNil() {
			return nil
		}
		return plain(r.Elem().Interface())
	case reflect.String:
		return plain(r.String())
	case reflect.Bool:
		return plain(r.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(r.Int(), 10)
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(r.Float(), 'f', -1, 64)
	default:
		return throughJSON(v)
	}
}

// throughJSON brings a struct down to what its JSON is.
func throughJSON(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var out any
	if decoder.Decode(&out) != nil {
		return string(raw)
	}
	return plain(out)
}

// empty is nil and what says as little: Azure leaves out an empty text, list or object as it likes.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// owned tells what is not set from what is empty on purpose.
func owned(v any) bool {
	if v == nil {
		return false
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		return !r.IsNil()
	default:
		return true
	}
}

// normal is the one form of all texts that mean the same.
func normal(text string, as As) string {
	switch as {
	case Fold:
		return strings.ToLower(text)
	case Number:
		return number(text)
	case Duration:
		return duration(text)
	case Ordered, AtLeast: // about lists
	}
	if isID(text) {
		return strings.ToLower(strings.TrimSuffix(text, "/"))
	}
	if len(text) == len("00000000-0000-0000-0000-000000000000") && guid.MatchString(text) {
		return strings.ToLower(text)
	}
	if len(text) > len(time.DateOnly) && text[4] == '-' {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return at.UTC().Format(time.RFC3339Nano)
		}
	}
	return text
}

func isID(text string) bool {
	if !strings.HasPrefix(text, "/") {
		return false
	}
	lower := strings.ToLower(text[:min(len(text), len("/subscriptions/"))])
	return strings.HasPrefix(lower, "/subscriptions/") || strings.HasPrefix(lower, "/providers/")
}

func number(text string) string {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func duration(text string) string {
	if d, err := time.ParseDuration(text); err == nil {
		return d.String()
	}
	if s, err := strconv.ParseInt(text, 10, 32); err == nil {
		return (time.Duration(s) * time.Second).String()
	}
	return text
}

// shown is a value for people, cut to what fits into a message.
func shown(v any) string {
	const most = 120
	text, isText := v.(string)
	if !isText {
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		text = string(raw)
	}
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// names are the keys of an object, sorted, so that the same difference is always told in the same words.
func names(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
