package loopback

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

// shutdownTimeout bounds how long a stopping server waits for webhook calls under way; they take milliseconds.
const shutdownTimeout = 5 * time.Second

// Endpoint is how an API server reaches a webhook server.
type Endpoint struct {
	// URL is the address without a path, "https://127.0.0.1:PORT".
	URL string
	// CABundle is the PEM certificate authority that signed the server's certificate.
	CABundle []byte
}

// Server is a controller-runtime webhook server on a listener that is already open when the manager is built. The
// address is therefore known, and cannot be taken by someone else, before the webhook configurations are written.
type Server struct {
	listener net.Listener
	endpoint Endpoint
	tls      *tls.Config
	mux      *http.ServeMux
	started  atomic.Bool
}

var _ webhook.Server = &Server{}

// Listen opens a free port on 127.0.0.1 and makes a certificate authority and a serving certificate for it. Requests
// are answered from Start on; until then they wait in the listener's queue. Close frees the port of a server that is
// never started.
func Listen() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for webhooks: %w", err)
	}
	certificate, ca, err := newServingCertificate()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make webhook certificate: %w", err), listener.Close())
	}
	return &Server{
		listener: listener,
		endpoint: Endpoint{URL: "https://" + listener.Addr().String(), CABundle: ca},
		tls: &tls.Config{
			MinVersion:   tls.VersionTLS12,
			Certificates: []tls.Certificate{certificate},
			NextProtos:   []string{"h2", "http/1.1"},
		},
		mux: http.NewServeMux(),
	}, nil
}

// Endpoint returns the server's address and certificate authority.
func (s *Server) Endpoint() Endpoint { return s.endpoint }

// Close frees the port. A started server does so by itself when its context ends; closing twice is no error.
func (s *Server) Close() error {
	if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// NeedLeaderElection says that webhooks are served whether or not this process leads.
func (s *Server) NeedLeaderElection() bool { return false }

// Register serves hook at path. Like http.ServeMux it panics when path is taken.
func (s *Server) Register(path string, hook http.Handler) { s.mux.Handle(path, hook) }

// WebhookMux returns the handler that Register fills.
func (s *Server) WebhookMux() *http.ServeMux { return s.mux }

// StartedChecker reports an error until Start was called.
func (s *Server) StartedChecker() healthz.Checker {
	return func(*http.Request) error {
		if !s.started.Load() {
			return errors.New("webhook server has not been started yet")
		}
		return nil
	}
}

// Start answers requests until ctx ends, then waits shortly for those under way.
func (s *Server) Start(ctx context.Context) error {
	server := &http.Server{
		Handler:           s.mux,
		TLSConfig:         s.tls,
		ReadHeaderTimeout: 10 * time.Second,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		stopped <- server.Shutdown(shutdown)
	}()
	s.started.Store(true)
	if err := server.ServeTLS(s.listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve webhooks on %s: %w", s.endpoint.URL, err)
	}
	if err := <-stopped; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop serving webhooks on %s: %w", s.endpoint.URL, err)
	}
	return nil
}
