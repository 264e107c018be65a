package preflight

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fleetwright/fleetwright/drain"
)

func TestWarningsTellTheWorstFirst(t *testing.T) {
	emptyDir := func(p *corev1.Pod) {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
		p.Annotations = map[string]string{safeToEvict: "false"}
	}
	got := report(t, drain.Policy{}, objects(
		deployment("cart", 1, 1), newPod("cart-1", "Deployment/cart", emptyDir),
		newPod("web-1", "Deployment/web", grace(30)), newPod("web-2", "Deployment/web", selects("agentpool", "blue")), budget("web", "web", 0, 2, 2, 3),
		newPod("db-0", "StatefulSet/db", claim("data")), budget("db", "db", 0, 1, 1, 1),
		newPod("pg-0", "StatefulSet/pg", claim("disk")), newPod("pg-1", "StatefulSet/pg", on("new-1")),
		newPod("mq-1", "Deployment/mq"), budget("mq", "mq", 1, 3, 2, 3), budget("all-mq", "mq", 0, 3, 3, 3),
		boundClaim("data", corev1.ReadWriteOnce, term("topology.kubernetes.io/zone", "In", "eu-1")),
		boundClaim("disk", corev1.ReadWriteOnce, term("kubernetes.io/hostname", "In", "old-1")),
		newPod("bare-1", ""), newPod("import-1", "Job/import", label(drain.LabelDrain, "wait-completed")),
		newPod("ui-1", "Deployment/ui", require(term("agentpool", "NotIn", "gpu"))), newPod("ui-2", "Deployment/ui", on("new-1")),
		newPod("cache-1", "Deployment/ui", label(drain.LabelDrain, "skip")),
	)...)
	check(t, []string{
		"PodDisruptionBudget shop/db can never allow a disruption: 1 expected, 1 needed; 1 pod of StatefulSet shop/db cannot leave until it is changed or the workload scaled up",
		"1 pod of Deployment shop/mq cannot leave: PodDisruptionBudgets shop/all-mq and shop/mq both cover it, which the eviction API refuses",
		"volume pv-disk (claim disk) of pod shop/pg-0 exists on node old-1 only: the pod cannot start elsewhere, and its data ends with the node",
		"Deployment shop/web has agentpool=blue in its node selector: its pods cannot start on new nodes, select fleetwright.io/nodepool instead",
		"pod shop/bare-1 has no controller that would bring it back: the drain waits until it is moved or deleted by hand",
		"1 pod of Job shop/import cannot leave now: it carries the label cluster.x-k8s.io/drain: wait-completed and has not finished",
		"PodDisruptionBudget shop/web allows 0 of 3: 2 ready, 2 needed; 2 pods of Deployment shop/web cannot leave",
		"Deployment shop/cart has a single pod and no PodDisruptionBudget: it is away for as long as a new pod takes to become ready",
		"volumes tie 1 pod to zone eu-1: it needs room there before they leave",
		"Deployment shop/ui has agentpool!=gpu in its required node affinity, which changes with every generation of the pool: use fleetwright.io/nodepool instead",
		"1 pod stays by the label cluster.x-k8s.io/drain=skip, to end with the nodes",
		"1 pod loses the content of emptyDir volumes",
		"1 pod has cluster-autoscaler.kubernetes.io/safe-to-evict=false, which holds back the cluster autoscaler only",
	}, got.Warnings())
	check(t, "1 node: 9 pods to move, 1 staying; 2 budgets allow nothing now; 1 workload is under more than one budget; 1 singleton has no budget; "+
		"1 pod has no controller; 2 volumes are pinned; 2 selectors are bound to this generation; takes about 0s to 1s, "+
		"longest for Deployment shop/cart (1 pod, 1 at once), and no end is foreseen for Deployment shop/mq and 4 more", got.Summary())
}

func TestWarningsAreBounded(t *testing.T) {
	var world []runtime.Object
	long := strings.Repeat("ü", MaxWarningLength)
	for i := range MaxListed + 7 {
		for _, app := range []string{"never", "now", "one", "local", "zone"} {
			app = fmt.Sprintf("%s-%02d", app, i)
			world = append(world, newPod(app, "Operator/"+app+"\n"+long, selects("agentpool", long), claim(app)))
		}
		never, now := fmt.Sprintf("never-%02d", i), fmt.Sprintf("now-%02d", i)
		local, zone := fmt.Sprintf("local-%02d", i), fmt.Sprintf("zone-%02d", i)
		world = append(world, newPod("bare-"+never, ""), newPod("gpu-"+now, "Operator/"+now, require(term("agentpool", "NotIn", "gpu"))))
		world = append(world, boundClaim(local, corev1.ReadWriteOnce, term("kubernetes.io/hostname", "In", "old-1"))...)
		world = append(world, boundClaim(zone, corev1.ReadWriteOnce, term("topology.kubernetes.io/zone", "In", zone))...)
	}
	r := report(t, drain.Policy{}, world...)
	warnings := r.Warnings()
	check(t, true, len(warnings) <= MaxWarnings)
	for _, w := range append(warnings, r.Summary()) {
		if len(w) > MaxWarningLength || strings.Contains(w, "\n") || !utf8.ValidString(w) {
			t.Errorf("warning of %d bytes: %q", len(w), w)
		}
	}
	for _, want := range []string{
		fmt.Sprintf("%d more volumes that exist on one node only", MaxListed+7-maxAlike), fmt.Sprintf("%d more zones with volumes", MaxListed+7-maxAlike),
	} {
		if !strings.Contains(strings.Join(warnings, "\n"), want) {
			t.Errorf("no warning %q in\n%s", want, strings.Join(warnings, "\n"))
		}
	}
}

func TestTooManyWarningsSaySo(t *testing.T) {
	r := Report{
		BudgetsNever: 9, VolumesLocal: 9, SelectorsStrict: 9,
		Budgets:    Capped[BlockedBudget]{Items: append(repeat(BlockedBudget{Never: true}), repeat(BlockedBudget{})...), Total: 18},
		Overlaps:   Capped[Overlap]{Items: repeat(Overlap{}), Total: 9},
		Waits:      Capped[Wait]{Items: repeat(Wait{}), Total: 9},
		Singletons: Capped[Singleton]{Items: repeat(Singleton{}), Total: 9},
		Unmanaged:  Capped[UnmanagedPod]{Items: repeat(UnmanagedPod{}), Total: 9},
		Pinned:     Capped[PinnedVolume]{Items: repeat(PinnedVolume{Node: "old-1"}), Total: 9},
		Selectors:  Capped[BoundSelector]{Items: repeat(BoundSelector{Selector: Selector{Strict: true}}), Total: 9},
	}
	got := r.Warnings()
	check(t, MaxWarnings, len(got))
	// Eight kinds with four sentences each, of which all but the last told in MaxWarnings.
	check(t, "8 more warnings", got[MaxWarnings-1])
}

func repeat[T any](item T) []T { return []T{item, item, item, item, item, item, item, item, item} }

func TestRangeIsReadAsItIsSpoken(t *testing.T) {
	tests := map[string]struct {
		give Range
		want string
	}{
		"seconds":         {Range{Low: 89 * time.Second, High: 119 * time.Second}, "89s to 119s"},
		"minutes":         {Range{Low: 89 * time.Second, High: 525 * time.Second}, "89s to 9m"},
		"hours":           {Range{Low: 2 * time.Hour, High: 3*time.Hour + 29*time.Minute + 40*time.Second}, "2h0m to 3h30m"},
		"no range at all": {Range{}, "0s"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { check(t, test.want, test.give.String()) })
	}
}
