package roleassignment

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const testImage = "shared.azurecr.io/probe/pause:3.401"

func TestDecidePull(t *testing.T) {
	about := aboutOf(ours().ID, testImage)
	pod := func(change func(*canary)) func(*pullWorld) {
		return func(w *pullWorld) {
			c := canary{name: "kube-system/p", node: "n2", about: about, created: noon.Add(-10 * time.Second)}
			change(&c)
			w.started, w.pod = true, &c
		}
	}
	problem := func(text string) func(*pullWorld) { return pod(func(c *canary) { c.problem = text }) }
	old := proof{noon.Add(-25 * time.Hour), about, "n1"}
	for name, test := range map[string]struct {
		change func(*pullWorld)
		action pullAction
		status metav1.ConditionStatus
		reason string
		again  time.Duration
		says   string
	}{
		"nobody asks": {func(w *pullWorld) { w.wanted = false }, pullNothing, "Unknown", "", 0, ""},
		"nobody asks any more": {
			func(w *pullWorld) { w.wanted, w.started = false, true }, pullEnd, "Unknown", "", 0, "",
		},
		"nobody asks any more, while everything is held": {
			func(w *pullWorld) { w.wanted, w.started, w.hold = false, true, paused }, pullNothing, "Unknown", "", 0, "",
		},
		"nothing to prove": {
			func(w *pullWorld) { w.assigned = false }, pullNothing, "False", "WaitingForAssignment", 0, "there is nothing to prove before the assignment is made",
		},
		"the cluster does not answer": {
			func(w *pullWorld) { w.unreachable = "no answer" }, pullNothing, "Unknown", "ConnectionDown", 30 * time.Second, "no answer",
		},
		"the first time": {func(*pullWorld) {}, pullStart, "Unknown", "Pulling", 5 * time.Second, "node n1 is to pull " + testImage},
		"no node": {
			func(w *pullWorld) { w.nodes = nil }, pullNothing, "False", "NoNode", 2 * time.Minute,
			"no Linux node of the cluster is ready, open for pods and without taints that keep pods away",
		},
		"held":                 {func(w *pullWorld) { w.hold = paused }, pullNothing, "Unknown", "Paused", 0, "the AzureRoleAssignment says reconcile: Paused"},
		"disruption is held":   {func(w *pullWorld) { w.hold = gentle }, pullStart, "Unknown", "Pulling", 5 * time.Second, ""},
		"pulling":              {pod(func(*canary) {}), pullNothing, "Unknown", "Pulling", 5 * time.Second, "node n2 is pulling " + testImage},
		"pulling for a minute": {pod(func(c *canary) { c.created = noon.Add(-time.Minute) }), pullNothing, "Unknown", "Pulling", 30 * time.Second, ""},
		"pulling for minutes":  {pod(func(c *canary) { c.created = noon.Add(-9 * time.Minute) }), pullNothing, "Unknown", "Pulling", 5 * time.Minute, ""},
		"pulling for too long": {pod(func(c *canary) { c.created = noon.Add(-10 * time.Minute) }), pullAgain, "Unknown", "Pulling", time.Second, ""},
		"failing for too long": {pod(func(c *canary) { c.created, c.problem = noon.Add(-10*time.Minute), "ErrImagePull: 401" }), pullAgain, "False", "Unauthorized", time.Second, ""},
		"no node can, for an hour": {func(w *pullWorld) {
			pod(func(c *canary) { c.created, c.problem = noon.Add(-10*time.Minute), "ErrImagePull: 401" })(w)
			w.since = noon.Add(-time.Hour)
		}, pullNothing, "False", "Unauthorized", 15 * time.Minute, ""},
		"another node after a failure": {func(w *pullWorld) { w.failing, w.before = true, "Unauthorized" }, pullStart, "False", "Unauthorized", 5 * time.Second, "node n1 is to pull " + testImage + ", after a try that failed"},
		"another architecture":         {problem("ErrImagePull: " + testImage + ": no match for platform in manifest: not found"), pullNothing, "False", "PullFailed", 5 * time.Second, ""},
		"pulled":                       {pod(func(c *canary) { c.pulled = true }), pullProve, "True", "Pulled", 24 * time.Hour, "node n2 has pulled " + testImage},
		"pulled something else":        {pod(func(c *canary) { c.pulled, c.about = true, "other" }), pullAgain, "Unknown", "Pulling", time.Second, ""},
		"the pod is leaving":           {pod(func(c *canary) { c.pulled, c.leaving = true, true }), pullNothing, "Unknown", "Pulling", 5 * time.Second, ""},
		"the pod has failed":           {pod(func(c *canary) { c.failed = "Evicted" }), pullAgain, "False", "PullFailed", 2 * time.Minute, "pod kube-system/p on node n2 has failed before it pulled " + testImage + ": Evicted"},
		"no room":                      {pod(func(c *canary) { c.noRoom = "Too many pods" }), pullNothing, "False", "NoNode", 30 * time.Second, "pod kube-system/p finds no room on node n2: Too many pods"},
		"no room for some time":        {pod(func(c *canary) { c.noRoom, c.created = "Too many pods", noon.Add(-2*time.Minute) }), pullAgain, "False", "NoNode", 30 * time.Second, ""},
		"401":                          {problem("ErrImagePull: " + testImage + ": unexpected status: 401 Unauthorized"), pullNothing, "False", "Unauthorized", 5 * time.Second, "node n2 cannot pull " + testImage + ": ErrImagePull: "},
		"403":                          {problem("ErrImagePull: 403"), pullNothing, "False", "Unauthorized", 5 * time.Second, ""},
		"insufficient_scope":           {problem("ErrImagePull: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope"), pullNothing, "False", "Unauthorized", 5 * time.Second, ""},
		"404":                          {problem("ErrImagePull: " + testImage + ": not found"), pullNothing, "False", "ImageNotFound", 5 * time.Second, ""},
		"manifest unknown":             {problem("ErrImagePull: manifest unknown"), pullNothing, "False", "ImageNotFound", 5 * time.Second, ""},
		"a number in the name":         {problem("ErrImagePull: " + testImage + ": i/o timeout"), pullNothing, "False", "PullFailed", 5 * time.Second, ""},
		"no such host":                 {problem("ErrImagePull: lookup shared.azurecr.io: no such host"), pullNothing, "False", "PullFailed", 5 * time.Second, ""},
		"backing off, and why":         {problem(`ImagePullBackOff: Back-off pulling image "` + testImage + `": ErrImagePull: 401 Unauthorized`), pullNothing, "False", "Unauthorized", 5 * time.Second, ""},
		"backing off, and no why": {func(w *pullWorld) {
			problem(`ImagePullBackOff: Back-off pulling image "` + testImage + `"`)(w)
			w.before = "ImageNotFound"
		}, pullNothing, "False", "ImageNotFound", 5 * time.Second, ""},
		"proven": {
			func(w *pullWorld) { w.proven = proof{noon.Add(-time.Hour), about, "n1"} }, pullNothing, "True", "Pulled", 23 * time.Hour,
			"node n1 has pulled " + testImage + " at 2026-11-26T11:00:00Z",
		},
		"proven, and a pod is left": {
			func(w *pullWorld) { w.proven, w.started = proof{noon.Add(-time.Hour), about, "n1"}, true }, pullEnd, "True", "Pulled", time.Second, "",
		},
		"proven for another assignment": {
			func(w *pullWorld) { w.proven = proof{noon.Add(-time.Hour), "other", "n1"} }, pullStart, "Unknown", "Pulling", 5 * time.Second, "",
		},
		"proven long ago": {
			func(w *pullWorld) { w.proven = old }, pullStart, "True", "Pulled", 5 * time.Second,
			"node n1 has pulled " + testImage + " at 2026-11-25T11:00:00Z; it is proven again: node n1 is to pull " + testImage,
		},
		"proven long ago, and the opposite now": {func(w *pullWorld) {
			problem("ErrImagePull: 401")(w)
			w.proven = old // was due an hour ago
		}, pullNothing, "False", "Unauthorized", 15 * time.Minute, ""},
		"the cluster does not answer for an hour": {
			func(w *pullWorld) { w.unreachable, w.since = "no answer", noon.Add(-time.Hour) }, pullNothing, "Unknown", "ConnectionDown", 15 * time.Minute, "no answer",
		},
		"no node for a day": {
			func(w *pullWorld) { w.nodes, w.since = nil, noon.Add(-24*time.Hour) }, pullNothing, "False", "NoNode", 30 * time.Minute, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := pullWorld{wanted: true, assigned: true, image: testImage, about: about, nodes: []string{"n1", "n3"}}
			test.change(&w)
			p := decidePull(w, noon)
			if p.action != test.action || p.status != test.status || p.reason != test.reason || p.again != test.again {
				t.Errorf("got %+v", p)
			}
			if !strings.HasPrefix(p.message, test.says) {
				t.Errorf("says %q", p.message)
			}
		})
	}
}

