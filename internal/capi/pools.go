package capi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// Pool is a provider pool: a MachinePool and its infrastructure object, told
// together.
type Pool struct {
	// Object is the name both have, Name the AKS agent pool's.
	Object, Name string
	// UID is the MachinePool's, empty when it is missing; InfraUID likewise.
	UID, InfraUID types.UID
	// Flavor is the kind of its infrastructure object.
	Flavor string
	// PoolID is the agent pool's Azure resource id, empty while it is not known.
	PoolID string
	// SubnetID and PodSubnetID are the Azure resource ids of the subnets its nodes
	// and pods get their addresses from, empty while they are not known.
	SubnetID, PodSubnetID string
	Created               time.Time
	// Since is when the pool was asked for: clusterctl's move makes its objects
	// anew.
	Since    time.Time
	Deleting bool
	// Nodepool and NodepoolUID say whose it is; empty for pools that people
	// made.
	Nodepool, NodepoolUID string
	Fingerprint           string
	// Unmarked is true when one of its two objects does not say whose it is: Adopt
	// was cut off, or somebody took the marks off.
	Unmarked         bool
	ProvisionStarted time.Time
	DrainStarted     time.Time
	// EmptySince is when it was found empty on its way out, zero while it is not.
	EmptySince time.Time
	// ReplacesNodes is the number of nodes that served when it was made in their
	// place, 0 when that is not known.
	ReplacesNodes int32
	// Carried are the autoscaler's bounds from before the pool was kept from
	// growing, nil when it never was.
	Carried *agentpool.Scaling
	Spec    agentpool.Spec
	// ProviderIDs are the machines CAPZ lists for the pool.
	ProviderIDs []string
	// Ready is the infrastructure's contract field: Azure made the pool.
	Ready bool
	// Operation is what Azure does with the pool (Creating, Updating,
	// Deleting), or empty; a refused deletion is none.
	Operation string
	// Failure is Azure's last refusal, or empty; FailureSince is when CAPZ first
	// said it in these words.
	Failure      string
	FailureSince time.Time
	// Replicas is the number of nodes the pool aims at, which CAPZ writes back
	// while the autoscaler chooses it.
	Replicas *int32

	// updated is when we last wrote to one of the objects.
	updated time.Time
}

// Complete is true when both objects exist.
func (p Pool) Complete() bool { return p.UID != "" && p.InfraUID != "" }

// Made is true when Azure has the pool. CAPZ takes ready back whenever Azure
// fails; machines prove that the pool was made.
func (p Pool) Made() bool { return p.Ready || len(p.ProviderIDs) > 0 }

// updateGrace is how long a write of ours counts as an operation in flight when
// CAPZ shows none: it has to notice the change first.
const updateGrace = 30 * time.Second

// ReadPools reads all pools of a cluster, by name of their objects.
func ReadPools(ctx context.Context, reader client.Reader, key types.NamespacedName, now time.Time) ([]Pool, error) {
	cluster, err := ReadCluster(ctx, reader, key)
	if err != nil {
		return nil, err
	}
	return cluster.ReadPools(ctx, reader, now)
}

// ReadPools reads all pools of the cluster, by name of their objects.
func (c Cluster) ReadPools(ctx context.Context, reader client.Reader, now time.Time) ([]Pool, error) {
	var machinePools clusterv1.MachinePoolList
	if err := reader.List(ctx, &machinePools, client.InNamespace(c.Namespace)); err != nil {
		return nil, fmt.Errorf("list MachinePools of %s/%s: %w", c.Namespace, c.Name, err)
	}
	infra := &unstructured.UnstructuredList{}
	infra.SetGroupVersionKind(azureManagedMachinePool.GroupVersion().WithKind(azureManagedMachinePool.Kind + "List"))
	if err := reader.List(ctx, infra, client.InNamespace(c.Namespace)); err != nil {
		return nil, fmt.Errorf("list AzureManagedMachinePools of %s/%s: %w", c.Namespace, c.Name, err)
	}
	byName := make(map[string]*unstructured.Unstructured, len(infra.Items))
	for i := range infra.Items {
		byName[infra.Items[i].GetName()] = &infra.Items[i]
	}
	var out []Pool
	for i := range machinePools.Items {
		mp := &machinePools.Items[i]
		ref := mp.Spec.Template.Spec.InfrastructureRef
		if mp.Spec.ClusterName != c.Name || ref.Kind != azureManagedMachinePool.Kind {
			continue
		}
		out = append(out, c.viewPool(mp, byName[ref.Name], now))
		delete(byName, ref.Name)
	}
	for _, lone := range byName {
		// Only those that say which cluster they belong to; a person's object
		// that waits for its MachinePool does not.
		if ClusterOf(lone) == c.Name {
			out = append(out, c.viewPool(nil, lone, now))
		}
	}
	slices.SortFunc(out, func(a, b Pool) int { return strings.Compare(a.Object, b.Object) })
	return out, nil
}

