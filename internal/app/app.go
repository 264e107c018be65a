// Package app is the composition root: the manager's options and the one list
// of its controllers.
package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig"
	"github.com/fleetwright/fleetwright/internal/addressclaim"
	"github.com/fleetwright/fleetwright/internal/addresspool"
	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/clusterautoscaler"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
	"github.com/fleetwright/fleetwright/internal/freeze/reporting"
	"github.com/fleetwright/fleetwright/internal/maintenanceconfiguration"
	"github.com/fleetwright/fleetwright/internal/nodepool"
	"github.com/fleetwright/fleetwright/internal/roleassignment"
	"github.com/fleetwright/fleetwright/internal/workload"
	"github.com/fleetwright/fleetwright/internal/workloadcluster"
	"github.com/fleetwright/fleetwright/internal/workloadclusterclass"
)

// Options are what the manager can be told from outside.
type Options struct {
	// MetricsAddress and HealthAddress are where Prometheus and the kubelet ask;
	// "0" serves none.
	MetricsAddress, HealthAddress string
	// LeaderElect makes one of several managers work at a time.
	LeaderElect bool
	// LeaderElectNamespace is where its Lease lives; the manager's own namespace
	// when it runs in a cluster.
	LeaderElectNamespace string
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string
	// Verbosity of the log: 0 tells what is done, 1 also what is planned.
	Verbosity int
	// Azure says which Azure to ask for what CAPZ does not do, and as whom: the
	// operator's own identity comes from the environment.
	Azure arm.Options
	// NodepoolWorkers is how many Nodepools are reconciled at once.
	NodepoolWorkers int
	// WorkloadClusterWorkers is how many WorkloadClusters are reconciled at once.
	WorkloadClusterWorkers int
	// DriftSweepInterval is the time between two looks for drift at the same thing;
	// sweep.DefaultEvery when it is zero.
	DriftSweepInterval time.Duration
	// DrainWebhookURL is told of blocked drains, besides the owners of what blocks
	// them; DrainWebhookURLFile is a file with it. Both are empty for none.
	DrainWebhookURL, DrainWebhookURLFile string

	// azure are the ways to Azure, made by Run for all controllers.
	azure *arm.Clients
	// sweeper looks for drift for all of them; nil without an identity of the
	// operator's own.
	sweeper *sweep.Sweeper
}

// Flags binds the options to a flag set, with their defaults.
func (o *Options) Flags(fs *pflag.FlagSet) {
	fs.StringVar(&o.MetricsAddress, "metrics-bind-address", ":8080", `where metrics are served; "0" serves none`)
	fs.StringVar(&o.HealthAddress, "health-probe-bind-address", ":8081", `where /healthz and /readyz are served; "0" serves none`)
	fs.BoolVar(&o.LeaderElect, "leader-elect", true, "work only while holding the Lease, so that one of several replicas works")
	fs.StringVar(&o.LeaderElectNamespace, "leader-elect-namespace", "", "namespace of the Lease (default: the manager's own)")
	o.AzureFlags(fs)
	fs.StringVar((*string)(&o.Azure.Whose), "azure-identity", string(arm.OfCluster), "whose Azure identity is taken for a cluster: Cluster (the one its objects name, else the operator's own) or Operator (the operator's own)")
	fs.StringVar(&o.Namespace, "namespace", DefaultNamespace, "the manager's own namespace: a Freeze there reaches the fleet, elsewhere only its namespace")
	fs.IntVarP(&o.Verbosity, "verbosity", "v", 0, "0 logs what is done, 1 also what is planned")
	fs.IntVar(&o.NodepoolWorkers, "nodepool-workers", 20, "how many Nodepools are reconciled at once")
	fs.IntVar(&o.WorkloadClusterWorkers, "workloadcluster-workers", 10, "how many WorkloadClusters are reconciled at once")
	fs.DurationVar(&o.DriftSweepInterval, "drift-sweep-interval", sweep.DefaultEvery, "time between two looks at the same thing in Azure for drift; half of it doubles the requests")
	fs.StringVar(&o.DrainWebhookURL, "drain-webhook-url", "", "URL that blocked drains are posted to, besides the events for the owners (default: none)")
	fs.StringVar(&o.DrainWebhookURLFile, "drain-webhook-url-file", "", "file with that URL, for one that holds a secret; read for each post")
}

