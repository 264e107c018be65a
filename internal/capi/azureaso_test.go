package capi

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// The whole object that CAPZ hands to Azure Service Operator, without what CAPZ
// itself puts in from the MachinePool: version and number of nodes.
func TestResourceOfANewPool(t *testing.T) {
	s := newStage(t, AzureASOManaged{}, generalx(agentpool.Spec{
		Version: "v1.34.2", MachineType: "D4", Type: "Spot", SpotMaxPrice: "0.25", DiskSizeGiB: 128, Zones: []string{"1"}, Subnet: "nodes",
		Taints: []agentpool.Taint{{Key: "k", Effect: "NoSchedule"}}, Scaling: &agentpool.Scaling{Min: 3, Max: 40},
		Overrides: map[string]string{"kubeletConfig.podMaxPids": "512"},
	}))
	resources, _ := treeAt(s.infra(), "spec")["resources"].([]any)
	want := []any{map[string]any{
		"apiVersion": "containerservice.azure.com/v1api20250801", "kind": "ManagedClustersAgentPool",
		"metadata": map[string]any{"name": "o", "annotations": map[string]any{"serviceoperator.azure.com/credential-from": "secret"}},
		"spec": map[string]any{
			"azureName": "generalx", "owner": map[string]any{"name": "mc"}, "type": "VirtualMachineScaleSets", "mode": "User", "vmSize": "D4",
			"scaleSetPriority": "Spot", "spotMaxPrice": 0.25, "osDiskSizeGB": int64(128), "availabilityZones": []any{"1"},
			"vnetSubnetReference": map[string]any{"group": "network.azure.com", "kind": "VirtualNetworksSubnet", "name": "nodes"},
			"nodeTaints":          []any{"k=:NoSchedule"},
			"nodeLabels":          map[string]any{"fleetwright.io/nodepool": "general"},
			"tags":                map[string]any{"fleetwright-fingerprint": "1:f", "fleetwright-owner": "prod-eu/np"},
			"enableAutoScaling":   true, "minCount": int64(3), "maxCount": int64(40),
			"kubeletConfig": map[string]any{"podMaxPids": int64(512)},
		},
	}}
	if diff := cmp.Diff(want, resources); diff != "" {
		t.Error(diff)
	}
	ref := s.machinePool().Spec.Template.Spec.InfrastructureRef
	if ref.Kind != "AzureASOManagedMachinePool" || ref.APIGroup != "infrastructure.cluster.x-k8s.io" || ref.Name != "o" {
		t.Errorf("the MachinePool names %v", ref)
	}
}

func TestPreviewFieldsNeedThePreviewsVersion(t *testing.T) {
	s := newStage(t, AzureASOManaged{}, generalx(agentpool.Spec{MachineType: "D4", Overrides: map[string]string{"upgradeStrategy": `"BlueGreen"`}}))
	if got := resourceIn(s.infra(), "ManagedClustersAgentPool").GetAPIVersion(); got != "containerservice.azure.com/v20251002preview" {
		t.Errorf("written as %s", got)
	}
}

// CAPZ says only whether a pool is ready: how far Azure has come, and what it
// refused, Azure Service Operator says.
func TestProgressOfAnASOPool(t *testing.T) {
	ready := func(severity, reason, message string) map[string]any {
		return map[string]any{
			"type": "Ready", "status": "False", "severity": severity, "reason": reason, "message": message,
			"observedGeneration": int64(2), "lastTransitionTime": "2026-11-23T11:00:00Z",
		}
	}
	const busy = "Operation is not allowed: Another agentpool operation (np1 - Creating) is in progress, please wait for it"
	cases := map[string]struct {
		condition          map[string]any
		state              string
		capzReady, deleted bool
		operation, failure string
		made               bool
	}{
		"not looked at":                 {operation: "Creating"},
		"being made":                    {condition: ready("Info", "Reconciling", "under way"), state: "Creating", operation: "Creating"},
		"being changed":                 {condition: ready("Info", "Reconciling", "under way"), state: "Updating", operation: "Updating", made: true},
		"waits for its cluster":         {condition: ready("Warning", "WaitingForOwner", "mc"), operation: "Creating"},
		"waits for another":             {condition: ready("Warning", "OperationNotAllowed", busy), operation: "Creating"},
		"waits for another, by code":    {condition: ready("Warning", "AnotherOperationInProgress", "try later"), operation: "Creating"},
		"refused, tried again":          {condition: ready("Warning", "QuotaExceeded", "none left"), state: "Failed", failure: "QuotaExceeded: none left"},
		"refused for good":              {condition: ready("Error", "InvalidParameter", "InvalidParameter: no such size"), failure: "InvalidParameter: no such size"},
		"refused for good, in progress": {condition: ready("Error", "OperationNotAllowed", busy), failure: "OperationNotAllowed: " + busy},
		"a subnet that is not there":    {condition: ready("Warning", "ReferenceNotFound", "nodes"), failure: "ReferenceNotFound: nodes"},
		"refused, changed since": {
			condition: map[string]any{"type": "Ready", "status": "False", "severity": "Error", "reason": "x", "observedGeneration": int64(1)}, operation: "Creating",
		},
		"made":                            {condition: map[string]any{"type": "Ready", "status": "True", "observedGeneration": int64(2)}, state: "Succeeded", capzReady: true, made: true},
		"made, CAPZ has not looked since": {condition: map[string]any{"type": "Ready", "status": "True", "observedGeneration": int64(2)}, state: "Succeeded", made: true},
		"being deleted":                   {condition: ready("Info", "Deleting", "under way"), state: "Deleting", deleted: true, operation: "Deleting", made: true},
		"not to be deleted":               {condition: ready("Warning", "ScopeLocked", "a lock"), state: "Succeeded", deleted: true, failure: "ScopeLocked: a lock", made: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := generalx(agentpool.Spec{MachineType: "D4"}).Objects(prod, AzureASOManaged{})
			p.MachinePool.UID, p.MachinePool.Annotations = "m", nil
			p.Infra.Object["status"] = map[string]any{"ready": tc.capzReady}
			if tc.deleted {
				p.Infra.SetDeletionTimestamp(&metav1.Time{Time: now})
			}
			if tc.condition != nil {
				p.Related = objectOf(asoAgentPool, "o", map[string]any{"status": map[string]any{"provisioningState": tc.state, "conditions": []any{tc.condition}}})
				p.Related.SetGeneration(2)
			}
			got := p.View(now)
			if got.Operation != tc.operation || got.Failure != tc.failure || got.Made() != tc.made {
				t.Errorf("operation %q, failure %q, made %t; want %q, %q, %t", got.Operation, got.Failure, got.Made(), tc.operation, tc.failure, tc.made)
			}
			if got.Failure != "" && got.FailureSince.IsZero() {
				t.Error("it is not known since when it fails")
			}
		})
	}
}

