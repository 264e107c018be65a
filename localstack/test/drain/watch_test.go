package drain_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// floor watches every revision of every pod and notes when an app has fewer ready pods than it needs. The events of one
// watch come in the order of the API server's revisions, so each state it counts has really been.
type floor struct {
	needs map[string]int

	mu     sync.Mutex
	lowest map[string]int
	broken []string
}

// watchFloor begins once all apps are complete, and goes on until the test ends.
func watchFloor(t *testing.T, client kubernetes.Interface, needs map[string]int) *floor {
	t.Helper()
	f := &floor{needs: needs, lowest: map[string]int{}}
	list, err := client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	ready := map[string]string{}
	for i := range list.Items {
		note(ready, &list.Items[i])
	}
	ctx, cancel := context.WithCancel(context.Background())
	w, err := client.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range w.ResultChan() {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok {
				f.fail(fmt.Sprintf("the watch ended: %v", event.Object))
				return
			}
			note(ready, pod)
			if event.Type == watch.Deleted {
				delete(ready, pod.Name)
			}
			f.count(ready, pod.Labels["app"])
		}
	}()
	t.Cleanup(func() {
		cancel()
		w.Stop()
		<-done
	})
	return f
}

// note keeps the app of pods that are ready and not leaving.
func note(ready map[string]string, pod *corev1.Pod) {
	delete(ready, pod.Name)
	if pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	}) {
		ready[pod.Name] = pod.Labels["app"]
	}
}

func (f *floor) count(ready map[string]string, app string) {
	n := 0
	for _, of := range ready {
		if of == app {
			n++
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if lowest, ok := f.lowest[app]; !ok || n < lowest {
		f.lowest[app] = n
	}
	if n < f.needs[app] {
		f.broken = append(f.broken, fmt.Sprintf("%s had %d ready pods, needs %d", app, n, f.needs[app]))
	}
}

func (f *floor) fail(message string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = append(f.broken, message)
}

// check fails the test for each state below the floor.
func (f *floor) check(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.broken {
		t.Error(b)
	}
	t.Logf("Lowest numbers of ready pods: %v", f.lowest)
}
