package capz_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util/conditions"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

// TestLifeOfAnASOCluster is TestLifeOfACluster with the kinds AzureASOManaged*.
// The steps build on each other, so the first failure ends the test.
func TestLifeOfAnASOCluster(t *testing.T) {
	s := newStack(t)
	s.startProviders()
	for _, step := range []struct {
		name string
		run  func(*testing.T, *stack)
	}{
		{"without pools Azure refuses the cluster, and its object says so", asoNeedsPools},
		{"the cluster becomes available with both pools", asoBecomesAvailable},
		{"objects are marked as Azure Service Operator marks them", asoMarks},
		{"the kubeconfig secret is Cluster API's", asoKubeconfig},
		{"what Cluster API decides must not be fixed elsewhere", asoIncompatible},
		{"name and owner of what exists are refused", asoWriteOnce},
		{"labels, taints and replicas change in place", asoChangesInPlace},
		{"control plane and pool are upgraded", asoUpgrade},
		{"an autoscaled pool is left to the autoscaler", asoAutoscaling},
		{"a pool beyond the quota says so", asoQuota},
		{"what Azure will never do is not asked again", asoFatal},
		{"a paused pool is left alone", asoPaused},
		{"a restart in the middle changes nothing", asoRestart},
		{"a pool is deleted", asoDeletePool},
		{"the cluster is deleted", asoDeleteCluster},
	} {
		if !t.Run(step.name, func(t *testing.T) { s.t = t; step.run(t, s) }) {
			break
		}
	}
	s.t = t
}

func (s *stack) applyASOPool(name, mode, sku string, replicas int, labels string) {
	s.t.Helper()
	s.apply("aso-pool.yaml", "POOL", name, "MODE", mode, "SKU", sku, "REPLICAS", fmt.Sprint(replicas), "LABELS", labels)
}

// azureObject returns one of Azure Service Operator's objects.
func (s *stack) azureObject(kind *asospec.Kind, name string) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind.GroupVersionKind())
	return object, s.get(name, object)
}

// asoReady describes the Ready condition of one of Azure Service Operator's objects: "True  Succeeded".
func (s *stack) asoReady(kind *asospec.Kind, name string) string {
	object, err := s.azureObject(kind, name)
	if err != nil {
		return err.Error()
	}
	list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	if len(list) != 1 {
		return fmt.Sprintf("%d conditions", len(list))
	}
	condition, _ := list[0].(map[string]any)
	if generation, _, _ := unstructured.NestedInt64(condition, "observedGeneration"); generation != object.GetGeneration() {
		return "of an earlier generation"
	}
	text := func(field string) string { value, _ := condition[field].(string); return value }
	return fmt.Sprintf("%s %s %s", text("status"), text("severity"), text("reason"))
}

func (s *stack) eventuallyASO(kind *asospec.Kind, name, want string) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("%s %s is %q", kind.Kind, name, want), 30*time.Second, func() string {
		if got := s.asoReady(kind, name); got != want {
			return "it is " + got
		}
		return ""
	})
}

func asoNeedsPools(t *testing.T, s *stack) {
	s.apply("aso-cluster.yaml")
	s.eventuallyASO(asospec.ResourceGroup, "rg-demo", "True  Succeeded")
	s.eventuallyASO(asospec.VirtualNetworksSubnet, "demo-nodes", "True  Succeeded")
	s.eventuallyASO(asospec.ManagedCluster, "demo", "False Warning MustDefineAtLeastOneSystemPool")
	plane := &infrav1.AzureASOManagedControlPlane{}
	if err := s.get("demo", plane); err != nil {
		t.Fatal(err)
	}
	want := infrav1.ResourceStatus{Resource: infrav1.StatusResource{
		Group: "containerservice.azure.com", Version: "v1api20240901", Kind: "ManagedCluster", Name: "demo",
	}}
	if plane.Status.Ready || !slices.Equal(plane.Status.Resources, []infrav1.ResourceStatus{want}) {
		t.Errorf("control plane status %+v", plane.Status)
	}
}

