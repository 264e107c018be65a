package controlplane

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	cacheddiscovery "k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/daemon"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/disruption"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	serviceaccountcontroller "k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/controller/statefulset"
)

// Controller names one loop of kube-controller-manager.
type Controller string

// The loops that can be run. Each is Kubernetes' own, except two: NamespaceController is its namespace deletion without the wait that
// replicated API servers need, and PodGCController follows its rules in code of ours, see podCollector.
const (
	DeploymentController       Controller = "deployment"
	ReplicaSetController       Controller = "replicaset"
	StatefulSetController      Controller = "statefulset"
	DaemonSetController        Controller = "daemonset"
	DisruptionController       Controller = "disruption"
	EndpointSliceController    Controller = "endpointslice"
	PodGCController            Controller = "podgc"
	GarbageCollectorController Controller = "garbagecollector"
	NamespaceController        Controller = "namespace"
	ServiceAccountController   Controller = "serviceaccount"
)

// WorkloadControllers returns what tenants of a cluster need: every loop above.
func WorkloadControllers() []Controller {
	return append(ManagementControllers(), DeploymentController, ReplicaSetController, StatefulSetController, DaemonSetController,
		DisruptionController, EndpointSliceController, PodGCController)
}

// ManagementControllers returns what a cluster without nodes needs: removal of namespaces and of owned objects, and default ServiceAccounts.
func ManagementControllers() []Controller {
	return []Controller{NamespaceController, GarbageCollectorController, ServiceAccountController}
}

const (
	// garbageCollectorSync is how long a new CustomResourceDefinition may go unnoticed by the garbage collector.
	garbageCollectorSync = 10 * time.Second
	// endpointBatch collects pod changes into one write per Service.
	endpointBatch      = 200 * time.Millisecond
	maxEndpoints       = 100
	daemonBackoffStart = time.Second
	daemonBackoffMax   = time.Minute
)

// StartControllers runs the given loops, or WorkloadControllers if none is given, against the API server of cfg until ctx ends.
// It returns when they are started, before their caches are filled.
func StartControllers(ctx context.Context, cfg *rest.Config, set ...Controller) error {
	if len(set) == 0 {
		set = WorkloadControllers()
	}
	m, err := newManager(cfg)
	if err != nil {
		return fmt.Errorf("start controllers: %w", err)
	}
	for _, c := range set {
		if err := m.add(ctx, c); err != nil {
			return fmt.Errorf("start %s controller: %w", c, err)
		}
	}
	m.start(ctx)
	return nil
}

// manager holds what the loops share, and their Run functions until all informers are known.
type manager struct {
	client            kubernetes.Interface
	metadata          metadata.Interface
	mapper            meta.ResettableRESTMapper
	scale             scale.ScalesGetter
	informers         informers.SharedInformerFactory
	metadataInformers metadatainformer.SharedInformerFactory
	started           chan struct{}
	run               []func(context.Context)
}

func newManager(cfg *rest.Config) (*manager, error) {
	cfg = componentConfig(cfg, "controllers")
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	meta, err := metadata.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("make metadata client: %w", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cacheddiscovery.NewMemCacheClient(client.Discovery()))
	scales, err := scale.NewForConfig(cfg, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(client.Discovery()))
	if err != nil {
		return nil, fmt.Errorf("make scale client: %w", err)
	}
	return &manager{
		client: client, metadata: meta, mapper: mapper, scale: scales,
		informers:         informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(dropManagedFields)),
		metadataInformers: metadatainformer.NewSharedInformerFactoryWithOptions(meta, 0, metadatainformer.WithTransform(dropManagedFields)),
		started:           make(chan struct{}),
	}, nil
}

// componentConfig is cfg without rate limits and with a user agent, by which the audit log tells the parts of a control plane apart.
func componentConfig(cfg *rest.Config, component string) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS, cfg.Burst = -1, 0
	cfg.UserAgent = "fleetwright-localstack/" + component
	return cfg
}

// dropManagedFields saves memory: no loop reads who set a field.
func dropManagedFields(obj any) (any, error) {
	if a, err := meta.Accessor(obj); err == nil {
		a.SetManagedFields(nil)
	}
	return obj, nil
}

