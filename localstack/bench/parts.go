package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

// results of all parts, each from the last time that it ran.
type results struct {
	P1 []drained `json:"p1,omitempty"`
	// Lanes is how many control planes ran p1 side by side.
	Lanes int `json:"lanes,omitempty"`
	// Alone is one drain by ours without others beside it.
	Alone []drained   `json:"alone,omitempty"`
	P2    []contested `json:"p2,omitempty"`
	// Scale is one large drain.
	Scale []drained `json:"scale,omitempty"`
	// From says which command gave each part, and on what day.
	From map[string]string `json:"from"`
}

func (s *settings) from() string {
	return fmt.Sprintf("%s on %s", s.command, time.Now().Format(time.DateOnly))
}

// beside takes the parts that did not run now from the file of an earlier run, so that the parts can be measured one by one.
func (r results) beside(folder string) (results, error) {
	m, err := measurement.Read(filepath.Join(folder, figuresName+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	var all results
	if err == nil {
		err = json.Unmarshal(m.Runs, &all)
	}
	if err != nil {
		return r, fmt.Errorf("read what was measured earlier, remove the file to begin anew: %w", err)
	}
	if all.From == nil {
		all.From = map[string]string{}
	}
	maps.Copy(all.From, r.From)
	for part := range r.From {
		switch part {
		case partP1:
			all.P1, all.Lanes = r.P1, r.Lanes
		case partAlone:
			all.Alone = r.Alone
		case partP2:
			all.P2 = r.P2
		case partScale:
			all.Scale = r.Scale
		}
	}
	return all, nil
}

// repeats is how often the drainers ran that ran most often.
func (r results) repeats() int {
	most := 1
	for _, d := range r.P1 {
		most = max(most, d.Repeat)
	}
	for _, c := range r.P2 {
		most = max(most, c.Repeat)
	}
	return most
}

// separately says so when the parts did not run in one go.
func (r results) separately() string {
	text, commands := "The parts ran one by one:", map[string]bool{}
	for _, part := range slices.Sorted(maps.Keys(r.From)) {
		text += " " + part + " with `" + r.From[part] + "`;"
		commands[r.From[part]] = true
	}
	if len(commands) < 2 {
		return ""
	}
	return text[:len(text)-1] + "."
}