func asoBecomesAvailable(t *testing.T, s *stack) {
	s.applyASOPool("pool0", "System", "Standard_D4s_v5", 2, "{team: a}")
	s.applyASOPool("pool1", "User", "Standard_D8s_v5", 3, "{team: a}")
	s.eventually("Cluster available", 60*time.Second, func() string {
		cluster := &clusterv1.Cluster{}
		if err := s.get("demo", cluster); err != nil {
			return err.Error()
		}
		for _, condition := range []string{
			clusterv1.ClusterInfrastructureReadyCondition, clusterv1.ClusterControlPlaneInitializedCondition,
			clusterv1.ClusterControlPlaneAvailableCondition, clusterv1.ClusterRemoteConnectionProbeCondition,
			clusterv1.ClusterAvailableCondition,
		} {
			if !conditions.IsTrue(cluster, condition) {
				return fmt.Sprintf("%s: %+v; ManagedCluster %s", condition, conditions.Get(cluster, condition), s.asoReady(asospec.ManagedCluster, "demo"))
			}
		}
		return ""
	})
	s.eventually("pools run", 60*time.Second, func() string {
		return s.asoPoolsRun(map[string]int32{"demo-pool0": 2, "demo-pool1": 3})
	})
	plane, infra := &infrav1.AzureASOManagedControlPlane{}, &infrav1.AzureASOManagedCluster{}
	if err := s.get("demo", plane); err != nil {
		t.Fatal(err)
	}
	if err := s.get("demo", infra); err != nil {
		t.Fatal(err)
	}
	if !plane.Status.Ready || !plane.Status.Initialized || plane.Status.Version != "v1.34.1" {
		t.Errorf("control plane status %+v", plane.Status)
	}
	if !infra.Status.Ready || infra.Spec.ControlPlaneEndpoint != plane.Status.ControlPlaneEndpoint || infra.Spec.ControlPlaneEndpoint.Port != 443 {
		t.Errorf("endpoint %+v, control plane's %+v", infra.Spec.ControlPlaneEndpoint, plane.Status.ControlPlaneEndpoint)
	}
	managed, err := s.azureObject(asospec.ManagedCluster, "demo")
	if err != nil {
		t.Fatal(err)
	}
	if profiles, found, _ := unstructured.NestedSlice(managed.Object, "spec", "agentPoolProfiles"); found {
		t.Errorf("the cluster's object still has %d pools in its spec", len(profiles))
	}
	if name, _, _ := unstructured.NestedString(managed.Object, "spec", "azureName"); name != "demo" {
		t.Errorf("azureName is %q, want the object's name", name)
	}
}

// asoPoolsRun is poolsRun with the kinds AzureASOManaged*.
func (s *stack) asoPoolsRun(want map[string]int32) string {
	for name, replicas := range want {
		machinePool, infra := &clusterv1.MachinePool{}, &infrav1.AzureASOManagedMachinePool{}
		if err := s.get(name, machinePool); err != nil {
			return err.Error()
		}
		if err := s.get(name, infra); err != nil {
			return err.Error()
		}
		if !infra.Status.Ready || infra.Status.Replicas != replicas || len(infra.Spec.ProviderIDList) != int(replicas) {
			return fmt.Sprintf("AzureASOManagedMachinePool %s: ready %t, %d replicas, %v; its object is %s", name, infra.Status.Ready,
				infra.Status.Replicas, infra.Spec.ProviderIDList, s.asoReady(asospec.ManagedClustersAgentPool, name))
		}
		if machinePool.Status.GetTypedPhase() != clusterv1.MachinePoolPhaseRunning || len(machinePool.Status.NodeRefs) != int(replicas) {
			return fmt.Sprintf("MachinePool %s is %s with nodes %v", name, machinePool.Status.Phase, machinePool.Status.NodeRefs)
		}
		if !slices.IsSorted(infra.Spec.ProviderIDList) || !slices.Equal(machinePool.Spec.ProviderIDList, infra.Spec.ProviderIDList) {
			return fmt.Sprintf("MachinePool %s has provider ids %v, its infrastructure %v", name, machinePool.Spec.ProviderIDList, infra.Spec.ProviderIDList)
		}
	}
	return ""
}

