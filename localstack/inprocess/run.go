// Package inprocess runs controller-runtime managers in the background of a program that has more to do.
package inprocess

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// Manager is a running controller-runtime manager.
type Manager struct {
	done chan struct{}
	err  error // valid once done is closed
}

// Run starts manager and returns when its caches are filled and its controllers work. It runs until ctx ends. name is
// what messages call it. When Run returns an error nothing keeps running.
func Run(ctx context.Context, name string, manager ctrl.Manager, log logr.Logger) (*Manager, error) {
	ctx, stop := context.WithCancel(ctx)
	running := &Manager{done: make(chan struct{})}
	go func() {
		defer close(running.done)
		defer stop()
		if err := manager.Start(ctx); err != nil {
			running.err = fmt.Errorf("run %s: %w", name, err)
			log.Error(err, "Controllers stopped", "manager", name)
		}
	}()

	filled := make(chan bool, 1)
	go func() { filled <- manager.GetCache().WaitForCacheSync(ctx) }()
	select {
	case <-running.done:
		return nil, errors.Join(fmt.Errorf("%s stopped while starting", name), running.err)
	case ok := <-filled:
		if !ok {
			stop()
			return nil, errors.Join(fmt.Errorf("fill the caches of %s: %w", name, context.Cause(ctx)), running.Wait())
		}
	}
	return running, nil
}

// Done is closed when the manager has stopped, be it that its context ended or that it failed.
func (m *Manager) Done() <-chan struct{} { return m.done }

// Wait waits until the manager has stopped and returns why, nil if its context ended.
func (m *Manager) Wait() error {
	<-m.done
	return m.err
}
