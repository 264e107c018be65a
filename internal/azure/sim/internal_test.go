package sim

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

// TestOldOperationsAreForgotten: the state file must not grow for ever, and a running operation is never forgotten.
func TestOldOperationsAreForgotten(t *testing.T) {
	clock := testclock.NewFakeClock(time.Unix(1_800_000_000, 0))
	c := &cloud{state: newState(), clock: clock}
	target := &resource{ID: "/subscriptions/s/resourceGroups/g", Type: typeGroup, Body: map[string]any{}}
	running := c.begin(target, opNetworkWrite, time.Hour, 1)
	for n := range 3 * keepOperations {
		clock.Step(time.Second)
		o := c.begin(target, opNetworkWrite, 0, 1)
		o.Status, o.End = statusSucceeded, clock.Now()
		if n == 3*keepOperations-1 && c.state.Operations[o.ID] == nil {
			t.Error("the newest operation is forgotten")
		}
	}
	if n := len(c.state.Operations); n > 2*keepOperations+1 {
		t.Errorf("%d operations are kept", n)
	}
	if c.state.Operations[running.ID] == nil {
		t.Error("a running operation is forgotten")
	}
}

// TestNothingDueIsMissedBetweenTwoLooksAtTheClock: time goes on between the moment at which the loop has done what is due
// and the one at which it decides how long to sleep.
func TestNothingDueIsMissedBetweenTwoLooksAtTheClock(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	for name, wait := range map[string]func(*cloud){
		"for an operation": func(c *cloud) {
			target := &resource{ID: "/subscriptions/s/resourceGroups/g", Type: typeGroup, Body: map[string]any{}}
			c.state.add(target)
			c.begin(target, opNetworkWrite, time.Second, 1)
		},
		"for a machine": func(c *cloud) {
			c.state.add(&resource{ID: "/p", Pool: &poolPart{Instances: []*instance{{BootAt: start.Add(time.Second)}}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := testclock.NewFakeClock(start)
			c := &cloud{state: newState(), clock: clock}
			wait(c)
			c.settle()
			clock.Step(time.Minute)
			if next, ok := c.nextDue(); !ok || !next.Equal(start.Add(time.Second)) {
				t.Errorf("the next look is due %v, %t", next, ok)
			}
		})
	}
}

func TestComputerNames(t *testing.T) {
	for id, want := range map[int]string{0: "000000", 9: "000009", 10: "00000a", 35: "00000z", 36: "000010", 1_000_000: "00lfls"} {
		if got := computerName("aks-p-12345678-vmss", id); got != "aks-p-12345678-vmss"+want {
			t.Errorf("%d is %s", id, got)
		}
	}
}

// TestActivityLogIsBounded: the log has pages, and forgets the oldest events.
func TestActivityLogIsBounded(t *testing.T) {
	clock := testclock.NewFakeClock(time.Unix(1_800_000_000, 0))
	c := &cloud{state: newState(), clock: clock}
	for n := range 2 * keepActivities {
		c.addActivity(activity{Resource: "/subscriptions/s/resourceGroups/g", Correlation: fmt.Sprint(n)})
	}
	r := &call{query: url.Values{"$filter": {"eventTimestamp ge 2027-01-15T00:00:00Z"}}, path: armpath.Path{Subscription: "s", Names: []string{"management"}}}
	var seen []any
	for range keepActivities / activitiesOnPage {
		answer, err := listActivities(c, r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := answer.body.(armjson.Object)
		values, _ := body["value"].([]any)
		seen = append(seen, values...)
		if body["nextLink"] == nil {
			break
		}
	}
	newest, _ := seen[0].(armjson.Object)
	oldest, _ := seen[len(seen)-1].(armjson.Object)
	if len(seen) != keepActivities || newest["correlationId"] != fmt.Sprint(2*keepActivities-1) || oldest["correlationId"] != fmt.Sprint(keepActivities) {
		t.Errorf("%d events from %v to %v", len(seen), newest["correlationId"], oldest["correlationId"])
	}
}

func TestRequestLogKeepsTheNewest(t *testing.T) {
	l := newRequestLog()
	for n := range 3 * keepRequests {
		l.add(Request{Method: "GET", Path: fmt.Sprint(n)})
	}
	got := l.snapshot(func(Request) bool { return true })
	if len(got) != keepRequests || got[len(got)-1].Path != fmt.Sprint(3*keepRequests-1) {
		t.Errorf("%d requests, the last %s", len(got), got[len(got)-1].Path)
	}
	if total, counts := l.counts(); total != 3*keepRequests || counts["GET"] != 3*keepRequests {
		t.Errorf("counted %d %v", total, counts)
	}
}
