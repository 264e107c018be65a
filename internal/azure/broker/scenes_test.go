package broker

import (
	"fmt"
	"testing"
	"time"
)

// scene is a line with a few words to play small scenes.
type scene struct {
	t    *testing.T
	now  time.Time
	line *line
}

func newScene(t *testing.T) *scene {
	t.Helper()
	return &scene{t: t, now: start, line: newLine()}
}

func (s *scene) ask(call Call, method, path string) *ticket {
	s.t.Helper()
	t := s.line.ask(s.now, call, targetOf("me", method, path, call.Region), patience)
	s.line.advance(s.now)
	return t
}

// spend lets so many requests through and ends them; the rest is left in the line.
func (s *scene) spend(n int, call Call, method, path string) {
	s.t.Helper()
	for range n {
		if t := s.ask(call, method, path); went(t) {
			s.line.end(t)
		}
	}
}

func (s *scene) pass(d time.Duration) {
	s.now = s.now.Add(d)
	s.line.advance(s.now)
}

func went(t *ticket) bool    { return t.answer != nil && !t.answer.refused }
func refused(t *ticket) bool { return t.answer != nil && t.answer.refused }

func cluster(name string) string {
	return group + "/providers/Microsoft.ContainerService/managedClusters/" + name
}

func TestPrioritiesByDefault(t *testing.T) {
	s := newScene(t)
	for _, tc := range []struct {
		call   Call
		method string
		path   string
		want   Priority
	}{
		{Call{}, "GET", shop, PriorityRead}, {Call{}, "PUT", shop, PriorityWrite}, {Call{}, "POST", query, PriorityRead},
		{Call{Priority: PrioritySweep}, "PUT", shop, PrioritySweep}, {Call{Priority: PriorityScaleUp}, "GET", shop, PriorityScaleUp},
	} {
		if got := s.ask(tc.call, tc.method, tc.path); got.priority != tc.want {
			t.Errorf("%s %+v has priority %s, want %s", tc.method, tc.call, got.priority, tc.want)
		}
	}
	for _, wrong := range []Priority{-1, 100} {
		if got := CallOf(For(t.Context(), Call{Priority: wrong})); got.Priority != PriorityDefault {
			t.Errorf("priority %d is %s", wrong, got.Priority)
		}
	}
}

// TestRegionsHaveBudgetsOfTheirOwn, and a request whose region is not known takes of all of them, also of one that is seen later.
func TestRegionsHaveBudgetsOfTheirOwn(t *testing.T) {
	s := newScene(t)
	north, south, unknown := Call{Region: "north"}, Call{Region: "south"}, Call{}
	get := cluster("c") + "/agentPools/p"
	s.spend(59, north, "GET", get)
	if !went(s.ask(south, "GET", get)) {
		t.Error("one region spends the budget of another")
	}
	if r := s.ask(unknown, "GET", get); went(r) {
		t.Error("what may be of the region without budget was let through")
	}
	s = newScene(t)
	s.spend(59, unknown, "GET", get)
	if r := s.ask(north, "GET", get); went(r) {
		t.Error("a region begins with a full budget after 59 requests that may have been its own")
	}
}

// TestWhoWaitsForOneProviderHoldsUpNoOther: dozens of requests to a provider that is closed leave the budget of Resource
// Manager to others, but for one token.
func TestWhoWaitsForOneProviderHoldsUpNoOther(t *testing.T) {
	s := newScene(t)
	const network = group + "/providers/Microsoft.Network/virtualNetworks/n"
	s.spend(185, Call{Cluster: "x"}, "PUT", network)
	first := s.ask(Call{Cluster: "stuck"}, "PUT", acr+grant)
	s.line.learn(s.now, first, reply{throttled: true, wait: 3 * time.Second, left: -1})
	s.line.end(first)
	waiting := 0
	for i := range 100 {
		r := s.ask(Call{Cluster: fmt.Sprint("stuck", i), Priority: PriorityScaleUp}, "PUT", acr+grant)
		if went(r) {
			t.Fatal("goes although its provider is closed")
		}
		if !refused(r) {
			waiting++
		}
	}
	if waiting < 20 {
		t.Fatalf("only %d wait: nothing is tested", waiting)
	}
	// 190 - 185 - 1: four are left, of which one is held for the first of the stuck.
	for range 3 {
		if r := s.ask(Call{Cluster: "y", Priority: PrioritySweep}, "PUT", network); !went(r) {
			t.Fatal("the budget of Resource Manager is held for more than the first")
		}
	}
	if r := s.ask(Call{Cluster: "y", Priority: PrioritySweep}, "PUT", network); went(r) {
		t.Error("nothing is held for the first")
	}
}

