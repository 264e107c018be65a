package nodepool

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

func TestOnlyAFreshAnswerAboutTheSamePodsCounts(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	np := &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{UID: "uid", Generation: 1}}
	nodes := []drain.NodeRef{{Name: "old-1", UID: "1"}, {Name: "old-2", UID: "2"}}
	whole, one := []replacement.PodsOf{{Object: "blue"}}, []replacement.PodsOf{{Object: "blue", Nodes: []string{"old-1"}}}
	both := []replacement.PodsOf{{Object: "blue", Nodes: []string{"old-1", "old-2"}}}
	for name, test := range map[string]struct {
		kept, of []replacement.PodsOf
		nodes    []drain.NodeRef
		unfit    int
		took     time.Duration
		after    time.Duration
		want     bool
	}{
		"the same":                              {whole, whole, nodes, 3, time.Second, fitAge - 1, true},
		"too old":                               {whole, whole, nodes, 0, time.Second, fitAge, false},
		"found with effort":                     {whole, whole, nodes, 0, 10 * time.Second, 299 * time.Second, true},
		"too old, in spite of the effort":       {whole, whole, nodes, 0, 10 * time.Second, 300 * time.Second, false},
		"no place, found with effort":           {whole, whole, nodes, 3, 10 * time.Second, unfitAge - 1, true},
		"no place, and somebody may have made":  {whole, whole, nodes, 3, 10 * time.Second, unfitAge, false},
		"another spec":                          {whole, whole, nodes, 0, 0, 0, false},
		"another Nodepool":                      {whole, whole, nodes, 0, 0, 0, false},
		"a part of what fits":                   {whole, one, nodes[:1], 0, 0, 0, true},
		"a part of what does not":               {whole, one, nodes[:1], 3, 0, 0, false},
		"fewer nodes of a step":                 {both, one, nodes[:1], 0, 0, 0, true},
		"more nodes than the step":              {one, both, nodes, 0, 0, 0, false},
		"the whole after a step":                {both, whole, nodes, 0, 0, 0, false},
		"one of the nodes is made anew":         {both, one, []drain.NodeRef{{Name: "old-1", UID: "3"}}, 0, 0, 0, false},
		"one node is new":                       {whole, whole, append(nodes[:2:2], drain.NodeRef{Name: "old-3"}), 0, 0, 0, false},
		"one node is gone":                      {whole, whole, nodes[:1], 0, 0, 0, false},
		"a part, after one of the nodes is new": {whole, one, []drain.NodeRef{{Name: "old-3"}}, 0, 0, 0, false},
		"the same nodes of another pool":        {whole, []replacement.PodsOf{{Object: "older"}}, nodes, 0, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			var f fits
			f.keep(np, answer{nodes: nodes, fit: replacement.Fit{Of: test.kept, Unfit: test.unfit}}, test.took, now)
			asks := np.DeepCopy()
			switch name {
			case "another Nodepool":
				asks.UID = "other"
			case "another spec":
				asks.Generation = 2
			}
			if _, known := f.of(asks, test.of, test.nodes, now.Add(test.after)); known != test.want {
				t.Errorf("known is %t, want %t", known, test.want)
			}
		})
	}
}

// A step that is too large and one that is not are both asked about at each look.
func TestTwoAnswersAreKept(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	np := &fleetwrightv1.Nodepool{}
	of := func(nodes ...string) []replacement.PodsOf {
		return []replacement.PodsOf{{Object: "blue", Nodes: nodes}}
	}
	var f fits
	known := func(nodes ...string) bool {
		_, known := f.of(np, of(nodes...), nil, now)
		return known
	}
	f.keep(np, answer{fit: replacement.Fit{Of: of("a", "b", "c"), Unfit: 1}}, 0, now)
	f.keep(np, answer{fit: replacement.Fit{Of: of("a"), Unfit: 1}}, 0, now)
	f.keep(np, answer{fit: replacement.Fit{Of: of("a"), Unfit: 0}}, 0, now)
	if !known("a", "b", "c") || !known("a") {
		t.Error("an answer has pushed another one out")
	}
	f.keep(np, answer{fit: replacement.Fit{Of: of("b"), Unfit: 1}}, 0, now)
	if known("a", "b", "c") || !known("a") || !known("b") {
		t.Error("the oldest is kept, or not the newest")
	}
}

func TestWhatCannotBeToldIsAskedAgain(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	np, whole := &fleetwrightv1.Nodepool{}, []replacement.PodsOf{{Object: "blue"}}
	var f fits
	f.keep(np, answer{fit: replacement.Fit{Of: whole, Untold: "no"}}, time.Minute, now)
	if _, known := f.of(np, whole, nil, now.Add(unfitAge)); known {
		t.Errorf("it still counts after %s", unfitAge)
	}
	if _, known := f.of(np, []replacement.PodsOf{{Object: "blue", Nodes: []string{"old-1"}}}, nil, now); known {
		t.Error("it is taken for a part's")
	}
}

func TestTwoClustersAreSearchedAtOnce(t *testing.T) {
	var f fits
	first, err := f.search(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.search(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.search(ended); err == nil {
		t.Fatal("a third one is searched")
	}
	first()
	if _, err := f.search(t.Context()); err != nil {
		t.Error("a turn was given back, and is not there")
	}
}
