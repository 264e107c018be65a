package preflight

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/pager"
	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/nodepool/fit"
)

// Snapshot is everything Look looks at. The order of its slices has no meaning.
type Snapshot struct {
	// Drain is what the drain engine sees.
	Drain drain.Snapshot
	// Facts are what else matters of the pods on the nodes.
	Facts []PodFacts
	// Deployments of the namespaces in which a ReplicaSet wants one pod; a ReplicaSet alone does not tell.
	Deployments []Deployment
	// Claims and Volumes are those of the pods on the nodes.
	Claims  []Claim
	Volumes []Volume
	// pods are all of the cluster, for Fit; nil after Complete.
	pods *fit.Pods
}

// PodFacts is what matters of a pod beside drain.Pod.
type PodFacts struct {
	Pod types.NamespacedName
	UID types.UID
	// Claims are the names of its PersistentVolumeClaims, without those that end with the pod.
	Claims []string
	// Selectors are its uses of labels that belong to one generation of a pool or one node.
	Selectors []Selector
	// Grace is spec.terminationGracePeriodSeconds.
	Grace time.Duration
	// NotSafeToEvict says that its annotation cluster-autoscaler.kubernetes.io/safe-to-evict is false.
	NotSafeToEvict bool
}

// Deployment is the size of a Deployment.
type Deployment struct {
	Namespace string
	Name      string
	// Desired is spec.replicas.
	Desired int32
}

// Claim is a PersistentVolumeClaim.
type Claim struct {
	Namespace string
	Name      string
	// Volume is the PersistentVolume it is bound to; empty while it is not.
	Volume string
	// SingleNode says that pods of one node at a time can mount it.
	SingleNode bool
}

// Volume is where a PersistentVolume can be used.
type Volume struct {
	Name string
	// Zones from which it can be mounted, sorted; empty if it does not say. "" stands for nodes outside of zones.
	Zones []string
	// Local says that it exists on one node only.
	Local bool
}

// Observe reads the nodes and their pods as drain.Observe does, and what else Look and Fit need: all pods of the
// cluster, in one list. Any list that could not be read to its end is an error; an error means that nothing is known.
func Observe(ctx context.Context, client kubernetes.Interface, nodes []drain.NodeRef, policy drain.Policy) (Snapshot, error) {
	// The sizes of controllers, which only this pace needs, tell who has a single pod.
	policy.WaitFor = drain.WaitForReplacementReady
	onNodes := map[string]bool{}
	for _, n := range nodes {
		onNodes[n.Name] = true
	}
	var s Snapshot
	var err error
	s.Drain, err = drain.Observe(ctx, client, nodes, policy, drain.EachPod(func() func(*corev1.Pod) {
		s.Facts, s.pods = nil, &fit.Pods{}
		return func(pod *corev1.Pod) {
			s.pods.Add(pod)
			if onNodes[pod.Spec.NodeName] {
				s.Facts = append(s.Facts, factsOf(pod))
			}
		}
	}))
	if err != nil {
		return Snapshot{}, err
	}
	return s.complete(ctx, client)
}

// Complete adds to a snapshot of the drain engine what else Look needs. The snapshot should have been observed with
// drain.WaitForReplacementReady, without which the sizes of controllers are missing.
func Complete(ctx context.Context, client kubernetes.Interface, snapshot drain.Snapshot) (Snapshot, error) {
	s := Snapshot{Drain: snapshot}
	if err := s.readFacts(ctx, client); err != nil {
		return Snapshot{}, fmt.Errorf("list pods of nodes to empty: %w", err)
	}
	return s.complete(ctx, client)
}

