package preflight

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/nodepool/fit"
)

func cpu(asks string) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Containers = []corev1.Container{{Name: "app"}}
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse(asks)}
	}
}

func cores(name, n string) *corev1.Node {
	out := node(name)
	out.Status.Allocatable = corev1.ResourceList{"cpu": resource.MustParse(n), "pods": resource.MustParse("110")}
	return out
}

// TestOnlyPodsThatAreMadeAnewNeedAPlace: what stays, ends or has nobody to bring it back holds no drain up by its size.
func TestOnlyPodsThatAreMadeAnewNeedAPlace(t *testing.T) {
	const big = "9"
	skip := drain.Policy{Unmanaged: drain.UnmanagedEvict, Rules: []drain.Rule{{
		Name: "batch", Behavior: drain.RuleSkip, Pods: []drain.PodSelector{{Pod: labels.SelectorFromSet(labels.Set{"app": "batch"})}},
	}}}
	terminating := func(p *corev1.Pod) { p.DeletionTimestamp, p.Finalizers = new(p.CreationTimestamp), []string{"x/y"} }
	tests := map[string]struct {
		pod    *corev1.Pod
		policy drain.Policy
		unfit  int
		change func(old *corev1.Node)
	}{
		"of a deployment":                     {newPod("web-1", "Deployment/web", cpu(big)), drain.Policy{}, 1, nil},
		"on a node that was given up":         {newPod("web-1", "Deployment/web", cpu(big)), drain.Policy{}, 0, func(n *corev1.Node) { n.Labels = map[string]string{drain.LabelQuarantined: ""} }},
		"of a deployment, and small":          {newPod("web-1", "Deployment/web", cpu("100m")), drain.Policy{}, 0, nil},
		"that wishes not to be disrupted":     {newPod("web-1", "Deployment/web", cpu(big), func(p *corev1.Pod) { p.Annotations = map[string]string{drain.AnnotationDoNotDisrupt: "true"} }), drain.Policy{}, 1, nil},
		"of a daemon set":                     {newPod("logs-1", "DaemonSet/logs", cpu(big)), drain.Policy{}, 0, nil},
		"that finished":                       {newPod("job-1", "Job/job", cpu(big), func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }), drain.Policy{}, 0, nil},
		"that is to finish":                   {newPod("job-1", "Job/job", cpu(big), label(drain.LabelDrain, "wait-completed")), drain.Policy{}, 0, nil},
		"that leaves already":                 {newPod("web-1", "Deployment/web", cpu(big), terminating), drain.Policy{}, 0, nil},
		"that its owner lets end":             {newPod("web-1", "Deployment/web", cpu(big), label(drain.LabelDrain, "skip")), drain.Policy{}, 0, nil},
		"that a rule skips":                   {newPod("batch-1", "Deployment/batch", cpu(big)), skip, 0, nil},
		"that nobody brings back, and evicts": {newPod("bare", "", cpu(big)), skip, 0, nil},
		"that nobody brings back":             {newPod("bare", "", cpu(big)), drain.Policy{}, 0, nil},
		"on another node":                     {newPod("web-1", "Deployment/web", cpu(big), on("new-1")), drain.Policy{}, 0, nil},
		"that waits for a place":              {newPod("web-1", "Deployment/web", cpu(big), on("")), drain.Policy{}, 0, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			old := cores("old-1", "16")
			if test.change != nil {
				test.change(old)
			}
			world := objects(old, cores("new-1", "2"), test.pod)
			if strings.HasPrefix(test.pod.Name, "logs") {
				world = append(world, daemonSet("logs"))
			}
			client := fake.NewClientset(world...)
			s, err := Observe(t.Context(), client, []drain.NodeRef{{Name: "old-1"}}, test.policy)
			if err != nil {
				t.Fatalf("Observe() = %v", err)
			}
			w, err := s.Fit(t.Context(), client, test.policy, noon)
			if err != nil {
				t.Fatalf("Fit() = %v", err)
			}
			got, err := fit.Check(t.Context(), w)
			if err != nil {
				t.Fatalf("Check() = %v", err)
			}
			check(t, test.unfit, got.Unfit)
		})
	}
}

func TestPodsWithoutAPlaceAreWarnedOf(t *testing.T) {
	r := Report{Nodes: 1, PodsToMove: 3, Fit: &fit.Report{Moving: 3, Unfit: 3, Kinds: 2, Misfits: []fit.Misfit{
		{Namespace: "shop", Name: "web-1", Pods: 2, Message: "0/2 nodes are available: 2 Insufficient cpu"}, {Namespace: "shop", Name: "db-0", Pods: 1, Message: "0/2 nodes are available: 2 Insufficient cpu"},
	}}}
	check(t, []string{
		"pod shop/web-1 and 1 like it would have no place: 0/2 nodes are available: 2 Insufficient cpu",
		"pod shop/db-0 would have no place: 0/2 nodes are available: 2 Insufficient cpu",
	}, r.Warnings())
	if !slices.Contains(strings.Split(r.Summary(), "; "), "3 pods would have no place") {
		t.Errorf("Summary() = %q", r.Summary())
	}
}
