package drain

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

func apiNode(name string) corev1.Node {
	return corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)},
		Spec:       corev1.NodeSpec{Unschedulable: true},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: "Ready", Status: "True"}}},
	}
}

func apiPod(name, app, node, kind string) corev1.Pod {
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{"app": app},
			CreationTimestamp: metav1.NewTime(noon),
		},
		Spec: corev1.PodSpec{NodeName: node},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: "Ready", Status: "True"}},
		},
	}
	if kind != "" {
		p.OwnerReferences = []metav1.OwnerReference{
			{APIVersion: "v1", Kind: "ConfigMap", Name: "not-the-controller", UID: "x"},
			{APIVersion: "apps/v1", Kind: kind, Name: app, UID: types.UID("set-" + app), Controller: new(true)},
		}
	}
	return p
}

func replicaSet(app string, replicas int32) appsv1.ReplicaSet {
	return appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: app, UID: types.UID("set-" + app)},
		Spec:       appsv1.ReplicaSetSpec{Replicas: &replicas},
	}
}

func refs(names ...string) []NodeRef {
	var nodes []NodeRef
	for _, name := range names {
		nodes = append(nodes, NodeRef{Name: name, UID: types.UID("uid-" + name)})
	}
	return nodes
}

func TestObserveReadsWhatMatters(t *testing.T) {
	rich := apiPod("cart-1", "cart", "old-1", "ReplicaSet")
	rich.DeletionTimestamp = new(metav1.NewTime(noon.Add(30 * time.Second)))
	rich.Finalizers = []string{"example.com/hold"}
	rich.Annotations = map[string]string{"kubernetes.io/config.mirror": "x"}
	rich.Spec.Volumes = []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	rich.Status.Conditions[0].Status = "False"
	calm := apiPod("db-1", "db", "old-1", "StatefulSet")
	calm.Annotations = map[string]string{"fleetwright.io/do-not-disrupt": "4h", "karpenter.sh/do-not-disrupt": "true"}
	calm.Status.StartTime = new(metav1.NewTime(noon.Add(time.Minute)))
	calm.Spec.TerminationGracePeriodSeconds = new(int64(90))
	karpenter := apiPod("gone-1", "gone", "old-1", "DaemonSet")
	karpenter.Annotations = map[string]string{"karpenter.sh/do-not-disrupt": "true"}
	givenUp := apiNode("old-1")
	givenUp.Labels = map[string]string{"fleetwright.io/quarantined": ""}
	world := &lists{
		nodes: []corev1.Node{givenUp, apiNode("new-1")},
		pods: []corev1.Pod{
			rich, apiPod("web-1", "web", "old-1", "ReplicaSet"), apiPod("web-2", "web", "new-1", "ReplicaSet"),
			calm, apiPod("other-1", "other", "new-1", "ReplicaSet"),
			apiPod("log-1", "log", "old-1", "DaemonSet"), karpenter,
		},
		daemonSets:  []appsv1.DaemonSet{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "log", UID: "set-log"}}},
		replicaSets: []appsv1.ReplicaSet{replicaSet("web", 2), replicaSet("other", 1)},
		budgets: []policyv1.PodDisruptionBudget{{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db", Generation: 3, CreationTimestamp: metav1.NewTime(noon)},
			Spec: policyv1.PodDisruptionBudgetSpec{
				Selector:                   &metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}},
				UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
			},
			Status: policyv1.PodDisruptionBudgetStatus{
				DisruptionsAllowed: 0, CurrentHealthy: 2, DesiredHealthy: 1, ExpectedPods: 3, ObservedGeneration: 2,
				DisruptedPods: map[string]metav1.Time{"db-9": metav1.NewTime(noon)},
				Conditions: []metav1.Condition{{
					Type: "DisruptionAllowed", Status: "False", Reason: "SyncFailed", Message: "no scale", LastTransitionTime: metav1.NewTime(noon),
				}},
			},
		}, {
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "broken"},
			Spec: policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{
				MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: "Sideways"}},
			}},
		}},
	}
	got, err := Observe(t.Context(), world.serve(t), refs("old-1"), Policy{})
	if err != nil {
		t.Fatalf("Observe() = %v", err)
	}
	slim := func(name, app, node, kind string) Pod {
		return Pod{
			Namespace: "shop", Name: name, UID: types.UID("uid-" + name), Node: node, Labels: map[string]string{"app": app},
			Controller: Controller{Group: "apps", Kind: kind, Name: app, UID: types.UID("set-" + app)},
			Phase:      "Running", Ready: true, Created: noon, Grace: 30 * time.Second,
		}
	}
	cart := slim("cart-1", "cart", "old-1", "ReplicaSet")
	cart.Ready, cart.Deadline, cart.Finalizers, cart.Mirror, cart.LocalData = false, noon.Add(30*time.Second), []string{"example.com/hold"}, true, true
	orphan := slim("gone-1", "gone", "old-1", "DaemonSet")
	orphan.Controller.Missing, orphan.DoNotDisrupt = true, "true"
	db := slim("db-1", "db", "old-1", "StatefulSet")
	db.DoNotDisrupt, db.Started, db.Grace = "4h", noon.Add(time.Minute), 90*time.Second
	want := Snapshot{
		Nodes: []Node{{Name: "old-1", UID: "uid-old-1", Unschedulable: true, Ready: true, Quarantined: true}},
		Pods: []Pod{
			cart, slim("web-1", "web", "old-1", "ReplicaSet"), db,
			slim("log-1", "log", "old-1", "DaemonSet"), orphan, slim("web-2", "web", "new-1", "ReplicaSet"),
		},
		Budgets: []Budget{{
			Namespace: "shop", Name: "db", Created: noon, Selector: labels.SelectorFromSet(labels.Set{"app": "db"}),
			Allowed: 0, Healthy: 2, Desired: 1, Expected: 3, Generation: 3, ObservedGeneration: 2,
			Disrupted: []Disruption{{Pod: "db-9", At: noon}}, Unhealthy: "AlwaysAllow", BlockedSince: noon, SyncFailure: "no scale",
		}, {Namespace: "shop", Name: "broken", Selector: labels.Nothing()}},
		Owners: []Owner{{UID: "set-web", Desired: 2}},
	}
	options := []cmp.Option{
		cmp.Comparer(func(a, b labels.Selector) bool { return a.String() == b.String() }), cmpopts.EquateEmpty(),
	}
	if diff := cmp.Diff(want, got, options...); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
}

