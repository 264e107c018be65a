// Package sim is a simulated Azure: a real HTTPS endpoint of Azure Resource Manager and of Microsoft Entra ID on
// loopback that the unmodified Azure SDKs, Cluster API's Azure provider and Azure Service Operator can talk to.
//
// It is strict where Azure is strict: operations take time, one runs per cluster, immutable fields are refused in AKS's
// own words. What it does and does not do is written in docs/simulator.md. The managed clusters' API servers and nodes
// are somebody else's business, reached through the Kubernetes interface.
package sim

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/connectproxy"
	"github.com/fleetwright/fleetwright/internal/azure/sim/entra"
	"github.com/fleetwright/fleetwright/internal/azure/sim/pki"
)

// Options say how a simulator is started.
type Options struct {
	// Dir holds the state, the certificate and the ports. It is made when missing. Required.
	Dir string
	// Kubernetes is the world behind the managed clusters. Required.
	Kubernetes Kubernetes
	// Settings default to DefaultSettings.
	Settings *Settings
	// Clock drives operations. Defaults to the real one.
	Clock clock.Clock
	// Log defaults to none.
	Log logr.Logger
	// Port and ProxyPort are the ports to use; 0 means the one used last time in Dir if it is free, else any free one.
	Port, ProxyPort int
}

// Server is a running simulator.
type Server struct {
	dir      string
	cloud    *cloud
	issuer   *entra.Issuer
	types    map[string]resourceType
	faults   *faultBook
	throttle *throttle
	requests *requestLog
	log      logr.Logger

	port, proxyPort int
	servers         []*http.Server
	proxy           *connectproxy.Proxy
	stop            context.CancelFunc
	running         sync.WaitGroup
	closed          sync.Once
}

const (
	stateFile = "state.json"
	portsFile = "ports.json"
	maxBody   = 4 << 20
)

// Start starts a simulator, or goes on with the one whose state is in o.Dir. It listens on 127.0.0.1 only. It stops
// when ctx ends or Close is called; Close also waits until everything has ended.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Dir == "" || o.Kubernetes == nil {
		return nil, errors.New("start the Azure simulator: Dir and Kubernetes are required")
	}
	if o.Settings == nil {
		defaults := DefaultSettings()
		o.Settings = &defaults
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	s, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start the Azure simulator in %s: %w", o.Dir, err)
	}
	return s, nil
}

func start(ctx context.Context, o Options) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	cert, err := pki.Load(o.Dir, time.Now())
	if err != nil {
		return nil, err
	}
	key, err := tokenKey(cert)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	c, err := newCloud(ctx, o, filepath.Join(o.Dir, stateFile))
	if err != nil {
		stop()
		return nil, err
	}
	s := &Server{
		dir: o.Dir, cloud: c, issuer: entra.New(key, o.Clock), types: map[string]resourceType{}, faults: &faultBook{},
		throttle: newThrottle(o.Clock), requests: newRequestLog(), log: o.Log, proxy: connectproxy.New(), stop: stop,
	}
	for _, t := range resourceTypes() {
		s.types[strings.ToLower(t.name)] = t
	}
	if err := s.listen(o, cert); err != nil {
		s.Close()
		return nil, err
	}
	s.running.Go(func() { c.run(ctx) })
	context.AfterFunc(ctx, s.shutDown)
	o.Log.Info("Azure simulator is listening", "url", s.URL(), "proxy", s.ProxyURL(), "dir", o.Dir)
	return s, nil
}

// tokenKey derives the key of access tokens from the serving key, so that tokens outlive a restart and no second
// secret has to be kept.
func tokenKey(cert tls.Certificate) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte("access tokens"), der...))
	return sum[:], nil
}

// ports are remembered, so that a client's configuration stays good over a restart.
type ports struct {
	HTTPS int `json:"https"`
	Proxy int `json:"proxy"`
}

