package arm

import (
	"regexp"

	"github.com/fleetwright/fleetwright/internal/azure/identity"
)

// who is the identity behind a Client.
type who struct {
	// principal is what Azure counts requests by; see Client.Principal.
	principal string
	// name is how messages call it, so that a person can grant it what it lacks; empty for the operator's own.
	name string
	// secrets must not come back out of a message, whoever wrote it.
	secrets []identity.Secret
}

// Principal is the key by which Azure counts the requests of this identity: its client id, in lower case. Clients of one principal share
// its limits, whichever object names it and however it signs in.
func (c *Client) Principal() string { return c.who.principal }

// token looks like a token that Entra or Kubernetes has signed.
var token = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`)

// discreet is a text of Azure's, or of anything that answers in its place, without secrets and tokens of the identity.
func (w who) discreet(text string) string {
	for _, s := range w.secrets {
		text = s.Hide(text)
	}
	return token.ReplaceAllString(text, "(token)")
}
