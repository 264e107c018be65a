package capi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// ErrNotOurs is wrapped when an object of the wanted name belongs to somebody
// else.
var ErrNotOurs = errors.New("it belongs to somebody else")

// NewPool is what CreatePool makes.
type NewPool struct {
	Object, Name string
	// Nodepool and NodepoolUID are the owner's; BaseName goes on the nodes.
	Nodepool, NodepoolUID, BaseName string
	Fingerprint                     string
	Spec                            agentpool.Spec
	Replicas                        int32
	// ReplacesNodes is the number of nodes that serve while it is made in their
	// place, 0 if it is made in nobody's.
	ReplacesNodes int32
	// Carried are the autoscaler's bounds to give the pool when it has taken over,
	// nil when Spec has them.
	Carried *agentpool.Scaling
	Started time.Time
}

// CreatePool makes the infrastructure object and the MachinePool. It may be
// called again after it was cut off; an object that is there already and is not
// this Nodepool's is an error wrapping ErrNotOurs.
func CreatePool(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, p NewPool) error {
	in, err := ReadCluster(ctx, reader, cluster)
	if err != nil {
		return err
	}
	f := flavorOfPool(in.Flavor)
	if f == nil {
		return fmt.Errorf("create pool %s/%s: the flavour of its Cluster is not known: %s", cluster.Namespace, p.Object, cmp.Or(in.Unsupported, "there is no such Cluster"))
	}
	made := p.Objects(in, f)
	for _, o := range []client.Object{made.Infra, made.MachinePool} {
		err := c.Create(ctx, o, client.FieldOwner(FieldOwner))
		if apierrors.IsAlreadyExists(err) {
			err = p.ours(ctx, reader, o)
		}
		if err != nil {
			return fmt.Errorf("create %s %s/%s: %w", kindOf(o), cluster.Namespace, p.Object, err)
		}
	}
	return nil
}

// Objects are what a pool of that cluster and flavour consists of.
func (p NewPool) Objects(c Cluster, f Flavor) Objects {
	return Objects{MachinePool: p.machinePool(c.key(), f), Infra: p.infra(c, f), Flavor: f}
}

func (p NewPool) ours(ctx context.Context, reader client.Reader, wanted client.Object) error {
	found := &metav1.PartialObjectMetadata{}
	found.SetGroupVersionKind(wanted.GetObjectKind().GroupVersionKind())
	if err := reader.Get(ctx, client.ObjectKeyFromObject(wanted), found); err != nil {
		return err
	}
	if found.Annotations[fleetwrightv1.AnnotationNodepoolUID] != p.NodepoolUID || found.Annotations[fleetwrightv1.AnnotationFingerprint] != p.Fingerprint {
		return ErrNotOurs
	}
	return nil
}

func kindOf(o client.Object) string { return o.GetObjectKind().GroupVersionKind().Kind }

func (p NewPool) meta(cluster types.NamespacedName) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: p.Object, Namespace: cluster.Namespace,
		Labels: map[string]string{
			fleetwrightv1.LabelNodepool: p.Nodepool,
			fleetwrightv1.LabelCluster:  cluster.Name,
			clusterv1.ClusterNameLabel:  cluster.Name,
		},
		Annotations: map[string]string{
			fleetwrightv1.AnnotationNodepoolUID:      p.NodepoolUID,
			fleetwrightv1.AnnotationFingerprint:      p.Fingerprint,
			fleetwrightv1.AnnotationAgentPool:        p.Name,
			fleetwrightv1.AnnotationProvisionStarted: p.Started.UTC().Format(time.RFC3339),
		},
	}
}

func (p NewPool) machinePool(cluster types.NamespacedName, f Flavor) *clusterv1.MachinePool {
	meta := p.meta(cluster)
	if p.ReplacesNodes > 0 {
		meta.Annotations[fleetwrightv1.AnnotationReplacesNodes] = strconv.Itoa(int(p.ReplacesNodes))
	}
	return &clusterv1.MachinePool{
		TypeMeta:   metav1.TypeMeta{APIVersion: clusterv1.GroupVersion.String(), Kind: "MachinePool"},
		ObjectMeta: meta,
		Spec: clusterv1.MachinePoolSpec{
			ClusterName: cluster.Name,
			Replicas:    ptr.To(p.Replicas),
			Template: clusterv1.MachineTemplateSpec{Spec: clusterv1.MachineSpec{
				ClusterName: cluster.Name,
				Version:     p.Spec.Version,
				// AKS bootstraps its nodes itself; the contract wants the field.
				Bootstrap: clusterv1.Bootstrap{DataSecretName: ptr.To("")},
				InfrastructureRef: clusterv1.ContractVersionedObjectReference{
					APIGroup: f.Kinds().Pool.Group, Kind: f.Kinds().Pool.Kind, Name: p.Object,
				},
			}},
		},
	}
}

func (p NewPool) infra(c Cluster, f Flavor) *unstructured.Unstructured {
	u := empty(f.Kinds().Pool)
	meta := p.meta(c.key())
	u.SetName(meta.Name)
	u.SetNamespace(meta.Namespace)
	// CAPI sets its label together with the owner. CAPZ finds pools by the label and, when one has no owner yet, stops
	// looking at the whole control plane until its next resync: controllers/azuremanagedcontrolplane_controller.go wraps
	// a nil error there.
	delete(meta.Labels, clusterv1.ClusterNameLabel)
	u.SetLabels(meta.Labels)
	u.SetAnnotations(meta.Annotations)
	f.Build(u, c, p)
	f.SetInPlace(u, p.Spec)
	if p.Carried != nil {
		carry(u, p.Carried)
	}
	if p.Spec.Scaling != nil {
		f.SetScaling(u, p.Spec.Scaling)
	}
	f.SetOwned(u, Owned{BaseName: p.BaseName, Fingerprint: p.Fingerprint, Owner: ownerText(c.Namespace, p.Nodepool)})
	return u
}

// ownerText is how a Nodepool is named in Azure.
func ownerText(namespace, nodepool string) string { return namespace + "/" + nodepool }

func specOf(u *unstructured.Unstructured) map[string]any {
	spec, isMap := u.Object["spec"].(map[string]any)
	if !isMap {
		spec = map[string]any{}
		u.Object["spec"] = spec
	}
	return spec
}

func setText(m map[string]any, key, value string) {
	if value != "" {
		m[key] = value
	}
}

func setNumber(m map[string]any, key string, value int32) {
	if value != 0 {
		m[key] = int64(value)
	}
}

func anyList(in []string) []any {
	out := make([]any, 0, len(in))
	for _, s := range in {
		out = append(out, s)
	}
	return out
}

func anyMap(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}
