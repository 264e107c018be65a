package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// annotationDeclared remembers which labels and taints came from EnsureNode, so that ones it no longer names can be told from those of others.
const annotationDeclared = "simulation.fleetwright.io/declared"

// Node is a machine as the cloud describes it.
type Node struct {
	Name, ProviderID string
	// Labels and Taints in addition to those every kubelet sets.
	Labels map[string]string
	Taints []corev1.Taint
	// Annotations may script the simulation. They are added, never removed.
	Annotations map[string]string
	// Version is the kubelet's, such as v1.34.2.
	Version string
	// VMSize, Zone and OSImage may be empty.
	VMSize, Zone, OSImage string
	// CPU in cores, MemoryBytes and Pods are capacity and allocatable. Default when 0: 8 cores, 32 GiB, 110 pods.
	CPU, MemoryBytes, Pods int64
}

// EnsureNode registers the Node, not ready yet and tainted as such, or brings labels, taints and kubelet version of the registered one up to date.
// Labels and taints that others set are left alone. A Node of the same name with another provider id is an error: it is another machine.
func EnsureNode(ctx context.Context, client kubernetes.Interface, n Node) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		current, err := client.CoreV1().Nodes().Get(ctx, n.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			_, err = client.CoreV1().Nodes().Create(ctx, n.object(), metav1.CreateOptions{})
			return err
		}
		if err != nil {
			return err
		}
		return n.update(ctx, client, current)
	})
	if err != nil {
		return fmt.Errorf("register node %s: %w", n.Name, err)
	}
	return nil
}

// DeleteNode removes the Node and at once every Pod bound to it, without drain or grace, as when a cloud deletes the machine.
// A Node that does not exist is no error; pods left on it go all the same.
func DeleteNode(ctx context.Context, client kubernetes.Interface, name string) error {
	if err := client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete node %s: %w", name, err)
	}
	pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", name).String(),
	})
	if err != nil {
		return fmt.Errorf("list pods of deleted node %s: %w", name, err)
	}
	var now int64
	for i := range pods.Items {
		p := &pods.Items[i]
		err := client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &p.UID},
		})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("delete pod %s/%s of deleted node %s: %w", p.Namespace, p.Name, name, err)
		}
	}
	return nil
}

func (n Node) allLabels() map[string]string {
	labels := map[string]string{
		Label:                          "true",
		corev1.LabelHostname:           n.Name,
		corev1.LabelOSStable:           "linux",
		corev1.LabelArchStable:         "amd64",
		corev1.LabelInstanceType:       n.VMSize,
		corev1.LabelTopologyZone:       n.Zone,
		corev1.LabelInstanceTypeStable: n.VMSize,
	}
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	maps.Copy(labels, n.Labels)
	return labels
}

func (n Node) object() *corev1.Node {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name},
		Spec: corev1.NodeSpec{
			ProviderID: n.ProviderID,
			Taints:     []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}},
		},
	}
	n.declare(node)
	room := resources(orDefault(n.CPU, defaultCPU), orDefault(n.MemoryBytes, defaultMemory), orDefault(n.Pods, defaultPods))
	now := metav1.Now()
	node.Status = corev1.NodeStatus{
		Capacity: room, Allocatable: room,
		Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: machineIP(n.Name)}, {Type: corev1.NodeHostName, Address: n.Name}},
		Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionFalse, Reason: "KubeletNotReady", Message: "Simulated kubelet is starting",
			LastHeartbeatTime: now, LastTransitionTime: now,
		}},
		NodeInfo: corev1.NodeSystemInfo{
			KubeletVersion: n.Version, OSImage: n.OSImage, OperatingSystem: "linux", Architecture: "amd64",
			ContainerRuntimeVersion: "simulated://1",
		},
	}
	return node
}

type declared struct {
	Labels []string       `json:"labels,omitempty"`
	Taints []corev1.Taint `json:"taints,omitempty"`
}

// declare sets labels, taints and annotations on the object and removes those that an earlier call declared and this one does not.
func (n Node) declare(node *corev1.Node) {
	var before declared
	// An annotation that cannot be read was edited by hand; then nothing is removed.
	_ = json.Unmarshal([]byte(node.Annotations[annotationDeclared]), &before)
	labels := n.allLabels()

	if node.Labels == nil {
		node.Labels = map[string]string{}
	}
	for _, name := range before.Labels {
		delete(node.Labels, name)
	}
	maps.Copy(node.Labels, labels)

	ours := append(slices.Clone(before.Taints), n.Taints...)
	node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool {
		return slices.ContainsFunc(ours, func(o corev1.Taint) bool { return o.MatchTaint(&t) })
	})
	node.Spec.Taints = append(node.Spec.Taints, n.Taints...)

	if node.Annotations == nil {
		node.Annotations = map[string]string{}
	}
	maps.Copy(node.Annotations, n.Annotations)
	// Strings and taints always encode.
	record, _ := json.Marshal(declared{Labels: slices.Sorted(maps.Keys(labels)), Taints: n.Taints})
	node.Annotations[annotationDeclared] = string(record)
}

func (n Node) update(ctx context.Context, client kubernetes.Interface, node *corev1.Node) error {
	if node.Spec.ProviderID != n.ProviderID {
		return fmt.Errorf("a node of this name has provider id %q, not %q", node.Spec.ProviderID, n.ProviderID)
	}
	n.declare(node)
	updated, err := client.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	if updated.Status.NodeInfo.KubeletVersion == n.Version && updated.Status.NodeInfo.OSImage == n.OSImage {
		return nil
	}
	updated.Status.NodeInfo.KubeletVersion, updated.Status.NodeInfo.OSImage = n.Version, n.OSImage
	_, err = client.CoreV1().Nodes().UpdateStatus(ctx, updated, metav1.UpdateOptions{})
	return err
}

func orDefault(v, otherwise int64) int64 {
	if v > 0 {
		return v
	}
	return otherwise
}

// machineIP is an address out of 10.64.0.0/10 that stays the same for a node name.
func machineIP(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	n := h.Sum32()
	return fmt.Sprintf("10.%d.%d.%d", 64+n>>16&63, n>>8&255, n&255)
}
