package fit

import (
	"fmt"
	"runtime"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// large is a cluster of 1,000 nodes to empty with 30 pods each, and 1,000 new ones with three daemons. Some workloads
// spread over zones or nodes, some keep apart, and each pod of a tenth has a disk of its own.
func large(workloads int, full bool) (*Pods, World) {
	var collected Pods
	var w World
	moves := Moves{Moving: map[types.UID]bool{}}
	cpu := "60m"
	if full {
		cpu = "68m" // 2,040m and 300m of daemons on a node of two cores do not fit
	}
	for i := range 1000 {
		in := zone(fmt.Sprintf("eu-%d", i%3+1))
		for _, age := range []string{"old", "new"} {
			n := node(fmt.Sprintf("%s-%d", age, i), in)
			w.Nodes = append(w.Nodes, slimNode(n))
			w.CSINodes = append(w.CSINodes, csiNode(n.Name, 16))
			for j := range 3 {
				collected.Add(pod(fmt.Sprintf("daemon-%d", j), i, n.Name, "30m", daemon))
			}
		}
		w.Emptied = append(w.Emptied, fmt.Sprintf("old-%d", i))
	}
	for i := range 30_000 {
		app := i % workloads
		var options []podOption
		switch app % 10 {
		case 0:
			options = append(options, spread(corev1.LabelTopologyZone))
		case 1:
			options = append(options, spread(corev1.LabelHostname, func(c *corev1.TopologySpreadConstraint) { c.MaxSkew = 2 }))
		case 2:
			options = append(options, apart(corev1.LabelHostname))
		case 3:
			claim, volume := disk(fmt.Sprintf("data-%d", i), fmt.Sprintf("eu-%d", i%3+1))
			w.Claims, w.Volumes = append(w.Claims, claim), append(w.Volumes, volume)
			options = append(options, claims(claim.Name))
		}
		p := pod(fmt.Sprintf("app-%d", app), i, fmt.Sprintf("old-%d", i/30), cpu, options...)
		moves.Moving[p.UID] = true
		collected.Add(p)
	}
	w.Pods = collected.away(moves)
	return &collected, w
}

// BenchmarkCheck is the largest cluster we are asked for: 30,000 pods to move onto 1,000 of 2,000 nodes.
func BenchmarkCheck(b *testing.B) {
	for _, workloads := range []int{300, 3000} {
		for name, full := range map[string]bool{"fits": false, "full": true} {
			b.Run(fmt.Sprintf("%d-workloads-%s", workloads, name), func(b *testing.B) {
				before := heap()
				_, w := large(workloads, full)
				world := heap() - before
				for b.Loop() {
					report, err := Check(b.Context(), w)
					if err != nil || report.Moving != 30_000 || (report.Unfit > 0) != full {
						b.Fatalf("Check() = %d of %d unfit, %v: %v", report.Unfit, report.Moving, report.Misfits, err)
					}
				}
				b.ReportMetric(float64(world)/(1<<20), "MiB-world")
				b.ReportMetric(float64(peak(b, w)-before)/(1<<20), "MiB-with-check")
				runtime.KeepAlive(w)
			})
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// peak is the heap with everything that a finished check has held.
func peak(b *testing.B, w World) uint64 {
	b.Helper()
	s, err := newSimulation(b.Context(), &w, false)
	if err != nil {
		b.Fatal(err)
	}
	defer s.scheduler.stop()
	_, moving := s.classes()
	if err := s.placeAll(moving); err != nil {
		b.Fatal(err)
	}
	used := heap()
	runtime.KeepAlive(s)
	runtime.KeepAlive(moving)
	return used
}
