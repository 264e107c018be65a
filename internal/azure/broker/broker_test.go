package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/time/rate"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// azure is one that counts by the published limits, and takes a while for each request. It runs on the fake time of
// synctest, as the broker does.
type azure struct {
	mu        sync.Mutex
	buckets   map[string]*bucket
	throttled int
	// answer is called for each request that is not throttled.
	answer func(*http.Request) (status int, header http.Header, body string)
	// takes is how long a request takes, half of it on its way.
	takes time.Duration
}

func (a *azure) Do(r *http.Request) (*http.Response, error) {
	travels := time.Duration(rand.Int64N(int64(a.takes/2 + 1)))
	<-time.After(travels)
	a.mu.Lock()
	status, header, body := a.count(r)
	a.mu.Unlock()
	select {
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	case <-time.After(a.takes - travels):
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (a *azure) count(r *http.Request) (int, http.Header, string) {
	now := time.Now()
	for _, n := range targetOf("me", r.Method, r.URL.Path, "").needs {
		b := a.buckets[n.key()]
		if b == nil {
			full := *n.limit
			full.size += margin(n.limit) // that a bucket is made smaller by
			n.limit = &full
			b = newBucket(n)
			a.buckets[n.key()] = b
		}
		if !b.has(now) {
			a.throttled++
			return http.StatusTooManyRequests, http.Header{"Retry-After": {"1"}}, `{"error":{"code":"Throttled"}}`
		}
		b.take(now)
	}
	if a.answer != nil {
		return a.answer(r)
	}
	return http.StatusOK, http.Header{}, "{}"
}

// pipeline is one of the Azure SDK with the broker and that Azure.
func pipeline(b *Broker, a *azure) runtime.Pipeline {
	if a.buckets == nil {
		a.buckets = map[string]*bucket{}
	}
	return runtime.NewPipeline("test", "v1", runtime.PipelineOptions{}, &policy.ClientOptions{
		Retry: policy.RetryOptions{MaxRetries: -1}, Transport: a, PerRetryPolicies: []policy.Policy{b.Policy("me")},
	})
}

func send(ctx context.Context, p runtime.Pipeline, method, path string) (*http.Response, error) {
	req, err := runtime.NewRequest(ctx, method, "https://azure.test"+path)
	if err != nil {
		return nil, err
	}
	return p.Do(req)
}

// insist sends a request as a controller does: it comes back when it is told to. It says how often it came.
func insist(t *testing.T, p runtime.Pipeline, call Call, method, path string) int {
	t.Helper()
	for tries := 1; ; tries++ {
		ctx, cancel := context.WithTimeout(For(t.Context(), call), 30*time.Second)
		_, err := send(ctx, p, method, path)
		cancel()
		if err == nil {
			return tries
		}
		r, refused := refusal.Of(err)
		if !refused || r.Kind != refusal.Passing || r.RetryAfter < time.Second {
			t.Errorf("got %v", err)
			return tries
		}
		<-time.After(r.RetryAfter)
	}
}

// TestStorm: 500 assignments at once are made at the rate that Azure allows, and no request meets a 429.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &azure{takes: 800 * time.Millisecond}, New(nil)
		p, begin := pipeline(b, a), time.Now()
		var all sync.WaitGroup
		var mu sync.Mutex
		last := map[string]time.Duration{}
		tries := 0
		for i := range 500 {
			all.Go(func() {
				cluster := fmt.Sprint("ns/c", i%50)
				n := insist(t, p, Call{Cluster: cluster}, "PUT", fmt.Sprintf("%s/resourceGroups/g%d%s", sub, i, grant))
				mu.Lock()
				defer mu.Unlock()
				last[cluster] = max(last[cluster], time.Since(begin))
				tries += n
			})
		}
		all.Wait()
		took := time.Since(begin)
		// 190 at once, and 10 each second.
		const bound = (500 - 190) * time.Second / 10
		if a.throttled > 0 || took > bound*100/95+a.takes {
			t.Errorf("%d times 429, took %s, the limit allows %s", a.throttled, took, bound)
		}
		if tries > 500*6 {
			t.Errorf("%d tries for 500 requests", tries)
		}
	})
}