func TestReadCanary(t *testing.T) {
	waitsFor := func(reason string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "why"}}
	}
	over := func(reason string) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: 128}}
	}
	for name, test := range map[string]struct {
		phase  corev1.PodPhase
		state  corev1.ContainerState
		pulled bool
		failed bool
		says   string
	}{
		"nothing yet":       {"Pending", corev1.ContainerState{}, false, false, ""},
		"being made":        {"Pending", waitsFor("ContainerCreating"), false, false, ""},
		"no image":          {"Pending", waitsFor("ErrImagePull"), false, false, "ErrImagePull: why"},
		"backing off":       {"Pending", waitsFor("ImagePullBackOff"), false, false, "ImagePullBackOff: why"},
		"config":            {"Pending", waitsFor("CreateContainerConfigError"), true, false, ""},
		"does not start":    {"Pending", waitsFor("RunContainerError"), true, false, ""},
		"runs":              {"Running", corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, true, false, ""},
		"did not start":     {"Failed", over("StartError"), true, false, ""},
		"ran":               {"Succeeded", over("Completed"), true, false, ""},
		"its node is lost":  {"Failed", over("ContainerStatusUnknown"), false, true, ""},
		"no place for pods": {"Failed", corev1.ContainerState{}, false, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			pod := canaryPod(newAssignment(), "n7", testImage, "about")
			pod.Status = corev1.PodStatus{Phase: test.phase, ContainerStatuses: []corev1.ContainerStatus{{Name: "pull", State: test.state}}}
			c := readCanary(pod)
			if c.pulled != test.pulled || (c.failed != "") != test.failed || c.problem != test.says || c.node != "n7" || c.about != "about" {
				t.Errorf("got %+v", c)
			}
		})
	}
	pod := canaryPod(newAssignment(), "n7", testImage, "about")
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3"}}
	if c := readCanary(pod); c.noRoom != "0/3" {
		t.Errorf("got %+v", c)
	}
}

