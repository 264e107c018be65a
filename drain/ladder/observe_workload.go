package ladder

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

// workload finds the object people know behind the blocker's controller: for a ReplicaSet, the Deployment it names as
// its controller. A ReplicaSet that is gone or stands alone is known by itself.
func (o *observer) workload(ctx context.Context, b drain.Blocker) error {
	c := b.Controller
	if _, known := o.facts.Workloads[c.UID]; known || c.UID == "" {
		return nil
	}
	found := Object{APIVersion: apiVersion(c), Kind: c.Kind, Namespace: b.Pod.Namespace, Name: c.Name, UID: c.UID}
	if c.Group == "apps" && c.Kind == "ReplicaSet" {
		rs, err := o.client.AppsV1().ReplicaSets(b.Pod.Namespace).Get(ctx, c.Name, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err == nil && rs.UID == c.UID {
			if owner := deploymentOf(rs); owner != nil {
				found.APIVersion, found.Kind, found.Name, found.UID = owner.APIVersion, owner.Kind, owner.Name, owner.UID
			}
		}
	}
	o.facts.Workloads[c.UID] = found
	return nil
}

// apiVersion of the controllers whose version is known; a Pod's owner reference has it, but drain.Controller does not.
func apiVersion(c drain.Controller) string {
	switch c.Group {
	case "":
		return "v1"
	case "apps", "batch":
		return c.Group + "/v1"
	default:
		return ""
	}
}

func deploymentOf(rs *appsv1.ReplicaSet) *metav1.OwnerReference {
	owner := metav1.GetControllerOfNoCopy(rs)
	if owner == nil || owner.Kind != "Deployment" || owner.APIVersion != "apps/v1" {
		return nil
	}
	return owner
}

func (o *observer) readDeployment(ctx context.Context, w Object) error {
	if o.complete[w.UID] {
		return nil
	}
	d, err := o.client.AppsV1().Deployments(w.Namespace).Get(ctx, w.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && d.UID != w.UID {
		return nil // then its pods are about to go as well
	}
	if err != nil {
		return err
	}
	return o.deployment(ctx, d, true)
}

// deployment adds a Deployment, with its pods on the nodes to empty, and with what else is needed before it is changed.
func (o *observer) deployment(ctx context.Context, d *appsv1.Deployment, toChange bool) error {
	slim := slimDeployment(d)
	if toChange || slim.ScaledUp.is(o.facts.Drain) {
		if err := o.pods(ctx, d, &slim); err != nil {
			return err
		}
	}
	if toChange {
		scaler, err := o.scaler(ctx, slim.Object)
		if err != nil {
			return err
		}
		slim.Scaler, o.complete[d.UID] = scaler, true
	}
	o.facts.Deployments[d.UID] = slim
	return nil
}

// pods fills in which of the Deployment's pods the nodes to empty still hold, and since when this drain's restart runs.
func (o *observer) pods(ctx context.Context, d *appsv1.Deployment, slim *Deployment) error {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return err
	}
	options := metav1.ListOptions{LabelSelector: selector.String()}
	own := map[types.UID]bool{}
	restarted := restartedBy(*slim, o.policy.Started)
	err = each(ctx, o.client.AppsV1().ReplicaSets(d.Namespace).List, options, func(rs *appsv1.ReplicaSet) {
		if owner := metav1.GetControllerOfNoCopy(rs); owner == nil || owner.UID != d.UID {
			return
		}
		own[rs.UID] = true
		if restarted && rs.Spec.Template.Annotations[AnnotationRestarted] == restartedFor(o.policy.Started) {
			slim.RestartRuns = rs.CreationTimestamp.Time
		}
	})
	if err != nil {
		return err
	}
	onNodes := map[string]bool{}
	for _, n := range o.plan.Nodes {
		onNodes[n.Name] = true
	}
	return each(ctx, o.client.CoreV1().Pods(d.Namespace).List, options, func(p *corev1.Pod) {
		pod := slimPod(p)
		if own[pod.Controller] && onNodes[p.Spec.NodeName] && pod.Deadline.IsZero() && !pod.Finished {
			slim.Holding = append(slim.Holding, pod.UID)
		}
	})
}

// scalers are the autoscalers of a namespace, the first by name for each Deployment.
type scalers map[string]string

// scaler returns the autoscaler that sets the Deployment's size. Where the API is not served there is none.
func (o *observer) scaler(ctx context.Context, d Object) (string, error) {
	if found, known := o.scalers[d.Namespace]; known {
		return found[d.Name], nil
	}
	found := scalers{}
	err := each(ctx, o.client.AutoscalingV2().HorizontalPodAutoscalers(d.Namespace).List, metav1.ListOptions{},
		func(h *autoscalingv2.HorizontalPodAutoscaler) {
			target := h.Spec.ScaleTargetRef
			if name := found[target.Name]; target.Kind == "Deployment" && (name == "" || h.Name < name) {
				found[target.Name] = h.Name
			}
		})
	if err != nil && !apierrors.IsNotFound(err) {
		return "", err
	}
	o.scalers[d.Namespace] = found
	return found[d.Name], nil
}
