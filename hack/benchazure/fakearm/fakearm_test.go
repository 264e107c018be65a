package fakearm

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func small() *Azure {
	return New(Fleet(4, 2, rand.New(rand.NewPCG(1, 1))), rand.New(rand.NewPCG(1, 2)))
}

func TestReadsAreRefusedWhenTheBucketIsEmptyAndNotAgainWhenOneIsBack(t *testing.T) {
	a := small()
	assignment, cluster := a.Things[1], a.Things[0]
	for i := range 250 {
		if _, _, _, wait := a.Get(noon, assignment); wait != 0 {
			t.Fatalf("read %d is refused", i+1)
		}
	}
	if _, _, _, wait := a.Get(noon, assignment); wait != time.Second || a.Calls.Refused != 1 {
		t.Errorf("read 251 has to wait %s, %d refused", wait, a.Calls.Refused)
	}
	if _, _, _, wait := a.Get(noon, cluster); wait == 0 {
		t.Error("a cluster of the same subscription is read for nothing")
	}
	if _, _, _, wait := a.Get(noon, a.Things[8]); wait != 0 {
		t.Error("another subscription pays for it")
	}
	// 25 come back each second.
	for i := range 25 {
		if _, _, _, wait := a.Get(noon.Add(time.Second), assignment); wait != 0 {
			t.Fatalf("a second later, read %d is refused", i+1)
		}
	}
	if _, _, _, wait := a.Get(noon.Add(time.Second), assignment); wait == 0 {
		t.Error("a second gives more than 25")
	}
}

func TestClustersHaveBucketsOfTheirOwn(t *testing.T) {
	a := small()
	for i := range 20 {
		if wait := a.Put(noon, a.Things[0]); wait != 0 {
			t.Fatalf("write %d is refused", i+1)
		}
	}
	if wait := a.Put(noon, a.Things[0]); wait.Round(time.Millisecond) != time.Minute {
		t.Errorf("write 21 has to wait %s", wait)
	}
	if wait := a.Put(noon, a.Things[14]); wait != 0 {
		t.Error("another cluster of the subscription pays for it")
	}
	if a.Calls.Needless != 21 {
		t.Errorf("%d writes of what was as declared, want 21", a.Calls.Needless)
	}
}

func TestResourceGraphTakesFifteenInFiveSeconds(t *testing.T) {
	a := small()
	subscription := []string{a.Things[0].Subscription}
	for i := range 15 {
		if p := a.Query(noon.Add(time.Duration(i)*100*time.Millisecond), true, subscription, 0, 1000); p.Wait != 0 || p.Remaining != 14-i || p.Total != 2 {
			t.Fatalf("query %d: %+v", i+1, p)
		}
	}
	if p := a.Query(noon.Add(2*time.Second), true, subscription, 0, 1000); p.Wait != 3*time.Second {
		t.Errorf("query 16: %+v", p)
	}
	if p := a.Query(noon.Add(5*time.Second), true, subscription, 0, 1); p.Wait != 0 || p.Next != 1 || len(p.Rows) != 1 {
		t.Errorf("in the next window: %+v", p)
	}
}

// TestResourceGraphIsLate: it shows what was, then what is, and a change that it hears of late is not newer than one it knows.
func TestResourceGraphIsLate(t *testing.T) {
	a := small()
	cluster := a.Things[0]
	shows := func(at time.Time, value string) bool {
		p := a.Query(at, true, []string{cluster.Subscription}, 0, 1)
		return len(p.Rows) == 1 && strings.Contains(p.Rows[0], value)
	}
	a.Change(noon, cluster, false)
	if !shows(noon, Good) {
		t.Error("a change is known at once")
	}
	first := cluster.pending[0].visible
	a.Put(noon.Add(time.Second), cluster)
	// The second is heard of before the first.
	for i := range cluster.pending {
		if cluster.pending[i].at.Equal(noon) {
			cluster.pending[i].visible = noon.Add(10 * time.Minute)
		} else {
			cluster.pending[i].visible = noon.Add(2 * time.Minute)
		}
	}
	cluster.pending[0], cluster.pending[1] = byTime(cluster.pending[0], cluster.pending[1])
	if !shows(noon.Add(3*time.Minute), Good) || !shows(noon.Add(11*time.Minute), Good) {
		t.Error("an older change has won")
	}
	if late := first.Sub(noon); late <= 0 || late > scansEvery {
		t.Errorf("the change is known after %s", late)
	}
}

func byTime(a, b arrival) (first, second arrival) {
	if b.visible.Before(a.visible) {
		return b, a
	}
	return a, b
}

func TestAnEpisodeIsCountedOnce(t *testing.T) {
	a := small()
	assignment := a.Things[1]
	a.Change(noon, assignment, true)
	a.Change(noon.Add(time.Second), assignment, false)
	if _, _, there, _ := a.Get(noon.Add(2*time.Second), assignment); there {
		t.Error("what was deleted is there")
	}
	a.Get(noon.Add(3*time.Second), assignment)
	a.Put(noon.Add(4*time.Second), assignment)
	if len(a.Episodes) != 1 {
		t.Fatalf("%d episodes", len(a.Episodes))
	}
	e := a.Episodes[0]
	if !e.Storm || e.Puts != 1 || e.Detected.Sub(noon) != 2*time.Second || e.Healed.Sub(noon) != 4*time.Second || a.Calls.Needless != 0 {
		t.Errorf("episode %+v", e)
	}
}

func TestTraceIsAsOftenAsIsSaid(t *testing.T) {
	const things, hours = 10000, 10
	drifts, churns, storms := 0, 0, 0
	last := time.Duration(0)
	for _, e := range Trace(things, hours*time.Hour, 0.01, 50, rand.New(rand.NewPCG(7, 7))) {
		if e.At < last {
			t.Fatal("out of order")
		}
		last = e.At
		switch {
		case e.Storm:
			storms++
		case e.Churn:
			churns++
		default:
			drifts++
		}
	}
	for name, n := range map[string]int{"drifts": drifts, "churns": churns} {
		if n < 900 || n > 1100 {
			t.Errorf("%d %s, want about 1,000", n, name)
		}
	}
	if storms != 50 {
		t.Errorf("a storm of %d", storms)
	}
}
