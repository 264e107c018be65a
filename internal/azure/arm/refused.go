package arm

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// right is what an identity needs for a request.
type right struct{ action, scope string }

// refused makes a refusal of an error of the SDK. Only Azure's code and message are taken over: the SDK's own text is a
// dump of the answer over many lines.
func (c *Client) refused(doing string, err error, needs right) error {
	if own, ok := refusal.Of(err); ok { // of the broker: nothing was sent
		r := *own
		r.Doing = doing
		return &r
	}
	a := answer(err, c.clock.Now())
	a.Code, a.Message = c.who.discreet(a.Code), c.who.discreet(a.Message)
	r := refusal.Sort(doing, a, needs.action, needs.scope)
	r.Who = c.who.name
	return r
}

func answer(err error, now time.Time) refusal.Answer {
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok {
		return authentication(failed, now)
	}
	if response, ok := errors.AsType[*azcore.ResponseError](err); ok {
		a := refusal.Answer{Status: response.StatusCode, Code: response.ErrorCode}
		if raw := response.RawResponse; raw != nil {
			a.RetryAfter = refusal.RetryAfter(raw.Header, now)
			said := wordsOf(raw)
			a.Message, a.Code = said.Message, cmp.Or(said.Code, a.Code)
		}
		return a
	}
	var unavailable interface{ NonRetriable() }
	if errors.As(err, &unavailable) {
		return refusal.Answer{Status: http.StatusUnauthorized, Code: "CredentialUnavailable", Message: err.Error()}
	}
	return refusal.Answer{Message: err.Error()}
}

type words struct{ Code, Message string }

// wordsOf is what an ARM error says to people, and its code where the one of the answer says nothing. AKS sometimes answers without the
// envelope, and Resource Graph says what it means in the first detail only.
func wordsOf(response *http.Response) words {
	var body struct {
		Message string
		Error   struct {
			words
			Details []words
		}
	}
	raw, err := runtime.Payload(response)
	if err != nil || json.Unmarshal(raw, &body) != nil {
		return words{}
	}
	if details := body.Error.Details; body.Error.Code == "BadRequest" && len(details) > 0 {
		return words{Code: cmp.Or(details[0].Code, body.Error.Code), Message: cmp.Or(details[0].Message, body.Error.Message)}
	}
	return words{Message: cmp.Or(body.Error.Message, body.Message)}
}

// authentication is about a token that was not given. Entra answers a wrong identity with 400 or 401.
func authentication(failed *azidentity.AuthenticationFailedError, now time.Time) refusal.Answer {
	raw := failed.RawResponse
	if raw == nil {
		line, _, _ := strings.Cut(failed.Error(), "\n")
		return refusal.Answer{Code: "AuthenticationFailed", Message: line}
	}
	var body struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if payload, err := runtime.Payload(raw); err == nil {
		_ = json.Unmarshal(payload, &body) // without words the status has to do
	}
	line, _, _ := strings.Cut(body.Description, "\n")
	a := refusal.Answer{Status: raw.StatusCode, Code: body.Code, Message: line, RetryAfter: refusal.RetryAfter(raw.Header, now)}
	if a.Status < http.StatusInternalServerError && a.Status != http.StatusTooManyRequests {
		a.Status = http.StatusUnauthorized
	}
	return a
}
