package sim

import (
	"maps"
	"sync"
	"time"
)

// keepRequests is how many requests the log holds; older ones are counted but forgotten.
const keepRequests = 5000

// Request is one line of the request log. It holds no header but the user agent, and no body: no secret gets in.
type Request struct {
	// Time is when the request came in.
	Time time.Time `json:"time"`
	// Method and Path are those of the request; APIVersion is its api-version.
	Method     string `json:"method"`
	Path       string `json:"path"`
	APIVersion string `json:"apiVersion,omitempty"`
	// Status is the HTTP status of the answer; 0 when the reply was lost.
	Status int `json:"status"`
	// Code is the ARM error code of the answer, if it is an error.
	Code string `json:"code,omitempty"`
	// UserAgent is the client's User-Agent.
	UserAgent string `json:"userAgent,omitempty"`
	// Millis is how long the answer took, in milliseconds.
	Millis int64 `json:"millis"`
}

// requestLog keeps the newest requests and counts all.
type requestLog struct {
	mu    sync.Mutex
	all   []Request
	count map[string]int
	total int
}

func newRequestLog() *requestLog { return &requestLog{count: map[string]int{}} }

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	l.count[r.Method]++
	l.all = append(l.all, r)
	if len(l.all) > 2*keepRequests {
		l.all = append([]Request(nil), l.all[len(l.all)-keepRequests:]...)
	}
}

func (l *requestLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all, l.count, l.total = nil, map[string]int{}, 0
}

// snapshot copies the newest requests that keep wants.
func (l *requestLog) snapshot(keep func(Request) bool) []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []Request{}
	for _, r := range l.all[max(0, len(l.all)-keepRequests):] {
		if keep(r) {
			out = append(out, r)
		}
	}
	return out
}

func (l *requestLog) counts() (total int, byMethod map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total, maps.Clone(l.count)
}
