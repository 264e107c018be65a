package broker

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// reply is what an answer of Azure says of the budget. The zero reply is none: the connection broke.
type reply struct {
	// throttled is true for 429; wait is its Retry-After, 0 for none. byARM tells that Resource Manager said so, and not the
	// resource provider behind it.
	throttled, byARM bool
	wait             time.Duration
	// left is how many requests of this kind Resource Manager says are left, -1 when it does not say; of Resource Graph it
	// is the queries that are left, and resets is when they are as many as ever again.
	left   int
	graph  int
	resets time.Duration
}

func replyOf(r *http.Response, now time.Time) reply {
	out := reply{left: -1, graph: number(r.Header, "X-Ms-User-Quota-Remaining")}
	for _, kind := range []string{"Reads", "Writes", "Deletes"} {
		// Of all identities together, and of this one; of a tenant where the request is not about a subscription.
		for _, scope := range []string{"Subscription-", "Subscription-Global-", "Tenant-"} {
			if n := number(r.Header, "X-Ms-Ratelimit-Remaining-"+scope+kind); n >= 0 && (out.left < 0 || n < out.left) {
				out.left = n
			}
		}
	}
	// hh:mm:ss
	if at, err := time.Parse(time.TimeOnly, r.Header.Get("X-Ms-User-Quota-Resets-After")); err == nil {
		out.resets = time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second
	}
	if out.throttled = r.StatusCode == http.StatusTooManyRequests; out.throttled {
		out.wait = refusal.RetryAfter(r.Header, now)
		out.byARM = out.left == 0 || r.Header.Get("X-Ms-Failure-Cause") == "gateway" || strings.HasSuffix(codeOf(r), "RequestsThrottled")
	}
	return out
}

// codeOf is the code of an error of Azure: SubscriptionRequestsThrottled and its like are Resource Manager's own.
func codeOf(r *http.Response) string {
	if failed, ok := errors.AsType[*azcore.ResponseError](runtime.NewResponseError(r)); ok {
		return failed.ErrorCode
	}
	return ""
}

// number is a header that counts, -1 for none.
func number(h http.Header, name string) int {
	n, err := strconv.Atoi(h.Get(name))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// learn corrects the buckets of a request by its answer, and returns the one that a 429 has shut, nil for none. Buckets are
// only ever lowered: requests under way are counted here before they are counted there.
func (l *line) learn(now time.Time, t *ticket, r reply) (shut *bucket) {
	if r == (reply{}) {
		return nil
	}
	arm, provider := t.buckets[0], t.buckets[len(t.buckets)-1]
	if r.left >= 0 {
		arm.lower(now, float64(r.left-margin(arm.limit)))
	}
	if provider.limit == resourceGraph && r.graph >= 0 {
		provider.lower(now, float64(r.graph))
		if r.graph == 0 && r.resets > 0 {
			provider.shut(now, r.resets)
		}
	}
	if !r.throttled {
		return nil
	}
	if shut = provider; r.byARM {
		shut = arm
	}
	for _, b := range l.bucketsOf(t) {
		// Of which region is not known.
		if b == shut || shut == provider && b.limit == provider.limit {
			b.shut(now, r.wait)
		}
	}
	return shut
}
