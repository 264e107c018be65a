package fit

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/pager"
)

// Moves says what becomes of the pods on nodes that are emptied; those not named stay where they are.
type Moves struct {
	// Emptied are the nodes' names.
	Emptied []string
	// Moving pods will be made anew and need a place; Ending ones leave their place and need none.
	Moving, Ending map[types.UID]bool
}

// Observe reads what the scheduler knows beside the pods, which were read before. Any list that could not be read to
// its end is an error; an error means that nothing is known. Growth is for the caller to say.
func Observe(ctx context.Context, client kubernetes.Interface, pods *Pods, moves Moves) (World, error) {
	w := World{Emptied: moves.Emptied, Pods: pods.away(moves)}
	steps := []struct {
		what string
		read func() error
		skip bool
	}{
		{"nodes", func() error {
			return each(ctx, client.CoreV1().Nodes().List, func(n *corev1.Node) { w.Nodes = append(w.Nodes, slimNode(n)) })
		}, false},
		{"persistent volume claims", func() error {
			return each(ctx, client.CoreV1().PersistentVolumeClaims(metav1.NamespaceAll).List, func(c *corev1.PersistentVolumeClaim) { w.Claims = append(w.Claims, slimClaim(c)) })
		}, !pods.claims},
		{"persistent volumes", func() error {
			return each(ctx, client.CoreV1().PersistentVolumes().List, func(v *corev1.PersistentVolume) { w.Volumes = append(w.Volumes, slimVolume(v)) })
		}, !pods.claims},
		{"CSI nodes", func() error {
			return each(ctx, client.StorageV1().CSINodes().List, func(n *storagev1.CSINode) { w.CSINodes = append(w.CSINodes, slimCSINode(n)) })
		}, !pods.claims},
		{"namespaces", func() error {
			return each(ctx, client.CoreV1().Namespaces().List, func(n *corev1.Namespace) { w.Namespaces = append(w.Namespaces, slimNamespace(n)) })
		}, !pods.byNamespace},
	}
	for _, step := range steps {
		if step.skip {
			continue
		}
		if err := step.read(); err != nil {
			return World{}, fmt.Errorf("list %s: %w", step.what, err)
		}
	}
	return w, pods.err
}

func slimClaim(c *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	slim := &corev1.PersistentVolumeClaim{}
	slim.Namespace, slim.Name, slim.OwnerReferences = c.Namespace, c.Name, c.OwnerReferences
	slim.Spec.VolumeName, slim.Spec.StorageClassName, slim.Spec.AccessModes = c.Spec.VolumeName, c.Spec.StorageClassName, c.Spec.AccessModes
	return slim
}

func slimVolume(v *corev1.PersistentVolume) *corev1.PersistentVolume {
	slim := &corev1.PersistentVolume{}
	slim.Name, slim.Labels = v.Name, v.Labels
	slim.Spec.NodeAffinity, slim.Spec.StorageClassName = v.Spec.NodeAffinity, v.Spec.StorageClassName
	slim.Spec.PersistentVolumeSource = v.Spec.PersistentVolumeSource
	if csi := v.Spec.CSI; csi != nil {
		slim.Spec.CSI = &corev1.CSIPersistentVolumeSource{Driver: csi.Driver, VolumeHandle: csi.VolumeHandle}
	}
	return slim
}

func slimCSINode(n *storagev1.CSINode) *storagev1.CSINode {
	slim := &storagev1.CSINode{}
	slim.Name, slim.Annotations, slim.Spec = n.Name, n.Annotations, n.Spec
	return slim
}

func slimNamespace(n *corev1.Namespace) *corev1.Namespace {
	slim := &corev1.Namespace{}
	slim.Name, slim.Labels = n.Name, n.Labels
	return slim
}

// each calls visit with every item of a list, read page by page at one revision, so that the full objects of a large
// cluster are never held together. A list that expires between two pages is an error.
func each[L runtime.Object, T any](ctx context.Context, list func(context.Context, metav1.ListOptions) (L, error), visit func(*T)) error {
	pages := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return list(ctx, options)
	})
	pages.FullListIfExpired, pages.PageBufferSize = false, 1
	return pages.EachListItem(ctx, metav1.ListOptions{}, func(item runtime.Object) error {
		object, ok := any(item).(*T)
		if !ok {
			return fmt.Errorf("the list holds a %T", item)
		}
		visit(object)
		return nil
	})
}
