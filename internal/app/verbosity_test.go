package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The library that reads Secrets logs what it has read, from some verbosity on.
// However much is asked for, no Secret gets into the log.
func TestLogHoldsNoSecretAtAnyVerbosity(t *testing.T) {
	const canary = "canary-of-the-log"
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/api":
			_, _ = io.WriteString(w, `{"kind":"APIVersions","versions":["v1"]}`)
		case "/apis":
			_, _ = io.WriteString(w, `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`)
		case "/api/v1":
			_, _ = io.WriteString(w, `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"secrets","namespaced":true,"kind":"Secret","verbs":["get"]}]}`)
		default:
			_, _ = fmt.Fprintf(w, `{"kind":"Secret","apiVersion":"v1","metadata":{"name":"s","namespace":"n"},"stringData":{"clientSecret":%q}}`, canary)
		}
	}))
	defer api.Close()
	scheme, err := Scheme()
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	t.Cleanup(func() { os.Stderr = stderr; klog.ClearLogger() })
	for _, verbosity := range []int{0, 6, 8, 10, 1000} {
		log := written(t, func() {
			logger := Logger(verbosity)
			klog.SetLogger(logger)
			logger.V(1).Info("Planned")
			c, err := client.New(&rest.Config{Host: api.URL, BearerToken: canary}, client.Options{Scheme: scheme})
			if err != nil {
				t.Fatal(err)
			}
			var secret corev1.Secret
			if err := c.Get(ctrl.LoggerInto(t.Context(), logger), client.ObjectKey{Namespace: "n", Name: "s"}, &secret); err != nil {
				t.Fatal(err)
			}
			if secret.StringData["clientSecret"] != canary {
				t.Fatalf("no Secret was read: %v", secret)
			}
		})
		if strings.Contains(log, canary) {
			t.Errorf("verbosity %d logs a Secret:\n%s", verbosity, log)
		}
		if (verbosity > 0) != strings.Contains(log, "Planned") {
			t.Errorf("verbosity %d logs %q", verbosity, log)
		}
	}
}

// written is what goes to standard error meanwhile.
func written(t *testing.T, do func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = w
	read := make(chan string)
	go func() {
		all, _ := io.ReadAll(r)
		read <- string(all)
	}()
	do()
	_ = w.Close()
	return <-read
}
