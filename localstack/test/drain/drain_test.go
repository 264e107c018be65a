package drain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/fleetwright/fleetwright/drain"
)

// TestDrainOnARealAPIServer empties three nodes that hold one of everything, and proves that no budget was broken at any
// revision, that what blocks is named, and that nothing but evictions removed a pod.
func TestDrainOnARealAPIServer(t *testing.T) {
	c, old, floor := startOneOfEverything(t)
	d := &drainer{cluster: c, nodes: old}
	d.until(t, "only what cannot go is left", onlyWhatCannotGo)
	t.Logf("Blocked: %s", d.plan.Summary)
	for _, b := range d.plan.Blockers {
		t.Logf("%s: %s, owner %q, since %s", b.Reason, b, b.Owner, b.Since.Format(time.RFC3339))
		if !b.Stuck(time.Now(), time.Hour) {
			t.Errorf("%s does not count as stuck", b)
		}
	}
	c.removeObstacles(t)
	d.until(t, "empty", func(plan drain.Plan) bool { return plan.Empty })

	floor.check(t)
	c.checkAudit(t)
	t.Logf("%d looks, answers: %v, summary: %s", d.looks, d.answers, d.plan.Summary)
	// 27 pods had to go, one of them by hand and none refused by a budget: the status was read first.
	if d.answers[drain.OutcomeEvicted] != 26 || d.answers[drain.OutcomeRefused] > 1 {
		t.Errorf("answers = %v, want 26 evictions and no more than a stray refusal", d.answers)
	}
}

// startOneOfEverything returns a cluster whose old nodes are cordoned and hold one of everything, and what watches over
// their pods.
func startOneOfEverything(t *testing.T) (*cluster, []drain.NodeRef, *floor) {
	t.Helper()
	c := startCluster(t)
	c.addNodes(t, "old-1", "old-2", "old-3", "new-1", "new-2", "new-3")
	for i := range 3 {
		must(t, drain.Cordon(t.Context(), c.admin, c.ref(t, fmt.Sprintf("new-%d", i+1)), drain.Mark{}))
	}
	c.createWorkloads(t)
	old := []drain.NodeRef{c.ref(t, "old-1"), c.ref(t, "old-2"), c.ref(t, "old-3")}
	// cart, api and db by their budgets; web, which has none, one at a time.
	floor := watchFloor(t, c.admin, map[string]int{"cart": 5, "api": 4, "db": 2, "web": 3, "strict": 1, "primary": 2})
	c.cordonOld(t, old)
	return c, old, floor
}

// onlyWhatCannotGo says that everything that could go is gone, and that the rest is named.
func onlyWhatCannotGo(plan drain.Plan) bool {
	want := map[string]drain.Reason{
		"primary-0": drain.ReasonWebhookDenied, "strict": drain.ReasonUnsatisfiableBudget,
		"tool": drain.ReasonUnmanagedPod, "twice": drain.ReasonMultipleBudgets,
	}
	return plan.Remaining == len(want) && maps.Equal(want, blocked(plan))
}

func (c *cluster) ref(t *testing.T, name string) drain.NodeRef {
	t.Helper()
	node, err := c.admin.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
	must(t, err)
	return drain.NodeRef{Name: name, UID: node.UID}
}

func (c *cluster) createWorkloads(t *testing.T) {
	t.Helper()
	one, half, three := intstr.FromInt32(1), intstr.FromString("50%"), intstr.FromInt32(2)
	c.deploy(t, "cart", 6)
	c.budget(t, "cart", "cart", &one, nil)
	c.deploy(t, "api", 8)
	c.budget(t, "api", "api", nil, &half)
	c.statefulSet(t, "db", 3)
	c.budget(t, "db", "db", nil, &three)
	c.deploy(t, "web", 4)
	c.deploy(t, "strict", 1)
	c.budget(t, "strict", "strict", nil, &one)
	c.deploy(t, "twice", 1)
	c.budget(t, "twice-a", "twice", &one, nil)
	c.budget(t, "twice-b", "twice", &one, nil)
	c.daemonSet(t, "log")
	c.barePod(t, "tool", nil)
	c.barePod(t, "done", map[string]string{"simulation.fleetwright.io/run-seconds": "0.1"})
	c.statefulSet(t, "primary", 3)
	c.denyEvictionsOf(t, "primary-0")
	c.waitSettled(t)
}

