// Package refusal sorts the ways in which Azure says no by what is to be done about it: its answers to us, and what CAPZ and
// Azure Service Operator write of its answers to them. The table of codes is in table.go and nowhere else.
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
	// Early: something that the request names is not there yet, or Azure does not know it everywhere yet, as with a fresh
	// identity. Wait; if it lasts, the name is wrong.
	Early Kind = "Early"
	// Exists: what was to be made has been made, under another name. Look at the world again.
	Exists Kind = "Exists"
	// Final: Azure will not do this, however often it is asked. The message says why.
	Final Kind = "Final"
)

// Verdict is how a controller answers a refusal.
type Verdict string

// The verdicts.
const (
	// Retry: return the error, so that it is tried again, ever more rarely.
	Retry Verdict = "Retry"
	// Wait: look again later, and say in a condition what is waited for.
	Wait Verdict = "Wait"
	// Stuck: say that a person has to act, and wait for that.
	Stuck Verdict = "Stuck"
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

// Verdict is what to do about a refusal. RetryAfter, where it is set, is how long to wait.
func (e *Error) Verdict() Verdict {
	switch e.Kind {
	case Denied, Final:
		return Stuck
	case Passing:
		if e.RetryAfter <= 0 {
			return Retry
		}
	case Busy, Gone, Early, Exists:
	}
	return Wait
}

// How many bytes of Azure's words are kept. No code, action or scope of Azure is as long.
const (
	maxMessage = 512
	maxCode    = 128
	maxRight   = 1024
)

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
	return refused(kindOf(a), doing, a, action, scope)
}

func refused(kind Kind, doing string, a Answer, action, scope string) *Error {
	e := &Error{
		Kind: kind, Doing: doing, Status: a.Status, Code: bounded(a.Code, maxCode), Message: bounded(a.Message, maxMessage), RetryAfter: max(a.RetryAfter, 0),
	}
	// 401 is about who we are: no right that could be granted helps.
	if kind == Denied && a.Status != http.StatusUnauthorized {
		e.Action, e.Scope = action, scope
		for _, words := range missingRight {
			if match := words.FindStringSubmatch(a.Message); match != nil {
				e.Action, e.Scope = bounded(match[1], maxRight), bounded(match[2], maxRight)
				break
			}
		}
	}
	return e
}

// missingRight reads "... does not have permission to perform action(s) 'X' on the linked scope(s) 'Y' ...", which also
// says what may be done, and "... does not have authorization to perform action 'X' over scope 'Y' ...".
var missingRight = []*regexp.Regexp{
	regexp.MustCompile(`perform action\(s\) '([^']+)' on the linked scope\(s\) '([^']+)'`),
	regexp.MustCompile(`perform action '([^']+)' over scope '([^']+)'`),
}

// bounded makes one line of at most so many bytes, and three dots, of a text.
func bounded(text string, most int) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
