package sim

import (
	"net/http"
	"strings"
)

// action is what a call does in the words of Azure role-based access control, for instance
// Microsoft.ContainerService/managedClusters/write.
func (r *call) action() string {
	kind := r.kind
	if kind == typeGroup {
		kind = "Microsoft.Resources/subscriptions/resourceGroups"
	}
	switch r.method {
	case http.MethodGet, http.MethodHead:
		return kind + "/read"
	case http.MethodDelete:
		return kind + "/delete"
	case http.MethodPost:
		if r.verb == "" { // a query
			return kind + "/read"
		}
		return kind + "/" + r.verb + "/action"
	default:
		return kind + "/write"
	}
}

// scope is the id of what a call is about: a resource, or what the listed collection belongs to.
func (r *call) scope() string {
	switch {
	case r.path.IsResource():
		return r.path.ID()
	case len(r.path.Types) > 1:
		return r.path.Parent().ID()
	default:
		return scopeOf(r.path)
	}
}

// writes tells whether a call may change something.
func (r *call) writes() bool {
	return r.method != http.MethodGet && r.method != http.MethodHead && !strings.HasSuffix(r.action(), "/read")
}
