package capi

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
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
	// writes counts what was written since the stage was set; cutAfter lets that
	// many through and refuses the rest, negative for no end.
	writes, cutAfter int
}

var errCut = errors.New("the process was killed here")

func newStage(t *testing.T, p NewPool) *stage {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, cutAfter: -1}
	s.client = interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme).Build(), interceptor.Funcs{
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if s.cutAfter >= 0 && s.writes == s.cutAfter {
				return errCut
			}
			s.writes++
			return w.Patch(ctx, o, patch, opts...)
		},
	})
	for _, o := range cluster() {
		if err := s.client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if err := CreatePool(t.Context(), s.client, s.client, key, p); err != nil {
		t.Fatal(err)
	}
	return s
}

func cluster() []client.Object {
	ref := func(kind string) clusterv1.ContractVersionedObjectReference {
		return clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: kind, Name: key.Name}
	}
	c := &clusterv1.Cluster{Spec: clusterv1.ClusterSpec{InfrastructureRef: ref("AzureManagedCluster"), ControlPlaneRef: ref("AzureManagedControlPlane")}}
	c.Name, c.Namespace = key.Name, key.Namespace
	c.Labels = map[string]string{"ring": "canary"}
	c.Annotations = map[string]string{"fleetwright.io/node-cap": "400"}
	plane := ControlPlaneObject()
	plane.SetName(key.Name)
	plane.SetNamespace(key.Namespace)
	plane.Object["spec"] = map[string]any{
		"version": "v1.34.2", "subscriptionID": "sub", "resourceGroupName": "rg", "location": "westeurope",
		"networkPlugin": "azure", "networkPluginMode": "overlay",
		"virtualNetwork": map[string]any{"name": "net", "resourceGroup": "netrg", "subnet": map[string]any{"name": "nodes"}},
	}
	return []client.Object{c, plane}
}

