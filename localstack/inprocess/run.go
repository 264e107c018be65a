// Package inprocess runs controller-runtime managers in the background of a program that has more to do.
package inprocess

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// StopPatience is for ctrl.Options.GracefulShutdownTimeout. Controllers that end take milliseconds; the default of 30 s is
// spent to the last in every stop that meets one that hangs, as Cluster API's do when a cluster connects at that moment:
// clustercache then waits for a reader that has gone.
const StopPatience = 3 * time.Second

// Manager is a running controller-runtime manager.
type Manager struct {
	done chan struct{}
	err  error // valid once done is closed
}

// Run starts manager and returns when its caches are filled and its controllers work. It runs until ctx ends. name is
// what messages call it. When Run returns an error everything was told to end, and has, except what hangs.
func Run(ctx context.Context, name string, manager ctrl.Manager, log logr.Logger) (*Manager, error) {
	ctx, stop := context.WithCancel(ctx)
	running := &Manager{done: make(chan struct{})}
	go func() {
		defer close(running.done)
		defer stop()
		err := manager.Start(ctx)
		switch {
		case err == nil:
		case ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded):
			// They were told to end and nobody needs them any more, so that some hang is worth a line and no failure.
			log.Info("Controllers did not all end in time", "manager", name, "reason", err.Error())
		default:
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

// Wait waits until the manager has stopped and returns why, nil if its context ended. What did not end within the
// manager's GracefulShutdownTimeout is left behind.
func (m *Manager) Wait() error {
	<-m.done
	return m.err
}
