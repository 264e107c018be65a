package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/fleetwright/fleetwright/internal/azure/graph"
)

var (
	_ graph.Azure = (*Client)(nil)
	_ graph.Log   = (*Client)(nil)
)

const (
	// graphVersion is the one of armresourcegraph v0.10, eventsVersion that of armmonitor v0.13.
	graphVersion  = "2024-04-01"
	eventsVersion = "2015-04-01"

	graphPath   = "/providers/Microsoft.ResourceGraph/resources"
	graphAction = "Microsoft.ResourceGraph/resources/read"
	readEvents  = "Microsoft.Insights/eventtypes/values/Read"
)

// graphQuestion and graphAnswer are the bodies of a query.
type graphQuestion struct {
	Subscriptions []string     `json:"subscriptions,omitempty"`
	Query         string       `json:"query"`
	Options       graphOptions `json:"options"`
}

type graphOptions struct {
	SkipToken    string `json:"$skipToken,omitempty"`
	Top          int    `json:"$top"`
	ResultFormat string `json:"resultFormat"`
}

type graphAnswer struct {
	Total     int               `json:"totalRecords"`
	Truncated string            `json:"resultTruncated"`
	SkipToken string            `json:"$skipToken"`
	Data      []json.RawMessage `json:"data"`
}

// Query implements graph.Azure with one POST. An answer that is cut and cannot be gone on with is an error: what it leaves out would look
// as if it were gone.
func (c *Client) Query(ctx context.Context, q graph.Query) (graph.Page, error) {
	const doing = "ask Resource Graph"
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var answer graphAnswer
	header, err := c.ask(limited, graphQuestion{
		Subscriptions: q.Subscriptions, Query: q.Text,
		Options: graphOptions{SkipToken: q.SkipToken, Top: graph.PageRows, ResultFormat: "objectArray"},
	}, &answer)
	switch {
	case ctx.Err() != nil:
		return graph.Page{}, fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	case err != nil:
		return graph.Page{}, c.refused(doing, err, right{graphAction, "/"})
	case answer.Truncated == "true" && answer.SkipToken == "":
		return graph.Page{}, fmt.Errorf("%s: the answer is cut at %d of %d rows: the query has to project id and to order by it", doing, len(answer.Data), answer.Total)
	}
	page := graph.Page{Rows: answer.Data, Total: answer.Total, SkipToken: answer.SkipToken}
	page.Remaining, page.ResetsAfter = quotaOf(header)
	return page, nil
}

func (c *Client) ask(ctx context.Context, question graphQuestion, answer *graphAnswer) (http.Header, error) {
	req, err := runtime.NewRequest(ctx, http.MethodPost, runtime.JoinPaths(c.reads.Endpoint(), graphPath))
	if err != nil {
		return nil, err
	}
	req.Raw().URL.RawQuery = url.Values{"api-version": {graphVersion}}.Encode()
	req.Raw().Header.Set("Accept", "application/json")
	if err := runtime.MarshalAsJSON(req, question); err != nil {
		return nil, err
	}
	response, err := c.reads.Pipeline().Do(req)
	if err != nil {
		return nil, err
	}
	if !runtime.HasStatusCode(response, http.StatusOK) {
		return nil, runtime.NewResponseError(response)
	}
	return response.Header, runtime.UnmarshalAsJSON(response, answer)
}

// quotaOf reads how many queries are left, and until when (hh:mm:ss).
func quotaOf(h http.Header) (remaining int, resets time.Duration) {
	remaining, err := strconv.Atoi(h.Get("X-Ms-User-Quota-Remaining"))
	if err != nil {
		return 0, 0
	}
	var hours, minutes, seconds int
	if n, err := fmt.Sscanf(h.Get("X-Ms-User-Quota-Resets-After"), "%d:%d:%d", &hours, &minutes, &seconds); n != 3 || err != nil {
		return remaining, 0
	}
	return remaining, time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second
}

// Rows implements graph.Azure.
func (c *Client) Rows(ctx context.Context, what graph.Collection) ([]json.RawMessage, error) {
	doing := "list " + lastSegment(what.Path)
	if err := straight(what.Path); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	rows, err := list[json.RawMessage](limited, c, doing, collection{
		path: what.Path, version: what.Version, filter: what.Filter, needs: right{what.Action, what.Scope},
	})
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	return rows, err
}

// event is one entry of the activity log.
type event struct {
	At        time.Time    `json:"eventTimestamp"`
	Caller    string       `json:"caller"`
	Operation localizable  `json:"operationName"`
	Status    *localizable `json:"status"`
}

type localizable struct {
	Value string `json:"value"`
}

// change tells whether an entry is about a change that was made: an operation has one when it starts and others while it goes on.
func (e event) change() bool {
	operation := strings.ToLower(e.Operation.Value)
	return (strings.HasSuffix(operation, "/write") || strings.HasSuffix(operation, "/delete")) && e.Status != nil && strings.EqualFold(e.Status.Value, "Succeeded")
}

// Changes implements graph.Log. Azure lists the newest entries first. They come whole: caller is not among what $select may name.
func (c *Client) Changes(ctx context.Context, id string, since time.Time) ([]graph.Change, error) {
	doing := "read who changed " + lastSegment(id)
	if err := straight(id); err != nil || strings.Contains(id, "'") {
		return nil, fmt.Errorf("%s: %q is not an Azure resource id", doing, id)
	}
	segments := strings.Split(strings.TrimPrefix(id, "/"), "/")
	if len(segments) < 2 || !strings.EqualFold(segments[0], "subscriptions") {
		return nil, fmt.Errorf("%s: %s is in no subscription, whose log could be read", doing, id)
	}
	scope := "/subscriptions/" + segments[1]
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	events, err := list[event](limited, c, doing, collection{
		path: scope + "/providers/Microsoft.Insights/eventtypes/management/values", version: eventsVersion,
		filter: fmt.Sprintf("eventTimestamp ge '%s' and eventTimestamp le '%s' and resourceUri eq '%s'",
			since.UTC().Format(time.RFC3339), c.clock.Now().UTC().Format(time.RFC3339), id),
		needs: right{readEvents, scope},
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s: %w", doing, context.Cause(ctx))
		}
		return nil, err
	}
	var out []graph.Change
	for _, e := range slices.Backward(events) {
		if e.change() {
			out = append(out, graph.Change{At: e.At, By: e.Caller, Operation: e.Operation.Value})
		}
	}
	return out, nil
}
