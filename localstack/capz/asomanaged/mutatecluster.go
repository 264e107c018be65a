package asomanaged

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util"
	"sigs.k8s.io/cluster-api/util/secret"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

var errNoManagedCluster = fmt.Errorf("no %s ManagedCluster defined in AzureASOManagedControlPlane spec.resources", asospec.ManagedCluster.Group)

// clusterMutator fills in what the Cluster and the control plane say, the first pools and where the kubeconfig goes. It
// follows pkg/mutators/azureasomanagedcontrolplane.go.
func clusterMutator(ctx context.Context, reader client.Client, plane *infrav1.AzureASOManagedControlPlane, cluster *clusterv1.Cluster) mutator {
	return func(objects []*unstructured.Unstructured) error {
		managed := find(objects, asospec.ManagedCluster)
		if managed == nil {
			return reconcile.TerminalError(errNoManagedCluster)
		}
		if version := strings.TrimPrefix(plane.Spec.Version, "v"); version != "" {
			if err := managed.set(version, "because spec.version is set to "+plane.Spec.Version, "spec", "kubernetesVersion"); err != nil {
				return err
			}
		}
		if err := setRanges(managed, cluster); err != nil {
			return err
		}
		if err := setFirstPools(ctx, reader, managed, cluster); err != nil {
			return err
		}
		return setCredentials(managed, cluster)
	}
}

// setRanges sets the addresses of services and pods.
func setRanges(managed *found, cluster *clusterv1.Cluster) error {
	for _, each := range []struct {
		name, field string
		blocks      []string
	}{
		{"services", "serviceCidr", cluster.Spec.ClusterNetwork.Services.CIDRBlocks},
		{"pods", "podCidr", cluster.Spec.ClusterNetwork.Pods.CIDRBlocks},
	} {
		if len(each.blocks) == 0 {
			continue
		}
		reason := fmt.Sprintf("because spec.clusterNetwork.%s.cidrBlocks[0] in Cluster %s/%s is set to %s", each.name, cluster.Namespace, cluster.Name, each.blocks[0])
		if err := managed.set(each.blocks[0], reason, "spec", "networkProfile", each.field); err != nil {
			return err
		}
	}
	return nil
}

// setFirstPools describes all pools in the cluster itself, until Azure has some: AKS creates no cluster without.
func setFirstPools(ctx context.Context, reader client.Client, managed *found, cluster *clusterv1.Cluster) error {
	own, present, err := unstructured.NestedSlice(managed.Object, "spec", "agentPoolProfiles")
	if err != nil {
		return err
	}
	if present {
		return incompatible{
			location: managed.path + ".spec.agentPoolProfiles", user: fmt.Sprintf("<slice of length %d>", len(own)), value: "nil",
			reason: "because agent pool definitions must be inherited from AzureASOManagedMachinePools",
		}
	}
	existing, err := get(ctx, reader, asospec.ManagedCluster, cluster.Namespace, managed.GetName())
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if there, _, _ := unstructured.NestedSlice(existing.Object, "status", "agentPoolProfiles"); len(there) > 0 {
		return nil
	}
	profiles, err := firstPools(ctx, reader, cluster)
	if err != nil || len(profiles) == 0 {
		return err
	}
	return unstructured.SetNestedSlice(managed.Object, profiles, "spec", "agentPoolProfiles")
}

// firstPools returns no pools at all while one of them has no MachinePool yet.
func firstPools(ctx context.Context, reader client.Client, cluster *clusterv1.Cluster) ([]any, error) {
	pools := &infrav1.AzureASOManagedMachinePoolList{}
	err := reader.List(ctx, pools, client.InNamespace(cluster.Namespace), client.MatchingLabels{clusterv1.ClusterNameLabel: cluster.Name})
	if err != nil {
		return nil, fmt.Errorf("failed to list AzureASOManagedMachinePools: %w", err)
	}
	slices.SortFunc(pools.Items, func(a, b infrav1.AzureASOManagedMachinePool) int { return cmp.Compare(a.Name, b.Name) })
	var profiles []any
	for i := range pools.Items {
		machinePool, err := util.GetOwnerMachinePool(ctx, reader, pools.Items[i].ObjectMeta)
		if err != nil || machinePool == nil {
			return nil, err
		}
		resources, err := mutated(pools.Items[i].Spec.Resources, poolMutator(ctx, reader, machinePool))
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, profile(find(resources, asospec.ManagedClustersAgentPool)))
	}
	return profiles, nil
}

// profile describes a pool inside its cluster.
func profile(pool *found) map[string]any {
	spec, _, _ := unstructured.NestedMap(pool.Object, "spec")
	name, _ := spec["azureName"].(string)
	maps.DeleteFunc(spec, func(field string, _ any) bool {
		return slices.Contains([]string{"azureName", "owner", "operatorSpec", "originalVersion"}, field)
	})
	if name != "" {
		spec["name"] = name
	}
	return spec
}

// setCredentials makes Azure Service Operator write a kubeconfig where Cluster API looks for it, unless it writes one elsewhere.
func setCredentials(managed *found, cluster *clusterv1.Cluster) error {
	for _, each := range []string{"userCredentials", "adminCredentials"} {
		_, present, err := unstructured.NestedMap(managed.Object, "spec", "operatorSpec", "secrets", each)
		if err != nil || present {
			return err
		}
	}
	return unstructured.SetNestedMap(managed.Object, map[string]any{
		"adminCredentials": map[string]any{
			"name": secret.Name(cluster.Name, secret.Kubeconfig),
			"key":  secret.KubeconfigDataName,
		},
	}, "spec", "operatorSpec", "secrets")
}
