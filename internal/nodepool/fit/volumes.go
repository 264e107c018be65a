package fit

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/component-helpers/storage/volume"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumebinding"
	"k8s.io/kubernetes/pkg/scheduler/framework/runtime"
)

// boundVolumes is what the scheduler's VolumeBinding asks of claims that are bound: the volume can be used from the
// node. Claims that are not bound yet, or not known, keep a pod from nowhere.
type boundVolumes struct {
	// byClaim is the volume that a claim is bound to, by namespace/name.
	byClaim map[string]*corev1.PersistentVolume
}

func newBoundVolumes(w *World) runtime.PluginFactory {
	return func(context.Context, apiruntime.Object, fwk.Handle) (fwk.Plugin, error) {
		volumes := make(map[string]*corev1.PersistentVolume, len(w.Volumes))
		for _, v := range w.Volumes {
			volumes[v.Name] = v
		}
		p := boundVolumes{byClaim: make(map[string]*corev1.PersistentVolume, len(w.Claims))}
		for _, c := range w.Claims {
			if v := volumes[c.Spec.VolumeName]; v != nil && v.Spec.NodeAffinity != nil {
				p.byClaim[c.Namespace+"/"+c.Name] = v
			}
		}
		return p, nil
	}
}

// Name implements fwk.Plugin.
func (boundVolumes) Name() string { return names.VolumeBinding }

// PreFilter implements fwk.PreFilterPlugin: pods without such a volume are not asked about.
func (p boundVolumes) PreFilter(_ context.Context, _ fwk.CycleState, pod *corev1.Pod, _ []fwk.NodeInfo) (*fwk.PreFilterResult, *fwk.Status) {
	if len(p.of(pod)) == 0 {
		return nil, fwk.NewStatus(fwk.Skip)
	}
	return nil, nil
}

// PreFilterExtensions implements fwk.PreFilterPlugin.
func (boundVolumes) PreFilterExtensions() fwk.PreFilterExtensions { return nil }

// Filter implements fwk.FilterPlugin.
func (p boundVolumes) Filter(_ context.Context, _ fwk.CycleState, pod *corev1.Pod, node fwk.NodeInfo) *fwk.Status {
	for _, v := range p.of(pod) {
		if volume.CheckNodeAffinity(v, node.Node().Labels) != nil {
			return fwk.NewStatus(fwk.UnschedulableAndUnresolvable, string(volumebinding.ErrReasonNodeConflict))
		}
	}
	return nil
}

func (p boundVolumes) of(pod *corev1.Pod) []*corev1.PersistentVolume {
	var found []*corev1.PersistentVolume
	for i := range pod.Spec.Volumes {
		// A generic ephemeral volume is made anew with its pod.
		if claim := pod.Spec.Volumes[i].PersistentVolumeClaim; claim != nil {
			if v := p.byClaim[pod.Namespace+"/"+claim.ClaimName]; v != nil {
				found = append(found, v)
			}
		}
	}
	return found
}
