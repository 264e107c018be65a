package config_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/testkit"
)

// server is a real API server with Cluster API's, CAPZ's and our definitions, and with the policies; admin asks it as
// administrator.
var (
	server *rest.Config
	admin  client.Client
)

func TestMain(m *testing.M) {
	const crds = "../localstack/crds/generated/"
	os.Exit(testkit.Main(m, func(config *rest.Config) (err error) {
		server = config
		if admin, err = client.New(config, client.Options{}); err != nil {
			return err
		}
		return install(context.Background())
	},
		crds+"capi/clusters.cluster.x-k8s.io.json",
		crds+"capi/machinepools.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedclusters.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedclusters.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedmachinepools.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedmachinepools.infrastructure.cluster.x-k8s.io.json",
		"../internal/workloadcluster/testdata/aso-crds.yaml"))
}

// install applies the policies and waits until they refuse: the server reads new ones a moment later.
func install(ctx context.Context) error {
	files, err := filepath.Glob("policy/*.yaml")
	if err != nil || len(files) == 0 {
		return fmt.Errorf("there are no policies: %w", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
		for {
			object := &unstructured.Unstructured{}
			if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return fmt.Errorf("read %s: %w", file, err)
			}
			if err := admin.Create(ctx, object); err != nil {
				return fmt.Errorf("create %s: %w", object.GetName(), err)
			}
		}
	}
	for _, probe := range []*unstructured.Unstructured{nodepool("probe", "Protect"), pool("MachinePool", "probe", "p")} {
		if err := admin.Create(ctx, probe); err != nil {
			return err
		}
		err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			err := admin.Delete(ctx, probe, client.DryRunAll)
			return apierrors.IsForbidden(err), client.IgnoreNotFound(ignoreForbidden(err))
		})
		if err != nil {
			return fmt.Errorf("wait for the policy that refuses to delete %s: %w", probe.GetKind(), err)
		}
	}
	return nil
}

func ignoreForbidden(err error) error {
	if apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

func nodepool(name, deletionPolicy string) *unstructured.Unstructured {
	spec := map[string]any{"clusterName": "c1", "machineType": "Standard_D4ds_v5"}
	if deletionPolicy != "" {
		spec["deletionPolicy"] = deletionPolicy
	}
	return object(schema.GroupVersionKind{Group: "fleetwright.io", Version: "v1alpha1", Kind: "Nodepool"}, name, spec, nil)
}

// pool is an object of a pool; label is the Nodepool it is of, or empty.
func pool(kind, name, label string) *unstructured.Unstructured {
	var labels map[string]string
	if label != "" {
		labels = map[string]string{"fleetwright.io/nodepool": label}
	}
	infra := schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: kind}
	switch kind {
	case "AzureManagedMachinePool":
		return object(infra, name, map[string]any{"mode": "User", "sku": "Standard_D4ds_v5"}, labels)
	case "AzureASOManagedMachinePool":
		return object(infra, name, map[string]any{}, labels)
	}
	ref := map[string]any{"apiGroup": infra.Group, "kind": "AzureManagedMachinePool", "name": name}
	return object(schema.GroupVersionKind{Group: "cluster.x-k8s.io", Version: "v1beta2", Kind: kind}, name, map[string]any{
		"clusterName": "c1",
		"template":    map[string]any{"spec": map[string]any{"clusterName": "c1", "bootstrap": map[string]any{"dataSecretName": ""}, "infrastructureRef": ref}},
	}, labels)
}

func object(kind schema.GroupVersionKind, name string, spec map[string]any, labels map[string]string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(kind)
	u.SetNamespace("default")
	u.SetName(name)
	u.SetLabels(labels)
	return u
}

func create(t *testing.T, o *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	if err := admin.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return o
}

// as asks the server as another user who may do everything.
func as(t *testing.T, user string) client.Client {
	t.Helper()
	config := rest.CopyConfig(server)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
	c, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantRefusal(t *testing.T, err error, sentence string) {
	t.Helper()
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), sentence) {
		t.Errorf("the server says %v, want a refusal with %q", err, sentence)
	}
}

