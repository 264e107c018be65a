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

// Canonical resource types.
const (
	typeGroup          = "Microsoft.Resources/resourceGroups"
	typeNetwork        = "Microsoft.Network/virtualNetworks"
	typeSubnet         = "Microsoft.Network/virtualNetworks/subnets"
	typeCluster        = "Microsoft.ContainerService/managedClusters"
	typePool           = "Microsoft.ContainerService/managedClusters/agentPools"
	typeMaintenance    = "Microsoft.ContainerService/managedClusters/maintenanceConfigurations"
	typeNetworkUsage   = "Microsoft.Network/virtualNetworks/usages"
	typeSKU            = "Microsoft.Compute/skus"
	typeUsage          = "Microsoft.Compute/locations/usages"
	typeScaleSet       = "Microsoft.Compute/virtualMachineScaleSets"
	typeMachine        = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
	typeRoleAssignment = "Microsoft.Authorization/roleAssignments"
	typeRoleDefinition = "Microsoft.Authorization/roleDefinitions"
	typeGraph          = "Microsoft.ResourceGraph/resources"
	typeRegistry       = "Microsoft.ContainerRegistry/registries"
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

// handler serves one method of one resource type. It runs with the lock held.
type handler func(c *cloud, r *call) (reply, error)

// resourceType is one row of the table of what is simulated.
type resourceType struct {
	// name is the canonical type, with the letter case used in answers.
	name string
	// versions are the api-versions that are understood.
	versions []string
	// resource, collection and action are the handlers by HTTP method; action's key is the name in lower case.
	resource, collection map[string]handler
	action               map[string]handler
	// extension types live under the scope of any resource; all others directly under a subscription or group.
	extension bool
}

// resourceTypes is the table of what is simulated. Everything else is refused.
func resourceTypes() []resourceType {
	aksVersions := []string{
		"2022-04-01", "2023-02-01", "2023-10-01", "2024-02-01", "2024-05-01", "2024-09-01", "2025-01-01", "2025-02-01", "2025-03-01",
		"2025-04-01", "2025-05-01", "2025-06-02-preview", "2025-07-01", "2025-08-01", "2025-09-01", "2025-10-01",
	}
	networkVersions := []string{"2020-11-01", "2021-08-01", "2022-07-01", "2023-09-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01", "2025-01-01", "2025-03-01", "2025-05-01"}
	computeVersions := []string{"2021-11-01", "2022-08-01", "2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01", "2025-11-01", "2026-04-01"}
	groupVersions := []string{"2020-06-01", "2020-10-01", "2021-04-01", "2022-09-01", "2023-07-01", "2024-03-01", "2024-07-01", "2025-03-01", "2025-04-01"}
	roleVersions := []string{"2018-01-01-preview", "2018-09-01-preview", "2020-04-01-preview", "2022-04-01"}
	registryVersions := []string{"2019-05-01", "2021-09-01", "2022-12-01", "2023-01-01-preview", "2023-07-01", "2025-04-01", "2025-11-01"}
	return []resourceType{
		{name: typeGroup, versions: groupVersions,
			resource:   map[string]handler{"PUT": putGroup, "GET": getResource, "HEAD": headResource, "PATCH": patchGroup, "DELETE": deleteGroup},
			collection: map[string]handler{"GET": listGroups}},
		{name: typeNetwork, versions: networkVersions,
			resource:   map[string]handler{"PUT": putNetwork, "GET": getResource, "HEAD": headResource, "PATCH": patchTags, "DELETE": deleteNetwork},
			collection: map[string]handler{"GET": listResources}},
		{name: typeSubnet, versions: networkVersions,
			resource:   map[string]handler{"PUT": putSubnet, "GET": getResource, "HEAD": headResource, "DELETE": deleteSubnet},
			collection: map[string]handler{"GET": listResources}},
		{name: typeCluster, versions: aksVersions,
			resource:   map[string]handler{"PUT": putCluster, "GET": getResource, "HEAD": headResource, "PATCH": patchCluster, "DELETE": deleteCluster},
			collection: map[string]handler{"GET": listResources},
			action:     map[string]handler{"listclusteradmincredential": adminCredential, "listclusterusercredential": userCredential}},
		{name: typePool, versions: aksVersions,
			resource:   map[string]handler{"PUT": putPool, "GET": getResource, "HEAD": headResource, "DELETE": deletePool},
			collection: map[string]handler{"GET": listResources},
			action:     map[string]handler{"deletemachines": deleteMachines}},
		{name: typeMaintenance, versions: aksVersions,
			resource:   map[string]handler{"PUT": putMaintenance, "GET": getResource, "HEAD": headResource, "DELETE": deleteMaintenance},
			collection: map[string]handler{"GET": listResources}},
		{name: "Microsoft.ContainerService/locations/operations", versions: aksVersions, resource: map[string]handler{"GET": getOperation}},
		{name: "Microsoft.ContainerService/locations/operationresults", versions: aksVersions, resource: map[string]handler{"GET": getOperationResult}},
		{name: "Microsoft.Network/locations/operations", versions: networkVersions, resource: map[string]handler{"GET": getOperation}},
		{name: "Microsoft.Network/locations/operationResults", versions: networkVersions, resource: map[string]handler{"GET": getOperationResult}},
		{name: "Microsoft.Resources/locations/operationresults", versions: groupVersions, resource: map[string]handler{"GET": getOperationResult}},
		{name: "Microsoft.Insights/eventtypes/values", versions: []string{"2015-04-01", "2017-03-01-preview"}, collection: map[string]handler{"GET": listActivities}},
		{name: typeGraph, versions: []string{"2021-03-01", "2021-06-01-preview", "2022-10-01", "2024-04-01"}, collection: map[string]handler{"POST": queryGraph}},
		{name: typeNetworkUsage, versions: networkVersions, collection: map[string]handler{"GET": listNetworkUsages}},
		{name: typeUsage, versions: computeVersions, collection: map[string]handler{"GET": listUsages}},
		{name: typeSKU, versions: []string{"2019-04-01", "2021-07-01"}, collection: map[string]handler{"GET": listSKUs}},
		{name: typeScaleSet, versions: computeVersions,
			resource: map[string]handler{"GET": getScaleSet}, collection: map[string]handler{"GET": listScaleSets}},
		{name: typeMachine, versions: computeVersions,
			resource: map[string]handler{"GET": getMachine}, collection: map[string]handler{"GET": listMachines}},
		{name: typeRoleAssignment, versions: roleVersions, extension: true,
			resource:   map[string]handler{"PUT": putRoleAssignment, "GET": getRoleAssignment, "HEAD": headResource, "DELETE": deleteRoleAssignment},
			collection: map[string]handler{"GET": listRoleAssignments}},
		{name: typeRoleDefinition, versions: roleVersions, extension: true,
			resource:   map[string]handler{"PUT": putRoleDefinition, "GET": getRoleDefinition, "DELETE": deleteRoleDefinition},
			collection: map[string]handler{"GET": listRoleDefinitions}},
		{name: typeRegistry, versions: registryVersions,
			resource:   map[string]handler{"PUT": putRegistry, "GET": getResource, "HEAD": headResource, "PATCH": patchTags, "DELETE": deleteRegistry},
			collection: map[string]handler{"GET": listResources}},
	}
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