// TestASlowBucketIsBackWhenAzureSaysSo: of the one token a minute, Azure says when the next one comes.
func TestASlowBucketIsBackWhenAzureSaysSo(t *testing.T) {
	s := newScene(t)
	first := s.ask(Call{}, "PUT", shop)
	s.line.learn(s.now, first, reply{throttled: true, wait: 3 * time.Second, left: -1})
	s.line.end(first)
	next := s.ask(Call{}, "PUT", shop)
	if s.pass(3*time.Second - time.Millisecond); next.answer != nil {
		t.Fatalf("answered too early: %+v", next.answer)
	}
	if s.pass(2 * time.Millisecond); !went(next) {
		t.Error("waits for longer than Azure asked for")
	}
}

// TestEmergencyOvertakesSweeps: however many sweeps wait, one of a scale-up goes with the next token.
func TestEmergencyOvertakesSweeps(t *testing.T) {
	s := newScene(t)
	s.spend(225, Call{Priority: PrioritySweep}, "GET", acr)
	for i := range 400 {
		s.ask(Call{Cluster: fmt.Sprint(i), Priority: PrioritySweep}, "GET", acr)
	}
	for range 20 {
		up := s.ask(Call{Cluster: "up", Priority: PriorityScaleUp}, "GET", acr)
		if s.pass(time.Second/25 + 2*time.Microsecond); !went(up) {
			t.Fatal("the scale-up waits for more than one token")
		}
	}
}

// TestLateBudgetIsRefusedAtOnce: who would wait for longer than it can is told so now, with the time to come back.
func TestLateBudgetIsRefusedAtOnce(t *testing.T) {
	s := newScene(t)
	s.spend(190, Call{}, "PUT", acr+grant)
	var waiting []*ticket
	for range 49 {
		waiting = append(waiting, s.ask(Call{}, "PUT", acr+grant))
	}
	late := s.ask(Call{}, "PUT", acr+grant)
	if !refused(late) || late.answer.bucket.limit.name != "arm_writes" || late.answer.before != 49 || late.answer.wait.Round(time.Millisecond) != patience {
		t.Fatalf("the 50th: %+v", late.answer)
	}
	e := late.refusal()
	if e.Error() != "ask Azure: Azure cannot answer now, try again in 5s: BudgetSpent: the budget arm_writes of requests to Azure is spent, and 49 others wait for it" || e.Kind != "Passing" {
		t.Errorf("says %q", e)
	}
	// An emergency pushes the last one out.
	s.ask(Call{Priority: PriorityScaleUp}, "PUT", acr+grant)
	if !refused(waiting[48]) || refused(waiting[47]) {
		t.Error("who is last waits beyond its time")
	}
}

// TestOneChangeAtATime: reads of the cluster and changes of others go on; the second change goes when the first has ended,
// or is refused as Busy when its time is up.
func TestOneChangeAtATime(t *testing.T) {
	s := newScene(t)
	first := s.ask(Call{Cluster: "a"}, "PUT", cluster("c")+"/agentPools/p")
	second := s.ask(Call{Cluster: "b", Priority: PriorityScaleUp}, "POST", cluster("C")+"/agentPools/q/deleteMachines")
	third := s.ask(Call{Cluster: "b"}, "DELETE", cluster("c"))
	for name, other := range map[string]*ticket{
		"a read": s.ask(Call{}, "GET", cluster("c")), "another cluster": s.ask(Call{}, "PUT", cluster("d")), "a role on it": s.ask(Call{}, "PUT", cluster("c")+grant),
		"an abort": s.ask(Call{}, "POST", cluster("c")+"/abort"),
	} {
		if !went(other) {
			t.Errorf("%s waits", name)
		}
	}
	if !went(first) || second.answer != nil || third.answer != nil {
		t.Fatal("two changes are under way")
	}
	s.pass(time.Second)
	s.line.end(first)
	s.pass(0)
	if !went(second) || third.answer != nil {
		t.Fatal("the end of one change lets not exactly one go")
	}
	s.pass(patience)
	if !refused(third) || !third.answer.busy || third.refusal().Kind != "Busy" {
		t.Errorf("the third: %+v", third.answer)
	}
}

