package kubelet_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// TestManyPodsWaitWithoutGoroutines has 500 pods in their start at once.
func TestManyPodsWaitWithoutGoroutines(t *testing.T) {
	const nodes, perNode = 5, 100
	c := newCluster(t)
	var running atomic.Int32
	f := informers.NewSharedInformerFactory(c.client, 0)
	if _, err := f.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: func(before, after any) {
		if before.(*corev1.Pod).Status.Phase != corev1.PodRunning && after.(*corev1.Pod).Status.Phase == corev1.PodRunning {
			running.Add(1)
		}
	}}); err != nil {
		t.Fatal(err)
	}
	f.Start(t.Context().Done())
	f.WaitForCacheSync(t.Context().Done())
	c.startKubelet(kubelet.Settings{PodStart: kubelet.Range{Min: time.Hour, Max: time.Hour}})
	for n := range nodes {
		c.ensureNode(kubelet.Node{Name: fmt.Sprintf("node-%d", n)})
	}
	c.create("node-0", "probe", map[string]string{kubelet.AnnotationStartSeconds: "0"}, nil)
	c.wait("probe", runningReady, limit)

	before := runtime.NumGoroutine()
	for i := range nodes * perNode {
		c.create(fmt.Sprintf("node-%d", i%nodes), fmt.Sprintf("pod-%d", i), nil, nil)
	}
	c.create("node-0", "last", map[string]string{kubelet.AnnotationStartSeconds: "0"}, nil)
	c.wait("last", runningReady, limit) // everything before it in the queue was looked at
	if grown := runtime.NumGoroutine() - before; grown > nodes*perNode/4 {
		t.Errorf("%d waiting pods cost %d goroutines", nodes*perNode, grown)
	}

	began := time.Now()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"0"}}}`, kubelet.AnnotationStartSeconds)
	for i := range nodes * perNode {
		if _, err := c.client.CoreV1().Pods("default").Patch(t.Context(), fmt.Sprintf("pod-%d", i), "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	c.eventually(time.Minute, "all running", func(context.Context) (bool, string) {
		n := running.Load()
		return n == nodes*perNode+2, fmt.Sprintf("%d running", n)
	})
	t.Logf("%d pods started in %s", nodes*perNode, time.Since(began))
}
