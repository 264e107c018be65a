package sim

import (
	"net/http"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// written applies the script to the operation that a PUT, PATCH, POST or DELETE has started, and answers the call.
func (c *cloud) written(r *call, o *operation, status int, body any) reply {
	c.script(r, o)
	a := c.activityOf(r)
	o.Activity = &a
	return c.following(r, o, status, body)
}

// joined answers a DELETE of what is being deleted: with the operation that runs, which another call has started.
func (c *cloud) joined(r *call, o *operation) reply {
	return c.following(r, o, http.StatusAccepted, nil)
}

// following is an answer with the headers by which pollers follow an operation.
func (c *cloud) following(r *call, o *operation, status int, body any) reply {
	provider := r.path.Namespace
	results := "operationresults"
	if provider == "Microsoft.Network" {
		results = "operationResults"
	}
	base := "https://" + r.host + "/subscriptions/" + r.path.Subscription + "/providers/" + provider + "/locations/" + o.Region + "/"
	h := http.Header{}
	h.Set("Retry-After", armerr.Seconds(c.settings.Durations.RetryAfter.Duration))
	if o.Kind != opGroupDelete {
		h.Set("Azure-AsyncOperation", base+"operations/"+o.ID+"?api-version="+r.version)
	}
	if r.method == http.MethodDelete || r.method == http.MethodPost {
		h.Set("Location", base+results+"/"+o.ID+"?api-version="+r.version)
	}
	return reply{status: status, body: body, header: h}
}

// script applies what the faults say about the operation that a call has started.
func (c *cloud) script(r *call, o *operation) {
	o.Stuck = r.fault.StickOperation
	o.NeverBoot = r.fault.NeverBoot
	if r.fault.FailOperation != nil {
		o.FailWith = r.fault.FailOperation.arm()
	}
}

// getOperation answers Azure-AsyncOperation.
func getOperation(c *cloud, r *call) (reply, error) {
	o, err := c.operationOf(r)
	if err != nil {
		return reply{}, err
	}
	body := armjson.Object{"name": o.ID, "status": o.Status, "startTime": o.Start.UTC().Format(time.RFC3339Nano)}
	h := http.Header{}
	if o.running() {
		h.Set("Retry-After", armerr.Seconds(c.settings.Durations.RetryAfter.Duration))
		body["percentComplete"] = 100 * o.Done / o.Steps
	} else {
		body["endTime"] = o.End.UTC().Format(time.RFC3339Nano)
	}
	if o.Error != nil {
		body["error"] = armjson.Object{"code": o.Error.Code, "message": o.Error.Message}
	}
	return reply{status: http.StatusOK, body: body, header: h}, nil
}

// getOperationResult answers Location: 202 while the operation runs, then its end.
func getOperationResult(c *cloud, r *call) (reply, error) {
	o, err := c.operationOf(r)
	if err != nil {
		return reply{}, err
	}
	switch {
	case o.running():
		h := http.Header{}
		h.Set("Retry-After", armerr.Seconds(c.settings.Durations.RetryAfter.Duration))
		h.Set("Location", "https://"+r.host+r.path.ID()+"?api-version="+r.version)
		return reply{status: http.StatusAccepted, header: h}, nil
	case o.Error != nil:
		e := *o.Error
		if e.Status == 0 {
			e.Status = http.StatusConflict
		}
		return reply{}, &e
	default:
		return reply{status: http.StatusNoContent}, nil
	}
}

func (c *cloud) operationOf(r *call) (*operation, error) {
	o := c.state.Operations[strings.ToLower(r.path.Name())]
	if o == nil {
		return nil, armerr.NotFound("NotFound", "The operation '%s' was not found.", r.path.Name())
	}
	return o, nil
}
