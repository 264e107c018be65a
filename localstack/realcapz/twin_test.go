//go:build realcapz

package realcapz_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/localstack/stack"
)

var (
	clusterKind     = schema.GroupVersionKind{Group: "cluster.x-k8s.io", Version: "v1beta2", Kind: "Cluster"}
	machinePoolKind = schema.GroupVersionKind{Group: "cluster.x-k8s.io", Version: "v1beta2", Kind: "MachinePool"}
	azureCluster    = schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: "AzureManagedCluster"}
	controlPlane    = schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: "AzureManagedControlPlane"}
	azurePool       = schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: "AzureManagedMachinePool"}
)

// twin is one of two stacks on which the same is done.
type twin struct {
	t        *testing.T
	name     string
	stack    *stack.Stack
	client   client.WithWatch
	recorder *recorder
	// patience is the time limit of each step.
	patience time.Duration
}

func startTwin(t *testing.T, name string, provider stack.Provider, patience time.Duration, followed ...schema.GroupVersionKind) *twin {
	t.Helper()
	running := start(t, options(t, name, provider))
	cluster, err := client.NewWithWatch(running.Management(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &twin{t: t, name: name, stack: running, client: cluster, patience: patience, recorder: newRecorder()}
	for _, kind := range followed {
		if err := w.recorder.follow(t.Context(), cluster, kind); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *twin) apply(folder string) {
	w.t.Helper()
	objects, err := stack.ReadManifests(os.DirFS("."), folder)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := stack.Apply(w.t.Context(), w.stack.Management(), "conformance", objects); err != nil {
		w.t.Fatal(err)
	}
}

func (w *twin) get(kind schema.GroupVersionKind, name string) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: "default", Name: name}, object)
	return object, err
}

// patch merges a JSON patch into an object.
func (w *twin) patch(kind schema.GroupVersionKind, name, body string, options ...client.PatchOption) error {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	object.SetNamespace("default")
	object.SetName(name)
	return w.client.Patch(w.t.Context(), object, client.RawPatch("application/merge-patch+json", []byte(body)), options...)
}

func (w *twin) mustPatch(kind schema.GroupVersionKind, name, body string) {
	w.t.Helper()
	if err := w.patch(kind, name, body); err != nil {
		w.t.Fatalf("%s: patch %s %s: %v", w.name, kind.Kind, name, err)
	}
}

// until polls until done says nothing more.
func (w *twin) until(what string, done func() string) {
	w.t.Helper()
	began, last := time.Now(), ""
	err := wait.PollUntilContextTimeout(w.t.Context(), 250*time.Millisecond, w.patience, true, func(context.Context) (bool, error) {
		if err := w.stack.Failure(); err != nil {
			return false, err
		}
		last = done()
		return last == "", nil
	})
	if err != nil {
		w.t.Fatalf("%s: %s: %v: %s", w.name, what, err, last)
	}
	w.t.Logf("%-9s %-55s %6.1fs", w.name, what, time.Since(began).Seconds())
}

// is waits until a field of an object has a value, as fmt.Sprint writes it.
func (w *twin) is(kind schema.GroupVersionKind, name, want string, path ...string) func() string {
	return func() string {
		object, err := w.get(kind, name)
		if err != nil {
			return err.Error()
		}
		value, _, _ := unstructured.NestedFieldNoCopy(object.Object, path...)
		if list, ok := value.([]any); ok {
			value = len(list)
		}
		if got := fmt.Sprint(value); got != want {
			return fmt.Sprintf("%s %s: %v is %s, not %s", kind.Kind, name, path, got, want)
		}
		return ""
	}
}

// busy waits until the pool shows that a change is being made.
func (w *twin) busy(name string) func() string {
	return func() string {
		if !w.recorder.has(azurePool.Kind + " " + name + ": ready=false") {
			return "status.ready was never false since the change"
		}
		return ""
	}
}

// settled waits until a pool is well, and the recorder knows it.
func (w *twin) settled(name string) func() string {
	return func() string { return w.well(azurePool, name, "AgentPoolsReady") }
}

func (w *twin) well(kind schema.GroupVersionKind, name, condition string) string {
	if why := w.is(kind, name, "true", "status", "ready")(); why != "" {
		return why
	}
	object, err := w.get(kind, name)
	if err != nil {
		return err.Error()
	}
	if status := conditionOf(object, condition); status != "True" {
		return condition + " is " + status
	}
	if !w.recorder.upTo(object) {
		return "its last state was not recorded yet"
	}
	return ""
}
