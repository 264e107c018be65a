package fit

import (
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// nodeList is the scheduler's picture of the nodes.
type nodeList struct {
	all    []fwk.NodeInfo
	byName map[string]*framework.NodeInfo
	// like names the node that one which is not there yet is like.
	like map[string]string
	// view, if there is one, is shown in place of all.
	view *view
}

func (l *nodeList) add(n *framework.NodeInfo) {
	l.all = append(l.all, n)
	l.byName[n.Node().Name] = n
}

// NodeInfos implements fwk.SharedLister.
func (l *nodeList) NodeInfos() fwk.NodeInfoLister { return l }

// StorageInfos implements fwk.SharedLister.
func (l *nodeList) StorageInfos() fwk.StorageInfoLister { return l }

// PodGroupStates implements fwk.SharedLister: there are none.
func (l *nodeList) PodGroupStates() fwk.PodGroupStateLister { return nil }

// List implements fwk.NodeInfoLister.
func (l *nodeList) List() ([]fwk.NodeInfo, error) {
	if l.view != nil {
		return l.view.nodes, nil
	}
	return l.all, nil
}

// HavePodsWithAffinityList implements fwk.NodeInfoLister.
func (l *nodeList) HavePodsWithAffinityList() ([]fwk.NodeInfo, error) {
	return having(l.all, func(n fwk.NodeInfo) bool { return len(n.GetPodsWithAffinity()) > 0 }), nil
}

// HavePodsWithRequiredAntiAffinityList implements fwk.NodeInfoLister.
func (l *nodeList) HavePodsWithRequiredAntiAffinityList() ([]fwk.NodeInfo, error) {
	return having(l.all, func(n fwk.NodeInfo) bool { return len(n.GetPodsWithRequiredAntiAffinity()) > 0 }), nil
}

// Get implements fwk.NodeInfoLister.
func (l *nodeList) Get(name string) (fwk.NodeInfo, error) {
	if n, found := l.byName[name]; found {
		return n, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "nodes"}, name)
}

// IsPVCUsedByPods implements fwk.StorageInfoLister.
func (l *nodeList) IsPVCUsedByPods(key string) bool {
	return len(having(l.all, func(n fwk.NodeInfo) bool { return n.GetPVCRefCounts()[key] > 0 })) > 0
}

func having(nodes []fwk.NodeInfo, wanted func(fwk.NodeInfo) bool) []fwk.NodeInfo {
	var found []fwk.NodeInfo
	for _, n := range nodes {
		if wanted(n) {
			found = append(found, n)
		}
	}
	return found
}

// view shows of each node only those pods that may count for the spreading of one class, because they are counted anew
// for each pod of it.
type view struct {
	namespace string
	selectors []labels.Selector
	nodes     []fwk.NodeInfo
	byName    map[string]*seen
}

type seen struct {
	fwk.NodeInfo
	pods []fwk.PodInfo
}

// GetPods implements fwk.NodeInfo.
func (s *seen) GetPods() []fwk.PodInfo { return s.pods }

// newView is nil for a pod that does not spread. One that has to be near others sees all pods.
func newView(pod *corev1.Pod, nodes *nodeList) *view {
	if len(pod.Spec.TopologySpreadConstraints) == 0 {
		return nil
	}
	v := &view{namespace: pod.Namespace, byName: make(map[string]*seen, len(nodes.all))}
	for i := range pod.Spec.TopologySpreadConstraints {
		selector, err := metav1.LabelSelectorAsSelector(pod.Spec.TopologySpreadConstraints[i].LabelSelector)
		if err != nil {
			selector = labels.Everything() // the plugin says what is wrong with it
		}
		v.selectors = append(v.selectors, selector)
	}
	if a := pod.Spec.Affinity; a != nil && (a.PodAffinity != nil || a.PodAntiAffinity != nil) {
		v.namespace, v.selectors = "", []labels.Selector{labels.Everything()}
	}
	for _, n := range nodes.all {
		s := &seen{NodeInfo: n}
		for _, p := range n.GetPods() {
			if v.counts(p.GetPod()) {
				s.pods = append(s.pods, p)
			}
		}
		v.nodes, v.byName[n.Node().Name] = append(v.nodes, s), s
	}
	return v
}

func (v *view) counts(pod *corev1.Pod) bool {
	if v.namespace != "" && pod.Namespace != v.namespace {
		return false
	}
	for _, s := range v.selectors {
		if s.Matches(labels.Set(pod.Labels)) {
			return true
		}
	}
	return false
}

func (v *view) add(node string, pod *framework.PodInfo) {
	if v.counts(pod.Pod) {
		v.byName[node].pods = append(v.byName[node].pods, pod)
	}
}
