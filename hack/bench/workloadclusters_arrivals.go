package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// arrivals are when each cluster was seen to be there, by watches: looking again and again would be a load of its own.
type arrivals struct {
	mu sync.Mutex
	// ready are the WorkloadClusters that were Ready, served those of which Cluster API said that they are available with all their nodes.
	ready, served map[string]time.Time
	// available and pools are what served follows from.
	available map[string]bool
	pools     map[string]map[string]bool
	// last are the words of what is not ready yet, for people.
	last map[string]string
}

func newArrivals() *arrivals {
	return &arrivals{
		ready: map[string]time.Time{}, served: map[string]time.Time{}, available: map[string]bool{}, pools: map[string]map[string]bool{}, last: map[string]string{},
	}
}

// follow watches until ctx ends. A watch that the API server closes begins again with a list.
func (a *arrivals) follow(ctx context.Context, c client.WithWatch, list client.ObjectList) error {
	for ctx.Err() == nil {
		if err := a.followOnce(ctx, c, list); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (a *arrivals) followOnce(ctx context.Context, c client.WithWatch, list client.ObjectList) error {
	if err := c.List(ctx, list); err != nil {
		return fmt.Errorf("list what is watched: %w", err)
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return fmt.Errorf("list what is watched: %w", err)
	}
	for _, item := range items {
		a.see(item, time.Now())
	}
	events, err := c.Watch(ctx, list, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.GetResourceVersion()}})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		if event.Type == watch.Error {
			return nil
		}
		a.see(event.Object, time.Now())
	}
	return nil
}

func (a *arrivals) see(object any, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch o := object.(type) {
	case *fleetwrightv1.WorkloadCluster:
		a.seeWorkloadCluster(o, now)
	case *unstructured.Unstructured:
		a.seeClusterAPI(o, now)
	}
}

// Kinds of Cluster API by which a cluster's arrival is seen.
const (
	clusterKind     = "Cluster"
	machinePoolKind = "MachinePool"
)

func clusterAPIList(kind string) *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "cluster.x-k8s.io", Version: "v1beta2", Kind: kind + "List"})
	return list
}

func (a *arrivals) seeClusterAPI(o *unstructured.Unstructured, now time.Time) {
	switch o.GetKind() {
	case clusterKind:
		a.available[o.GetName()] = hasCondition(o, "Available")
		a.judge(o.GetName(), now)
	case machinePoolKind:
		name := textAt(o, "spec", "clusterName")
		if a.pools[name] == nil {
			a.pools[name] = map[string]bool{}
		}
		wanted, said, err := unstructured.NestedInt64(o.Object, "spec", "replicas")
		ready, _, _ := unstructured.NestedInt64(o.Object, "status", "readyReplicas") // none is none
		a.pools[name][o.GetName()] = said && err == nil && wanted == ready
		a.judge(name, now)
	}
}

// textAt is the text in that place, empty for none.
func textAt(o *unstructured.Unstructured, path ...string) string {
	text, _, _ := unstructured.NestedString(o.Object, path...)
	return text
}

func (a *arrivals) seeWorkloadCluster(o *fleetwrightv1.WorkloadCluster, now time.Time) {
	condition := meta.FindStatusCondition(o.Status.Conditions, fleetwrightv1.ConditionReady)
	switch {
	case condition == nil:
		a.last[o.Name] = "it says nothing of itself"
	case condition.Status != metav1.ConditionTrue:
		a.last[o.Name] = condition.Reason + ": " + condition.Message
	default:
		first(a.ready, o.Name, now)
	}
}

// judge notes the first time at which the cluster is available and all its pools have all their nodes.
func (a *arrivals) judge(name string, now time.Time) {
	nodes := len(a.pools[name]) == poolsPerCluster
	for _, full := range a.pools[name] {
		nodes = nodes && full
	}
	if a.available[name] && nodes {
		first(a.served, name, now)
	}
}

func first(times map[string]time.Time, name string, now time.Time) {
	if _, seen := times[name]; !seen {
		times[name] = now
	}
}

// of are the times that count for that side.
func (a *arrivals) of(s side) map[string]time.Time {
	if s == ours {
		return a.ready
	}
	return a.served
}

// missing is how many of those clusters are not there yet, and the words of one of them.
func (a *arrivals) missing(s side, clusters int) (number int, example string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	there := a.of(s)
	for n := range clusters {
		name := workloadCluster(n).Name
		if _, ok := there[name]; ok {
			continue
		}
		number++
		if example == "" {
			example = name + " " + a.last[name]
			if s == plain {
				example = fmt.Sprintf("%s: available is %t, pools are %v", name, a.available[name], a.pools[name])
			}
		}
	}
	return number, example
}

// since are the seconds from each cluster's beginning, in the order of the clusters.
func since(begun []time.Time, there map[string]time.Time) []float64 {
	var out []float64
	for n, began := range begun {
		if at, ok := there[workloadCluster(n).Name]; ok {
			out = append(out, at.Sub(began).Seconds())
		}
	}
	return out
}