// TestLessonsOfAnswers: what Azure says lowers a budget and never raises it.
func TestLessonsOfAnswers(t *testing.T) {
	left := func(s *scene, b *bucket) int { return int(b.tokens(s.now) + 1e-6) }
	for name, tc := range map[string]struct {
		path          string
		reply         reply
		arm, provider int
		shutARM, shut bool
	}{
		"nothing":                        {acr, reply{}, 224, 0, false, false},
		"as many as we think":            {acr, reply{left: 249, graph: -1}, 224, 0, false, false},
		"others spend too":               {acr, reply{left: 100, graph: -1}, 75, 0, false, false},
		"none is left":                   {acr, reply{left: 0, graph: -1}, 0, 0, false, false},
		"AKS is tired":                   {cluster("c"), reply{throttled: true, wait: time.Minute, left: 200, graph: -1}, 175, 0, false, true},
		"Resource Manager is":            {cluster("c"), reply{throttled: true, wait: time.Minute, byARM: true, left: -1, graph: -1}, 0, 58, true, false},
		"it does not say how long":       {acr, reply{throttled: true, left: -1, graph: -1}, 224, 0, false, true},
		"Resource Graph has little left": {"", reply{left: -1, graph: 2}, 189, 2, false, false},
		"Resource Graph has none left":   {"", reply{left: -1, graph: 0, resets: 4 * time.Second}, 189, 0, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			method := "GET"
			if tc.path == "" {
				method, tc.path = "POST", query
			}
			asked := s.ask(Call{}, method, tc.path)
			arm, provider := asked.buckets[0], asked.buckets[1]
			shut := s.line.learn(s.now, asked, tc.reply)
			if n := left(s, arm); n != tc.arm {
				t.Errorf("Resource Manager has %d left, want %d", n, tc.arm)
			}
			if provider.limiter != nil && left(s, provider) != tc.provider {
				t.Errorf("the provider has %d left, want %d", left(s, provider), tc.provider)
			}
			if got := s.now.Before(arm.closed); got != tc.shutARM {
				t.Errorf("Resource Manager shut: %t", got)
			}
			if got := s.now.Before(provider.closed); got != tc.shut {
				t.Errorf("provider shut: %t", got)
			}
			if (shut != nil) != tc.reply.throttled {
				t.Errorf("shut %v", shut)
			}
		})
	}
	s := newScene(t)
	asked := s.ask(Call{}, "GET", acr)
	s.line.learn(s.now, asked, reply{throttled: true, wait: 1000 * time.Hour, left: -1})
	if until := asked.buckets[1].closed.Sub(s.now); until != time.Hour {
		t.Errorf("a nonsense of a Retry-After stops the operator for %s", until)
	}
}

// TestBucketsOfClustersThatAreGoneAreDropped, but none that says something.
func TestBucketsOfClustersThatAreGoneAreDropped(t *testing.T) {
	s := newScene(t)
	for i := range 50 {
		s.spend(1, Call{Region: "north"}, "GET", cluster(fmt.Sprint(i)))
		s.spend(1, Call{}, "GET", cluster(fmt.Sprint(i))+"/agentPools/p")
	}
	kept := s.ask(Call{}, "GET", cluster("kept"))
	s.now = s.now.Add(time.Hour)
	s.line.buckets["aks_get_cluster s1/rg/7 "].shut(s.now, time.Minute)
	s.spend(1, Call{}, "GET", cluster("new"))
	var names []string
	for key := range s.line.buckets {
		names = append(names, key)
	}
	// Those under way, the shut one, the new one.
	if len(names) != 4 || s.line.buckets["aks_get_cluster s1/rg/kept "] != kept.buckets[1] || s.line.buckets["aks_get_cluster s1/rg/7 "] == nil || len(s.line.regions) != 0 {
		t.Errorf("kept %q, regions %v", names, s.line.regions)
	}
}
