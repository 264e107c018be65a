package sim

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
)

// globalFactor is how many times the limit of one principal all principals of a subscription have together.
const globalFactor = 15

// ARMThrottling are the limits of Azure Resource Manager itself, in front of all resource providers: token buckets for each
// principal in each subscription and region of ARM, and ones of 15 times the size for all principals together.
type ARMThrottling struct {
	// Enabled turns them on, with the headers that tell what is left. Default off.
	Enabled bool `json:"enabled"`
	// Reads are for GET and HEAD, Deletes for DELETE and Writes for all others.
	Reads   Bucket `json:"reads"`
	Writes  Bucket `json:"writes"`
	Deletes Bucket `json:"deletes"`
}

// Bucket is a token bucket.
type Bucket struct {
	// Size is how many requests can come at once.
	Size int `json:"size"`
	// PerSecond is how many tokens come back in a second; 0 means none do.
	PerSecond float64 `json:"perSecond"`
}

// defaultARMThrottling has the limits that Azure has published, off.
func defaultARMThrottling() ARMThrottling {
	return ARMThrottling{Reads: Bucket{Size: 250, PerSecond: 25}, Writes: Bucket{Size: 200, PerSecond: 10}, Deletes: Bucket{Size: 200, PerSecond: 10}}
}

// of is the bucket that a call counts against and its name.
func (l ARMThrottling) of(method string) (Bucket, string) {
	switch method {
	case http.MethodGet, http.MethodHead:
		return l.Reads, "read"
	case http.MethodDelete:
		return l.Deletes, "delete"
	default:
		return l.Writes, "write"
	}
}

// takeARM spends a token of each bucket that a call counts against and says in header what is left, or refuses the call. Queries of
// Resource Graph have limits of their own.
func (t *throttle) takeARM(r *call, limits ARMThrottling, header http.Header) error {
	if !limits.Enabled || r.kind == typeGraph {
		return nil
	}
	size, what := limits.of(r.method)
	scope, id := "subscription", strings.ToLower(r.path.Subscription)
	if id == "" {
		scope, id = "tenant", r.tenant
	}
	global := Bucket{Size: globalFactor * size.Size, PerSecond: globalFactor * size.PerSecond}
	place := what + " " + id + " " + armRegion(r.host)
	t.mu.Lock()
	defer t.mu.Unlock()
	all, own := t.fill("all "+place, global), t.fill(r.caller+" "+place, size)
	if own.tokens < 1 || all.tokens < 1 {
		short, perSecond, actor := own, size.PerSecond, " actor '"+r.caller+"'"
		if own.tokens >= 1 {
			short, perSecond, actor = all, global.PerSecond, ""
		}
		wait := armThrottledFor(short, perSecond)
		code := map[string]string{"subscription": "SubscriptionRequestsThrottled", "tenant": "TenantRequestsThrottled"}[scope]
		e := armerr.New(http.StatusTooManyRequests, code, "Number of '%s' requests for %s '%s'%s exceeded. Please try again after '%s' seconds.", what, scope, id, actor, armerr.Seconds(wait))
		e.RetryAfter = wait
		return e
	}
	own.tokens--
	all.tokens--
	header.Set("x-ms-ratelimit-remaining-"+scope+"-"+what+"s", strconv.Itoa(int(own.tokens)))
	header.Set("x-ms-ratelimit-remaining-"+scope+"-global-"+what+"s", strconv.Itoa(int(all.tokens)))
	return nil
}

// armThrottledFor is the time until a bucket has a token again; a minute when none come back.
func armThrottledFor(b *bucket, perSecond float64) time.Duration {
	if perSecond <= 0 {
		return time.Minute
	}
	return time.Duration((1 - b.tokens) / perSecond * float64(time.Second))
}

// armRegion is the region of ARM that a host name asks for: westeurope of westeurope.management.azure.com. All other names are
// one region.
func armRegion(host string) string {
	region, rest, _ := strings.Cut(strings.ToLower(host), ".")
	if strings.HasPrefix(rest, "management.azure.com") {
		return region
	}
	return ""
}

// fill is a bucket with the tokens that have come back since it was looked at last. A new one is full.
func (t *throttle) fill(key string, size Bucket) *bucket {
	now := t.clock.Now()
	b := t.buckets[key]
	if b == nil {
		b = &bucket{tokens: float64(size.Size), at: now}
		t.buckets[key] = b
	}
	b.tokens = min(float64(size.Size), b.tokens+now.Sub(b.at).Seconds()*size.PerSecond)
	b.at = now
	return b
}
