package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestReportCounts(t *testing.T) {
	const output = `go: downloading k8s.io/api v0.36.3
k8s.io/api/core/v1
vendor/golang.org/x/net/idna
# example.com/broken
./main.go:3:1: syntax error: unexpected name
`
	total := make(chan int, 1)
	r := newReport("it", &bytes.Buffer{}, false)
	r.follow(strings.NewReader(output), total)
	if r.downloaded != 1 || r.compiled != 2 {
		t.Errorf("downloaded %d and compiled %d, want 1 and 2", r.downloaded, r.compiled)
	}
	if got := strings.Join(r.rest, "|"); got != "# example.com/broken|./main.go:3:1: syntax error: unexpected name" {
		t.Errorf("kept %q", got)
	}
}

func TestReportSays(t *testing.T) {
	for name, test := range map[string]struct {
		downloaded, compiled, total int
		want                        string
	}{
		"before anything":     {total: -1, want: "it: looking what must be compiled, 1m1s\n"},
		"nothing to compile":  {total: 1, want: "it: linking, 1m1s\n"},
		"fetching modules":    {downloaded: 7, total: -1, want: "it: downloaded 7 Go modules, 1m1s\n"},
		"before the count":    {compiled: 3, total: -1, want: "it: compiling package 3, 1m1s\n"},
		"in the middle":       {compiled: 3, total: 9, want: "it: compiling 3 of 9 packages, 1m1s\n"},
		"everything compiled": {compiled: 8, total: 9, want: "it: linking, 1m1s\n"},
		"more than was stale": {compiled: 10, total: 9, want: "it: linking, 1m1s\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			r := newReport("it", &out, false)
			r.started = time.Now().Add(-61 * time.Second)
			r.downloaded, r.compiled, r.total = test.downloaded, test.compiled, test.total
			r.show()
			if out.String() != test.want {
				t.Errorf("said %q, want %q", out.String(), test.want)
			}
		})
	}
}

func TestReportIsQuietWhenNothingIsCompiled(t *testing.T) {
	var out bytes.Buffer
	r := newReport("it", &out, true)
	r.show()
	r.finish()
	if out.String() != "" {
		t.Errorf("said %q about a build that took no time", out.String())
	}
}
