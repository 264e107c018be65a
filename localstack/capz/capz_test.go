package capz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util/conditions"
	v1beta1conditions "sigs.k8s.io/cluster-api/util/deprecated/v1beta1/conditions"
)

const managedClusterID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-demo/providers/Microsoft.ContainerService/managedClusters/demo"

// TestLifeOfACluster drives real Cluster API controllers and the stand-in through everything that Nodepools rely on.
// The steps build on each other, so the first failure ends the test.
func TestLifeOfACluster(t *testing.T) {
	s := newStack(t)
	started := time.Now()
	s.startProviders()
	t.Logf("providers work after %s", time.Since(started).Round(100*time.Millisecond))

	for _, step := range []struct {
		name string
		run  func(*testing.T, *stack)
	}{
		{"without a System pool nothing is created", needsSystemPool},
		{"the cluster becomes available with both pools", becomesAvailable},
		{"provider ids tell the pools apart", providerIDs},
		{"the kubeconfig secret is Cluster API's", kubeconfigSecret},
		{"immutable fields are refused in CAPZ's words", immutableFields},
		{"labels, taints and replicas change in place", changesInPlace},
		{"control plane and pool are upgraded", upgrade},
		{"an autoscaled pool is left to the autoscaler", autoscaling},
		{"a pool beyond the quota says so", quotaExceeded},
		{"a paused pool is left alone", paused},
		{"a restart in the middle changes nothing", restart},
		{"a pool is deleted, and the last System pool is not", deletePool},
		{"the cluster is deleted", deleteCluster},
	} {
		if !t.Run(step.name, func(t *testing.T) { s.t = t; step.run(t, s) }) {
			break
		}
	}
	s.t = t
}

func needsSystemPool(_ *testing.T, s *stack) {
	s.apply("cluster.yaml")
	s.apply("pool.yaml", "POOL", "pool1", "REPLICAS", "3", "MODE", "User", "SKU", "Standard_D8s_v5")
	s.eventually("the control plane says what is missing", 20*time.Second, func() string {
		plane := &infrav1.AzureManagedControlPlane{}
		if err := s.get("demo", plane); err != nil {
			return err.Error()
		}
		condition := v1beta1conditions.Get(plane, infrav1.ManagedClusterRunningCondition)
		if condition == nil || condition.Reason != infrav1.FailedReason ||
			!strings.Contains(condition.Message, "require at least 1 system node pool") {
			return fmt.Sprintf("ManagedClusterRunning is %+v", condition)
		}
		return ""
	})
}

func becomesAvailable(t *testing.T, s *stack) {
	s.apply("pool.yaml", "POOL", "pool0", "REPLICAS", "2", "MODE", "System", "SKU", "Standard_D4s_v5")
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
				return fmt.Sprintf("%s: %+v", condition, conditions.Get(cluster, condition))
			}
		}
		return ""
	})
	s.eventually("pools run", 60*time.Second, func() string {
		return s.poolsRun(map[string]int32{"demo-pool0": 2, "demo-pool1": 3})
	})
	plane := &infrav1.AzureManagedControlPlane{}
	if err := s.get("demo", plane); err != nil {
		t.Fatal(err)
	}
	if !plane.Status.Ready || !plane.Status.Initialized || plane.Status.Version != "v1.34.1" {
		t.Errorf("control plane status %+v", plane.Status)
	}
	if plane.Spec.NodeResourceGroupName != "MC_rg-demo_demo_westeurope" || ptr.Deref(plane.Spec.DNSPrefix, "") != "demo" {
		t.Errorf("defaults are missing: %+v", plane.Spec)
	}
	for _, condition := range plane.Status.Conditions {
		if condition.Status != corev1.ConditionTrue {
			t.Errorf("condition %s is %s: %s", condition.Type, condition.Status, condition.Message)
		}
	}
	infra := &infrav1.AzureManagedCluster{}
	if err := s.get("demo", infra); err != nil {
		t.Fatal(err)
	}
	if !infra.Status.Ready || infra.Spec.ControlPlaneEndpoint != plane.Spec.ControlPlaneEndpoint || plane.Spec.ControlPlaneEndpoint.Port != 443 {
		t.Errorf("endpoint %+v, control plane's %+v", infra.Spec.ControlPlaneEndpoint, plane.Spec.ControlPlaneEndpoint)
	}
}

