// Package refusal sorts the ways in which Azure says no by what is to be done about it. The codes are looked at here and
// nowhere else.
package refusal

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Kind is what is to be done about a refusal.
type Kind string

// The kinds of refusal.
const (
	// Busy: another operation runs on the same cluster. Wait for its end; nobody has done anything wrong.
	Busy Kind = "Busy"
	// Passing: Azure is throttling or ailing, or cannot be reached. Try again, after RetryAfter if it is set.
	Passing Kind = "Passing"
	// Denied: the operator's identity may not do this, or is not known. A person has to grant Action on Scope.
	Denied Kind = "Denied"
	// Gone: what was asked about does not exist, or no longer. Look at the world again.
	Gone Kind = "Gone"
	// Final: Azure will not do this, however often it is asked. The message says why.
	Final Kind = "Final"
)

// Error is one refusal. It holds no token and no secret.
type Error struct {
	Kind Kind
	// Doing is what was tried, for instance "delete 2 machines of agent pool blue".
	Doing string
	// Status is the HTTP status, 0 when there was no answer. Code and Message are Azure's words; Message is cut to a
	// length that fits into a condition.
	Status  int
	Code    string
	Message string
	// RetryAfter is how long Azure asks to be left alone, 0 if it does not say.
	RetryAfter time.Duration
	// Who is the identity that asked, empty for the operator's own: "client 4444...".
	Who string
	// Action and Scope are what a Denied identity needs: for instance
	// Microsoft.ContainerService/managedClusters/agentPools/deleteMachines/action on the ARM id of the pool.
	Action, Scope string
}

// maxMessage is how many bytes of Azure's words are kept.
const maxMessage = 512

// Error says on one line what was tried, what Azure said and, where a person has to act, what to do.
func (e *Error) Error() string {
	said := strings.TrimSpace(e.Code + ": " + e.Message)
	said = strings.TrimSuffix(strings.TrimPrefix(said, ": "), ":")
	switch e.Kind {
	case Denied:
		if e.Action == "" {
			return fmt.Sprintf("%s: Azure does not accept %s: %s", e.Doing, e.who(), said)
		}
		return fmt.Sprintf("%s: %s may not; grant it %s on %s (%s)", e.Doing, e.who(), e.Action, e.Scope, e.Code)
	case Busy:
		return fmt.Sprintf("%s: another operation is in progress: %s", e.Doing, said)
	case Passing:
		if e.RetryAfter > 0 {
			return fmt.Sprintf("%s: Azure cannot answer now, try again in %s: %s", e.Doing, e.RetryAfter, said)
		}
		return fmt.Sprintf("%s: Azure cannot answer now: %s", e.Doing, said)
	default:
		return fmt.Sprintf("%s: %s", e.Doing, said)
	}
}

func (e *Error) who() string {
	if e.Who == "" {
		return "the operator's identity"
	}
	return e.Who
}

// Of is the refusal in an error.
func Of(err error) (*Error, bool) { return errors.AsType[*Error](err) }

// Is tells whether an error is a refusal of a kind.
func Is(err error, kind Kind) bool {
	e, found := Of(err)
	return found && e.Kind == kind
}

// Answer is how Azure answered.
type Answer struct {
	// Status is the HTTP status, 0 for none.
	Status        int
	Code, Message string
	RetryAfter    time.Duration
}

// Sort makes a refusal of an answer. action and scope are what was needed for what was tried; Azure's own words about
// a missing right go before them.
func Sort(doing string, a Answer, action, scope string) *Error {
	e := &Error{Kind: kind(a), Doing: doing, Status: a.Status, Code: a.Code, Message: bounded(a.Message), RetryAfter: a.RetryAfter}
	// 401 is about who we are: no right that could be granted helps.
	if e.Kind == Denied && a.Status != http.StatusUnauthorized {
		e.Action, e.Scope = action, scope
		if match := missingRight.FindStringSubmatch(a.Message); match != nil {
			e.Action, e.Scope = match[1], match[2]
		}
	}
	return e
}

// missingRight reads "... does not have authorization to perform action 'X' over scope 'Y' ...".
var missingRight = regexp.MustCompile(`perform action '([^']+)' over scope '([^']+)'`)

func kind(a Answer) Kind {
	switch {
	case a.Status == 0, a.Status == http.StatusTooManyRequests, a.Status == http.StatusRequestTimeout, a.Status >= http.StatusInternalServerError:
		return Passing
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		return Denied
	case inProgress(a):
		return Busy
	case a.Status == http.StatusNotFound, a.Status == http.StatusGone, noSuchMachine(a):
		return Gone
	default:
		return Final
	}
}

// inProgress looks at the words as well: AKS has OperationNotAllowed for "not now" and for "never", sometimes with
// status 400.
func inProgress(a Answer) bool {
	switch a.Code {
	case "AnotherOperationInProgress", "ReferencedResourceNotProvisioned", "OperationPreempted":
		return true
	case "OperationNotAllowed", "Conflict", "ConcurrentOperation":
		return strings.Contains(a.Message, "in progress")
	}
	return false
}

// noSuchMachine is how AKS answers the deletion of machines that have gone.
func noSuchMachine(a Answer) bool {
	return a.Code == "InvalidParameter" && strings.Contains(a.Message, "Cannot find any valid machines")
}

func bounded(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + "..."
}
