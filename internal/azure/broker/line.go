package broker

import (
	"slices"
	"strings"
	"time"
)

// line is who waits, for which buckets, and who goes next. It has no clock and is not safe for concurrent use.
type line struct {
	buckets map[string]*bucket
	// regions are the buckets of each regional limit, by limit and scope: the one of unknown regions first.
	regions map[string][]*bucket
	// busy are the managed clusters that a request under way changes.
	busy map[string]bool
	// flows are those who wait, by priority. Those of one priority take turns: who was served goes to the end.
	flows  [priorities][]*flow
	pruned time.Time
}

// flow are the requests of one cluster that count against the same buckets, the oldest first. So one that waits for a
// bucket of its own keeps no other one of its cluster waiting.
type flow struct {
	key     string
	waiting []*ticket
}

// ticket is one request.
type ticket struct {
	priority Priority
	buckets  []*bucket
	// everywhere is the key of a regional limit of which every region's bucket gives a token, empty for none.
	everywhere string
	// changes is the managed cluster that the request changes, empty for none.
	changes string
	flow    string
	// asked is when it came, until when it can wait.
	asked, until time.Time
	// answer is nil while it waits.
	answer *answer
	// done is closed with the answer.
	done chan struct{}
}

// answer says that a request may go, or why not.
type answer struct {
	refused bool
	// busy is true when it waited for another change of its cluster, else bucket is what it waited for, and the token would
	// have been there in wait; before is how many would have been served before it.
	busy   bool
	bucket *bucket
	before int
	wait   time.Duration
}

func newLine() *line {
	return &line{buckets: map[string]*bucket{}, regions: map[string][]*bucket{}, busy: map[string]bool{}}
}

// ask puts a request into the line. patience is how long it can wait.
func (l *line) ask(now time.Time, call Call, t target, patience time.Duration) *ticket {
	out := &ticket{priority: call.Priority, asked: now, until: now.Add(max(patience, 0)), done: make(chan struct{})}
	if out.priority == PriorityDefault {
		if out.priority = PriorityWrite; t.reads {
			out.priority = PriorityRead
		}
	}
	who := call.Cluster
	if who == "" {
		who = t.cluster
	}
	if t.changes {
		out.changes = t.cluster
	}
	key := []string{who, out.changes}
	for _, n := range t.needs {
		b := l.bucketFor(now, n)
		b.users++
		out.buckets = append(out.buckets, b)
		if n.regional && n.region == "" {
			out.everywhere = n.family()
		}
		key = append(key, n.key())
	}
	out.flow = strings.Join(key, "\x00")
	flows := &l.flows[out.priority]
	at := slices.IndexFunc(*flows, func(f *flow) bool { return f.key == out.flow })
	if at < 0 {
		*flows = append(*flows, &flow{key: out.flow})
		at = len(*flows) - 1
	}
	(*flows)[at].waiting = append((*flows)[at].waiting, out)
	return out
}

func (n need) family() string { return n.limit.name + " " + n.scope }
func (n need) key() string    { return n.family() + " " + n.region }

// bucketFor is the bucket of a need. One of a region that is new begins as the one of unknown regions is: what counts
// there may have been of this region.
func (l *line) bucketFor(now time.Time, n need) *bucket {
	if b := l.buckets[n.key()]; b != nil {
		return b
	}
	l.prune(now)
	b := newBucket(n)
	if n.regional {
		of := l.regions[n.family()]
		if n.region == "" {
			of = slices.Insert(of, 0, b)
		} else {
			if unknown := l.buckets[need{limit: n.limit, scope: n.scope}.key()]; unknown != nil {
				b.lower(now, unknown.tokens(now))
				b.closed = unknown.closed
			}
			of = append(of, b)
		}
		l.regions[n.family()] = of
	}
	l.buckets[n.key()] = b
	return b
}

// pruneEvery is how often buckets are dropped that say nothing: clusters come and go.
const pruneEvery = 10 * time.Minute

func (l *line) prune(now time.Time) {
	if now.Sub(l.pruned) < pruneEvery {
		return
	}
	l.pruned = now
	for key, b := range l.buckets {
		if b.idle(now) {
			delete(l.buckets, key)
			family := b.family()
			if l.regions[family] = slices.DeleteFunc(l.regions[family], func(o *bucket) bool { return o == b }); len(l.regions[family]) == 0 {
				delete(l.regions, family)
			}
		}
	}
}

// bucketsOf are all that a request takes a token of.
func (l *line) bucketsOf(t *ticket) []*bucket {
	if t.everywhere == "" {
		return t.buckets
	}
	out := slices.Clone(t.buckets)
	for _, b := range l.regions[t.everywhere] {
		if !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

// end is called when a request that was let through has been answered, or never will be.
func (l *line) end(t *ticket) {
	for _, b := range t.buckets {
		b.users--
	}
	if t.changes != "" {
		delete(l.busy, t.changes)
	}
}

// leave takes a request that waits out of the line.
func (l *line) leave(t *ticket) {
	flows := l.flows[t.priority]
	for i, f := range flows {
		if f.key != t.flow {
			continue
		}
		if f.waiting = slices.DeleteFunc(f.waiting, func(o *ticket) bool { return o == t }); len(f.waiting) == 0 {
			l.flows[t.priority] = slices.Delete(flows, i, i+1)
		}
		break
	}
	for _, b := range t.buckets {
		b.users--
	}
}