func TestObserveReadsNamespacesOnlyToSelectByThem(t *testing.T) {
	set := labels.SelectorFromSet(labels.Set{"team": "shop"})
	byPod, byNamespace := Rule{Pods: []PodSelector{{Pod: set}}}, Rule{Pods: []PodSelector{{Pod: set}, {Namespace: set}}}
	team := map[string]string{"team": "shop"}
	tests := map[string]struct {
		rules      []Rule
		namespaces []string
		read       int
		want       map[string]string
		err        string
	}{
		"no rules":           {namespaces: []string{"shop"}},
		"by pods alone":      {rules: []Rule{byPod}, namespaces: []string{"shop"}},
		"by namespaces":      {rules: []Rule{byPod, byNamespace}, namespaces: []string{"a", "b", "shop"}, read: 2, want: team},
		"one that is absent": {rules: []Rule{byNamespace}, namespaces: []string{"a"}, read: 1, err: "namespace shop of pod web-1 was not listed"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			world := &lists{
				nodes: []corev1.Node{apiNode("old-1")},
				pods:  []corev1.Pod{apiPod("web-1", "web", "old-1", "ReplicaSet"), apiPod("web-2", "web", "old-1", "ReplicaSet")},
			}
			for _, ns := range tc.namespaces {
				world.namespaces = append(world.namespaces, corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: team}})
			}
			got, err := Observe(t.Context(), world.serve(t), refs("old-1"), Policy{Rules: tc.rules, WaitFor: WaitForEviction})
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("Observe() error = %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatalf("Observe() = %v", err)
			}
			if pages := world.count["/api/v1/namespaces"]; pages != tc.read {
				t.Errorf("%d pages of namespaces were read, want %d", pages, tc.read)
			}
			for _, p := range got.Pods {
				if diff := cmp.Diff(tc.want, p.NamespaceLabels); diff != "" {
					t.Errorf("labels of the namespace of %s (-want +got):\n%s", p.Name, diff)
				}
			}
			if a, b := reflect.ValueOf(got.Pods[0].NamespaceLabels), reflect.ValueOf(got.Pods[1].NamespaceLabels); a.Pointer() != b.Pointer() {
				t.Error("the two pods do not share the labels of their namespace")
			}
		})
	}
}

