package capi

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"sigs.k8s.io/cluster-api/core/setup"
	"sigs.k8s.io/cluster-api/feature"
	"sigs.k8s.io/cluster-api/util/index"

	"github.com/fleetwright/fleetwright/localstack/crds"
	"github.com/fleetwright/fleetwright/localstack/inprocess"
	"github.com/fleetwright/fleetwright/localstack/loopback"
)

// controllerName is how the provider names itself in metrics and user agents.
const controllerName = "cluster-api-controller-manager"

// Start installs Cluster API's definitions and webhooks on the management API server of cfg and runs its controllers
// until ctx ends. It returns once the controllers work and the webhooks answer, so that objects may be created at once.
// It may be called again after a restart: the webhooks move to the new address. When it returns an error nothing keeps
// running.
func Start(ctx context.Context, cfg *rest.Config, options Options) (*inprocess.Manager, error) {
	options = options.withDefaults()
	hooks, err := loopback.Listen()
	if err != nil {
		return nil, err
	}
	running, err := start(ctx, cfg, hooks, options)
	if err != nil {
		return nil, errors.Join(err, hooks.Close())
	}
	return running, nil
}

func start(ctx context.Context, cfg *rest.Config, hooks *loopback.Server, options Options) (*inprocess.Manager, error) {
	if err := crds.Install(ctx, cfg, crds.ClusterAPI, hooks.Endpoint()); err != nil {
		return nil, fmt.Errorf("install Cluster API's definitions: %w", err)
	}
	manager, err := newManager(ctx, cfg, hooks, options)
	if err != nil {
		return nil, err
	}
	// Before the controllers write anything: after a restart the configurations still name the last run's address.
	if err := crds.InstallWebhooks(ctx, cfg, crds.ClusterAPI, hooks.Endpoint()); err != nil {
		return nil, fmt.Errorf("install Cluster API's webhooks: %w", err)
	}
	return inprocess.Run(ctx, "Cluster API", manager, options.Log)
}

func newManager(ctx context.Context, cfg *rest.Config, hooks *loopback.Server, options Options) (ctrl.Manager, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	cfg = rest.CopyConfig(cfg)
	cfg.QPS, cfg.Burst = 100, 200 // Cluster API's --kube-api-qps and --kube-api-burst.
	manager, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: scheme,
		Logger: options.Log,
		Controller: config.Controller{
			UsePriorityQueue: ptr.To(feature.Gates.Enabled(feature.PriorityQueue)),
			// Two stacks in one process have controllers of the same name.
			SkipNameValidation: ptr.To(true),
		},
		Cache:                  setup.ManagerCacheOptions(scheme, informerName(), "", options.SyncPeriod),
		Client:                 setup.ManagerClientOptions(),
		WebhookServer:          hooks,
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",

		GracefulShutdownTimeout: ptr.To(inprocess.StopPatience),
	})
	if err != nil {
		return nil, fmt.Errorf("build Cluster API's manager: %w", err)
	}
	ctx = ctrl.LoggerInto(ctx, options.Log)
	if err := index.AddDefaultIndexes(ctx, manager); err != nil {
		return nil, fmt.Errorf("add Cluster API's indexes: %w", err)
	}
	clusters, err := addReconcilers(ctx, manager, options)
	if err != nil {
		return nil, err
	}
	return manager, addWebhooks(manager, clusters)
}

// informerName differs at each start: it names the informers' metrics and may exist only once in a process, also after the
// provider that used it has stopped.
func informerName() string { return controllerName + "-" + rand.String(8) }
