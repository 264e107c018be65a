package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

// call is one ARM request after authentication, parsing and checks of form.
type call struct {
	method  string
	path    armpath.Path
	query   url.Values
	header  http.Header
	body    armjson.Object
	host    string
	version string
	tenant  string
	// kind is the canonical resource type, and verb the name of the action that a POST asks for.
	kind, verb string
	// correlation is the id by which the call is found in the activity log.
	correlation string
	// caller is the object id of the principal that calls, and app the id of its application.
	caller, app string
	// fault is the script for this call; zero when there is none.
	fault Effect
}

// reply is what an ARM request is answered with.
type reply struct {
	status int
	body   any
	header http.Header
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

func list(items []armjson.Object) reply {
	values := make([]any, 0, len(items))
	for _, i := range items {
		values = append(values, i)
	}
	return ok(armjson.Object{"value": values})
}

// route finds the handler of a parsed request and checks its api-version.
func (s *Server) route(r *call) (handler, error) {
	t, found := s.types[strings.ToLower(r.path.Type())]
	var h handler
	switch {
	case found && r.path.IsResource():
		h = t.resource[r.method]
	case found:
		h = t.collection[r.method]
	default:
		parent := r.path.Parent()
		if t, found = s.types[strings.ToLower(parent.Type())]; found && !r.path.IsResource() && r.method == http.MethodPost {
			r.verb = r.path.Types[len(r.path.Types)-1]
			h = t.action[strings.ToLower(r.verb)]
			r.path = parent
		}
	}
	if !found || h == nil || r.path.ScopeIsResource && !t.extension {
		return nil, armerr.New(http.StatusNotImplemented, "NotSimulated",
			"The simulator does not know %s on '%s'. What it knows is listed in docs/simulator.md.", r.method, r.path.ID())
	}
	if !slices.Contains(t.versions, r.version) {
		return nil, armerr.BadRequest("NoRegisteredProviderFound",
			"No registered resource provider found for API version '%s' for type '%s'. The supported api-versions are '%s'.",
			r.version, t.name, strings.Join(t.versions, ", "))
	}
	r.kind = t.name
	return h, nil
}

// serveARM answers one ARM request: form first, then the script of faults, limits, and at last the resource itself.
func (s *Server) serveARM(w http.ResponseWriter, req *http.Request, body []byte) {
	w.Header().Set("x-ms-request-id", uuid.NewString())
	correlation := uuid.NewString()
	w.Header().Set("x-ms-correlation-request-id", correlation)
	fault := s.faults.take(req)
	if fault.Delay.Duration > 0 && !s.wait(req, fault.Delay.Duration) {
		return
	}
	if fault.Error != nil {
		fault.Error.arm().Write(w)
		return
	}
	r, h, err := s.read(req, body, w.Header())
	if err != nil {
		writeError(w, err)
		return
	}
	r.fault, r.correlation = fault, correlation
	var answer reply
	saved := s.cloud.locked(func() { answer, err = s.cloud.handle(r, h) })
	if saved != nil {
		err = armerr.New(http.StatusInternalServerError, "InternalServerError", "%v", saved)
	}
	if fault.LoseReply {
		// The connection breaks after the effect: the client cannot know whether it happened.
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	maps.Copy(w.Header(), answer.header)
	writeJSON(w, answer.status, answer.body)
}

// handle does what a call asks for, if the caller may, and logs it.
func (c *cloud) handle(r *call, h handler) (reply, error) {
	var answer reply
	err := c.authorize(r)
	if err == nil {
		c.calling = r
		answer, err = h(c, r)
		c.calling = nil
	}
	c.record(r, answer, err)
	return answer, err
}

// wait holds a request back; false means that the client has gone away meanwhile.
func (s *Server) wait(req *http.Request, d time.Duration) bool {
	select {
	case <-s.cloud.clock.After(d):
		return true
	case <-req.Context().Done():
		return false
	}
}

// read checks what every ARM request must have: a token, a readable path, a known api-version, and JSON in its body; and
// counts it against the limits, of which it says in the answer's header what is left.
func (s *Server) read(req *http.Request, body []byte, answer http.Header) (*call, handler, error) {
	claims, err := s.issuer.Verify(req.Header.Get("Authorization"))
	if err != nil {
		return nil, nil, unauthorized(err)
	}
	path, err := armpath.Parse(req.URL.EscapedPath())
	if err != nil {
		return nil, nil, armerr.BadRequest("InvalidRequestUri", "The request URI is not valid: %v.", err)
	}
	r := &call{
		method: req.Method, path: path, query: req.URL.Query(), header: req.Header, host: req.Host,
		version: req.URL.Query().Get("api-version"), tenant: claims.Tenant,
		caller: claims.Object, app: claims.Client,
	}
	if r.version == "" {
		return nil, nil, armerr.BadRequest("MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	}
	h, err := s.route(r)
	if err != nil {
		return nil, nil, err
	}
	if err := s.checkSubscription(path.Subscription); err != nil {
		return nil, nil, err
	}
	aksLimits, armLimits := s.cloud.limits()
	if err := s.throttle.takeARM(r, armLimits, answer); err != nil {
		return nil, nil, err
	}
	if err := s.throttle.take(r, aksLimits); err != nil {
		return nil, nil, err
	}
	if req.Method == http.MethodPut || req.Method == http.MethodPatch || req.Method == http.MethodPost && len(body) > 0 {
		if r.body, err = readBody(req, body); err != nil {
			return nil, nil, err
		}
	}
	return r, h, nil
}

func readBody(req *http.Request, body []byte) (armjson.Object, error) {
	kind, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return nil, armerr.New(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The content media type '%s' is not supported. Only 'application/json' is supported.", kind)
	}
	var o armjson.Object
	if err := json.Unmarshal(body, &o); err != nil || o == nil {
		return nil, armerr.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	if p, ok := o["properties"]; ok && p != nil && armjson.Get(o, "properties") == nil {
		return nil, armerr.BadRequest("InvalidRequestContent", "The request content was invalid: 'properties' is not an object.").OnProperty("properties")
	}
	return o, nil
}

func unauthorized(err error) error {
	code := "InvalidAuthenticationToken"
	if strings.Contains(err.Error(), "expired") {
		code = "ExpiredAuthenticationToken"
	}
	return armerr.New(http.StatusUnauthorized, code, "The access token is invalid: %v.", err)
}

func (s *Server) checkSubscription(id string) error {
	if id == "" {
		return nil
	}
	if uuid.Validate(id) != nil || len(id) != 36 {
		return armerr.BadRequest("InvalidSubscriptionId", "The provided subscription identifier '%s' is malformed or invalid.", id)
	}
	if known := s.cloud.subscriptions(); len(known) > 0 && !slices.Contains(known, strings.ToLower(id)) {
		return armerr.NotFound("SubscriptionNotFound", "The subscription '%s' could not be found.", id)
	}
	return nil
}

func writeError(w http.ResponseWriter, err error) {
	e, isARM := errors.AsType[*armerr.Error](err)
	if !isARM {
		e = armerr.New(http.StatusInternalServerError, "InternalServerError", "%s", fmt.Sprint(err))
	}
	e.Write(w)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone away
}
