package capz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

// setInResource sets a field of the first resource that an object's spec holds; nil removes it.
func (s *stack) setInResource(kind, name string, value any, path ...string) {
	s.t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(infrav1.GroupVersion.WithKind(kind))
	if err := s.get(name, object); err != nil {
		s.t.Fatal(err)
	}
	before := object.DeepCopy()
	resources, _, err := unstructured.NestedSlice(object.Object, "spec", "resources")
	if err != nil || len(resources) == 0 {
		s.t.Fatalf("%s %s has no resources: %v", kind, name, err)
	}
	resource, _ := resources[0].(map[string]any)
	if value == nil {
		unstructured.RemoveNestedField(resource, path...)
	} else if err := unstructured.SetNestedField(resource, value, path...); err != nil {
		s.t.Fatal(err)
	}
	if err := unstructured.SetNestedSlice(object.Object, resources, "spec", "resources"); err != nil {
		s.t.Fatal(err)
	}
	if err := s.client.Patch(s.ctx, object, client.MergeFrom(before)); err != nil {
		s.t.Fatalf("patch %s %s: %v", kind, name, err)
	}
}

func (s *stack) asoPoolReady(name string, want bool) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("%s has ready=%t", name, want), 30*time.Second, func() string {
		infra := &infrav1.AzureASOManagedMachinePool{}
		if err := s.get(name, infra); err != nil {
			return err.Error()
		}
		if infra.Status.Ready != want {
			return fmt.Sprintf("status %+v", infra.Status)
		}
		return ""
	})
}

func asoIncompatible(t *testing.T, s *stack) {
	before, err := s.azureObject(asospec.ManagedClustersAgentPool, "demo-pool1")
	if err != nil {
		t.Fatal(err)
	}
	for field, value := range map[string]any{"orchestratorVersion": "1.33.6", "count": int64(7)} {
		s.setInResource("AzureASOManagedMachinePool", "demo-pool1", value, "spec", field)
		s.asoPoolReady("demo-pool1", false)
		s.setInResource("AzureASOManagedMachinePool", "demo-pool1", nil, "spec", field)
		s.asoPoolReady("demo-pool1", true)
	}
	s.setInResource("AzureASOManagedControlPlane", "demo", "1.33.6", "spec", "kubernetesVersion")
	s.eventually("the control plane is not ready", 20*time.Second, func() string { return s.asoPlaneReady(false) })
	s.setInResource("AzureASOManagedControlPlane", "demo", nil, "spec", "kubernetesVersion")
	s.eventually("the control plane is ready again", 20*time.Second, func() string { return s.asoPlaneReady(true) })
	after, err := s.azureObject(asospec.ManagedClustersAgentPool, "demo-pool1")
	if err != nil {
		t.Fatal(err)
	}
	if before.GetGeneration() != after.GetGeneration() {
		t.Error("the pool's object was changed by a spec that must not be applied")
	}
}

func (s *stack) asoPlaneReady(want bool) string {
	plane := &infrav1.AzureASOManagedControlPlane{}
	if err := s.get("demo", plane); err != nil {
		return err.Error()
	}
	if plane.Status.Ready != want || plane.Status.Initialized != want {
		return fmt.Sprintf("status %+v", plane.Status)
	}
	return ""
}

func asoWriteOnce(t *testing.T, s *stack) {
	for field, test := range map[string]struct{ patch, want string }{
		"azureName": {`{"spec":{"azureName":"other"}}`, "updating 'spec.azureName' is not allowed for 'containerservice.azure.com/v1api20250801, Kind=ManagedClustersAgentPool : demo-pool1"},
		"owner":     {`{"spec":{"owner":{"name":"other"}}}`, "updating 'spec.owner.name' is not allowed for"},
	} {
		object, err := s.azureObject(asospec.ManagedClustersAgentPool, "demo-pool1")
		if err != nil {
			t.Fatal(err)
		}
		err = s.client.Patch(s.ctx, object, client.RawPatch("application/merge-patch+json", []byte(test.patch)), client.DryRunAll)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", field, err, test.want)
		}
	}
}

