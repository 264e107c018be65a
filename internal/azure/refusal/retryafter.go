package refusal

import (
	"net/http"
	"strconv"
	"time"
)

// RetryAfter reads the headers by which Azure asks to be left alone; 0 for none.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if ms, err := strconv.Atoi(h.Get(name)); err == nil && ms > 0 {
			return within(ms, time.Millisecond)
		}
	}
	value := h.Get("Retry-After")
	if s, err := strconv.Atoi(value); err == nil && s > 0 {
		return within(s, time.Second)
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return min(at.Sub(now), longest)
	}
	return 0
}

// longest keeps a header that nobody meant from stopping the operator for good.
const longest = 24 * time.Hour

func within(n int, unit time.Duration) time.Duration {
	return time.Duration(min(n, int(longest/unit))) * unit
}
