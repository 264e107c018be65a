package drain

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// reply is one HTTP answer, as kube-apiserver writes it.
type reply struct {
	code       int
	body       string
	retryAfter string
}

// apiServer answers requests by the last element of their pod's or node's path and records what it was asked.
type apiServer struct {
	replies map[string]reply

	mu       sync.Mutex
	requests []string
	bodies   []string
	// underWay and most count concurrent requests by the prefix of the pod's name.
	underWay, most map[string]int
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Base(strings.TrimSuffix(r.URL.Path, "/eviction"))
	app, _, _ := strings.Cut(name, "-")
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	s.bodies = append(s.bodies, string(body))
	s.underWay[app]++
	s.most[app] = max(s.most[app], s.underWay[app])
	answer, ok := s.replies[name]
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.underWay[app]--
		s.mu.Unlock()
	}()
	if !ok {
		answer = reply{code: 201, body: `{"kind":"Status","apiVersion":"v1","status":"Success","code":201}`}
	}
	if answer.code == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	if answer.retryAfter != "" {
		w.Header().Set("Retry-After", answer.retryAfter)
	}
	w.WriteHeader(answer.code)
	fmt.Fprint(w, answer.body)
}

// asked returns the requests so far; a client may see its connection cut before the handler has returned.
func (s *apiServer) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func serve(t *testing.T, replies map[string]reply) (*apiServer, kubernetes.Interface) {
	t.Helper()
	s := &apiServer{replies: replies, underWay: map[string]int{}, most: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, clientFor(t, server.URL)
}

func clientFor(t *testing.T, url string) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: url, QPS: -1})
	if err != nil {
		t.Fatalf("make client: %v", err)
	}
	return client
}

func failure(code int, reason, message, details string) reply {
	if details == "" {
		details = "{}"
	}
	quoted, _ := json.Marshal(message)
	return reply{code: code, body: fmt.Sprintf(
		`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":%s,"reason":%q,"details":%s,"code":%d}`,
		quoted, reason, details, code)}
}

func after(r reply, seconds string) reply {
	r.retryAfter = seconds
	return r
}

func eviction(name, budget string) Eviction {
	return Eviction{Pod: types.NamespacedName{Namespace: "shop", Name: name}, UID: types.UID("uid-" + name), Budget: budget}
}

