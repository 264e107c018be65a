package sim

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

const (
	// keepActivities is how many events of the activity log are kept, and keepActivityDays for how long.
	keepActivities   = 1000
	keepActivityDays = 90
	activitiesOnPage = 200
)

// activity is one event of the activity log: that a write began, was accepted, succeeded or failed.
type activity struct {
	ID          string    `json:"id"`
	Time        time.Time `json:"time"`
	Correlation string    `json:"correlation"`
	Method      string    `json:"method"`
	Action      string    `json:"action"`
	Kind        string    `json:"kind"`
	Resource    string    `json:"resource"`
	Caller      string    `json:"caller"`
	Object      string    `json:"object"`
	Tenant      string    `json:"tenant"`
	Status      string    `json:"status"`
	// HTTP is the status that the caller got; 0 for an event without an answer.
	HTTP int `json:"http,omitempty"`
	// Message is the error of what failed.
	Message string `json:"message,omitempty"`
}

// record writes a call that has been answered to the activity log. Reads are not logged.
func (c *cloud) record(r *call, answer reply, err error) {
	if !r.writes() {
		return
	}
	a := c.activityOf(r)
	a.Status = "Started"
	c.addActivity(a)
	a.HTTP, a.Status = answer.status, statusSucceeded
	if answer.header.Get("Azure-AsyncOperation") != "" || answer.status == http.StatusAccepted {
		a.Status = "Accepted"
	}
	if err != nil {
		a.Status, a.Message, a.HTTP = statusFailed, err.Error(), http.StatusInternalServerError
		if e, isARM := errors.AsType[*armerr.Error](err); isARM {
			a.HTTP = e.Status
		}
	}
	c.addActivity(a)
}

func (c *cloud) activityOf(r *call) activity {
	return activity{
		Correlation: r.correlation, Method: r.method, Action: r.action(), Kind: r.kind, Resource: r.scope(),
		Caller: r.app, Object: r.caller, Tenant: r.tenant,
	}
}

func (c *cloud) addActivity(a activity) {
	a.ID, a.Time = uuid.NewString(), c.clock.Now()
	c.state.Activities = append(c.state.Activities, a)
	if extra := len(c.state.Activities) - keepActivities; extra > 0 {
		c.state.Activities = slices.Clone(c.state.Activities[extra:])
	}
	c.dirty = true
}

// recordEnd writes the end of an operation to the activity log, in the name of who started it.
func (c *cloud) recordEnd(o *operation, status string) {
	if o.Activity == nil {
		return
	}
	a := *o.Activity
	a.Status = status
	if o.Error != nil {
		a.Message = o.Error.Error()
	}
	c.addActivity(a)
}

var activityTerm = regexp.MustCompile(`^(eventTimestamp|resourceUri|resourceId|resourceGroupName|resourceProvider|correlationId) (eq|ge|le) '?([^']*)'?$`)

// readActivityFilter reads a $filter, which has to say at least from when on.
func (c *cloud) readActivityFilter(filter string) (func(activity) bool, error) {
	var keep []func(activity) bool
	from := time.Time{}
	for term := range strings.SplitSeq(filter, " and ") {
		m := activityTerm.FindStringSubmatch(strings.TrimSpace(term))
		if len(m) == 0 || (m[1] == "eventTimestamp") != (m[2] != "eq") {
			return nil, armerr.BadRequest("BadRequest", "The filter '%s' is not supported: give eventTimestamp with ge and le, and resourceUri, resourceGroupName, resourceProvider or correlationId with eq.", filter)
		}
		test, at, err := readActivityTerm(m[1], m[2], m[3])
		if err != nil {
			return nil, err
		}
		if !at.IsZero() && m[2] == "ge" {
			from = at
		}
		keep = append(keep, test)
	}
	switch {
	case from.IsZero():
		return nil, armerr.BadRequest("BadRequest", "The filter has to name a start: eventTimestamp ge '{time}'.")
	case c.clock.Since(from) > keepActivityDays*24*time.Hour:
		return nil, armerr.BadRequest("BadRequest", "The start time cannot be more than %d days in the past.", keepActivityDays)
	}
	return func(a activity) bool {
		return !slices.ContainsFunc(keep, func(test func(activity) bool) bool { return !test(a) })
	}, nil
}

