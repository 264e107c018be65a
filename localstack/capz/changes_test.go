package capz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	v1beta1conditions "sigs.k8s.io/cluster-api/util/deprecated/v1beta1/conditions"
)

func immutableFields(t *testing.T, s *stack) {
	for _, test := range []struct {
		name   string
		object client.Object
		change func(client.Object)
		want   string
	}{
		{"sku", &infrav1.AzureManagedMachinePool{ObjectMeta: metav1.ObjectMeta{Name: "demo-pool1"}},
			func(o client.Object) { o.(*infrav1.AzureManagedMachinePool).Spec.SKU = "Standard_D4s_v5" },
			`spec.sku: Invalid value: "Standard_D4s_v5": field is immutable`},
		{"osDiskSizeGB", &infrav1.AzureManagedMachinePool{ObjectMeta: metav1.ObjectMeta{Name: "demo-pool1"}},
			func(o client.Object) { o.(*infrav1.AzureManagedMachinePool).Spec.OSDiskSizeGB = ptr.To(256) },
			"spec.osDiskSizeGB: Invalid value: 256: field is immutable, unable to assign a value if it was already empty"},
		{"mode of the last System pool", &infrav1.AzureManagedMachinePool{ObjectMeta: metav1.ObjectMeta{Name: "demo-pool0"}},
			func(o client.Object) { o.(*infrav1.AzureManagedMachinePool).Spec.Mode = "User" },
			"you must have at least one System node pool in your cluster"},
		{"version downgrade", &infrav1.AzureManagedControlPlane{ObjectMeta: metav1.ObjectMeta{Name: "demo"}},
			func(o client.Object) { o.(*infrav1.AzureManagedControlPlane).Spec.Version = "v1.33.6" },
			"field version cannot be downgraded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := s.get(test.object.GetName(), test.object); err != nil {
				t.Fatal(err)
			}
			test.change(test.object)
			err := s.client.Update(s.ctx, test.object, client.DryRunAll)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func changesInPlace(_ *testing.T, s *stack) {
	s.patch(&infrav1.AzureManagedMachinePool{}, "demo-pool1", `{"spec":{"nodeLabels":{"team":null,"tier":"gold"},"taints":[{"key":"only","value":"gold","effect":"NoSchedule"}]}}`)
	s.patch(&clusterv1.MachinePool{}, "demo-pool1", `{"spec":{"replicas":4}}`)
	s.eventually("labels, taints and replicas", 30*time.Second, func() string {
		if why := s.poolsRun(map[string]int32{"demo-pool1": 4}); why != "" {
			return why
		}
		nodes, err := s.world.of(managedClusterID).client.CoreV1().Nodes().List(s.ctx, metav1.ListOptions{LabelSelector: "kubernetes.azure.com/agentpool=pool1"})
		if err != nil {
			return err.Error()
		}
		for _, node := range nodes.Items {
			tainted := slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == "only" && taint.Value == "gold" })
			if _, old := node.Labels["team"]; old || node.Labels["tier"] != "gold" || !tainted {
				return fmt.Sprintf("node %s has labels %v and taints %v", node.Name, node.Labels, node.Spec.Taints)
			}
		}
		return ""
	})
	s.patch(&clusterv1.MachinePool{}, "demo-pool1", `{"spec":{"replicas":2}}`)
	s.eventually("fewer replicas", 30*time.Second, func() string { return s.poolsRun(map[string]int32{"demo-pool0": 2, "demo-pool1": 2}) })
}

func upgrade(_ *testing.T, s *stack) {
	s.patch(&infrav1.AzureManagedControlPlane{}, "demo", `{"spec":{"version":"v1.34.2"}}`)
	s.eventually("the control plane's version", 30*time.Second, func() string {
		plane := &infrav1.AzureManagedControlPlane{}
		if err := s.get("demo", plane); err != nil {
			return err.Error()
		}
		if plane.Status.Version != "v1.34.2" || !plane.Status.Ready || !v1beta1conditions.IsTrue(plane, infrav1.ManagedClusterRunningCondition) {
			return fmt.Sprintf("version %s, %v", plane.Status.Version, plane.Status.Conditions)
		}
		return ""
	})
	s.patch(&clusterv1.MachinePool{}, "demo-pool0", `{"spec":{"template":{"spec":{"version":"v1.34.2"}}}}`)
	s.eventually("the pool's kubelets", 60*time.Second, func() string {
		nodes, err := s.world.of(managedClusterID).client.CoreV1().Nodes().List(s.ctx, metav1.ListOptions{LabelSelector: "kubernetes.azure.com/agentpool=pool0"})
		if err != nil {
			return err.Error()
		}
		for _, node := range nodes.Items {
			if node.Status.NodeInfo.KubeletVersion != "v1.34.2" {
				return fmt.Sprintf("node %s runs %s", node.Name, node.Status.NodeInfo.KubeletVersion)
			}
		}
		return s.poolsRun(map[string]int32{"demo-pool0": 2})
	})
}

func quotaExceeded(_ *testing.T, s *stack) {
	s.apply("pool.yaml", "POOL", "toolarge", "REPLICAS", "900", "MODE", "User", "SKU", "Standard_D8s_v5")
	s.eventually("the refusal in the condition", 30*time.Second, func() string {
		infra := &infrav1.AzureManagedMachinePool{}
		if err := s.get("demo-toolarge", infra); err != nil {
			return err.Error()
		}
		condition := v1beta1conditions.Get(infra, infrav1.AgentPoolsReadyCondition)
		if condition == nil || condition.Reason != infrav1.FailedReason || !strings.Contains(strings.ToLower(condition.Message), "quota") ||
			!strings.HasPrefix(condition.Message, "agentpools failed to create or update. err: resource is not Ready: ") {
			return fmt.Sprintf("AgentPoolsReady is %+v", condition)
		}
		return ""
	})
	s.deleteMachinePool("demo-toolarge")
}