// poolsRun says why MachinePools do not run with so many replicas, each with as many references to their own nodes.
func (s *stack) poolsRun(want map[string]int32) string {
	for name, replicas := range want {
		machinePool, infra := &clusterv1.MachinePool{}, &infrav1.AzureManagedMachinePool{}
		if err := s.get(name, machinePool); err != nil {
			return err.Error()
		}
		if err := s.get(name, infra); err != nil {
			return err.Error()
		}
		if !infra.Status.Ready || infra.Status.Replicas != replicas || len(infra.Spec.ProviderIDList) != int(replicas) {
			return fmt.Sprintf("AzureManagedMachinePool %s: ready %t, %d replicas, %v", name, infra.Status.Ready, infra.Status.Replicas, infra.Status.Conditions)
		}
		if machinePool.Status.GetTypedPhase() != clusterv1.MachinePoolPhaseRunning || len(machinePool.Status.NodeRefs) != int(replicas) {
			return fmt.Sprintf("MachinePool %s is %s with nodes %v", name, machinePool.Status.Phase, machinePool.Status.NodeRefs)
		}
		if !slices.Equal(machinePool.Spec.ProviderIDList, infra.Spec.ProviderIDList) {
			return fmt.Sprintf("MachinePool %s has provider ids %v", name, machinePool.Spec.ProviderIDList)
		}
		nodes, err := s.world.of(managedClusterID).client.CoreV1().Nodes().List(s.ctx, metav1.ListOptions{})
		if err != nil {
			return err.Error()
		}
		for _, reference := range machinePool.Status.NodeRefs {
			index := slices.IndexFunc(nodes.Items, func(node corev1.Node) bool { return node.Name == reference.Name })
			if index < 0 || !slices.Contains(infra.Spec.ProviderIDList, nodes.Items[index].Spec.ProviderID) {
				return fmt.Sprintf("MachinePool %s refers to node %s, which is not one of its machines", name, reference.Name)
			}
		}
	}
	return ""
}

func providerIDs(t *testing.T, s *stack) {
	for _, pool := range []string{"pool0", "pool1"} {
		infra := &infrav1.AzureManagedMachinePool{}
		if err := s.get("demo-"+pool, infra); err != nil {
			t.Fatal(err)
		}
		ids := infra.Spec.ProviderIDList
		if !slices.IsSorted(ids) {
			t.Errorf("%s: provider ids are not sorted: %v", pool, ids)
		}
		prefix := "azure:///subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/mc_rg-demo_demo_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets/aks-" + pool + "-"
		for _, id := range ids {
			if !strings.HasPrefix(id, prefix) {
				t.Errorf("%s: provider id %s does not start with %s", pool, id, prefix)
			}
		}
		if !slices.ContainsFunc(ids, func(id string) bool { return strings.HasSuffix(id, "/virtualMachines/0") }) {
			t.Errorf("%s has no instance 0: %v", pool, ids)
		}
	}
}

func kubeconfigSecret(t *testing.T, s *stack) {
	secret := &corev1.Secret{}
	if err := s.get("demo-kubeconfig", secret); err != nil {
		t.Fatal(err)
	}
	owner := metav1.GetControllerOf(secret)
	if len(secret.Data["value"]) == 0 || secret.Labels[clusterv1.ClusterNameLabel] != "demo" || owner == nil || owner.Kind != "AzureManagedControlPlane" {
		t.Errorf("kubeconfig secret: labels %v, owner %+v, %d bytes", secret.Labels, owner, len(secret.Data["value"]))
	}
	if err := s.get("demo-ca", secret); err != nil || len(secret.Data["tls.crt"]) == 0 {
		t.Errorf("CA secret: %v", err)
	}
}

func paused(t *testing.T, s *stack) {
	s.patch(&infrav1.AzureManagedMachinePool{}, "demo-pool1", `{"metadata":{"annotations":{"cluster.x-k8s.io/paused":""}}}`)
	s.eventually("the move annotation is gone", 10*time.Second, func() string {
		infra := &infrav1.AzureManagedMachinePool{}
		if err := s.get("demo-pool1", infra); err != nil {
			return err.Error()
		}
		if _, found := infra.Annotations["clusterctl.cluster.x-k8s.io/block-move"]; found {
			return "still there"
		}
		return ""
	})
	puts, others := s.puts("/agentPools/pool1"), s.puts("/agentPools/pool0")
	s.patch(&infrav1.AzureManagedMachinePool{}, "demo-pool1", `{"spec":{"nodeLabels":{"tier":"silver"}}}`)
	s.patch(&infrav1.AzureManagedMachinePool{}, "demo-pool0", `{"spec":{"nodeLabels":{"marker":"done"}}}`)
	s.eventually("another pool was updated meanwhile", 20*time.Second, func() string {
		if s.puts("/agentPools/pool0") == others {
			return "not yet"
		}
		return s.poolsRun(map[string]int32{"demo-pool0": 2})
	})
	if got := s.puts("/agentPools/pool1"); got != puts {
		t.Errorf("the paused pool was put %d times", got-puts)
	}
	s.patch(&infrav1.AzureManagedMachinePool{}, "demo-pool1", `{"metadata":{"annotations":{"cluster.x-k8s.io/paused":null}}}`)
	s.eventually("the change arrives afterwards", 20*time.Second, func() string {
		if s.puts("/agentPools/pool1") == puts {
			return "not put yet"
		}
		return s.poolsRun(map[string]int32{"demo-pool1": 2})
	})
}

