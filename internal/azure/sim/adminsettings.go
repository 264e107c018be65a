package sim

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// Settings are a copy of the settings in force.
func (s *Server) Settings() Settings {
	s.cloud.mu.Lock()
	defer s.cloud.mu.Unlock()
	return s.cloud.settings
}

// SetSettings replaces the settings in force, until the simulator ends. Running operations keep their times.
func (s *Server) SetSettings(settings Settings) {
	s.cloud.mu.Lock()
	defer s.cloud.mu.Unlock()
	s.cloud.settings = settings
	s.cloud.followGraph()
}

// patchSettings overwrites the settings that are named; a list is replaced as a whole.
func (s *Server) patchSettings(w http.ResponseWriter, r *http.Request) {
	var patch, merged armjson.Object
	if !readAdmin(w, r, &patch) {
		return
	}
	raw, err := json.Marshal(s.Settings())
	if err == nil {
		err = json.Unmarshal(raw, &merged)
	}
	if err == nil {
		merge(merged, patch)
		raw, err = json.Marshal(merged)
	}
	if err != nil {
		adminError(w, http.StatusInternalServerError, err.Error())
		return
	}
	// Into an empty value: what is decoded into a list that is there already is mixed with what was in it.
	var next Settings
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&next); err != nil {
		adminError(w, http.StatusBadRequest, err.Error())
		return
	}
	s.SetSettings(next)
	writeJSON(w, http.StatusOK, next)
}

// merge overwrites what patch names, object by object.
func merge(into, patch armjson.Object) {
	for key, value := range patch {
		have, isObject := into[key].(armjson.Object)
		if change, changes := value.(armjson.Object); isObject && changes {
			merge(have, change)
			continue
		}
		into[key] = value
	}
}
