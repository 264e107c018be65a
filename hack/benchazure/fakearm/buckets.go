package fakearm

import "time"

// limit is a token bucket as Azure publishes it: its size, and how many tokens come back in a second.
type limit struct {
	name   string
	size   float64
	refill float64
}

// Published limits: of Azure Resource Manager per principal, subscription and region, and of the AKS resource provider.
var (
	armReads      = limit{"arm reads", 250, 25}
	armWrites     = limit{"arm writes", 200, 10}
	aksGetCluster = limit{"GET ManagedCluster", 60, 1}
	aksPutCluster = limit{"PUT ManagedCluster", 20, 1. / 60}
)

// Resource Graph gives each principal so many queries in each window, which begins with a query.
const (
	graphQueries = 15
	graphWindow  = 5 * time.Second
)

type bucket struct {
	tokens float64
	at     time.Time
}

type bucketKey struct{ limit, scope string }

// take spends a token, or says when there is one. It is called with all buckets of a request: Azure counts a request at Resource Manager
// even when the provider behind it refuses.
func (a *Azure) take(now time.Time, l limit, scope string) (wait time.Duration, ok bool) {
	key := bucketKey{l.name, scope}
	b := a.buckets[key]
	if b == nil {
		b = &bucket{tokens: l.size, at: now}
		a.buckets[key] = b
	}
	b.tokens, b.at = min(l.size, b.tokens+now.Sub(b.at).Seconds()*l.refill), now
	if b.tokens >= 1 {
		b.tokens--
		return 0, true
	}
	return time.Duration((1 - b.tokens) / l.refill * float64(time.Second)), false
}

// window is one of Resource Graph.
type window struct {
	began time.Time
	spent int
}

func (a *Azure) takeQuery(now time.Time) (remaining int, resets time.Duration, ok bool) {
	if now.Sub(a.graph.began) >= graphWindow {
		a.graph = window{began: now}
	}
	resets = graphWindow - now.Sub(a.graph.began)
	if a.graph.spent >= graphQueries {
		return 0, resets, false
	}
	a.graph.spent++
	return graphQueries - a.graph.spent, resets, true
}
