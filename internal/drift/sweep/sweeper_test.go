package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/fleetwright/fleetwright/internal/azure/graph"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// cloud is a Resource Graph of things: what it has, how it answers, and when it was asked.
type cloud struct {
	mu       sync.Mutex
	declared []Declared
	bad      map[int]string
	page     int // rows on one; 0: all
	fail     func(asked int) error
	spoil    func(*graph.Page)

	asked []time.Time
	about []string
	lists []string
}

type row struct {
	ID      string    `json:"id"`
	Value   string    `json:"value"`
	Changed time.Time `json:"changed"`
}

func (c *cloud) set(i int, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bad == nil {
		c.bad = map[int]string{}
	}
	c.bad[i] = value
}

func (c *cloud) rows(subscriptions []string) []json.RawMessage {
	var out []json.RawMessage
	for i, d := range c.declared {
		value, isBad := c.bad[i]
		if !isBad {
			value = "good"
		}
		if value == "" || !slices.Contains(subscriptions, subscriptionOf(d.ID)) {
			continue
		}
		raw, _ := json.Marshal(row{ID: d.ID + "/", Value: value})
		out = append(out, raw)
	}
	return out
}

func (c *cloud) Query(_ context.Context, q graph.Query) (graph.Page, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked, c.about = append(c.asked, time.Now()), append(c.about, fmt.Sprint(q.Subscriptions, q.Text, q.SkipToken))
	if c.fail != nil {
		if err := c.fail(len(c.asked)); err != nil {
			return graph.Page{}, err
		}
	}
	all, from := c.rows(q.Subscriptions), 0
	if q.SkipToken != "" {
		_, _ = fmt.Sscan(q.SkipToken, &from)
	}
	p := graph.Page{Rows: all[from:], Total: len(all), Remaining: 14, ResetsAfter: 5 * time.Second}
	if c.page > 0 && len(p.Rows) > c.page {
		p.Rows, p.SkipToken = p.Rows[:c.page], fmt.Sprint(from+c.page)
	}
	if c.spoil != nil {
		c.spoil(&p)
	}
	return p, nil
}

func (c *cloud) Rows(_ context.Context, what graph.Collection) ([]json.RawMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lists = append(c.lists, what.Path)
	return c.rows([]string{what.Path}), nil
}

func target(c *cloud) Target {
	return Target{
		Name:     "things",
		Declared: func(context.Context) ([]Declared, error) { return c.declared, nil },
		Query:    func([]Declared) string { return "things | project id, value" },
		Read: func(raw json.RawMessage) ([]Found, error) {
			var r row
			err := json.Unmarshal(raw, &r)
			return []Found{{ID: r.ID, Fields: map[string]any{"v": r.Value}, ChangedAt: r.Changed}}, err
		},
	}
}

// story runs a Sweeper in virtual time and gives what it wakes.
func story(t *testing.T, c *cloud, tell func(s *Sweeper, woken func() []string)) {
	t.Helper()
	storyOf(t, c, target(c), tell)
}

func storyOf(t *testing.T, c *cloud, target Target, tell func(s *Sweeper, woken func() []string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Azure: c, Log: logr.Discard()})
		events := s.Register(target)
		ctx, stop := context.WithCancel(t.Context())
		var mu sync.Mutex
		var names []string
		done := make(chan error)
		go func() { done <- s.Start(ctx) }()
		go func() {
			for {
				select {
				case e := <-events:
					mu.Lock()
					names = append(names, e.Object.GetName())
					mu.Unlock()
				case <-ctx.Done():
					return
				}
			}
		}()
		tell(s, func() []string {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			out := names
			names = nil
			slices.Sort(out)
			return out
		})
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// pass lets virtual time go by.
func pass(d time.Duration) { <-time.NewTimer(d).C }

