package sim

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
)

// Fault is one line of a script: which requests it is about and what happens to them. Faults live as long as the
// simulator process.
type Fault struct {
	// ID names the fault. Given by the simulator when empty.
	ID string `json:"id,omitempty"`
	// Method is the HTTP method it is about; empty means all.
	Method string `json:"method,omitempty"`
	// Path is a regular expression that has to match somewhere in the request path, letter case ignored; empty means all.
	Path string `json:"path,omitempty"`
	// UserAgent is a regular expression that has to match in the User-Agent header; empty means all.
	UserAgent string `json:"userAgent,omitempty"`
	// Skip lets that many matching requests pass before the fault begins. Default 0.
	Skip int `json:"skip,omitempty"`
	// Count is how many requests it strikes before it is used up; negative means until it is removed. Default 1.
	Count int `json:"count,omitempty"`
	// Hits is how many requests it has struck. Written by the simulator.
	Hits int `json:"hits"`

	Effect
}

// Effect is what a fault does to a request. Several can be combined; Error keeps the request from having any effect.
type Effect struct {
	// Delay holds the request back before anything else happens.
	Delay metav1.Duration `json:"delay,omitzero"`
	// Error is answered in place of doing anything.
	Error *FaultError `json:"error,omitempty"`
	// LoseReply does what was asked and then breaks the connection without an answer.
	LoseReply bool `json:"loseReply,omitempty"`
	// FailOperation lets the operation that the request starts run half-way and then fail.
	FailOperation *FaultError `json:"failOperation,omitempty"`
	// StickOperation lets the operation that the request starts never end, until it is released.
	StickOperation bool `json:"stickOperation,omitempty"`
	// NeverBoot is how many of the machines that the operation creates never become nodes; negative means all.
	NeverBoot int `json:"neverBoot,omitempty"`
}

// FaultError is an ARM error of a script.
type FaultError struct {
	// Status is the HTTP status. Default 500, and 409 for a failed operation.
	Status int `json:"status,omitempty"`
	// Code and Message are those of the ARM error.
	Code    string `json:"code"`
	Message string `json:"message"`
	// RetryAfterSeconds is sent as Retry-After when more than 0.
	RetryAfterSeconds int `json:"retryAfterSeconds,omitempty"`
}

func (e *FaultError) arm() *armerr.Error {
	status := e.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	return &armerr.Error{Status: status, Code: e.Code, Message: e.Message, RetryAfter: time.Duration(e.RetryAfterSeconds) * time.Second}
}

func (e Effect) check() error {
	if e == (Effect{}) || e.Delay.Duration < 0 {
		return errors.New("the fault does nothing: give delay, error, loseReply, failOperation, stickOperation or neverBoot")
	}
	if e.Error != nil && e.Error.Status != 0 && (e.Error.Status < 400 || e.Error.Status > 599) {
		return fmt.Errorf("status %d of the fault is not an error status", e.Error.Status)
	}
	return nil
}

// faultBook is the script in force, in the order in which it was written.
type faultBook struct {
	mu     sync.Mutex
	next   int
	faults []*boundFault
}

type boundFault struct {
	Fault
	path, agent *regexp.Regexp
}

// add checks a fault and puts it in force.
func (b *faultBook) add(f Fault) (Fault, error) {
	bound := &boundFault{Fault: f}
	var err error
	if bound.path, err = regexp.Compile("(?i)" + f.Path); err != nil {
		return Fault{}, fmt.Errorf("path of the fault: %w", err)
	}
	if bound.agent, err = regexp.Compile(f.UserAgent); err != nil {
		return Fault{}, fmt.Errorf("userAgent of the fault: %w", err)
	}
	if err := f.check(); err != nil {
		return Fault{}, err
	}
	bound.Hits = 0
	if bound.Count == 0 {
		bound.Count = 1
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if bound.ID == "" {
		b.next++
		bound.ID = "fault-" + strconv.Itoa(b.next)
	}
	b.removeLocked(bound.ID)
	b.faults = append(b.faults, bound)
	return bound.Fault, nil
}

// take is the first fault in force that matches a request, and counts the hit.
func (b *faultBook) take(r *http.Request) Effect {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		used := f.Count > 0 && f.Hits >= f.Count
		if used || f.Method != "" && !strings.EqualFold(f.Method, r.Method) || !f.path.MatchString(r.URL.Path) || !f.agent.MatchString(r.UserAgent()) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		f.Hits++
		return f.Effect
	}
	return Effect{}
}

func (b *faultBook) list() []Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Fault, 0, len(b.faults))
	for _, f := range b.faults {
		out = append(out, f.Fault)
	}
	return out
}

// remove takes a fault out of force; an empty id removes all. It tells whether there was one.
func (b *faultBook) remove(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if id == "" {
		b.faults = nil
		return true
	}
	return b.removeLocked(id)
}

func (b *faultBook) removeLocked(id string) bool {
	for i, f := range b.faults {
		if f.ID == id {
			b.faults = append(b.faults[:i:i], b.faults[i+1:]...)
			return true
		}
	}
	return false
}