// The bodies are those of kube-apiserver 1.36: registry/core/pod/storage/eviction.go and the admission plugins.
func TestEvictSortsAnswers(t *testing.T) {
	const budgetMessage = "Cannot evict pod as it would violate the pod's disruption budget."
	tests := map[string]struct {
		reply      reply
		outcome    Outcome
		message    string
		retryAfter time.Duration
	}{
		"granted": {
			reply: reply{code: 201, body: `{"kind":"Status","apiVersion":"v1","status":"Success","code":201}`}, outcome: "Evicted",
		},
		"gone": {
			reply:   failure(404, "NotFound", `pods "a" not found`, `{"name":"a","kind":"pods"}`),
			outcome: "Gone", message: `pods "a" not found`,
		},
		"another pod of that name": {
			reply:   failure(409, "Conflict", `Operation cannot be fulfilled on Pod "a": the UID in the precondition (x) does not match`, `{"name":"a","kind":"Pod"}`),
			outcome: "Conflict", message: `Operation cannot be fulfilled on Pod "a": the UID in the precondition (x) does not match`,
		},
		"budget is used up": {
			reply: failure(429, "TooManyRequests", budgetMessage,
				`{"causes":[{"reason":"DisruptionBudget","message":"The disruption budget cart needs 2 healthy pods and has 2 currently"}]}`),
			outcome: "Refused",
			message: "Cannot evict pod as it would violate the pod's disruption budget: The disruption budget cart needs 2 healthy pods and has 2 currently",
		},
		"budget is being processed": {
			reply: after(failure(429, "TooManyRequests", budgetMessage,
				`{"causes":[{"reason":"DisruptionBudget","message":"The disruption budget cart is still being processed by the server."}],"retryAfterSeconds":10}`), "10"),
			outcome: "Refused", retryAfter: 10 * time.Second,
			message: "Cannot evict pod as it would violate the pod's disruption budget: The disruption budget cart is still being processed by the server",
		},
		"budget's status makes no sense": {
			reply: failure(403, "Forbidden", `poddisruptionbudget "cart" is forbidden: pdb disruptions allowed is negative`,
				`{"name":"cart","kind":"poddisruptionbudget"}`),
			outcome: "Refused", message: `poddisruptionbudget "cart" is forbidden: pdb disruptions allowed is negative`,
		},
		"priority and fairness": {
			reply:   after(reply{code: 429, body: "Too many requests, please try again later.\n"}, "3"),
			outcome: "Throttled", retryAfter: 3 * time.Second,
		},
		"budget contended": {
			reply:   after(failure(504, "Timeout", `Timeout: couldn't update PodDisruptionBudget "cart" due to conflicts`, `{"retryAfterSeconds":10}`), "10"),
			outcome: "Throttled", retryAfter: 10 * time.Second, message: `Timeout: couldn't update PodDisruptionBudget "cart" due to conflicts`,
		},
		"two budgets": {
			reply:   failure(500, "", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.", ""),
			outcome: "Misconfigured", message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support",
		},
		"webhook says no": {
			reply:   failure(403, "Forbidden", `admission webhook "db.example.com" denied the request: db-0 is the primary, failing over`, ""),
			outcome: "WebhookDenied", message: `admission webhook "db.example.com" denied the request: db-0 is the primary, failing over`,
		},
		"webhook says no with 429": {
			reply:   failure(429, "TooManyRequests", `admission webhook "db.example.com" denied the request: busy`, ""),
			outcome: "WebhookDenied", message: `admission webhook "db.example.com" denied the request: busy`,
		},
		"webhook says no with 404": {
			reply:   failure(404, "NotFound", `admission webhook "db.example.com" denied the request: no such primary`, ""),
			outcome: "WebhookDenied", message: `admission webhook "db.example.com" denied the request: no such primary`,
		},
		"webhook says no with 500": {
			reply:   failure(500, "", `admission webhook "db.example.com" denied the request without explanation`, ""),
			outcome: "WebhookDenied", message: `admission webhook "db.example.com" denied the request without explanation`,
		},
		"webhook cannot be asked": {
			reply:   failure(500, "InternalError", `Internal error occurred: failed calling webhook "db.example.com": connection refused`, ""),
			outcome: "WebhookDenied", message: `Internal error occurred: failed calling webhook "db.example.com": connection refused`,
		},
		"policy says no": {
			reply: failure(422, "Invalid", `pods "a" is forbidden: ValidatingAdmissionPolicy 'night' with binding 'all' denied request: not at noon`,
				`{"name":"a","kind":"pods"}`),
			outcome: "WebhookDenied", message: `pods "a" is forbidden: ValidatingAdmissionPolicy 'night' with binding 'all' denied request: not at noon`,
		},
		"namespace goes away": {
			reply: failure(403, "Forbidden", `pods "a" is forbidden: unable to create new content in namespace shop because it is being terminated`,
				`{"name":"a","kind":"pods","causes":[{"reason":"NamespaceTerminating","message":"namespace shop is being terminated","field":"metadata.namespace"}]}`),
			outcome: "NamespaceTerminating",
			message: `pods "a" is forbidden: unable to create new content in namespace shop because it is being terminated: namespace shop is being terminated`,
		},
		"no right to evict": {
			reply: failure(403, "Forbidden", `pods "a" is forbidden: User "x" cannot create resource "pods/eviction" in API group "" in the namespace "shop"`,
				`{"name":"a","kind":"pods"}`),
			outcome: "Forbidden", message: `pods "a" is forbidden: User "x" cannot create resource "pods/eviction" in API group "" in the namespace "shop"`,
		},
		"no valid token": {reply: failure(401, "Unauthorized", "Unauthorized", ""), outcome: "Forbidden", message: "Unauthorized"},
		"bad request":    {reply: failure(400, "BadRequest", "name in URL does not match", ""), outcome: "Rejected", message: "name in URL does not match"},
		"etcd is away":   {reply: failure(500, "InternalError", "etcdserver: leader changed", ""), outcome: "Unreachable", message: "etcdserver: leader changed"},
		"proxy in front": {reply: reply{code: 502, body: "<html>bad gateway</html>"}, outcome: "Unreachable"},
		"connection cut": {reply: reply{}, outcome: "Unreachable"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			server, client := serve(t, map[string]reply{"a": tc.reply})
			result := Evict(t.Context(), client, Plan{Evict: []Eviction{eviction("a", "shop/cart")}}, Options{})
			got := result.Answers[0]
			if got.Outcome != tc.outcome {
				t.Errorf("Outcome = %s (%s), want %s", got.Outcome, got.Message, tc.outcome)
			}
			if tc.message != "" && got.Message != tc.message {
				t.Errorf("Message = %q, want %q", got.Message, tc.message)
			}
			if got.RetryAfter != tc.retryAfter {
				t.Errorf("RetryAfter = %s, want %s", got.RetryAfter, tc.retryAfter)
			}
			if len(server.asked()) != 1 {
				t.Errorf("%d requests, want 1: the next look decides about a second", len(server.asked()))
			}
		})
	}
}

