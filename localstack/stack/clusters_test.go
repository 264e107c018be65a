package stack

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// newWorld is a world without the rest of a stack.
func newWorld(t *testing.T) *clusters {
	t.Helper()
	world := openWorld(t, filepath.Join(t.TempDir(), "world"))
	t.Cleanup(world.close)
	return world.clusters
}

// openedWorld can be closed and opened again on the same directory, as a stack that is restarted.
type openedWorld struct {
	*clusters
	close func()
}

func openWorld(t *testing.T, dir string) openedWorld {
	t.Helper()
	layout := Layout{Dir: dir}
	if err := layout.Create(); err != nil {
		t.Fatal(err)
	}
	etcd, err := controlplane.StartEtcd(t.Context(), layout.etcd())
	if err != nil {
		t.Fatal(err)
	}
	ca, err := controlplane.OpenCA(layout.authority())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	world := newClusters(ctx, layout, etcd, ca, kubelet.Settings{}, logr.Discard())
	return openedWorld{world, func() {
		cancel()
		world.wait()
		if world.shared != nil {
			_ = world.shared.server.Wait()
		}
		etcd.Close()
	}}
}

func managed(group string) sim.Cluster {
	return sim.Cluster{
		ID:   "/subscriptions/s/resourceGroups/" + group + "/providers/Microsoft.ContainerService/managedClusters/prod",
		Name: "prod", Location: "westeurope", NodeResourceGroup: "mc", Version: "1.34.2",
	}
}

func ensure(t *testing.T, world *clusters, c sim.Cluster) *kubernetes.Clientset {
	t.Helper()
	if _, err := world.EnsureCluster(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return connect(t, world.layout.ClusterKubeconfig(world.get(c.ID).name))
}

// A cluster that is deleted and created again under the same id is an empty one; its namesake in another group is untouched.
func TestDeletedClusterLeavesNoData(t *testing.T) {
	world := newWorld(t)
	one, two := managed("one"), managed("two")
	createMark(t, ensure(t, world, one))
	other := ensure(t, world, two)
	createMark(t, other)
	if files := world.layout.ClusterKubeconfigs(); len(files) != 2 {
		t.Errorf("kubeconfigs of two clusters of one name: %v", files)
	}

	if err := world.DeleteCluster(t.Context(), one.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(world.layout.workload(serverName(one.ID))); !os.IsNotExist(err) {
		t.Errorf("files of the deleted cluster: %v", err)
	}
	if files := world.layout.ClusterKubeconfigs(); len(files) != 1 {
		t.Errorf("kubeconfigs after one was deleted: %v", files)
	}
	if hasMark(t.Context(), ensure(t, world, one)) {
		t.Error("the new cluster has the deleted one's data")
	}
	if !hasMark(t.Context(), other) {
		t.Error("the other cluster lost its data")
	}
	if err := world.DeleteCluster(t.Context(), managed("three").ID); err != nil {
		t.Errorf("delete a cluster that never was: %v", err)
	}
}

// Clusters of one name in two groups keep their files apart, also when both start at the same time, as after a restart.
func TestNamesakesKeepTheirFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "world")
	one, two := managed("one"), managed("two")
	first := openWorld(t, dir)
	for _, c := range []sim.Cluster{one, two} {
		createMark(t, ensure(t, first.clusters, c))
	}
	servers := map[string]string{one.ID: "prod", two.ID: "prod-7e36bae3"}
	for id, name := range servers {
		if got := first.get(id).name; got != name {
			t.Errorf("the files of %s are called %s, want %s", id, got, name)
		}
		servers[id] = configOf(t, first.layout.ClusterKubeconfig(name)).Host
	}
	first.close()

	again := openWorld(t, dir)
	t.Cleanup(again.close)
	var starting sync.WaitGroup
	for _, c := range []sim.Cluster{two, one} {
		starting.Go(func() {
			if _, err := again.EnsureCluster(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	for id, name := range map[string]string{one.ID: "prod", two.ID: "prod-7e36bae3"} {
		if host := configOf(t, again.layout.ClusterKubeconfig(name)).Host; host != servers[id] {
			t.Errorf("after the restart %s.kubeconfig leads to %s, and led to %s", name, host, servers[id])
		}
	}
	if err := again.DeleteCluster(t.Context(), one.ID); err != nil {
		t.Fatal(err)
	}
	expectFiles(t, again.layout, "prod-7e36bae3")
}

// The process may be killed while it deletes a cluster. The next one deletes what it never started.
func TestDeletionIsTakenUpAfterAKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "world")
	killed := openWorld(t, dir)
	createMark(t, ensure(t, killed.clusters, managed("one")))
	expectFiles(t, killed.layout, "prod")
	killed.close()
	next := openWorld(t, dir)
	t.Cleanup(next.close)
	if err := next.DeleteCluster(t.Context(), managed("one").ID); err != nil {
		t.Fatal(err)
	}
	expectFiles(t, next.layout)
}

// expectFiles checks which clusters have a kubeconfig and an audit log.
func expectFiles(t *testing.T, layout Layout, names ...string) {
	t.Helper()
	audits, err := filepath.Glob(layout.ClusterAudit("*"))
	if err != nil {
		t.Fatal(err)
	}
	var kubeconfigs, logs []string
	for _, name := range names {
		kubeconfigs, logs = append(kubeconfigs, layout.ClusterKubeconfig(name)), append(logs, layout.ClusterAudit(name))
	}
	if got := layout.ClusterKubeconfigs(); !slices.Equal(got, kubeconfigs) {
		t.Errorf("kubeconfigs %v, want %v", got, kubeconfigs)
	}
	if !slices.Equal(audits, logs) {
		t.Errorf("audit logs %v, want %v", audits, logs)
	}
}

func TestNodes(t *testing.T) {
	world := newWorld(t)
	c := managed("one")
	client := ensure(t, world, c)
	node := sim.Node{
		Name: "aks-a-1-vmss000000", ProviderID: "azure:///subscriptions/s/x/0", Version: "v1.34.2", VMSize: "Standard_D4s_v5", Zone: "westeurope-1",
		Labels: map[string]string{sim.SimulatedLabel: "true", "team": "a"}, Taints: []sim.Taint{{Key: "k", Value: "v", Effect: "NoSchedule"}},
		CPU: 4, MemoryBytes: 16 << 30, Pods: 110,
	}
	for range 2 { // it is called again after every restart
		if err := world.EnsureNode(t.Context(), c.ID, node); err != nil {
			t.Fatal(err)
		}
	}
	live, err := client.CoreV1().Nodes().Get(t.Context(), node.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if live.Spec.ProviderID != node.ProviderID || live.Labels["team"] != "a" || live.Status.NodeInfo.KubeletVersion != "v1.34.2" || live.Status.Capacity.Cpu().Value() != 4 {
		t.Errorf("the node is not as asked for: %+v %+v", live.Spec, live.Status)
	}
	if err := world.DeleteNode(t.Context(), c.ID, node.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Nodes().Get(t.Context(), node.Name, metav1.GetOptions{}); err == nil {
		t.Error("the node is still there")
	}
	if err := world.EnsureNode(t.Context(), managed("none").ID, node); err == nil {
		t.Error("a node was registered in a cluster that does not run")
	}
}
