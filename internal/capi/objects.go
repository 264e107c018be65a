package capi

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// Objects are what a pool consists of in Cluster API: its two objects and the
// one related to the second. What is missing is nil.
type Objects struct {
	MachinePool    *clusterv1.MachinePool
	Infra, Related *unstructured.Unstructured
	Flavor         Flavor
}

// readObjects reads a MachinePool and the infrastructure object it names.
func readObjects(ctx context.Context, reader client.Reader, key types.NamespacedName) (Objects, error) {
	o := Objects{MachinePool: &clusterv1.MachinePool{}}
	if err := reader.Get(ctx, key, o.MachinePool); err != nil {
		return o, fmt.Errorf("read MachinePool %s: %w", key, err)
	}
	ref := o.MachinePool.Spec.Template.Spec.InfrastructureRef
	if o.Flavor = flavorOfPool(ref.Kind); o.Flavor == nil {
		return o, fmt.Errorf("read MachinePool %s: its infrastructure is of kind %q, which is not supported", key, ref.Kind)
	}
	o.Infra = empty(o.Flavor.Kinds().Pool)
	key.Name = ref.Name
	if err := reader.Get(ctx, key, o.Infra); err != nil {
		return o, fmt.Errorf("read %s %s: %w", ref.Kind, key, err)
	}
	related, err := readRelated(ctx, reader, o.Flavor, o.Infra)
	o.Related = related
	return o, err
}

func (o Objects) read() Reading { return o.Flavor.Read(o.Infra, o.Related) }

func (o Objects) scaled() bool { return o.read().Spec.Scaling != nil }

// SetInPlace changes the infrastructure object as a change in place of the pool
// needs it.
func (o Objects) SetInPlace(spec agentpool.Spec, carried *agentpool.Scaling, baseName string) {
	o.Flavor.SetInPlace(o.Infra, spec)
	o.Flavor.SetOwned(o.Infra, Owned{
		BaseName: baseName, Fingerprint: o.Infra.GetAnnotations()[fleetwrightv1.AnnotationFingerprint],
		Owner: ownerText(o.Infra.GetNamespace(), o.Infra.GetLabels()[fleetwrightv1.LabelNodepool]),
	})
	switch {
	case spec.Scaling != nil:
		o.Flavor.SetScaling(o.Infra, spec.Scaling)
	case spec.Replicas != nil && o.replicasOverruled():
		o.fix(*spec.Replicas)
	}
	o.leaveCount()
	if spec.Scaling != nil || spec.Replicas != nil {
		carry(o.Infra, carried)
	}
}

// carry keeps the autoscaler's bounds for later, or none.
func carry(infra *unstructured.Unstructured, bounds *agentpool.Scaling) {
	if bounds == nil {
		dropAnnotation(infra, fleetwrightv1.AnnotationScalingCarried)
		return
	}
	annotateText(infra, fleetwrightv1.AnnotationScalingCarried, boundsText(*bounds))
}

// View is the pool that the objects tell of.
func (o Objects) View(now time.Time) Pool {
	p := Pool{Flavor: o.Flavor.Kinds().Pool.Kind}
	var progress Progress
	if o.Infra != nil {
		progress = p.readInfra(o)
	}
	if o.MachinePool != nil {
		p.readMachinePool(o.MachinePool)
	}
	if o.Infra != nil && o.MachinePool != nil {
		p.Unmarked = markedFor(o.Infra) != markedFor(o.MachinePool)
	}
	if p.Since = p.Created; p.ProvisionStarted.Before(p.Since) {
		p.Since = p.ProvisionStarted
	}
	if !p.Made() && p.Updated.After(p.ProvisionStarted) {
		p.ProvisionStarted = p.Updated
	}
	p.Unsettled = p.pinned != nil && p.Nodepool != "" && p.Complete() && !p.Deleting
	p.readOperation(o, progress, now)
	return p
}

func (p *Pool) readMachinePool(mp *clusterv1.MachinePool) {
	if p.InfraUID == "" {
		// Half of the pool is gone: what CAPI remembers of it must not be overlooked.
		p.ProviderIDs = mp.Spec.ProviderIDList
	}
	p.Object, p.UID, p.Created = mp.Name, mp.UID, mp.CreationTimestamp.Time
	p.Deleting = p.Deleting || !mp.DeletionTimestamp.IsZero()
	p.MachineLabels = mp.Spec.Template.Labels
	p.readMarks(mp)
	_, p.Topology = mp.Labels[clusterv1.ClusterTopologyOwnedLabel]
	p.Name = cmp.Or(p.Name, mp.Annotations[fleetwrightv1.AnnotationAgentPool], mp.Name)
	p.Spec.Version = cmp.Or(withV(mp.Spec.Template.Spec.Version), p.Spec.Version)
	if mp.Spec.Replicas != nil {
		p.Replicas, p.Spec.Replicas = mp.Spec.Replicas, mp.Spec.Replicas
	}
	if p.pinned != nil {
		p.Replicas, p.Spec.Replicas = p.pinned, p.pinned
	}
	if p.Spec.Scaling != nil || p.countLeft {
		p.Spec.Replicas = nil
	}
}

func (p *Pool) readInfra(o Objects) Progress {
	p.Object, p.InfraUID, p.Created = o.Infra.GetName(), o.Infra.GetUID(), o.Infra.GetCreationTimestamp().Time
	p.Deleting = o.Infra.GetDeletionTimestamp() != nil
	p.readMarks(o.Infra)
	p.Carried = boundsIn(o.Infra.GetAnnotations()[fleetwrightv1.AnnotationScalingCarried])
	r := o.read()
	p.pinned, p.countLeft = r.Pinned, r.CountLeft
	p.Name, p.PoolID, p.ProviderIDs, p.Ready, p.made, p.Spec = r.Name, r.PoolID, r.ProviderIDs, r.Ready, r.Made, r.Spec
	p.PublicName = r.PublicName
	p.Replicas, p.SubnetID, p.PodSubnetID = r.Spec.Replicas, r.SubnetID, r.PodSubnetID
	return r.Progress
}
