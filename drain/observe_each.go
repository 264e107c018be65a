package drain

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ObserveOption changes what Observe reads.
type ObserveOption func(*observer)

// EachPod makes Observe read all pods of the cluster in one list, whatever nodes are named, and hand each of them to
// somebody who needs more of a pod than a drain does. begin is called when the list begins, and once more whenever it
// has to begin anew; it returns the visitor, which must not change the pods.
func EachPod(begin func() (visit func(*corev1.Pod))) ObserveOption {
	return func(o *observer) { o.eachPod = begin }
}

// visited is a list of pods whose items are shown to the visitor before they become slim.
func (o *observer) visited(
	list func(context.Context, metav1.ListOptions) (*corev1.PodList, error),
) func(context.Context, metav1.ListOptions) (*corev1.PodList, error) {
	if o.eachPod == nil {
		return list
	}
	var visit func(*corev1.Pod)
	return func(ctx context.Context, options metav1.ListOptions) (*corev1.PodList, error) {
		if options.Continue == "" {
			visit = o.eachPod()
		}
		page, err := list(ctx, options)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			visit(&page.Items[i])
		}
		return page, nil
	}
}
