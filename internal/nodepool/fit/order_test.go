package fit

import (
	"fmt"
	"math/rand/v2"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"
)

// TestCheckIsAFunctionOfTheWorld: the order in which objects were read changes no word, and what fits is really there.
func TestCheckIsAFunctionOfTheWorld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := cluster{emptied: []string{"old-1"}, nodes: []*corev1.Node{node("old-1")}}
		taking := rapid.IntRange(0, 5).Draw(t, "nodes")
		for i := range taking {
			c.nodes = append(c.nodes, node(fmt.Sprintf("new-%d", i), zone(fmt.Sprintf("eu-%d", i%3))))
		}
		more := rapid.IntRange(0, 3).Draw(t, "more")
		if taking > 0 {
			c.growth = []Growth{{Pool: "green", Like: []string{"new-0"}, More: more}}
		}
		asks := 0
		for app := range rapid.IntRange(1, 6).Draw(t, "apps") {
			var options []podOption
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 1:
				options = append(options, spread(corev1.LabelTopologyZone))
			case 2:
				options = append(options, apart(corev1.LabelHostname))
			}
			milli, n := rapid.IntRange(1, 20).Draw(t, "cpu")*100, rapid.IntRange(1, 6).Draw(t, "replicas")
			asks += milli * n
			c.pods = append(c.pods, pods(fmt.Sprintf("app-%d", app), n, "old-1", fmt.Sprintf("%dm", milli), options...)...)
		}
		w := c.world()
		first, err := Check(t.Context(), w)
		if err != nil {
			t.Fatalf("Check() = %v", err)
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 1))
		r.Shuffle(len(w.Nodes), func(i, j int) { w.Nodes[i], w.Nodes[j] = w.Nodes[j], w.Nodes[i] })
		r.Shuffle(len(w.Pods), func(i, j int) { w.Pods[i], w.Pods[j] = w.Pods[j], w.Pods[i] })
		again, err := Check(t.Context(), w)
		if err != nil || fmt.Sprint(first) != fmt.Sprint(again) {
			t.Fatalf("in another order Check() = %+v, %v, was %+v", again, err, first)
		}
		if first.Moving != len(c.pods) || first.Grows > more || first.Unfit == 0 && asks > 2000*(taking+first.Grows) {
			t.Fatalf("%dm of CPU on %d nodes and %d more: %+v", asks, taking, first.Grows, first)
		}
	})
}
