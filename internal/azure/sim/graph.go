package sim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/kql"
)

// graphPage is how many rows Resource Graph answers at once.
const graphPage = 1000

// graphWindow is the time in which a principal may send as many queries as its quota says.
const graphWindow = 5 * time.Second

// graphRequest is the body of a query.
type graphRequest struct {
	Query            string   `json:"query"`
	Subscriptions    []string `json:"subscriptions"`
	ManagementGroups []string `json:"managementGroups"`
	Facets           []any    `json:"facets"`
	Options          struct {
		SkipToken    string `json:"$skipToken"`
		Top          *int   `json:"$top"`
		Skip         int    `json:"$skip"`
		ResultFormat string `json:"resultFormat"`
		// AllowPartialScopes and ScopeFilter have no effect here.
		AllowPartialScopes bool   `json:"allowPartialScopes"`
		ScopeFilter        string `json:"authorizationScopeFilter"`
	} `json:"options"`
}

// queryGraph answers a query of Azure Resource Graph: what the index knew resourceGraphLag ago.
func queryGraph(c *cloud, r *call) (reply, error) {
	headers, err := c.takeGraphQuota(r)
	if err != nil {
		return reply{}, err
	}
	answer, err := c.answerGraph(r)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: answer, header: headers}, nil
}

func (c *cloud) answerGraph(r *call) (armjson.Object, error) {
	request, err := readGraphRequest(r.body)
	if err != nil {
		return nil, c.graphError(err)
	}
	query, err := kql.Parse(request.Query)
	if err != nil {
		return nil, c.graphError(err)
	}
	known, err := c.graphScope(request)
	if err != nil {
		return nil, c.graphError(err)
	}
	table, err := c.graphTable(r, query.Table, known)
	if err != nil {
		return nil, c.graphError(err)
	}
	result, err := query.Run(table)
	if err != nil {
		return nil, c.graphError(err)
	}
	return cutGraph(request, result)
}