// A refusal is seen at once only if it wakes the Nodepools of the cluster.
func TestClusterOfAnASOObject(t *testing.T) {
	pool := objectOf(asoAgentPool, "o", map[string]any{"spec": map[string]any{"owner": map[string]any{"name": "prod"}}})
	for _, o := range []*unstructured.Unstructured{pool, objectOf(asoManagedCluster, "prod", map[string]any{})} {
		if got := ClusterOf(o); got != "prod" {
			t.Errorf("%s is of cluster %q", o.GetKind(), got)
		}
	}
	if got := ClusterOf(objectOf(azureManagedMachinePool, "prod", map[string]any{})); got != "" {
		t.Errorf("a person's pool is of cluster %q, though it says none", got)
	}
}

// CAPZ's own adoption of a pool makes a MachinePool without version.
func TestVersionOfAPoolThatCAPZAdopted(t *testing.T) {
	p := generalx(agentpool.Spec{MachineType: "D4"}).Objects(prod, AzureASOManaged{})
	specOf(resourceIn(p.Infra, "ManagedClustersAgentPool"))["orchestratorVersion"] = "1.33.5"
	if got := p.View(now).Spec.Version; got != "v1.33.5" {
		t.Errorf("version %q", got)
	}
	p.MachinePool.Spec.Template.Spec.Version = "v1.34.2"
	if got := p.View(now).Spec.Version; got != "v1.34.2" {
		t.Errorf("version %q, the MachinePool's is the one that holds", got)
	}
}

func TestASOControlPlane(t *testing.T) {
	reconciling := []any{map[string]any{"type": "Ready", "status": "False", "severity": "Info", "reason": "Reconciling"}}
	done := []any{map[string]any{"type": "Ready", "status": "True"}}
	busy := []any{map[string]any{"type": "Ready", "status": "False", "severity": "Warning", "reason": "OperationNotAllowed", "message": "is in progress, please wait"}}
	cases := map[string]struct {
		initialized        bool
		wanted, running    string
		conditions         []any
		version, operation string
	}{
		"being made":               {false, "v1.34.2", "", reconciling, "v1.34.2", ""},
		"done":                     {true, "v1.34.2", "1.34.2", done, "v1.34.2", ""},
		"being changed":            {true, "v1.34.2", "1.34.2", reconciling, "v1.34.2", "Updating"},
		"being upgraded":           {true, "v1.34.2", "1.33.5", reconciling, "v1.33.5", "Upgrading"},
		"auto-upgraded":            {true, "v1.33.5", "1.34.2", done, "v1.34.2", ""},
		"waits for pools":          {true, "v1.34.2", "1.33.5", busy, "v1.33.5", ""},
		"not known since a moment": {true, "v1.34.2", "", nil, "v1.34.2", "Updating"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, AzureASOManaged{}, generalx(agentpool.Spec{MachineType: "D4"}))
			var c clusterv1.Cluster
			if err := s.client.Get(t.Context(), key, &c); err != nil {
				t.Fatal(err)
			}
			// CAPZ takes its own initialized back during a change; CAPI does not.
			c.Status.Initialization.ControlPlaneInitialized = &tc.initialized
			if err := s.client.Update(t.Context(), &c); err != nil {
				t.Fatal(err)
			}
			s.change(asoManagedControlPlane, key.Name, func(content map[string]any) {
				content["spec"].(map[string]any)["version"] = tc.wanted
			})
			s.change(asoManagedCluster, "mc", func(content map[string]any) {
				status := map[string]any{"conditions": tc.conditions}
				setText(status, "currentKubernetesVersion", tc.running)
				content["status"] = status
			})
			got, err := ReadCluster(t.Context(), s.client, key)
			if err != nil || got.Provisioned != tc.initialized || got.Version != tc.version || got.Operation != tc.operation {
				t.Errorf("provisioned %t, version %s, operation %q, %v", got.Provisioned, got.Version, got.Operation, err)
			}
		})
	}
}