func expect(t *testing.T, when string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

func TestOnlyWhatLooksDifferentIsWoken(t *testing.T) {
	c := &cloud{declared: things(30)}
	story(t, c, func(s *Sweeper, woken func() []string) {
		pass(time.Hour)
		expect(t, "after an hour of peace", woken())
		c.set(3, "bad")
		c.set(7, "")
		pass(DefaultEvery)
		expect(t, "after one round", woken(), "c003", "c007")
		s.Looked(c.declared[3].ID, time.Now(), Healed)
		s.Looked(c.declared[7].ID, time.Now(), Healed)
		pass(2 * DefaultEvery)
		expect(t, "while Graph has not seen the healing", woken())
		c.set(3, "good")
		c.set(7, "good")
		pass(time.Hour)
		expect(t, "after it has", woken())
	})
}

// TestAThingThatIsChangedAgainAtOnceIsFoundAgain: as soon as Resource Graph has shown the healed thing, nothing keeps the next drift back.
func TestAThingThatIsChangedAgainAtOnceIsFoundAgain(t *testing.T) {
	c := &cloud{declared: things(30)}
	story(t, c, func(s *Sweeper, woken func() []string) {
		for _, gone := range []string{"", "bad"} {
			c.set(3, gone)
			pass(DefaultEvery)
			expect(t, "changed", woken(), "c003")
			s.Looked(c.declared[3].ID, time.Now(), Healed)
			c.set(3, "good")
			pass(DefaultEvery)
			expect(t, "healed", woken())
			c.set(3, gone)
			pass(DefaultEvery)
			expect(t, "changed again", woken(), "c003")
			s.Looked(c.declared[3].ID, time.Now(), Healed)
			c.set(3, "good")
			pass(DefaultEvery)
			woken()
		}
	})
}

// TestALookOutrunsARow: what was read before the last look does not tell that Resource Graph has caught up with it.
func TestALookOutrunsARow(t *testing.T) {
	s := New(Options{})
	s.Looked("/a", noon, Healed)
	s.Looked("/a", noon.Add(time.Second), Healed)
	s.note(verdict{agreed: map[string]agreement{"/a": {noon, true}, "/b": {noon, true}}}, noon)
	if k := s.lookUp("/a"); k.agreed || len(s.seen) != 1 {
		t.Errorf("known %+v", s.seen)
	}
	s.note(verdict{agreed: map[string]agreement{"/a": {noon.Add(time.Second), true}}}, noon)
	if k := s.lookUp("/a"); !k.agreed || k.outcome != Healed {
		t.Errorf("known %+v", k)
	}
}

// TestWhatIsLeftDriftedIsLookedAtEverMoreRarely, and at once when somebody has put it right.
func TestWhatIsLeftDriftedIsLookedAtEverMoreRarely(t *testing.T) {
	c := &cloud{declared: things(30)}
	story(t, c, func(s *Sweeper, woken func() []string) {
		c.set(3, "")
		looks := 0
		for range int(24 * time.Hour / DefaultEvery) {
			pass(DefaultEvery)
			if len(woken()) > 0 {
				looks++
				s.Looked(c.declared[3].ID, time.Now(), Standing)
			}
		}
		if looks < 7 || looks > 8 {
			t.Errorf("%d looks in a day", looks)
		}
		c.set(3, "good")
		pass(DefaultEvery)
		expect(t, "put right", woken(), "c003")
		s.Looked(c.declared[3].ID, time.Now(), AsDeclared)
		pass(time.Hour)
		expect(t, "afterwards", woken())
		c.set(3, "")
		pass(DefaultEvery)
		expect(t, "drifted again", woken(), "c003")
	})
}

// TestWhoeverCouldNotFinishIsLeftAlone until he comes back by himself.
func TestWhoeverCouldNotFinishIsLeftAlone(t *testing.T) {
	c := &cloud{declared: things(30)}
	story(t, c, func(s *Sweeper, woken func() []string) {
		s.Later(c.declared[3].ID, time.Now().Add(15*time.Minute))
		c.set(3, "")
		pass(15*time.Minute - time.Second)
		expect(t, "before that", woken())
		pass(DefaultEvery + time.Second)
		expect(t, "after it", woken(), "c003")
		pass(lag - DefaultEvery)
		expect(t, "without an answer", woken())
	})
}

// TestWhatCannotBeSeenIsLookedAtOnceADay: Azure leaves the rows out, or refuses; what is beside it is found in minutes all the same. Whoever reads
// by way of CAPZ tells of no look before he is woken.
func TestWhatCannotBeSeenIsLookedAtOnceADay(t *testing.T) {
	for name, tc := range map[string]struct{ denied, looked bool }{
		"left out":                  {looked: true},
		"refused":                   {denied: true, looked: true},
		"left out, never looked at": {},
		"refused, never looked at":  {denied: true},
	} {
		t.Run(name, func(t *testing.T) {
			denied := tc.denied
			c := &cloud{declared: things(200)}
			if denied {
				c.declared = c.declared[:100]
				c.fail = func(int) error { return &refusal.Error{Kind: refusal.Denied, Status: http.StatusForbidden} }
			}
			listed := target(c)
			listed.Declared = func(context.Context) ([]Declared, error) {
				out := slices.Clone(c.declared)
				rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] }) // as caches do
				return out, nil
			}
			storyOf(t, c, listed, func(s *Sweeper, woken func() []string) {
				for i, d := range c.declared {
					if tc.looked {
						s.Looked(d.ID, time.Now(), AsDeclared)
					}
					if i < 100 {
						c.set(i, "")
					}
				}
				ofDay, seen := make([]int, 3), map[string]bool{}
				for day := range ofDay {
					for range int(24 * time.Hour / DefaultEvery) {
						pass(DefaultEvery)
						for _, name := range woken() {
							ofDay[day]++
							seen[name] = true
							i := slices.IndexFunc(c.declared, func(d Declared) bool { return d.Object.Name == name })
							s.Looked(c.declared[i].ID, time.Now(), AsDeclared)
						}
					}
				}
				if canaries := ofDay[0]; canaries > 80 || (canaries == 0) != denied {
					t.Errorf("%d looks in the first day", canaries)
				}
				if len(seen) != 100 || ofDay[1] > 110 || ofDay[2] > 110 || ofDay[1]+ofDay[2] < 190 {
					t.Errorf("%d looks at %d things in the days after it", ofDay[1:], len(seen))
				}
				if !denied {
					c.set(150, "bad")
					pass(DefaultEvery)
					expect(t, "what can be seen", slices.DeleteFunc(woken(), func(name string) bool { return name < "c100" }), "c150")
				}
			})
		})
	}
}