func TestOpenNodes(t *testing.T) {
	node := func(name string, age time.Duration, change func(*corev1.Node)) corev1.Node {
		n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(noon.Add(-age))}}
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		change(&n)
		return n
	}
	same := func(*corev1.Node) {}
	taint := func(effect corev1.TaintEffect) func(*corev1.Node) {
		return func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: "x", Effect: effect}} }
	}
	nodes := []corev1.Node{
		node("old", 2*time.Hour, same), node("young", time.Hour, same), node("soft", 3*time.Hour, taint(corev1.TaintEffectPreferNoSchedule)),
		node("closed", 0, func(n *corev1.Node) { n.Spec.Unschedulable = true }), node("tainted", 0, taint(corev1.TaintEffectNoSchedule)),
		node("expelling", 0, taint(corev1.TaintEffectNoExecute)), node("leaving", 0, func(n *corev1.Node) { n.DeletionTimestamp = new(metav1.NewTime(noon)) }),
		node("broken", 0, func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionUnknown }), node("new", 0, func(n *corev1.Node) { n.Status.Conditions = nil }),
	}
	for last, want := range map[string]string{"": "young old soft", "young": "old soft young", "old": "soft young old", "soft": "young old soft", "gone": "young old soft"} {
		if got := strings.Join(openNodes(nodes, last), " "); got != want {
			t.Errorf("after %s: %s, want %s", last, got, want)
		}
	}
	if got := openNodes(nil, "young"); got != nil {
		t.Errorf("of none: %v", got)
	}
}

func TestProofsSurviveWriting(t *testing.T) {
	p := proof{noon, "abc", "aks-n1"}
	if got := readProof(p.text()); got != p {
		t.Errorf("got %+v", got)
	}
	for _, text := range []string{"", "x", "yesterday abc n1", "2026-11-26T12:00:00Z abc", "2026-11-26T12:00:00Z a b c"} {
		if got := readProof(text); got != (proof{}) {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}
