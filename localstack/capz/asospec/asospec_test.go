package asospec_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

func TestSpecsBecomeWhatAzureWants(t *testing.T) {
	resolve := func(reference asospec.Reference) (string, error) {
		if reference.ARMID != "" {
			return reference.ARMID, nil
		}
		return "/" + reference.Group + "/" + reference.Kind + "/" + reference.Name, nil
	}
	for name, test := range map[string]struct {
		kind *asospec.Kind
		spec map[string]any
		want map[string]any
	}{
		"a cluster's location, tags and identity are beside its properties": {
			asospec.ManagedCluster,
			map[string]any{
				"azureName": "demo", "owner": map[string]any{"name": "rg"}, "operatorSpec": map[string]any{"secrets": map[string]any{}},
				"location": "westeurope", "tags": map[string]any{"team": "a"}, "dnsPrefix": "demo",
				"identity": map[string]any{"type": "UserAssigned", "userAssignedIdentities": []any{
					map[string]any{"reference": map[string]any{"armId": "/id/one"}},
				}},
				"autoScalerProfile": map[string]any{"scan-interval": "20s"},
			},
			map[string]any{
				"location": "westeurope", "tags": map[string]any{"team": "a"},
				"identity": map[string]any{"type": "UserAssigned", "userAssignedIdentities": map[string]any{"/id/one": map[string]any{}}},
				"properties": map[string]any{
					"dnsPrefix": "demo", "autoScalerProfile": map[string]any{"scan-interval": "20s"},
				},
			},
		},
		"a pool's tags are properties, references become ids": {
			asospec.ManagedClustersAgentPool,
			map[string]any{
				"azureName": "pool1", "count": int64(2), "tags": map[string]any{"cost": "low"}, "type": "VirtualMachineScaleSets",
				"vnetSubnetReference":         map[string]any{"group": "network.azure.com", "kind": "VirtualNetworksSubnet", "name": "nodes"},
				"nodePublicIPPrefixReference": map[string]any{"armId": "/prefix"},
				"creationData":                map[string]any{"sourceResourceReference": map[string]any{"armId": "/snapshot"}},
			},
			map[string]any{"properties": map[string]any{
				"count": int64(2), "tags": map[string]any{"cost": "low"}, "type": "VirtualMachineScaleSets",
				"vnetSubnetID":         "/network.azure.com/VirtualNetworksSubnet/nodes",
				"nodePublicIPPrefixID": "/prefix",
				"creationData":         map[string]any{"sourceResourceId": "/snapshot"},
			}},
		},
		"a group has no properties": {
			asospec.ResourceGroup,
			map[string]any{"location": "westeurope"},
			map[string]any{"location": "westeurope"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.kind.ARM(test.spec, resolve)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAReferenceThatCannotBeResolvedIsAnError(t *testing.T) {
	missing := errors.New("does not exist")
	spec := map[string]any{"list": []any{map[string]any{"reference": map[string]any{"armId": "/x"}}}}
	_, err := asospec.ManagedCluster.ARM(spec, func(asospec.Reference) (string, error) { return "", missing })
	if !errors.Is(err, missing) {
		t.Errorf("got %v, want %v", err, missing)
	}
}

func TestAnswersBecomeStatus(t *testing.T) {
	for name, test := range map[string]struct {
		kind       *asospec.Kind
		body, want map[string]any
	}{
		"properties are beside the rest": {
			asospec.ManagedClustersAgentPool,
			map[string]any{
				"id": "/x", "type": "Microsoft.ContainerService/managedClusters/agentPools",
				"properties": map[string]any{"count": 3.0, "type": "VirtualMachineScaleSets"},
			},
			map[string]any{
				"id": "/x", "type": "Microsoft.ContainerService/managedClusters/agentPools",
				"count": 3.0, "properties_type": "VirtualMachineScaleSets",
			},
		},
		"a group keeps its properties": {
			asospec.ResourceGroup,
			map[string]any{"properties": map[string]any{"provisioningState": "Succeeded"}},
			map[string]any{"properties": map[string]any{"provisioningState": "Succeeded"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.kind.Status(test.body)); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIDs(t *testing.T) {
	group := asospec.ResourceGroup.ID("/subscriptions/s", "rg")
	cluster := asospec.ManagedCluster.ID(group, "demo")
	pool := asospec.ManagedClustersAgentPool.ID(cluster, "pool1")
	want := "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/demo/agentPools/pool1"
	if pool != want {
		t.Errorf("got %s, want %s", pool, want)
	}
}
