package roleassignment

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

func pulling() *fleetwrightv1.AzureRoleAssignment {
	a := newAssignment()
	a.Spec.PullCheck = fleetwrightv1.PullCheck{Image: "probe/pause:3.10"}
	return a
}

func (s *stage) addNode() {
	s.t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "aks-n1", Labels: map[string]string{"kubernetes.io/os": "linux"}}}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	if _, err := s.pods.CoreV1().Nodes().Create(s.t.Context(), node, metav1.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

func TestAPullIsProven(t *testing.T) {
	s := newStage(t, pulling())
	if r := s.look(); r.RequeueAfter != noNodePause {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	s.want("Assigned", "True", "Assigned", "")
	s.want("PullVerified", "False", "NoNode", "no Linux node")
	s.want("Ready", "False", "NoNode", "assigned; no Linux node")
	s.addNode()
	s.look()
	s.want("PullVerified", "Unknown", "Pulling", "node aks-n1 is to pull shared.azurecr.io/probe/pause:3.10")
	// The role has no effect yet.
	settings := s.azure.Settings()
	settings.Durations.RolePropagation = metav1.Duration{Duration: time.Hour}
	s.azure.SetSettings(settings)
	s.pull()
	s.look()
	s.want("PullVerified", "False", "Unauthorized", "node aks-n1 cannot pull shared.azurecr.io/probe/pause:3.10: ErrImagePull: ")
	s.want("Ready", "False", "Unauthorized", "")
	settings.Durations.RolePropagation = metav1.Duration{}
	s.azure.SetSettings(settings)
	s.pull()
	s.look()
	s.want("PullVerified", "True", "Pulled", "node aks-n1 has pulled")
	s.want("Ready", "True", "Ready", "assigned; node aks-n1 has pulled")
	if s.pull() {
		t.Error("the pod is still there")
	}
	// It holds for a day, whatever is left of the status.
	s.change(func(a *fleetwrightv1.AzureRoleAssignment) { a.Status = fleetwrightv1.AzureRoleAssignmentStatus{} })
	s.restart()
	s.look()
	s.want("PullVerified", "True", "Pulled", "at 2026-11-26T12:00:00Z")
	if s.pull() {
		t.Error("a proof was made again")
	}
	s.clock.SetTime(noon.Add(24 * time.Hour))
	s.restart() // with a token that has not expired
	s.look()
	s.want("PullVerified", "True", "Pulled", "it is proven again")
	if !s.pull() {
		t.Error("no proof is made after a day")
	}
	s.look()
	s.want("PullVerified", "True", "Pulled", "node aks-n1 has pulled")
	if got := s.object().Annotations; got[fleetwrightv1.AnnotationPullStarted] != "" || !strings.HasPrefix(got[fleetwrightv1.AnnotationPullProven], "2026-11-27T12:00:00Z ") {
		t.Errorf("annotations %v", got)
	}
}

// TestANodeThatCannot: after ten minutes another node is tried, and until one can, it stays told that none could.
func TestANodeThatCannot(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	settings := s.azure.Settings()
	settings.MissingImages = []string{"shared.azurecr.io/probe/pause"}
	s.azure.SetSettings(settings)
	s.look()
	s.pull()
	s.look()
	s.want("PullVerified", "False", "ImageNotFound", "node aks-n1 cannot pull")
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "aks-n2", Labels: map[string]string{"kubernetes.io/os": "linux"}}}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	if _, err := s.pods.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.clock.SetTime(noon.Add(10 * time.Minute))
	s.look() // takes the pod away
	s.look()
	s.want("PullVerified", "False", "ImageNotFound", "node aks-n2 is to pull shared.azurecr.io/probe/pause:3.10, after a try that failed")
	settings.MissingImages = nil
	s.azure.SetSettings(settings)
	s.pull()
	s.look()
	s.want("PullVerified", "True", "Pulled", "node aks-n2 has pulled")
}