func (s Snapshot) complete(ctx context.Context, client kubernetes.Interface) (Snapshot, error) {
	steps := []struct {
		what string
		read func(context.Context, kubernetes.Interface) error
	}{
		{"list deployments", s.readDeployments},
		{"list persistent volume claims", s.readClaims},
		{"read persistent volumes", s.readVolumes},
	}
	for _, step := range steps {
		if err := step.read(ctx, client); err != nil {
			return Snapshot{}, fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return s, nil
}

// few is up to how many nodes, namespaces or volumes are read one by one; of more, all are read in one paged list.
const few = 20

func (s *Snapshot) readFacts(ctx context.Context, client kubernetes.Interface) error {
	onNodes := map[string]bool{}
	for _, n := range s.Drain.Nodes {
		onNodes[n.Name] = true
	}
	add := func(pod *corev1.Pod) {
		if pod.Spec.NodeName != "" && onNodes[pod.Spec.NodeName] {
			s.Facts = append(s.Facts, factsOf(pod))
		}
	}
	list := client.CoreV1().Pods(metav1.NamespaceAll).List
	if len(onNodes) > few {
		return each(ctx, list, metav1.ListOptions{}, add)
	}
	for _, node := range slices.Sorted(maps.Keys(onNodes)) {
		selector := fields.OneTermEqualSelector("spec.nodeName", node).String()
		if err := each(ctx, list, metav1.ListOptions{FieldSelector: selector}, add); err != nil {
			return err
		}
	}
	return nil
}

func (s *Snapshot) readDeployments(ctx context.Context, client kubernetes.Interface) error {
	single := map[types.UID]bool{}
	for _, o := range s.Drain.Owners {
		single[o.UID] = o.Desired == 1
	}
	namespaces := map[string]bool{}
	for _, p := range s.Drain.Pods {
		if p.Controller.Kind == "ReplicaSet" && single[p.Controller.UID] {
			namespaces[p.Namespace] = true
		}
	}
	for _, namespace := range oneOrAll(namespaces) {
		err := each(ctx, client.AppsV1().Deployments(namespace).List, metav1.ListOptions{}, func(d *appsv1.Deployment) {
			s.Deployments = append(s.Deployments, Deployment{Namespace: d.Namespace, Name: d.Name, Desired: ptr.Deref(d.Spec.Replicas, 1)})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Snapshot) readClaims(ctx context.Context, client kubernetes.Interface) error {
	wanted := map[types.NamespacedName]bool{}
	namespaces := map[string]bool{}
	for _, f := range s.Facts {
		for _, claim := range f.Claims {
			namespaces[f.Pod.Namespace] = true
			wanted[types.NamespacedName{Namespace: f.Pod.Namespace, Name: claim}] = true
		}
	}
	for _, namespace := range oneOrAll(namespaces) {
		list := client.CoreV1().PersistentVolumeClaims(namespace).List
		err := each(ctx, list, metav1.ListOptions{}, func(claim *corev1.PersistentVolumeClaim) {
			if wanted[types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name}] {
				s.Claims = append(s.Claims, slimClaim(claim))
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Snapshot) readVolumes(ctx context.Context, client kubernetes.Interface) error {
	wanted := map[string]bool{}
	for _, c := range s.Claims {
		if c.Volume != "" {
			wanted[c.Volume] = true
		}
	}
	if len(wanted) > few {
		return each(ctx, client.CoreV1().PersistentVolumes().List, metav1.ListOptions{}, func(volume *corev1.PersistentVolume) {
			if wanted[volume.Name] {
				s.Volumes = append(s.Volumes, slimVolume(volume))
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		volume, err := client.CoreV1().PersistentVolumes().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue // its pod ends as well
		}
		if err != nil {
			return err
		}
		s.Volumes = append(s.Volumes, slimVolume(volume))
	}
	return nil
}

func oneOrAll(namespaces map[string]bool) []string {
	if len(namespaces) > few {
		return []string{metav1.NamespaceAll}
	}
	return slices.Sorted(maps.Keys(namespaces))
}

// each calls visit with every item of a list, read page by page at one revision, so that the full objects of a large
// cluster are never held together. A list that expires between two pages is an error.
func each[L runtime.Object, T any](
	ctx context.Context, list func(context.Context, metav1.ListOptions) (L, error), options metav1.ListOptions, visit func(*T),
) error {
	pages := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return list(ctx, options)
	})
	pages.FullListIfExpired, pages.PageBufferSize = false, 1
	return pages.EachListItem(ctx, options, func(item runtime.Object) error {
		object, ok := any(item).(*T)
		if !ok {
			return fmt.Errorf("the list holds a %T", item)
		}
		visit(object)
		return nil
	})
}
