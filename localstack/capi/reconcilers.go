package capi

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	ctrlmanager "sigs.k8s.io/controller-runtime/pkg/manager"

	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/controllers/clustercache"
	"sigs.k8s.io/cluster-api/core/reconcilers/cluster"
	"sigs.k8s.io/cluster-api/core/reconcilers/clusterresourceset"
	"sigs.k8s.io/cluster-api/core/reconcilers/clusterresourcesetbinding"
	"sigs.k8s.io/cluster-api/core/reconcilers/machine"
	"sigs.k8s.io/cluster-api/core/reconcilers/machinedeployment"
	"sigs.k8s.io/cluster-api/core/reconcilers/machinehealthcheck"
	"sigs.k8s.io/cluster-api/core/reconcilers/machinepool"
	"sigs.k8s.io/cluster-api/core/reconcilers/machineset"
	"sigs.k8s.io/cluster-api/core/setup"
)

// Cluster API's defaults for how long a workload cluster may be unreachable.
const (
	remoteConnectionGracePeriod = 50 * time.Second
	remoteConditionsGracePeriod = 5 * time.Minute
	workloadQPS, workloadBurst  = 20, 30
)

// addReconcilers adds the reconcilers that Cluster API's main adds with its default feature gates, less the migration of
// definitions between versions of Cluster API: a local stack has only ever seen one.
func addReconcilers(ctx context.Context, manager ctrl.Manager, options Options) (clustercache.ClusterCache, error) {
	limit := controller.Options{MaxConcurrentReconciles: options.Concurrency}
	clusters, err := newClusterCache(ctx, manager, options, limit)
	if err != nil {
		return nil, err
	}
	secrets, err := newSecretCache(manager, options)
	if err != nil {
		return nil, err
	}
	client, reader := manager.GetClient(), manager.GetAPIReader()
	for kind, add := range map[string]func() error{
		"Cluster": func() error {
			return (&cluster.Reconciler{
				Client: client, APIReader: reader, ClusterCache: clusters,
				RemoteConnectionGracePeriod: remoteConnectionGracePeriod,
			}).SetupWithManager(ctx, manager, limit)
		},
		"MachinePool": func() error {
			return (&machinepool.Reconciler{Client: client, APIReader: reader, ClusterCache: clusters}).
				SetupWithManager(ctx, manager, limit)
		},
		"Machine": func() error {
			return (&machine.Reconciler{
				Client: client, APIReader: reader, ClusterCache: clusters,
				RemoteConditionsGracePeriod: remoteConditionsGracePeriod,
			}).SetupWithManager(ctx, manager, limit)
		},
		"MachineSet": func() error {
			return (&machineset.Reconciler{
				Client: client, APIReader: reader, ClusterCache: clusters,
				PreflightChecks: sets.New(clusterv1.MachineSetPreflightCheckAll),
			}).SetupWithManager(ctx, manager, limit)
		},
		"MachineDeployment": func() error {
			return (&machinedeployment.Reconciler{Client: client, APIReader: reader}).
				SetupWithManager(ctx, manager, limit)
		},
		"MachineHealthCheck": func() error {
			return (&machinehealthcheck.Reconciler{Client: client, ClusterCache: clusters}).
				SetupWithManager(ctx, manager, limit)
		},
		"ClusterResourceSet": func() error {
			return (&clusterresourceset.Reconciler{Client: client, ClusterCache: clusters}).
				SetupWithManager(ctx, manager, limit, secrets)
		},
		"ClusterResourceSetBinding": func() error {
			return (&clusterresourcesetbinding.Reconciler{Client: client}).SetupWithManager(ctx, manager, limit)
		},
	} {
		if err := add(); err != nil {
			return nil, fmt.Errorf("add Cluster API's %s controller: %w", kind, err)
		}
	}
	return clusters, nil
}

// newClusterCache adds the connections to workload clusters. The retry interval is a constant inside Cluster API, and the
// connections outlive the manager, because Cluster API's own process ends with it. Its tests change both through methods
// outside the public interface; so does a local stack.
func newClusterCache(ctx context.Context, manager ctrl.Manager, options Options, limit controller.Options) (clustercache.ClusterCache, error) {
	secrets, err := setup.CreateSecretCachingClient(manager)
	if err != nil {
		return nil, fmt.Errorf("build Cluster API's client for kubeconfigs: %w", err)
	}
	clusters, err := clustercache.SetupWithManager(ctx, manager, clustercache.Options{
		SecretClient: secrets,
		Cache:        setup.ClusterCacheCacheOptions(),
		Client:       setup.ClusterCacheClientOptions(controllerName, workloadQPS, workloadBurst),
	}, limit)
	if err != nil {
		return nil, fmt.Errorf("add Cluster API's connections to workload clusters: %w", err)
	}
	adjustable, ok := clusters.(interface {
		SetConnectionCreationRetryInterval(interval time.Duration)
		Shutdown()
	})
	if !ok {
		return nil, errors.New("this version of Cluster API does not let the connection retry interval be set, or connections be ended")
	}
	adjustable.SetConnectionCreationRetryInterval(options.ConnectRetry)
	err = manager.Add(ctrlmanager.RunnableFunc(func(ctx context.Context) error {
		<-ctx.Done()
		adjustable.Shutdown()
		return nil
	}))
	if err != nil {
		return nil, fmt.Errorf("add the end of Cluster API's connections to workload clusters: %w", err)
	}
	return clusters, nil
}

// newSecretCache adds the metadata-only watch of all Secrets that ClusterResourceSets need.
func newSecretCache(manager ctrl.Manager, options Options) (ctrlcache.Cache, error) {
	secrets, err := ctrlcache.New(manager.GetConfig(), ctrlcache.Options{
		Scheme:     manager.GetScheme(),
		Mapper:     manager.GetRESTMapper(),
		HTTPClient: manager.GetHTTPClient(),
		SyncPeriod: &options.SyncPeriod,
		DefaultTransform: func(in any) (any, error) {
			object, ok := in.(*metav1.PartialObjectMetadata)
			if !ok || object.GroupVersionKind() != corev1.SchemeGroupVersion.WithKind("Secret") {
				return nil, fmt.Errorf("cache expected only metadata of Secrets, got %T", in)
			}
			return ctrlcache.TransformStripManagedFields()(object)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("build Cluster API's cache of Secrets: %w", err)
	}
	if err := manager.Add(secrets); err != nil {
		return nil, fmt.Errorf("add Cluster API's cache of Secrets: %w", err)
	}
	return secrets, nil
}
