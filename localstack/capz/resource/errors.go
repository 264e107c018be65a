package resource

import (
	"errors"
	"fmt"
	"time"
)

// Outcome says what an Error means for whoever asked.
type Outcome string

// The outcomes, as CAPZ's azure.ReconcileError and azure.OperationNotDoneError tell them apart (azure/errors.go).
const (
	// InProgress: nothing is wrong, the operation takes time.
	InProgress Outcome = "InProgress"
	// Transient: it failed, and another attempt follows.
	Transient Outcome = "Transient"
	// Terminal: it failed and will not be tried again until what is asked for changes.
	Terminal Outcome = "Terminal"
)

// Error is why a resource is not as it should be. Its text is the one CAPZ writes into conditions.
type Error struct {
	// Outcome says what it means.
	Outcome Outcome
	// After is the time until another look makes sense. Zero for Terminal.
	After time.Duration

	cause error
}

// Error returns CAPZ's words, see azure.ReconcileError.
func (e *Error) Error() string {
	if e.Outcome == Terminal {
		return fmt.Sprintf("reconcile error that cannot be recovered occurred: %s. Object will not be requeued", e.cause)
	}
	return fmt.Sprintf("%s. Object will be requeued after %s", e.cause, e.After)
}

// Unwrap returns the cause, Azure's answer for example.
func (e *Error) Unwrap() error { return e.cause }

// NewTransient returns an error that calls for another attempt after some time.
func NewTransient(cause error, after time.Duration) *Error {
	return &Error{Outcome: Transient, After: after, cause: cause}
}

// As returns the Error in err's chain, nil if there is none.
func As(err error) *Error {
	found, _ := errors.AsType[*Error](err)
	return found
}

// IsInProgress says whether err only means that an operation takes time.
func IsInProgress(err error) bool {
	found := As(err)
	return found != nil && found.Outcome == InProgress
}

// NewInProgress returns an error that says that an operation, "PUT" or "DELETE", on a resource takes time.
func NewInProgress(operation, id string, after time.Duration) *Error {
	cause := fmt.Errorf("operation type %s on Azure resource %s is not done", operation, id)
	return &Error{Outcome: InProgress, After: after, cause: cause}
}