func asoMarks(t *testing.T, s *stack) {
	pool, err := s.azureObject(asospec.ManagedClustersAgentPool, "demo-pool1")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(pool.GetFinalizers(), "serviceoperator.azure.com/finalizer") {
		t.Errorf("finalizers %v", pool.GetFinalizers())
	}
	if got, want := pool.GetAnnotations()["serviceoperator.azure.com/resource-id"], managedClusterID+"/agentPools/pool1"; got != want {
		t.Errorf("id %s, want %s", got, want)
	}
	if pool.GetLabels()["serviceoperator.azure.com/owner-name"] != "demo" ||
		pool.GetLabels()["serviceoperator.azure.com/owner-group-kind"] != "ManagedCluster.containerservice.azure.com" {
		t.Errorf("labels %v", pool.GetLabels())
	}
	controller := metav1.GetControllerOf(pool)
	if controller == nil || controller.Kind != "AzureASOManagedMachinePool" || len(pool.GetOwnerReferences()) != 2 {
		t.Errorf("owners %+v", pool.GetOwnerReferences())
	}
	subnet, _, _ := unstructured.NestedString(pool.Object, "status", "vnetSubnetID")
	if subnet != "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-demo/providers/Microsoft.Network/virtualNetworks/demo-vnet/subnets/nodes" {
		t.Errorf("the pool is in subnet %q", subnet)
	}
	infra := &infrav1.AzureASOManagedMachinePool{}
	if err := s.get("demo-pool1", infra); err != nil {
		t.Fatal(err)
	}
	if got := infra.Annotations["sigs.k8s.io/cluster-api-provider-azure-owned-aso-kinds"]; got != "ManagedClustersAgentPool.v1api20240901.containerservice.azure.com" {
		t.Errorf("owned kinds %q", got)
	}
	if !slices.Equal(infra.Finalizers, []string{clusterv1.ClusterFinalizer}) || infra.Labels[clusterv1.ClusterNameLabel] != "demo" {
		t.Errorf("finalizers %v, labels %v", infra.Finalizers, infra.Labels)
	}
}

func asoKubeconfig(t *testing.T, s *stack) {
	secret := &corev1.Secret{}
	if err := s.get("demo-kubeconfig", secret); err != nil {
		t.Fatal(err)
	}
	owner := metav1.GetControllerOf(secret)
	if len(secret.Data["value"]) == 0 || secret.Labels[clusterv1.ClusterNameLabel] != "demo" || owner == nil || owner.Kind != "AzureASOManagedControlPlane" {
		t.Errorf("kubeconfig secret: labels %v, owner %+v, %d bytes", secret.Labels, owner, len(secret.Data["value"]))
	}
}

func asoDeletePool(t *testing.T, s *stack) {
	if err := s.client.Delete(s.ctx, &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Name: "demo-pool2", Namespace: "default"}}); err != nil {
		t.Fatal(err)
	}
	s.eventually("demo-pool2 is gone", 30*time.Second, func() string {
		for _, object := range []client.Object{&infrav1.AzureASOManagedMachinePool{}, &clusterv1.MachinePool{}} {
			if err := s.get("demo-pool2", object); !apierrors.IsNotFound(err) {
				return fmt.Sprintf("%T: %v, finalizers %v, its object is %s", object, err, object.GetFinalizers(), s.asoReady(asospec.ManagedClustersAgentPool, "demo-pool2"))
			}
		}
		if _, err := s.azureObject(asospec.ManagedClustersAgentPool, "demo-pool2"); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("its object: %v, %s", err, s.asoReady(asospec.ManagedClustersAgentPool, "demo-pool2"))
		}
		return ""
	})
	nodes, err := s.world.of(managedClusterID).client.CoreV1().Nodes().List(s.ctx, metav1.ListOptions{LabelSelector: "kubernetes.azure.com/agentpool=pool2"})
	if err != nil || len(nodes.Items) != 0 {
		t.Errorf("nodes of the deleted pool: %v, %v", nodes.Items, err)
	}
	if why := s.asoPoolsRun(map[string]int32{"demo-pool0": 2, "demo-pool1": 2}); why != "" {
		t.Errorf("the other pools: %s", why)
	}
}

func asoDeleteCluster(t *testing.T, s *stack) {
	if err := s.client.Delete(s.ctx, &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Name: "demo", Namespace: "default"}}); err != nil {
		t.Fatal(err)
	}
	s.eventually("everything is gone", 60*time.Second, func() string {
		for _, object := range []client.Object{
			&clusterv1.Cluster{}, &infrav1.AzureASOManagedControlPlane{}, &infrav1.AzureASOManagedCluster{},
		} {
			if err := s.get("demo", object); !apierrors.IsNotFound(err) {
				return fmt.Sprintf("%T: %v, finalizers %v", object, err, object.GetFinalizers())
			}
		}
		for name, kind := range map[string]*asospec.Kind{
			"rg-demo": asospec.ResourceGroup, "demo": asospec.ManagedCluster, "demo-nodes": asospec.VirtualNetworksSubnet,
			"demo-pool0": asospec.ManagedClustersAgentPool, "demo-pool1": asospec.ManagedClustersAgentPool,
		} {
			if object, err := s.azureObject(kind, name); !apierrors.IsNotFound(err) {
				return fmt.Sprintf("%s %s: %v, %s, finalizers %v, owners %v", kind.Kind, name, err, s.asoReady(kind, name), object.GetFinalizers(), object.GetOwnerReferences())
			}
		}
		return ""
	})
	if s.world.of(managedClusterID) != nil {
		t.Error("the API server still runs")
	}
}