func TestProtectedNodepoolIsNotDeleted(t *testing.T) {
	const sentence = "Nodepool default/c1-protected is protected: set spec.deletionPolicy to Delete or Retain first"
	np := create(t, nodepool("c1-protected", "Protect"))
	wantRefusal(t, admin.Delete(t.Context(), np), sentence)
	wantRefusal(t, as(t, "system:serviceaccount:fleetwright-system:fleetwright").Delete(t.Context(), np), sentence)
	wantRefusal(t, admin.DeleteAllOf(t.Context(), np, client.InNamespace("default"), client.MatchingFields{"metadata.name": "c1-protected"}), sentence)

	if err := unstructured.SetNestedField(np.Object, "Retain", "spec", "deletionPolicy"); err != nil {
		t.Fatal(err)
	}
	if err := admin.Update(t.Context(), np); err != nil {
		t.Fatalf("an edit of a protected Nodepool: %v", err)
	}
	if err := admin.Delete(t.Context(), np); err != nil {
		t.Errorf("after the edit: %v", err)
	}
	for name, policy := range map[string]string{"c1-unset": "", "c1-delete": "Delete"} {
		if err := admin.Delete(t.Context(), create(t, nodepool(name, policy))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOtherKindsAreProtected: whatever has the field deletionPolicy is protected by it.
func TestOtherKindsAreProtected(t *testing.T) {
	for kind, spec := range map[string]map[string]any{
		"AzureRoleAssignment": {
			"scope": "/subscriptions/00000000-0000-0000-0000-000000000001", "role": map[string]any{"name": "Reader"},
			"principal": map[string]any{"objectID": "11111111-1111-1111-1111-111111111111"},
		},
		"AzureClusterAdditionalConfig": {"clusterName": "protected"},
		"AzureClusterAutoscaler":       {"clusterName": "protected", "profile": map[string]any{"expander": "random"}},
		"AzureMaintenanceConfiguration": {"clusterName": "protected", "type": "default", "window": map[string]any{
			"schedule": map[string]any{"weekly": map[string]any{"intervalWeeks": int64(1), "dayOfWeek": "Sunday"}}, "startTime": "01:00", "durationHours": int64(4),
		}},
	} {
		t.Run(kind, func(t *testing.T) {
			name := "protected"
			if kind == "AzureMaintenanceConfiguration" {
				name += "-default" // it has no choice
			}
			object := &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "fleetwright.io/v1alpha1", "kind": kind, "metadata": map[string]any{"namespace": "default", "name": name}, "spec": spec,
			}}
			if err := unstructured.SetNestedField(object.Object, "Protect", "spec", "deletionPolicy"); err != nil {
				t.Fatal(err)
			}
			object = create(t, object)
			wantRefusal(t, admin.Delete(t.Context(), object), kind+" default/"+name+" is protected: set spec.deletionPolicy to Delete or Retain first")
			unstructured.RemoveNestedField(object.Object, "spec", "deletionPolicy")
			if err := admin.Update(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			if err := admin.Delete(t.Context(), object); err != nil {
				t.Errorf("after the edit: %v", err)
			}
		})
	}
}

// TestWhatHoldsAFleetIsProtectedUnlessItSaysOtherwise: a prune must not take a cluster along, nor the record of a fleet's addresses.
func TestWhatHoldsAFleetIsProtectedUnlessItSaysOtherwise(t *testing.T) {
	for kind, test := range map[string]struct {
		spec     map[string]any
		sentence string
	}{
		"AddressPool":     {map[string]any{"prefixes": []any{"10.64.0.0/16"}}, "AddressPool default/protected is protected: set spec.deletionPolicy to Delete first"},
		"WorkloadCluster": {map[string]any{"classRef": map[string]any{"name": "prod"}}, "WorkloadCluster default/protected is protected: set spec.deletionPolicy to Delete or Retain first"},
	} {
		t.Run(kind, func(t *testing.T) {
			object := create(t, object(schema.GroupVersionKind{Group: "fleetwright.io", Version: "v1alpha1", Kind: kind}, "protected", test.spec, nil))
			wantRefusal(t, admin.Delete(t.Context(), object), test.sentence)
			for _, step := range []struct {
				policy  string
				refused bool
			}{{"Protect", true}, {"Delete", false}} {
				if err := unstructured.SetNestedField(object.Object, step.policy, "spec", "deletionPolicy"); err != nil {
					t.Fatal(err)
				}
				if err := admin.Update(t.Context(), object); err != nil {
					t.Fatal(err)
				}
				if err := admin.Delete(t.Context(), object); !step.refused && err != nil {
					t.Errorf("after the edit: %v", err)
				} else if step.refused {
					wantRefusal(t, err, test.sentence)
				}
			}
		})
	}
}

// keepers look after pools and clusters, others do not.
var (
	keepers = []string{
		"system:serviceaccount:fleetwright-system:fleetwright", "system:serviceaccount:capi-system:capi-manager",
		"system:serviceaccount:capz-system:capz-manager", "system:serviceaccount:capz-system:azureserviceoperator-default",
		"system:serviceaccount:azureserviceoperator-system:azureserviceoperator-default", "system:serviceaccount:kube-system:generic-garbage-collector",
	}
	others = []string{"jane", "system:serviceaccount:flux-system:kustomize-controller", "system:serviceaccount:kube-system:namespace-controller"}
)

func TestPoolsOfNodepoolsAreDeletedByThoseWhoLookAfterThem(t *testing.T) {
	for _, kind := range []string{"MachinePool", "AzureManagedMachinePool", "AzureASOManagedMachinePool"} {
		t.Run(kind, func(t *testing.T) {
			owned := create(t, pool(kind, "owned", "c1-general"))
			sentence := kind + " default/owned belongs to Nodepool c1-general, and without it would go without a drain: " +
				"delete that Nodepool instead (with spec.deletionPolicy Retain the pool stays)"
			for _, user := range others {
				wantRefusal(t, as(t, user).Delete(t.Context(), owned), sentence)
			}
			wantRefusal(t, as(t, "jane").DeleteAllOf(t.Context(), owned, client.InNamespace("default"), client.MatchingFields{"metadata.name": "owned"}), sentence)
			for _, user := range keepers {
				if err := as(t, user).Delete(t.Context(), owned, client.DryRunAll); err != nil {
					t.Errorf("%s: %v", user, err)
				}
			}
			if err := as(t, keepers[0]).Delete(t.Context(), owned); err != nil {
				t.Error(err)
			}
			if err := as(t, "jane").Delete(t.Context(), create(t, pool(kind, "foreign", ""))); err != nil {
				t.Errorf("a pool of nobody's: %v", err)
			}
		})
	}
}

// cluster is an object that a whole cluster in Azure hangs on; label is the WorkloadCluster it is of, or empty.
func cluster(kind, name, label string) *unstructured.Unstructured {
	var labels map[string]string
	if label != "" {
		labels = map[string]string{"fleetwright.io/workloadcluster": label}
	}
	infra := schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: kind}
	switch kind {
	case "Cluster":
		ref := map[string]any{"apiGroup": infra.Group, "kind": "AzureASOManagedCluster", "name": name}
		return object(schema.GroupVersionKind{Group: "cluster.x-k8s.io", Version: "v1beta2", Kind: kind}, name, map[string]any{"infrastructureRef": ref}, labels)
	case "AzureManagedControlPlane":
		return object(infra, name, map[string]any{
			"version": "v1.34.2", "location": "westeurope", "resourceGroupName": "rg", "identityRef": map[string]any{"kind": "AzureClusterIdentity", "name": "fleet"},
		}, labels)
	case "AzureASOManagedControlPlane":
		return object(infra, name, map[string]any{"version": "v1.34.2"}, labels)
	}
	return object(infra, name, map[string]any{}, labels)
}

func TestClustersOfWorkloadClustersAreDeletedByThoseWhoLookAfterThem(t *testing.T) {
	for _, kind := range []string{"Cluster", "AzureManagedCluster", "AzureManagedControlPlane", "AzureASOManagedCluster", "AzureASOManagedControlPlane"} {
		t.Run(kind, func(t *testing.T) {
			owned := create(t, cluster(kind, "owned", "c1"))
			sentence := kind + " default/owned belongs to WorkloadCluster c1, and the cluster in Azure would go with it: " +
				"delete that WorkloadCluster instead (with spec.deletionPolicy Retain the cluster stays)"
			for _, user := range others {
				wantRefusal(t, as(t, user).Delete(t.Context(), owned), sentence)
			}
			for _, user := range keepers {
				if err := as(t, user).Delete(t.Context(), owned, client.DryRunAll); err != nil {
					t.Errorf("%s: %v", user, err)
				}
			}
			if err := as(t, "jane").Delete(t.Context(), create(t, cluster(kind, "foreign", ""))); err != nil {
				t.Errorf("a cluster of nobody's: %v", err)
			}
			owned.SetLabels(nil) // retained
			if err := admin.Update(t.Context(), owned); err != nil {
				t.Fatal(err)
			}
			if err := as(t, "jane").Delete(t.Context(), owned); err != nil {
				t.Errorf("a cluster that was let go of: %v", err)
			}
		})
	}
}

// Whoever deletes a namespace deletes everything in it at once: what a protected WorkloadCluster has made has to stay with it.
func TestWhatAWorkloadClusterHasMadeIsDeletedByItself(t *testing.T) {
	of := func(kind, name string, spec map[string]any, label string) *unstructured.Unstructured {
		var labels map[string]string
		if label != "" {
			labels = map[string]string{"fleetwright.io/workloadcluster": label}
		}
		return object(schema.GroupVersionKind{Group: "fleetwright.io", Version: "v1alpha1", Kind: kind}, name, spec, labels)
	}
	for kind, spec := range map[string]map[string]any{
		"Nodepool":                     {"clusterName": "made", "machineType": "Standard_D2ds_v5"},
		"AddressClaim":                 {"clusterName": "made", "ranges": []any{map[string]any{"name": "pods", "cidr": "10.244.0.0/16"}}},
		"AzureClusterAdditionalConfig": {"clusterName": "made"},
	} {
		t.Run(kind, func(t *testing.T) {
			owned := create(t, of(kind, "made", spec, "made"))
			sentence := kind + " default/made belongs to WorkloadCluster made: take it out of its spec, or delete that WorkloadCluster " +
				"(with spec.deletionPolicy Retain everything stays)"
			for _, user := range others {
				wantRefusal(t, as(t, user).Delete(t.Context(), owned), sentence)
			}
			if err := as(t, keepers[0]).Delete(t.Context(), owned, client.DryRunAll); err != nil {
				t.Error(err)
			}
			owned.SetLabels(nil) // retained
			if err := admin.Update(t.Context(), owned); err != nil {
				t.Fatal(err)
			}
			if err := as(t, "jane").Delete(t.Context(), owned); err != nil {
				t.Errorf("what was let go of: %v", err)
			}
		})
	}
}

// A namespace that is deleted takes the objects of Azure Service Operator with it, and that deletes in Azure, whatever becomes of the Cluster.
func TestWhatWasMadeInTurnIsDeletedByItsMaker(t *testing.T) {
	of := func(group, version, kind, name, maker, makerKind string, spec map[string]any) *unstructured.Unstructured {
		o := object(schema.GroupVersionKind{Group: group, Version: version, Kind: kind}, name, spec, nil)
		if maker != "" {
			o.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "example.com/v1", Kind: makerKind, Name: maker, UID: "1", Controller: new(true)}})
		}
		if kind == "AzureClusterAutoscaler" { // which is called as its cluster
			o.Object["spec"] = map[string]any{"clusterName": name, "profile": spec["profile"]}
		}
		return o
	}
	role := map[string]any{"clusterName": "c1", "principal": map[string]any{"clusterIdentity": "Kubelet"}, "role": map[string]any{"name": "AcrPull"}, "scope": "/subscriptions/00000000-0000-0000-0000-000000000001"}
	for _, test := range []struct {
		group, version, kind, maker string
		spec                        map[string]any
	}{
		{"containerservice.azure.com", "v1api20250801", "ManagedCluster", "AzureASOManagedControlPlane", map[string]any{}},
		{"containerservice.azure.com", "v1api20250801", "ManagedClustersAgentPool", "AzureManagedMachinePool", map[string]any{}},
		{"resources.azure.com", "v1api20200601", "ResourceGroup", "AzureASOManagedCluster", map[string]any{}},
		{"network.azure.com", "v1api20240301", "VirtualNetwork", "AzureASOManagedCluster", map[string]any{}},
		{"network.azure.com", "v1api20240301", "VirtualNetworksSubnet", "AzureManagedControlPlane", map[string]any{}},
		{"fleetwright.io", "v1alpha1", "AzureRoleAssignment", "AzureClusterAdditionalConfig", role},
		{"fleetwright.io", "v1alpha1", "AzureClusterAutoscaler", "AzureClusterAdditionalConfig", map[string]any{"profile": map[string]any{"expander": "random"}}},
	} {
		t.Run(test.kind, func(t *testing.T) {
			made := create(t, of(test.group, test.version, test.kind, "made", "c1", test.maker, test.spec))
			sentence := test.kind + " default/made belongs to " + test.maker + " c1, and what it stands for in Azure would go with it: change or delete that one instead"
			for _, user := range others {
				wantRefusal(t, as(t, user).Delete(t.Context(), made), sentence)
			}
			for _, user := range keepers {
				if err := as(t, user).Delete(t.Context(), made, client.DryRunAll); err != nil {
					t.Errorf("%s: %v", user, err)
				}
			}
			for name, maker := range map[string]string{"nobody": "", "foreign": "Application"} {
				if err := as(t, "jane").Delete(t.Context(), create(t, of(test.group, test.version, test.kind, name, maker, maker, test.spec))); err != nil {
					t.Errorf("made by %q: %v", maker, err)
				}
			}
		})
	}
}
