// Package capi is the one place that knows the fields of Cluster API and of
// its Azure provider: small typed views to read, and the few writes Fleetwright
// makes. Everything else speaks of pools and clusters.
//
// CAPZ's kinds are read as unstructured objects, so that a newer CAPZ with more
// fields works without a release of ours.
package capi

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// FieldOwner is who writes the objects Fleetwright makes.
const FieldOwner = "fleetwright-nodepool"

// PausedAnnotation asks every controller of Cluster API to leave an object
// alone.
const PausedAnnotation = clusterv1.PausedAnnotation

// AddToScheme registers Cluster API's own kinds; CAPZ's are unstructured.
func AddToScheme(scheme *runtime.Scheme) error { return clusterv1.AddToScheme(scheme) }

func clusterAPIObjects() []client.Object {
	return []client.Object{&clusterv1.Cluster{}, &clusterv1.MachinePool{}}
}

func empty(gvk schema.GroupVersionKind) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	return u
}

// ClusterOf is the name of the Cluster an object belongs to, by CAPI's
// conventions (itself, its label, or its owner), by Fleetwright's label, or by
// the name of the managed cluster. Empty when it says none.
func ClusterOf(o client.Object) string {
	if _, isCluster := o.(*clusterv1.Cluster); isCluster {
		return o.GetName()
	}
	if mp, isPool := o.(*clusterv1.MachinePool); isPool {
		return mp.Spec.ClusterName
	}
	for _, label := range []string{clusterv1.ClusterNameLabel, fleetwrightv1.LabelCluster} {
		if name := o.GetLabels()[label]; name != "" {
			return name
		}
	}
	for _, owner := range o.GetOwnerReferences() {
		if owner.Kind == "Cluster" {
			return owner.Name
		}
	}
	return asoClusterOf(o)
}