func TestAPullOfNothing(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	settings := s.azure.Settings()
	settings.MissingImages = []string{"shared.azurecr.io/probe/pause"}
	s.azure.SetSettings(settings)
	s.look()
	s.pull()
	s.look()
	s.want("PullVerified", "False", "ImageNotFound", "not found")
	// Another image, another pod.
	s.change(func(a *fleetwrightv1.AzureRoleAssignment) { a.Spec.PullCheck.Image = "probe/other:1" })
	s.look()
	s.look()
	s.pull()
	s.look()
	s.want("PullVerified", "True", "Pulled", "shared.azurecr.io/probe/other:1")
}

func TestNobodyAsksForTheProofAnyMore(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	s.look()
	s.change(func(a *fleetwrightv1.AzureRoleAssignment) { a.Spec.PullCheck = fleetwrightv1.PullCheck{} })
	s.look()
	s.wantNo("PullVerified")
	s.want("Ready", "True", "Ready", "assigned")
	if s.pull() || s.object().Annotations[fleetwrightv1.AnnotationPullStarted] != "" {
		t.Error("something is left of it")
	}
}

func TestThePodGoesWithTheObject(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	s.look()
	if err := s.client.Delete(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	s.look()
	s.look()
	if s.object() != nil || s.pull() {
		t.Error("something is left")
	}
}

func TestAClusterThatDoesNotAnswer(t *testing.T) {
	s := newStage(t, pulling())
	s.unreachable = errors.New("no route to host")
	s.look()
	s.want("Assigned", "True", "Assigned", "")
	s.want("PullVerified", "Unknown", "ConnectionDown", "no route to host")
	s.want("Ready", "False", "ConnectionDown", "")
}

// TestAClusterThatIsStopped: each look asks Azure as well, so looks become ever rarer.
func TestAClusterThatIsStopped(t *testing.T) {
	for name, proven := range map[string]bool{"proven": true, "never proven": false} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, pulling())
			s.addNode()
			if proven {
				s.look()
				s.pull()
				s.look()
				s.clock.SetTime(noon.Add(24 * time.Hour))
				s.restart() // with a token that has not expired
			}
			s.unreachable = errors.New("no route to host")
			start, before, looks := s.clock.Now(), s.reads(), 0
			for s.clock.Now().Before(start.Add(2*time.Hour)) && looks <= 25 {
				s.clock.SetTime(s.clock.Now().Add(s.look().RequeueAfter))
				looks++
			}
			if n := s.reads() - before; looks > 25 || n > 60 {
				t.Errorf("%d looks with %d reads", looks, n)
			}
			s.unreachable = nil
			for range 2 {
				s.look()
				s.pull()
			}
			s.want("PullVerified", "True", "Pulled", "has pulled")
		})
	}
}

// TestAPodThatMayNotBeMade: whoever keeps the pod out is quoted, and the assignment stands.
func TestAPodThatMayNotBeMade(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	denied := true
	s.pods.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return denied, nil, errors.New("admission webhook says: no images of that registry")
	})
	if r := s.look(); r.RequeueAfter != 5*time.Minute {
		t.Errorf("looks again in %s", r.RequeueAfter)
	}
	s.want("Assigned", "True", "Assigned", "assigned")
	s.want("PullVerified", "Unknown", "PullFailed", "node aks-n1 is to pull shared.azurecr.io/probe/pause:3.10; that failed and is tried again: create pod kube-system/")
	s.want("PullVerified", "Unknown", "PullFailed", "admission webhook says: no images of that registry")
	s.want("Ready", "False", "PullFailed", "no images of that registry")
	if events := s.events(); !strings.Contains(events, "Warning StartPullFailed create pod kube-system/") || strings.Contains(events, "NoneFailed") {
		t.Errorf("events:\n%s", events)
	}
	denied = false
	s.look()
	s.pull()
	s.look()
	s.want("Ready", "True", "Ready", "has pulled")
}

// TestARegistryThatMayNotBeRead has the host name that nearly all have.
func TestARegistryThatMayNotBeRead(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	s.azure.Fault(sim.Fault{Method: http.MethodGet, Path: "/registries/shared$", Count: -1, Effect: sim.Effect{Error: &sim.FaultError{Status: 403, Code: "AuthorizationFailed", Message: "no"}}})
	s.look()
	s.want("PullVerified", "Unknown", "Pulling", "node aks-n1 is to pull shared.azurecr.io/probe/pause:3.10")
}
