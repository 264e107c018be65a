package capi

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// A flavour whose definitions are not installed is not watched: the manager
// would wait for it for ever.
func TestOnlyWhatIsServedIsWatched(t *testing.T) {
	of := func(f Flavor) []schema.GroupVersionKind {
		k := f.Kinds()
		return append([]schema.GroupVersionKind{k.ControlPlane, k.Pool}, k.Related...)
	}
	cases := map[string]struct {
		served []schema.GroupVersionKind
		want   string
	}{
		"the first":  {of(AzureManaged{}), "AzureManagedControlPlane AzureManagedMachinePool"},
		"the second": {of(AzureASOManaged{}), "AzureASOManagedControlPlane AzureASOManagedMachinePool ManagedCluster ManagedClustersAgentPool"},
		"none":       {nil, "AzureManagedControlPlane AzureManagedMachinePool"},
		"both": {
			append(of(AzureManaged{}), of(AzureASOManaged{})...),
			"AzureManagedControlPlane AzureManagedMachinePool AzureASOManagedControlPlane AzureASOManagedMachinePool ManagedCluster ManagedClustersAgentPool",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mapper := meta.NewDefaultRESTMapper(nil)
			for _, kind := range tc.served {
				mapper.Add(kind, meta.RESTScopeNamespace)
			}
			objects, err := Served(mapper)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range objects[2:] {
				got = append(got, o.GetObjectKind().GroupVersionKind().Kind)
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("watched are %v, want %s", got, tc.want)
			}
		})
	}
}

// without refuses to know the kinds of the other flavours, as an API server
// without their definitions does.
func without(s *stage) client.Client {
	unknown := func(gvk schema.GroupVersionKind) error {
		for _, f := range flavors {
			k := f.Kinds()
			if f != s.flavor && strings.HasPrefix(gvk.Kind, k.Pool.Kind) {
				return &meta.NoKindMatchError{GroupKind: gvk.GroupKind()}
			}
		}
		return nil
	}
	return interceptor.NewClient(s.client, interceptor.Funcs{
		List: func(ctx context.Context, w client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if err := unknown(list.GetObjectKind().GroupVersionKind()); err != nil {
				return err
			}
			return w.List(ctx, list, opts...)
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			if err := unknown(o.GetObjectKind().GroupVersionKind()); err != nil {
				return err
			}
			return w.Delete(ctx, o, opts...)
		},
	})
}

func TestOneFlavourWorksWithoutTheOther(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(agentpool.Spec{MachineType: "D4"}))
		only := without(s)
		if pools, err := readPools(t, only); err != nil || len(pools) != 1 {
			t.Fatalf("%d pools, %v", len(pools), err)
		}
		// The Cluster is gone, what it had is not.
		var c clusterv1.Cluster
		c.Name, c.Namespace = key.Name, key.Namespace
		if err := s.client.Delete(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		pools, err := readPools(t, only)
		if err != nil || len(pools) != 1 || pools[0].Flavor != f.Kinds().Pool.Kind {
			t.Fatalf("without its Cluster: %v, %v", pools, err)
		}
		// What is left of a pool without MachinePool is deleted by its UID.
		s.change(f.Kinds().Pool, "o", func(content map[string]any) { (&unstructured.Unstructured{Object: content}).SetUID("i") })
		if err := DeletePool(t.Context(), only, object, "", "i"); err != nil {
			t.Fatal(err)
		}
		if pools, err = readPools(t, only); err != nil || len(pools) != 1 || pools[0].InfraUID != "" {
			t.Errorf("deleted: %v, %v", pools, err)
		}
	})
}

