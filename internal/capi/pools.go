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
	Created       time.Time
	Deleting      bool
	// Nodepool and NodepoolUID say whose it is; empty for pools that people
	// made.
	Nodepool, NodepoolUID string
	Fingerprint           string
	ProvisionStarted      time.Time
	DrainStarted          time.Time
	Spec                  agentpool.Spec
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
func ReadPools(ctx context.Context, reader client.Reader, cluster types.NamespacedName, now time.Time) ([]Pool, error) {
	var machinePools clusterv1.MachinePoolList
	if err := reader.List(ctx, &machinePools, client.InNamespace(cluster.Namespace)); err != nil {
		return nil, fmt.Errorf("list MachinePools of %s: %w", cluster, err)
	}
	infra := &unstructured.UnstructuredList{}
	infra.SetGroupVersionKind(azureManagedMachinePool.GroupVersion().WithKind(azureManagedMachinePool.Kind + "List"))
	if err := reader.List(ctx, infra, client.InNamespace(cluster.Namespace)); err != nil {
		return nil, fmt.Errorf("list AzureManagedMachinePools of %s: %w", cluster, err)
	}
	byName := make(map[string]*unstructured.Unstructured, len(infra.Items))
	for i := range infra.Items {
		byName[infra.Items[i].GetName()] = &infra.Items[i]
	}
	var out []Pool
	for i := range machinePools.Items {
		mp := &machinePools.Items[i]
		ref := mp.Spec.Template.Spec.InfrastructureRef
		if mp.Spec.ClusterName != cluster.Name || ref.Kind != azureManagedMachinePool.Kind {
			continue
		}
		out = append(out, viewPool(mp, byName[ref.Name], now))
		delete(byName, ref.Name)
	}
	for _, lone := range byName {
		// Only those that say which cluster they belong to; a person's object
		// that waits for its MachinePool does not.
		if ClusterOf(lone) == cluster.Name {
			out = append(out, viewPool(nil, lone, now))
		}
	}
	slices.SortFunc(out, func(a, b Pool) int { return strings.Compare(a.Object, b.Object) })
	return out, nil
}

func viewPool(mp *clusterv1.MachinePool, infra *unstructured.Unstructured, now time.Time) Pool {
	var p Pool
	if infra != nil {
		p.readInfra(infra)
	}
	if mp != nil {
		p.readMachinePool(mp)
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

// readMarks reads ours; what one of the two objects lost, the other one tells.
func (p *Pool) readMarks(o client.Object) {
	annotations := o.GetAnnotations()
	p.Nodepool = cmp.Or(o.GetLabels()[fleetwrightv1.LabelNodepool], p.Nodepool)
	p.NodepoolUID = cmp.Or(annotations[fleetwrightv1.AnnotationNodepoolUID], p.NodepoolUID)
	p.Fingerprint = cmp.Or(annotations[fleetwrightv1.AnnotationFingerprint], p.Fingerprint)
	p.ProvisionStarted = timeOr(annotations[fleetwrightv1.AnnotationProvisionStarted], p.Created)
	p.DrainStarted = timeOr(annotations[fleetwrightv1.AnnotationDrainStarted], time.Time{})
	if updated := timeOr(annotations[fleetwrightv1.AnnotationUpdateStarted], time.Time{}); updated.After(p.updated) {
		p.updated = updated
	}
}

func (p *Pool) readInfra(infra *unstructured.Unstructured) {
	p.Object, p.InfraUID, p.Created = infra.GetName(), infra.GetUID(), infra.GetCreationTimestamp().Time
	p.Deleting = infra.GetDeletionTimestamp() != nil
	p.readMarks(infra)
	p.Name = stringAt(infra, "spec", "name")
	if p.Name == "" {
		p.Name = infra.GetName()
	}
	p.ProviderIDs = stringsAt(infra, "spec", "providerIDList")
	p.Ready = boolAt(infra, "status", "ready")
	p.Spec = readSpec(infra)
}

func readSpec(infra *unstructured.Unstructured) agentpool.Spec {
	s := agentpool.Spec{
		Type:        stringAt(infra, "spec", "scaleSetPriority"),
		MachineType: stringAt(infra, "spec", "sku"),
		DiskType:    stringAt(infra, "spec", "osDiskType"),
		OSType:      stringAt(infra, "spec", "osType"),
		OSSKU:       patchedSKU(stringsAt(infra, "spec", "asoManagedClustersAgentPoolPatches")),
		Zones:       stringsAt(infra, "spec", "availabilityZones"),
		Subnet:      stringAt(infra, "spec", "subnetName"),
		Mode:        stringAt(infra, "spec", "mode"),
		Labels:      usersOwn(mapAt(infra, "spec", "nodeLabels"), aksPrefix, "fleetwright.io/"),
		Tags:        usersOwn(mapAt(infra, "spec", "additionalTags"), tagPrefix),
		Taints:      readTaints(infra),
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
