package arm_test

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

// door is a server in front of the simulator that knows which secret each client has, as Entra does, and lets nobody else
// pass. It may answer by itself.
type door struct {
	*httptest.Server
	caFile string

	mu sync.Mutex
	// secrets are the client secrets by client id; a client without one here is let through.
	secrets map[string]string
	// signedIn are the clients that got a token, in order.
	signedIn []string
	// answers, if set, answers a request in place of the simulator. form is nil for one that is not for a token.
	answers func(w http.ResponseWriter, r *http.Request, form url.Values) bool
}

func newDoor(t *testing.T, server *sim.Server) *door {
	t.Helper()
	d := &door{secrets: map[string]string{}}
	inside, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	trusting, err := simclient.Transport(server.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Transport: trusting.Transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(inside)
			r.Out.Host = r.In.Host
		},
	}
	d.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.keeps(w, r) {
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	d.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	d.StartTLS()
	t.Cleanup(d.Close)
	d.caFile = filepath.Join(t.TempDir(), "door.pem")
	if err := os.WriteFile(d.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// keeps answers a request that does not get through.
func (d *door) keeps(w http.ResponseWriter, r *http.Request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	var form url.Values
	if strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return true
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if form, err = url.ParseQuery(string(body)); err != nil {
			return true
		}
	}
	if d.answers != nil && d.answers(w, r, form) {
		return true
	}
	if form == nil {
		return false
	}
	id := form.Get("client_id")
	if wanted, known := d.secrets[id]; known && form.Get("client_secret") != wanted {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided for app '`+id+`'.\r\nTrace ID: 0"}`)
		return true
	}
	d.signedIn = append(d.signedIn, id)
	return false
}

// said is how the door answers from now on.
func (d *door) said(answers func(w http.ResponseWriter, r *http.Request, form url.Values) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers = answers
}

func (d *door) lets(client, secret string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.secrets[client] = secret
}

// who has signed in since the last time.
func (d *door) who() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() { d.signedIn = nil }()
	return d.signedIn
}

// options are those of an operator whose Azure is behind the door.
func (d *door) options(a *azure) arm.Options {
	o := a.options()
	o.ResourceManagerEndpoint, o.AuthorityHost, o.CAFile = d.URL, d.URL+"/", d.caFile
	return o
}
