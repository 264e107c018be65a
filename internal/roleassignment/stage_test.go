package roleassignment

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	workloadfake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/testkit/simazure"
)

var groupID, clusterID = simazure.GroupID("acr"), simazure.ClusterID("acr", "prod")

// stage is a simulated Azure, asked through the real client over HTTPS, with a registry and a cluster; a management cluster; and a
// workload cluster. All have one clock.
type stage struct {
	t          *testing.T
	azure      *simazure.Azure
	client     client.Client
	pods       *workloadfake.Clientset
	clock      *testclock.FakeClock
	reconciler *Reconciler
	recorder   *events.FakeRecorder
	// unreachable is why the workload cluster cannot be reached, nil when it can.
	unreachable error
	// kubelet is the object id of the cluster's kubelet identity.
	kubelet string
}

var key1 = types.NamespacedName{Namespace: "prod-eu", Name: "prod-registry"}

func newStage(t *testing.T, objects ...client.Object) *stage {
	t.Helper()
	clock := testclock.NewFakeClock(noon)
	s := &stage{t: t, azure: simazure.Start(t, clock), clock: clock, pods: workloadfake.NewClientset()}
	s.pods.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		action.(clienttesting.CreateAction).GetObject().(*corev1.Pod).CreationTimestamp = metav1.NewTime(clock.Now()) // as an API server does
		return false, nil, nil
	})
	s.azure.MakeCluster("acr", "prod")
	s.azure.Request(http.MethodPut, testScope, "2023-07-01", `{"location": "westeurope", "sku": {"name": "Basic"}}`)
	identities, err := s.azure.Connect(clock).IdentitiesOf(t.Context(), clusterID, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	s.kubelet = strings.ToLower(identities.Kubelet)
	s.client = simazure.ManagementCluster(t, &fleetwrightv1.AzureRoleAssignment{}, append(clusterObjects(), objects...)...)
	s.restart()
	return s
}

// restart is a new process: nothing of its memory is left.
func (s *stage) restart() {
	s.recorder = events.NewFakeRecorder(100)
	s.reconciler = &Reconciler{
		Client: s.client, Live: s.client, Azures: everybody{s.azure.Connect(s.clock)}, Clusters: s, Recorder: s.recorder, Clock: s.clock, Namespace: "fleetwright-system", Rest: restWithout,
	}
}

type everybody struct{ roles.Azure }

func (e everybody) For(context.Context, capi.Cluster) (roles.Azure, error) { return e.Azure, nil }

// Get implements Clusters.
func (s *stage) Get(context.Context, types.NamespacedName) (kubernetes.Interface, error) {
	return s.pods, s.unreachable
}

func clusterObjects() []client.Object { return simazure.ClusterObjects(key1.Namespace, "acr", "prod") }

// own is the assignment as Fleetwright names it, of the cluster's kubelet.
func (s *stage) own() string {
	return roles.IDOf(testScope, roles.Name(testScope, testRole, s.kubelet))
}

// assignBy makes an equal assignment as somebody else.
func (s *stage) assignBy(id string) {
	s.t.Helper()
	s.azure.Request(http.MethodPut, id, "2022-04-01", fmt.Sprintf(`{"properties": {"roleDefinitionId": %q, "principalId": %q, "principalType": "ServicePrincipal"}}`,
		"/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Authorization/roleDefinitions/"+testRole, s.kubelet))
}

func (s *stage) deleteBySomebody(id string) { s.azure.Request(http.MethodDelete, id, "2022-04-01", "") }

// writes are our writes of assignments so far, as "PUT 201", without what was answered by a script.
func (s *stage) writes() []string {
	var out []string
	for _, r := range s.azure.Ours() {
		if r.Method != http.MethodGet && strings.Contains(r.Path, "roleAssignments/") {
			out = append(out, fmt.Sprintf("%s %d", r.Method, r.Status))
		}
	}
	return out
}

// reads are our reads so far.
func (s *stage) reads() int {
	n := 0
	for _, r := range s.azure.Ours() {
		if r.Method == http.MethodGet {
			n++
		}
	}
	return n
}

// object is the AzureRoleAssignment, nil when it is gone.
func (s *stage) object() *fleetwrightv1.AzureRoleAssignment {
	s.t.Helper()
	var a fleetwrightv1.AzureRoleAssignment
	if err := s.client.Get(s.t.Context(), key1, &a); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil
		}
		s.t.Fatal(err)
	}
	return &a
}

func (s *stage) change(change func(*fleetwrightv1.AzureRoleAssignment)) {
	s.t.Helper()
	a := s.object()
	change(a)
	if err := s.client.Update(s.t.Context(), a); err != nil {
		s.t.Fatal(err)
	}
}

// look is one reconcile that ends without an error.
func (s *stage) look() ctrl.Result {
	s.t.Helper()
	result, err := s.try()
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

func (s *stage) try() (ctrl.Result, error) {
	s.t.Helper()
	a := &fleetwrightv1.AzureRoleAssignment{ObjectMeta: metav1.ObjectMeta{Namespace: key1.Namespace, Name: key1.Name}}
	return s.reconciler.Reconcile(s.t.Context(), a)
}

// want compares a condition: "True Reason: part of the message".
func (s *stage) want(kind, status, reason, message string) {
	s.t.Helper()
	a := s.object()
	c := meta.FindStatusCondition(a.Status.Conditions, kind)
	if c == nil {
		s.t.Fatalf("condition %s is not there: %+v", kind, a.Status.Conditions)
	}
	if string(c.Status) != status || c.Reason != reason || !strings.Contains(c.Message, message) {
		s.t.Errorf("condition %s is %s %s: %s; want %s %s: %s", kind, c.Status, c.Reason, c.Message, status, reason, message)
	}
}

func (s *stage) wantNo(kind string) {
	s.t.Helper()
	if c := meta.FindStatusCondition(s.object().Status.Conditions, kind); c != nil {
		s.t.Errorf("condition %s is %s %s: %s", kind, c.Status, c.Reason, c.Message)
	}
}

func (s *stage) wantWrites(want ...string) {
	s.t.Helper()
	if got := s.writes(); !slices.Equal(got, want) {
		s.t.Errorf("wrote %v, want %v", got, want)
	}
}

// pull lets the simulated registry answer the pod as a kubelet would see it. It is false when there is no pod.
func (s *stage) pull() bool {
	s.t.Helper()
	list, err := s.pods.CoreV1().Pods(podNamespace).List(s.t.Context(), metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range list.Items {
		pod := &list.Items[i]
		state := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "StartError", ExitCode: 128}}
		if p := s.azure.KubeletPull(clusterID, pod.Spec.Containers[0].Image); p.Reason != sim.PullAllowed {
			state = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: p.Message}}
		}
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "pull", State: state}}
		if _, err := s.pods.CoreV1().Pods(podNamespace).UpdateStatus(s.t.Context(), pod, metav1.UpdateOptions{}); err != nil {
			s.t.Fatal(err)
		}
	}
	return len(list.Items) > 0
}