func restart(t *testing.T, s *stack) {
	s.apply("pool.yaml", "POOL", "pool2", "REPLICAS", "1", "MODE", "System", "SKU", "Standard_D4s_v5")
	s.eventually("the pool is being created", 20*time.Second, func() string {
		if s.puts("/agentPools/pool2") == 0 {
			return "not put yet"
		}
		return ""
	})
	s.startProviders()
	s.eventually("the pool runs after the restart", 60*time.Second, func() string {
		return s.poolsRun(map[string]int32{"demo-pool0": 2, "demo-pool1": 2, "demo-pool2": 1})
	})
	if got := s.puts("/agentPools/pool2"); got != 1 {
		t.Errorf("the pool was put %d times, want once", got)
	}
}

func deletePool(t *testing.T, s *stack) {
	s.deleteMachinePool("demo-pool2")
	err := s.client.Delete(s.ctx, &infrav1.AzureManagedMachinePool{ObjectMeta: metav1.ObjectMeta{Name: "demo-pool0", Namespace: "default"}})
	if err == nil || !strings.Contains(err.Error(), "AKS Cluster must have at least one system pool") {
		t.Errorf("deleting the last System pool: %v", err)
	}
	nodes, err := s.world.of(managedClusterID).client.CoreV1().Nodes().List(s.ctx, metav1.ListOptions{LabelSelector: "kubernetes.azure.com/agentpool=pool2"})
	if err != nil || len(nodes.Items) != 0 {
		t.Errorf("nodes of the deleted pool: %v, %v", nodes.Items, err)
	}
	if why := s.poolsRun(map[string]int32{"demo-pool0": 2, "demo-pool1": 2}); why != "" {
		t.Errorf("the other pools: %s", why)
	}
}

func deleteCluster(t *testing.T, s *stack) {
	if err := s.client.Delete(s.ctx, &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Name: "demo", Namespace: "default"}}); err != nil {
		t.Fatal(err)
	}
	s.eventually("everything is gone", 60*time.Second, func() string {
		for _, object := range []client.Object{
			&clusterv1.Cluster{}, &infrav1.AzureManagedControlPlane{}, &infrav1.AzureManagedCluster{},
		} {
			if err := s.get("demo", object); !apierrors.IsNotFound(err) {
				return fmt.Sprintf("%T: %v, finalizers %v", object, err, object.GetFinalizers())
			}
		}
		identity := &infrav1.AzureClusterIdentity{}
		if err := s.get("cluster-identity", identity); err != nil || len(identity.Finalizers) != 0 {
			return fmt.Sprintf("the identity is still claimed: %v, %v", identity.Finalizers, err)
		}
		return ""
	})
	if s.world.of(managedClusterID) != nil {
		t.Error("the API server still runs")
	}
}

func (s *stack) patch(object client.Object, name, patch string) {
	s.t.Helper()
	object.SetName(name)
	object.SetNamespace("default")
	if err := s.client.Patch(s.ctx, object, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		s.t.Fatalf("patch %s: %v", name, err)
	}
}

// deleteMachinePool deletes a pool as its owner does and waits until Azure and Cluster API are done.
func (s *stack) deleteMachinePool(name string) {
	s.t.Helper()
	if err := s.client.Delete(s.ctx, &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}}); err != nil {
		s.t.Fatal(err)
	}
	s.eventually(name+" is gone", 30*time.Second, func() string {
		for _, object := range []client.Object{&clusterv1.MachinePool{}, &infrav1.AzureManagedMachinePool{}} {
			if err := s.get(name, object); !apierrors.IsNotFound(err) {
				return fmt.Sprintf("%T: %v", object, err)
			}
		}
		return ""
	})
}

// puts counts the accepted PUTs of a resource.
func (s *stack) puts(suffix string) int {
	count := 0
	for _, request := range s.azure.Requests() {
		if request.Method == "PUT" && strings.HasSuffix(request.Path, suffix) && request.Status < 300 {
			count++
		}
	}
	return count
}
