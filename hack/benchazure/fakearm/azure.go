package fakearm

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// How late Resource Graph is: log-normal, half of the changes within 25 s, 99 of 100 within 2 minutes, none later than 5 minutes; one of a
// thousand is not told at all and found by a full scan. Microsoft says "near real time" and that scans find what was missed, and no figure.
const (
	lagMedian  = 25 * time.Second
	lagSigma   = 0.674
	lagMost    = 5 * time.Minute
	missed     = 0.001
	scansEvery = 2 * time.Hour
)

// Calls counts requests by what they are.
type Calls struct {
	// Gets are those of things, Others are of what a look at one needs besides: lists, logs, roles, identities and maintenance windows.
	Queries, Gets, Others, Puts int
	// Refused are those with 429.
	Refused int
	// Needless are PUTs of what was as declared.
	Needless int
}

// All is every request that was made.
func (c Calls) All() int { return c.Queries + c.Gets + c.Others + c.Puts }

// Azure is one subscription tree as one principal sees it. It is not safe for concurrent use.
type Azure struct {
	Things   []*Thing
	Calls    Calls
	Episodes []*Episode
	// Blind are the subscriptions that Resource Graph leaves out, because this principal may not read them.
	Blind map[string]bool

	byID    map[string]*Thing
	rows    map[bool]map[string][]*group // by kind (profile or not) and subscription
	buckets map[bucketKey]*bucket
	graph   window
	random  *rand.Rand
}

// New is an Azure with a fleet. random decides how late Resource Graph is.
func New(things []*Thing, random *rand.Rand) *Azure {
	a := &Azure{
		Things: things, byID: map[string]*Thing{}, buckets: map[bucketKey]*bucket{}, random: random,
		rows: map[bool]map[string][]*group{true: {}, false: {}},
	}
	ofPrincipal := map[string]*group{}
	for _, t := range things {
		a.byID[strings.ToLower(t.ID)] = t
		of := a.rows[t.Profile]
		g := ofPrincipal[t.Principal]
		if t.Profile || g == nil {
			g = &group{}
			of[t.Subscription] = append(of[t.Subscription], g)
		}
		if !t.Profile {
			ofPrincipal[t.Principal] = g
		}
		g.things = append(g.things, t)
	}
	return a
}

// Find is the thing of an id, nil for none.
func (a *Azure) Find(id string) *Thing { return a.byID[strings.ToLower(id)] }

// Change is somebody else's: the profile gets another value, the assignment is deleted. It is nothing on a thing that has drifted already.
func (a *Azure) Change(now time.Time, t *Thing, storm bool) {
	if t.episode != nil {
		return
	}
	t.episode = &Episode{Thing: t, Drifted: now, Storm: storm}
	a.Episodes = append(a.Episodes, t.episode)
	value := ""
	if t.Profile {
		value = "priority"
	}
	a.set(t, state{value: value, at: now, style: t.now.style})
}

// Churn changes nothing that is declared: letter case, a setting that nobody owns.
func (a *Azure) Churn(now time.Time, t *Thing) {
	a.set(t, state{value: t.now.value, at: now, style: t.now.style + 1})
}

func (a *Azure) set(t *Thing, s state) {
	t.now = s
	delay := time.Duration(math.Exp(a.random.NormFloat64()*lagSigma) * float64(lagMedian))
	if delay = min(delay, lagMost); a.random.Float64() < missed {
		delay = time.Duration(a.random.Int64N(int64(scansEvery)))
	}
	t.pending = append(t.pending, arrival{s, s.at.Add(delay)})
	slices.SortStableFunc(t.pending, func(x, y arrival) int { return x.visible.Compare(y.visible) })
}

// Get reads a thing. wait is what a 429 asks for; there is false for 404.
func (a *Azure) Get(now time.Time, t *Thing) (value string, style int, there bool, wait time.Duration) {
	a.Calls.Gets++
	if wait := a.allow(now, t, armReads, aksGetCluster); wait > 0 {
		return "", 0, false, wait
	}
	if t.episode != nil && t.episode.Detected.IsZero() {
		t.episode.Detected = now
	}
	return t.now.value, t.now.style, t.now.value != "", 0
}

// Other reads something else of a subscription.
func (a *Azure) Other(now time.Time, subscription string) (wait time.Duration) {
	a.Calls.Others++
	wait, ok := a.take(now, armReads, subscription)
	if ok {
		return 0
	}
	a.Calls.Refused++
	return max(wait, time.Second)
}

// Put writes a thing as declared.
func (a *Azure) Put(now time.Time, t *Thing) (wait time.Duration) {
	a.Calls.Puts++
	if wait := a.allow(now, t, armWrites, aksPutCluster); wait > 0 {
		return wait
	}
	if t.episode == nil {
		a.Calls.Needless++
	} else {
		t.episode.Puts++
		t.episode.Healed = now
		if t.episode.Detected.IsZero() {
			t.episode.Detected = now
		}
		t.episode = nil
	}
	a.set(t, state{value: Good, at: now, style: t.now.style})
	return 0
}

// allow counts a request at Resource Manager, and one about a cluster at AKS as well.
func (a *Azure) allow(now time.Time, t *Thing, arm, aks limit) time.Duration {
	wait, ok := a.take(now, arm, t.Subscription)
	if ok && t.Profile {
		wait, ok = a.take(now, aks, t.ID)
	}
	if ok {
		return 0
	}
	a.Calls.Refused++
	return max(wait, time.Second)
}

// Page is one of an answer of Resource Graph.
type Page struct {
	Rows      []string
	Total     int
	Next      int // where the next page begins; 0 for none
	Remaining int
	Resets    time.Duration
	// Wait is what a 429 asks for.
	Wait time.Duration
}

// Query asks Resource Graph for the rows of a kind in subscriptions, from one on.
func (a *Azure) Query(now time.Time, profiles bool, subscriptions []string, from, top int) Page {
	a.Calls.Queries++
	remaining, resets, ok := a.takeQuery(now)
	if !ok {
		a.Calls.Refused++
		return Page{Wait: resets, Resets: resets}
	}
	p := Page{Remaining: remaining, Resets: resets}
	for _, s := range subscriptions {
		if a.Blind[s] {
			continue
		}
		for _, group := range a.rows[profiles][s] {
			row, there := group.row(now)
			if !there {
				continue
			}
			if p.Total++; p.Total > from && len(p.Rows) < top {
				p.Rows = append(p.Rows, row)
			}
		}
	}
	if from+len(p.Rows) < p.Total {
		p.Next = from + len(p.Rows)
	}
	return p
}
