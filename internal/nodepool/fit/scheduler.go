package fit

import (
	"context"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/informers"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultbinder"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/interpodaffinity"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeaffinity"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodename"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeports"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeunschedulable"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodevolumelimits"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/podtopologyspread"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/queuesort"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/tainttoleration"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumezone"
	"k8s.io/kubernetes/pkg/scheduler/framework/runtime"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
)

// plugins are what keeps a pod off a node, in kube-scheduler's order. VolumeBinding is ours, because the scheduler's
// own waits for informers; of bound claims, which are all that running pods have, it asks the same. Left out are
// dynamic resources, node-declared features and VolumeRestrictions, whose claims of one pod move with it.
var plugins = []string{
	names.NodeUnschedulable, names.NodeName, names.TaintToleration, names.NodeAffinity, names.NodePorts, names.NodeResourcesFit,
	names.NodeVolumeLimits, names.VolumeBinding, names.VolumeZone, names.PodTopologySpread, names.InterPodAffinity,
}

// initMetrics makes the scheduler's metrics, which its plugins count in; nobody registers them.
var initMetrics = sync.OnceFunc(metrics.InitMetrics)

// scheduler is kube-scheduler's framework over the nodes, and a way to end it.
type scheduler struct {
	framework.Framework
	stop func()
}

func newScheduler(ctx context.Context, w *World, nodes *nodeList) (*scheduler, error) {
	initMetrics()
	factory, err := listers(w)
	if err != nil {
		return nil, err
	}
	features := feature.NewSchedulerFeaturesFromGates(utilfeature.DefaultFeatureGate)
	features.EnableDynamicResourceAllocation, features.EnableDRAExtendedResource = false, false
	features.EnableVolumeLimitScaling = false // a driver that is not on a new node yet will be
	with := func(f runtime.PluginFactoryWithFts[fwk.Plugin]) runtime.PluginFactory {
		return runtime.FactoryAdapter(features, f)
	}
	registry := runtime.Registry{
		names.NodeUnschedulable: with(nodeunschedulable.New),
		names.NodeName:          with(nodename.New),
		names.TaintToleration:   with(tainttoleration.New),
		names.NodeAffinity:      with(nodeaffinity.New),
		names.NodePorts:         with(nodeports.New),
		names.NodeResourcesFit:  with(noderesources.NewFit),
		names.NodeVolumeLimits:  with(nodevolumelimits.NewCSI),
		names.VolumeBinding:     newBoundVolumes(w),
		names.VolumeZone:        with(volumezone.New),
		names.PodTopologySpread: with(podtopologyspread.New),
		names.InterPodAffinity:  with(interpodaffinity.New),
		names.PrioritySort:      queuesort.New,
		names.DefaultBinder:     defaultbinder.New,
	}
	ctx, cancel := context.WithCancel(ctx)
	f, err := runtime.NewFramework(ctx, registry, profile(), runtime.WithLogger(logr.Discard()),
		runtime.WithInformerFactory(factory), runtime.WithSnapshotSharedLister(nodes), runtime.WithSharedCSIManager(csiNodes(w, nodes)))
	if err != nil {
		cancel()
		return nil, fmt.Errorf("set up the scheduler's plugins: %w", err)
	}
	return &scheduler{Framework: f, stop: cancel}, nil
}

// profile is kube-scheduler's default one, as far as it decides where a pod may run and not where it runs best. The
// constraints it spreads pods by that have none are wishes, and left out.
func profile() *config.KubeSchedulerProfile {
	p := &config.KubeSchedulerProfile{SchedulerName: corev1.DefaultSchedulerName, Plugins: &config.Plugins{
		QueueSort: config.PluginSet{Enabled: []config.Plugin{{Name: names.PrioritySort}}},
		Bind:      config.PluginSet{Enabled: []config.Plugin{{Name: names.DefaultBinder}}},
	}}
	for _, name := range plugins {
		plugin := config.Plugin{Name: name}
		p.Plugins.Filter.Enabled = append(p.Plugins.Filter.Enabled, plugin)
		switch name {
		case names.NodeUnschedulable, names.NodeName, names.TaintToleration:
		default:
			p.Plugins.PreFilter.Enabled = append(p.Plugins.PreFilter.Enabled, plugin)
		}
	}
	p.PluginConfig = []config.PluginConfig{
		{Name: names.NodeAffinity, Args: &config.NodeAffinityArgs{}},
		{Name: names.InterPodAffinity, Args: &config.InterPodAffinityArgs{HardPodAffinityWeight: 1, IgnorePreferredTermsOfExistingPods: true}},
		{Name: names.PodTopologySpread, Args: &config.PodTopologySpreadArgs{DefaultingType: config.ListDefaulting}},
		{Name: names.NodeResourcesFit, Args: &config.NodeResourcesFitArgs{ScoringStrategy: &config.ScoringStrategy{
			Type: config.LeastAllocated, Resources: []config.ResourceSpec{{Name: "cpu", Weight: 1}, {Name: "memory", Weight: 1}},
		}}},
	}
	return p
}

// listers are the informers the plugins list from, filled by hand and never started.
func listers(w *World) (informers.SharedInformerFactory, error) {
	factory := informers.NewSharedInformerFactory(nil, 0)
	for _, claim := range w.Claims {
		if err := factory.Core().V1().PersistentVolumeClaims().Informer().GetIndexer().Add(claim); err != nil {
			return nil, fmt.Errorf("keep claim %s/%s: %w", claim.Namespace, claim.Name, err)
		}
	}
	for _, volume := range w.Volumes {
		if err := factory.Core().V1().PersistentVolumes().Informer().GetIndexer().Add(volume); err != nil {
			return nil, fmt.Errorf("keep volume %s: %w", volume.Name, err)
		}
	}
	for _, namespace := range w.Namespaces {
		if err := factory.Core().V1().Namespaces().Informer().GetIndexer().Add(namespace); err != nil {
			return nil, fmt.Errorf("keep namespace %s: %w", namespace.Name, err)
		}
	}
	return factory, nil
}

// csiList are the drivers of the nodes; a node that is not there yet has those of the one it is like.
type csiList struct {
	byNode map[string]*storagev1.CSINode
	nodes  *nodeList
}

func csiNodes(w *World, nodes *nodeList) csiList {
	l := csiList{byNode: make(map[string]*storagev1.CSINode, len(w.CSINodes)), nodes: nodes}
	for _, n := range w.CSINodes {
		l.byNode[n.Name] = n
	}
	return l
}

// CSINodes implements fwk.CSIManager.
func (l csiList) CSINodes() fwk.CSINodeLister { return l }

// List implements fwk.CSINodeLister.
func (l csiList) List() ([]*storagev1.CSINode, error) { return nil, nil }

// Get implements fwk.CSINodeLister.
func (l csiList) Get(name string) (*storagev1.CSINode, error) {
	if like := l.nodes.like[name]; like != "" {
		name = like
	}
	if n, found := l.byNode[name]; found {
		return n, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Group: storagev1.GroupName, Resource: "csinodes"}, name)
}