// waitSettled waits until every pod runs on an old node and every budget has counted them.
func (c *cluster) waitSettled(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, "all workloads ready", func(ctx context.Context) (bool, string) {
		pods, err := c.admin.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err.Error()
		}
		ready, finished := 0, 0
		for _, p := range pods.Items {
			if p.Status.Phase == corev1.PodSucceeded {
				finished++
			}
			if slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == "Ready" && c.Status == "True" }) {
				ready++
			}
		}
		budgets, err := c.admin.PolicyV1().PodDisruptionBudgets(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err.Error()
		}
		settled := 0
		for _, b := range budgets.Items {
			// Of two budgets on one pod the controller keeps only one up to date.
			if b.Status.CurrentHealthy == b.Status.ExpectedPods && b.Status.ExpectedPods > 0 || strings.HasPrefix(b.Name, "twice") {
				settled++
			}
		}
		// 26 pods of controllers and the bare one, and six daemon pods: cordoned nodes get theirs too.
		return ready == 33 && finished == 1 && settled == len(budgets.Items), fmt.Sprintf("%d ready, %d finished, %d budgets settled", ready, finished, settled)
	})
}

// cordonOld opens the new nodes and closes the old ones, and shows that a node's UID is a precondition.
func (c *cluster) cordonOld(t *testing.T, old []drain.NodeRef) {
	t.Helper()
	for i := range 3 {
		must(t, drain.Uncordon(t.Context(), c.admin, c.ref(t, fmt.Sprintf("new-%d", i+1)), drain.Mark{}))
	}
	stranger := drain.NodeRef{Name: old[0].Name, UID: types.UID("1c9a6f5e-0000-4000-8000-000000000000")}
	if err := drain.Cordon(t.Context(), c.drain, stranger, drain.Mark{}); !errors.Is(err, drain.ErrNodeReplaced) {
		t.Errorf("cordon of a node with another uid = %v, want ErrNodeReplaced", err)
	}
	if _, err := drain.Observe(t.Context(), c.drain, []drain.NodeRef{stranger}, drain.Policy{}); !errors.Is(err, drain.ErrNodeReplaced) {
		t.Errorf("look at a node with another uid = %v, want ErrNodeReplaced", err)
	}
	mark := drain.Mark{Key: "example.com/cordoned-by", Value: "test"}
	for _, node := range old {
		must(t, drain.Cordon(t.Context(), c.drain, node, mark))
		live, err := c.admin.CoreV1().Nodes().Get(t.Context(), node.Name, metav1.GetOptions{})
		must(t, err)
		if !live.Spec.Unschedulable || live.Annotations[mark.Key] != mark.Value {
			t.Errorf("node %s after its cordon: unschedulable %v, annotations %v", node.Name, live.Spec.Unschedulable, live.Annotations)
		}
	}
}

func (c *cluster) removeObstacles(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	budgets := c.admin.PolicyV1().PodDisruptionBudgets(namespace)
	must(t, budgets.Delete(ctx, "twice-b", metav1.DeleteOptions{}))
	// The disruption controller may have told only twice-b about the pod, and counts again for twice-a when that changes.
	_, err := budgets.Patch(ctx, "twice-a", types.MergePatchType, []byte(`{"metadata":{"annotations":{"example.com/count":"again"}}}`), metav1.PatchOptions{})
	must(t, err)
	_, err = c.admin.AppsV1().Deployments(namespace).Patch(ctx, "strict", types.MergePatchType, []byte(`{"spec":{"replicas":2}}`), metav1.PatchOptions{})
	must(t, err)
	must(t, c.admin.CoreV1().Pods(namespace).Delete(ctx, "tool", metav1.DeleteOptions{}))
	must(t, c.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Delete(ctx, "primary", metav1.DeleteOptions{}))
}

