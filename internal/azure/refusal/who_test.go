package refusal_test

import (
	"testing"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// A right is granted to somebody: the message says to whom.
func TestRefusalNamesWhoAsked(t *testing.T) {
	for want, e := range map[string]*refusal.Error{
		"read x: client 4 may not; grant it a/read on /s (Forbidden)":                {Kind: refusal.Denied, Doing: "read x", Who: "client 4", Code: "Forbidden", Action: "a/read", Scope: "/s"},
		"read x: Azure does not accept client 4: Expired: too old":                   {Kind: refusal.Denied, Doing: "read x", Who: "client 4", Code: "Expired", Message: "too old"},
		"read x: the operator's identity may not; grant it a/read on /s (Forbidden)": {Kind: refusal.Denied, Doing: "read x", Code: "Forbidden", Action: "a/read", Scope: "/s"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}