func TestEvictSendsNothingButEvictionsWithUID(t *testing.T) {
	server, client := serve(t, nil)
	Evict(t.Context(), client, Plan{Evict: []Eviction{eviction("a", "")}}, Options{})
	if diff := cmp.Diff([]string{"POST /api/v1/namespaces/shop/pods/a/eviction"}, server.asked()); diff != "" {
		t.Fatalf("requests (-want +got):\n%s", diff)
	}
	var sent policyv1.Eviction
	if err := json.Unmarshal([]byte(server.bodies[0]), &sent); err != nil {
		t.Fatalf("body %q: %v", server.bodies[0], err)
	}
	if sent.APIVersion != "policy/v1" || sent.Kind != "Eviction" || sent.Name != "a" {
		t.Errorf("sent %s %s %s", sent.APIVersion, sent.Kind, sent.Name)
	}
	uid := types.UID("uid-a")
	if diff := cmp.Diff(&metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}, sent.DeleteOptions); diff != "" {
		t.Errorf("delete options (-want +got):\n%s", diff)
	}
}

func TestEvictOneAtATimePerBudget(t *testing.T) {
	server, client := serve(t, map[string]reply{"cart-3": failure(404, "NotFound", `pods "cart-3" not found`, "")})
	var plan Plan
	for i := range 6 {
		plan.Evict = append(plan.Evict, eviction(fmt.Sprintf("cart-%d", i), "shop/cart"), eviction(fmt.Sprintf("db-%d", i), "shop/db"))
	}
	result := Evict(t.Context(), client, plan, Options{Parallel: -1})
	if got := result.Count(OutcomeEvicted); got != 11 {
		t.Errorf("%d evicted, want 11", got)
	}
	if got := result.Count(OutcomeEvicted, OutcomeGone); got != 12 {
		t.Errorf("%d evicted or gone, want 12", got)
	}
	if server.most["cart"] != 1 || server.most["db"] != 1 {
		t.Errorf("at most %v requests under way per budget, want 1", server.most)
	}
}

func TestEvictStopsABudgetAtItsFirstRefusal(t *testing.T) {
	_, client := serve(t, map[string]reply{"cart-1": failure(429, "TooManyRequests", "no", `{"causes":[{"reason":"DisruptionBudget","message":"used up"}]}`)})
	result := Evict(t.Context(), client, Plan{Evict: []Eviction{
		eviction("cart-1", "shop/cart"), eviction("cart-2", "shop/cart"), eviction("db-1", "shop/db"),
	}}, Options{})
	want := []Outcome{"Refused", "NotSent", "Evicted"}
	if diff := cmp.Diff(want, outcomes(result)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestEvictEndsTheRoundWhenAskedToWait(t *testing.T) {
	for name, answer := range map[string]reply{"throttled": {code: 429, retryAfter: "1"}, "cut": {}} {
		t.Run(name, func(t *testing.T) {
			server, client := serve(t, map[string]reply{"a": answer})
			result := Evict(t.Context(), client, Plan{Evict: []Eviction{eviction("a", ""), eviction("b", ""), eviction("c", "")}}, Options{Parallel: 1})
			if got := result.Count(OutcomeNotSent); got != 2 || len(server.asked()) != 1 {
				t.Errorf("%d not sent after %d requests, want 2 after 1", got, len(server.asked()))
			}
		})
	}
}

func TestEvictStopsWithItsContext(t *testing.T) {
	server, client := serve(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result := Evict(ctx, client, Plan{Evict: []Eviction{eviction("a", "")}}, Options{})
	if got := result.Count(OutcomeNotSent); got != 1 || len(server.asked()) != 0 {
		t.Errorf("%d not sent after %d requests, want 1 after 0", got, len(server.asked()))
	}
}

func TestEvictDoesNotWaitForAServerThatHangs(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	result := Evict(t.Context(), clientFor(t, server.URL), Plan{Evict: []Eviction{eviction("a", "")}}, Options{Timeout: 50 * time.Millisecond})
	if result.Count(OutcomeUnreachable) != 1 {
		t.Errorf("outcomes = %v, want Unreachable", outcomes(result))
	}
}

func outcomes(r Result) []Outcome {
	var all []Outcome
	for _, a := range r.Answers {
		all = append(all, a.Outcome)
	}
	return all
}
