package drainer

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	kubectl "k8s.io/kubectl/pkg/drain"
)

// As `kubectl drain` v0.36.3 sets them in pkg/cmd/drain/drain.go.
const (
	kubectlRetry = 5 * time.Second
	kubectlChunk = 500
	// kubectlAtOnce is what people write after xargs -P.
	kubectlAtOnce = 10
)

func kubectlSerial(e *env) error         { return e.kubectl(1, e.job.rate(rest.DefaultQPS)) }
func kubectlTen(e *env) error            { return e.kubectl(kubectlAtOnce, e.job.rate(rest.DefaultQPS)) }
func kubectlTenUnthrottled(e *env) error { return e.kubectl(kubectlAtOnce, -1) }

// kubectl drains nodes as so many runs of `kubectl drain --force --ignore-daemonsets --delete-emptydir-data` would.
func (e *env) kubectl(atOnce int, qps float32) error {
	nodes := make(chan string)
	errs := make(chan error, len(e.job.Nodes))
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for node := range nodes {
				errs <- e.kubectlDrain(node, qps)
			}
		})
	}
	for _, node := range e.job.Nodes {
		nodes <- node.Name
	}
	close(nodes)
	workers.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// kubectlDrain has a client of its own, because each kubectl is a process of its own.
func (e *env) kubectlDrain(node string, qps float32) error {
	client, err := e.client(qps, rest.DefaultBurst)
	if err != nil {
		return err
	}
	if err := kubectl.RunNodeDrain(e.kubectlHelper(client), node); err != nil {
		return fmt.Errorf("drain node %s: %w", node, err)
	}
	return nil
}

func (e *env) kubectlHelper(client kubernetes.Interface) *kubectl.Helper {
	return &kubectl.Helper{
		Ctx: e.ctx, Client: client, Force: true, IgnoreAllDaemonSets: true, DeleteEmptyDirData: true, GracePeriodSeconds: -1,
		ChunkSize: kubectlChunk, EvictErrorRetryDelay: e.job.wait(kubectlRetry), Out: io.Discard, ErrOut: io.Discard,
	}
}

// goroutinePerPod hands the pods of all nodes to kubectl's code at once, which starts a goroutine for each.
func goroutinePerPod(e *env) error {
	client, err := e.client(-1, 0)
	if err != nil {
		return err
	}
	helper := e.kubectlHelper(client)
	var pods []corev1.Pod
	for _, node := range e.job.Nodes {
		list, errs := helper.GetPodsForDeletion(node.Name)
		if len(errs) > 0 {
			return errors.Join(errs...)
		}
		pods = append(pods, list.Pods()...)
	}
	return helper.DeleteOrEvictPods(pods)
}
