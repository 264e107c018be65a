package capi

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

func TestAPoolAndItsClusterAreRead(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
		c, err := ReadCluster(t.Context(), s.client, key)
		if err != nil {
			t.Fatal(err)
		}
		got := []any{c.Labels["ring"], c.NodeCap, c.SubscriptionID, c.ResourceGroup, c.Location, c.ManagedClusterName, c.NetworkPlugin, c.NetworkPluginMode}
		if diff := cmp.Diff([]any{"canary", int32(400), "sub", "rg", "westeurope", key.Name, "azure", "overlay"}, got); diff != "" {
			t.Error(diff)
		}
		s.made()
		p := s.pool()
		got = []any{p.Flavor, p.PoolID, p.SubnetID, p.ReplacesNodes, p.Unmarked}
		want := []any{
			c.Flavor, "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/prod-eu-1/agentPools/generalx",
			"/subscriptions/sub/resourceGroups/netrg/providers/Microsoft.Network/virtualNetworks/net/subnets/others", int32(7), false,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// What was written once is not written again: Azure would work at it each time.
func TestTheSameChangeIsWrittenOnce(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
		s.made()
		spec := agentpool.Spec{
			Mode: "System", Labels: map[string]string{"a": "b"}, Tags: map[string]string{"c": "d"}, ScaleDownMode: "Deallocate",
			Taints:   []agentpool.Taint{{Key: "k", Value: "v", Effect: "NoSchedule"}, {Key: "l", Effect: "PreferNoSchedule"}},
			Replicas: ptr.To[int32](4), Overrides: map[string]string{"upgradeSettings.maxSurge": `"33%"`, "networkProfile.allowedHostPorts": `[{"portStart":80}]`},
		}
		update := func() error { return UpdatePool(t.Context(), s.client, s.client, key, "o", "general", spec, nil, now) }
		s.writes = 0
		if err := update(); err != nil || s.writes != 2 {
			t.Fatalf("%d writes, %v", s.writes, err)
		}
		if changes := agentpool.Changes(spec, s.pool().Spec); len(changes) > 0 {
			t.Errorf("still to change: %s", agentpool.Describe(changes))
		}
		s.writesNothing(update)
	})
}

func TestMarks(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
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
	})
}

func TestReleaseAndAdopt(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
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
		if got := s.nodeLabels()["fleetwright.io/nodepool"]; got != "general" || s.pool().PublicName != "general" {
			t.Errorf("released, the nodes' label is %q, read as %q", got, s.pool().PublicName)
		}
		s.writesNothing(release)

		infra := s.infra()
		setLabels(infra, map[string]any{"theirs": "x"})
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
		if diff := cmp.Diff(want, s.nodeLabels()); diff != "" {
			t.Errorf("adopted, labels: %s", diff)
		}
		for _, other := range []Owner{{Nodepool: "other", NodepoolUID: "u"}, {Nodepool: "np", NodepoolUID: "v"}} {
			if err := Adopt(t.Context(), s.client, s.client, key, "o", other, now); !errors.Is(err, ErrNotOurs) {
				t.Errorf("adopted again by %v: %v", other, err)
			}
		}
	})
}
