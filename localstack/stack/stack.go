package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/capi"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// fieldOwner is the stack's name for server-side apply.
const fieldOwner = "fleetwright-localstack"

// Options say which stack to start and how quick its world is. Only Layout has no default.
type Options struct {
	// Layout is where the stack lives.
	Layout Layout
	// Operator is the path of the operator's program, see FindOperator. Empty: a stack without an operator.
	Operator string
	// Manifests has the folders crd and rbac of the operator. Nil: they are not installed, so there can be no operator.
	Manifests fs.FS
	// Azure are the simulator's settings. Nil: sim.DefaultSettings.
	Azure *sim.Settings
	// Kubelet are the settings of simulated nodes. Nil: kubelet.DefaultSettings.
	Kubelet *kubelet.Settings
	// Provider starts the Azure provider. Nil: StandIn.
	Provider Provider
	// SharedWorkload makes one API server serve all simulated AKS clusters, each by a path of its own: many clusters cost little then. They see
	// only their own nodes, but everything else of each other. A directory stays with what it was first started with.
	SharedWorkload bool
	// AuditReads has what the operator reads of the management API server in the audit log too.
	AuditReads bool
	// OnStep hears what is done while the stack starts and stops, one call at a time. Nil: nobody does.
	OnStep func(Step)
}

// Stack is a running stack.
type Stack struct {
	options Options
	layout  Layout
	steps   stepper
	logs    logs
	parts   *parts

	etcd       *controlplane.Etcd
	ca         *controlplane.CA
	management *controlplane.Server
	clusters   *clusters
	azure      *sim.Server

	mu     sync.Mutex
	record Record
}

// Start runs a stack and returns when everything works: what the directory holds of an earlier run is there again. ctx
// bounds the start; afterwards the stack runs until Stop. When Start returns an error nothing keeps running. It fails with
// ErrInUse when another process runs the stack.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{options: o, layout: o.Layout, logs: logs{layout: o.Layout}, parts: newParts()}
	s.steps.tell = o.OnStep
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	before, err := s.claim(ctx)
	if err != nil {
		return err
	}
	if err := s.steps.do("Start etcd", func() error { return s.startEtcd(ctx) }); err != nil {
		return err
	}
	if err := s.steps.do("Start the management API server", func() error { return s.startManagement(ctx) }); err != nil {
		return err
	}
	if err := s.steps.do("Start the simulated Azure", func() error { return s.startAzure(ctx) }); err != nil {
		return err
	}
	if err := s.startControllers(ctx); err != nil {
		return err
	}
	if s.options.Operator != "" {
		if err := s.steps.do("Start the operator", func() error { return s.startOperator(ctx, before) }); err != nil {
			return err
		}
	}
	return s.note(func(r *Record) { r.Ready = time.Now() })
}

// startControllers starts Cluster API and the Azure provider side by side: each spends most of its time waiting for the API
// server to take in its definitions.
func (s *Stack) startControllers(ctx context.Context) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return s.steps.do("Start Cluster API", func() error { return s.startClusterAPI(groupCtx) })
	})
	group.Go(func() error {
		return s.steps.do("Start the Azure provider", func() error { return s.startProvider(groupCtx) })
	})
	if s.options.Manifests != nil {
		group.Go(func() error {
			return s.steps.do("Install Fleetwright's definitions and rights", func() error { return s.install(groupCtx) })
		})
	}
	return group.Wait()
}

// claim takes the directory and returns what the last run wrote about itself.
func (s *Stack) claim(ctx context.Context) (Record, error) {
	if err := s.layout.Create(); err != nil {
		return Record{}, err
	}
	held, err := acquireSoon(ctx, s.layout.lock())
	if err != nil {
		return Record{}, fmt.Errorf("take %s: %w", s.layout.Dir, err)
	}
	s.parts.add(lockLevel, nil, held.release)
	before, _, err := s.layout.Read()
	if err != nil {
		before = Record{} // only addresses to prefer are lost
	}
	if !before.Started.IsZero() && before.SharedWorkload != s.options.SharedWorkload {
		return Record{}, fmt.Errorf("%s: %w", s.layout.Dir, errOtherWorkload(before.SharedWorkload))
	}
	return before, s.note(func(r *Record) {
		r.PID, r.Started, r.SharedWorkload = os.Getpid(), time.Now(), s.options.SharedWorkload
	})
}