// viewPool is a pool with what only its cluster tells.
func (c Cluster) viewPool(mp *clusterv1.MachinePool, infra *unstructured.Unstructured, now time.Time) Pool {
	p := viewPool(mp, infra, now)
	p.PoolID = cmp.Or(p.PoolID, c.PoolID(p.Name))
	p.SubnetID = cmp.Or(p.SubnetID, c.subnetID(cmp.Or(p.Spec.Subnet, c.nodeSubnet)))
	p.PodSubnetID = cmp.Or(p.PodSubnetID, c.subnetID(p.Spec.PodSubnet))
	return p
}

func viewPool(mp *clusterv1.MachinePool, infra *unstructured.Unstructured, now time.Time) Pool {
	var p Pool
	if infra != nil {
		p.readInfra(infra)
	}
	if mp != nil {
		p.readMachinePool(mp)
	}
	if infra != nil && mp != nil {
		p.Unmarked = markedFor(infra) != markedFor(mp)
	}
	if p.Since = p.Created; p.ProvisionStarted.Before(p.Since) {
		p.Since = p.ProvisionStarted
	}
	if !p.Made() && p.updated.After(p.ProvisionStarted) {
		p.ProvisionStarted = p.updated
	}
	p.readOperation(mp, infra, now)
	return p
}

func (p *Pool) readMachinePool(mp *clusterv1.MachinePool) {
	if p.InfraUID == "" {
		// Half of the pool is gone: what CAPI remembers of it must not be overlooked.
		p.ProviderIDs = mp.Spec.ProviderIDList
	}
	p.Object, p.UID, p.Created = mp.Name, mp.UID, mp.CreationTimestamp.Time
	p.Deleting = p.Deleting || !mp.DeletionTimestamp.IsZero()
	p.readMarks(mp)
	p.Name = cmp.Or(p.Name, mp.Annotations[fleetwrightv1.AnnotationAgentPool], mp.Name)
	p.Spec.Version = withV(mp.Spec.Template.Spec.Version)
	if p.Spec.Scaling == nil {
		p.Spec.Replicas = mp.Spec.Replicas
	}
	p.Replicas = mp.Spec.Replicas
}

func (p *Pool) readInfra(infra *unstructured.Unstructured) {
	p.Object, p.InfraUID, p.Created = infra.GetName(), infra.GetUID(), infra.GetCreationTimestamp().Time
	p.Flavor = infra.GetKind()
	p.Deleting = infra.GetDeletionTimestamp() != nil
	p.readMarks(infra)
	p.Name = stringAt(infra, "spec", "name")
	if p.Name == "" {
		p.Name = infra.GetName()
	}
	p.ProviderIDs = stringsAt(infra, "spec", "providerIDList")
	p.Ready = boolAt(infra, "status", "ready")
	p.Carried = boundsIn(infra.GetAnnotations()[fleetwrightv1.AnnotationScalingCarried])
	p.Spec = readSpec(infra)
}

