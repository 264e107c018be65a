package sim

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
)

// limit is one token bucket of the AKS resource provider: its size and how long one token takes to come back.
type limit struct {
	name   string
	bucket int
	refill time.Duration
}

// throttle counts requests against the published limits of the AKS resource provider and of ARM.
type throttle struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newThrottle(clock clock.PassiveClock) *throttle {
	return &throttle{clock: clock, buckets: map[string]*bucket{}}
}

// limitOf gives the limit a call counts against and the scope it is counted in; false for what is not limited.
func limitOf(r *call) (limit, string, bool) {
	subscription := strings.ToLower(r.path.Subscription)
	kind := strings.ToLower(r.path.Type())
	if !strings.HasPrefix(kind, "microsoft.containerservice/") {
		return limit{}, "", false
	}
	isPool, isCluster := strings.EqualFold(kind, typePool), strings.EqualFold(kind, typeCluster)
	switch {
	case strings.HasPrefix(kind, "microsoft.containerservice/locations/operation"):
		return limit{"GetOperationStatus", 200, time.Second / 2}, subscription, true
	case isPool && r.method == http.MethodPut:
		return limit{"PutAgentPool", 20, time.Minute}, r.path.Parent().Key(), true
	case isCluster && r.method == http.MethodPut:
		return limit{"PutManagedCluster", 20, time.Minute}, r.path.Key(), true
	case r.method == http.MethodGet && !r.path.IsResource():
		return limit{"List", 500, time.Second}, subscription, true
	case isCluster && r.method == http.MethodGet:
		return limit{"GetManagedCluster", 60, time.Second}, r.path.Key(), true
	default:
		return limit{"Other", 60, time.Second}, subscription, true
	}
}

// take spends one token for a call, or refuses it with 429 and the time until there is one.
func (t *throttle) take(r *call, on bool) error {
	if !on {
		return nil
	}
	l, scope, limited := limitOf(r)
	if !limited {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.fill(l.name+" "+scope, Bucket{Size: l.bucket, PerSecond: 1 / l.refill.Seconds()})
	if b.tokens >= 1 {
		b.tokens--
		return nil
	}
	e := armerr.New(http.StatusTooManyRequests, "Throttled", "The request is being throttled as the limit has been reached for operation type - %s. For more information, see - https://aka.ms/aks/throttling", l.name)
	e.RetryAfter = time.Duration((1 - b.tokens) * float64(l.refill))
	return e
}
