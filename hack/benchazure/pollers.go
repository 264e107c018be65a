package main

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"github.com/fleetwright/fleetwright/hack/benchazure/fakearm"
)

// poller is a way to find drift by asking about each thing by itself. All are as kind to their originals as can be: one GET per look, one
// PUT per drift, a request that is refused is made again when Azure says, and no request waits for a worker.
type poller struct {
	name string
	// every is the time between two looks at a thing, more or less by jitter of it.
	every  time.Duration
	jitter float64
	// blind writes each time without a look before, and reads afterwards.
	blind bool
	// runs are of whole clusters, one thing after the other; without, each thing has a moment of its own. spread is how far their
	// beginnings are apart at most.
	runs   bool
	spread time.Duration
}

func pollers() []poller {
	return []poller{
		{name: "ASO-like, GET each hour", every: time.Hour, jitter: 0.25},
		{name: "ASO-like, GET each 15 min", every: 15 * time.Minute, jitter: 0.25},
		{name: "ASO 2.18 as it is, PUT and GET each hour", every: time.Hour, jitter: 0.25, blind: true},
		{name: "Crossplane-like, poll each minute", every: time.Minute, jitter: 0.05},
		{name: "Crossplane-like, poll each 10 min", every: 10 * time.Minute, jitter: 0.05},
		{name: "Terraform refresh each hour, at the full hour", every: time.Hour, runs: true, spread: time.Minute},
		{name: "Terraform refresh each hour, spread over it", every: time.Hour, runs: true, spread: time.Hour},
	}
}

// look is a thing that will be looked at.
type look struct {
	at    time.Time
	thing int
	// write tells that the look was made and the write is due; read that it was made and is to be looked at.
	write, read bool
}

type looks []look

func (l looks) Len() int           { return len(l) }
func (l looks) Less(i, j int) bool { return l[i].at.Before(l[j].at) }
func (l looks) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

// Push implements heap.Interface.
func (l *looks) Push(x any) { *l = append(*l, x.(look)) }

// Pop implements heap.Interface.
func (l *looks) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}

// run lives through a trace, event by event.
func (p poller) run(things []*fakearm.Thing, trace []fakearm.Event, length time.Duration, seed uint64) result {
	random := rand.New(rand.NewPCG(seed, 3))
	azure := fakearm.New(things, rand.New(rand.NewPCG(seed, 2)))
	began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	queue := p.begin(things, began, random)
	heap.Init(queue)
	var calls fakearm.Calls
	counted := false
	for {
		next := (*queue)[0]
		if len(trace) > 0 && !began.Add(trace[0].At).After(next.at) {
			azure.Apply(began.Add(trace[0].At), trace[0])
			trace = trace[1:]
			continue
		}
		if !counted && next.at.Sub(began) >= length {
			calls, counted = azure.Calls, true
		}
		if next.at.Sub(began) >= length+after {
			break
		}
		(*queue)[0] = p.step(azure, next, random)
		heap.Fix(queue, 0)
	}
	calls.Needless, calls.Refused = azure.Calls.Needless, azure.Calls.Refused
	return newResult(calls, azure.Episodes)
}

// begin gives each thing its first moment.
func (p poller) begin(things []*fakearm.Thing, began time.Time, random *rand.Rand) *looks {
	queue := make(looks, 0, len(things))
	starts := map[int]time.Duration{}
	for i, t := range things {
		at := time.Duration(random.Int64N(int64(p.every)))
		if p.runs {
			start, known := starts[t.Cluster]
			if !known {
				start = time.Duration(random.Int64N(int64(p.spread)))
			}
			at, starts[t.Cluster] = start, start+readLatency
		}
		queue = append(queue, look{at: began.Add(at), thing: i})
	}
	return &queue
}

// step makes one request and says which is the next about this thing.
func (p poller) step(azure *fakearm.Azure, l look, random *rand.Rand) look {
	t := azure.Things[l.thing]
	if l.write || (p.blind && !l.read) {
		if wait := azure.Put(l.at, t); wait > 0 {
			return look{at: l.at.Add(wait), thing: l.thing, write: l.write}
		}
		if p.blind {
			return look{at: l.at.Add(writeLatency), thing: l.thing, read: true}
		}
		return p.later(l, random)
	}
	value, _, there, wait := azure.Get(l.at, t)
	if wait > 0 {
		return look{at: l.at.Add(wait), thing: l.thing, read: l.read}
	}
	if !p.blind && (!there || value != fakearm.Good) {
		return look{at: l.at.Add(readLatency), thing: l.thing, write: true}
	}
	return p.later(l, random)
}

func (p poller) later(l look, random *rand.Rand) look {
	shift := 0.0
	if p.jitter > 0 {
		shift = p.jitter * (2*random.Float64() - 1)
	}
	return look{at: l.at.Add(time.Duration(float64(p.every) * (1 + shift))), thing: l.thing}
}
