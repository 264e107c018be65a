package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

// stateFormat is the version of the state file. A file of another format is refused, never guessed at.
const stateFormat = 1

// state is everything that survives a restart. It holds no secret: tokens are derived from the serving key and
// kubeconfigs come from the Kubernetes world.
type state struct {
	Format     int                   `json:"format"`
	Serial     int64                 `json:"serial"`
	Resources  map[string]*resource  `json:"resources"`
	Operations map[string]*operation `json:"operations"`
	// Activities are the newest events of the activity log, oldest first.
	Activities []activity `json:"activities,omitempty"`
}

// resource is one ARM resource. Scale sets and their instances are not stored: they are computed from pools.
type resource struct {
	// ID is the ARM id as it was created.
	ID string `json:"id"`
	// Type is the canonical resource type.
	Type string `json:"type"`
	// ETag changes with every change of the body.
	ETag string `json:"etag"`
	// Created is when the resource was first written.
	Created time.Time `json:"created"`
	// Body is what a client sent, with what the provider filled in; id, name and type are added when it is answered.
	Body armjson.Object `json:"body"`
	// System says who made and wrote it; nil for types that do not show it.
	System *systemData `json:"system,omitempty"`
	// Cluster and Pool hold what ARM does not show; each is set for its type only.
	Cluster *clusterPart `json:"cluster,omitempty"`
	Pool    *poolPart    `json:"pool,omitempty"`
}

type clusterPart struct {
	// NodeGroup is the key of the node resource group.
	NodeGroup string `json:"nodeGroup"`
	// GoneNodes are nodes whose machines are deleted and which the Kubernetes world has not forgotten yet.
	GoneNodes []string `json:"goneNodes,omitempty"`
	// Removing says that the API server is to be deleted.
	Removing bool `json:"removing,omitempty"`
}

func newState() *state {
	return &state{Format: stateFormat, Resources: map[string]*resource{}, Operations: map[string]*operation{}}
}

// loadState reads the state file; a missing file is an empty state.
func loadState(file string) (*state, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return newState(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the simulator's state: %w", err)
	}
	s := newState()
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("read the simulator's state from %s: %w", file, err)
	}
	if s.Format != stateFormat {
		return nil, fmt.Errorf("the simulator's state in %s has format %d, this program knows format %d", file, s.Format, stateFormat)
	}
	return s, nil
}

// save replaces the state file in one step: a kill leaves the old state or the new one, never half of either.
func (s *state) save(file string) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write the simulator's state: %w", err)
	}
	if err := replaceFile(file, raw); err != nil {
		return fmt.Errorf("write the simulator's state to %s: %w", file, err)
	}
	return nil
}

func replaceFile(file string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".tmp-")
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// touch gives a resource a new ETag; every change of its body goes with one.
func (s *state) touch(r *resource) {
	s.Serial++
	r.ETag = fmt.Sprintf("%016x", s.Serial)
}

func (s *state) add(r *resource) {
	s.touch(r)
	s.Resources[r.key()] = r
}

// children are the resources of a type whose id starts with parent's, sorted by key.
func (s *state) children(parent, kind string) []*resource {
	prefix := armpath.Key(parent) + "/"
	var out []*resource
	for key, r := range s.Resources {
		if r.Type == kind && strings.HasPrefix(key, prefix) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *resource) int { return strings.Compare(a.key(), b.key()) })
	return out
}

func (r *resource) key() string { return armpath.Key(r.ID) }

func (r *resource) name() string { return r.ID[strings.LastIndexByte(r.ID, '/')+1:] }

func (r *resource) properties() armjson.Object { return armjson.Sub(r.Body, "properties") }

func (r *resource) location() string { return armjson.String(r.Body, "location") }

func (r *resource) provisioning() string { return armjson.String(r.properties(), "provisioningState") }

// subscription is the id of the subscription a resource is in.
func (r *resource) subscription() string { return strings.Split(r.ID, "/")[2] }

// answer is the resource as ARM shows it; a copy, so that nothing changes while it is being written.
func (r *resource) answer() armjson.Object {
	out := armjson.Clone(r.Body)
	out["id"], out["name"], out["type"] = r.ID, r.name(), r.Type
	if r.System != nil {
		out["systemData"] = r.System.show()
	}
	return out
}
