package maintenanceconfiguration

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/events"
	testclock "k8s.io/utils/clock/testing"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/internal/capi"
)

const (
	groupID   = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/prod"
	clusterID = groupID + "/providers/Microsoft.ContainerService/managedClusters/prod"
	windowID  = clusterID + "/maintenanceConfigurations/aksManagedNodeOSUpgradeSchedule"
	tenant    = "33333333-3333-3333-3333-333333333333"
	appID     = "44444444-4444-4444-4444-444444444444"
	somebody  = "99999999-9999-9999-9999-999999999999"
	version   = "2025-10-01"
)

// nobody is Kubernetes behind the simulated cluster: nobody looks at it here.
type nobody struct{}

func (nobody) EnsureCluster(context.Context, sim.Cluster) ([]byte, error) {
	return []byte("kubeconfig"), nil
}
func (nobody) DeleteCluster(context.Context, string) error        { return nil }
func (nobody) EnsureNode(context.Context, string, sim.Node) error { return nil }
func (nobody) DeleteNode(context.Context, string, string) error   { return nil }

// stage is a simulated Azure, asked through the real client over HTTPS, with one cluster; and a management cluster. Its clock is
// Fleetwright's alone.
type stage struct {
	t          *testing.T
	azure      *sim.Server
	owner      *simclient.Client
	client     client.Client
	clock      *testclock.FakePassiveClock
	way        Azure
	reconciler *Reconciler
	recorder   *events.FakeRecorder
}

var key = types.NamespacedName{Namespace: "prod-eu", Name: "prod-aksmanagednodeosupgradeschedule"}

func newStage(t *testing.T) *stage {
	t.Helper()
	settings := sim.DefaultSettings()
	settings.Durations = sim.Durations{}
	server, err := sim.Start(t.Context(), sim.Options{Dir: t.TempDir(), Kubernetes: nobody{}, Settings: &settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s := &stage{t: t, azure: server, clock: testclock.NewFakePassiveClock(noon)}
	if s.owner, err = simclient.New(server.URL(), server.CAFile(), simclient.Identity{TenantID: tenant, ClientID: somebody, ClientSecret: "x"}); err != nil {
		t.Fatal(err)
	}
	s.request(http.MethodPut, groupID, "2021-04-01", `{"location": "westeurope"}`)
	s.request(http.MethodPut, clusterID, version, `{"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {"dnsPrefix": "prod",
		"agentPoolProfiles": [{"name": "sys", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5", "osType": "Linux"}]}}`)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{capi.AddToScheme, fleetwrightv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	s.client = fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&fleetwrightv1.AzureMaintenanceConfiguration{}).Build()
	for _, o := range clusterObjects() {
		s.create(o)
	}
	for name, value := range map[string]string{"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": appID, "AZURE_CLIENT_SECRET": "never-to-be-seen", "AZURE_FEDERATED_TOKEN_FILE": ""} {
		t.Setenv(name, value)
	}
	s.restart()
	return s
}

// restart is a new process: nothing of its memory is left.
func (s *stage) restart() {
	s.t.Helper()
	way, err := arm.New(arm.Options{
		ResourceManagerEndpoint: s.azure.URL(), ResourceManagerAudience: simclient.Audience, AuthorityHost: s.azure.URL() + "/", CAFile: s.azure.CAFile(), Clock: s.clock,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.way = way
	s.recorder = events.NewFakeRecorder(100)
	s.reconciler = &Reconciler{Client: s.client, Live: s.client, Azures: s, Recorder: s.recorder, Clock: s.clock, Namespace: "fleetwright-system"}
}

// For implements Azures.
func (s *stage) For(context.Context, capi.Cluster) (Azure, error) { return s.way, nil }

// clusterObjects are those of a cluster of flavour AzureManaged that is up.
func clusterObjects() []client.Object {
	c := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: "prod", Labels: map[string]string{"stage": "production"}}}
	c.Spec.InfrastructureRef = clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureManagedCluster", Name: "prod"}
	c.Spec.ControlPlaneRef = clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureManagedControlPlane", Name: "prod"}
	c.Status.Initialization.ControlPlaneInitialized = new(true)
	plane := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": "AzureManagedControlPlane",
		"metadata": map[string]any{"namespace": key.Namespace, "name": "prod"},
		"spec":     map[string]any{"subscriptionID": "00000000-0000-0000-0000-000000000001", "resourceGroupName": "prod", "location": "westeurope", "version": "v1.34.2", "identityRef": map[string]any{"kind": "AzureClusterIdentity", "name": "prod"}},
	}}
	return []client.Object{c, plane}
}

