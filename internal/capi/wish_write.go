package capi

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// +kubebuilder:rbac:groups=cluster.x-k8s.io,resources=clusters,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=infrastructure.cluster.x-k8s.io,resources=azuremanagedclusters;azuremanagedcontrolplanes,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=infrastructure.cluster.x-k8s.io,resources=azureasomanagedclusters;azureasomanagedcontrolplanes,verbs=get;list;watch;create;patch;delete

// ErrLeaving is wrapped when a Cluster that is to be changed is being deleted.
var ErrLeaving = errors.New("it is being deleted")

// ApplyCluster brings the objects to the API server. Without adopt, one that is there and not ours is ErrNotOurs; one that another WorkloadCluster
// has is so with adopt as well. It writes nothing when nothing differs, never forces, and fails with a conflict when somebody else wrote since it
// read. What CAPZ or the API server refuses about the content is an Invalid of apierrors.
func ApplyCluster(ctx context.Context, c client.Client, live client.Reader, w Wish, adopt bool) error {
	p, cluster, err := readParts(ctx, live, w)
	if err != nil {
		return err
	}
	if err := p.appliable(cluster); err != nil {
		return fmt.Errorf("apply Cluster %s: %w", w.key(), err)
	}
	w.Names = p.names()
	objects, err := WishedObjects(w)
	if err != nil {
		return err
	}
	// All are looked at before the first is written.
	if err := p.mayApply(objects, w.Name, adopt); err != nil {
		return err
	}
	for _, wished := range objects {
		if err := p.apply(ctx, c, wished); err != nil {
			return err
		}
	}
	return nil
}

// appliable is why nobody may write such a Cluster's objects, nil for nothing.
func (p *parts) appliable(c Cluster) error {
	switch {
	case c.Deleting:
		return ErrLeaving
	case p.cluster != nil && p.cluster.Spec.Topology.IsDefined():
		return fmt.Errorf("its ClusterClass %s has the word on its objects: %w", p.cluster.Spec.Topology.ClassRef.Name, ErrNotOurs)
	case c.Unsupported != "":
		return fmt.Errorf("%s: %w", c.Unsupported, ErrNotOurs)
	}
	return nil
}

// mayApply is nil when all objects that are there are of these kinds, and ours or to be adopted.
func (p *parts) mayApply(objects []WishedObject, name string, adopt bool) error {
	if infrastructure := objects[0]; p.cluster != nil && p.flavor.Kinds().Cluster != infrastructure.Kind {
		return fmt.Errorf("apply %s: the infrastructure of its Cluster is %s: %w", infrastructure.text(), p.flavor.Kinds().Cluster, ErrNotOurs)
	}
	for _, wished := range objects {
		there, err := p.of(wished.Kind)
		if err != nil {
			return err
		}
		if owner := ownerOf(there); there != nil && owner != name && (!adopt || owner != "") {
			return fmt.Errorf("apply %s: it is of WorkloadCluster %q: %w", wished.text(), owner, ErrNotOurs)
		}
	}
	return nil
}

// ownerOf is the WorkloadCluster that an object is of, empty for nobody's.
func ownerOf(there map[string]any) string {
	owner, _ := treeIn(there, "metadata", "labels")[fleetwrightv1.LabelWorkloadCluster].(string)
	return owner
}

func (p *parts) apply(ctx context.Context, c client.Client, wished WishedObject) error {
	there, err := p.of(wished.Kind)
	if err != nil {
		return err
	}
	merged, _, err := wished.Merged(there)
	if err != nil {
		return err
	}
	after := &unstructured.Unstructured{Object: merged}
	owner := client.FieldOwner(WorkloadClusterFieldOwner)
	if there == nil {
		if err := c.Create(ctx, after, owner); err != nil {
			return fmt.Errorf("create %s: %w", wished.text(), err)
		}
		return nil
	}
	if equality.Semantic.DeepEqual(there, merged) {
		return nil
	}
	lock := client.MergeFromWithOptions(&unstructured.Unstructured{Object: there}, client.MergeFromWithOptimisticLock{})
	if err := c.Patch(ctx, after, lock, owner); err != nil {
		return fmt.Errorf("change %s: %w", wished.text(), err)
	}
	return nil
}

// DeleteCluster deletes the Cluster if it is ours and has this UID; Cluster API then deletes the rest. Without a UID, and while there is no
// Cluster, it deletes those of CAPZ's objects that are ours and no Cluster's.
func DeleteCluster(ctx context.Context, c client.Client, live client.Reader, key types.NamespacedName, uid types.UID) error {
	p, _, err := readParts(ctx, live, Wish{Namespace: key.Namespace, Name: key.Name})
	if err != nil {
		return err
	}
	if p.cluster != nil {
		switch {
		case uid == "":
			return fmt.Errorf("delete Cluster %s: it was not read, so it is not deleted", key)
		case !isOurs(p.cluster, key.Name):
			return fmt.Errorf("delete Cluster %s: %w", key, ErrNotOurs)
		}
		return deleteOne(ctx, c, &clusterv1.Cluster{ObjectMeta: p.cluster.ObjectMeta}, "Cluster", uid)
	}
	for _, o := range []*unstructured.Unstructured{p.controlPlane, p.infrastructure} {
		if !isOurs(o, key.Name) || hasOwnerCluster(o) {
			continue
		}
		if err := deleteOne(ctx, c, o, o.GetKind(), o.GetUID()); err != nil {
			return err
		}
	}
	return nil
}

func hasOwnerCluster(o client.Object) bool {
	for _, owner := range o.GetOwnerReferences() {
		if owner.Kind == "Cluster" {
			return true
		}
	}
	return false
}

// ReleaseCluster is the reverse of adoption: it takes off all three objects what makes them ours. Everything that works on stays: the labels by
// which add-ons are installed, the cap of the nodes, and each value.
func ReleaseCluster(ctx context.Context, c client.Client, live client.Reader, key types.NamespacedName) error {
	p, _, err := readParts(ctx, live, Wish{Namespace: key.Namespace, Name: key.Name})
	if err != nil {
		return err
	}
	// The Cluster last: while it is ours, this is called again.
	var all []client.Object
	for _, o := range []*unstructured.Unstructured{p.infrastructure, p.controlPlane} {
		if o != nil {
			all = append(all, o)
		}
	}
	if p.cluster != nil {
		all = append(all, p.cluster)
	}
	for _, o := range all {
		if !isOurs(o, key.Name) {
			continue
		}
		before := o.DeepCopyObject().(client.Object)
		labels := o.GetLabels()
		delete(labels, fleetwrightv1.LabelWorkloadCluster)
		delete(labels, fleetwrightv1.LabelCluster)
		o.SetLabels(labels)
		dropAnnotation(o, fleetwrightv1.AnnotationApplied)
		lock := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		if err := c.Patch(ctx, o, lock, client.FieldOwner(WorkloadClusterFieldOwner)); err != nil {
			return fmt.Errorf("release %s: %w", client.ObjectKeyFromObject(o), err)
		}
	}
	return nil
}