func (m *manager) add(ctx context.Context, c Controller) error {
	constructors := map[Controller]func(context.Context) error{
		DeploymentController:       m.addDeployment,
		ReplicaSetController:       m.addReplicaSet,
		StatefulSetController:      m.addStatefulSet,
		DaemonSetController:        m.addDaemonSet,
		DisruptionController:       m.addDisruption,
		EndpointSliceController:    m.addEndpointSlice,
		PodGCController:            m.addPodGC,
		GarbageCollectorController: m.addGarbageCollector,
		NamespaceController:        m.addNamespace,
		ServiceAccountController:   m.addServiceAccount,
	}
	construct, ok := constructors[c]
	if !ok {
		return fmt.Errorf("there is no controller of this name")
	}
	return construct(ctx)
}

func (m *manager) start(ctx context.Context) {
	m.informers.Start(ctx.Done())
	m.metadataInformers.Start(ctx.Done())
	close(m.started)
	for _, run := range m.run {
		go run(ctx)
	}
}

func (m *manager) workers(n int, run func(context.Context, int)) {
	m.run = append(m.run, func(ctx context.Context) { run(ctx, n) })
}

func (m *manager) addDeployment(ctx context.Context) error {
	apps, core := m.informers.Apps().V1(), m.informers.Core().V1()
	c, err := deployment.NewDeploymentController(ctx, apps.Deployments(), apps.ReplicaSets(), core.Pods(), m.client)
	if err != nil {
		return err
	}
	m.workers(2, c.Run)
	return nil
}

func (m *manager) addReplicaSet(ctx context.Context) error {
	c := replicaset.NewReplicaSetController(ctx, m.informers.Apps().V1().ReplicaSets(), m.informers.Core().V1().Pods(), m.client, replicaset.BurstReplicas)
	m.workers(2, c.Run)
	return nil
}

func (m *manager) addStatefulSet(ctx context.Context) error {
	apps, core := m.informers.Apps().V1(), m.informers.Core().V1()
	c := statefulset.NewStatefulSetController(ctx, core.Pods(), apps.StatefulSets(), core.PersistentVolumeClaims(), apps.ControllerRevisions(), m.client)
	m.workers(1, c.Run)
	return nil
}

func (m *manager) addDaemonSet(ctx context.Context) error {
	apps, core := m.informers.Apps().V1(), m.informers.Core().V1()
	c, err := daemon.NewDaemonSetsController(ctx, apps.DaemonSets(), apps.ControllerRevisions(), core.Pods(), core.Nodes(), m.client,
		flowcontrol.NewBackOff(daemonBackoffStart, daemonBackoffMax))
	if err != nil {
		return err
	}
	m.workers(1, c.Run)
	return nil
}

func (m *manager) addDisruption(ctx context.Context) error {
	apps, core := m.informers.Apps().V1(), m.informers.Core().V1()
	c := disruption.NewDisruptionController(ctx, core.Pods(), m.informers.Policy().V1().PodDisruptionBudgets(), core.ReplicationControllers(),
		apps.ReplicaSets(), apps.Deployments(), apps.StatefulSets(), m.client, m.mapper, m.scale, m.client.Discovery())
	m.run = append(m.run, c.Run)
	return nil
}

func (m *manager) addEndpointSlice(ctx context.Context) error {
	core := m.informers.Core().V1()
	c := endpointslice.NewController(ctx, core.Pods(), core.Services(), core.Nodes(), m.informers.Discovery().V1().EndpointSlices(), maxEndpoints,
		m.client, endpointBatch)
	m.workers(1, c.Run)
	return nil
}

func (m *manager) addPodGC(context.Context) error {
	m.run = append(m.run, newPodCollector(m))
	return nil
}

func (m *manager) addServiceAccount(ctx context.Context) error {
	core := m.informers.Core().V1()
	c, err := serviceaccountcontroller.NewServiceAccountsController(klog.FromContext(ctx), core.ServiceAccounts(), core.Namespaces(), m.client,
		serviceaccountcontroller.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return err
	}
	m.workers(1, c.Run)
	return nil
}

func (m *manager) addGarbageCollector(ctx context.Context) error {
	c, err := garbagecollector.NewGarbageCollector(ctx, m.client, m.metadata, m.mapper, garbagecollector.DefaultIgnoredResources(),
		informerfactory.NewInformerFactory(m.informers, m.metadataInformers), m.started)
	if err != nil {
		return err
	}
	m.run = append(m.run,
		func(ctx context.Context) { c.Run(ctx, 2, garbageCollectorSync) },
		func(ctx context.Context) { c.Sync(ctx, m.client.Discovery(), garbageCollectorSync) },
	)
	return nil
}

func (m *manager) addNamespace(ctx context.Context) error {
	run, err := newNamespaceCleaner(ctx, m)
	if err != nil {
		return err
	}
	m.run = append(m.run, run)
	return nil
}