// made gives the pool's object what CAPZ writes once Azure has it.
func (s *stage) made() {
	s.t.Helper()
	infra := s.infra()
	infra.Object["status"] = map[string]any{"ready": true}
	if err := s.client.Update(s.t.Context(), infra); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) infra() *unstructured.Unstructured {
	s.t.Helper()
	infra := MachinePoolObject()
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
	pools, err := ReadPools(s.t.Context(), s.client, key, now)
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

func TestAPoolAndItsClusterAreRead(t *testing.T) {
	s := newStage(t, generalx(scaled))
	c, err := ReadCluster(t.Context(), s.client, key)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.Labels["ring"], c.NodeCap, c.SubscriptionID, c.ResourceGroup, c.Location, c.ManagedClusterName, c.NetworkPlugin, c.NetworkPluginMode}
	if diff := cmp.Diff([]any{"canary", int32(400), "sub", "rg", "westeurope", key.Name, "azure", "overlay"}, got); diff != "" {
		t.Error(diff)
	}
	p := s.pool()
	got = []any{p.Flavor, p.PoolID, p.SubnetID, p.ReplacesNodes, p.Unmarked}
	want := []any{
		c.Flavor, "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/prod-eu-1/agentPools/generalx",
		"/subscriptions/sub/resourceGroups/netrg/providers/Microsoft.Network/virtualNetworks/net/subnets/others", int32(7), false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHoldScalingCarriesTheBoundsFromBefore(t *testing.T) {
	s := newStage(t, generalx(scaled))
	hold := func(low, high int32) func() error {
		return func() error {
			return HoldScaling(t.Context(), s.client, s.client, key, "o", agentpool.Scaling{Min: low, Max: high}, now)
		}
	}
	for _, do := range []func() error{hold(3, 8), hold(0, 5)} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	p := s.pool()
	if diff := cmp.Diff([]*agentpool.Scaling{{Min: 0, Max: 5}, {Min: 3, Max: 40}}, []*agentpool.Scaling{p.Spec.Scaling, p.Carried}); diff != "" {
		t.Error(diff)
	}
	s.writesNothing(hold(0, 5))
	// The pool is wanted again.
	wanted := func() error {
		return UpdatePool(t.Context(), s.client, s.client, key, "o", "general", scaled, now)
	}
	if err := wanted(); err != nil {
		t.Fatal(err)
	}
	if p := s.pool(); p.Carried != nil || *p.Spec.Scaling != *scaled.Scaling {
		t.Errorf("taken back, the pool has bounds %v and carries %v", p.Spec.Scaling, p.Carried)
	}
	s.writesNothing(wanted)
}

func TestAPoolThatNobodyScalesIsNotHeld(t *testing.T) {
	s := newStage(t, generalx(agentpool.Spec{MachineType: "D4", Replicas: ptr.To[int32](5)}))
	s.writesNothing(func() error {
		return HoldScaling(t.Context(), s.client, s.client, key, "o", agentpool.Scaling{Min: 1, Max: 5}, now)
	})
}

func TestResize(t *testing.T) {
	s := newStage(t, generalx(scaled))
	s.made()
	resize := func() error { return Resize(t.Context(), s.client, s.client, key, "o", 0, now) }
	if err := resize(); err != nil {
		t.Fatal(err)
	}
	p := s.pool()
	if p.Spec.Scaling != nil || *p.Replicas != 0 || *p.Carried != (agentpool.Scaling{Min: 3, Max: 40}) || p.Operation == "" {
		t.Errorf("bounds %v, %d nodes, carried %v, operation %q", p.Spec.Scaling, *p.Replicas, p.Carried, p.Operation)
	}
	s.writesNothing(resize)
}

// Without a scaler CAPZ asks Azure for what the MachinePool says: as long as that
// may be what CAPZ wrote down an hour ago, the scaler must stay.
func TestResizeCutOffNeverAsksForAnOldNumber(t *testing.T) {
	for name, change := range map[string]func(s *stage) error{
		"resized": func(s *stage) error { return Resize(s.t.Context(), s.client, s.client, key, "o", 9, now) },
		"given a number by its users": func(s *stage) error {
			spec := agentpool.Spec{Version: "v1.34.2", MachineType: "D4", Replicas: ptr.To[int32](9)}
			return UpdatePool(s.t.Context(), s.client, s.client, key, "o", "general", spec, now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for cut := range 2 {
				s := newStage(t, generalx(scaled))
				s.made()
				s.writes, s.cutAfter = 0, cut
				if err := change(s); !errors.Is(err, errCut) {
					t.Fatalf("cut after %d writes: %v", cut, err)
				}
				if p := s.pool(); p.Spec.Scaling == nil && *p.Replicas != 9 {
					t.Errorf("cut after %d writes, CAPZ asks for %d nodes", cut, *p.Replicas)
				}
				s.cutAfter = -1
				if err := change(s); err != nil {
					t.Fatal(err)
				}
				if p := s.pool(); p.Spec.Scaling != nil || *p.Replicas != 9 {
					t.Errorf("cut after %d writes and done again: bounds %v, %d nodes", cut, p.Spec.Scaling, *p.Replicas)
				}
			}
		})
	}
}

func TestMarks(t *testing.T) {
	s := newStage(t, generalx(scaled))
	at := now.Add(-time.Minute)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(MarkDraining(t.Context(), s.client, s.client, object, at))
	do(MarkEmpty(t.Context(), s.client, s.client, object, now))
	if p := s.pool(); !p.DrainStarted.Equal(at) || !p.EmptySince.Equal(now) {
		t.Errorf("draining since %s, empty since %s", p.DrainStarted, p.EmptySince)
	}
	do(MarkEmpty(t.Context(), s.client, s.client, object, time.Time{}))
	if p := s.pool(); p.DrainStarted.IsZero() || !p.EmptySince.IsZero() {
		t.Errorf("not empty any more: draining since %s, empty since %s", p.DrainStarted, p.EmptySince)
	}
	do(MarkEmpty(t.Context(), s.client, s.client, object, now))
	do(MarkDraining(t.Context(), s.client, s.client, object, time.Time{}))
	if p := s.pool(); !p.DrainStarted.IsZero() || !p.EmptySince.IsZero() {
		t.Errorf("taken back: draining since %s, empty since %s", p.DrainStarted, p.EmptySince)
	}
	s.writesNothing(func() error { return MarkDraining(t.Context(), s.client, s.client, object, time.Time{}) })
}

func TestReleaseAndAdopt(t *testing.T) {
	s := newStage(t, generalx(scaled))
	before := s.pool()
	release := func() error { return Release(t.Context(), s.client, s.client, key, "o") }
	if err := release(); err != nil {
		t.Fatal(err)
	}
	for _, o := range []client.Object{s.infra(), s.machinePool()} {
		for k := range o.GetLabels() {
			if k != clusterv1.ClusterNameLabel {
				t.Errorf("released, %T has label %s", o, k)
			}
		}
		if len(o.GetAnnotations()) > 0 {
			t.Errorf("released, %T has annotations %v", o, o.GetAnnotations())
		}
	}
	if got := mapAt(s.infra(), "spec", "nodeLabels")["fleetwright.io/nodepool"]; got != "general" {
		t.Errorf("released, the nodes' label is %q", got)
	}
	s.writesNothing(release)

	infra := s.infra()
	infra.Object["spec"].(map[string]any)["nodeLabels"] = map[string]any{"theirs": "x"}
	if err := s.client.Update(t.Context(), infra); err != nil {
		t.Fatal(err)
	}
	adopt := func() error {
		return Adopt(t.Context(), s.client, s.client, key, "o", Owner{Nodepool: "np", NodepoolUID: "u", BaseName: "general"}, now)
	}
	s.cutAfter = 1
	s.writes = 0
	if err := adopt(); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	if p := s.pool(); !p.Unmarked {
		t.Error("half adopted, it does not show")
	}
	s.cutAfter = -1
	if err := adopt(); err != nil {
		t.Fatal(err)
	}
	s.writesNothing(adopt)
	p := s.pool()
	if p.Nodepool != before.Nodepool || p.NodepoolUID != before.NodepoolUID || p.Name != before.Name || p.Fingerprint != "" || p.Unmarked || p.Operation == "" {
		t.Errorf("adopted, it reads as %+v", p)
	}
	want := map[string]string{"theirs": "x", "fleetwright.io/nodepool": "general"}
	if diff := cmp.Diff(want, mapAt(s.infra(), "spec", "nodeLabels")); diff != "" {
		t.Errorf("adopted, labels: %s", diff)
	}
	for _, other := range []Owner{{Nodepool: "other", NodepoolUID: "u"}, {Nodepool: "np", NodepoolUID: "v"}} {
		if err := Adopt(t.Context(), s.client, s.client, key, "o", other, now); !errors.Is(err, ErrNotOurs) {
			t.Errorf("adopted again by %v: %v", other, err)
		}
	}
}