// TestWhatWasShownSinceIsHiddenAnew: who could not be seen once is not looked at in a crowd when a right is taken away days later.
func TestWhatWasShownSinceIsHiddenAnew(t *testing.T) {
	c := &cloud{declared: things(100)}
	all := func(value string) {
		for i := range c.declared {
			c.set(i, value)
		}
	}
	all("")
	story(t, c, func(_ *Sweeper, woken func() []string) {
		pass(DefaultEvery)
		all("good")
		pass(48 * time.Hour)
		woken()
		all("")
		pass(DefaultEvery)
		if names := woken(); len(names) != canaries {
			t.Errorf("%d woken, want %d", len(names), canaries)
		}
	})
}

// TestWhatShowsNothingIsNotSaidToBeSeenAgain: a right on many small subscriptions is taken away, which is said once of each.
func TestWhatShowsNothingIsNotSaidToBeSeenAgain(t *testing.T) {
	c := &cloud{}
	for i := range 40 {
		d := thing(i)
		d.ID = fmt.Sprintf("/subscriptions/s%02d/t/1", i)
		c.declared = append(c.declared, d)
	}
	var mu sync.Mutex
	said := map[string]int{}
	log := funcr.New(func(_, line string) {
		mu.Lock()
		defer mu.Unlock()
		for _, words := range []string{"cannot be seen", "can be seen again"} {
			if strings.Contains(line, words) {
				said[words]++
			}
		}
	}, funcr.Options{})
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Azure: c, Log: log})
		events := s.Register(target(c))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Start(ctx) }()
		go func() {
			for {
				select {
				case e := <-events:
					i := slices.IndexFunc(c.declared, func(d Declared) bool { return d.Object.Name == e.Object.GetName() })
					s.Looked(c.declared[i].ID, time.Now(), AsDeclared)
				case <-ctx.Done():
					return
				}
			}
		}()
		for _, d := range c.declared {
			s.Looked(d.ID, time.Now(), AsDeclared)
		}
		pass(DefaultEvery)
		for i := range c.declared {
			c.set(i, "")
		}
		pass(3 * time.Hour)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if diff := cmp.Diff(map[string]int{"cannot be seen": 1}, said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestRoundsAreEven(t *testing.T) {
	c := &cloud{declared: things(300)}
	many := make([]Declared, 0, 3*graph.PageRows)
	for i := range 3 {
		for j := range graph.PageRows {
			many = append(many, Declared{ID: fmt.Sprintf("/subscriptions/s%d/t/%d", i, j), Fields: map[string]any{"v": "good"}})
		}
	}
	c.declared = many
	story(t, c, func(*Sweeper, func() []string) {
		pass(10 * DefaultEvery)
		first := c.asked[0]
		for i, asked := range c.asked {
			if want := first.Add(time.Duration(i) * DefaultEvery / 3); asked.Sub(want).Abs() > time.Millisecond {
				t.Errorf("request %d comes %s after the first, want %s", i, asked.Sub(first), want.Sub(first))
			}
		}
		if n := len(c.asked); n < 27 || n > 30 {
			t.Errorf("%d requests", n)
		}
		if got := c.about[0]; got != "[s0]things | project id, value\n| order by id asc" {
			t.Errorf("asked %q", got)
		}
	})
}

func TestPagesAreReadToTheEnd(t *testing.T) {
	c := &cloud{declared: things(30), page: 10}
	c.set(29, "bad")
	c.spoil = func(p *graph.Page) { p.Remaining = 0 }
	story(t, c, func(_ *Sweeper, woken func() []string) {
		pass(DefaultEvery)
		for len(c.asked) < 3 {
			pass(time.Second)
		}
		expect(t, "from the last page", woken(), "c029")
		if gap := c.asked[1].Sub(c.asked[0]); gap != 5*time.Second {
			t.Errorf("the second page is asked for after %s although the quota is spent for 5 s", gap)
		}
	})
}

func TestNothingIsConcludedFromHalfAnAnswer(t *testing.T) {
	busy := &refusal.Error{Kind: refusal.Passing, RetryAfter: 20 * time.Second}
	for name, tc := range map[string]struct {
		fail  func(int) error
		spoil func(*graph.Page)
		asked int // in the first round
	}{
		"Azure is away":           {fail: func(int) error { return &refusal.Error{Kind: refusal.Passing} }, asked: 3},
		"asked too often":         {fail: func(int) error { return busy }, asked: 3},
		"no right":                {fail: func(int) error { return &refusal.Error{Kind: refusal.Denied, Status: http.StatusForbidden} }, asked: 1},
		"no token":                {fail: func(int) error { return &refusal.Error{Kind: refusal.Denied, Status: http.StatusUnauthorized} }, asked: 1},
		"a page is missing":       {spoil: func(p *graph.Page) { p.Rows = p.Rows[:5] }, asked: 1},
		"rows of another form":    {spoil: func(p *graph.Page) { p.Rows[2] = json.RawMessage(`[]`) }, asked: 1},
		"an answer without end":   {spoil: func(p *graph.Page) { p.SkipToken = "0" }, asked: maxPages},
		"let alone for ten hours": {fail: func(int) error { return &refusal.Error{Kind: refusal.Passing, RetryAfter: 10 * time.Hour} }, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cloud{declared: things(30), fail: tc.fail, spoil: tc.spoil}
			c.set(3, "bad")
			story(t, c, func(_ *Sweeper, woken func() []string) {
				for len(c.asked) == 0 {
					pass(time.Second)
				}
				pass(2 * time.Minute)
				expect(t, "nobody is woken", woken())
				if len(c.asked) != tc.asked {
					t.Errorf("asked %d times, want %d", len(c.asked), tc.asked)
				}
				c.mu.Lock()
				c.fail, c.spoil = nil, nil
				c.mu.Unlock()
				pass(DefaultEvery)
				expect(t, "when it answers again", woken(), "c003")
			})
		})
	}
}

