package capi

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// readMarks reads ours; what one of the two objects lost, the other one tells.
func (p *Pool) readMarks(o client.Object) {
	annotations := o.GetAnnotations()
	p.Nodepool = cmp.Or(o.GetLabels()[fleetwrightv1.LabelNodepool], p.Nodepool)
	p.NodepoolUID = cmp.Or(annotations[fleetwrightv1.AnnotationNodepoolUID], p.NodepoolUID)
	p.Fingerprint = cmp.Or(annotations[fleetwrightv1.AnnotationFingerprint], p.Fingerprint)
	p.ProvisionStarted = timeOr(annotations[fleetwrightv1.AnnotationProvisionStarted], p.Created)
	p.DrainStarted = timeOr(annotations[fleetwrightv1.AnnotationDrainStarted], time.Time{})
	p.EmptySince = timeOr(annotations[fleetwrightv1.AnnotationEmptySince], time.Time{})
	p.ReplacesNodes = countIn(annotations[fleetwrightv1.AnnotationReplacesNodes])
	if updated := timeOr(annotations[fleetwrightv1.AnnotationUpdateStarted], time.Time{}); updated.After(p.Updated) {
		p.Updated = updated
	}
}

// owner is whose an object says it is.
type owner struct{ nodepool, uid string }

func markedFor(o client.Object) owner {
	return owner{o.GetLabels()[fleetwrightv1.LabelNodepool], o.GetAnnotations()[fleetwrightv1.AnnotationNodepoolUID]}
}

// countIn reads a number of nodes; what is none counts as not said.
func countIn(text string) int32 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int32(n)
}

func boundsText(s agentpool.Scaling) string { return fmt.Sprintf("%d/%d", s.Min, s.Max) }

// boundsIn reads what boundsText wrote; what is none counts as not said.
func boundsIn(text string) *agentpool.Scaling {
	low, high, found := strings.Cut(text, "/")
	from, errFrom := strconv.ParseInt(low, 10, 32)
	to, errTo := strconv.ParseInt(high, 10, 32)
	if !found || errFrom != nil || errTo != nil || from < 0 || to < from {
		return nil
	}
	return &agentpool.Scaling{Min: int32(from), Max: int32(to)}
}

// MarkDraining writes down on the pool's MachinePool when its drain began. Zero
// takes that back, and with it since when the pool was empty.
func MarkDraining(ctx context.Context, c client.Client, reader client.Reader, key types.NamespacedName, started time.Time) error {
	if started.IsZero() {
		return mark(ctx, c, reader, key, started, fleetwrightv1.AnnotationDrainStarted, fleetwrightv1.AnnotationEmptySince)
	}
	return mark(ctx, c, reader, key, started, fleetwrightv1.AnnotationDrainStarted)
}

// MarkEmpty writes down on the pool's MachinePool since when it is empty, or
// takes that back when since is zero.
func MarkEmpty(ctx context.Context, c client.Client, reader client.Reader, key types.NamespacedName, since time.Time) error {
	return mark(ctx, c, reader, key, since, fleetwrightv1.AnnotationEmptySince)
}

// ForgetReplaced takes off the pool's MachinePool how many nodes it was made in
// place of: it was, and is no longer on its way.
func ForgetReplaced(ctx context.Context, c client.Client, reader client.Reader, key types.NamespacedName) error {
	return mark(ctx, c, reader, key, time.Time{}, fleetwrightv1.AnnotationReplacesNodes)
}

// mark sets annotations of a MachinePool to a time, or removes them when it is
// zero; nothing is removed from one that is gone.
func mark(ctx context.Context, c client.Client, reader client.Reader, key types.NamespacedName, at time.Time, annotations ...string) error {
	var mp clusterv1.MachinePool
	if err := reader.Get(ctx, key, &mp); err != nil {
		if apierrors.IsNotFound(err) && at.IsZero() {
			return nil
		}
		return fmt.Errorf("read MachinePool %s: %w", key, err)
	}
	before := mp.DeepCopy()
	for _, annotation := range annotations {
		if at.IsZero() {
			delete(mp.Annotations, annotation)
		} else {
			annotate(&mp, annotation, at)
		}
	}
	return patch(ctx, c, "mark", before, &mp)
}