// note changes what the stack says about itself.
func (s *Stack) note(change func(*Record)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.record)
	return s.layout.write(s.record)
}

func (s *Stack) startEtcd(ctx context.Context) (err error) {
	if s.etcd, err = controlplane.StartEtcd(ctx, s.layout.etcd()); err != nil {
		return err
	}
	s.parts.add(etcdLevel, nil, s.etcd.Close)
	s.ca, err = controlplane.OpenCA(s.layout.authority())
	return err
}

func (s *Stack) startManagement(ctx context.Context) error {
	log, err := s.logs.open("stack")
	if err != nil {
		return err
	}
	server := newLife(ctx)
	o := controlplane.Options{
		Name: "management", Dir: s.layout.management(), Etcd: s.etcd, CA: s.ca, Management: true,
		AuditLog: s.layout.ManagementAudit(), Log: log,
	}
	if s.options.AuditReads {
		o.AuditReadsOf = OperatorUser
	}
	s.management, err = controlplane.Start(server.ctx, o)
	if err != nil {
		server.end()
		return err
	}
	s.parts.run(managementLevel, server, "management API server", s.management.Wait)

	controllers := newLife(ctx)
	s.parts.add(worldLevel, controllers.end, nil)
	if err := controlplane.StartControllers(controllers.ctx, s.management.Config(), controlplane.ManagementControllers()...); err != nil {
		return err
	}
	controllers.started()
	kubeconfig, err := s.management.Kubeconfig()
	if err != nil {
		return err
	}
	if err := replaceFile(s.layout.Kubeconfig(), kubeconfig); err != nil {
		return err
	}
	return s.note(func(r *Record) { r.Management = s.management.Config().Host })
}

func (s *Stack) startClusterAPI(ctx context.Context) error {
	log, err := s.logs.open("cluster-api")
	if err != nil {
		return err
	}
	life := newLife(ctx)
	running, err := capi.Start(life.ctx, named(s.management.Config(), "cluster-api"), capi.Options{Log: log})
	if err != nil {
		life.end()
		return err
	}
	s.parts.run(controllerLevel, life, "Cluster API", running.Wait)
	return nil
}

func (s *Stack) install(ctx context.Context) error {
	cfg := named(s.management.Config(), "stack")
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("make client to install the operator's account: %w", err)
	}
	if err := createAccount(ctx, client); err != nil {
		return err
	}
	for _, folder := range []string{"crd", "rbac"} {
		objects, err := ReadManifests(s.options.Manifests, folder)
		if err != nil {
			return err
		}
		if err := Apply(ctx, cfg, fieldOwner, objects); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) startOperator(ctx context.Context, before Record) error {
	log, err := s.logs.open("stack")
	if err != nil {
		return err
	}
	life := newLife(ctx)
	running, err := startOperator(life.ctx, s.options.Operator, s.azure.URL(), s.layout, s.management, before, log)
	if running != nil {
		s.parts.add(controllerLevel, life.end, running.child.wait)
	}
	if err != nil {
		life.end()
		return err
	}
	life.started()
	return s.note(func(r *Record) {
		r.OperatorMetrics, r.OperatorHealth = running.metrics, running.health
	})
}

// Stop ends all parts and waits for them. Everything stays in the directory. Calling it again does nothing.
func (s *Stack) Stop() error {
	s.parts.stop()
	return s.logs.close()
}

// Failed is closed when a part that the others need has stopped by itself; Failure says which.
func (s *Stack) Failed() <-chan struct{} { return s.parts.failed }

// Failure is why Failed is closed, nil while it is not.
func (s *Stack) Failure() error { return s.parts.failure() }

// Management returns a fresh configuration of the management cluster's administrator.
func (s *Stack) Management() *rest.Config { return s.management.Config() }

// Azure is the simulator, for its request log, faults and settings.
func (s *Stack) Azure() *sim.Server { return s.azure }

// Layout is where the stack lives.
func (s *Stack) Layout() Layout { return s.layout }

// Record is what the stack says about itself.
func (s *Stack) Record() Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record
}
