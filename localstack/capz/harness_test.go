package capz_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/localstack/capi"
	"github.com/fleetwright/fleetwright/localstack/capz"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/inprocess"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run sends the log of everything to one file, kept where CAPZ_TEST_LOG says.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "capz-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := os.Getenv("CAPZ_TEST_LOG")
	if path == "" {
		path = filepath.Join(dir, "log")
	}
	file, err := controlplane.LogToFile(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = file.Close() }()
	return m.Run()
}

// stack is a management cluster with Cluster API and the stand-in on a simulated Azure.
type stack struct {
	t      *testing.T
	ctx    context.Context
	log    logr.Logger
	etcd   *controlplane.Etcd
	server *controlplane.Server
	world  *world
	azure  *sim.Server
	client client.Client

	stopProviders func()
}

// quick are durations that still let operations overlap with what the controllers do.
func quick() *sim.Settings {
	settings := sim.DefaultSettings()
	for _, duration := range []*metav1.Duration{
		&settings.Durations.ClusterCreate, &settings.Durations.ClusterUpdate, &settings.Durations.ClusterUpgrade,
		&settings.Durations.ClusterDelete, &settings.Durations.PoolCreate, &settings.Durations.PoolUpdate,
		&settings.Durations.PoolDelete, &settings.Durations.NodeReplace,
	} {
		duration.Duration = 300 * time.Millisecond
	}
	settings.Durations.PoolCreate.Duration = time.Second // Long enough to be caught in the middle.
	settings.Catalog.Quotas = []catalog.Quota{{Location: "westeurope", VCPUs: 200}}
	settings.Durations.NodeBoot.Duration = 300 * time.Millisecond
	settings.Durations.NetworkWrite.Duration = 100 * time.Millisecond
	settings.Durations.GroupDelete.Duration = 100 * time.Millisecond
	return &settings
}

func newStack(t *testing.T) *stack {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	s := &stack{t: t, ctx: ctx, log: testLog(t)}
	ctrl.SetLogger(s.log)
	var err error
	if s.etcd, err = controlplane.StartEtcd(ctx, filepath.Join(dir, "etcd")); err != nil {
		t.Fatal(err)
	}
	if s.server, err = controlplane.Start(ctx, controlplane.Options{
		Name: "management", Dir: filepath.Join(dir, "management"), Etcd: s.etcd, Management: true,
	}); err != nil {
		t.Fatal(err)
	}
	if err := controlplane.StartControllers(ctx, s.server.Config()); err != nil {
		t.Fatal(err)
	}
	s.world = &world{ctx: ctx, dir: dir, etcd: s.etcd, servers: map[string]*running{}}
	if s.azure, err = sim.Start(ctx, sim.Options{
		Dir: filepath.Join(dir, "azure"), Kubernetes: s.world, Settings: quick(), Log: s.log.WithName("azure"),
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.stopProviders != nil {
			s.stopProviders()
		}
		s.azure.Close()
		s.world.stop()
		cancel()
		_ = s.server.Wait()
		s.etcd.Close()
	})
	scheme := runtime.NewScheme()
	utilruntime.Must(errors.Join(clientgoscheme.AddToScheme(scheme), clusterv1.AddToScheme(scheme), infrav1.AddToScheme(scheme)))
	if s.client, err = client.New(s.server.Config(), client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	return s
}

// startProviders starts Cluster API and the stand-in; a running pair is stopped first, as when the process is restarted.
func (s *stack) startProviders() {
	s.t.Helper()
	if s.stopProviders != nil {
		s.stopProviders()
	}
	ctx, cancel := context.WithCancel(s.ctx)
	core, err := capi.Start(ctx, s.server.Config(), capi.Options{Log: s.log.WithName("capi")})
	if err != nil {
		s.t.Fatal(err)
	}
	transport, err := simclient.Transport(s.azure.CAFile())
	if err != nil {
		s.t.Fatal(err)
	}
	azure := capz.ClientOptions(s.azure.URL(), transport)
	standIn, err := capz.Start(ctx, s.server.Config(), capz.Options{
		Azure: azure, Log: s.log.WithName("capz"), Requeue: 300 * time.Millisecond, Retry: time.Second,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.stopProviders = func() {
		cancel()
		for _, manager := range []*inprocess.Manager{core, standIn} {
			if err := manager.Wait(); err != nil {
				s.t.Errorf("a manager ended with %v", err)
			}
		}
	}
}

// apply creates or updates the objects of a file in testdata, after replacing words.
func (s *stack) apply(file string, replace ...string) {
	s.t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		s.t.Fatal(err)
	}
	text := strings.NewReplacer(replace...).Replace(string(content))
	for document := range strings.SplitSeq(text, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			s.t.Fatal(err)
		}
		owner := client.FieldOwner("test")
		if err := s.client.Apply(s.ctx, client.ApplyConfigurationFromUnstructured(object), owner, client.ForceOwnership); err != nil {
			s.t.Fatalf("apply %s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
}

func (s *stack) get(name string, object client.Object) error {
	return s.client.Get(s.ctx, client.ObjectKey{Namespace: "default", Name: name}, object)
}

// eventually polls until done returns "", and fails with the last reason why not.
func (s *stack) eventually(what string, limit time.Duration, done func() string) time.Duration {
	s.t.Helper()
	start, last := time.Now(), ""
	err := wait.PollUntilContextTimeout(s.ctx, 100*time.Millisecond, limit, true, func(context.Context) (bool, error) {
		last = done()
		return last == "", nil
	})
	if err != nil {
		s.t.Fatalf("%s: not within %s: %s", what, limit, last)
	}
	took := time.Since(start)
	s.t.Logf("%s: %s", what, took.Round(100*time.Millisecond))
	return took
}

func testLog(t *testing.T) logr.Logger {
	path := os.Getenv("CAPZ_TEST_LOG")
	if path == "" {
		return logr.Discard()
	}
	file, err := os.OpenFile(path+".controllers", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return funcr.New(func(prefix, args string) {
		_, _ = fmt.Fprintln(file, time.Now().Format("15:04:05.000"), prefix, args)
	}, funcr.Options{Verbosity: 4})
}