func readGraphRequest(body armjson.Object) (graphRequest, error) {
	var request graphRequest
	if err := armjson.Decode(body, &request); err != nil {
		return request, armerr.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	top := request.Options.Top
	switch {
	case strings.TrimSpace(request.Query) == "":
		return request, graphRefusal("EmptyQuery", "The query must not be empty.")
	case len(request.Facets) > 0 || request.Options.ResultFormat != "" && request.Options.ResultFormat != "objectArray":
		return request, armerr.New(http.StatusNotImplemented, "NotSimulated", "The simulator answers no facets, and object arrays only.")
	case top != nil && (*top < 1 || *top > graphPage):
		return request, graphRefusal("InvalidPageSize", fmt.Sprintf("The page size %d is not between 1 and %d.", *top, graphPage))
	case request.Options.Skip < 0:
		return request, graphRefusal("InvalidSkip", "$skip must not be negative.")
	}
	return request, nil
}

// graphScope tells which subscriptions a query is about: those named, or all.
func (c *cloud) graphScope(request graphRequest) (func(subscription string) bool, error) {
	if len(request.Subscriptions) == 0 {
		return func(string) bool { return true }, nil
	}
	named := map[string]bool{}
	for _, id := range request.Subscriptions {
		exists := len(c.settings.Subscriptions) == 0 || slices.ContainsFunc(c.settings.Subscriptions, func(s string) bool { return strings.EqualFold(s, id) })
		if uuid.Validate(id) == nil && exists {
			named[strings.ToLower(id)] = true
		}
	}
	if len(named) == 0 {
		return nil, graphRefusal("NoValidSubscriptionsInQueryRequest",
			fmt.Sprintf("There must be at least one subscription that is eligible to contain resources. Given: '%s'.", strings.Join(request.Subscriptions, ", ")))
	}
	return func(subscription string) bool { return named[strings.ToLower(subscription)] }, nil
}

// graphToken is what a skip token says: where to go on, and in the answer to which query.
type graphToken struct {
	At    int    `json:"at"`
	Query string `json:"query"`
}

// cutGraph answers one page. Only a result that has the id of its rows can be gone on with; any other is cut.
func cutGraph(request graphRequest, result kql.Table) (armjson.Object, error) {
	sum := sha256.Sum256([]byte(request.Query))
	token := graphToken{At: request.Options.Skip, Query: hex.EncodeToString(sum[:8])}
	if text := request.Options.SkipToken; text != "" {
		var sent graphToken
		raw, err := base64.StdEncoding.DecodeString(text)
		if err == nil {
			err = json.Unmarshal(raw, &sent)
		}
		if err != nil || sent.Query != token.Query || sent.At < 0 {
			return nil, armerr.BadRequest("BadRequest", "The $skipToken is not one of this query.").OnProperty("options.$skipToken")
		}
		token = sent
	}
	size := graphPage
	if request.Options.Top != nil {
		size = *request.Options.Top
	}
	from := min(token.At, len(result.Rows))
	to := min(from+size, len(result.Rows))
	data := []any{}
	for _, row := range result.Rows[from:to] {
		full := armjson.Object{}
		for _, column := range result.Columns {
			full[column] = row[column]
		}
		data = append(data, full)
	}
	answer := armjson.Object{"totalRecords": len(result.Rows), "count": len(data), "data": data, "facets": []any{}, "resultTruncated": "false"}
	switch {
	case to == len(result.Rows):
	case slices.Contains(result.Columns, "id"):
		token.At = to
		raw, err := json.Marshal(token)
		if err != nil {
			return nil, err
		}
		answer["$skipToken"] = base64.StdEncoding.EncodeToString(raw)
	default:
		answer["resultTruncated"] = "true"
	}
	return answer, nil
}

// graphRefusal is an error whose own code is in the details, as Resource Graph writes it.
func graphRefusal(code, message string) *armerr.Error {
	e := armerr.BadRequest("BadRequest", "%s", "")
	e.Details = []map[string]any{{"code": code, "message": message}}
	return e
}

// graphError writes an error as Resource Graph does.
func (c *cloud) graphError(err error) error {
	var e *armerr.Error
	var q *kql.Error
	switch {
	case errors.As(err, &q) && q.Kind == kql.NotSimulated:
		return armerr.New(http.StatusNotImplemented, "NotSimulated", "%s.", q)
	case errors.As(err, &q):
		e = graphRefusal("InvalidQuery", "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before retrying.")
		e.Details = append(e.Details, map[string]any{
			"code": q.Kind, "message": q.Message, "line": q.Line, "characterPositionInLine": q.Position, "token": q.Token, "expectedToken": "",
		})
	case !errors.As(err, &e):
		return err
	}
	if e.Message == "" {
		e.Message = c.supportInfo()
	}
	return e
}

func (c *cloud) supportInfo() string {
	return fmt.Sprintf("Please provide below info when asking for support: timestamp = %s, correlationId = %s.",
		c.clock.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"), uuid.NewString())
}

// quotaWindow counts the queries of one principal.
type quotaWindow struct {
	began time.Time
	used  int
}

// takeGraphQuota counts a query against the caller's quota and tells what is left of it.
func (c *cloud) takeGraphQuota(r *call) (http.Header, error) {
	quota, now := c.settings.ResourceGraphQuota, c.clock.Now()
	if quota <= 0 {
		return nil, nil
	}
	if c.graphQuota == nil {
		c.graphQuota = map[string]*quotaWindow{}
	}
	w := c.graphQuota[r.caller]
	if w == nil || now.Sub(w.began) >= graphWindow {
		w = &quotaWindow{began: now}
		c.graphQuota[r.caller] = w
	}
	left := w.began.Add(graphWindow).Sub(now)
	if w.used >= quota {
		e := armerr.New(http.StatusTooManyRequests, "RateLimiting", "%s", c.supportInfo())
		e.RetryAfter = left
		e.Details = []map[string]any{{"code": "RateLimiting", "message": "Client application has been throttled and should not attempt to repeat the request until an amount of time has elapsed. " +
			"Please see https://aka.ms/resourcegraph-throttling for help."}}
		e.Header = quotaHeaders(0, left)
		return nil, e
	}
	w.used++
	return quotaHeaders(quota-w.used, left), nil
}

func quotaHeaders(remaining int, resets time.Duration) http.Header {
	seconds := int((resets + time.Second - 1) / time.Second)
	h := http.Header{}
	h.Set("x-ms-user-quota-remaining", strconv.Itoa(remaining))
	h.Set("x-ms-user-quota-resets-after", fmt.Sprintf("00:00:%02d", seconds))
	return h
}