func (s *stage) create(o client.Object) {
	s.t.Helper()
	if err := s.client.Create(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

// request does something in Azure as somebody else, waits in real time while the simulator is busy, and returns the answer.
func (s *stage) request(method, path, version, body string) string {
	s.t.Helper()
	token, err := s.owner.Credential.GetToken(s.t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil {
		s.t.Fatal(err)
	}
	said := ""
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
		raw, err := io.ReadAll(response.Body)
		said = string(raw)
		_ = response.Body.Close()
		return response.StatusCode < http.StatusBadRequest, err
	})
	if err != nil {
		s.t.Fatalf("%s %s: %v (%s)", method, path, err, said)
	}
	return said
}

// object makes the AzureMaintenanceConfiguration that the stories are about.
func (s *stage) object(change ...func(*fleetwrightv1.AzureMaintenanceConfigurationSpec)) {
	s.t.Helper()
	m := &fleetwrightv1.AzureMaintenanceConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Generation: 1}}
	m.Spec.ClusterName, m.Spec.Type, m.Spec.Window = "prod", fleetwrightv1.MaintenanceTypeNodeOSUpgrade, windowOf(s.t, sunday)
	for _, c := range change {
		c(&m.Spec)
	}
	s.create(m)
}

func (s *stage) get() (*fleetwrightv1.AzureMaintenanceConfiguration, bool) {
	s.t.Helper()
	m := &fleetwrightv1.AzureMaintenanceConfiguration{}
	err := s.client.Get(s.t.Context(), key, m)
	if client.IgnoreNotFound(err) != nil {
		s.t.Fatal(err)
	}
	return m, err == nil
}

// change edits the spec, as the API server counts it.
func (s *stage) change(edit func(*fleetwrightv1.AzureMaintenanceConfigurationSpec)) {
	s.t.Helper()
	m, _ := s.get()
	edit(&m.Spec)
	m.Generation++
	if err := s.client.Update(s.t.Context(), m); err != nil {
		s.t.Fatal(err)
	}
}

// look reconciles once and says what it did in Azure and what the object reports.
func (s *stage) look() string {
	s.t.Helper()
	m, found := s.get()
	if !found {
		return "gone"
	}
	before := len(s.asked())
	result, err := s.reconciler.Reconcile(s.t.Context(), m)
	if err != nil {
		s.t.Fatal(err)
	}
	did := strings.Join(s.asked()[before:], " ")
	if m, found = s.get(); !found {
		return did + ": gone"
	}
	return fmt.Sprintf("%s: %s, again in %s", did, said(m), result.RequeueAfter)
}

// said are the conditions that matter.
func said(m *fleetwrightv1.AzureMaintenanceConfiguration) string {
	var out []string
	for _, c := range m.Status.Conditions {
		if c.Type == "Ready" || c.Type == "Applied" || c.Status == metav1.ConditionTrue {
			out = append(out, c.Type+" "+string(c.Status)+" "+c.Reason)
		}
	}
	return strings.Join(out, ", ")
}

// asked are the requests of Fleetwright about the window.
func (s *stage) asked() []string {
	var out []string
	for _, r := range s.azure.Requests() {
		if strings.HasPrefix(r.UserAgent, "fleetwright") && strings.Contains(r.Path, "/maintenanceConfigurations/") {
			out = append(out, r.Method)
		}
	}
	return out
}

func (s *stage) expect(what, want string) {
	s.t.Helper()
	if got := s.look(); got != want {
		s.t.Fatalf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// events are those since the last time.
func (s *stage) events() []string {
	var out []string
	for {
		select {
		case e := <-s.recorder.Events:
			out = append(out, e)
		default:
			slices.Sort(out)
			return out
		}
	}
}
