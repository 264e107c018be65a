//go:build realcapz

package realcapz_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// watched are the conditions that operators read.
var watched = []string{"AgentPoolsReady", "ManagedClusterRunning", "Ready"}

// recorder notes every state of the conditions of the objects it follows, chapter by chapter.
type recorder struct {
	mu      sync.Mutex
	chapter string
	seen    map[string]sets.Set[string] // by chapter
	heard   map[string]string           // resource versions, by kind and name
}

func newRecorder() *recorder {
	return &recorder{seen: map[string]sets.Set[string]{}, heard: map[string]string{}}
}

// upTo says that the recorder has heard of this state of an object, so that none of the chapter's states is still to come.
func (r *recorder) upTo(object *unstructured.Unstructured) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard[object.GetKind()+" "+object.GetName()] == object.GetResourceVersion()
}

// has says whether a state was seen in this chapter.
func (r *recorder) has(state string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[r.chapter].Has(state)
}

func (r *recorder) begin(chapter string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chapter = chapter
	r.seen[chapter] = sets.New[string]()
}

func (r *recorder) follow(ctx context.Context, cluster client.WithWatch, kind schema.GroupVersionKind) error {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	events, err := cluster.Watch(ctx, list, client.InNamespace("default"))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, events.Stop)
	go func() {
		for event := range events.ResultChan() {
			if object, ok := event.Object.(*unstructured.Unstructured); ok && object.GetKind() == kind.Kind {
				r.take(object)
			}
		}
	}()
	return nil
}

func (r *recorder) take(object *unstructured.Unstructured) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard[object.GetKind()+" "+object.GetName()] = object.GetResourceVersion()
	if r.chapter == "" {
		return
	}
	note := func(state string) {
		r.seen[r.chapter].Insert(object.GetKind() + " " + object.GetName() + ": " + state)
	}
	// Apart from the conditions: CAPZ writes them and the rest of the status one after the other.
	ready, _, _ := unstructured.NestedBool(object.Object, "status", "ready")
	note(fmt.Sprintf("ready=%t", ready))
	list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, each := range list {
		condition, ok := each.(map[string]any)
		if ok && slices.Contains(watched, fmt.Sprint(condition["type"])) {
			text := func(key string) string { s, _ := condition[key].(string); return s }
			note(fmt.Sprintf("%s=%s %s %s", text("type"), text("status"), text("severity"), text("reason")))
		}
	}
}

// states returns what was seen, by chapter, sorted.
func (r *recorder) states() map[string][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	states := map[string][]string{}
	for chapter, seen := range maps.All(r.seen) {
		states[chapter] = sets.List(seen)
	}
	return states
}

func conditionOf(object *unstructured.Unstructured, kind string) string {
	list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, each := range list {
		if condition, ok := each.(map[string]any); ok && condition["type"] == kind {
			return fmt.Sprint(condition["status"])
		}
	}
	return ""
}
