package broker

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// world is a line, those who asked, and an Azure that counts by the published limits, all in virtual time.
type world struct {
	t    *testing.T
	seed uint64
	rand *rand.Rand
	now  time.Time
	line *line

	waiting, underWay []*asked
	arrivals          []arrival
	again             time.Time
	// since is for each who waits at the head of its flow, whom it saw served since.
	since map[*ticket]map[string]int
	// shut is until when a bucket is closed by a 429.
	shut               map[*bucket]time.Time
	served, refused    int
	waited, overtaking int
}

// asked is a ticket and who asked for it. kind is what it counts against, but for the cluster.
type asked struct {
	*ticket
	cluster, kind string
	// real are the buckets that Azure counts it against.
	real []need
}

// arrival is a request that reaches Azure.
type arrival struct {
	at   time.Time
	real []need
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("seed %d at %s: %s", w.seed, w.now.Sub(start), fmt.Sprintf(format, args...))
}

// request is a random one: of one of a few clusters in two subscriptions, each with two regions.
func (w *world) request() (Call, string, string, []need) {
	n := w.rand.IntN(6)
	where, region := fmt.Sprintf("/subscriptions/s%d", n%2), []string{"north", "south"}[n/2%2]
	cluster := fmt.Sprintf("%s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c%d", where, n)
	kinds := []struct{ method, path string }{
		{"GET", cluster}, {"PUT", cluster}, {"PUT", cluster + "/agentPools/p"}, {"GET", cluster + "/agentPools/p"}, {"POST", cluster + "/agentPools/p/deleteMachines"},
		{"PUT", where + "/resourceGroups/g" + grant}, {"PUT", where + "/resourceGroups/g" + grant}, {"DELETE", where + "/resourceGroups/g" + grant},
		{"GET", where + "/providers/Microsoft.ContainerService/managedClusters"}, {"POST", query},
	}
	k := kinds[w.rand.IntN(len(kinds))]
	call := Call{Cluster: fmt.Sprintf("ns/c%d", n), Priority: Priority(w.rand.IntN(priorities)), Region: region}
	if w.rand.IntN(4) == 0 {
		call.Region = ""
	}
	return call, k.method, k.path, targetOf("me", k.method, k.path, region).needs
}

func (w *world) ask() {
	call, method, path, needs := w.request()
	t := targetOf("me", method, path, call.Region)
	var kind []string
	for _, n := range t.needs {
		kind = append(kind, n.key())
	}
	a := &asked{w.line.ask(w.now, call, t, time.Duration(w.rand.Int64N(int64(patience)))), call.Cluster, strings.Join(kind, ","), needs}
	w.waiting = append(w.waiting, a)
	w.look()
}

// end answers a random request that is under way: mostly well, sometimes with 429, sometimes not at all.
func (w *world) end() {
	i := w.rand.IntN(len(w.underWay))
	a := w.underWay[i]
	w.underWay = slices.Delete(w.underWay, i, i+1)
	r := reply{left: -1, graph: -1}
	switch w.rand.IntN(40) {
	case 0:
		r.throttled, r.wait, r.byARM = true, time.Duration(w.rand.Int64N(int64(10*time.Second))), w.rand.IntN(2) == 0
	case 1:
		r.left = w.rand.IntN(100)
	case 2:
		r = reply{}
	}
	if b := w.line.learn(w.now, a.ticket, r); b != nil {
		until := w.now.Add(max(r.wait, 0))
		if until.After(w.shut[b]) {
			w.shut[b] = until
		}
	}
	w.line.end(a.ticket)
	w.look()
}

func (w *world) leave() {
	i := w.rand.IntN(len(w.waiting))
	w.line.leave(w.waiting[i].ticket)
	w.waiting = slices.Delete(w.waiting, i, i+1)
	w.look()
}

// look lets the line decide and checks what it decided.
func (w *world) look() {
	w.t.Helper()
	before := map[*bucket]float64{}
	for _, b := range w.line.buckets {
		before[b] = b.tokens(w.now)
	}
	decided, again := w.line.advance(w.now)
	w.again = again
	taken := map[*bucket]int{}
	var gone []*asked
	refused := false
	for _, d := range decided {
		at := slices.IndexFunc(w.waiting, func(a *asked) bool { return a.ticket == d })
		a := w.waiting[at]
		w.waiting = slices.Delete(w.waiting, at, at+1)
		if d.answer.refused {
			w.checkRefusal(a)
			refused = true
			continue
		}
		for _, b := range w.line.bucketsOf(d) {
			taken[b]++
			if w.now.Before(w.shut[b]) {
				w.fail("%s was let through, and Azure asked to be left alone until %s", b.key(), w.shut[b].Sub(start))
			}
		}
		w.checkTurns(a)
		gone = append(gone, a)
		w.underWay = append(w.underWay, a)
		w.arrivals = append(w.arrivals, arrival{w.now.Add(time.Duration(w.rand.Int64N(int64(travel)))), a.real})
		w.served++
		if w.now.After(a.asked) {
			w.waited++
		}
	}
	for b, n := range taken {
		if left := before[b] - float64(n); left < -1e-6 {
			w.fail("%s is overdrawn: %v", b.key(), left)
		}
	}
	if refused {
		gone = nil // another one was the first in line when they were served
	}
	w.checkPriority(gone)
	w.checkChanges()
	if len(w.waiting) > 0 && (again.IsZero() || !again.After(w.now)) {
		w.fail("%d wait, and the next look is at %v", len(w.waiting), again)
	}
	w.markHeads()
}

