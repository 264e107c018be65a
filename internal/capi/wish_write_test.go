package capi

import (
	"context"
	"errors"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
)

// management is a management cluster that counts what is written, and refuses it after some.
type management struct {
	t     *testing.T
	inner client.WithWatch
	client.WithWatch
	writes, cutAfter int
}

func newManagement(t *testing.T, objects ...client.Object) *management {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	m := &management{t: t, cutAfter: -1, inner: fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()}
	counts := func() error {
		if m.cutAfter >= 0 && m.writes == m.cutAfter {
			return errCut
		}
		m.writes++
		return nil
	}
	m.WithWatch = interceptor.NewClient(m.inner, interceptor.Funcs{
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if err := counts(); err != nil {
				return err
			}
			o.SetUID(types.UID("uid of " + kindOf(o)))
			return w.Create(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if err := counts(); err != nil {
				return err
			}
			return w.Patch(ctx, o, patch, opts...)
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			if err := counts(); err != nil {
				return err
			}
			return w.Delete(ctx, o, opts...)
		},
	})
	return m
}

func (m *management) apply(w Wish, adopt bool) error {
	return ApplyCluster(m.t.Context(), m, m, w, adopt)
}

func (m *management) applied(w Wish) {
	m.t.Helper()
	if err := m.apply(w, false); err != nil {
		m.t.Fatal(err)
	}
}

func (m *management) state(w Wish) ClusterState {
	m.t.Helper()
	state, err := ReadClusterState(m.t.Context(), m, m, w)
	if err != nil {
		m.t.Fatal(err)
	}
	return state
}

func (m *management) plane(w Wish) tree {
	m.t.Helper()
	p, _, err := readParts(m.t.Context(), m, w)
	if err != nil || p.controlPlane == nil {
		m.t.Fatalf("no control plane: %v", err)
	}
	return p.controlPlane.Object
}

// change is somebody else's hand.
func (m *management) change(o client.Object, name string, by func()) {
	m.t.Helper()
	if err := m.inner.Get(m.t.Context(), types.NamespacedName{Namespace: "prod-eu", Name: name}, o); err != nil {
		m.t.Fatal(err)
	}
	by()
	if err := m.inner.Update(m.t.Context(), o); err != nil {
		m.t.Fatal(err)
	}
}

func eachWish(t *testing.T, test func(t *testing.T, w Wish)) {
	t.Helper()
	for _, w := range []Wish{asoWish(), managedWish()} {
		t.Run(w.Flavor, func(t *testing.T) { test(t, w) })
	}
}

func TestApplyingACluster(t *testing.T) {
	eachWish(t, func(t *testing.T, w Wish) {
		m := newManagement(t)
		if state := m.state(w); state.Found || len(state.Changes) != 3 {
			t.Errorf("before, there is a Cluster: %t, to change: %v", state.Found, state.Changes)
		}
		m.applied(w)
		m.writes = 0
		m.applied(w)
		if state := m.state(w); m.writes > 0 || len(state.Changes) > 0 || state.Unmarked || !state.Ours || !state.Infrastructure.Exists || !state.ControlPlane.Exists {
			t.Errorf("applied again: %d writes, %+v", m.writes, state)
		}
		w.Version, w.Labels = "v1.34.3", map[string]string{"ring": "stable"}
		if state := m.state(w); len(state.Changes) != 3 || state.Version != "v1.34.2" {
			t.Errorf("version %s, to change: %v", state.Version, state.Changes)
		}
		m.applied(w)
		if m.writes != 2 {
			t.Errorf("%d writes", m.writes)
		}
		if got := treeIn(m.plane(w), "spec")["version"]; got != "v1.34.3" {
			t.Errorf("version %v", got)
		}
	})
}

// Wherever the process ends, the next one goes on and the result is the same.
func TestApplyingIsCutOff(t *testing.T) {
	eachWish(t, func(t *testing.T, w Wish) {
		for cut := range 3 {
			m := newManagement(t)
			m.cutAfter = cut
			if err := m.apply(w, false); !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			state := m.state(Wish{Namespace: w.Namespace, Name: w.Name})
			if state.Found || state.Leftover != (cut > 0) {
				t.Errorf("after %d writes: found %t, leftover %t", cut, state.Found, state.Leftover)
			}
			m.cutAfter = -1
			m.applied(w)
			if state := m.state(w); !state.Ours || len(state.Changes) > 0 || state.Unmarked || state.Leftover {
				t.Errorf("after %d writes and again: %+v", cut, state)
			}
			// And the same on the way out.
			m = newManagement(t)
			m.cutAfter = cut
			_ = m.apply(w, false)
			m.cutAfter = -1
			if err := DeleteCluster(t.Context(), m, m, w.key(), ""); err != nil {
				t.Fatal(err)
			}
			if state := m.state(w); state.Infrastructure.Exists || state.ControlPlane.Exists {
				t.Errorf("after %d writes and a deletion: %+v", cut, state)
			}
		}
	})
}

