package drainer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	machinedrain "sigs.k8s.io/cluster-api/core/reconcilers/machine/drain"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// As Cluster API v1.14.2 sets them: drainRetryInterval in core/reconcilers/machine/machine_controller.go, and the defaults of
// --clustercache-client-qps, --clustercache-client-burst and --machine-concurrency in core/main.go.
const (
	capiRequeue     = 20 * time.Second
	capiQPS         = 20
	capiBurst       = 30
	capiConcurrency = 100
)

func clusterAPI(e *env) error            { return e.clusterAPI(e.job.rate(capiQPS), capiBurst) }
func clusterAPIUnthrottled(e *env) error { return e.clusterAPI(-1, 0) }

// clusterAPI is what the machine controller does for each machine under deletion: drainNode, and again after the requeue.
func (e *env) clusterAPI(qps float32, burst int) error {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	remote, err := e.remoteClient(ctx, qps, burst)
	if err != nil {
		return err
	}
	workers := make(chan struct{}, capiConcurrency)
	errs := make([]error, len(e.job.Nodes))
	var machines sync.WaitGroup
	for i, node := range e.job.Nodes {
		machines.Go(func() {
			for {
				workers <- struct{}{}
				done, err := drainNode(ctx, remote, node.Name)
				<-workers
				if done || err != nil {
					errs[i] = err
					return
				}
				if errs[i] = e.pause(e.job.wait(capiRequeue)); errs[i] != nil {
					return
				}
			}
		})
	}
	machines.Wait()
	return errors.Join(errs...)
}

// drainNode follows Reconciler.drainNode.
func drainNode(ctx context.Context, remote client.Client, name string) (bool, error) {
	node := &corev1.Node{}
	if err := remote.Get(ctx, client.ObjectKey{Name: name}, node); err != nil {
		return false, fmt.Errorf("get node %s: %w", name, err)
	}
	helper := &machinedrain.Helper{Client: noRules{}, RemoteClient: remote, GracePeriodSeconds: -1}
	if err := helper.CordonNode(ctx, node); err != nil {
		return false, err
	}
	machine := &clusterv1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	cluster := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "bench"}}
	list, err := helper.GetPodsForEviction(ctx, cluster, machine, name)
	if err != nil {
		return false, err
	}
	if len(list.Pods()) == 0 {
		return true, nil
	}
	return helper.EvictPods(ctx, list).DrainCompleted(), nil
}

// remoteClient reads Nodes and Namespaces from a cache and the rest live, as core/setup.ClusterCacheClientOptions says.
func (e *env) remoteClient(ctx context.Context, qps float32, burst int) (client.Client, error) {
	config := e.limited(qps, burst)
	informers, err := cache.New(config, cache.Options{Scheme: scheme.Scheme, DefaultTransform: cache.TransformStripManagedFields()})
	if err != nil {
		return nil, fmt.Errorf("make cache: %w", err)
	}
	for _, kind := range []client.Object{&corev1.Node{}, &corev1.Namespace{}} {
		if _, err := informers.GetInformer(ctx, kind, cache.BlockUntilSynced(false)); err != nil {
			return nil, fmt.Errorf("make cache: %w", err)
		}
	}
	go func() { _ = informers.Start(ctx) }()
	if !informers.WaitForCacheSync(ctx) {
		return nil, errors.New("the cache was not filled")
	}
	return client.New(config, client.Options{
		Scheme: scheme.Scheme,
		Cache:  &client.CacheOptions{Reader: informers, DisableFor: []client.Object{&corev1.Pod{}, &appsv1.DaemonSet{}}},
	})
}

// noRules is a management cluster without MachineDrainRules.
type noRules struct{ client.Client }

// List finds nothing.
func (noRules) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }
