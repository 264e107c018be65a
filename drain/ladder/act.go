package ladder

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/drain"
)

// Act takes one step with at most one write, and may be called again with the same step: what has changed since the step was
// decided is not written over, and an event that exists is not written again. An object that is gone needs no step. A
// conflict is returned as it is; the next look decides anew.
//
// notifier hears of what ActionNotify tells, after the event is there, and may be nil. Its error is returned, and the
// event stands: the notifier is called again in the next hour, not at the next look. Where the event cannot be written it is
// not called, because nothing would say that it was.
func Act(ctx context.Context, client kubernetes.Interface, step Step, notifier Notifier) error {
	var err error
	switch step.Action {
	case ActionNotify:
		return tell(ctx, client, step, notifier)
	case ActionRestart, ActionScaleUp, ActionPutBack:
		_, err = client.AppsV1().Deployments(step.Object.Namespace).
			Patch(ctx, step.Object.Name, types.MergePatchType, []byte(step.Patch), metav1.PatchOptions{FieldManager: FieldManager})
	case ActionQuarantine, ActionUnquarantine:
		_, err = client.CoreV1().Nodes().
			Patch(ctx, step.Object.Name, types.MergePatchType, []byte(step.Patch), metav1.PatchOptions{FieldManager: FieldManager})
		if drain.IsOtherUID(err) { // a node that has only changed is a conflict
			err = fmt.Errorf("uid is not %s: %w: %w", step.Object.UID, drain.ErrNodeReplaced, err)
		}
	case ActionForce:
		if step.Object.UID == "" || step.ResourceVersion == "" {
			return fmt.Errorf("%s %s: its uid and version are not known", step.Action, step.Object)
		}
		err = client.CoreV1().Pods(step.Object.Namespace).Delete(ctx, step.Object.Name, metav1.DeleteOptions{Preconditions: asDecided(step)})
	case ActionSkipped, ActionStanding:
		return nil
	default:
		return fmt.Errorf("%s %s: no such action", step.Action, step.Object)
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("%s %s: %w", step.Action, step.Object, err)
	}
	return nil
}

// asDecided lets only that pod be deleted which the step was decided on, and only as it was.
func asDecided(step Step) *metav1.Preconditions {
	return &metav1.Preconditions{UID: &step.Object.UID, ResourceVersion: &step.ResourceVersion}
}

func tell(ctx context.Context, client kubernetes.Interface, step Step, notifier Notifier) error {
	_, err := client.CoreV1().Events(step.Event.Namespace).Create(ctx, step.Event, metav1.CreateOptions{FieldManager: FieldManager})
	switch {
	case apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err): // somebody else told, or the namespace is gone
		return nil
	case err != nil:
		return fmt.Errorf("%s %s: write event: %w", step.Action, step.Object, err)
	case notifier == nil:
		return nil
	}
	if err := notifier.Notify(ctx, step.Notice); err != nil {
		return fmt.Errorf("%s %s: the event is written: %w", step.Action, step.Object, err)
	}
	return nil
}

// PutBackAll takes back what the drain with this id has changed and not yet put back: Deployments that were scaled up, and
// nodes that were given up. It is for a drain that is given up or done. It goes on after a failure and returns all of them;
// nil means that nothing of the drain is left.
func PutBackAll(ctx context.Context, client kubernetes.Interface, id string) error {
	if id == "" {
		return ErrNoDrain
	}
	steps, err := whatIsLeft(ctx, client, id)
	if err != nil {
		return err
	}
	var failed []error
	for _, step := range steps {
		failed = append(failed, Act(ctx, client, step, nil))
	}
	return errors.Join(failed...)
}

func whatIsLeft(ctx context.Context, client kubernetes.Interface, id string) ([]Step, error) {
	const why = "its drain is over"
	var steps []Step
	err := each(ctx, client.AppsV1().Deployments(metav1.NamespaceAll).List, metav1.ListOptions{LabelSelector: LabelScaledUp},
		func(d *appsv1.Deployment) {
			if slim := slimDeployment(d); slim.ScaledUp.is(id) {
				steps = append(steps, putBackStep(slim, why, true))
			}
		})
	if err != nil {
		return nil, fmt.Errorf("list deployments that were scaled up: %w", err)
	}
	err = each(ctx, client.CoreV1().Nodes().List, metav1.ListOptions{LabelSelector: drain.LabelQuarantined},
		func(n *corev1.Node) {
			if slim := slimNode(n); slim.By == id {
				steps = append(steps, unquarantineStep(n.Name, slim, why))
			}
		})
	if err != nil {
		return nil, fmt.Errorf("list nodes that were given up: %w", err)
	}
	return steps, nil
}