// TestEmergencyInAStorm: what a scale-up asks for meanwhile waits for one token, at most.
func TestEmergencyInAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &azure{takes: time.Millisecond}, New(nil)
		p := pipeline(b, a)
		var all sync.WaitGroup
		for i := range 600 {
			all.Go(func() { insist(t, p, Call{Cluster: fmt.Sprint(i), Priority: PrioritySweep}, "GET", acr) })
		}
		for range 10 {
			<-time.After(500 * time.Millisecond)
			begin := time.Now()
			if n := insist(t, p, Call{Cluster: "up", Priority: PriorityScaleUp}, "GET", acr); n != 1 || time.Since(begin) > time.Second/25+10*time.Millisecond {
				t.Errorf("%d tries, %s", n, time.Since(begin))
			}
		}
		all.Wait()
	})
}

// TestWaitingLeavesTimeForTheAnswer: who has little time is refused at once, and who has gone is not waited for.
func TestWaitingLeavesTimeForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &azure{}, New(nil)
		p := pipeline(b, a)
		for range 19 {
			insist(t, p, Call{}, "PUT", shop)
		}
		short, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := send(short, p, "PUT", shop)
		r, refused := refusal.Of(err)
		if !refused || r.Code != CodeBudgetSpent || r.RetryAfter != time.Minute || time.Since(begin) != 0 {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		// Half of six seconds is for the answer.
		inFourSeconds := func() {
			own := b.line.buckets["aks_put_cluster s1/rg/shop "]
			*own = bucket{need: own.need, limiter: rate.NewLimiter(own.limit.refill, 19)}
			own.lower(time.Now(), 1-4./60)
		}
		inFourSeconds()
		for limit, goes := range map[time.Duration]bool{6 * time.Second: false, 30 * time.Second: true} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			_, err := send(ctx, p, "PUT", shop)
			cancel()
			if (err == nil) != goes {
				t.Errorf("with %s: %v", limit, err)
			}
			inFourSeconds()
		}
		leaving, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		begin = time.Now()
		if _, err := send(leaving, p, "PUT", shop); !errors.Is(err, context.Canceled) || time.Since(begin) != time.Second {
			t.Errorf("who has gone after a second gets %v after %s", err, time.Since(begin))
		}
		if _, err := send(leaving, p, "GET", acr); !errors.Is(err, context.Canceled) {
			t.Errorf("who had gone before gets %v", err)
		}
		for waiting := range b.line.all() {
			t.Errorf("%q still waits", waiting.flow)
		}
	})
}

// TestChangesOfAClusterAreSentOneByOne also when Azure does not answer the first.
func TestChangesOfAClusterAreSentOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &azure{takes: 4 * time.Second}, New(nil)
		p, begin := pipeline(b, a), time.Now()
		var all sync.WaitGroup
		var mu sync.Mutex
		var ends []time.Duration
		busy := 0
		for range 3 {
			all.Go(func() {
				_, err := send(t.Context(), p, "PUT", shop)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					ends = append(ends, time.Since(begin))
				} else if r, refused := refusal.Of(err); refused && r.Kind == refusal.Busy && r.Code == CodeChangeUnderWay && time.Since(begin) == patience {
					busy++
				} else {
					t.Errorf("after %s: %v", time.Since(begin), err)
				}
			})
		}
		all.Wait()
		if len(ends) != 2 || ends[0] != 4*time.Second || ends[1] != 8*time.Second || busy != 1 {
			t.Errorf("ended after %v, %d busy", ends, busy)
		}
		lost, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := send(lost, p, "PUT", shop); err == nil {
			t.Error("no answer is an answer")
		}
		a.takes = 0
		if _, err := send(t.Context(), p, "PUT", shop); err != nil {
			t.Errorf("after a lost answer: %v", err)
		}
	})
}

