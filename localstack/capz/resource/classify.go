package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"k8s.io/apimachinery/pkg/util/sets"
)

// fatal are the error codes that Azure Service Operator does not try again, see
// internal/reconcilers/arm/errorclassification/error_classifier.go in v2.18.0. Everything else is worth another attempt,
// also most refusals with status 400: Azure gives those for conditions that pass.
var fatal = sets.New(
	"PublicIpForGatewayIsRequired",
	"InvalidResourceType",
	"InvalidRequestContent",
	"InvalidTemplate",
	"InvalidValuesForRequestParameters",
	"InvalidGatewaySkuProvidedForGatewayVpnType",
	"InvalidGatewaySize",
	"K8sVersionNotSupported",
	"LocationRequired",
	"MissingRequiredParameter",
	"PasswordTooLong",
	"PrivateIPAddressInReservedRange",
	"PrivateIPAddressNotInSubnet",
	"PropertyChangeNotAllowed",
)

// refusal is what Azure said no to.
type refusal struct {
	cause error
	fatal bool
	// retryAfter is Azure's own wish, zero if it had none.
	retryAfter time.Duration
	// busy: another operation or too many calls were in the way, so that trying again soon is right.
	busy bool
}

// classify sorts an error of an Azure call or of a long-running operation. The cause keeps the chain, and its text is
// "resource is not Ready: " with Azure's message, as CAPZ quotes the Ready condition that Azure Service Operator writes.
func classify(err error) refusal {
	var response *azcore.ResponseError
	if !errors.As(err, &response) {
		return refusal{cause: fmt.Errorf("resource is not Ready: %w", err)}
	}
	refused := refusal{
		cause: &notReady{message: message(response), azure: err},
		fatal: fatal.Has(response.ErrorCode),
		busy:  response.StatusCode == http.StatusConflict || response.StatusCode == http.StatusTooManyRequests,
	}
	if response.RawResponse != nil {
		if seconds, err := strconv.Atoi(response.RawResponse.Header.Get("Retry-After")); err == nil {
			refused.retryAfter = time.Duration(seconds) * time.Second
		}
	}
	return refused
}

// notReady shows only Azure's message and keeps the answer for those who look for the code.
type notReady struct {
	message string
	azure   error
}

func (n *notReady) Error() string { return "resource is not Ready: " + n.message }
func (n *notReady) Unwrap() error { return n.azure }

// Refused returns Azure's code and message of why a resource is not as it should be, or an empty code where Azure was not
// even asked, since something else has to end before.
func Refused(err error) (code, message string, found bool) {
	refused, found := errors.AsType[*notReady](err)
	if !found {
		return "", "", false
	}
	if response, ok := errors.AsType[*azcore.ResponseError](refused.azure); ok {
		code = response.ErrorCode
	}
	return code, refused.message, true
}

// message returns the message of Azure's answer; azcore.ResponseError keeps only the code and the raw answer.
func message(response *azcore.ResponseError) string {
	type details struct {
		Message string `json:"message"`
	}
	var answer struct {
		details
		Error details `json:"error"`
	}
	if response.RawResponse != nil && response.RawResponse.Body != nil {
		// azcore buffered the body; it can be read again and again.
		if content, err := io.ReadAll(response.RawResponse.Body); err == nil {
			_ = json.Unmarshal(content, &answer)
		}
		if seeker, ok := response.RawResponse.Body.(io.Seeker); ok {
			_, _ = seeker.Seek(0, io.SeekStart)
		}
	}
	switch {
	case answer.Error.Message != "":
		return answer.Error.Message
	case answer.Message != "":
		return answer.Message
	case response.ErrorCode != "":
		return response.ErrorCode
	default:
		return fmt.Sprintf("status %d without a message", response.StatusCode)
	}
}
