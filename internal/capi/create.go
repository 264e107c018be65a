package capi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
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

// Azure tags by which a pool is found again without the management cluster.
const (
	tagPrefix      = "fleetwright-"
	tagFingerprint = tagPrefix + "fingerprint"
	tagOwner       = tagPrefix + "owner"
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
	Started       time.Time
}

// CreatePool makes the infrastructure object and the MachinePool. It may be
// called again after it was cut off; an object that is there already and is not
// this Nodepool's is an error wrapping ErrNotOurs.
func CreatePool(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, p NewPool) error {
	for _, o := range []client.Object{p.infra(cluster), p.machinePool(cluster)} {
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

func (p NewPool) machinePool(cluster types.NamespacedName) *clusterv1.MachinePool {
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
					APIGroup: infraGroup, Kind: azureManagedMachinePool.Kind, Name: p.Object,
				},
			}},
		},
	}
}

func (p NewPool) infra(cluster types.NamespacedName) *unstructured.Unstructured {
	u := empty(azureManagedMachinePool)
	meta := p.meta(cluster)
	u.SetName(meta.Name)
	u.SetNamespace(meta.Namespace)
	// CAPI sets its label together with the owner. CAPZ finds pools by the label and, when one has no owner yet, stops
	// looking at the whole control plane until its next resync: controllers/azuremanagedcontrolplane_controller.go wraps
	// a nil error there.
	delete(meta.Labels, clusterv1.ClusterNameLabel)
	u.SetLabels(meta.Labels)
	u.SetAnnotations(meta.Annotations)
	s := p.Spec
	mode := s.Mode
	if mode == "" {
		mode = string(fleetwrightv1.NodepoolModeUser)
	}
	spec := map[string]any{"name": p.Name, "mode": mode, "sku": s.MachineType}
	setText(spec, "scaleSetPriority", s.Type)
	setText(spec, "osDiskType", s.DiskType)
	setText(spec, "osType", s.OSType)
	setText(spec, "subnetName", s.Subnet)
	setNumber(spec, "osDiskSizeGB", s.DiskSizeGiB)
	setNumber(spec, "maxPods", s.MaxPods)
	if len(s.Zones) > 0 {
		spec["availabilityZones"] = anyList(s.Zones)
	}
	if s.OSSKU != "" {
		var patch skuPatch
		patch.Spec.OSSKU = s.OSSKU
		text, _ := json.Marshal(patch)
		spec["asoManagedClustersAgentPoolPatches"] = []any{string(text)}
	}
	u.Object["spec"] = spec
	setInPlace(u, s, owned{baseName: p.BaseName, fingerprint: p.Fingerprint, owner: cluster.Namespace + "/" + p.Nodepool})
	return u
}

// owned is what Fleetwright itself adds to labels and tags.
type owned struct{ baseName, fingerprint, owner string }

// aksOwn keeps what AKS added: taking it off would be put back for ever
// (kubernetes-sigs/cluster-api-provider-azure#3976, #4116).
func aksOwn(in map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range in {
		if strings.HasPrefix(k, aksPrefix) {
			out[k] = v
		}
	}
	return out
}

func aksTaints(u *unstructured.Unstructured) []any {
	list, _, _ := unstructured.NestedSlice(u.Object, "spec", "taints")
	return slices.DeleteFunc(list, func(item any) bool {
		t, _ := item.(map[string]any)
		key, _ := t["key"].(string)
		return !strings.HasPrefix(key, aksPrefix)
	})
}

// setInPlace writes the fields that AKS changes without touching a node.
func setInPlace(u *unstructured.Unstructured, s agentpool.Spec, ours owned) {
	spec := specOf(u)
	if s.Mode != "" {
		spec["mode"] = s.Mode
	}
	labels := aksOwn(mapAt(u, "spec", "nodeLabels"))
	maps.Copy(labels, s.Labels)
	spec["nodeLabels"] = anyMap(labels)
	spec["additionalTags"] = anyMap(s.Tags)
	setOwned(u, ours)
	list := aksTaints(u)
	for _, t := range s.Taints {
		list = append(list, map[string]any{"key": t.Key, "value": t.Value, "effect": t.Effect})
	}
	if delete(spec, "taints"); len(list) > 0 {
		spec["taints"] = list
	}
	setText(spec, "scaleDownMode", s.ScaleDownMode)
	if s.Scaling != nil || s.Replicas != nil {
		setScaling(u, s.Scaling)
	}
}

// setOwned adds Fleetwright's own label and tags to those that are there.
func setOwned(u *unstructured.Unstructured, ours owned) {
	spec := specOf(u)
	labels, tags := mapAt(u, "spec", "nodeLabels"), mapAt(u, "spec", "additionalTags")
	if labels == nil {
		labels = map[string]string{}
	}
	if tags == nil {
		tags = map[string]string{}
	}
	labels[fleetwrightv1.LabelNodepool] = ours.baseName
	// A pool that was adopted was made for no fingerprint.
	setTag(tags, tagFingerprint, ours.fingerprint)
	setTag(tags, tagOwner, ours.owner)
	spec["nodeLabels"], spec["additionalTags"] = anyMap(labels), anyMap(tags)
}

// setScaling writes the autoscaler's bounds, nil for no autoscaler.
func setScaling(u *unstructured.Unstructured, s *agentpool.Scaling) {
	spec := specOf(u)
	if s == nil {
		delete(spec, "scaling")
		return
	}
	spec["scaling"] = map[string]any{"minSize": int64(s.Min), "maxSize": int64(s.Max)}
}

func specOf(u *unstructured.Unstructured) map[string]any {
	spec, isMap := u.Object["spec"].(map[string]any)
	if !isMap {
		spec = map[string]any{}
		u.Object["spec"] = spec
	}
	return spec
}

func setTag(tags map[string]string, key, value string) {
	if value != "" {
		tags[key] = value
	}
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
