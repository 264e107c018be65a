package roleassignment

import (
	"sync"
	"time"
)

// namesPerHour is how many drifts are asked about, by whom they are, although that decides nothing: enough for a fleet that is let alone,
// and nothing beside the other requests of a storm.
const namesPerHour = 10

// curiosity counts those questions. It saves requests and decides nothing. The zero value is ready.
type curiosity struct {
	mu    sync.Mutex
	asked []time.Time
}

// may tells whether one more question is cheap, and counts it.
func (c *curiosity) may(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.asked) > 0 && now.Sub(c.asked[0]) >= time.Hour {
		c.asked = c.asked[1:]
	}
	if len(c.asked) >= namesPerHour {
		return false
	}
	c.asked = append(c.asked, now)
	return true
}
