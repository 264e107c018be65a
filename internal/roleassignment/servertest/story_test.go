// Package servertest runs the whole controller on a real API server against the simulated Azure, asked over HTTPS by the real client.
package servertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/roleassignment"
	"github.com/fleetwright/fleetwright/internal/testkit"
	"github.com/fleetwright/fleetwright/internal/testkit/simazure"
)

const (
	scope     = "/subscriptions/00000000-0000-0000-0000-000000000001"
	kubelet   = "55555555-5555-5555-5555-555555555555"
	acrPull   = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
	namespace = "default"
)

type azures struct{ roles.Azure }

func (a azures) For(context.Context, capi.Cluster) (roles.Azure, error) { return a.Azure, nil }

type noClusters struct{}

func (noClusters) Get(context.Context, types.NamespacedName) (kubernetes.Interface, error) {
	return nil, errors.New("there are no workload clusters here")
}

// TestStory: the identity appears late, which a watch tells; the assignment is made, deleted by somebody, healed while disruption is
// frozen, and goes with its object once the Freeze is lifted.
func TestStory(t *testing.T) {
	azure := simazure.Start(t, nil).Connect(nil)
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
	testkit.Eventually(t, "it waits for the cluster", saying("Assigned", "WaitingForIdentity"))
	makeCluster(t, server)
	testkit.Eventually(t, "it is made", assigned)
	testkit.Eventually(t, "it is reported", saying("Ready", "Ready"))

	if err := azure.Unassign(ctx, id); err != nil {
		t.Fatal(err)
	}
	freeze := &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "incident"}, Spec: fleetwrightv1.FreezeSpec{
		Scope: fleetwrightv1.FreezeScopeAll, Reconcile: fleetwrightv1.FreezeModeNonDisruptive, Reason: "incident",
	}}
	if err := server.Create(ctx, freeze); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "it is healed", assigned)
	testkit.Eventually(t, "the drift is told", func() error {
		if err := saying("Paused", "Frozen")(); err != nil || len(object.Status.DriftHistory) == 1 {
			return err
		}
		return fmt.Errorf("history %+v", object.Status.DriftHistory)
	})

	if err := server.Delete(ctx, object); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the Freeze holds its deletion", saying("Deleting", "Frozen"))
	if err := assigned(); err != nil {
		t.Errorf("deleted in spite of the Freeze: %v", err)
	}
	if err := server.Delete(ctx, freeze); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the object is gone", func() error {
		if err := server.Get(ctx, client.ObjectKeyFromObject(object), object); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is still there: %+v %w", object.Status.Conditions, err)
		}
		return nil
	})
	if err := assigned(); !refusal.Is(err, refusal.Gone) {
		t.Errorf("the assignment is left: %v", err)
	}
}

// serve starts an API server with the definitions of Cluster API, of CAPZ and of ours, and the controller.
func serve(t *testing.T, azure roles.Azure) client.Client {
	t.Helper()
	const crds = "../../../localstack/crds/generated/"
	config := testkit.APIServer(t,
		crds+"capi/clusters.cluster.x-k8s.io.json", crds+"capz/azureasomanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json", "../../nodepool/testdata/aso-crds.yaml")
	server, err := testkit.Connect(config, capi.AddToScheme, fleetwrightv1.AddToScheme)
	if err != nil {
		t.Fatal(err)
	}
	mgr := testkit.NewManager(t, config, server.Scheme())
	options := roleassignment.Options{Workers: 2, Azures: azures{azure}, Clusters: noClusters{}, Namespace: "fleetwright-system"}
	if err := roleassignment.AddToManager(t.Context(), mgr, options); err != nil {
		t.Fatal(err)
	}
	testkit.Run(t, mgr)
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
