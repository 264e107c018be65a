package stack

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

// openSharedWorld is openWorld with one API server for all clusters.
func openSharedWorld(t *testing.T, dir string) openedWorld {
	t.Helper()
	world := openWorld(t, dir)
	shared, err := startShared(world.ctx, world.layout, world.etcd, world.ca, logr.Discard())
	if err != nil {
		world.close()
		t.Fatal(err)
	}
	world.shared = shared
	return world
}

func machine(name string) sim.Node {
	return sim.Node{Name: name, ProviderID: "azure:///subscriptions/s/x/" + name, Version: "v1.34.2", Labels: map[string]string{sim.SimulatedLabel: "true"}}
}

// Clusters on one API server each see their own nodes, by all the ways in which clients look at them, and no cluster's end is felt by another.
func TestSharedServerShowsEachClusterItsOwnNodes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "world")
	world := openSharedWorld(t, dir)
	one, two := managed("one"), managed("two")
	first, second := ensure(t, world.clusters, one), ensure(t, world.clusters, two)
	for id, names := range map[string][]string{one.ID: {"a-0", "a-1", "a-2"}, two.ID: {"b-0"}} {
		for _, name := range names {
			for range 2 { // it is called again after every restart
				if err := world.EnsureNode(t.Context(), id, machine(name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	seesNodes(t, first, "a-0", "a-1", "a-2")
	seesNodes(t, second, "b-0")
	eventually(t, "the nodes of both clusters are ready", func(ctx context.Context) bool {
		nodes, err := world.shared.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		return err == nil && len(nodes.Items) == 4 && !slices.ContainsFunc(nodes.Items, func(n corev1.Node) bool { return !isReady(&n) })
	})
	applies(t, first)
	if err := first.CoreV1().Nodes().DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "metadata.name!=a-0"}); err != nil {
		t.Fatal(err)
	}
	seesNodes(t, first, "a-0")
	seesNodes(t, second, "b-0")
	host := configOf(t, world.layout.ClusterKubeconfig("prod")).Host
	world.close()

	again := openSharedWorld(t, dir)
	t.Cleanup(again.close)
	seesNodes(t, ensure(t, again.clusters, one), "a-0")
	if now := configOf(t, again.layout.ClusterKubeconfig("prod")).Host; now != host {
		t.Errorf("after a restart the cluster's address is %s, and was %s", now, host)
	}
	second = ensure(t, again.clusters, two)
	if err := again.DeleteCluster(t.Context(), one.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := first.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); !apierrors.IsServiceUnavailable(err) {
		t.Errorf("a deleted cluster answers %v", err)
	}
	seesNodes(t, second, "b-0")
	seesNodes(t, ensure(t, again.clusters, one))
}

// seesNodes looks by list, by pages and by an informer, which lists and watches.
func seesNodes(t *testing.T, client kubernetes.Interface, want ...string) {
	t.Helper()
	var names []string
	for options := (metav1.ListOptions{Limit: 1}); ; {
		page, err := client.CoreV1().Nodes().List(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Items {
			names = append(names, page.Items[i].Name)
		}
		if options.Continue = page.Continue; options.Continue == "" {
			break
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("the cluster's pages of nodes are %v, want %v", names, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	factory := informers.NewSharedInformerFactory(client, 0)
	store := factory.Core().V1().Nodes().Informer().GetStore()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	seen := store.ListKeys()
	cancel()
	factory.Shutdown()
	if slices.Sort(seen); !slices.Equal(seen, want) {
		t.Errorf("the cluster's informer knows %v, want %v", seen, want)
	}
}

// applies checks that what is not about nodes works through the path, with a body.
func applies(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	wanted := applycorev1.ConfigMap("through-the-path", metav1.NamespaceDefault).WithData(map[string]string{"a": "b"})
	applied, err := client.CoreV1().ConfigMaps(metav1.NamespaceDefault).Apply(t.Context(), wanted, metav1.ApplyOptions{FieldManager: "test"})
	if err != nil || applied.Data["a"] != "b" {
		t.Errorf("server-side apply gave %v, %v", applied, err)
	}
}

func isReady(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// The clusters of a directory are where it was first started with, so the other way would show them empty.
func TestSharedWorkloadStaysWithItsDirectory(t *testing.T) {
	for name, shared := range map[string]bool{"shared": true, "each its own": false} {
		t.Run(name, func(t *testing.T) {
			layout := Layout{Dir: filepath.Join(t.TempDir(), "stack")}
			begin := func(shared bool) error {
				s := &Stack{options: Options{SharedWorkload: shared}, layout: layout, parts: newParts()}
				_, err := s.claim(t.Context())
				s.parts.stop()
				return err
			}
			if err := begin(shared); err != nil {
				t.Fatal(err)
			}
			if err := begin(!shared); err == nil || !strings.Contains(err.Error(), "--shared-workload, or reset it") {
				t.Errorf("the other way: %v", err)
			}
			if err := begin(shared); err != nil {
				t.Errorf("the same way again: %v", err)
			}
		})
	}
}
