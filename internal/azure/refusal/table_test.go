package refusal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// TestTable spells the table out a second time, with the status that each code comes with: literals, so that no change of a
// row goes unseen.
func TestTable(t *testing.T) {
	for _, tc := range []struct {
		status        int
		code, message string
		kind          refusal.Kind
		verdict       refusal.Verdict
	}{
		{400, "OperationNotAllowed", "another operation (Updating) is in progress", "Busy", "Wait"},
		{409, "Conflict", "In Progress", "Busy", "Wait"},
		{409, "Conflict", "no", "Final", "Stuck"},
		{409, "operationpreempted", "", "Busy", "Wait"},
		{409, "EtagMismatch", "Operation is not allowed: Another operation is in progress", "Busy", "Wait"},
		{412, "PreconditionFailed", "the etag is another", "Busy", "Wait"},
		{409, "RetryableError", "", "Passing", "Retry"},
		{401, "ExpiredAuthenticationToken", "", "Passing", "Retry"},
		{429, "OperationNotAllowed", "another operation is in progress", "Passing", "Retry"},
		{503, "AuthorizationFailed", "", "Passing", "Retry"},

		{400, "PrincipalNotFound", "Principal 0 does not exist in the directory 1", "Early", "Wait"},
		{409, "RoleAssignmentExists", "The role assignment already exists.", "Exists", "Wait"},
		{400, "RoleAssignmentUpdateNotPermitted", "", "Final", "Stuck"},
		{404, "RoleDefinitionDoesNotExist", "", "Final", "Stuck"},
		{400, "RoleAssignmentLimitExceeded", "", "Final", "Stuck"},
		{400, "UnmatchedPrincipalType", "", "Final", "Stuck"},
		{404, "RoleAssignmentNotFound", "", "Gone", "Wait"},
		{403, "AuthorizationFailed", "", "Denied", "Stuck"},
		{403, "LinkedAuthorizationFailed", "", "Denied", "Stuck"},
		{400, "NoValidSubscriptionsInQueryRequest", "", "Denied", "Stuck"},
		{403, "RequestDisallowedByPolicy", "", "Final", "Stuck"},
		{403, "DenyAssignmentAuthorizationFailed", "", "Final", "Stuck"},
		{409, "ScopeLocked", "", "Final", "Stuck"},

		{404, "SubscriptionNotFound", "", "Final", "Stuck"},
		{404, "InvalidResourceType", "", "Final", "Stuck"},
		{404, "ResourceGroupNotFound", "", "Gone", "Wait"},
		{410, "Whatever", "", "Gone", "Wait"},
		{404, "Whatever", "", "Gone", "Wait"},
		{403, "Whatever", "", "Denied", "Stuck"},
		{400, "AllocationFailed", "", "Final", "Stuck"},
		{418, "Whatever", "", "Final", "Stuck"},
	} {
		e := refusal.Sort("try", refusal.Answer{Status: tc.status, Code: tc.code, Message: tc.message}, "", "")
		if e.Kind != tc.kind || e.Verdict() != tc.verdict {
			t.Errorf("%d %s %q is %s and %s, want %s and %s", tc.status, tc.code, tc.message, e.Kind, e.Verdict(), tc.kind, tc.verdict)
		}
	}
	if e := refusal.Sort("try", refusal.Answer{Status: 429, RetryAfter: time.Second}, "", ""); e.Verdict() != "Wait" {
		t.Errorf("what says when to come back is %s", e.Verdict())
	}
}

