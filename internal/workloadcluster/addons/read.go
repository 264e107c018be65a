package addons

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// +kubebuilder:rbac:groups=addons.cluster.x-k8s.io,resources=clusterresourcesets;clusterresourcesetbindings;helmchartproxies;helmreleaseproxies,verbs=get;list;watch
// +kubebuilder:rbac:groups=helm.toolkit.fluxcd.io,resources=helmreleases,verbs=get
// +kubebuilder:rbac:groups=kustomize.toolkit.fluxcd.io,resources=kustomizations,verbs=get
// +kubebuilder:rbac:groups=argoproj.io,resources=applications,verbs=get

// Labels by which a HelmReleaseProxy is found; its name is generated.
const (
	labelClusterName    = "cluster.x-k8s.io/cluster-name"
	labelHelmChartProxy = "helmreleaseproxy.addons.cluster.x-k8s.io/helmchartproxy-name"
)

// Workload reads single objects of workload clusters.
type Workload interface {
	// Object is nil for one that is not there, or whose kind the cluster does not know.
	Object(ctx context.Context, cluster types.NamespacedName, kind schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error)
}

// Read looks at one add-on: two requests at most to the management cluster, and one to the workload cluster for each object of its health, which are
// asked only when what installs the add-on has something for this cluster. The reader should not be a cache: it would have one of every kind.
func Read(ctx context.Context, reader client.Reader, mapper meta.RESTMapper, wl Workload, cluster types.NamespacedName, a fleetwrightv1.WorkloadClusterAddon) (Observed, error) {
	o := Observed{Sought: Object(cluster, a)}
	mapping, err := mappingOf(mapper, a.Kind)
	switch {
	case meta.IsNoMatchError(err):
		return o, nil
	case err != nil:
		return o, fmt.Errorf("ask whether the API server has %s: %w", a.Kind, err)
	}
	o.Served = true
	object, err := get(ctx, reader, mapping.GroupVersionKind, o.Sought)
	if err != nil {
		return o, err
	}
	if !selects(a.Kind) {
		o.PerCluster = object
	} else {
		o.Source = object
		if o.PerCluster, err = perCluster(ctx, reader, mapping.GroupVersionKind, cluster, o.Sought.Name); err != nil {
			return o, err
		}
	}
	if o.PerCluster != nil {
		o.Health, o.Unread = health(ctx, wl, cluster, a.Health)
	}
	return o, nil
}

// versions are those in which projects serve their kinds.
var versions = map[fleetwrightv1.AddonKind][]string{
	fleetwrightv1.AddonKindClusterResourceSet: {"v1beta2", "v1beta1"},
	fleetwrightv1.AddonKindHelmChartProxy:     {"v1alpha1"},
	fleetwrightv1.AddonKindHelmRelease:        {"v2"},
	fleetwrightv1.AddonKindKustomization:      {"v1"},
	fleetwrightv1.AddonKindApplication:        {"v1alpha1"},
}

// mappingOf asks for the version that the API server prefers. A mapper that discovers what there is keeps what it knows of a group, and looks for more
// only when a version is named: the provider for Helm may come later than Cluster API, whose group it shares.
func mappingOf(mapper meta.RESTMapper, kind fleetwrightv1.AddonKind) (*meta.RESTMapping, error) {
	mapping, err := mapper.RESTMapping(GroupKind(kind))
	if meta.IsNoMatchError(err) {
		return mapper.RESTMapping(GroupKind(kind), versions[kind]...)
	}
	return mapping, err
}

// perCluster is what a ClusterResourceSet or a HelmChartProxy has made for one cluster.
func perCluster(ctx context.Context, reader client.Reader, source schema.GroupVersionKind, cluster types.NamespacedName, name string) (*unstructured.Unstructured, error) {
	if source.Kind == string(fleetwrightv1.AddonKindClusterResourceSet) {
		return get(ctx, reader, source.GroupVersion().WithKind("ClusterResourceSetBinding"), cluster)
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(source.GroupVersion().WithKind(helmReleaseProxy + "List"))
	err := reader.List(ctx, list, client.InNamespace(cluster.Namespace), client.MatchingLabels{labelClusterName: cluster.Name, labelHelmChartProxy: name})
	switch {
	case err != nil:
		return nil, fmt.Errorf("list HelmReleaseProxies of cluster %s: %w", cluster, err)
	case len(list.Items) == 0:
		return nil, nil //nolint:nilnil // nil is what is not there
	}
	return &list.Items[0], nil
}

func get(ctx context.Context, reader client.Reader, kind schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	err := reader.Get(ctx, key, u)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // nil is what is not there
	case err != nil:
		return nil, fmt.Errorf("read %s %s: %w", kind.Kind, key, err)
	}
	return u, nil
}

// health reads the objects of the workload cluster. That it does not answer is a fact about the add-on and no failure.
func health(ctx context.Context, wl Workload, cluster types.NamespacedName, wanted []fleetwrightv1.AddonHealthObject) (objects []*unstructured.Unstructured, unread string) {
	for _, h := range wanted {
		u, err := wl.Object(ctx, cluster, schema.FromAPIVersionAndKind(h.APIVersion, h.Kind), types.NamespacedName{Namespace: h.Namespace, Name: h.Name})
		if err != nil {
			return objects, fmt.Sprintf("%s: %v", in(h), err)
		}
		objects = append(objects, u)
	}
	return objects, ""
}
