package capitest

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

func wishServer(t *testing.T) client.Client {
	t.Helper()
	const crds = "../../../localstack/crds/generated/"
	config := testkit.APIServer(t,
		crds+"capi/clusters.cluster.x-k8s.io.json",
		crds+"capi/machinepools.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedmachinepools.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedmachinepools.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedclusters.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedclusters.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json")
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, capi.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	server, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	server = client.WithFieldValidation(server, metav1.FieldValidationStrict)
	if err := server.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "prod-eu"}}); err != nil {
		t.Fatal(err)
	}
	return server
}

// fullWish has something in every field.
func fullWish(name, flavor string) capi.Wish {
	return capi.Wish{
		Namespace: "prod-eu", Name: name, Flavor: flavor, Version: "v1.34.2", Labels: map[string]string{"ring": "canary"}, NodeCap: 400,
		SubscriptionID: "11111111-1111-1111-1111-111111111111", Location: "westeurope", ResourceGroup: "rg", Tier: "Standard", NodeResourceGroup: "rg-nodes",
		Tags: map[string]string{"team": "a"}, ClusterIdentity: types.NamespacedName{Namespace: "platform", Name: "fleet"}, CredentialSecret: "team-a",
		NetworkPluginMode: "overlay", Dataplane: "cilium", OutboundType: "managedNATGateway",
		VNet: "10.64.0.0/20", Nodes: "10.64.0.0/21", Pods: "100.64.0.0/14", Services: "100.96.0.0/16", DNSServiceIP: "100.96.0.10",
		Overrides: map[string]any{"autoUpgradeProfile": map[string]any{"upgradeChannel": "none"}},
	}
}

// CAPZ's own definitions take whole clusters, know each field, and what they fill in is no difference.
func TestDefinitionsOfCAPZTakeWholeClusters(t *testing.T) {
	server := wishServer(t)
	for name, flavor := range map[string]string{"one": "AzureASOManaged", "two": "AzureManaged"} {
		t.Run(flavor, func(t *testing.T) {
			w := fullWish(name, flavor)
			apply := func() {
				t.Helper()
				if err := capi.ApplyCluster(t.Context(), server, server, w, false); err != nil {
					t.Fatal(err)
				}
			}
			state := func() capi.ClusterState {
				t.Helper()
				state, err := capi.ReadClusterState(t.Context(), server, nil, w)
				if err != nil {
					t.Fatal(err)
				}
				return state
			}
			apply()
			made := state()
			if len(made.Changes) > 0 || made.Unmarked || !made.Ours {
				t.Errorf("made, it differs: %v", made.Changes)
			}
			plane := planeOf(t, server, w)
			apply()
			if again := planeOf(t, server, w); again.GetResourceVersion() != plane.GetResourceVersion() {
				t.Error("the same was written twice")
			}
			for _, entry := range plane.GetManagedFields() {
				// Who applies a list again and again would take the autoscaler's settings out of it: AzureClusterAutoscaler would rightly refuse.
				if entry.Manager != "fleetwright-workloadcluster" || entry.Operation != metav1.ManagedFieldsOperationUpdate {
					t.Errorf("written by %s with %s", entry.Manager, entry.Operation)
				}
			}
			w.Version, w.Overrides = "v1.34.3", nil
			apply()
			if changed := state(); changed.WantedVersion != "v1.34.3" || len(changed.Changes) > 0 {
				t.Errorf("changed, its version is %s, still to change: %v", changed.WantedVersion, changed.Changes)
			}
			described, err := capi.Describe(t.Context(), server, types.NamespacedName{Namespace: "prod-eu", Name: name})
			if err != nil || len(described.Odd) > 0 {
				t.Errorf("described: odd %v, %v", described.Odd, err)
			}
			if err := capi.DeleteCluster(t.Context(), server, server, client.ObjectKey{Namespace: "prod-eu", Name: name}, "another"); !apierrors.IsConflict(err) {
				t.Errorf("another of its name was deleted: %v", err)
			}
			if err := capi.DeleteCluster(t.Context(), server, server, client.ObjectKey{Namespace: "prod-eu", Name: name}, made.UID); err != nil || state().Found {
				t.Errorf("it is not deleted: %v", err)
			}
		})
	}
	t.Run("a value that CAPZ does not know", func(t *testing.T) {
		w := fullWish("three", "AzureManaged")
		w.OutboundType = "none"
		if err := capi.ApplyCluster(t.Context(), server, server, w, false); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "outboundType") {
			t.Error(err)
		}
	})
}

func planeOf(t *testing.T, server client.Client, w capi.Wish) *unstructured.Unstructured {
	t.Helper()
	var cluster clusterv1.Cluster
	if err := server.Get(t.Context(), client.ObjectKey{Namespace: w.Namespace, Name: w.Name}, &cluster); err != nil {
		t.Fatal(err)
	}
	plane := &unstructured.Unstructured{}
	plane.SetAPIVersion("infrastructure.cluster.x-k8s.io/v1beta1")
	plane.SetKind(cluster.Spec.ControlPlaneRef.Kind)
	if err := server.Get(t.Context(), client.ObjectKey{Namespace: w.Namespace, Name: cluster.Spec.ControlPlaneRef.Name}, plane); err != nil {
		t.Fatal(err)
	}
	return plane
}