// TestAnswersTeach goes the whole way from headers to buckets, and to metrics.
func TestAnswersTeach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		header, status, body := http.Header{}, 200, "{}"
		a, b := &azure{answer: func(*http.Request) (int, http.Header, string) { return status, header, body }}, New(nil)
		p := pipeline(b, a)
		arm := func() *bucket { return b.line.buckets["arm_reads me/s1 "] }
		header.Set("x-ms-ratelimit-remaining-subscription-reads", "120")
		header.Set("x-ms-ratelimit-remaining-subscription-global-reads", "3749")
		if _, err := send(t.Context(), p, "GET", acr); err != nil || arm().tokens(time.Now()) != 95 {
			t.Errorf("%v, %v left", err, arm().tokens(time.Now()))
		}
		header.Set("x-ms-ratelimit-remaining-subscription-global-reads", "26")
		if _, err := send(t.Context(), p, "GET", acr); err != nil || arm().tokens(time.Now()) != 1 {
			t.Errorf("%v, %v left", err, arm().tokens(time.Now()))
		}
		header.Set("Retry-After", "2")
		status, body = 429, `{"error":{"code":"SubscriptionRequestsThrottled","message":"x"}}`
		if r, err := send(t.Context(), p, "GET", acr); err != nil || r.StatusCode != 429 || time.Until(arm().closed) != 2*time.Second {
			t.Errorf("%v, shut for %s", err, time.Until(arm().closed))
		}
		status, body, header = 200, "{}", http.Header{}
		begin := time.Now()
		if _, err := send(For(t.Context(), Call{Priority: PrioritySweep}), p, "GET", group); err != nil || time.Since(begin) != 2*time.Second {
			t.Errorf("went after %s: %v", time.Since(begin), err)
		}
		const want = `
# HELP fleetwright_azure_throttled_total Answers 429 of Azure, by the limit that was taken for empty then.
# TYPE fleetwright_azure_throttled_total counter
fleetwright_azure_throttled_total{limit="aks_get_cluster"} 0
fleetwright_azure_throttled_total{limit="aks_list"} 0
fleetwright_azure_throttled_total{limit="aks_list_group"} 0
fleetwright_azure_throttled_total{limit="aks_operations"} 0
fleetwright_azure_throttled_total{limit="aks_other"} 0
fleetwright_azure_throttled_total{limit="aks_put_cluster"} 0
fleetwright_azure_throttled_total{limit="aks_put_pool"} 0
fleetwright_azure_throttled_total{limit="arm_deletes"} 0
fleetwright_azure_throttled_total{limit="arm_reads"} 1
fleetwright_azure_throttled_total{limit="arm_writes"} 0
fleetwright_azure_throttled_total{limit="provider"} 0
fleetwright_azure_throttled_total{limit="resource_graph"} 0
# HELP fleetwright_azure_waited_seconds_total Time that requests to Azure waited for budget before they were sent.
# TYPE fleetwright_azure_waited_seconds_total counter
fleetwright_azure_waited_seconds_total{priority="read"} 0
fleetwright_azure_waited_seconds_total{priority="scale-up"} 0
fleetwright_azure_waited_seconds_total{priority="sweep"} 2
fleetwright_azure_waited_seconds_total{priority="write"} 0
# HELP fleetwright_azure_budget_left Requests to Azure that a limit of a subscription would let through at once.
# TYPE fleetwright_azure_budget_left gauge
fleetwright_azure_budget_left{limit="arm_reads",region="",subscription="s1"} 49
`
		if err := testutil.CollectAndCompare(b, strings.NewReader(want), "fleetwright_azure_throttled_total", "fleetwright_azure_waited_seconds_total", "fleetwright_azure_budget_left"); err != nil {
			t.Error(err)
		}
		if problems, err := testutil.CollectAndLint(b); err != nil || len(problems) > 0 {
			t.Errorf("%v %v", problems, err)
		}
	})
}

// TestQuotaOfResourceGraph: the window of a query's answer closes the bucket until it is over.
func TestQuotaOfResourceGraph(t *testing.T) {
	h := http.Header{}
	h.Set("x-ms-user-quota-remaining", "0")
	h.Set("x-ms-user-quota-resets-after", "00:00:04")
	r := replyOf(&http.Response{StatusCode: 200, Header: h}, start)
	if r.graph != 0 || r.resets != 4*time.Second || r.throttled {
		t.Errorf("%+v", r)
	}
	h.Set("x-ms-user-quota-remaining", "-5")
	h.Set("x-ms-user-quota-resets-after", "soon")
	if r := replyOf(&http.Response{StatusCode: 200, Header: h}, start); r.graph != -1 || r.resets != 0 {
		t.Errorf("%+v", r)
	}
}