// People name the two objects of a pool as they like.
func TestObjectsOfAnyName(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
		infra := s.infra()
		infra.SetName("theirs")
		infra.SetResourceVersion("")
		if err := s.client.Create(t.Context(), infra); err != nil {
			t.Fatal(err)
		}
		if err := s.client.Delete(t.Context(), s.infra()); err != nil {
			t.Fatal(err)
		}
		mp := s.machinePool()
		mp.Spec.Template.Spec.InfrastructureRef.Name = "theirs"
		if err := s.client.Update(t.Context(), mp); err != nil {
			t.Fatal(err)
		}
		wanted := scaled
		wanted.Labels = map[string]string{"team": "shop"}
		if err := UpdatePool(t.Context(), s.client, s.client, key, "o", "general", wanted, nil, now); err != nil {
			t.Fatal(err)
		}
		if p := s.pool(); p.Object != "o" || p.Spec.Labels["team"] != "shop" {
			t.Errorf("pool %s has labels %v", p.Object, p.Spec.Labels)
		}
	})
}

func TestAPoolOfAnUnknownFlavour(t *testing.T) {
	s := newStage(t, AzureManaged{}, generalx(scaled))
	var c clusterv1.Cluster
	if err := s.client.Get(t.Context(), key, &c); err != nil {
		t.Fatal(err)
	}
	c.Spec.InfrastructureRef.Kind = "DockerCluster"
	if err := s.client.Update(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	got, err := ReadCluster(t.Context(), s.client, key)
	want := `Cluster prod-eu-1 has infrastructure "DockerCluster" and control plane "AzureManagedControlPlane": Nodepools need ` +
		`AzureManagedCluster and AzureManagedControlPlane, or AzureASOManagedCluster and AzureASOManagedControlPlane`
	if diff := cmp.Diff(want, got.Unsupported); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := CreatePool(t.Context(), s.client, s.client, key, generalx(scaled)); err == nil || !strings.Contains(err.Error(), "DockerCluster") {
		t.Errorf("a pool is made in it: %v", err)
	}
}

// Fields that nobody told Fleetwright of are other people's.
func TestOtherFieldsAreLeftAlone(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
		s.made()
		s.change(f.Kinds().Pool, "o", func(content map[string]any) {
			spec := content["spec"].(map[string]any)
			spec["tomorrow"] = "x"
			if resource := resourceIn(&unstructured.Unstructured{Object: content}, asoAgentPool.Kind); resource != nil {
				specOf(resource)["tomorrow"] = "x"
				spec["resources"] = append(spec["resources"].([]any), map[string]any{"apiVersion": "network.azure.com/v1api20240301", "kind": "VirtualNetworksSubnet"})
			}
		})
		wanted := scaled
		wanted.Labels, wanted.Replicas, wanted.Scaling = map[string]string{"team": "shop"}, new(int32(2)), nil
		if err := UpdatePool(t.Context(), s.client, s.client, key, "o", "general", wanted, nil, now); err != nil {
			t.Fatal(err)
		}
		spec := treeAt(s.infra(), "spec")
		resources, _ := spec["resources"].([]any)
		if spec["tomorrow"] != "x" || (resources != nil && (len(resources) != 2 || specOf(resourceIn(s.infra(), asoAgentPool.Kind))["tomorrow"] != "x")) {
			t.Errorf("after a change the spec is %v", spec)
		}
	})
}

// Somebody else wrote in between: what is not known is not overwritten.
func TestWritesAreLocked(t *testing.T) {
	eachFlavor(t, func(t *testing.T, f Flavor) {
		s := newStage(t, f, generalx(scaled))
		stale := s.infra()
		s.change(f.Kinds().Pool, "o", func(content map[string]any) { content["spec"].(map[string]any)["tomorrow"] = "x" })
		reader := interceptor.NewClient(s.client, interceptor.Funcs{
			Get: func(ctx context.Context, w client.WithWatch, k client.ObjectKey, o client.Object, opts ...client.GetOption) error {
				if u, ok := o.(*unstructured.Unstructured); ok && u.GetKind() == stale.GetKind() {
					stale.DeepCopyInto(u)
					return nil
				}
				return w.Get(ctx, k, o, opts...)
			},
		})
		err := HoldScaling(t.Context(), s.client, reader, key, "o", agentpool.Scaling{Min: 0, Max: 1}, now)
		if !apierrors.IsConflict(err) {
			t.Errorf("written over what somebody else wrote: %v", err)
		}
	})
}
