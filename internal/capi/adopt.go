package capi

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Owner is the Nodepool that a pool is adopted for; BaseName goes on the nodes.
type Owner struct{ Nodepool, NodepoolUID, BaseName string }

// Adopt makes a pool that exists a Nodepool's: its marks on both objects, its
// label on the nodes and its tag in Azure, both in place. The pool has no
// fingerprint, as it was not made for one. A pool that is another Nodepool's is
// an error wrapping ErrNotOurs; calling it again writes nothing.
func Adopt(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, object string, by Owner, now time.Time) error {
	o, err := readObjects(ctx, reader, types.NamespacedName{Namespace: cluster.Namespace, Name: object})
	if err != nil {
		return err
	}
	for _, each := range []client.Object{o.MachinePool, o.Infra} {
		if has := markedFor(each); (has.nodepool != "" && has.nodepool != by.Nodepool) || (has.uid != "" && has.uid != by.NodepoolUID) {
			return fmt.Errorf("adopt MachinePool %s/%s for Nodepool %s: it is marked for Nodepool %q with UID %q: %w",
				cluster.Namespace, object, by.Nodepool, has.nodepool, has.uid, ErrNotOurs)
		}
	}
	name := o.View(now).Name
	before := o.Infra.DeepCopy()
	by.mark(o.Infra, cluster.Name, name)
	o.Flavor.SetOwned(o.Infra, Owned{BaseName: by.BaseName, Owner: ownerText(cluster.Namespace, by.Nodepool)})
	o.leaveCount()
	if err := patchChange(ctx, c, before, o.Infra, now); err != nil {
		return err
	}
	machinePool := o.MachinePool.DeepCopy()
	by.mark(o.MachinePool, cluster.Name, name)
	return patch(ctx, c, "adopt", machinePool, o.MachinePool)
}

func (by Owner) mark(o client.Object, cluster, agentPool string) {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[fleetwrightv1.LabelNodepool], labels[fleetwrightv1.LabelCluster] = by.Nodepool, cluster
	o.SetLabels(labels)
	annotateText(o, fleetwrightv1.AnnotationNodepoolUID, by.NodepoolUID)
	annotateText(o, fleetwrightv1.AnnotationAgentPool, agentPool)
}

// Release takes everything of Fleetwright's off both objects of a pool, which
// from then on is nobody's. What the nodes and Azure carry stays, as tenants may
// select by it. Calling it again writes nothing.
func Release(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, object string) error {
	key := types.NamespacedName{Namespace: cluster.Namespace, Name: object}
	// Each by itself: the other one may be gone.
	left := []client.Object{&clusterv1.MachinePool{}}
	for _, f := range flavors {
		left = append(left, empty(f.Kinds().Pool))
	}
	for _, each := range left {
		switch err := reader.Get(ctx, key, each); {
		case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
			continue
		case err != nil:
			return fmt.Errorf("release pool %s: %w", key, err)
		}
		before := each.DeepCopyObject().(client.Object)
		each.SetLabels(withoutOurs(each.GetLabels()))
		each.SetAnnotations(withoutOurs(each.GetAnnotations()))
		if err := patch(ctx, c, "release", before, each); err != nil {
			return err
		}
	}
	return nil
}

// ourPrefix is of every label and annotation that Fleetwright writes.
const ourPrefix = "fleetwright.io/"

func withoutOurs(in map[string]string) map[string]string {
	out := maps.Clone(in)
	maps.DeleteFunc(out, func(key, _ string) bool { return strings.HasPrefix(key, ourPrefix) })
	return out
}