func (s *Server) listen(o Options, cert tls.Certificate) error {
	file := filepath.Join(s.dir, portsFile)
	var last ports
	if raw, err := os.ReadFile(file); err == nil {
		_ = json.Unmarshal(raw, &last) // a broken file only means new ports
	}
	arm, err := listenOn(o.Port, last.HTTPS)
	if err != nil {
		return err
	}
	proxy, err := listenOn(o.ProxyPort, last.Proxy)
	if err != nil {
		return errors.Join(err, arm.Close())
	}
	s.port, s.proxyPort = portOf(arm), portOf(proxy)
	raw, err := json.Marshal(ports{HTTPS: s.port, Proxy: s.proxyPort})
	if err != nil {
		return err
	}
	if err := replaceFile(file, raw); err != nil {
		return errors.Join(err, arm.Close(), proxy.Close())
	}
	// Each server writes its protocols into its own configuration.
	config := func() *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	s.serve(&http.Server{Handler: s, TLSConfig: config()}, func(h *http.Server) error { return h.ServeTLS(arm, "", "") })
	s.serve(&http.Server{Handler: s, TLSConfig: config()}, func(h *http.Server) error { return h.ServeTLS(s.proxy, "", "") })
	s.serve(&http.Server{Handler: s.proxy}, func(h *http.Server) error { return h.Serve(proxy) })
	return nil
}

func (s *Server) serve(h *http.Server, serve func(*http.Server) error) {
	h.ReadHeaderTimeout = 30 * time.Second
	h.ErrorLog = log.New(quiet{s.log.V(2)}, "", 0)
	s.servers = append(s.servers, h)
	s.running.Go(func() {
		if err := serve(h); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.log.Error(err, "Azure simulator stopped listening")
		}
	})
}

// quiet takes what net/http says about single connections, which is for nobody but those who look for it.
type quiet struct{ log logr.Logger }

func (q quiet) Write(line []byte) (int, error) {
	q.log.Info("Connection ended", "why", strings.TrimSpace(string(line)))
	return len(line), nil
}

// listenOn takes the port asked for, or else the one remembered if it is free, or else any.
func listenOn(asked, remembered int) (net.Listener, error) {
	if asked == 0 && remembered != 0 {
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(remembered))); err == nil {
			return l, nil
		}
	}
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(asked)))
}

func portOf(l net.Listener) int {
	addr, _ := l.Addr().(*net.TCPAddr)
	return addr.Port
}

// URL is the base of the ARM, token and admin endpoints: https://127.0.0.1:port.
func (s *Server) URL() string {
	return "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
}

// ProxyURL is for HTTPS_PROXY of programs whose Azure endpoints cannot be configured: http://127.0.0.1:port.
func (s *Server) ProxyURL() string {
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.proxyPort))
}

// CAFile is the certificate authority that clients have to trust, as PEM.
func (s *Server) CAFile() string { return filepath.Join(s.dir, pki.CAFile) }

// Close stops the simulator and waits until it has ended. The state stays in Dir. It may be called more than once.
func (s *Server) Close() {
	s.shutDown()
	s.cloud.close()
	s.running.Wait()
	s.cloud.world.running.Wait()
}

func (s *Server) shutDown() {
	s.closed.Do(func() {
		s.stop()
		_ = s.proxy.Close()
		for _, h := range s.servers {
			_ = h.Close()
		}
	})
}

// ServeHTTP sends a request to the token endpoint, the admin endpoint or ARM, and logs it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isAdmin(r) {
		s.serveAdmin(w, r)
		return
	}
	recorder := &recorder{ResponseWriter: w}
	began := s.cloud.clock.Now()
	defer func() {
		s.requests.add(Request{
			Time: began, Method: r.Method, Path: r.URL.Path, APIVersion: r.URL.Query().Get("api-version"),
			Status: recorder.status, Code: w.Header().Get("x-ms-error-code"), UserAgent: r.UserAgent(),
			Millis: s.cloud.clock.Since(began).Milliseconds(),
		})
	}()
	if entra.Serves(r.URL.Path) {
		s.issuer.ServeHTTP(recorder, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(recorder, r.Body, maxBody))
	if err != nil {
		armerr.New(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request body cannot be read: %v.", err).Write(recorder)
		return
	}
	s.serveARM(recorder, r, body)
}

// recorder remembers the status for the request log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
