package inprocess_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/fleetwright/fleetwright/localstack/inprocess"
)

// newManager returns a manager that needs no API server: nothing in it reads Kubernetes objects.
func newManager(t *testing.T, runnable manager.RunnableFunc) ctrl.Manager {
	t.Helper()
	return newManagerWith(t, inprocess.StopPatience, runnable)
}

func newManagerWith(t *testing.T, patience time.Duration, runnable manager.RunnableFunc) ctrl.Manager {
	t.Helper()
	m, err := ctrl.NewManager(&rest.Config{Host: "https://127.0.0.1:1"}, ctrl.Options{
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress:  "0",
		GracefulShutdownTimeout: &patience,
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) {
			return meta.NewDefaultRESTMapper(scheme.Scheme.PreferredVersionAllGroups()), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Add(runnable); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRunsUntilTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	running, err := inprocess.Run(ctx, "test", newManager(t, func(ctx context.Context) error {
		close(started)
		<-ctx.Done()
		return nil
	}), logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	<-started
	select {
	case <-running.Done():
		t.Fatal("stopped although its context goes on")
	default:
	}
	cancel()
	if err := running.Wait(); err != nil {
		t.Errorf("the end of the context is reported as %v", err)
	}
}

func TestSaysWhyItStopped(t *testing.T) {
	failure := make(chan error)
	running, err := inprocess.Run(t.Context(), "test", newManager(t, func(ctx context.Context) error {
		select {
		case err := <-failure:
			return err
		case <-ctx.Done():
			return nil
		}
	}), logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	failure <- errors.New("port taken")
	if err := running.Wait(); err == nil || !strings.Contains(err.Error(), "run test") || !strings.Contains(err.Error(), "port taken") {
		t.Errorf("got %v", err)
	}
}

// Cluster API has controllers that hang while they stop. A stack that is to end must neither wait for them nor fail.
func TestDoesNotWaitForWhatIgnoresTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	started, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	running, err := inprocess.Run(ctx, "test", newManagerWith(t, 10*time.Millisecond, func(context.Context) error {
		close(started)
		<-release
		return nil
	}), logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	<-started
	cancel()
	if err := running.Wait(); err != nil {
		t.Errorf("the end of the context is reported as %v", err)
	}
}

// A failure stays one, even when something else hangs at the end of it.
func TestFailureIsToldAlsoWhenSomethingHangs(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	m := newManagerWith(t, 10*time.Millisecond, func(context.Context) error {
		close(started)
		<-release
		return nil
	})
	failing := manager.RunnableFunc(func(context.Context) error {
		<-started
		return errors.New("port taken")
	})
	if err := m.Add(failing); err != nil {
		t.Fatal(err)
	}
	running, err := inprocess.Run(t.Context(), "test", m, logr.Discard())
	if err == nil {
		err = running.Wait()
	}
	if err == nil || !strings.Contains(err.Error(), "port taken") {
		t.Errorf("got %v", err)
	}
}
