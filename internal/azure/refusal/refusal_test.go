package refusal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

const (
	action = "Microsoft.ContainerService/managedClusters/agentPools/deleteMachines/action"
	scope  = "/subscriptions/s/pool"
)

func TestSort(t *testing.T) {
	for name, tc := range map[string]struct {
		answer refusal.Answer
		kind   refusal.Kind
		words  string
	}{
		"the cluster's slot is taken": {
			refusal.Answer{Status: 409, Code: "OperationNotAllowed", Message: "Operation is not allowed: Another agentpool operation (blue - Creating) is in progress, please wait"},
			"Busy", "delete machines: another operation is in progress: OperationNotAllowed: Operation is not allowed: Another agentpool operation (blue - Creating) is in progress, please wait",
		},
		"the same code for never": {
			refusal.Answer{Status: 409, Code: "OperationNotAllowed", Message: "Upgrading Kubernetes version 1.24.9 to 1.26.6 is not allowed"},
			"Final", "delete machines: OperationNotAllowed: Upgrading Kubernetes version 1.24.9 to 1.26.6 is not allowed",
		},
		"a network is being changed": {refusal.Answer{Status: 409, Code: "AnotherOperationInProgress"}, "Busy", "delete machines: another operation is in progress: AnotherOperationInProgress"},
		"throttled": {
			refusal.Answer{Status: 429, Code: "Throttled", Message: "slow down", RetryAfter: 17 * time.Second},
			"Passing", "delete machines: Azure cannot answer now, try again in 17s: Throttled: slow down",
		},
		"ailing":    {refusal.Answer{Status: 503, Code: "ServerBusy"}, "Passing", "delete machines: Azure cannot answer now: ServerBusy"},
		"timed out": {refusal.Answer{Status: 408}, "Passing", "delete machines: Azure cannot answer now: "},
		"no answer": {refusal.Answer{Message: "connection refused"}, "Passing", "delete machines: Azure cannot answer now: connection refused"},
		"no right": {
			refusal.Answer{Status: 403, Code: "AuthorizationFailed", Message: "The client 'x' does not have authorization to perform action 'Microsoft.Network/virtualNetworks/subnets/join/action' over scope '/subscriptions/s/subnet' or the scope is invalid."},
			"Denied", "delete machines: the operator's identity may not; grant it Microsoft.Network/virtualNetworks/subnets/join/action on /subscriptions/s/subnet (AuthorizationFailed)",
		},
		"no right, without words": {
			refusal.Answer{Status: 403, Code: "Forbidden"}, "Denied",
			"delete machines: the operator's identity may not; grant it " + action + " on " + scope + " (Forbidden)",
		},
		"nobody": {
			refusal.Answer{Status: 401, Code: "InvalidAuthenticationToken", Message: "The access token is invalid"}, "Denied",
			"delete machines: Azure does not accept the operator's identity: InvalidAuthenticationToken: The access token is invalid",
		},
		"no such pool": {refusal.Answer{Status: 404, Code: "ResourceNotFound", Message: "x"}, "Gone", "delete machines: ResourceNotFound: x"},
		"no such machine": {
			refusal.Answer{Status: 400, Code: "InvalidParameter", Message: "Cannot find any valid machines to delete. Please check"},
			"Gone", "delete machines: InvalidParameter: Cannot find any valid machines to delete. Please check",
		},
		"another parameter": {refusal.Answer{Status: 400, Code: "InvalidParameter", Message: "count"}, "Final", "delete machines: InvalidParameter: count"},
		"no quota":          {refusal.Answer{Status: 400, Code: "QuotaExceeded"}, "Final", "delete machines: QuotaExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			e := refusal.Sort("delete machines", tc.answer, action, scope)
			if e.Kind != tc.kind || e.Error() != tc.words {
				t.Errorf("%s %q, want %s %q", e.Kind, e, tc.kind, tc.words)
			}
			wrapped := fmt.Errorf("pool blue: %w", e)
			if !refusal.Is(wrapped, tc.kind) || refusal.Is(wrapped, "Other") || refusal.Is(nil, tc.kind) {
				t.Error("the kind is not found in an error that wraps it")
			}
		})
	}
}

func TestMessagesAreOneShortLine(t *testing.T) {
	e := refusal.Sort("try", refusal.Answer{Status: 400, Message: "a\n\tb " + strings.Repeat("ü", 1000)}, "", "")
	if !strings.HasPrefix(e.Message, "a b ü") || len(e.Message) > 520 || !utf8.ValidString(e.Message) || !strings.HasSuffix(e.Message, "...") {
		t.Errorf("%d bytes: %q", len(e.Message), e.Message)
	}
}
