package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

const (
	readyTimeout  = 90 * time.Second
	readyInterval = 50 * time.Millisecond
	// shutdownTimeout is how long requests in flight may take once the server is told to end. Kubernetes' minute is meant for load balancers.
	shutdownTimeout = 2 * time.Second
)

var namePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Options say which kube-apiserver to start.
type Options struct {
	// Name tells the servers of a stack apart: lower-case letters, digits and dashes, at most 63. It is the prefix of the server's data in
	// etcd, so the same name on the same etcd is the same cluster.
	Name string
	// Dir is where the server keeps what must outlive the process. It is made if missing, readable by this user only.
	Dir string
	// Etcd holds the data.
	Etcd *Etcd
	// CA signs the serving certificate. Default: a CA of the server's own, kept in Dir.
	CA *CA
	// Management turns on admission webhooks and admission policies, which workload clusters do without.
	Management bool
	// Port on 127.0.0.1; a busy one is an error. Default 0: the port of the last run, and if there is none or it is taken, a free one.
	Port int
	// AuditLog is the file to which every write is appended as one JSON line (who, what, response code; no bodies). Default: no audit.
	AuditLog string
	// AuditReadsOf is a user whose reads are in the audit log too. Default: nobody's are.
	AuditReadsOf string
	// Front, if set, sees every request before the server does, and may change or answer it. Default: nothing is between.
	Front func(http.Handler) http.Handler
	// Log receives the few messages meant for people. The default discards them. Kubernetes' own log is klog's, see LogTo.
	Log logr.Logger
}

func (o Options) validate() error {
	switch {
	case !namePattern.MatchString(o.Name):
		return fmt.Errorf("name %q is not made of at most 63 lower-case letters, digits and dashes", o.Name)
	case o.Dir == "":
		return errors.New("no directory was given")
	case o.Etcd == nil:
		return errors.New("no etcd was given")
	}
	return nil
}

// Server is a running kube-apiserver.
type Server struct {
	name  string
	port  int
	ca    []byte
	token string
	files files

	stopped chan struct{}
	err     error // valid once stopped is closed
}

// Start runs one more kube-apiserver in this process and returns when its readyz answers ok. The server runs until ctx ends;
// it may be started again afterwards with the same Options and is then the same cluster. Several servers may be started at once.
// When Start returns an error nothing keeps running.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start API server %s: %w", o.Name, err)
	}
	return s, nil
}

func start(ctx context.Context, o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("find directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	if o.CA == nil {
		if o.CA, err = OpenCA(dir); err != nil {
			return nil, err
		}
	}
	f := filesIn(dir)
	token, err := f.prepare(o.CA)
	if err != nil {
		return nil, err
	}
	if err := writeFile(f.auditPolicy, []byte(o.policyOf()), 0o600); err != nil {
		return nil, err
	}
	l, err := listen(ctx, o.Port, f.port, o.Log)
	if err != nil {
		return nil, err
	}
	s := &Server{name: o.Name, port: l.Addr().(*net.TCPAddr).Port, ca: o.CA.PEM(), token: token, files: f, stopped: make(chan struct{})}
	if err := s.run(ctx, o, l); err != nil {
		_ = l.Close()
		return nil, err
	}
	return s, nil
}

// run builds and starts the server and waits until it is ready.
func (s *Server) run(ctx context.Context, o Options, l net.Listener) error {
	kubeconfig, err := s.kubeconfig(s.token)
	if err != nil {
		return err
	}
	if err := writeFile(s.files.kubeconfig, kubeconfig, 0o600); err != nil {
		return err
	}
	runCtx, cancel := context.WithCancel(ctx)
	serve, err := build(runCtx, o, s.files, l)
	if err != nil {
		cancel()
		return err
	}
	go func() {
		defer close(s.stopped)
		defer cancel()
		s.err = serve(runCtx)
	}()
	if err := s.waitReady(ctx); err != nil {
		cancel()
		<-s.stopped
		return err
	}
	return nil
}

// build puts the server together as kube-apiserver's own command does, minus what that command may do once per process only:
// signal handling, global registries and logging flags.
func build(ctx context.Context, o Options, f files, l net.Listener) (func(context.Context) error, error) {
	o.Etcd.building.Lock()
	defer o.Etcd.building.Unlock()

	registry, err := newRegistry()
	if err != nil {
		return nil, err
	}
	opts := options.NewServerRunOptions()
	opts.GenericServerRunOptions.ComponentGlobalsRegistry = registry
	set := pflag.NewFlagSet(o.Name, pflag.ContinueOnError)
	for _, named := range opts.Flags().FlagSets {
		set.AddFlagSet(named)
	}
	if err := set.Parse(flags(o, f)); err != nil {
		return nil, fmt.Errorf("parse flags: %w", err)
	}
	opts.SecureServing.Listener = l
	opts.SecureServing.BindPort = l.Addr().(*net.TCPAddr).Port
	opts.SecureServing.ExternalAddress = net.IPv4(127, 0, 0, 1)
	if err := registry.Set(); err != nil {
		return nil, fmt.Errorf("set feature gates: %w", err)
	}
	completed, err := opts.Complete(ctx)
	if err != nil {
		return nil, fmt.Errorf("complete options: %w", err)
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("validate options: %w", errors.Join(errs...))
	}
	cfg, err := app.NewConfig(completed)
	if err != nil {
		return nil, fmt.Errorf("make configuration: %w", err)
	}
	complete, err := cfg.Complete()
	if err != nil {
		return nil, fmt.Errorf("complete configuration: %w", err)
	}
	chain, err := app.CreateServerChain(complete)
	if err != nil {
		return nil, fmt.Errorf("create server: %w", err)
	}
	chain.GenericAPIServer.ShutdownTimeout = shutdownTimeout
	if handler := chain.GenericAPIServer.Handler; o.Front != nil {
		handler.FullHandlerChain = o.Front(handler.FullHandlerChain)
	}
	prepared, err := chain.PrepareRun()
	if err != nil {
		return nil, fmt.Errorf("prepare server: %w", err)
	}
	return prepared.Run, nil
}

// waitReady polls readyz. Its error holds the server's own words about which check is missing.
func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	client, err := rest.HTTPClientFor(s.Config())
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	defer client.CloseIdleConnections()
	for {
		err := readyz(ctx, client, s.host())
		if err == nil {
			return nil
		}
		select {
		case <-s.stopped:
			return fmt.Errorf("server ended before it was ready: %w", errors.Join(s.err, err))
		case <-ctx.Done():
			return fmt.Errorf("wait until ready: %w (last answer: %w)", ctx.Err(), err)
		case <-time.After(readyInterval):
		}
	}
}

func readyz(ctx context.Context, client *http.Client, host string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, host+"/readyz?verbose", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return err
	}
	var failing []string
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "[-]") {
			failing = append(failing, strings.TrimSpace(line))
		}
	}
	return fmt.Errorf("%s: %s", resp.Status, strings.Join(failing, "; "))
}

// Wait returns when the server has stopped, with the error that stopped it; nil after its context has ended.
func (s *Server) Wait() error {
	<-s.stopped
	if s.err != nil && !errors.Is(s.err, context.Canceled) {
		return fmt.Errorf("run API server %s: %w", s.name, s.err)
	}
	return nil
}