func asoChangesInPlace(_ *testing.T, s *stack) {
	s.setInResource("AzureASOManagedMachinePool", "demo-pool1", map[string]any{"tier": "gold"}, "spec", "nodeLabels")
	s.setInResource("AzureASOManagedMachinePool", "demo-pool1", []any{"only=gold:NoSchedule"}, "spec", "nodeTaints")
	s.patch(&clusterv1.MachinePool{}, "demo-pool1", `{"spec":{"replicas":2}}`)
	s.eventually("labels, taints and replicas", 40*time.Second, func() string {
		if why := s.asoPoolsRun(map[string]int32{"demo-pool1": 2}); why != "" {
			return why
		}
		nodes, err := s.world.of(managedClusterID).client.CoreV1().Nodes().List(s.ctx, metav1.ListOptions{LabelSelector: "kubernetes.azure.com/agentpool=pool1"})
		if err != nil {
			return err.Error()
		}
		for i := range nodes.Items {
			node := &nodes.Items[i]
			tainted := slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == "only" && t.Value == "gold" })
			if node.Labels["tier"] != "gold" || node.Labels["team"] != "" || !tainted {
				return fmt.Sprintf("node %s has labels %v and taints %v", node.Name, node.Labels, node.Spec.Taints)
			}
		}
		return ""
	})
}

func asoUpgrade(_ *testing.T, s *stack) {
	s.patch(&infrav1.AzureASOManagedControlPlane{}, "demo", `{"spec":{"version":"v1.34.2"}}`)
	s.eventually("the control plane is upgraded", 30*time.Second, func() string {
		plane := &infrav1.AzureASOManagedControlPlane{}
		if err := s.get("demo", plane); err != nil {
			return err.Error()
		}
		if !plane.Status.Ready || plane.Status.Version != "v1.34.2" {
			return fmt.Sprintf("status %+v", plane.Status)
		}
		return ""
	})
	s.patch(&clusterv1.MachinePool{}, "demo-pool0", `{"spec":{"template":{"spec":{"version":"v1.34.2"}}}}`)
	s.eventually("the pool's nodes are upgraded", 40*time.Second, func() string {
		nodes, err := s.world.of(managedClusterID).client.CoreV1().Nodes().List(s.ctx, metav1.ListOptions{LabelSelector: "kubernetes.azure.com/agentpool=pool0"})
		if err != nil {
			return err.Error()
		}
		for i := range nodes.Items {
			if nodes.Items[i].Status.NodeInfo.KubeletVersion != "v1.34.2" {
				return nodes.Items[i].Name + " runs " + nodes.Items[i].Status.NodeInfo.KubeletVersion
			}
		}
		return s.asoPoolsRun(map[string]int32{"demo-pool0": 2})
	})
}

func asoAutoscaling(_ *testing.T, s *stack) {
	replicas := func(want int32, manager string) func() string {
		return func() string {
			machinePool := &clusterv1.MachinePool{}
			if err := s.get("demo-pool1", machinePool); err != nil {
				return err.Error()
			}
			got, managed := machinePool.Annotations[clusterv1.ReplicasManagedByAnnotation]
			if got != manager || managed != (manager != "") || ptr.Deref(machinePool.Spec.Replicas, 0) != want {
				return fmt.Sprintf("MachinePool has %d replicas, annotations %v", ptr.Deref(machinePool.Spec.Replicas, 0), machinePool.Annotations)
			}
			return s.asoPoolsRun(map[string]int32{"demo-pool1": want})
		}
	}
	for field, value := range map[string]any{"minCount": int64(3), "maxCount": int64(5), "enableAutoScaling": true} {
		s.setInResource("AzureASOManagedMachinePool", "demo-pool1", value, "spec", field)
	}
	// Azure raises the pool to the minimum by itself, and Cluster API is told when Azure Service Operator looks.
	s.eventually("Azure decides the number of nodes", 40*time.Second, func() string {
		s.patchASO(asospec.ManagedClustersAgentPool, "demo-pool1", `{"metadata":{"annotations":{"test/look":"`+time.Now().String()+`"}}}`)
		return replicas(3, "aks")()
	})
	for _, field := range []string{"minCount", "maxCount", "enableAutoScaling"} {
		s.setInResource("AzureASOManagedMachinePool", "demo-pool1", nil, "spec", field)
	}
	s.eventually("the MachinePool decides again", 40*time.Second, replicas(3, ""))
	s.patch(&clusterv1.MachinePool{}, "demo-pool1", `{"spec":{"replicas":2}}`)
	s.eventually("the pool follows", 40*time.Second, replicas(2, ""))
}