func (w *world) checkRefusal(a *asked) {
	w.t.Helper()
	w.refused++
	ans := a.answer
	// Either its time was up, or the budget would have come too late.
	if w.now.Before(a.until) && !w.now.Add(ans.wait).After(a.until) {
		w.fail("refused %s before its time, with a wait of %s", a.kind, ans.wait)
	}
}

// markHeads remembers who waits at the head of its flow, and whom it sees served from now on.
func (w *world) markHeads() {
	heads := map[*ticket]map[string]int{}
	for _, flows := range w.line.flows {
		for _, f := range flows {
			t := f.waiting[0]
			if heads[t] = w.since[t]; heads[t] == nil {
				heads[t] = map[string]int{}
			}
		}
	}
	w.since = heads
}

// checkTurns: nobody is served twice while another cluster waits for the same.
func (w *world) checkTurns(a *asked) {
	w.t.Helper()
	for _, other := range w.waiting {
		seen := w.since[other.ticket]
		if seen == nil || other.priority != a.priority || other.kind != a.kind || other.cluster == a.cluster || other.changes != "" || a.changes != "" {
			continue
		}
		if seen[a.cluster]++; seen[a.cluster] > 1 {
			w.fail("cluster %s was served twice while %s waited for %s", a.cluster, other.cluster, a.kind)
		}
	}
}

// checkPriority: the first of all who wait lacks something, and nobody of a lower priority was given that.
func (w *world) checkPriority(served []*asked) {
	w.t.Helper()
	for _, flows := range w.line.flows {
		if len(flows) == 0 {
			continue
		}
		first := flows[0].waiting[0]
		var lacks []*bucket
		for _, b := range w.line.bucketsOf(first) {
			if b.tokens(w.now) < 1 || w.now.Before(b.closed) {
				lacks = append(lacks, b)
			}
		}
		if len(lacks) == 0 && !(first.changes != "" && w.line.busy[first.changes]) {
			w.fail("the first in line lacks nothing and waits: %q", first.flow)
		}
		for _, s := range served {
			if s.priority <= first.priority {
				continue
			}
			w.overtaking++
			for _, b := range w.line.bucketsOf(s.ticket) {
				if slices.Contains(lacks, b) {
					w.fail("a request of priority %s got the token of %s that one of priority %s waits for", s.priority, b.key(), first.priority)
				}
			}
		}
		return
	}
}

// checkChanges: one change of a cluster is under way at a time.
func (w *world) checkChanges() {
	w.t.Helper()
	busy := map[string]bool{}
	for _, a := range w.underWay {
		if a.changes == "" {
			continue
		}
		if busy[a.changes] {
			w.fail("two changes of %s are under way", a.changes)
		}
		busy[a.changes] = true
	}
	if !maps.Equal(busy, w.line.busy) {
		w.fail("busy: %v, want %v", w.line.busy, busy)
	}
}

// pass lets time pass, with the looks that the line asks for.
func (w *world) pass(d time.Duration) {
	to := w.now.Add(d)
	for !w.again.IsZero() && !w.again.After(to) {
		w.now = w.again
		w.look()
	}
	w.now = to
}

// checkArrivals replays what reached Azure against the published limits.
func (w *world) checkArrivals() {
	w.t.Helper()
	type azure struct {
		tokens float64
		at     time.Time
	}
	buckets := map[string]*azure{}
	slices.SortStableFunc(w.arrivals, func(a, b arrival) int { return a.at.Compare(b.at) })
	for _, a := range w.arrivals {
		for _, n := range a.real {
			if n.limit.size == 0 {
				continue
			}
			b := buckets[n.key()]
			if b == nil {
				b = &azure{float64(n.limit.size), a.at}
				buckets[n.key()] = b
			}
			b.tokens = min(float64(n.limit.size), b.tokens+float64(n.limit.refill)*a.at.Sub(b.at).Seconds()) - 1
			b.at = a.at
			if b.tokens < -1e-6 {
				w.fail("Azure would have answered 429: %s has %v at %s", n.key(), b.tokens, a.at.Sub(start))
			}
		}
	}
}

// TestLine: whatever is asked, no bucket of Azure is overdrawn, nobody gets what a higher priority waits for, clusters take
// turns, one change of a cluster is under way, and everybody gets an answer in time.
func TestLine(t *testing.T) {
	for i := range uint64(60) {
		seed := i
		switch {
		case i == 20:
			seed = 12279551535391935497 // one who was refused held a token until the next look
		case i > 20:
			seed = rand.Uint64()
		}
		w := &world{t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), now: start, line: newLine(), shut: map[*bucket]time.Time{}}
		for range 2500 {
			switch n := w.rand.IntN(100); {
			case n < 60:
				w.ask()
			case n < 90 && len(w.underWay) > 0:
				w.end()
			case n < 92 && len(w.waiting) > 0:
				w.leave()
			default:
				w.pass(time.Duration(w.rand.Int64N(int64([]time.Duration{50 * time.Millisecond, time.Second, 3 * time.Second}[seed%3]))))
			}
			for _, a := range w.waiting {
				if a.until.Add(soonest).Before(w.now) {
					w.fail("one waits beyond its time")
				}
			}
		}
		for len(w.underWay) > 0 {
			w.end()
		}
		w.pass(2 * patience)
		if len(w.waiting) > 0 {
			w.fail("%d got no answer", len(w.waiting))
		}
		for _, b := range w.line.buckets {
			if users := b.users; users != 0 && w.underWay == nil {
				w.fail("%s has %d users and nobody is there", b.key(), users)
			}
		}
		w.checkArrivals()
		if i < 3 {
			t.Logf("seed %d: %d served, %d of them waited, %d refused, %d looks with both", seed, w.served, w.waited, w.refused, w.overtaking)
		}
	}
}
