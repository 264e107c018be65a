package nodepool

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/azure/capacity"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
	"github.com/fleetwright/fleetwright/internal/workload"
)

// Sources are where Foresee reads: the management cluster, the workload cluster
// and, if there are credentials, Azure. Nothing is written.
type Sources struct {
	Client   client.Client
	Clusters *workload.Clusters
	// Azure is nil without credentials: then its limits are not known.
	Azure Azure
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string
	Clock     clock.PassiveClock
}

// Foresight is what would happen to a Nodepool with a proposed spec, by the
// decisions of the operator itself.
type Foresight struct {
	Namespace, Name, Cluster string
	// New is true when there is no such Nodepool yet.
	New bool
	// Plan is the first thing that would happen, with its reason in the words of
	// the conditions.
	Plan replacement.Plan
	// Leaves and its nodes are the pool that would be emptied; empty when none is.
	Leaves string
	Nodes  int
	// ClusterNodes is how many nodes the cluster has, of at most NodeCap.
	ClusterNodes, NodeCap int
	// Report is what emptying that pool would meet, nil when none is emptied or it
	// could not be read; Unread says why.
	Report *preflight.Report
	Unread string
}

// unasked is an Azure that nobody here can ask.
type unasked struct{ capacity.Unknown }

var errUnasked = errors.New("there are no credentials to ask Azure with")

func (unasked) DeleteMachines(context.Context, string, []string) error { return errUnasked }

func (unasked) CountNodes(context.Context, string) (count int32, settled bool, err error) {
	return 0, false, errUnasked
}

// Outcome sorts a foresight for exit codes.
type Outcome string

const (
	// OutcomeNothing means: the pool is as the spec asks for.
	OutcomeNothing Outcome = "Nothing"
	// OutcomeChanges means: something would be changed.
	OutcomeChanges Outcome = "Changes"
	// OutcomeBlocked means: it cannot be done, or would come to a halt for a person
	// to help.
	OutcomeBlocked Outcome = "Blocked"
	// OutcomeUnknown means: a cluster could not be read, so that neither of the
	// others can be said.
	OutcomeUnknown Outcome = "Unknown"
)

// Outcome is Blocked when the plan is stuck or waits for room, or when pods can
// never leave by themselves or have no place to go to.
func (f Foresight) Outcome() Outcome {
	switch {
	case f.Plan.Verdict == replacement.Stuck, f.Plan.Reason == fleetwrightv1.ReasonWaitingForCapacity, f.Plan.Reason == fleetwrightv1.ReasonPodsDoNotFit, f.Plan.Reason == fleetwrightv1.ReasonStrategyForbids:
		return OutcomeBlocked
	case f.Report != nil && (f.Report.WithoutEnd > 0 || f.Report.Fit != nil && f.Report.Fit.Unfit > 0):
		return OutcomeBlocked
	case f.Unread != "":
		return OutcomeUnknown
	case f.Plan.Verdict == replacement.Done, len(f.Plan.Changes) == 0 && f.Plan.Wanted != "" && len(f.Plan.Outgoing) == 0:
		return OutcomeNothing
	}
	return OutcomeChanges
}

// Foresee answers what would happen if the Nodepool were applied as proposed.
// Its status and UID are taken from the live one, if there is one.
func Foresee(ctx context.Context, s Sources, proposed *fleetwrightv1.Nodepool) (Foresight, error) {
	np := proposed.DeepCopy()
	out := Foresight{Namespace: np.Namespace, Name: np.Name, Cluster: np.Spec.ClusterName}
	var live fleetwrightv1.Nodepool
	switch err := s.Client.Get(ctx, client.ObjectKeyFromObject(np), &live); {
	case apierrors.IsNotFound(err):
		out.New = true
	case err != nil:
		return out, fmt.Errorf("read Nodepool %s/%s: %w", np.Namespace, np.Name, err)
	default:
		np.UID, np.CreationTimestamp, np.DeletionTimestamp, np.Status = live.UID, live.CreationTimestamp, live.DeletionTimestamp, live.Status
	}
	if s.Azure == nil {
		// The operator may well have what who asks here has not.
		s.Azure = unasked{}
	}
	r := &Reconciler{Client: s.Client, Live: s.Client, Clusters: s.Clusters, Azure: sameFor{s.Azure}, Namespace: s.Namespace, Clock: s.Clock}
	o, err := r.look(ctx, s.Client, np)
	if err != nil {
		return out, err
	}
	out.Plan = o.plan
	out.ClusterNodes, out.NodeCap = replacement.CountNodes(o.world)
	_, replace := agentpool.Split(o.plan.Changes)
	if p := leaving(o); p != nil && len(replace) > 0 {
		out.Leaves, out.Nodes = p.Name, len(p.Nodes)
		report, known, err := r.foresee(ctx, o, np)
		switch {
		case err != nil:
			out.Unread = err.Error()
		case known:
			out.Report = &report
		}
	}
	if out.Unread == "" {
		out.Unread = o.world.Cluster.Unreachable
	}
	return out, nil
}
