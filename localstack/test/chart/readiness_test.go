package chart_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// A manager that cannot do its work must not look as if it could: without Cluster API `helm install --wait` has to fail.
func TestManagerIsNotReadyWithoutClusterAPI(t *testing.T) {
	s := startBareSite(t)
	health := freePort(t)
	s.helm(t, "install", release, chart, "--namespace", namespace, "--create-namespace",
		"--set", fmt.Sprintf("metrics.enabled=false,health.port=%d", health))
	var installed deployment
	s.get(t, namespace, "fleetwright", &installed)
	admin, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	m := startManager(t, admin, &installed)
	awaitAnswer(t, m, fmt.Sprintf("http://127.0.0.1:%d/healthz", health))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for tick := time.NewTicker(250 * time.Millisecond); ; {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/readyz", health), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			t.Fatal("the manager is ready although Cluster API is not installed")
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}
