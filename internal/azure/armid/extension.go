package armid

import (
	"errors"
	"fmt"
	"strings"
)

// Scope is what an extension resource hangs on: the management group,
// subscription, resource group or resource of a role assignment. Of any other
// resource it is the resource group or subscription that it is in; false for
// what is in none, such as a management group.
func (id ID) Scope() (ID, bool) {
	segments := strings.Split(strings.TrimPrefix(id.text, "/"), "/")
	cut := 0
	// Words and names alternate, so that no name is taken for a word.
	for i := 0; i < len(segments); i += 2 {
		if strings.EqualFold(segments[i], "providers") {
			cut = i
		}
	}
	scope, err := Parse("/" + strings.Join(segments[:cut], "/"))
	return scope, err == nil
}

// Extension is the id of an extension resource on this one: kind is its type,
// for instance Microsoft.Authorization/roleAssignments.
func (id ID) Extension(kind, name string) (ID, error) {
	if id.key == "" {
		return ID{}, errors.New("an extension resource needs something to hang on")
	}
	if strings.Count(kind, "/") != 1 || strings.Contains(name, "/") {
		return ID{}, fmt.Errorf("%s named %q is not an extension resource", kind, name)
	}
	return Parse(id.text + "/providers/" + kind + "/" + name)
}

// Subscription is the subscription's GUID; empty for what is in none.
func (id ID) Subscription() string {
	segments := strings.Split(id.text, "/")
	if len(segments) < 3 || !strings.EqualFold(segments[1], "subscriptions") {
		return ""
	}
	return segments[2]
}
