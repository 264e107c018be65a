package drain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Mark is an annotation written together with a cordon, so that whoever takes the cordon back can tell it from a
// person's own. The zero Mark writes none.
type Mark struct{ Key, Value string }

// Cordon makes the node unschedulable and marks it, and touches nothing else of it. It is one call and no read: the
// node's UID is the precondition. The caller skips nodes that are cordoned. A node that has another UID
// by now is an error that wraps ErrNodeReplaced; a node that is gone is apimachinery's NotFound.
func Cordon(ctx context.Context, client kubernetes.Interface, node NodeRef, mark Mark) error {
	return setUnschedulable(ctx, client, node, true, mark.Key, mark.Value)
}

// Uncordon makes the node schedulable again and takes the mark off, under the same conditions as Cordon.
func Uncordon(ctx context.Context, client kubernetes.Interface, node NodeRef, mark Mark) error {
	return setUnschedulable(ctx, client, node, false, mark.Key, nil)
}

func setUnschedulable(ctx context.Context, client kubernetes.Interface, node NodeRef, unschedulable bool, key string, value any) error {
	verb := "cordon"
	if !unschedulable {
		verb = "uncordon"
	}
	if node.UID == "" {
		return fmt.Errorf("%s node %s: its uid is not known", verb, node.Name)
	}
	metadata := map[string]any{"uid": node.UID}
	if key != "" {
		metadata["annotations"] = map[string]any{key: value}
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": metadata,
		"spec":     map[string]any{"unschedulable": unschedulable},
	})
	if err != nil {
		return fmt.Errorf("%s node %s: %w", verb, node.Name, err)
	}
	_, err = client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	// The patch names no version, so that a conflict can only be about the UID.
	if apierrors.IsConflict(err) || IsOtherUID(err) {
		return fmt.Errorf("%s node %s with uid %s: %w: %w", verb, node.Name, node.UID, ErrNodeReplaced, err)
	}
	if err != nil {
		return fmt.Errorf("%s node %s: %w", verb, node.Name, err)
	}
	return nil
}

// IsOtherUID recognises the API server's refusal of a patch that carries another object's UID, which cannot be changed.
func IsOtherUID(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	return slices.ContainsFunc(status.Status().Details.Causes, func(c metav1.StatusCause) bool { return c.Field == "metadata.uid" })
}