func (s *stack) patchASO(kind *asospec.Kind, name, patch string) {
	s.t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind.GroupVersionKind())
	s.patch(object, name, patch)
}

func asoQuota(_ *testing.T, s *stack) {
	s.patch(&clusterv1.MachinePool{}, "demo-pool1", `{"spec":{"replicas":40}}`)
	s.eventually("the refusal is visible", 30*time.Second, func() string {
		if got := s.asoReady(asospec.ManagedClustersAgentPool, "demo-pool1"); !strings.HasPrefix(got, "False Warning ") || strings.HasSuffix(got, "Reconciling") {
			return "the object is " + got
		}
		return ""
	})
	s.patch(&clusterv1.MachinePool{}, "demo-pool1", `{"spec":{"replicas":2}}`)
	s.eventually("the pool recovers", 30*time.Second, func() string { return s.asoPoolsRun(map[string]int32{"demo-pool1": 2}) })
}

func asoFatal(t *testing.T, s *stack) {
	s.setInResource("AzureASOManagedMachinePool", "demo-pool1", "Standard_D4s_v5", "spec", "vmSize")
	s.eventuallyASO(asospec.ManagedClustersAgentPool, "demo-pool1", "False Error PropertyChangeNotAllowed")
	pool, err := s.azureObject(asospec.ManagedClustersAgentPool, "demo-pool1")
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(pool.Object["status"]); !strings.Contains(text, "Changing property 'properties.vmSize' is not allowed") {
		t.Errorf("the reason is not told: %s", text)
	}
	s.setInResource("AzureASOManagedMachinePool", "demo-pool1", "Standard_D8s_v5", "spec", "vmSize")
	s.eventually("the pool recovers", 30*time.Second, func() string { return s.asoPoolsRun(map[string]int32{"demo-pool1": 2}) })
}

func asoPaused(t *testing.T, s *stack) {
	s.patch(&infrav1.AzureASOManagedMachinePool{}, "demo-pool1", `{"metadata":{"annotations":{"cluster.x-k8s.io/paused":""}}}`)
	s.eventually("the object is to be skipped", 20*time.Second, func() string {
		pool, err := s.azureObject(asospec.ManagedClustersAgentPool, "demo-pool1")
		if err != nil {
			return err.Error()
		}
		if policy := pool.GetAnnotations()["serviceoperator.azure.com/reconcile-policy"]; policy != "skip" {
			return "policy " + policy
		}
		return ""
	})
	puts := s.puts("/agentPools/pool1")
	s.patchASO(asospec.ManagedClustersAgentPool, "demo-pool1", `{"spec":{"nodeLabels":{"tier":"silver"}}}`)
	s.eventuallyASO(asospec.ManagedClustersAgentPool, "demo-pool1", "True  Succeeded")
	if got := s.puts("/agentPools/pool1"); got != puts {
		t.Errorf("the paused pool was put %d times", got-puts)
	}
	s.patch(&infrav1.AzureASOManagedMachinePool{}, "demo-pool1", `{"metadata":{"annotations":{"cluster.x-k8s.io/paused":null}}}`)
	s.eventually("the pool runs again, and is managed", 30*time.Second, func() string {
		pool, err := s.azureObject(asospec.ManagedClustersAgentPool, "demo-pool1")
		if err != nil {
			return err.Error()
		}
		if policy, found := pool.GetAnnotations()["serviceoperator.azure.com/reconcile-policy"]; found {
			return "policy " + policy
		}
		return s.asoPoolsRun(map[string]int32{"demo-pool1": 2})
	})
}

func asoRestart(t *testing.T, s *stack) {
	s.applyASOPool("pool2", "System", "Standard_D4s_v5", 1, "{}")
	s.eventually("the pool is being created", 20*time.Second, func() string {
		if s.puts("/agentPools/pool2") == 0 {
			return "not put yet"
		}
		return ""
	})
	s.startProviders()
	s.eventually("the pool runs after the restart", 60*time.Second, func() string {
		return s.asoPoolsRun(map[string]int32{"demo-pool0": 2, "demo-pool1": 2, "demo-pool2": 1})
	})
	if got := s.puts("/agentPools/pool2"); got != 1 {
		t.Errorf("the pool was put %d times, want once", got)
	}
}
