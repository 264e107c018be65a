package workload

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var cluster = types.NamespacedName{Namespace: "prod-eu", Name: "prod-eu-1"}

// secrets is the management cluster as far as kubeconfigs go.
type secrets struct {
	client.Reader
	value []byte
	reads int
}

func (s *secrets) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	s.reads++
	if key.Name != "prod-eu-1-kubeconfig" || s.value == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, key.Name)
	}
	o.(*corev1.Secret).Data = map[string][]byte{"value": s.value}
	return nil
}

func kubeconfig(server, user string) []byte {
	return fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],
"clusters":[{"name":"c","cluster":{"server":%q}}],"users":[{"name":"u","user":%s}]}`, server, user)
}

func TestGetReadsTheKubeconfigAgainAfterAMinute(t *testing.T) {
	clk := testingclock.NewFakePassiveClock(time.Unix(0, 0))
	s := &secrets{value: kubeconfig("https://127.0.0.1:1", `{"token":"a"}`)}
	c := New(s, "test", clk)
	first, err := c.Get(t.Context(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	clk.SetTime(time.Unix(59, 0))
	if again, err := c.Get(t.Context(), cluster); err != nil || again != first || s.reads != 1 {
		t.Errorf("within a minute: same connection %t, %d reads, %v", again == first, s.reads, err)
	}
	clk.SetTime(time.Unix(61, 0))
	if again, err := c.Get(t.Context(), cluster); err != nil || again != first || s.reads != 2 {
		t.Errorf("same kubeconfig: same connection %t, %d reads, %v", again == first, s.reads, err)
	}
	s.value = kubeconfig("https://127.0.0.1:1", `{"token":"rotated"}`)
	clk.SetTime(time.Unix(122, 0))
	if again, err := c.Get(t.Context(), cluster); err != nil || again == first {
		t.Errorf("rotated kubeconfig: same connection %t, %v", again == first, err)
	}
}

func TestIdleConnectionsClose(t *testing.T) {
	clk := testingclock.NewFakePassiveClock(time.Unix(0, 0))
	c := New(&secrets{value: kubeconfig("https://127.0.0.1:1", `{"token":"a"}`)}, "test", clk)
	if _, err := c.Get(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	clk.SetTime(time.Unix(299, 0))
	if n := c.CloseIdle(); n != 1 {
		t.Errorf("%d connections after 299 s, want 1", n)
	}
	clk.SetTime(time.Unix(300, 0))
	if n := c.CloseIdle(); n != 0 {
		t.Errorf("%d connections after 300 s, want 0", n)
	}
}

func TestGetRefuses(t *testing.T) {
	cases := map[string]struct {
		value []byte
		says  string
	}{
		"no secret":           {nil, "there is no kubeconfig yet"},
		"a program":           {kubeconfig("https://127.0.0.1:1", `{"exec":{"apiVersion":"client.authentication.k8s.io/v1","command":"sh","interactiveMode":"Never"}}`), `user "u" of its kubeconfig would run a program`},
		"an auth provider":    {kubeconfig("https://127.0.0.1:1", `{"auth-provider":{"name":"azure"}}`), "would run a program"},
		"a token file":        {kubeconfig("https://127.0.0.1:1", `{"tokenFile":"/var/run/secrets/token"}`), "points to a file"},
		"a certificate file":  {kubeconfig("https://127.0.0.1:1", `{"client-certificate":"/etc/passwd"}`), "points to a file"},
		"not a kubeconfig":    {[]byte("s3cret-canary: ["), "cannot be parsed"},
		"no current context":  {[]byte(`{"apiVersion":"v1","kind":"Config"}`), "names no usable cluster"},
		"authority in a file": {[]byte(strings.Replace(string(kubeconfig("https://127.0.0.1:1", `{"token":"a"}`)), `"server"`, `"certificate-authority":"/etc/passwd","server"`, 1)), "points to a file"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := New(&secrets{value: tc.value}, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
			_, err := c.Get(t.Context(), cluster)
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("Get() = %v, want an error that says %q", err, tc.says)
			}
			if strings.Contains(err.Error(), "s3cret-canary") {
				t.Errorf("the error repeats the kubeconfig: %v", err)
			}
			if tc.value == nil && !errors.Is(err, ErrNoKubeconfig) {
				t.Errorf("%v does not wrap ErrNoKubeconfig", err)
			}
		})
	}
}

// A list that breaks off on its second page must not look like a cluster with
// fewer nodes.
func TestNodesAreWholeOrNone(t *testing.T) {
	for name, second := range map[string]http.HandlerFunc{
		"whole": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"n1"}}]}`)
		},
		"breaks off": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
		"expired":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "gone", http.StatusGone) },
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if r.URL.Query().Get("continue") != "" {
					second(w, r)
					return
				}
				fmt.Fprint(w, `{"kind":"NodeList","apiVersion":"v1","metadata":{"continue":"next"},"items":[{"metadata":{"name":"n0"}}]}`)
			}))
			defer server.Close()
			c := New(&secrets{value: kubeconfig(server.URL, `{"token":"a"}`)}, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
			got, err := c.Nodes(t.Context(), cluster)
			if name == "whole" {
				if err != nil || len(got.Nodes) != 2 {
					t.Errorf("Nodes() = %d nodes, %v; want 2", len(got.Nodes), err)
				}
				return
			}
			if err == nil || got.Nodes != nil {
				t.Errorf("Nodes() = %d nodes, %v; want an error and none", len(got.Nodes), err)
			}
		})
	}
}

