package kubelet

import (
	"context"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/go-logr/logr"
)

// Label with the value "true" marks the Nodes that are simulated.
const Label = "fleetwright.io/simulated"

// Annotations script a Pod, and where noted a Node. Seconds may have a fraction; a value that is not a number is ignored.
const (
	// AnnotationStartSeconds is the time from being bound to running for a Pod, and from registration to Ready for a Node.
	AnnotationStartSeconds = "simulation.fleetwright.io/start-seconds"
	// AnnotationTerminationSeconds is the time a Pod takes to end by itself after SIGTERM. Its grace period cuts it short.
	AnnotationTerminationSeconds = "simulation.fleetwright.io/termination-seconds"
	// AnnotationNeverReady with the value "true" keeps a running Pod, or a Node, not ready; it may be set and removed at any time.
	AnnotationNeverReady = "simulation.fleetwright.io/never-ready"
	// AnnotationRunSeconds is the time after which a running Pod ends successfully. Default: never.
	AnnotationRunSeconds = "simulation.fleetwright.io/run-seconds"
)

// Range is a span from which a duration is drawn. The zero Range is no time at all.
type Range struct{ Min, Max time.Duration }

// Puller returns the words of a container runtime that cannot pull an image, and nothing when it has pulled it.
type Puller func(ctx context.Context, image string) (problem string)

// Settings say how quick the simulated nodes are. Zero durations mean at once; DefaultSettings has lifelike ones.
type Settings struct {
	// Seed makes the drawn durations another, reproducible set.
	Seed uint64
	// NodeStart is the time from a Node's registration to Ready.
	NodeStart Range
	// PodStart is the time from being bound to a ready Node to running and ready.
	PodStart Range
	// PodTermination is the time a Pod takes to end after SIGTERM.
	PodTermination Range
	// Heartbeat is how often a Node's Ready condition is refreshed. 0: never.
	Heartbeat time.Duration
	// Pull says how the pull of an image by the cluster's nodes would end now. Nil: every image is pulled.
	Pull Puller
	// PullBackoff are the first and the longest pause between two pulls of an image that fails; each pause is twice the last. Default when zero:
	// 1 s and 10 s, a thirtieth of a real kubelet's longest.
	PullBackoff Range
	// Workers is how many changes are written at once. Default: 8.
	Workers int
	// Log receives failures that are retried. The default discards them.
	Log logr.Logger
}

// DefaultSettings are quick enough to watch and slow enough to see budgets at work: nodes take 1 s, pods start in 1 to 3 s and end in 1 to 2 s.
// Heartbeats come every 5 minutes, as often as a real kubelet reports an unchanged status.
func DefaultSettings() Settings {
	return Settings{
		Seed:           1,
		NodeStart:      Range{time.Second, time.Second},
		PodStart:       Range{time.Second, 3 * time.Second},
		PodTermination: Range{time.Second, 2 * time.Second},
		Heartbeat:      5 * time.Minute,
	}
}

// draw returns the scripted duration if there is a valid one, and else one out of r that depends on seed, what and name only.
func draw(seed uint64, r Range, what, name, scripted string) time.Duration {
	if d, ok := seconds(scripted); ok {
		return d
	}
	if r.Max <= r.Min {
		return r.Min
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(strconv.FormatUint(seed, 10) + "/" + what + "/" + name))
	return r.Min + time.Duration(h.Sum64()%uint64(r.Max-r.Min+1))
}

func seconds(s string) (time.Duration, bool) {
	const year = 365 * 24 * 60 * 60
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= year) { // written so that NaN is refused
		return 0, false
	}
	return time.Duration(f * float64(time.Second)), true
}
