// Package graph is the port for looking at many things in Azure at once, a little late, and at who changed one of them.
package graph

import (
	"context"
	"encoding/json"
	"time"
)

// PageRows is the most rows that Resource Graph puts on a page.
const PageRows = 1000

// Azure is what a sweep asks. Errors are refusals (package refusal). Each method makes one request but Rows, which makes one per page.
type Azure interface {
	// Query asks Resource Graph for one page. What it answers was true up to some minutes ago, and holds only what the identity may read:
	// it says nothing about what it left out.
	Query(ctx context.Context, q Query) (Page, error)
	// Rows reads a whole list of Azure Resource Manager, live. For kinds that Resource Graph does not have.
	Rows(ctx context.Context, c Collection) ([]json.RawMessage, error)
}

// Query is one question to Resource Graph.
type Query struct {
	// Subscriptions are their ids; none means all that the identity may read.
	Subscriptions []string
	// Text is the question in its query language. For pages to follow on each other it projects id and orders by it.
	Text string
	// SkipToken is the one of the page before, empty for the first.
	SkipToken string
}

// Page is a part of an answer.
type Page struct {
	// Rows are objects as the question projects them.
	Rows []json.RawMessage
	// Total is how many rows all pages have.
	Total int
	// SkipToken asks for the next page; empty on the last one.
	SkipToken string
	// Remaining is how many queries this identity may make before ResetsAfter has passed. Both are zero when Azure does not say.
	Remaining   int
	ResetsAfter time.Duration
}

// Spent tells whether the next query has to wait for ResetsAfter.
func (p Page) Spent() bool { return p.Remaining <= 0 && p.ResetsAfter > 0 }

// Collection is one list of Azure Resource Manager.
type Collection struct {
	// Path is below the endpoint and starts with a slash; Filter is OData, empty for none.
	Path, Version, Filter string
	// Action and Scope are the right that is needed.
	Action, Scope string
}

// Change is one entry of the activity log about a thing: a write or deletion that Azure has accepted.
type Change struct {
	At time.Time
	// By is a user's name or an application's id; empty if Azure does not say.
	By string
	// Operation is such as Microsoft.Authorization/roleAssignments/delete.
	Operation string
}

// Log is who changed a thing. Entries appear 3 to 20 minutes late.
type Log interface {
	// Changes are the writes and deletions of a thing since a time, oldest first.
	Changes(ctx context.Context, id string, since time.Time) ([]Change, error)
}
