package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Record is what a running stack says about itself in its directory.
type Record struct {
	// PID is the process that runs the stack.
	PID int `json:"pid"`
	// Started is when it began.
	Started time.Time `json:"started"`
	// Ready is when everything ran; zero while it starts.
	Ready time.Time `json:"ready,omitzero"`
	// SharedWorkload is true when one API server serves all simulated AKS clusters.
	SharedWorkload bool `json:"sharedWorkload,omitempty"`
	// Management is the address of the management API server.
	Management string `json:"management,omitempty"`
	// Azure is the address of the simulated Azure Resource Manager, and AzureAdmin that of its administration.
	Azure      string `json:"azure,omitempty"`
	AzureAdmin string `json:"azureAdmin,omitempty"`
	// OperatorMetrics and OperatorHealth are addresses of the operator's endpoints; empty when none runs.
	OperatorMetrics string `json:"operatorMetrics,omitempty"`
	OperatorHealth  string `json:"operatorHealth,omitempty"`
}

// Read returns the record of the stack and whether a process runs it right now. A stack that never ran gives an empty one.
func (l Layout) Read() (record Record, running bool, err error) {
	content, err := os.ReadFile(l.record())
	if errors.Is(err, os.ErrNotExist) {
		return Record{}, inUse(l.lock()), nil
	}
	if err != nil {
		return Record{}, false, fmt.Errorf("read the stack's record: %w", err)
	}
	if err := json.Unmarshal(content, &record); err != nil {
		return Record{}, false, fmt.Errorf("read the stack's record %s: %w", l.record(), err)
	}
	return record, inUse(l.lock()), nil
}

func (l Layout) write(r Record) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the stack's record: %w", err)
	}
	return replaceFile(l.record(), append(content, '\n'))
}

// process names a running program so surely that it can be ended without hitting another one with the same number.
type process struct {
	PID int `json:"pid"`
	// Command is the command line, arguments separated by spaces.
	Command string `json:"command"`
}

func (p process) save(path string) error {
	content, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode process record: %w", err)
	}
	return replaceFile(path, content)
}

// leftover returns the process recorded at path if it still runs the same command line.
func leftover(path string) (process, bool) {
	content, err := os.ReadFile(path)
	if err != nil {
		return process{}, false
	}
	var p process
	if json.Unmarshal(content, &p) != nil || p.PID <= 1 {
		return process{}, false
	}
	live, err := commandLine(p.PID)
	return p, err == nil && live != "" && live == p.Command
}

// commandOf is the command line of a program that was started with these arguments.
func commandOf(args []string) string { return strings.Join(args, " ") }