func TestWhatIsNotOursIsLeftAlone(t *testing.T) {
	eachWish(t, func(t *testing.T, w Wish) {
		m := newManagement(t)
		m.applied(w)
		cluster := &clusterv1.Cluster{}
		relabel := func(owner string) {
			m.change(cluster, "shop", func() {
				cluster.Labels = map[string]string{"fleetwright.io/workloadcluster": owner}
				if owner == "" {
					cluster.Labels = nil
				}
			})
		}
		relabel("")
		m.writes = 0
		w.Version = "v1.34.3"
		if err := m.apply(w, false); !errors.Is(err, ErrNotOurs) || m.writes > 0 {
			t.Errorf("without adoption: %d writes, %v", m.writes, err)
		}
		if err := DeleteCluster(t.Context(), m, m, w.key(), cluster.UID); !errors.Is(err, ErrNotOurs) {
			t.Errorf("it is deleted: %v", err)
		}
		if err := m.apply(w, true); err != nil || m.writes != 2 {
			t.Errorf("with adoption: %d writes, %v", m.writes, err)
		}
		relabel("other")
		if err := m.apply(w, true); !errors.Is(err, ErrNotOurs) {
			t.Errorf("adopted from another: %v", err)
		}
	})
}

func TestAnotherFlavorIsRefused(t *testing.T) {
	eachWish(t, func(t *testing.T, w Wish) {
		m := newManagement(t)
		m.applied(w)
		other := managedWish()
		if w.Flavor == other.Flavor {
			other = asoWish()
		}
		if state := m.state(other); state.Unsupported == "" || len(state.Changes) > 0 {
			t.Errorf("%+v", state)
		}
		m.writes = 0
		if err := m.apply(other, true); !errors.Is(err, ErrNotOurs) || m.writes > 0 {
			t.Errorf("%d writes, %v", m.writes, err)
		}
	})
}

func TestSomebodyElseWroteMeanwhile(t *testing.T) {
	m, w := newManagement(t), asoWish()
	m.applied(w)
	cluster := &clusterv1.Cluster{}
	racing := interceptor.NewClient(m.WithWatch, interceptor.Funcs{
		Patch: func(ctx context.Context, inner client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			m.change(cluster, "shop", func() { cluster.Labels = maps.Clone(cluster.Labels); cluster.Labels["n"] = "x" })
			return inner.Patch(ctx, o, patch, opts...)
		},
	})
	w.NodeCap = 401
	if err := ApplyCluster(t.Context(), racing, m, w, false); !apierrors.IsConflict(err) {
		t.Errorf("no conflict: %v", err)
	}
}

func TestAClusterThatLeavesIsNotMadeAnew(t *testing.T) {
	m, w := newManagement(t), asoWish()
	m.applied(w)
	cluster := &clusterv1.Cluster{}
	m.change(cluster, "shop", func() { cluster.Finalizers = []string{"cluster.cluster.x-k8s.io"} })
	if err := DeleteCluster(t.Context(), m, m, w.key(), cluster.UID); err != nil {
		t.Fatal(err)
	}
	if err := m.apply(w, false); !errors.Is(err, ErrLeaving) {
		t.Error(err)
	}
}

func TestReleasing(t *testing.T) {
	eachWish(t, func(t *testing.T, w Wish) {
		m := newManagement(t)
		m.applied(w)
		release := func() {
			t.Helper()
			if err := ReleaseCluster(t.Context(), m, m, w.key()); err != nil {
				t.Fatal(err)
			}
		}
		m.writes, m.cutAfter = 0, 1
		if err := ReleaseCluster(t.Context(), m, m, w.key()); !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		m.cutAfter = -1
		if !m.state(w).Ours {
			t.Error("half released, it is not ours any more: nobody would go on")
		}
		release()
		m.writes = 0
		release()
		state := m.state(w)
		if m.writes > 0 || state.Ours || state.Leftover || len(state.Changes) > 0 || !state.Unmarked {
			t.Errorf("%d more writes, %+v", m.writes, state)
		}
		want := map[string]string{"addons.fleetwright.io/agent": "enabled", "ring": "canary", "fleetwright.io/tenant": "shop"}
		if diff := cmp.Diff(want, state.Labels); diff != "" || state.NodeCap != 400 {
			t.Errorf("cap %d, labels %s", state.NodeCap, diff)
		}
		if _, left := treeIn(m.plane(w), "metadata", "annotations")["fleetwright.io/applied"]; left {
			t.Error("it still says what was applied")
		}
		if err := m.apply(w, true); err != nil || !m.state(w).Ours {
			t.Errorf("adopted again: %v", err)
		}
	})
}

// AzureClusterAutoscaler writes into the same lists.
func TestTheAutoscalersProfileStays(t *testing.T) {
	profile := autoscalerprofile.Values{"expander": "least-waste", "daemonset-eviction-for-occupied-nodes": "true"}
	eachWish(t, func(t *testing.T, w Wish) {
		m := newManagement(t)
		m.applied(w)
		write := func() {
			t.Helper()
			if err := WriteAutoscalerProfile(t.Context(), m, m, w.key(), profile); err != nil {
				t.Fatal(err)
			}
		}
		has := func() autoscalerprofile.Values {
			t.Helper()
			p, err := ReadAutoscalerProfile(t.Context(), m, w.key())
			if err != nil {
				t.Fatal(err)
			}
			return p.Declared
		}
		write()
		if diff := cmp.Diff(profile, has()); diff != "" {
			t.Fatal(diff)
		}
		for _, overrides := range []tree{{"disableLocalAccounts": true}, {"autoUpgradeProfile": tree{"upgradeChannel": "none"}}, nil} {
			w.Overrides = overrides
			m.applied(w)
			if diff := cmp.Diff(profile, has()); diff != "" {
				t.Errorf("after %v: %s", overrides, diff)
			}
			write() // it puts its patch at the end
			m.applied(w)
			m.writes = 0
			write()
			m.applied(w)
			if m.writes > 0 {
				t.Errorf("after %v: %d more writes", overrides, m.writes)
			}
		}
	})
}
