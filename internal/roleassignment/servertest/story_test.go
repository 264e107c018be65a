// Package servertest runs the whole controller on a real API server against the simulated Azure, asked over HTTPS by the real client.
package servertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/roleassignment"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

const (
	scope     = "/subscriptions/00000000-0000-0000-0000-000000000001"
	kubelet   = "55555555-5555-5555-5555-555555555555"
	acrPull   = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
	namespace = "default"
)

// nobody is Kubernetes behind simulated clusters: there are none.
type nobody struct{}

func (nobody) EnsureCluster(context.Context, sim.Cluster) ([]byte, error) { return nil, nil }
func (nobody) DeleteCluster(context.Context, string) error                { return nil }
func (nobody) EnsureNode(context.Context, string, sim.Node) error         { return nil }
func (nobody) DeleteNode(context.Context, string, string) error           { return nil }

type azures struct{ roles.Azure }

func (a azures) For(context.Context, capi.Cluster) (roles.Azure, error) { return a.Azure, nil }

type noClusters struct{}

func (noClusters) Get(context.Context, types.NamespacedName) (kubernetes.Interface, error) {
	return nil, errors.New("there are no workload clusters here")
}

// TestStory: the identity appears late, which a watch tells; the assignment is made, deleted by somebody, healed while disruption is
// frozen, and goes with its object once the Freeze is lifted.
func TestStory(t *testing.T) {
	azure := connect(t)
	server := serve(t, azure)
	ctx := t.Context()
	object := &fleetwrightv1.AzureRoleAssignment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "prod-registry"},
		Spec: fleetwrightv1.AzureRoleAssignmentSpec{
			ClusterName: "prod", Scope: scope, Role: fleetwrightv1.AzureRole{Name: "AcrPull"},
			Principal: fleetwrightv1.AzurePrincipal{ClusterIdentity: fleetwrightv1.ClusterIdentityKubelet},
		},
	}
	if err := server.Create(ctx, object); err != nil {
		t.Fatal(err)
	}
	id := roles.IDOf(scope, roles.Name(scope, acrPull, kubelet))
	saying := func(kind, reason string) func() error {
		return func() error {
			if err := server.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
				return err
			}
			c := meta.FindStatusCondition(object.Status.Conditions, kind)
			if c == nil || c.Reason != reason {
				return fmt.Errorf("condition %s is %+v", kind, c)
			}
			return nil
		}
	}
	assigned := func() error { _, err := azure.Assignment(ctx, id); return err }
	eventually(t, "it waits for the cluster", saying("Assigned", "WaitingForIdentity"))
	makeCluster(t, server)
	eventually(t, "it is made", assigned)
	eventually(t, "it is reported", saying("Ready", "Ready"))

	if err := azure.Unassign(ctx, id); err != nil {
		t.Fatal(err)
	}
	freeze := &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "incident"}, Spec: fleetwrightv1.FreezeSpec{
		Scope: fleetwrightv1.FreezeScopeAll, Reconcile: fleetwrightv1.FreezeModeNonDisruptive, Reason: "incident",
	}}
	if err := server.Create(ctx, freeze); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is healed", assigned)
	eventually(t, "the drift is told", func() error {
		if err := saying("Paused", "Frozen")(); err != nil || len(object.Status.DriftHistory) == 1 {
			return err
		}
		return fmt.Errorf("history %+v", object.Status.DriftHistory)
	})

	if err := server.Delete(ctx, object); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the Freeze holds its deletion", saying("Deleting", "Frozen"))
	if err := assigned(); err != nil {
		t.Errorf("deleted in spite of the Freeze: %v", err)
	}
	if err := server.Delete(ctx, freeze); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the object is gone", func() error {
		if err := server.Get(ctx, client.ObjectKeyFromObject(object), object); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is still there: %+v %w", object.Status.Conditions, err)
		}
		return nil
	})
	if err := assigned(); !refusal.Is(err, refusal.Gone) {
		t.Errorf("the assignment is left: %v", err)
	}
}

// eventually waits in real time for what the controller does by itself.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v", what, last)
	}
}

func connect(t *testing.T) *arm.Client {
	t.Helper()
	azure, err := sim.Start(t.Context(), sim.Options{Dir: t.TempDir(), Kubernetes: nobody{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(azure.Close)
	for name, value := range map[string]string{
		"AZURE_TENANT_ID": "33333333-3333-3333-3333-333333333333", "AZURE_CLIENT_ID": "44444444-4444-4444-4444-444444444444",
		"AZURE_CLIENT_SECRET": "never-to-be-seen", "AZURE_FEDERATED_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
	c, err := arm.New(arm.Options{ResourceManagerEndpoint: azure.URL(), ResourceManagerAudience: simclient.Audience, AuthorityHost: azure.URL() + "/", CAFile: azure.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve starts an API server with the definitions of Cluster API, of CAPZ and of ours, and the controller.
func serve(t *testing.T, azure roles.Azure) client.Client {
	t.Helper()
	const crds = "../../../localstack/crds/generated/"
	config, stop, err := testkit.StartAPIServer(
		crds+"capi/clusters.cluster.x-k8s.io.json", crds+"capz/azureasomanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json", "../../nodepool/testdata/aso-crds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	ctrl.SetLogger(logr.Discard())
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, capi.AddToScheme, fleetwrightv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	options := roleassignment.Options{Workers: 2, Azures: azures{azure}, Clusters: noClusters{}, Namespace: "fleetwright-system"}
	if err := roleassignment.AddToManager(t.Context(), mgr, options); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	server, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// makeCluster makes the objects of a cluster of flavour AzureASOManaged, as they are once it is up: its ManagedCluster tells its identities.
func makeCluster(t *testing.T, server client.Client) {
	t.Helper()
	ctx := t.Context()
	c := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "prod"}}
	c.Spec.InfrastructureRef = clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureASOManagedCluster", Name: "prod"}
	c.Spec.ControlPlaneRef = clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureASOManagedControlPlane", Name: "prod"}
	labels := map[string]any{"cluster.x-k8s.io/cluster-name": "prod"}
	plane := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": "AzureASOManagedControlPlane",
		"metadata": map[string]any{"namespace": namespace, "name": "prod", "labels": labels},
		"spec": map[string]any{"resources": []any{map[string]any{
			"apiVersion": "containerservice.azure.com/v1api20250801", "kind": "ManagedCluster", "metadata": map[string]any{"name": "prod"},
		}}},
	}}
	managed := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "containerservice.azure.com/v1api20250801", "kind": "ManagedCluster",
		"metadata": map[string]any{"namespace": namespace, "name": "prod", "labels": labels},
		"status": map[string]any{
			"id":              scope + "/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/prod",
			"identityProfile": map[string]any{"kubeletidentity": map[string]any{"objectId": strings.ToUpper(kubelet)}},
		},
	}}
	status := managed.DeepCopy()
	for _, o := range []client.Object{c, plane, managed} {
		if err := server.Create(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	status.SetResourceVersion(managed.GetResourceVersion())
	if err := server.Status().Update(ctx, status); err != nil {
		t.Fatal(err)
	}
}
