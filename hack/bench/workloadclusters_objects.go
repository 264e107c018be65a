package main

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

const (
	// maxClusters is how many networks of a /21 fit into the pool.
	maxClusters = 1000
	// clustersPerTeam is how many clusters one namespace has: CAPI, CAPZ and the operator list by namespace.
	clustersPerTeam = 10
	// nodesPerWorkloadCluster are those of both pools.
	nodesPerWorkloadCluster = 3

	platform     = "platform"
	benchLabel   = "fleetwright-bench"
	addressSpace = "10.64.0.0/10"
	// networkLength is what a claim works out for 950 nodes, where the peer has to say it.
	networkLength = 21

	subscription  = "00000000-0000-0000-0000-000000000001"
	tenant        = "33333333-3333-3333-3333-333333333333"
	principal     = "44444444-4444-4444-4444-444444444444"
	registryGroup = "/subscriptions/" + subscription + "/resourceGroups/registries"
	registryID    = registryGroup + "/providers/Microsoft.ContainerRegistry/registries/benchfleet"
)

// workloadCluster is the n-th of the clusters, from 0: the flavours take turns.
func workloadCluster(n int) *fleetwrightv1.WorkloadCluster {
	flavour := fleetwrightv1.WorkloadClusterFlavorASO
	if n%2 == 1 {
		flavour = fleetwrightv1.WorkloadClusterFlavorManaged
	}
	return &fleetwrightv1.WorkloadCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: team(n), Name: fmt.Sprintf("bench-%03d", n)},
		Spec: fleetwrightv1.WorkloadClusterSpec{
			ClassRef:                fleetwrightv1.NamespacedReference{Namespace: platform, Name: "bench-v1"},
			WorkloadClusterTemplate: fleetwrightv1.WorkloadClusterTemplate{Flavor: flavour},
		},
	}
}

func team(n int) string { return fmt.Sprintf("team-%02d", n/clustersPerTeam) }

// clusterClass is what all clusters have in common.
func clusterClass() *fleetwrightv1.WorkloadClusterClass {
	pool := func(name string, mode fleetwrightv1.NodepoolMode, nodes int32) fleetwrightv1.WorkloadClusterNodepool {
		return fleetwrightv1.WorkloadClusterNodepool{Name: name, Spec: fleetwrightv1.NodepoolTemplateSpec{Mode: mode, Replicas: ptr.To(nodes)}}
	}
	return &fleetwrightv1.WorkloadClusterClass{
		ObjectMeta: metav1.ObjectMeta{Namespace: platform, Name: "bench-v1"},
		Spec: fleetwrightv1.WorkloadClusterClassSpec{
			AllowedNamespaces: allowed(),
			Template: fleetwrightv1.WorkloadClusterTemplate{
				Version: "v1.33.6",
				Azure: fleetwrightv1.WorkloadClusterAzure{
					SubscriptionID: subscription, Location: "westeurope", CredentialSecret: "azure",
					ClusterIdentity: fleetwrightv1.NamespacedReference{Namespace: platform, Name: "azure"},
				},
				Network: fleetwrightv1.WorkloadClusterNetwork{Addresses: []fleetwrightv1.WorkloadClusterRange{
					{Name: fleetwrightv1.ClusterRangeVNet, PoolRef: fleetwrightv1.NamespacedReference{Namespace: platform, Name: "bench"}},
				}},
				NodepoolDefaults: fleetwrightv1.NodepoolTemplateSpec{
					MachineType: "Standard_D2ds_v5", Replacement: fleetwrightv1.ReplacementPolicy{MinReadySeconds: ptr.To[int32](2)},
				},
				Nodepools: []fleetwrightv1.WorkloadClusterNodepool{
					pool("system", fleetwrightv1.NodepoolModeSystem, 2), pool("general", fleetwrightv1.NodepoolModeUser, 1),
				},
				AdditionalConfig: fleetwrightv1.WorkloadClusterAdditionalConfig{Registries: []fleetwrightv1.AdditionalRegistry{{Name: "bench", ID: registryID}}},
			},
		},
	}
}

func allowed() fleetwrightv1.AllowedNamespaces {
	return fleetwrightv1.AllowedNamespaces{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{benchLabel: "team"}}}
}