// AzureFlags binds only what says which Azure to ask.
func (o *Options) AzureFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.Azure.Cloud, "azure-cloud", "", "AzurePublicCloud (default), AzureUSGovernmentCloud or AzureChinaCloud")
	fs.StringVar(&o.Azure.ResourceManagerEndpoint, "azure-resource-manager-endpoint", "", "URL of a cloud without a name; goes with the next two")
	fs.StringVar(&o.Azure.ResourceManagerAudience, "azure-resource-manager-audience", "", "audience of its tokens")
	fs.StringVar(&o.Azure.AuthorityHost, "azure-authority-host", "", "URL of its sign-in")
	fs.StringVar(&o.Azure.CAFile, "azure-ca-file", "", "PEM file of authorities to trust besides the system's")
}

// controllers is the one list of what runs.
var controllers = []func(context.Context, manager.Manager, *workload.Clusters, Options) error{
	func(ctx context.Context, mgr manager.Manager, clusters *workload.Clusters, o Options) error {
		notifier, err := o.notifier()
		if err != nil {
			return err
		}
		azures := azuresFor[nodepool.Azure]{o.azure, func(c *arm.Client) nodepool.Azure { return c }}
		return nodepool.AddToManager(ctx, mgr, clusters, nodepool.Options{Workers: o.NodepoolWorkers, Azure: azures, Namespace: o.Namespace, Notifier: notifier})
	},
	func(ctx context.Context, mgr manager.Manager, clusters *workload.Clusters, o Options) error {
		azures := azuresFor[roles.Azure]{o.azure, func(c *arm.Client) roles.Azure { return c }}
		return roleassignment.AddToManager(ctx, mgr, roleassignment.Options{
			Workers: azureWorkers, Azures: azures, Clusters: clusters, Sweeper: o.sweeper, Namespace: o.Namespace,
		})
	},
	func(_ context.Context, mgr manager.Manager, _ *workload.Clusters, o Options) error {
		azures := azuresFor[clusterautoscaler.Azure]{o.azure, func(c *arm.Client) clusterautoscaler.Azure { return c }}
		return clusterautoscaler.AddToManager(mgr, clusterautoscaler.Options{Workers: azureWorkers, Azures: azures, Sweeper: o.sweeper, Namespace: o.Namespace})
	},
	func(_ context.Context, mgr manager.Manager, _ *workload.Clusters, o Options) error {
		azures := azuresFor[maintenanceconfiguration.Azure]{o.azure, func(c *arm.Client) maintenanceconfiguration.Azure { return c }}
		return maintenanceconfiguration.AddToManager(mgr, azures, o.Namespace)
	},
	func(_ context.Context, mgr manager.Manager, _ *workload.Clusters, o Options) error {
		return additionalconfig.AddToManager(mgr, o.Namespace)
	},
	func(_ context.Context, mgr manager.Manager, _ *workload.Clusters, _ Options) error {
		return addresspool.AddToManager(mgr)
	},
	func(_ context.Context, mgr manager.Manager, _ *workload.Clusters, o Options) error {
		return addressclaim.AddToManager(mgr, o.Namespace)
	},
	func(_ context.Context, mgr manager.Manager, _ *workload.Clusters, _ Options) error {
		return workloadclusterclass.AddToManager(mgr)
	},
	func(ctx context.Context, mgr manager.Manager, clusters *workload.Clusters, o Options) error {
		return workloadcluster.AddToManager(ctx, mgr, workloadcluster.Options{
			Workers: o.WorkloadClusterWorkers, Workload: clusters, PoolDifferences: nodepool.Differences, Namespace: o.Namespace,
		})
	},
	func(_ context.Context, mgr manager.Manager, _ *workload.Clusters, o Options) error {
		return reporting.AddToManager(mgr, o.Namespace)
	},
}

// azureWorkers is how many objects of one of the kinds that look after a setting
// in Azure are reconciled at once. It is few, because each look is a request to
// Azure, and Azure counts them.
const azureWorkers = 5

// DefaultNamespace is where the chart installs the manager.
const DefaultNamespace = "fleetwright-system"

