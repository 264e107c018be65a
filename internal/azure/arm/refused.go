package arm

import (
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
			a.Message = message(raw)
		}
		return a
	}
	var unavailable interface{ NonRetriable() }
	if errors.As(err, &unavailable) {
		return refusal.Answer{Status: http.StatusUnauthorized, Code: "CredentialUnavailable", Message: err.Error()}
	}
	return refusal.Answer{Message: err.Error()}
}

// message is what an ARM error says to people. AKS sometimes answers without the envelope.
func message(response *http.Response) string {
	type words struct{ Message string }
	var body struct {
		words
		Error words
	}
	raw, err := runtime.Payload(response)
	if err != nil || json.Unmarshal(raw, &body) != nil {
		return ""
	}
	if body.Error.Message != "" {
		return body.Error.Message
	}
	return body.Message
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
