package sim

import (
	"encoding/json"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

const adminPrefix = "/simulator/"

// isAdmin tells requests to the admin endpoint. They have to name a loopback host: neither a program that comes
// through the proxy nor a web page that has found a name for 127.0.0.1 gets there.
func isAdmin(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	ip := net.ParseIP(host)
	return strings.HasPrefix(r.URL.Path, adminPrefix) && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// serveAdmin answers the admin endpoint. It is described in docs/simulator.md.
func (s *Server) serveAdmin(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /simulator/faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.faults.list()) })
	mux.HandleFunc("POST /simulator/faults", s.addFault)
	mux.HandleFunc("DELETE /simulator/faults", func(w http.ResponseWriter, _ *http.Request) { s.faults.remove(""); w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("DELETE /simulator/faults/{id}", s.removeFault)
	mux.HandleFunc("GET /simulator/settings", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Settings()) })
	mux.HandleFunc("PATCH /simulator/settings", s.patchSettings)
	mux.HandleFunc("GET /simulator/requests", s.listRequests)
	mux.HandleFunc("DELETE /simulator/requests", func(w http.ResponseWriter, _ *http.Request) { s.requests.clear(); w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /simulator/operations", s.listOperations)
	mux.HandleFunc("POST /simulator/operations/{id}/release", s.releaseOperation)
	mux.HandleFunc("POST /simulator/stuck", s.stick)
	mux.HandleFunc("GET /simulator/resources", s.listAll)
	mux.HandleFunc("GET /simulator/pull", s.askPull)
	mux.ServeHTTP(w, r)
}

func adminError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

// readAdmin decodes a body and refuses keys it does not know: a script with a typing error must not pass silently.
func readAdmin(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		adminError(w, http.StatusBadRequest, err.Error())
		return false
	}
	return true
}

func (s *Server) addFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if !readAdmin(w, r, &f) {
		return
	}
	added, err := s.AddFault(f)
	if err != nil {
		adminError(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusCreated, added)
}

func (s *Server) removeFault(w http.ResponseWriter, r *http.Request) {
	if !s.faults.remove(r.PathValue("id")) {
		adminError(w, http.StatusNotFound, "there is no such fault")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// AddFault puts a fault in force and returns it with its id.
func (s *Server) AddFault(f Fault) (Fault, error) { return s.faults.add(f) }

// requestPage answers GET /simulator/requests.
type requestPage struct {
	Total    int            `json:"total"`
	ByMethod map[string]int `json:"byMethod"`
	Requests []Request      `json:"requests"`
}

func (s *Server) listRequests(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	path, err := regexp.Compile("(?i)" + q.Get("path"))
	if err != nil {
		adminError(w, http.StatusBadRequest, err.Error())
		return
	}
	var since time.Time
	if text := q.Get("since"); text != "" {
		if since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			adminError(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	page := requestPage{Requests: s.requests.snapshot(func(one Request) bool {
		return (q.Get("method") == "" || strings.EqualFold(q.Get("method"), one.Method)) && path.MatchString(one.Path) && !one.Time.Before(since)
	})}
	page.Total, page.ByMethod = s.requests.counts()
	writeJSON(w, http.StatusOK, page)
}

// Requests are the newest requests the simulator has answered, oldest first.
func (s *Server) Requests() []Request {
	return s.requests.snapshot(func(Request) bool { return true })
}

// operationView is an operation as the admin endpoint shows it.
type operationView struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	Target string    `json:"target"`
	Status string    `json:"status"`
	Start  time.Time `json:"start"`
	// Ends is when it ends if nothing holds it up, or has ended.
	Ends  time.Time `json:"ends"`
	Stuck bool      `json:"stuck,omitempty"`
	Error string    `json:"error,omitempty"`
}

func (s *Server) listOperations(w http.ResponseWriter, r *http.Request) {
	all := r.URL.Query().Get("all") == "true"
	views := []operationView{}
	_ = s.cloud.locked(func() {
		for _, o := range s.cloud.operations(func(o *operation) bool { return all || o.running() }) {
			v := operationView{ID: o.ID, Kind: string(o.Kind), Target: o.Target, Status: o.Status, Start: o.Start, Ends: o.End, Stuck: o.Stuck}
			if o.running() {
				v.Ends = o.Start.Add(time.Duration(o.Steps) * o.Every)
			}
			if o.Error != nil {
				v.Error = o.Error.Error()
			}
			views = append(views, v)
		}
	})
	writeJSON(w, http.StatusOK, views)
}

func (s *Server) releaseOperation(w http.ResponseWriter, r *http.Request) {
	found := false
	_ = s.cloud.locked(func() {
		if o := s.cloud.state.Operations[r.PathValue("id")]; o != nil && o.Stuck {
			o.Stuck, found, s.cloud.dirty = false, true, true
		}
	})
	if !found {
		adminError(w, http.StatusNotFound, "there is no such stuck operation")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// stick marks a pool or cluster as being updated by an operation that does not end until it is released.
func (s *Server) stick(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ID string `json:"id"`
	}
	if !readAdmin(w, r, &body) {
		return
	}
	status, answer := http.StatusCreated, armjson.Object{}
	_ = s.cloud.locked(func() {
		c := s.cloud
		target := c.state.Resources[armpath.Key(body.ID)]
		if target == nil || target.Pool == nil && target.Cluster == nil {
			status, answer["error"] = http.StatusNotFound, "there is no such pool or cluster"
			return
		}
		cluster := target
		if target.Pool != nil {
			cluster = c.clusterOf(target)
		}
		if err := c.busy(cluster); err != nil {
			status, answer["error"] = http.StatusConflict, err.Error()
			return
		}
		kind := opClusterUpdate
		if target.Pool != nil {
			kind = opPoolUpdate
		}
		c.setState(target, "Updating")
		o := c.begin(target, kind, 0, 1)
		o.Region, o.Stuck, c.dirty = cluster.location(), true, true
		answer["operation"] = o.ID
	})
	writeJSON(w, status, answer)
}

// resourceView is a resource as the admin endpoint lists it.
type resourceView struct {
	ID                string `json:"id"`
	Type              string `json:"type"`
	ProvisioningState string `json:"provisioningState,omitempty"`
	// Machines and Nodes count a pool's machines and how many of them have booted.
	Machines int `json:"machines,omitempty"`
	Nodes    int `json:"nodes,omitempty"`
}

func (s *Server) listAll(w http.ResponseWriter, _ *http.Request) {
	views := []resourceView{}
	_ = s.cloud.locked(func() {
		for _, t := range resourceTypes() {
			for _, r := range s.cloud.state.children("", t.name) {
				v := resourceView{ID: r.ID, Type: r.Type, ProvisioningState: r.provisioning()}
				if r.Pool != nil {
					v.Machines = len(r.Pool.Instances)
					for _, m := range r.Pool.Instances {
						if m.Booted {
							v.Nodes++
						}
					}
				}
				views = append(views, v)
			}
		}
	})
	writeJSON(w, http.StatusOK, views)
}
