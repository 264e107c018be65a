// Package armerr holds errors in the shape Azure Resource Manager answers them.
package armerr

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// Error is one ARM error: an HTTP status with a code that programs read and a message for people.
type Error struct {
	// Status is the HTTP status.
	Status int `json:"status,omitempty"`
	// Code is ARM's error code, for instance PropertyChangeNotAllowed.
	Code string `json:"code"`
	// Message says what is wrong, in Azure's own words where they are known.
	Message string `json:"message"`
	// Target names the offending property, if there is one.
	Target string `json:"target,omitempty"`
	// Details are sent as they are.
	Details []map[string]any `json:"-"`
	// Header is sent besides.
	Header http.Header `json:"-"`
	// RetryAfter is sent as a header in whole seconds, rounded up, when it is more than zero.
	RetryAfter time.Duration `json:"-"`
}

// New builds an Error; the message is formatted as by fmt.Sprintf.
func New(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// BadRequest is an Error with status 400.
func BadRequest(code, format string, args ...any) *Error {
	return New(http.StatusBadRequest, code, format, args...)
}

// Conflict is an Error with status 409.
func Conflict(code, format string, args ...any) *Error {
	return New(http.StatusConflict, code, format, args...)
}

// NotFound is an Error with status 404.
func NotFound(code, format string, args ...any) *Error {
	return New(http.StatusNotFound, code, format, args...)
}

// OnProperty sets Target and returns the same error.
func (e *Error) OnProperty(target string) *Error {
	e.Target = target
	return e
}

// Error gives status, code and message on one line.
func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

// Body is the JSON object ARM wraps the error in.
func (e *Error) Body() map[string]any {
	inner := map[string]any{"code": e.Code, "message": e.Message}
	if e.Target != "" {
		inner["target"] = e.Target
	}
	if len(e.Details) > 0 {
		inner["details"] = e.Details
	}
	return map[string]any{"error": inner}
}

// Write answers a request with the error, including x-ms-error-code and Retry-After.
func (e *Error) Write(w http.ResponseWriter) {
	maps.Copy(w.Header(), e.Header)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("x-ms-error-code", e.Code)
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", Seconds(e.RetryAfter))
	}
	w.WriteHeader(e.Status)
	// The client may have gone away; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(e.Body())
}

// Seconds writes a duration as whole seconds, rounded up and at least 1, as Retry-After wants it.
func Seconds(d time.Duration) string {
	s := int64((d + time.Second - 1) / time.Second)
	return strconv.FormatInt(max(s, 1), 10)
}
