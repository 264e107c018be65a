package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The names of what is owned of a role assignment.
const (
	FieldScope     = "scope"
	FieldRole      = "role"      // the GUID of the role definition
	FieldPrincipal = "principal" // the object id
)

// RoleAssignments is the Target of role assignments, which Declared names by the three fields above. Only those of the declared principals
// are asked for: a subscription has up to 4,000 assignments, and few are ours. All of a principal are one row, so that a page shows a
// thousand principals and not a thousand assignments.
func RoleAssignments(declared func(context.Context) ([]Declared, error)) Target {
	return Target{Name: "role assignments", Declared: declared, Query: assignmentsQuery, Row: principalOf, Read: readAssignments}
}

func principalOf(d Declared) string {
	p, _ := d.Fields[FieldPrincipal].(string)
	return strings.ToLower(p)
}

func assignmentsQuery(declared []Declared) string {
	principals := map[string]bool{}
	for _, d := range declared {
		if p := principalOf(d); p != "" {
			principals["'"+strings.ReplaceAll(p, "'", "")+"'"] = true
		}
	}
	return fmt.Sprintf(`authorizationresources
| where type =~ 'microsoft.authorization/roleassignments'
| where tostring(properties.principalId) in~ (%s)
| summarize assignments = make_set(strcat(id, '|', tostring(properties.roleDefinitionId), '|', tostring(properties.updatedOn))) by id = tolower(tostring(properties.principalId))`,
		strings.Join(slices.Sorted(maps.Keys(principals)), ", "))
}

func readAssignments(raw json.RawMessage) ([]Found, error) {
	var row struct {
		Principal   string   `json:"id"`
		Assignments []string `json:"assignments"`
	}
	if err := json.Unmarshal(raw, &row); err != nil {
		return nil, err
	}
	out := make([]Found, len(row.Assignments))
	for i, text := range row.Assignments {
		var read bool
		if out[i], read = readAssignment(text, row.Principal); !read {
			return nil, fmt.Errorf("assignment %q has another form", text)
		}
	}
	return out, nil
}

// readAssignment reads "id|role definition|time". A scope is the id's beginning.
func readAssignment(text, principal string) (Found, bool) {
	rest, updated, timed := cutLast(text)
	id, definition, whole := cutLast(rest)
	at := strings.LastIndex(strings.ToLower(id), "/providers/microsoft.authorization/roleassignments/")
	if !timed || !whole || at < 0 {
		return Found{}, false
	}
	changed, err := time.Parse(time.RFC3339Nano, updated)
	if err != nil {
		changed = time.Time{} // without a time it is only looked at more often
	}
	return Found{ID: id, ChangedAt: changed, Fields: map[string]any{
		FieldScope: id[:at], FieldRole: definition[strings.LastIndexByte(definition, '/')+1:], FieldPrincipal: principal,
	}}, true
}

// cutLast cuts at the last bar: an id may have one, what follows it has none.
func cutLast(text string) (before, after string, found bool) {
	if at := strings.LastIndexByte(text, '|'); at >= 0 {
		return text[:at], text[at+1:], true
	}
	return text, "", false
}