// TestMissingRightOfALinkedScope: the right that is missing is the second one of the message, not the one that is there.
func TestMissingRightOfALinkedScope(t *testing.T) {
	e := refusal.Sort("join the network", refusal.Answer{Status: 403, Code: "LinkedAuthorizationFailed", Message: "The client 'x' with object id 'y' has permission to perform " +
		"action 'Microsoft.ContainerService/managedClusters/write' on scope '/subscriptions/s/c'; however, it does not have permission to perform action(s) " +
		"'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '/subscriptions/s/subnet' (respectively) or the linked scope(s) are invalid."}, "a", "b")
	const want = "join the network: the operator's identity may not; grant it Microsoft.Network/virtualNetworks/subnets/join/action on /subscriptions/s/subnet (LinkedAuthorizationFailed)"
	if e.Error() != want {
		t.Errorf("got %q", e)
	}
}

// TestSaid reads texts as CAPZ 1.26 and Azure Service Operator 2.18 write them.
func TestSaid(t *testing.T) {
	const dump = "ManagedClustersAgentPool failed to create or update. err: failed to create or update resource rg/blue (service: agentpools): " +
		"PUT https://management.azure.com/subscriptions/0/resourceGroups/rg\n--------\nRESPONSE %s\nERROR CODE%s\n--------\n{\n  \"error\": {\n    \"code\": \"x\",\n    \"message\": \"%s\"\n  }\n}\n"
	dumped := func(status, code, message string) string {
		return strings.NewReplacer("%s\nERROR CODE%s", status+"\nERROR CODE"+code, "%s", message).Replace(dump)
	}
	for name, tc := range map[string]struct {
		text, code string
		kind       refusal.Kind
	}{
		"ASO, the slot is taken":    {"Operation is not allowed: Another agentpool operation (blue - Creating) is in progress, please wait for it to finish", "", "Busy"},
		"CAPZ, the same":            {"ManagedClustersAgentPool failed to update. err: resource is not Ready: Operation is not allowed: Another operation (Updating) is in progress. Object will be requeued after 20s", "", "Busy"},
		"in lower case":             {"code=anotheroperationinprogress", "", "Busy"},
		"a dump, the slot is taken": {dumped("409: 409 Conflict", ": OperationNotAllowed", "another operation is in progress"), "OperationNotAllowed", "Busy"},
		"a dump, never":             {dumped("400: 400 Bad Request", ": OperationNotAllowed", "Upgrading 1.24 to 1.26 is not allowed"), "OperationNotAllowed", "Final"},
		"a dump, throttled":         {dumped("429: 429 Too Many Requests", ": Throttled", "slow down"), "Throttled", "Passing"},
		"a dump without a code":     {dumped("404: 404 Not Found", " UNAVAILABLE", "x"), "", "Gone"},
		"a dump, ailing":            {dumped("503: 503 Service Unavailable", ": Strange", "x"), "Strange", "Passing"},
		"ASO, no quota":             {"QuotaExceeded: Operation could not be completed as it results in exceeding approved Cores quota", "QuotaExceeded", "Final"},
		"ASO, a fresh identity":     {"PrincipalNotFound: Principal 0 does not exist in the directory", "PrincipalNotFound", "Early"},
		"ASO, no right":             {"AuthorizationFailed: The client 'x' does not have authorization to perform action 'a/b' over scope '/c'", "AuthorizationFailed", "Denied"},
		"English words":             {"a Conflict of wishes; the page was NotFound by nobody, Forbidden fruit", "NotFound", "Gone"},
		"English words only":        {"a Conflict of wishes is in progress; Forbidden and Throttled", "", "Final"},
		"nothing":                   {"", "", "Final"},
		"something else":            {"failed to find vm scale set", "", "Final"},
	} {
		t.Run(name, func(t *testing.T) {
			e := refusal.Said("make a pool", tc.text)
			if e.Kind != tc.kind || e.Code != tc.code {
				t.Errorf("%s %q, want %s %q", e.Kind, e.Code, tc.kind, tc.code)
			}
		})
	}
	if e := refusal.Said("make a pool", "AuthorizationFailed: ... to perform action 'a/b' over scope '/c'"); e.Error() != "make a pool: the identity of CAPZ may not; grant it a/b on /c (AuthorizationFailed)" {
		t.Errorf("got %q", e)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		header, value string
		want          time.Duration
	}{
		"seconds":      {"Retry-After", "17", 17 * time.Second},
		"milliseconds": {"x-ms-retry-after-ms", "250", 250 * time.Millisecond},
		"a date":       {"Retry-After", "Thu, 26 Nov 2026 12:00:30 GMT", 30 * time.Second},
		"a past date":  {"Retry-After", "Thu, 26 Nov 2026 11:00:00 GMT", 0},
		"nonsense":     {"Retry-After", "soon", 0},
		"negative":     {"Retry-After", "-3", 0},
		"for ever":     {"Retry-After", "9223372036854775807", 24 * time.Hour},
		"a far date":   {"Retry-After", "Thu, 26 Nov 2286 12:00:30 GMT", 24 * time.Hour},
		"none":         {"Other", "1", 0},
	} {
		h := http.Header{}
		h.Set(tc.header, tc.value)
		if got := refusal.RetryAfter(h, now); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

var kinds = map[refusal.Kind]refusal.Verdict{
	"Busy": "Wait", "Passing": "", "Denied": "Stuck", "Gone": "Wait", "Early": "Wait", "Exists": "Wait", "Final": "Stuck",
}

// checkShape is what holds for every refusal, whatever Azure said.
func checkShape(t *testing.T, e *refusal.Error, wait time.Duration) {
	t.Helper()
	verdict, known := kinds[e.Kind]
	if verdict == "" {
		if verdict = "Retry"; wait > 0 {
			verdict = "Wait"
		}
	}
	if !known || e.Verdict() != verdict {
		t.Errorf("kind %q, verdict %q", e.Kind, e.Verdict())
	}
	if e.RetryAfter != max(wait, 0) {
		t.Errorf("asked to wait %s, waits %s", wait, e.RetryAfter)
	}
	if len(e.Message) > 515 || len(e.Code) > 131 || len(e.Action) > 1027 || len(e.Scope) > 1027 {
		t.Errorf("too long: %d, %d, %d, %d bytes", len(e.Message), len(e.Code), len(e.Action), len(e.Scope))
	}
	if s := e.Error(); !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n") || !strings.HasPrefix(s, "try: ") {
		t.Errorf("not one line of text: %q", s)
	}
}

func FuzzSort(f *testing.F) {
	f.Add(409, "OperationNotAllowed", "Another agentpool operation (blue - Creating) is in progress", int64(0))
	f.Add(403, "AuthorizationFailed", "to perform action 'a\n' over scope 'b'", int64(-1))
	f.Add(429, "Throttled\x00", "slow \xff down", int64(17e9))
	f.Add(401, strings.Repeat("x", 1000), strings.Repeat("ü", 1000), int64(1))
	f.Fuzz(func(t *testing.T, status int, code, message string, wait int64) {
		a := refusal.Answer{Status: status, Code: code, Message: message, RetryAfter: time.Duration(wait)}
		e := refusal.Sort("try", a, "a", "b")
		checkShape(t, e, a.RetryAfter)
		if status == 429 && e.Kind != "Passing" {
			t.Errorf("429 is %s", e.Kind)
		}
		if again := refusal.Sort("try", a, "a", "b"); *again != *e {
			t.Error("the same answer is sorted in two ways")
		}
		if e.Kind == "Denied" && status != 401 && (e.Action == "" || e.Scope == "") && !strings.Contains(message, "perform action") {
			t.Errorf("what to grant is lost: %+v", e)
		}
	})
}

func FuzzSaid(f *testing.F) {
	f.Add("RESPONSE 409: 409 Conflict\nERROR CODE: OperationNotAllowed\n in progress")
	f.Add("RESPONSE 999\nERROR CODE: \xff")
	f.Fuzz(func(t *testing.T, text string) {
		checkShape(t, refusal.Said("try", text), 0)
	})
}