// groundwork is what is there before any cluster, the same for both sides as far as they use it.
func groundwork(clusters int) []client.Object {
	namespace := func(name string, labels map[string]string) client.Object {
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	}
	credentials := func(namespace string) client.Object {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "azure"}, StringData: map[string]string{
			"AZURE_SUBSCRIPTION_ID": subscription, "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": principal, "AZURE_CLIENT_SECRET": "not-a-secret",
			"clientSecret": "not-a-secret",
		}}
	}
	objects := []client.Object{namespace(platform, nil), credentials(platform), clusterIdentity(), clusterClass(), &fleetwrightv1.AddressPool{
		ObjectMeta: metav1.ObjectMeta{Namespace: platform, Name: "bench"},
		Spec:       fleetwrightv1.AddressPoolSpec{Prefixes: []string{addressSpace}, AllowedNamespaces: allowed()},
	}}
	for n := 0; n < clusters; n += clustersPerTeam {
		objects = append(objects, namespace(team(n), map[string]string{benchLabel: "team"}), credentials(team(n)))
	}
	return objects
}

// clusterIdentity is CAPZ's, for its flavour AzureManaged.
func clusterIdentity() client.Object {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": "AzureClusterIdentity",
		"metadata": map[string]any{"namespace": platform, "name": "azure"},
		"spec": map[string]any{
			"type": "ServicePrincipal", "tenantID": tenant, "clientID": principal, "allowedNamespaces": map[string]any{},
			"clientSecret": map[string]any{"namespace": platform, "name": "azure"},
		},
	}}
}

// plainObjects are those of Cluster API and CAPZ that the n-th cluster amounts to, written by the code that writes them for a WorkloadCluster and
// its Nodepools. Its network, which nobody gives it, is the n-th of the address space.
func plainObjects(n int) ([]client.Object, error) {
	cluster := workloadCluster(n)
	amounts, err := effective.Of(clusterClass(), cluster)
	if err != nil {
		return nil, err
	}
	network := networkOf(n)
	in := render.Input{
		Namespace: cluster.Namespace, Name: cluster.Name, Effective: amounts, Version: amounts.Spec.Version,
		Bound: []fleetwrightv1.BoundRange{
			{Name: string(fleetwrightv1.ClusterRangeVNet), CIDR: network}, {Name: string(fleetwrightv1.ClusterRangeNodes), CIDR: network},
		},
	}
	wish, err := render.Cluster(in)
	if err != nil {
		return nil, err
	}
	wished, err := capi.WishedObjects(wish)
	if err != nil {
		return nil, err
	}
	var objects []client.Object
	var plane *unstructured.Unstructured
	for _, w := range wished {
		object, err := w.Object()
		if err != nil {
			return nil, err
		}
		if flavourOf(object) != nil {
			plane = object
		}
		objects = append(objects, object)
	}
	if plane == nil {
		return nil, fmt.Errorf("cluster %s has no control plane of a known kind", cluster.Name)
	}
	pools, err := plainPools(in, plane)
	return append(objects, pools...), err
}

// plainPools are the cluster's MachinePools with their infrastructure.
func plainPools(in render.Input, plane *unstructured.Unstructured) ([]client.Object, error) {
	flavour := flavourOf(plane)
	told := capi.Cluster{Namespace: in.Namespace, Name: in.Name}
	flavour.ReadControlPlane(&told, plane, nil)
	var objects []client.Object
	for _, pool := range in.Effective.Spec.Nodepools {
		spec := render.Nodepool(in, pool, in.Version)
		name := render.NodepoolName(in.Name, pool.Name)
		made := capi.NewPool{
			Object: name, Name: pool.Name, Nodepool: name, BaseName: name, Replicas: *spec.Replicas,
			Spec: agentpool.Spec{Version: spec.Version, MachineType: spec.MachineType, Mode: string(spec.Mode), Subnet: spec.Subnet, Replicas: spec.Replicas},
		}.Objects(told, flavour)
		machinePool, err := runtime.DefaultUnstructuredConverter.ToUnstructured(made.MachinePool)
		if err != nil {
			return nil, fmt.Errorf("write MachinePool %s: %w", name, err)
		}
		objects = append(objects, made.Infra, &unstructured.Unstructured{Object: machinePool})
	}
	return objects, nil
}

// flavourOf is the flavour whose control plane the object is, or nil.
func flavourOf(object *unstructured.Unstructured) capi.Flavor {
	for _, f := range capi.Flavors() {
		if f.Kinds().ControlPlane == object.GroupVersionKind() {
			return f
		}
	}
	return nil
}

// networkOf is the n-th network of the address space.
func networkOf(n int) string {
	first := netip.MustParsePrefix(addressSpace).Addr().As4()
	steps := n << (24 - networkLength) // in /24
	first[1] += byte(steps >> 8)
	first[2] = byte(steps)
	return netip.PrefixFrom(netip.AddrFrom4(first), networkLength).String()
}
