package sweep

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/internal/azure/graph"
	"github.com/fleetwright/fleetwright/internal/drift"
)

// Target is one kind of thing that is swept. Either Query or Lists is given.
type Target struct {
	// Name is for logs and metrics, such as "role assignments".
	Name string
	// Every is the time between two looks at the same thing; zero is that of the Options.
	Every time.Duration
	// Declared is what should be in Azure, read from the cache. It leaves out what is paused, being deleted, or was never applied.
	Declared func(context.Context) ([]Declared, error)
	// Query is the question to Resource Graph that gives the rows of these things. Its rows have an id; order is added.
	Query func([]Declared) string
	// Row names the row of Query that shows a thing, for a query that shows several in one; nil when each has its own.
	Row func(Declared) string
	// Lists are the lists that have them, for a kind that Resource Graph does not have.
	Lists func([]Declared) []graph.Collection
	// Read takes a row apart. What is something else has an id that is not declared, and is passed over.
	Read func(json.RawMessage) ([]Found, error)
	// Rules are those of the controller's own comparison, so that both see the same.
	Rules []drift.Rule
}

// Declared is one thing as it should be.
type Declared struct {
	// Object is whose spec says so.
	Object types.NamespacedName
	// ID is the thing's ARM id.
	ID string
	// Fields are what is owned, by the names that Read gives; none when only its being there counts.
	Fields map[string]any
}

// Found is one thing as Azure shows it.
type Found struct {
	ID     string
	Fields map[string]any
	// ChangedAt is when Azure says that the thing was changed last; zero if the row does not say. With it a row that is older than
	// what is known is recognised at once, without it for some minutes only.
	ChangedAt time.Time
}

// idKey is the same for two ids of one thing. Unlike package armid it takes any id: what is not one matches nothing.
func idKey(id string) string { return strings.ToLower(strings.TrimSuffix(id, "/")) }

// subscriptionOf is the subscription of an id in lower case; empty for what is above all subscriptions.
func subscriptionOf(id string) string {
	const prefix = "/subscriptions/"
	if len(id) < len(prefix) || !strings.EqualFold(id[:len(prefix)], prefix) {
		return ""
	}
	subscription, _, _ := strings.Cut(id[len(prefix):], "/")
	return strings.ToLower(subscription)
}