func TestObserveManyNodesReadsPodsOnce(t *testing.T) {
	world := &lists{replicaSets: []appsv1.ReplicaSet{replicaSet("web", 40)}}
	var names []string
	for i := range 30 {
		name := fmt.Sprintf("old-%d", i)
		names = append(names, name)
		world.nodes = append(world.nodes, apiNode(name))
		p := apiPod(fmt.Sprintf("web-%d", i), "web", name, "ReplicaSet")
		p.Namespace = fmt.Sprintf("shop-%d", i)
		world.pods = append(world.pods, p)
	}
	world.nodes = append(world.nodes, apiNode("new-1"))
	world.pods = append(world.pods, apiPod("web-x", "web", "new-1", "ReplicaSet"), apiPod("other", "other", "new-1", "ReplicaSet"), apiPod("unscheduled", "u", "", "ReplicaSet"))
	got, err := Observe(t.Context(), world.serve(t), refs(names...), Policy{})
	if err != nil {
		t.Fatalf("Observe() = %v", err)
	}
	if len(got.Nodes) != 30 || len(got.Pods) != 31 {
		t.Errorf("%d nodes and %d pods, want 30 and 31 (one replacement elsewhere)", len(got.Nodes), len(got.Pods))
	}
	if pages := world.count["/api/v1/pods"]; pages != 17 {
		t.Errorf("%d pages of pods were read, want the 17 pages of one list", pages)
	}
}

func TestObserveNeverTakesAPartForTheWhole(t *testing.T) {
	fail := func(r reply, from int) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, req *http.Request, n int) bool {
			if !strings.HasSuffix(req.URL.Path, "pods") || n < from {
				return false
			}
			sendReply(w, r)
			return true
		}
	}
	tests := map[string]struct {
		world *lists
		want  string
	}{
		"first page forbidden":         {&lists{trouble: fail(failure(403, "Forbidden", "no list", ""), 1)}, "no list"},
		"second page fails":            {&lists{trouble: fail(failure(500, "InternalError", "etcd away", ""), 2)}, "etcd away"},
		"expires again and again":      {&lists{trouble: fail(failure(410, "Expired", "too old", ""), 2)}, "expired 3 times"},
		"pages of different revisions": {&lists{revision: func(n int) string { return fmt.Sprint(n) }}, "different revisions"},
		"budgets cannot be read":       {&lists{trouble: only("poddisruptionbudgets")}, "list pod disruption budgets"},
		"controllers cannot be read":   {&lists{trouble: only("replicasets")}, "read controllers"},
		"stateful sets cannot be read": {&lists{trouble: only("statefulsets")}, "read controllers"},
		"node cannot be read":          {&lists{trouble: only("old-1")}, "read nodes"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			world := tc.world
			world.nodes = []corev1.Node{apiNode("old-1")}
			for i := range 5 {
				world.pods = append(world.pods, apiPod(fmt.Sprintf("web-%d", i), "web", "old-1", "ReplicaSet"))
			}
			got, err := Observe(t.Context(), world.serve(t), refs("old-1"), Policy{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Observe() error = %v, want %q", err, tc.want)
			}
			if got.Nodes != nil || got.Pods != nil {
				t.Errorf("Observe() gave %d nodes and %d pods beside its error", len(got.Nodes), len(got.Pods))
			}
		})
	}
}

