package workloadcluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
)

// classKey is the class that a WorkloadCluster points to, empty for none.
func classKey(object *fleetwrightv1.WorkloadCluster) client.ObjectKey {
	ref := object.Spec.ClassRef
	if ref.Name == "" {
		return client.ObjectKey{}
	}
	return client.ObjectKey{Namespace: cmp.Or(ref.Namespace, object.Namespace), Name: ref.Name}
}

// readClass reads the class, and past the cache who may use it and whose the namespace is.
func (r *Reconciler) readClass(ctx context.Context, w *world) (*fleetwrightv1.WorkloadClusterClass, error) {
	var namespace corev1.Namespace
	if err := r.Live.Get(ctx, client.ObjectKey{Name: w.object.Namespace}, &namespace); err != nil {
		return nil, fmt.Errorf("read namespace %s: %w", w.object.Namespace, err)
	}
	w.tenant = namespace.Labels[fleetwrightv1.LabelTenant]
	key := classKey(w.object)
	if key.Name == "" {
		return nil, nil //nolint:nilnil // none is asked for
	}
	w.class.key = key.String()
	class, err := r.findClass(ctx, key)
	if err != nil || class == nil {
		return nil, err
	}
	w.class.found = true
	w.class.allowed = Allows(class, &namespace)
	return class, nil
}

// findClass reads a class from the cache, and past it one that the cache has not heard of; nil for none.
func (r *Reconciler) findClass(ctx context.Context, key client.ObjectKey) (*fleetwrightv1.WorkloadClusterClass, error) {
	class := &fleetwrightv1.WorkloadClusterClass{}
	err := r.Client.Get(ctx, key, class)
	if apierrors.IsNotFound(err) {
		err = r.Live.Get(ctx, key, class)
	}
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // nil is what is not there
	case err != nil:
		return nil, fmt.Errorf("read WorkloadClusterClass %s: %w", key, err)
	}
	return class, nil
}

// readRival is what is the same cluster in Azure and comes before this WorkloadCluster, in words; empty for nothing: of several WorkloadClusters of one
// name the one that has a Cluster comes first, else the older one; and while this one has no Cluster, any other of that name comes first, whoever
// made it. It is read from the cache, or with live past it.
func (r *Reconciler) readRival(ctx context.Context, live bool, w *world) (string, error) {
	if w.unmerged != "" || len(w.problems) > 0 {
		return "", nil
	}
	// A cache finds by its indexes only, and one of Clusters would end the manager where Cluster API is not installed yet.
	var reader client.Reader = r.Client
	var find client.ListOption = client.UnsafeDisableDeepCopy
	if live {
		reader, find = r.Live, client.MatchingFields{byName: w.name()}
	}
	clusters, err := capi.ReadNamesakes(ctx, reader, w.name(), find)
	if err != nil {
		return "", err
	}
	var list fleetwrightv1.WorkloadClusterList
	if err := reader.List(ctx, &list, client.MatchingFields{byName: w.name()}); err != nil {
		return "", fmt.Errorf("list WorkloadClusters of the name %s: %w", w.name(), err)
	}
	has := func(namespace string) bool { return slices.Contains(clusters, namespace) }
	own := w.state.Found
	for i := range list.Items {
		other := &list.Items[i]
		first := has(other.Namespace) && !own || has(other.Namespace) == own && before(other, w.object)
		if other.Namespace == w.object.Namespace || !first {
			continue
		}
		same, err := r.sameInAzure(ctx, w.effective, other)
		if err != nil {
			return "", err
		}
		if same {
			return kindName + " " + other.Namespace + "/" + other.Name, nil
		}
	}
	if own {
		return "", nil
	}
	return rivalCluster(ctx, reader, w, clusters)
}

// rivalCluster is a Cluster in one of these namespaces, whoever made it, that is or may be the same in Azure; empty for none.
func rivalCluster(ctx context.Context, reader client.Reader, w *world, namespaces []string) (string, error) {
	for _, namespace := range namespaces {
		if namespace == w.object.Namespace {
			continue
		}
		there, err := capi.ReadCluster(ctx, reader, client.ObjectKey{Namespace: namespace, Name: w.name()})
		if err != nil {
			return "", err
		}
		if there.Found && there.Unsupported == "" && maySame(w.effective.Spec.Azure, there) {
			return kindCluster + " " + namespace + "/" + w.name(), nil
		}
	}
	return "", nil
}

// maySame is true for a Cluster that is, or may be, in the same resource group of the same subscription under the same name.
func maySame(own fleetwrightv1.WorkloadClusterAzure, there capi.Cluster) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && !strings.EqualFold(a, b) }
	return !differ(own.ResourceGroup, there.ResourceGroup) && !differ(own.SubscriptionID, there.SubscriptionID) && !differ(there.Name, there.ManagedClusterName)
}

// before is true for the older one, and of two that were made in one second for the first by namespace.
func before(a, b *fleetwrightv1.WorkloadCluster) bool {
	if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
		return c < 0
	}
	return a.Namespace < b.Namespace
}

// sameInAzure is true for another WorkloadCluster of the same name whose resource group and subscription are, or may be, the same. What cannot
// be told is taken for the same: two who write one cluster are worse than one who waits.
func (r *Reconciler) sameInAzure(ctx context.Context, own effective.Effective, other *fleetwrightv1.WorkloadCluster) (bool, error) {
	var class *fleetwrightv1.WorkloadClusterClass
	if key := classKey(other); key.Name != "" {
		var err error
		if class, err = r.findClass(ctx, key); err != nil {
			return false, err
		}
	}
	theirs, err := effective.Of(class, other)
	if err != nil {
		return true, nil //nolint:nilerr // see above
	}
	a, b := own.Spec.Azure, theirs.Spec.Azure
	known := a.SubscriptionID != "" && b.SubscriptionID != ""
	return strings.EqualFold(a.ResourceGroup, b.ResourceGroup) && (!known || strings.EqualFold(a.SubscriptionID, b.SubscriptionID)), nil
}

// Allows is true for a namespace in which the class may be used: its own, and those that it selects.
func Allows(class *fleetwrightv1.WorkloadClusterClass, namespace *corev1.Namespace) bool {
	return class.Namespace == namespace.Name || selects(class, namespace.Labels)
}

// selects is true for a namespace that a class lets use it.
func selects(class *fleetwrightv1.WorkloadClusterClass, namespace labels.Set) bool {
	selector := class.Spec.AllowedNamespaces.Selector
	if selector == nil || len(selector.MatchLabels) == 0 && len(selector.MatchExpressions) == 0 {
		return false
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(namespace)
}
