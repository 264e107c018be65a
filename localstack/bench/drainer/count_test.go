package drainer

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

func TestCallOf(t *testing.T) {
	for call, want := range map[[2]string]string{
		{"GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Da"}:           "list pods",
		{"GET", "/api/v1/namespaces/ns/pods"}:                             "list pods",
		{"GET", "/api/v1/namespaces/ns/pods/web-0"}:                       "get pods",
		{"GET", "/api/v1/pods?watch=true&resourceVersion=1"}:              "watch pods",
		{"POST", "/api/v1/namespaces/ns/pods/web-0/eviction"}:             evictionCall,
		{"GET", "/apis/policy/v1/poddisruptionbudgets?watch=1"}:           "watch poddisruptionbudgets",
		{"GET", "/apis/policy/v1/namespaces/ns/poddisruptionbudgets/web"}: "get poddisruptionbudgets",
		{"GET", "/api/v1/namespaces"}:                                     "list namespaces",
		{"GET", "/api/v1/namespaces/ns"}:                                  "get namespaces",
		{"PATCH", "/api/v1/nodes/a"}:                                      "patch nodes",
		{"GET", "/api/v1"}:                                                "discovery",
		{"GET", "/apis/apps/v1"}:                                          "discovery",
		{"GET", "/api"}:                                                   "discovery",
	} {
		address, err := url.Parse("https://127.0.0.1" + call[1])
		if err != nil {
			t.Fatal(err)
		}
		if got := callOf(&http.Request{Method: call[0], URL: address}); got != want {
			t.Errorf("callOf(%s %s) = %q, want %q", call[0], call[1], got, want)
		}
	}
}

func TestEvictionsAreTimed(t *testing.T) {
	c := newCounter()
	c.note(evictionCall, http.StatusCreated, c.began.Add(time.Second), c.began.Add(1250*time.Millisecond))
	c.note(evictionCall, http.StatusTooManyRequests, c.began, c.began.Add(time.Millisecond))
	c.note("list pods", http.StatusOK, c.began, c.began.Add(time.Hour))
	if len(c.latencies) != 2 || c.latencies[0] != 250 || len(c.granted) != 1 || c.granted[0] != 1.25 || c.calls[evictionCall] != 2 || c.evictions[429] != 1 {
		t.Errorf("counted %+v", c)
	}
}