// TestOnlyARightThatIsMissingIsUnreadable: an identity without a token could not read more with any right.
func TestOnlyARightThatIsMissingIsUnreadable(t *testing.T) {
	sorted := func(status int, code string) error {
		return refusal.Sort("ask", refusal.Answer{Status: status, Code: code}, "read", "/")
	}
	for name, tc := range map[string]struct {
		err    error
		result string
	}{
		"no right":                {sorted(403, "AuthorizationFailed"), resultUnreadable},
		"no right, by Graph":      {fmt.Errorf("page: %w", sorted(400, "NoValidSubscriptionsInQueryRequest")), resultUnreadable},
		"no credential":           {sorted(401, "CredentialUnavailable"), resultFailed},
		"a token that is refused": {sorted(401, "invalid_client"), resultFailed},
		"a policy":                {sorted(403, "RequestDisallowedByPolicy"), resultFailed},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cloud{declared: things(30), fail: func(int) error { return tc.err }}
			denied := target(c)
			denied.Name = t.Name() // its own row of the metric
			var logged strings.Builder
			s := New(Options{Azure: c})
			s.Register(denied)
			s.sweep(t.Context(), funcr.New(func(_, line string) { logged.WriteString(line) }, funcr.Options{}), s.targets[0], batches(c.declared, nil, 1000)[0])
			for _, result := range []string{resultUnreadable, resultFailed} {
				want := 0.0
				if result == tc.result {
					want = 1
				}
				if got := testutil.ToFloat64(sweepsTotal.WithLabelValues(denied.Name, result)); got != want {
					t.Errorf("%s is counted %v times, want %v", result, got, want)
				}
			}
			if asks := strings.Contains(logged.String(), "Grant it Reader"); asks != (tc.result == resultUnreadable) {
				t.Errorf("logged %s", &logged)
			}
		})
	}
}