// The kubeconfig's authority and token are what the connection is made with, over HTTP/2 as API servers speak it.
func TestConnectionIsWhatTheKubeconfigSays(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if said := fmt.Sprint(r.Proto, r.Header["Authorization"], r.Header["User-Agent"]); said != "HTTP/2.0[Bearer a] [test]" {
			t.Errorf("it says %s", said)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"n0"}}]}`)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	plain := kubeconfig(server.URL, `{"token":"a"}`)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	trusting := strings.Replace(string(plain), `"server"`, fmt.Sprintf(`"certificate-authority-data":%q,"server"`, base64.StdEncoding.EncodeToString(authority)), 1)
	for name, tc := range map[string]struct {
		value []byte
		says  string
	}{
		"its authority":      {[]byte(trusting), ""},
		"unknown authority":  {plain, "certificate signed by unknown authority"},
		"another's name":     {[]byte(strings.Replace(trusting, `"server"`, `"tls-server-name":"other.test","server"`, 1)), "not other.test"},
		"insecure by choice": {[]byte(strings.Replace(string(plain), `"server"`, `"insecure-skip-tls-verify":true,"server"`, 1)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := New(&secrets{value: tc.value}, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
			got, err := c.Nodes(t.Context(), cluster)
			if tc.says == "" && (err != nil || len(got.Nodes) != 1) {
				t.Errorf("Nodes() = %d nodes, %v", len(got.Nodes), err)
			}
			if tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("Nodes() = %v, want an error that says %q", err, tc.says)
			}
		})
	}
}

// A workload cluster belongs to its tenants: it cannot send the manager
// elsewhere, nor fill its memory.
func TestHostileClusters(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the manager followed a redirect")
	}))
	defer elsewhere.Close()
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"redirects": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }, "redirects are refused"},
		"a list without end": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"kind":"NodeList","apiVersion":"v1","metadata":{"continue":"next"},"items":[%s{}]}`, strings.Repeat("{},", 1999))
		}, "more than 10000"},
		"an answer without end": {func(w http.ResponseWriter, _ *http.Request) {
			blank := strings.Repeat(" ", 1<<20)
			for range 65 {
				fmt.Fprint(w, blank)
			}
		}, "longer than 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				tc.answer(w, r)
			}))
			defer server.Close()
			c := New(&secrets{value: kubeconfig(server.URL, `{"token":"a"}`)}, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
			got, err := c.Nodes(t.Context(), cluster)
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("Nodes() = %d nodes, %v; want an error that says %q", len(got.Nodes), err, tc.says)
			}
			if _, silent := errors.AsType[*UnansweredError](err); silent {
				t.Errorf("it has answered, and is taken for silent: %v", err)
			}
		})
	}
}
