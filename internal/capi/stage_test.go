package capi

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// stage is a management cluster with one cluster and one pool of a Nodepool.
type stage struct {
	t      *testing.T
	client client.WithWatch
	// inner is the same without what follows, for others who write.
	inner  client.WithWatch
	flavor Flavor
	// writes counts what was written since the stage was set; cutAfter lets that
	// many through and refuses the rest, negative for no end.
	writes, cutAfter int
	// afterWrite is called after each write of ours, nil for nothing.
	afterWrite func()
}

var errCut = errors.New("the process was killed here")

func newStage(t *testing.T, f Flavor, p NewPool) *stage {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, flavor: f, cutAfter: -1, inner: fake.NewClientBuilder().WithScheme(scheme).Build()}
	s.client = interceptor.NewClient(s.inner, interceptor.Funcs{
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			o.SetUID(types.UID("uid of " + kindOf(o)))
			return w.Create(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if s.cutAfter >= 0 && s.writes == s.cutAfter {
				return errCut
			}
			s.writes++
			err := w.Patch(ctx, o, patch, opts...)
			if s.afterWrite != nil {
				s.afterWrite()
			}
			return err
		},
	})
	for _, o := range clusterOf(f) {
		if err := s.client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if err := CreatePool(t.Context(), s.client, s.client, key, p); err != nil {
		t.Fatal(err)
	}
	return s
}

func clusterOf(f Flavor) []client.Object {
	k := f.Kinds()
	ref := func(kind string) clusterv1.ContractVersionedObjectReference {
		return clusterv1.ContractVersionedObjectReference{APIGroup: infraGroup, Kind: kind, Name: key.Name}
	}
	c := &clusterv1.Cluster{Spec: clusterv1.ClusterSpec{InfrastructureRef: ref(k.Cluster), ControlPlaneRef: ref(k.ControlPlane.Kind)}}
	c.Name, c.Namespace = key.Name, key.Namespace
	c.Labels = map[string]string{"ring": "canary"}
	c.Annotations = map[string]string{"fleetwright.io/node-cap": "400"}
	if k.Pool.Kind == azureManagedMachinePool.Kind {
		return []client.Object{c, objectOf(k.ControlPlane, key.Name, map[string]any{"spec": map[string]any{
			"version": "v1.34.2", "subscriptionID": "sub", "resourceGroupName": "rg", "location": "westeurope",
			"networkPlugin": "azure", "networkPluginMode": "overlay",
			"virtualNetwork": map[string]any{"name": "net", "resourceGroup": "netrg", "subnet": map[string]any{"name": "nodes"}},
		}})}
	}
	plane := objectOf(k.ControlPlane, key.Name, map[string]any{"spec": map[string]any{
		"version": "v1.34.2",
		"resources": []any{
			map[string]any{"apiVersion": "network.azure.com/v1api20240301", "kind": "VirtualNetwork"},
			map[string]any{
				"apiVersion": "containerservice.azure.com/v1api20240901", "kind": "ManagedCluster",
				"metadata": map[string]any{"name": "mc", "annotations": map[string]any{
					"serviceoperator.azure.com/credential-from": "secret", "serviceoperator.azure.com/reconcile-policy": "skip", "theirs": "x",
				}},
				"spec": map[string]any{"azureName": "prod-eu-1", "location": "westeurope", "networkProfile": map[string]any{"networkPlugin": "azure"}},
			},
		},
	}})
	managedCluster := objectOf(asoManagedCluster, "mc", map[string]any{"status": map[string]any{
		"id":                       "/subscriptions/sub/resourcegroups/rg/providers/Microsoft.ContainerService/managedClusters/prod-eu-1",
		"currentKubernetesVersion": "1.34.2", "networkProfile": map[string]any{"networkPlugin": "azure", "networkPluginMode": "overlay"},
		"conditions": []any{map[string]any{"type": "Ready", "status": "True"}},
	}})
	return []client.Object{c, plane, managedCluster}
}

func objectOf(kind schema.GroupVersionKind, name string, content map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(kind)
	u.SetName(name)
	u.SetNamespace(key.Namespace)
	return u
}

