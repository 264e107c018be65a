package drainer

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// counter counts requests on their way out, so retries inside a client count too.
type counter struct {
	mu        sync.Mutex
	began     time.Time
	calls     map[string]int
	evictions map[int]int
	latencies []float64
	granted   []float64
}

func newCounter() *counter {
	return &counter{began: time.Now(), calls: map[string]int{}, evictions: map[int]int{}}
}

// wrap is for rest.Config.Wrap.
func (c *counter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		what := callOf(r)
		began := time.Now()
		response, err := next.RoundTrip(r)
		code := 0
		if err == nil {
			code = response.StatusCode
		}
		c.note(what, code, began, time.Now())
		return response, err
	})
}

func (c *counter) note(what string, code int, began, ended time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[what]++
	if what != evictionCall {
		return
	}
	c.evictions[code]++
	c.latencies = append(c.latencies, float64(ended.Sub(began).Microseconds())/1000)
	if code == http.StatusCreated || code == http.StatusOK {
		c.granted = append(c.granted, ended.Sub(c.began).Seconds())
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const evictionCall = "create pods/eviction"

// callOf names a request by verb and resource.
func callOf(r *http.Request) string {
	resource, named := resourceOf(r.URL.Path)
	if resource == "" {
		return "discovery"
	}
	query := r.URL.Query()
	switch r.Method {
	case http.MethodGet:
		switch {
		case query.Get("watch") == "true" || query.Get("watch") == "1":
			return "watch " + resource
		case named:
			return "get " + resource
		}
		return "list " + resource
	case http.MethodPost:
		return "create " + resource
	}
	return strings.ToLower(r.Method) + " " + resource
}

// resourceOf finds the resource and subresource in /api/v1/... or /apis/GROUP/VERSION/..., and whether one object is named.
func resourceOf(path string) (resource string, named bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	skip := 2
	if parts[0] == "apis" {
		skip = 3
	}
	if len(parts) <= skip {
		return "", false
	}
	parts = parts[skip:]
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	if len(parts) > 2 {
		return parts[0] + "/" + parts[2], true
	}
	return parts[0], len(parts) == 2
}