func only(suffix string) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if !strings.HasSuffix(r.URL.Path, suffix) {
			return false
		}
		sendReply(w, failure(403, "Forbidden", "not yours", ""))
		return true
	}
}

func TestObserveBeginsAnExpiredListAnew(t *testing.T) {
	world := &lists{nodes: []corev1.Node{apiNode("old-1")}}
	for i := range 5 {
		world.pods = append(world.pods, apiPod(fmt.Sprintf("web-%d", i), "web", "old-1", "ReplicaSet"))
	}
	world.trouble = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if r.URL.Path != "/api/v1/pods" || n != 2 {
			return false
		}
		sendReply(w, failure(410, "Expired", "too old", ""))
		return true
	}
	got, err := Observe(t.Context(), world.serve(t), refs("old-1"), Policy{WaitFor: WaitForEviction})
	if err != nil || len(got.Pods) != 5 {
		t.Errorf("Observe() = %d pods, %v, want all 5 once", len(got.Pods), err)
	}
}

func TestObserveKnowsItsNodes(t *testing.T) {
	world := func() *lists { return &lists{nodes: []corev1.Node{apiNode("old-1")}} }
	if _, err := Observe(t.Context(), world().serve(t), nil, Policy{}); !errors.Is(err, ErrNoNodes) {
		t.Errorf("no node: error = %v, want ErrNoNodes", err)
	}
	if _, err := Observe(t.Context(), world().serve(t), []NodeRef{{Name: "old-1", UID: "another"}}, Policy{}); !errors.Is(err, ErrNodeReplaced) {
		t.Errorf("another uid: error = %v, want ErrNodeReplaced", err)
	}
	gone := world()
	gone.pods = []corev1.Pod{apiPod("web-1", "web", "old-2", "ReplicaSet")}
	got, err := Observe(t.Context(), gone.serve(t), refs("old-2"), Policy{})
	if err != nil {
		t.Fatalf("node that is gone: %v", err)
	}
	if diff := cmp.Diff([]Node{{Name: "old-2", UID: "uid-old-2", Gone: true}}, got.Nodes); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if len(got.Pods) != 1 {
		t.Errorf("%d pods on a node that is gone, want the 1 still bound to its name", len(got.Pods))
	}
}

func TestObserveReadsBudgetsOfPodsThatAskToBeLeftAlone(t *testing.T) {
	p := apiPod("web-1", "web", "old-1", "ReplicaSet")
	p.Annotations = map[string]string{AnnotationDoNotDisrupt: "1h"}
	world := &lists{
		nodes: []corev1.Node{apiNode("old-1")}, pods: []corev1.Pod{p},
		budgets: []policyv1.PodDisruptionBudget{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}},
	}
	// The wish may be over by the time of the decision.
	got, err := Observe(t.Context(), world.serve(t), refs("old-1"), Policy{WaitFor: WaitForEviction})
	if err != nil || len(got.Budgets) != 1 {
		t.Errorf("Observe() = %d budgets, %v, want the one of its namespace", len(got.Budgets), err)
	}
}

func TestObserveReadsControllersOnlyToPaceByThem(t *testing.T) {
	world := &lists{nodes: []corev1.Node{apiNode("old-1")}, pods: []corev1.Pod{apiPod("web-1", "web", "old-1", "ReplicaSet")}}
	if _, err := Observe(t.Context(), world.serve(t), refs("old-1"), Policy{WaitFor: WaitForEviction}); err != nil {
		t.Fatalf("Observe() = %v", err)
	}
	want := []string{"/api/v1/nodes/old-1", "/api/v1/pods", "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"}
	if diff := cmp.Diff(want, world.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if i := slices.Index(world.requests, "/api/v1/pods"); i < slices.Index(world.requests, "/api/v1/nodes/old-1") {
		t.Error("pods were read before their node was seen cordoned")
	}
}