func readSpec(infra *unstructured.Unstructured) agentpool.Spec {
	s := agentpool.Spec{
		Type:          stringAt(infra, "spec", "scaleSetPriority"),
		MachineType:   stringAt(infra, "spec", "sku"),
		DiskType:      stringAt(infra, "spec", "osDiskType"),
		OSType:        stringAt(infra, "spec", "osType"),
		OSSKU:         patchedSKU(stringsAt(infra, "spec", "asoManagedClustersAgentPoolPatches")),
		Zones:         stringsAt(infra, "spec", "availabilityZones"),
		Subnet:        stringAt(infra, "spec", "subnetName"),
		Mode:          stringAt(infra, "spec", "mode"),
		ScaleDownMode: stringAt(infra, "spec", "scaleDownMode"),
		Labels:        usersOwn(mapAt(infra, "spec", "nodeLabels"), aksPrefix, "fleetwright.io/"),
		Tags:          usersOwn(mapAt(infra, "spec", "additionalTags"), tagPrefix),
		Taints:        readTaints(infra),
	}
	s.DiskSizeGiB, _ = intAt(infra, "spec", "osDiskSizeGB")
	s.MaxPods, _ = intAt(infra, "spec", "maxPods")
	minSize, hasMin := intAt(infra, "spec", "scaling", "minSize")
	maxSize, hasMax := intAt(infra, "spec", "scaling", "maxSize")
	if hasMin || hasMax {
		s.Scaling = &agentpool.Scaling{Min: minSize, Max: maxSize}
	}
	return s
}

// aksPrefix is of labels and taints that AKS writes itself.
const aksPrefix = "kubernetes.azure.com/"

// usersOwn leaves out what AKS or Fleetwright added.
func usersOwn(in map[string]string, reserved ...string) map[string]string {
	out := map[string]string{}
	for k, v := range in {
		if !slices.ContainsFunc(reserved, func(prefix string) bool { return strings.HasPrefix(k, prefix) }) {
			out[k] = v
		}
	}
	return out
}

func readTaints(infra *unstructured.Unstructured) []agentpool.Taint {
	list, _, _ := unstructured.NestedSlice(infra.Object, "spec", "taints")
	var out []agentpool.Taint
	for _, item := range list {
		t, ok := item.(map[string]any)
		if !ok {
			continue
		}
		text := func(key string) string { s, _ := t[key].(string); return s }
		if strings.HasPrefix(text("key"), aksPrefix) {
			continue // AKS adds its own on Spot pools
		}
		out = append(out, agentpool.Taint{Key: text("key"), Value: text("value"), Effect: text("effect")})
	}
	return out
}

// skuPatch is how the AzureManaged* flavour is told an osSKU: it has no field
// for it and merges patches into the ASO object.
type skuPatch struct {
	Spec struct {
		OSSKU string `json:"osSKU,omitempty"`
	} `json:"spec"`
}

func patchedSKU(patches []string) string {
	sku := ""
	for _, text := range patches {
		var p skuPatch
		if json.Unmarshal([]byte(text), &p) == nil && p.Spec.OSSKU != "" {
			sku = p.Spec.OSSKU
		}
	}
	return sku
}

func (p *Pool) readOperation(mp *clusterv1.MachinePool, infra *unstructured.Unstructured, now time.Time) {
	var ready condition
	if infra != nil {
		ready = conditionOf(infra, "AgentPoolsReady")
	}
	unseen := mp != nil && ready.status == "" && !p.Ready
	switch {
	case p.Deleting:
		p.readDeletion(ready)
	case infra == nil:
	case ready.inFlight() || unseen:
		p.Operation = reasonUpdating
		// CAPZ takes ready back for the time of each change.
		if !p.Made() {
			p.Operation = reasonCreating
		}
	case mp != nil && p.justWritten(now, ready):
		p.Operation = reasonUpdating
	case ready.reason == reasonFailed:
		p.fail(ready)
	}
}

// fail takes a refusal over. CAPZ dates a condition anew whenever its words
// change.
func (p *Pool) fail(c condition) {
	p.Failure, p.FailureSince = c.message, timeOr(c.since, time.Time{})
}

func (p *Pool) readDeletion(ready condition) {
	if ready.reason == reasonDeletionFailed && !ready.inFlight() {
		p.fail(ready)
		return
	}
	p.Operation = reasonDeleting
}

// justWritten: a write of ours that CAPZ has not reacted to yet is an operation
// as well. A mark far from now, also in the future, is none.
func (p *Pool) justWritten(now time.Time, reaction condition) bool {
	return now.Sub(p.updated).Abs() < updateGrace && !timeOr(reaction.since, time.Time{}).After(p.updated)
}

func timeOr(text string, otherwise time.Time) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return otherwise
	}
	return t
}