func readActivityTerm(name, operator, value string) (test func(activity) bool, at time.Time, err error) {
	switch name {
	case "eventTimestamp":
		at, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			return nil, at, armerr.BadRequest("BadRequest", "'%s' is not a time.", value)
		}
		return func(a activity) bool {
			return operator == "ge" && !a.Time.Before(at) || operator == "le" && !a.Time.After(at)
		}, at, nil
	case "correlationId":
		return func(a activity) bool { return strings.EqualFold(a.Correlation, value) }, at, nil
	case "resourceGroupName":
		return func(a activity) bool {
			return strings.Contains(armpath.Key(a.Resource)+"/", "/resourcegroups/"+strings.ToLower(value)+"/")
		}, at, nil
	case "resourceProvider":
		return func(a activity) bool { return strings.EqualFold(provider(a.Kind), value) }, at, nil
	default:
		return func(a activity) bool { return armpath.Key(a.Resource) == armpath.Key(value) }, at, nil
	}
}

func provider(kind string) string {
	namespace, _, _ := strings.Cut(kind, "/")
	return namespace
}

// listActivities answers the activity log of a subscription, newest first, as it was activityLogLag ago.
func listActivities(c *cloud, r *call) (reply, error) {
	if !strings.EqualFold(r.path.Names[0], "management") || r.path.Subscription == "" {
		return reply{}, notFound(r.path)
	}
	keep, err := c.readActivityFilter(strings.TrimSpace(r.query.Get("$filter")))
	if err != nil {
		return reply{}, err
	}
	mine := "/subscriptions/" + strings.ToLower(r.path.Subscription) + "/"
	var items []armjson.Object
	for _, a := range slices.Backward(c.state.Activities) {
		late := c.clock.Since(a.Time) < c.settings.Durations.ActivityLogLag.Duration
		if late || !strings.HasPrefix(armpath.Key(a.Resource)+"/", mine) || !keep(a) {
			continue
		}
		items = append(items, a.show(r.path.Subscription, r.query.Get("$select")))
	}
	return page(r, items, activitiesOnPage)
}

func (a activity) show(subscription, selected string) armjson.Object {
	named := func(value string) armjson.Object { return armjson.Object{"value": value, "localizedValue": value} }
	event := map[string]string{"Started": "BeginRequest"}[a.Status]
	if event == "" {
		event = "EndRequest"
	}
	level := "Informational"
	if a.Status == statusFailed {
		level = "Error"
	}
	properties := armjson.Object{"entity": a.Resource, "eventCategory": "Administrative"}
	if a.Message != "" {
		properties["statusMessage"] = a.Message
	}
	out := armjson.Object{
		"eventTimestamp": a.Time.UTC().Format(systemTime), "submissionTimestamp": a.Time.UTC().Format(systemTime), "caller": a.Caller,
		"id": a.Resource + "/events/" + a.ID, "eventDataId": a.ID, "correlationId": a.Correlation, "operationId": a.Correlation,
		"operationName": named(a.Action), "category": named("Administrative"), "eventName": named(event), "status": named(a.Status), "level": level, "channels": "Operation",
		"resourceId": a.Resource, "resourceType": named(a.Kind), "resourceProviderName": named(provider(a.Kind)), "resourceGroupName": groupOf(a.Resource),
		"subscriptionId": subscription, "tenantId": a.Tenant, "subStatus": named(http.StatusText(a.HTTP)), "httpRequest": armjson.Object{"method": a.Method},
		"authorization": armjson.Object{"action": a.Action, "scope": a.Resource}, "properties": properties,
		"claims": armjson.Object{"appid": a.Caller, "http://schemas.microsoft.com/identity/claims/objectidentifier": a.Object, "http://schemas.microsoft.com/identity/claims/tenantid": a.Tenant},
	}
	if selected == "" {
		return out
	}
	chosen := armjson.Object{}
	for name := range strings.SplitSeq(selected, ",") {
		name = strings.TrimSpace(name)
		chosen[name] = out[name]
	}
	return chosen
}

func groupOf(id string) string {
	segments := strings.Split(id, "/")
	if len(segments) > 4 && strings.EqualFold(segments[3], "resourceGroups") {
		return segments[4]
	}
	return ""
}