// checkAudit reads what the API server says the engine wrote.
func (c *cluster) checkAudit(t *testing.T) {
	t.Helper()
	content, err := os.ReadFile(c.audit)
	must(t, err)
	writes := map[string]int{}
	for line := range strings.Lines(string(content)) {
		var e auditv1.Event
		must(t, json.Unmarshal([]byte(line), &e))
		if e.UserAgent == userAgent && e.ObjectRef != nil {
			writes[strings.TrimSuffix(e.Verb+" "+e.ObjectRef.Resource+"/"+e.ObjectRef.Subresource, "/")]++
		}
	}
	if diff := cmp.Diff([]string{"create pods/eviction", "patch nodes"}, slices.Sorted(maps.Keys(writes))); diff != "" {
		t.Errorf("writes of the engine (-want +got):\n%s", diff)
	}
	t.Logf("Writes of the engine: %v", writes)
}

// drainer is the smallest possible caller of the engine.
type drainer struct {
	*cluster
	nodes    []drain.NodeRef
	refusals []drain.Refusal
	plan     drain.Plan
	looks    int
	answers  map[drain.Outcome]int
}

func (d *drainer) until(t *testing.T, what string, done func(drain.Plan) bool) {
	t.Helper()
	if d.answers == nil {
		d.answers = map[drain.Outcome]int{}
	}
	policy := drain.Policy{LookAgain: 100 * time.Millisecond, LookAgainBlocked: 100 * time.Millisecond}
	eventually(t, 90*time.Second, what, func(ctx context.Context) (bool, string) {
		snapshot, err := drain.Observe(ctx, d.drain, d.nodes, policy)
		if err != nil {
			return false, err.Error()
		}
		snapshot.Refusals = d.refusals
		plan := drain.Decide(snapshot, policy, time.Now())
		result := drain.Evict(ctx, d.drain, plan, drain.Options{})
		d.refusals = drain.Remember(d.refusals, result, time.Now())
		for _, a := range result.Answers {
			d.answers[a.Outcome]++
		}
		d.looks++
		d.plan = plan.After(result)
		return done(d.plan), d.plan.String()
	})
}

// blocked gives the reason for each blocking pod, by app where the pod's name is drawn by lot.
func blocked(plan drain.Plan) map[string]drain.Reason {
	found := map[string]drain.Reason{}
	for _, b := range plan.Blockers {
		name := b.Pod.Name
		if app, ok := strings.CutPrefix(b.Owner, "Deployment/"); ok {
			name = app
		}
		found[name] = b.Reason
	}
	return found
}

// webhookDenial counts evictions that the webhook of denyEvictionsOf refused, which answers with 429 as well.
const webhookDenial = -1

// evictions counts the engine's evictions by the API server's own record: those granted, and the others by status code.
func (c *cluster) evictions(t *testing.T) (granted int, refused map[int32]int) {
	t.Helper()
	content, err := os.ReadFile(c.audit)
	must(t, err)
	refused = map[int32]int{}
	for line := range strings.Lines(string(content)) {
		var e auditv1.Event
		must(t, json.Unmarshal([]byte(line), &e))
		if e.UserAgent != userAgent || e.ObjectRef == nil || e.ObjectRef.Subresource != "eviction" {
			continue
		}
		switch {
		case e.ResponseStatus.Code < 300:
			granted++
		case strings.Contains(e.ResponseStatus.Message, "admission webhook"):
			refused[webhookDenial]++
			fallthrough
		default:
			refused[e.ResponseStatus.Code]++
		}
	}
	return granted, refused
}
