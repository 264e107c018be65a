package capz

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	corev1 "k8s.io/api/core/v1"
	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/localstack/capz/aso"
	"github.com/fleetwright/fleetwright/localstack/capz/webhooks"
	"github.com/fleetwright/fleetwright/localstack/crds"
	"github.com/fleetwright/fleetwright/localstack/inprocess"
	"github.com/fleetwright/fleetwright/localstack/loopback"
)

// Start installs CAPZ's definitions and the stand-in's webhooks on the management API server of cfg and reconciles until
// ctx ends. Cluster API has to be installed there before, see package capi. It returns once the controllers work and the
// webhooks answer. It may be called again after a restart. When it returns an error nothing keeps running.
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
	if err := crds.Install(ctx, cfg, crds.Azure, hooks.Endpoint()); err != nil {
		return nil, fmt.Errorf("install CAPZ's definitions: %w", err)
	}
	if err := crds.InstallDefinitions(ctx, cfg, aso.Definitions()); err != nil {
		return nil, fmt.Errorf("install Azure Service Operator's definitions: %w", err)
	}
	manager, err := newManager(ctx, cfg, hooks, options)
	if err != nil {
		return nil, err
	}
	// Before the controllers write anything: after a restart the configurations still name the last run's address.
	if err := crds.InstallWebhooks(ctx, cfg, crds.Azure, hooks.Endpoint(), webhooks.Resources()...); err != nil {
		return nil, fmt.Errorf("install CAPZ's webhooks: %w", err)
	}
	if err := crds.Apply(ctx, cfg, aso.Webhooks(hooks.Endpoint())); err != nil {
		return nil, fmt.Errorf("install Azure Service Operator's webhooks: %w", err)
	}
	return inprocess.Run(ctx, "CAPZ stand-in", manager, options.Log)
}

func newManager(ctx context.Context, cfg *rest.Config, hooks *loopback.Server, options Options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, clusterv1.AddToScheme, infrav1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register CAPZ's kinds: %w", err)
		}
	}
	cfg = rest.CopyConfig(cfg)
	cfg.QPS, cfg.Burst = 100, 200
	// The API server warns on every call that AzureManaged* is deprecated in favour of AzureASOManaged*.
	cfg.WarningHandler = rest.NoWarnings{}
	manager, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: scheme,
		Logger: options.Log,
		// Two stacks in one process have controllers of the same name.
		Controller: config.Controller{SkipNameValidation: ptr.To(true), MaxConcurrentReconciles: options.Concurrency},
		Cache:      cache.Options{SyncPeriod: &options.SyncPeriod},
		Client: client.Options{
			Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}}},
		},
		WebhookServer:          hooks,
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",

		GracefulShutdownTimeout: ptr.To(inprocess.StopPatience),
	})
	if err != nil {
		return nil, fmt.Errorf("build the CAPZ stand-in's manager: %w", err)
	}
	if err := addControllers(ctx, manager, options); err != nil {
		return nil, err
	}
	aso.AddWebhooks(manager)
	return manager, webhooks.Add(manager)
}
