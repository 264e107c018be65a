package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// syncNode makes the node Ready when its time has come, keeps it so, and takes the taint away that keeps pods off a node that is not ready,
// which in a real cluster is the node lifecycle controller's part.
func (k *kubelet) syncNode(ctx context.Context, node *corev1.Node) (time.Duration, error) {
	now := k.now()
	current := nodeCondition(node, corev1.NodeReady)
	if node.Annotations[AnnotationNeverReady] == "true" {
		if current != nil && current.Status == corev1.ConditionFalse {
			return 0, nil
		}
		return 0, k.patchNodeStatus(ctx, node, corev1.ConditionFalse, now)
	}
	if current == nil || current.Status != corev1.ConditionTrue {
		d := draw(k.settings.Seed, k.settings.NodeStart, "node", node.Name, node.Annotations[AnnotationStartSeconds])
		if due := k.seen.due(node.UID, starting, node.CreationTimestamp.Time, now, d); due.After(now) {
			return due.Sub(now), nil
		}
		return 0, k.patchNodeStatus(ctx, node, corev1.ConditionTrue, now)
	}
	if slices.ContainsFunc(node.Spec.Taints, isNotReadyTaint) {
		return 0, k.removeNotReadyTaint(ctx, node)
	}
	return k.heartbeat(ctx, node, current, now)
}

func (k *kubelet) heartbeat(ctx context.Context, node *corev1.Node, ready *corev1.NodeCondition, now time.Time) (time.Duration, error) {
	if k.settings.Heartbeat <= 0 {
		return 0, nil
	}
	if due := ready.LastHeartbeatTime.Add(k.settings.Heartbeat); due.After(now) {
		return due.Sub(now), nil
	}
	return 0, k.patchNodeStatus(ctx, node, corev1.ConditionTrue, now)
}

func nodeCondition(node *corev1.Node, t corev1.NodeConditionType) *corev1.NodeCondition {
	for i := range node.Status.Conditions {
		if node.Status.Conditions[i].Type == t {
			return &node.Status.Conditions[i]
		}
	}
	return nil
}

func isNotReadyTaint(t corev1.Taint) bool { return t.Key == corev1.TaintNodeNotReady }

func (k *kubelet) patchNodeStatus(ctx context.Context, node *corev1.Node, ready corev1.ConditionStatus, now time.Time) error {
	condition := corev1.NodeCondition{
		Type: corev1.NodeReady, Status: ready, Reason: "KubeletReady", Message: "Simulated kubelet is posting ready status",
		LastHeartbeatTime: metav1.NewTime(now), LastTransitionTime: metav1.NewTime(now),
	}
	if ready != corev1.ConditionTrue {
		condition.Reason, condition.Message = "KubeletNotReady", "Simulated: the node carries the annotation "+AnnotationNeverReady
	}
	if before := nodeCondition(node, corev1.NodeReady); before != nil && before.Status == ready {
		condition.LastTransitionTime = before.LastTransitionTime
	}
	status := map[string]any{"conditions": []corev1.NodeCondition{condition}}
	if len(node.Status.Capacity) == 0 {
		room := resources(defaultCPU, defaultMemory, defaultPods)
		status["capacity"], status["allocatable"] = room, room
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": node.UID}, "status": status})
	if err != nil {
		return fmt.Errorf("encode status of node %s: %w", node.Name, err)
	}
	_, err = k.client.CoreV1().Nodes().Patch(ctx, node.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// removeNotReadyTaint names the resourceVersion it has seen, because the list of taints is replaced as a whole and others write it too.
func (k *kubelet) removeNotReadyTaint(ctx context.Context, node *corev1.Node) error {
	taints := slices.DeleteFunc(slices.Clone(node.Spec.Taints), isNotReadyTaint)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": node.UID, "resourceVersion": node.ResourceVersion},
		"spec":     map[string]any{"taints": taints},
	})
	if err != nil {
		return fmt.Errorf("encode taints of node %s: %w", node.Name, err)
	}
	_, err = k.client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

const (
	defaultCPU    = 8
	defaultMemory = 32 << 30
	defaultPods   = 110
)

func resources(cpu, memoryBytes, pods int64) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(cpu, resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity(memoryBytes, resource.BinarySI),
		corev1.ResourcePods:             *resource.NewQuantity(pods, resource.DecimalSI),
		corev1.ResourceEphemeralStorage: *resource.NewQuantity(128<<30, resource.BinarySI),
	}
}