func TestAzureIsLetAloneAsLongAsItAsks(t *testing.T) {
	c := &cloud{declared: things(30), fail: func(asked int) error {
		if asked == 1 {
			return &refusal.Error{Kind: refusal.Passing, RetryAfter: 17 * time.Second}
		}
		return nil
	}}
	c.set(3, "bad")
	story(t, c, func(_ *Sweeper, woken func() []string) {
		for len(c.asked) < 2 {
			pass(time.Second)
		}
		expect(t, "in the same round", woken(), "c003")
		if gap := c.asked[1].Sub(c.asked[0]); gap != 17*time.Second {
			t.Errorf("asked again after %s, want 17s", gap)
		}
	})
}

// TestABlindGraphWakesCanariesOnly: all rows are gone, as after a right was taken away. The canaries see that nothing has happened.
func TestABlindGraphWakesCanariesOnly(t *testing.T) {
	c := &cloud{declared: things(90)}
	story(t, c, func(s *Sweeper, woken func() []string) {
		for i := range c.declared {
			c.set(i, "")
		}
		total := 0
		for range 20 {
			pass(DefaultEvery)
			names := woken()
			total += len(names)
			for _, name := range names {
				i := slices.IndexFunc(c.declared, func(d Declared) bool { return d.Object.Name == name })
				s.Looked(c.declared[i].ID, time.Now(), AsDeclared)
			}
		}
		if most := 10 * int(math.Ceil(float64(20*DefaultEvery)/float64(lag))); total > most || total < canaries {
			t.Errorf("%d looks in an hour without an answer, want at most %d", total, most)
		}
	})
}

// TestAFleetThatHasDriftedIsBelieved: the canaries confirm it, and the next round wakes the rest.
func TestAFleetThatHasDriftedIsBelieved(t *testing.T) {
	c := &cloud{declared: things(90)}
	story(t, c, func(s *Sweeper, woken func() []string) {
		for i := range c.declared {
			c.set(i, "bad")
		}
		pass(DefaultEvery)
		names := woken()
		if len(names) != canaries {
			t.Fatalf("%d woken", len(names))
		}
		for _, name := range names {
			i := slices.IndexFunc(c.declared, func(d Declared) bool { return d.Object.Name == name })
			c.set(i, "good")
			s.Looked(c.declared[i].ID, time.Now(), Healed)
		}
		pass(DefaultEvery)
		if names := woken(); len(names) != 80 {
			t.Errorf("%d woken in the next round, want the other 80", len(names))
		}
	})
}

func TestListsOfKindsThatGraphDoesNotHave(t *testing.T) {
	c := &cloud{declared: things(250)}
	c.set(205, "bad")
	list := target(c)
	list.Every = time.Hour
	list.Query, list.Lists = nil, func(declared []Declared) []graph.Collection {
		var out []graph.Collection
		for _, d := range declared {
			if path := subscriptionOf(d.ID); len(out) == 0 || out[len(out)-1].Path != path {
				out = append(out, graph.Collection{Path: path})
			}
		}
		return out
	}
	storyOf(t, c, list, func(_ *Sweeper, woken func() []string) {
		pass(time.Hour)
		expect(t, "after an hour", woken(), "c205")
		expect(t, "lists", c.lists, "s0", "s1", "s2")
	})
}

func TestForgottenThingsAreNotKept(t *testing.T) {
	s := New(Options{})
	s.Looked("/Subscriptions/A/x/", noon, Healed)
	if k := s.lookUp(idKey("/subscriptions/a/X")); k.outcome != Healed {
		t.Errorf("known %v", k)
	}
	s.Forget("/subscriptions/a/x")
	if len(s.seen) != 0 || !s.NeedLeaderElection() {
		t.Errorf("kept %v", s.seen)
	}
}
