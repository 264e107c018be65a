package kubelet_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

const privateImage = "shop.azurecr.io/web:1"

// closedRegistry refuses privateImage until it is opened.
type closedRegistry struct{ open atomic.Bool }

var registry closedRegistry

func (r *closedRegistry) pull(_ context.Context, image string) string {
	if image == privateImage && !r.open.Load() {
		return "401 Unauthorized"
	}
	return ""
}

func testImage(t *testing.T, c cluster) {
	c.ensureNode(kubelet.Node{Name: "image"})
	c.create("image", "image", nil, func(p *corev1.Pod) {
		p.Spec.Containers = []corev1.Container{{Name: "side", Image: "side"}, {Name: "app", Image: privateImage}}
	})
	seen := map[string]string{}
	c.eventually(limit, "both words of a kubelet", func(ctx context.Context) (bool, string) {
		p, err := c.client.CoreV1().Pods("default").Get(ctx, "image", metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		for _, s := range p.Status.ContainerStatuses {
			if s.State.Waiting != nil {
				seen[s.Name+" "+s.State.Waiting.Reason] = s.State.Waiting.Message
			}
		}
		return len(seen) == 2, p.Status.String()
	})
	want := map[string]string{"app ErrImagePull": "401 Unauthorized", "app ImagePullBackOff": `Back-off pulling image "shop.azurecr.io/web:1": ErrImagePull: 401 Unauthorized`}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("what the containers waited for (-want +got):\n%s", diff)
	}
	p, err := c.client.CoreV1().Pods("default").Get(t.Context(), "image", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Status.Phase != corev1.PodPending || p.Status.ContainerStatuses[0].State.Running == nil || ready(p.Status.Conditions) {
		t.Errorf("a pod one of whose images is missing: %s", p.Status.String())
	}

	c.eventually(limit, "an event", func(ctx context.Context) (bool, string) {
		events, err := c.client.CoreV1().Events("default").List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=image,reason=Failed"})
		if err != nil {
			return false, err.Error()
		}
		return len(events.Items) == 1 && events.Items[0].Message == `Failed to pull image "shop.azurecr.io/web:1": 401 Unauthorized`, fmt.Sprint(events.Items)
	})

	registry.open.Store(true)
	c.wait("image", runningReady, limit)
	if p, err = c.client.CoreV1().Pods("default").Get(t.Context(), "image", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, each := range p.Status.Conditions {
		if each.Status == corev1.ConditionTrue && each.Reason+each.Message != "" {
			t.Errorf("condition %s is true and still says %s: %s", each.Type, each.Reason, each.Message)
		}
	}
}
