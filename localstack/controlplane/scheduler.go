package controlplane

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/kubernetes/pkg/scheduler"
	schedulerapi "k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
)

// schedulerWorkers is how many nodes are looked at in parallel. One process runs many schedulers, so none may take all cores.
const schedulerWorkers = 2

// StartScheduler runs a kube-scheduler against the API server of cfg until ctx ends, and returns when its caches are filled.
// It is the real one without the plug-ins for volumes, devices and images, which simulated nodes do not have; preemption by priority is kept.
func StartScheduler(ctx context.Context, cfg *rest.Config) error {
	if err := startScheduler(ctx, componentConfig(cfg, "scheduler")); err != nil {
		return fmt.Errorf("start scheduler: %w", err)
	}
	return nil
}

func startScheduler(ctx context.Context, cfg *rest.Config) error {
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("make dynamic client: %w", err)
	}
	config, err := latest.Default()
	if err != nil {
		return fmt.Errorf("make default configuration: %w", err)
	}
	dropPlugins(config)

	informers := scheduler.NewInformerFactory(client, 0)
	dynamicInformers := dynamicinformer.NewFilteredDynamicSharedInformerFactory(dyn, 0, "", nil)
	broadcaster := events.NewEventBroadcasterAdapterWithContext(ctx, client)
	broadcaster.StartRecordingToSink(ctx.Done())
	s, err := scheduler.New(ctx, client, informers, dynamicInformers,
		func(name string) events.EventRecorderLogger { return broadcaster.NewRecorder(name) },
		scheduler.WithComponentConfigVersion(config.APIVersion),
		scheduler.WithKubeConfig(cfg),
		scheduler.WithProfiles(config.Profiles...),
		scheduler.WithPercentageOfNodesToScore(config.PercentageOfNodesToScore),
		scheduler.WithPodMaxBackoffSeconds(config.PodMaxBackoffSeconds),
		scheduler.WithPodInitialBackoffSeconds(config.PodInitialBackoffSeconds),
		scheduler.WithParallelism(schedulerWorkers))
	if err != nil {
		return err
	}
	informers.Start(ctx.Done())
	dynamicInformers.Start(ctx.Done())
	informers.WaitForCacheSync(ctx.Done())
	dynamicInformers.WaitForCacheSync(ctx.Done())
	if err := s.WaitForHandlersSync(ctx); err != nil {
		return fmt.Errorf("fill caches: %w", err)
	}
	go s.Run(ctx)
	return nil
}

func dropPlugins(config *schedulerapi.KubeSchedulerConfiguration) {
	drop := sets.New("VolumeBinding", "VolumeRestrictions", "VolumeZone", "NodeVolumeLimits", "DynamicResources", "ImageLocality")
	enabled := &config.Profiles[0].Plugins.MultiPoint.Enabled
	var keep []schedulerapi.Plugin
	for _, p := range *enabled {
		if !drop.Has(p.Name) {
			keep = append(keep, p)
		}
	}
	*enabled = keep
}