// Run starts the manager and returns when ctx ends or something fails.
func Run(ctx context.Context, config *rest.Config, options Options) error {
	log := Logger(options.Verbosity)
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	mgr, err := New(config, options)
	if err != nil {
		return err
	}
	clusters := workload.New(mgr.GetAPIReader(), userAgent, clock.RealClock{})
	if err := mgr.Add(clusters); err != nil {
		return fmt.Errorf("add workload connections: %w", err)
	}
	options.Azure.Broker = broker.New(nil)
	if err := metrics.Registry.Register(options.Azure.Broker); err != nil {
		return fmt.Errorf("register the metrics of requests to Azure: %w", err)
	}
	if options.azure, err = azureClients(options.Azure, mgr.GetAPIReader(), log); err != nil {
		return err
	}
	options.sweeper = sweeper(options.azure, options.DriftSweepInterval, log)
	for _, add := range controllers {
		if err := add(ctx, mgr, clusters, options); err != nil {
			return err
		}
	}
	if options.sweeper != nil {
		// After the controllers, which tell it what to look for.
		if err := mgr.Add(options.sweeper); err != nil {
			return fmt.Errorf("add the sweeps for drift: %w", err)
		}
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("run the manager: %w", err)
	}
	return nil
}

const userAgent = "fleetwright"

// gracefulShutdown lets calls in flight end; it stays below a pod's default
// grace period of 30 s.
const gracefulShutdown = 20 * time.Second

// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=fleetwright-system,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:groups="",namespace=fleetwright-system,resources=events,verbs=create;patch

// New makes a manager without controllers.
func New(config *rest.Config, options Options) (manager.Manager, error) {
	config = rest.CopyConfig(config)
	config.UserAgent = userAgent
	// CAPZ calls its classic kinds deprecated with every answer: once is enough.
	config.WarningHandlerWithContext = logf.NewKubeAPIWarningLogger(logf.KubeAPIWarningLoggerOptions{Deduplicate: true})
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	shutdown := gracefulShutdown
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       metricsserver.Options{BindAddress: options.MetricsAddress},
		HealthProbeBindAddress:        options.HealthAddress,
		LeaderElection:                options.LeaderElect,
		LeaderElectionID:              "fleetwright",
		LeaderElectionNamespace:       options.LeaderElectNamespace,
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       &shutdown,
		// CAPZ's kinds are read as unstructured objects and belong in the cache.
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, fmt.Errorf("add health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("caches", cachesSynced(mgr)); err != nil {
		return nil, fmt.Errorf("add readiness check: %w", err)
	}
	return mgr, nil
}

// syncPatience is below a kubelet's default probe timeout of 1 s.
const syncPatience = 500 * time.Millisecond

// cachesSynced is ready once everything that is watched was read: a manager
// without Cluster API's or CAPZ's definitions never is. It asks for each kind
// by itself, because a cache that never got a kind does not wait for it.
func cachesSynced(mgr manager.Manager) healthz.Checker {
	return func(r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), syncPatience)
		defer cancel()
		served, err := capi.Served(mgr.GetRESTMapper())
		if err != nil {
			return err
		}
		clusters, err := capi.ServedClusters(mgr.GetRESTMapper())
		if err != nil {
			return err
		}
		for _, object := range append(slices.Concat(served, clusters), &fleetwrightv1.Nodepool{}, &fleetwrightv1.Freeze{}, &fleetwrightv1.AzureRoleAssignment{},
			&fleetwrightv1.AzureClusterAdditionalConfig{}, &fleetwrightv1.AzureMaintenanceConfiguration{}, &fleetwrightv1.AzureClusterAutoscaler{},
			&fleetwrightv1.AddressPool{}, &fleetwrightv1.AddressClaim{}, &fleetwrightv1.AddressAllocation{}, &fleetwrightv1.WorkloadClusterClass{}, &fleetwrightv1.WorkloadCluster{}) {
			informer, err := mgr.GetCache().GetInformer(ctx, object, cache.BlockUntilSynced(false))
			if err != nil {
				return fmt.Errorf("watch %T (are Cluster API and CAPZ installed?): %w", object, err)
			}
			if !informer.HasSynced() {
				return fmt.Errorf("%T was not read yet", object)
			}
		}
		return nil
	}
}

// Scheme knows our kinds, Kubernetes' and CAPI's; CAPZ's are unstructured.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, capi.AddToScheme, fleetwrightv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("build the scheme: %w", err)
		}
	}
	return scheme, nil
}

// maxVerbosity is below the one from which client-go logs what it reads, Secrets
// and kubeconfigs included.
const maxVerbosity = 7

// Logger writes JSON lines to standard error.
func Logger(verbosity int) logr.Logger {
	level := slog.LevelInfo - slog.Level(min(verbosity, maxVerbosity))
	return logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}
