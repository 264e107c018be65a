package sim

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
)

// Waits between tries after the Kubernetes world has failed.
const (
	firstRetry = 500 * time.Millisecond
	lastRetry  = 15 * time.Second
)

// world keeps the Kubernetes side in step with the state: one worker per managed cluster, so that a slow API server
// holds up nobody else. Workers remember only what they have done since the start; the wanted world is in the state.
type world struct {
	kubernetes Kubernetes
	clock      clock.Clock
	log        logr.Logger
	// look gives the wanted world of one cluster; report is told after each change. Both take the cloud's lock.
	look   func(key string) (wanted, bool)
	report func(key string, deletedNodes []string)

	ctx     context.Context
	mu      sync.Mutex
	workers map[string]*worker
	running sync.WaitGroup
}

// wanted is what a cluster should look like.
type wanted struct {
	cluster  Cluster
	removing bool
	nodes    []Node
	gone     []string
}

type worker struct {
	key  string
	wake chan struct{}

	mu         sync.Mutex
	kubeconfig []byte
	deleted    bool
	registered map[string]bool // by the node's name

	// ensured is used by the worker's own goroutine only.
	ensured map[string]Node
}

// kick makes the worker of a cluster look again, and starts it when there is none.
func (w *world) kick(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.workers[key]
	if k == nil {
		if w.ctx.Err() != nil {
			return
		}
		k = &worker{key: key, wake: make(chan struct{}, 1), ensured: map[string]Node{}, registered: map[string]bool{}}
		w.workers[key] = k
		w.running.Go(func() { w.work(k) })
	}
	select {
	case k.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (w *world) worker(key string) *worker {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.workers[key]
}

// ready tells whether the API server of a cluster runs.
func (w *world) ready(key string) bool { return w.kubeconfig(key) != nil }

// kubeconfig is the admin kubeconfig; nil while the API server does not run.
func (w *world) kubeconfig(key string) []byte {
	k := w.worker(key)
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kubeconfig
}

// gone tells whether the API server of a cluster that is being removed has been deleted.
func (w *world) gone(key string) bool {
	k := w.worker(key)
	if k == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.deleted
}

// registered tells whether a machine of a cluster is one of its nodes.
func (w *world) registered(key, node string) bool {
	k := w.worker(key)
	if k == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.registered[node]
}

func (k *worker) setRegistered(node string, is bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.registered[node] = is
}

// forget drops the worker of a cluster that no longer exists.
func (w *world) forget(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if k := w.workers[key]; k != nil {
		delete(w.workers, key)
		close(k.wake)
	}
}

func (w *world) work(k *worker) {
	log := w.log.WithValues("cluster", k.key)
	retry := firstRetry
	var timer <-chan time.Time
	for {
		select {
		case <-w.ctx.Done():
			return
		case _, open := <-k.wake:
			if !open {
				return
			}
		case <-timer:
		}
		timer = nil
		err := w.sync(k)
		if w.ctx.Err() != nil {
			return
		}
		if err == nil {
			retry = firstRetry
			continue
		}
		log.Error(err, "Kubernetes world is behind, will try again", "after", retry)
		timer = w.clock.After(retry)
		retry = min(2*retry, lastRetry)
	}
}

// sync does everything a cluster wants now. Deletions come first: a new pool may reuse the node names of a deleted one.
func (w *world) sync(k *worker) error {
	want, ok := w.look(k.key)
	if !ok {
		return nil
	}
	if want.removing {
		return w.remove(k, want.cluster.ID)
	}
	if err := w.ensureCluster(k, want.cluster); err != nil {
		return err
	}
	failed := w.deleteNodes(k, want)
	registered := false
	for _, n := range want.nodes {
		if slices.Contains(want.gone, n.Name) && failed != nil {
			continue // its namesake may still be there
		}
		if have, ok := k.ensured[n.Name]; ok && reflect.DeepEqual(have, n) {
			continue
		}
		if err := w.kubernetes.EnsureNode(w.ctx, want.cluster.ID, n); err != nil {
			failed = errors.Join(failed, fmt.Errorf("register node %s: %w", n.Name, err))
			continue
		}
		k.ensured[n.Name] = n
		k.setRegistered(n.Name, true)
		registered = true
	}
	if registered {
		w.report(k.key, nil)
	}
	return failed
}

func (w *world) ensureCluster(k *worker, c Cluster) error {
	k.mu.Lock()
	running := k.kubeconfig != nil
	k.mu.Unlock()
	if running {
		return nil
	}
	kubeconfig, err := w.kubernetes.EnsureCluster(w.ctx, c)
	if err != nil {
		return fmt.Errorf("start the API server of %s: %w", c.ID, err)
	}
	if len(kubeconfig) == 0 {
		return fmt.Errorf("start the API server of %s: no kubeconfig came back", c.ID)
	}
	k.mu.Lock()
	k.kubeconfig = kubeconfig
	k.mu.Unlock()
	w.report(k.key, nil)
	return nil
}

func (w *world) deleteNodes(k *worker, want wanted) error {
	var failed error
	var deleted []string
	for _, name := range want.gone {
		if err := w.kubernetes.DeleteNode(w.ctx, want.cluster.ID, name); err != nil {
			failed = errors.Join(failed, fmt.Errorf("delete node %s: %w", name, err))
			continue
		}
		delete(k.ensured, name)
		k.setRegistered(name, false)
		deleted = append(deleted, name)
	}
	if len(deleted) > 0 {
		w.report(k.key, deleted)
	}
	return failed
}

func (w *world) remove(k *worker, id string) error {
	k.mu.Lock()
	deleted := k.deleted
	k.mu.Unlock()
	if deleted {
		return nil
	}
	if err := w.kubernetes.DeleteCluster(w.ctx, id); err != nil {
		return fmt.Errorf("delete the API server of %s: %w", id, err)
	}
	k.mu.Lock()
	k.deleted, k.kubeconfig = true, nil
	k.mu.Unlock()
	w.report(k.key, nil)
	return nil
}
