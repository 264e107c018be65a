package nodepool

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/nodepool/fit"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// startBound starts a pod that only the old pool's own name lets run.
func (a *azure) startBound(name string) *corev1.Pod {
	a.t.Helper()
	node := a.nodes()[0]
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: a.namespace, Labels: map[string]string{"app": name}, OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: name, UID: "rs-bound", Controller: new(true)},
		}},
		Spec: corev1.PodSpec{
			NodeName: node.Name, NodeSelector: map[string]string{agentPoolLabel: node.Labels[agentPoolLabel]}, TerminationGracePeriodSeconds: new(int64),
			Containers: []corev1.Container{{Name: "c", Image: "c"}},
		},
	}
	create(a.t, pod)
	return pod
}

// A pod that could start nowhere else keeps the old pool open, by the scheduler's
// own words, until its owner has changed it.
func TestPodsWithoutAPlaceHoldTheFirstEviction(t *testing.T) {
	t.Parallel()
	a := newAzure(t)
	a.pods, a.budget = 2, 1
	a.running("D4")
	bound := a.startBound("bound")
	a.change(machine("D8"))
	a.converge(func(*fleetwrightv1.Nodepool) bool {
		return a.condition(fleetwrightv1.ConditionRollingOut).Reason == "PodsDoNotFit"
	})
	a.turns(6)
	said := a.condition(fleetwrightv1.ConditionRollingOut).Message
	for _, part := range []string{"1 pod on pool ", "pod " + a.namespace + "/bound: 0/", "node(s) didn't match Pod's node affinity/selector", "let a rule of spec.drain skip it", "fleetwright.io/skip-fit-check=2"} {
		if !strings.Contains(said, part) {
			t.Errorf("condition RollingOut says %q, want %q in it", said, part)
		}
	}
	if written := append(a.op.written("evict"), a.op.written("cordoned")...); len(written) > 0 {
		t.Errorf("a pod has no place, and it wrote %v", written)
	}
	if err := server.Delete(t.Context(), bound); err != nil {
		t.Fatal(err)
	}
	a.converge(upToDate)
	a.checkEnd()
}

// The annotation is for one spec: it says nothing of the next.
func TestTheFitCheckIsSkippedForOneGeneration(t *testing.T) {
	for name, test := range map[string]struct {
		generation int64
		annotated  string
		want       bool
	}{
		"not set":         {2, "", false},
		"for this spec":   {2, "2", true},
		"for the former":  {3, "2", false},
		"not a number":    {2, "true", false},
		"a proposed spec": {0, "0", false},
	} {
		t.Run(name, func(t *testing.T) {
			np := &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Generation: test.generation}}
			if test.annotated != "" {
				np.Annotations = map[string]string{"fleetwright.io/skip-fit-check": test.annotated}
			}
			if got := wanted(np, capi.Cluster{}, freeze.Effect{}, time.Time{}); got.SkipFitCheck != test.want || got.Generation != test.generation {
				t.Errorf("wanted() skips the check is %t for generation %d, want %t", got.SkipFitCheck, got.Generation, test.want)
			}
		})
	}
}

func TestGrowthIsWhatTheAutoscalerMayAdd(t *testing.T) {
	pool := func(name string, most int32, change ...func(*capi.Pool)) capi.Pool {
		p := capi.Pool{Name: name, Object: "prod-" + name}
		if most > 0 {
			p.Spec.Scaling = &agentpool.Scaling{Min: 1, Max: most}
		}
		for _, f := range change {
			f(&p)
		}
		return p
	}
	var nodes []*corev1.Node
	for _, name := range []string{"blue", "green", "green", "batch", "fixed", "refused", "leaves"} {
		nodes = append(nodes, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{agentPoolLabel: name}}})
	}
	o := &observation{
		plan: replacement.Plan{Wanted: "prod-green"},
		all: []capi.Pool{
			pool("batch", 9), pool("blue", 50), pool("empty", 9), pool("fixed", 0), pool("green", 5),
			pool("refused", 9, func(p *capi.Pool) { p.Failure = "QuotaExceeded" }), pool("leaves", 9, func(p *capi.Pool) { p.Deleting = true }),
		},
	}
	o.world.Cluster.NodeCap = 12
	o.world.Pools = []replacement.Pool{{Object: "prod-green", Nodes: make([]replacement.Node, 7), Size: ptr.To[int32](7)}}
	got := growth(o, []replacement.PodsOf{{Object: "prod-blue"}}, nodes)
	want := []fit.Growth{
		{Pool: "green", Like: []string{"green", "green"}, More: 3}, // 5 at most
		{Pool: "batch", Like: []string{"batch"}, More: 2},          // of the 5 that the cluster may have
		{Pool: "fixed", Like: []string{"fixed"}},
		{Pool: "refused", Like: []string{"refused"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPodsWithoutAPlaceBlockAPlan(t *testing.T) {
	plan := replacement.Plan{Verdict: replacement.Moving, Changes: []agentpool.Change{{Field: "machineType"}}}
	for name, test := range map[string]struct {
		give Foresight
		want Outcome
	}{
		"it waits for them":        {Foresight{Plan: replacement.Plan{Verdict: replacement.Waiting, Reason: "PodsDoNotFit"}}, OutcomeBlocked},
		"it would wait for them":   {Foresight{Plan: plan, Report: &preflight.Report{Fit: &fit.Report{Unfit: 1}}}, OutcomeBlocked},
		"they have one":            {Foresight{Plan: plan, Report: &preflight.Report{Fit: &fit.Report{}}}, OutcomeChanges},
		"it cannot be told as yet": {Foresight{Plan: plan, Report: &preflight.Report{}}, OutcomeChanges},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.give.Outcome(); got != test.want {
				t.Errorf("Outcome() = %s, want %s", got, test.want)
			}
		})
	}
}
