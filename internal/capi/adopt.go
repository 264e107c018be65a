package capi

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
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
	p, err := readPair(ctx, reader, types.NamespacedName{Namespace: cluster.Namespace, Name: object})
	if err != nil {
		return err
	}
	for _, o := range []client.Object{p.mp, p.infra} {
		if has := markedFor(o); (has.nodepool != "" && has.nodepool != by.Nodepool) || (has.uid != "" && has.uid != by.NodepoolUID) {
			return fmt.Errorf("adopt MachinePool %s/%s for Nodepool %s: it is marked for Nodepool %q with UID %q: %w",
				cluster.Namespace, object, by.Nodepool, has.nodepool, has.uid, ErrNotOurs)
		}
	}
	name := viewPool(p.mp, p.infra, now).Name
	before := p.infra.DeepCopy()
	by.mark(p.infra, cluster.Name, name)
	setOwned(p.infra, owned{baseName: by.BaseName, owner: cluster.Namespace + "/" + by.Nodepool})
	if err := patchChange(ctx, c, before, p.infra, now); err != nil {
		return err
	}
	machinePool := p.mp.DeepCopy()
	by.mark(p.mp, cluster.Name, name)
	return patch(ctx, c, "adopt", machinePool, p.mp)
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
	p, err := readPair(ctx, reader, types.NamespacedName{Namespace: cluster.Namespace, Name: object})
	if err != nil {
		return err
	}
	for _, o := range []client.Object{p.infra, p.mp} {
		before := o.DeepCopyObject().(client.Object)
		o.SetLabels(withoutOurs(o.GetLabels()))
		o.SetAnnotations(withoutOurs(o.GetAnnotations()))
		if err := patch(ctx, c, "release", before, o); err != nil {
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