// made gives the pool's object what CAPZ writes once Azure has it.
func (s *stage) made() {
	s.t.Helper()
	infra := s.infra()
	infra.Object["status"] = map[string]any{"ready": true}
	if err := s.client.Update(s.t.Context(), infra); err != nil {
		s.t.Fatal(err)
	}
	if s.flavor.Kinds().Related == nil {
		return
	}
	pool := objectOf(asoAgentPool, object.Name, map[string]any{"status": map[string]any{
		"id": poolID, "vnetSubnetID": "/subscriptions/sub/resourceGroups/netrg/providers/Microsoft.Network/virtualNetworks/net/subnets/others", "provisioningState": "Succeeded", "conditions": []any{map[string]any{"type": "Ready", "status": "True"}},
	}})
	if err := s.client.Create(s.t.Context(), pool); err != nil {
		s.t.Fatal(err)
	}
}

const poolID = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/prod-eu-1/agentPools/generalx"

// eachFlavor runs a test with every flavour.
func eachFlavor(t *testing.T, test func(t *testing.T, f Flavor)) {
	t.Helper()
	for _, f := range flavors {
		t.Run(f.Kinds().Pool.Kind, func(t *testing.T) { test(t, f) })
	}
}

// spec is the pool's as Azure is told them.
func (s *stage) spec() map[string]any {
	s.t.Helper()
	infra := s.infra()
	if resource := resourceIn(infra, asoAgentPool.Kind); resource != nil {
		return specOf(resource)
	}
	return patchedAgentPool(infra)
}

func (s *stage) nodeLabels() map[string]string {
	s.t.Helper()
	labels, _, _ := unstructured.NestedStringMap(s.spec(), "nodeLabels")
	return labels
}

func (s *stage) infra() *unstructured.Unstructured {
	s.t.Helper()
	infra := empty(s.flavor.Kinds().Pool)
	if err := s.client.Get(s.t.Context(), object, infra); err != nil {
		s.t.Fatal(err)
	}
	return infra
}

func (s *stage) machinePool() *clusterv1.MachinePool {
	s.t.Helper()
	var mp clusterv1.MachinePool
	if err := s.client.Get(s.t.Context(), object, &mp); err != nil {
		s.t.Fatal(err)
	}
	return &mp
}

func (s *stage) pool() Pool {
	s.t.Helper()
	pools, err := readPools(s.t, s.client)
	if err != nil || len(pools) != 1 {
		s.t.Fatalf("%d pools, %v", len(pools), err)
	}
	return pools[0]
}

// writesNothing calls a second time what was done already.
func (s *stage) writesNothing(again func() error) {
	s.t.Helper()
	s.writes = 0
	if err := again(); err != nil || s.writes > 0 {
		s.t.Errorf("the second call wrote %d times, %v", s.writes, err)
	}
}

var object = types.NamespacedName{Namespace: key.Namespace, Name: "o"}

func generalx(spec agentpool.Spec) NewPool {
	return NewPool{
		Object: object.Name, Name: "generalx", Nodepool: "np", NodepoolUID: "u", BaseName: "general", Fingerprint: "1:f",
		Spec: spec, Replicas: 5, ReplacesNodes: 7, Started: now.Add(-time.Hour),
	}
}

var scaled = agentpool.Spec{Version: "v1.34.2", MachineType: "D4", Subnet: "others", Scaling: &agentpool.Scaling{Min: 3, Max: 40}}

// setLabels is what a person does to the nodes' labels.
func setLabels(infra *unstructured.Unstructured, labels map[string]any) {
	if resource := resourceIn(infra, asoAgentPool.Kind); resource != nil {
		infra = resource
	}
	specOf(infra)["nodeLabels"] = labels
}

// change is what somebody else writes.
func (s *stage) change(kind schema.GroupVersionKind, name string, do func(content map[string]any)) {
	s.t.Helper()
	o := empty(kind)
	if err := s.client.Get(s.t.Context(), types.NamespacedName{Namespace: key.Namespace, Name: name}, o); err != nil {
		s.t.Fatal(err)
	}
	do(o.Object)
	if err := s.client.Update(s.t.Context(), o); err != nil {
		s.t.Fatal(err)
	}
}

// readPools reads the cluster and its pools, as an observation does.
func readPools(t *testing.T, reader client.Reader) ([]Pool, error) {
	t.Helper()
	c, err := ReadCluster(t.Context(), reader, key)
	if err != nil {
		return nil, err
	}
	return c.ReadPools(t.Context(), reader, now)
}
