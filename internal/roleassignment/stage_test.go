package roleassignment

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	workloadfake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/internal/capi"
)

const (
	groupID   = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr"
	clusterID = groupID + "/providers/Microsoft.ContainerService/managedClusters/prod"
	tenant    = "33333333-3333-3333-3333-333333333333"
	appID     = "44444444-4444-4444-4444-444444444444"
	ownerID   = "99999999-9999-9999-9999-999999999999"
)

// world is Kubernetes behind the simulated cluster: nobody looks at it here.
type nobody struct{}

func (nobody) EnsureCluster(context.Context, sim.Cluster) ([]byte, error) {
	return []byte("kubeconfig"), nil
}
func (nobody) DeleteCluster(context.Context, string) error        { return nil }
func (nobody) EnsureNode(context.Context, string, sim.Node) error { return nil }
func (nobody) DeleteNode(context.Context, string, string) error   { return nil }

// stage is a simulated Azure, asked through the real client over HTTPS, with a registry and a cluster; a management cluster; and a
// workload cluster. All have one clock.
type stage struct {
	t          *testing.T
	azure      *sim.Server
	owner      *simclient.Client
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
	settings := sim.DefaultSettings()
	settings.Durations = sim.Durations{}
	clock := testclock.NewFakeClock(noon)
	server, err := sim.Start(t.Context(), sim.Options{Dir: t.TempDir(), Kubernetes: nobody{}, Settings: &settings, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s := &stage{t: t, azure: server, clock: clock, pods: workloadfake.NewClientset()}
	s.pods.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		action.(clienttesting.CreateAction).GetObject().(*corev1.Pod).CreationTimestamp = metav1.NewTime(clock.Now()) // as an API server does
		return false, nil, nil
	})
	if s.owner, err = simclient.New(server.URL(), server.CAFile(), simclient.Identity{TenantID: tenant, ClientID: ownerID, ClientSecret: "x"}); err != nil {
		t.Fatal(err)
	}
	s.request(http.MethodPut, groupID, "2021-04-01", `{"location": "westeurope"}`)
	s.request(http.MethodPut, testScope, "2023-07-01", `{"location": "westeurope", "sku": {"name": "Basic"}}`)
	s.request(http.MethodPut, clusterID, "2025-10-01", `{"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {"dnsPrefix": "prod",
		"agentPoolProfiles": [{"name": "sys", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5", "osType": "Linux"}]}}`)

	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{capi.AddToScheme, fleetwrightv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	s.client = fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&fleetwrightv1.AzureRoleAssignment{}).Build()
	for _, o := range append(clusterObjects(), objects...) {
		if err := s.client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	azure := s.connect()
	identities, err := azure.IdentitiesOf(t.Context(), clusterID, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	s.kubelet = strings.ToLower(identities.Kubelet)
	s.restart()
	return s
}

// connect is the real client, by the service principal of the environment.
func (s *stage) connect(change ...func(*arm.Options)) roles.Azure {
	s.t.Helper()
	for name, value := range map[string]string{"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": appID, "AZURE_CLIENT_SECRET": "never-to-be-seen", "AZURE_FEDERATED_TOKEN_FILE": ""} {
		s.t.Setenv(name, value)
	}
	options := arm.Options{
		ResourceManagerEndpoint: s.azure.URL(), ResourceManagerAudience: simclient.Audience, AuthorityHost: s.azure.URL() + "/", CAFile: s.azure.CAFile(), Clock: s.clock,
	}
	for _, c := range change {
		c(&options)
	}
	c, err := arm.New(options)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// restart is a new process: nothing of its memory is left.
func (s *stage) restart() {
	s.recorder = events.NewFakeRecorder(100)
	s.reconciler = &Reconciler{
		Client: s.client, Live: s.client, Azures: everybody{s.connect()}, Clusters: s, Recorder: s.recorder, Clock: s.clock, Namespace: "fleetwright-system", Rest: restWithout,
	}
}

type everybody struct{ roles.Azure }

func (e everybody) For(context.Context, capi.Cluster) (roles.Azure, error) { return e.Azure, nil }

// Get implements Clusters.
func (s *stage) Get(context.Context, types.NamespacedName) (kubernetes.Interface, error) {
	return s.pods, s.unreachable
}

// clusterObjects are those of a cluster of flavour AzureManaged that is up.
func clusterObjects() []client.Object {
	c := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Namespace: key1.Namespace, Name: "prod", Labels: map[string]string{"stage": "production"}}}
	c.Spec.InfrastructureRef = clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureManagedCluster", Name: "prod"}
	c.Spec.ControlPlaneRef = clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureManagedControlPlane", Name: "prod"}
	c.Status.Initialization.ControlPlaneInitialized = new(true)
	plane := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": "AzureManagedControlPlane",
		"metadata": map[string]any{"namespace": key1.Namespace, "name": "prod"},
		"spec":     map[string]any{"subscriptionID": "00000000-0000-0000-0000-000000000001", "resourceGroupName": "acr", "location": "westeurope"},
	}}
	return []client.Object{c, plane}
}

// request does something in Azure as somebody else, and waits in real time while the simulator is busy.
func (s *stage) request(method, path, version, body string) {
	s.t.Helper()
	token, err := s.owner.Credential.GetToken(s.t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil {
		s.t.Fatal(err)
	}
	status := ""
	err = wait.PollUntilContextTimeout(s.t.Context(), 2*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, method, s.azure.URL()+path+"?api-version="+version, strings.NewReader(body))
		if err != nil {
			return false, err
		}
		request.Header.Set("Authorization", "Bearer "+token.Token)
		if body != "" {
			request.Header.Set("Content-Type", "application/json")
		}
		response, err := s.owner.Options.Transport.Do(request)
		if err != nil {
			return false, err
		}
		status = response.Status
		return response.StatusCode < http.StatusBadRequest, response.Body.Close()
	})
	if err != nil {
		s.t.Fatalf("%s %s: %v (%s)", method, path, err, status)
	}
}

// own is the assignment as Fleetwright names it, of the cluster's kubelet.
func (s *stage) own() string {
	return roles.IDOf(testScope, roles.Name(testScope, testRole, s.kubelet))
}

// assignBy makes an equal assignment as somebody else.
func (s *stage) assignBy(id string) {
	s.t.Helper()
	s.request(http.MethodPut, id, "2022-04-01", fmt.Sprintf(`{"properties": {"roleDefinitionId": %q, "principalId": %q, "principalType": "ServicePrincipal"}}`,
		"/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Authorization/roleDefinitions/"+testRole, s.kubelet))
}

func (s *stage) deleteBySomebody(id string) { s.request(http.MethodDelete, id, "2022-04-01", "") }

// writes are our writes of assignments so far, as "PUT 201", without what was answered by a script.
func (s *stage) writes() []string {
	var out []string
	for _, r := range s.azure.Requests() {
		if strings.HasPrefix(r.UserAgent, "fleetwright") && r.Method != http.MethodGet && strings.Contains(r.Path, "roleAssignments/") {
			out = append(out, fmt.Sprintf("%s %d", r.Method, r.Status))
		}
	}
	return out
}

// reads are our reads so far.
func (s *stage) reads() int {
	n := 0
	for _, r := range s.azure.Requests() {
		if strings.HasPrefix(r.UserAgent, "fleetwright") && r.Method == http.MethodGet {
			n++
		}
	}
	return n
}

func (s *stage) fault(f sim.Fault) {
	s.t.Helper()
	f.UserAgent = "^fleetwright"
	if _, err := s.azure.AddFault(f); err != nil {
		s.t.Fatal(err)
	}
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
