package clusterautoscaler

import (
	"fmt"
	"slices"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
)

// decideRemoval says what happens to the settings of an object that is deleted: they are given up, or left as they are. What somebody else
// has changed since is his.
func decideRemoval(w world) plan {
	switch {
	case w.spec.DeletionPolicy == fleetwrightv1.DeletionPolicyProtect:
		return plan{verdict: held, action: nothing, reason: fleetwrightv1.ReasonDeletionProtected, message: "deletionPolicy is Protect: set it to Delete or Retain"}
	case w.hold.Everything():
		return plan{verdict: held, action: nothing, reason: w.hold.Reason, message: w.hold.Message}
	case w.spec.DeletionPolicy == fleetwrightv1.DeletionPolicyRetain && w.throughCAPZ():
		return plan{verdict: working, action: release, reason: fleetwrightv1.ReasonRetaining, message: "the settings stay as they are"}
	case w.spec.DeletionPolicy == fleetwrightv1.DeletionPolicyRetain:
		return plan{verdict: working, action: letGo, reason: fleetwrightv1.ReasonRetaining, message: "the settings stay as they are"}
	case w.leaving:
		return plan{verdict: working, action: letGo, reason: fleetwrightv1.ReasonReleasing, message: fmt.Sprintf("Cluster %s goes with its settings", w.spec.ClusterName)}
	case w.obstacle != nil && w.nothingWritten():
		return plan{verdict: working, action: letGo, reason: fleetwrightv1.ReasonReleasing, message: "there is no cluster to give settings up on: " + w.obstacle.message}
	case w.obstacle != nil:
		o := *w.obstacle
		return plan{verdict: o.verdict, action: nothing, reason: o.reason, message: o.message + "; deletionPolicy Retain leaves the settings as they are", again: o.again}
	case len(w.left()) == 0:
		return plan{verdict: working, action: letGo, reason: fleetwrightv1.ReasonReleasing, message: "there is no setting to give up"}
	case w.writer == fleetwrightv1.AutoscalerWriterARM && w.azure.Busy != "":
		return plan{
			verdict: waiting, action: nothing, reason: fleetwrightv1.ReasonWaitingForSlot, again: slotPause,
			message: w.azure.Busy + ", and Azure takes one operation at a time; then the settings are given up",
		}
	}
	return plan{verdict: working, action: giveUp, reason: fleetwrightv1.ReasonReleasing, message: "the settings are given up and get their defaults"}
}

// nothingWritten is true for an obstacle with which there is nothing to give settings up on: no cluster, or one that this object has no
// word on.
func (w world) nothingWritten() bool {
	switch w.obstacle.reason {
	case fleetwrightv1.ReasonClusterNotFound, fleetwrightv1.ReasonWaitingForCluster, fleetwrightv1.ReasonInvalidSpec, fleetwrightv1.ReasonContendedByAnotherManager:
		return true
	}
	return false
}

// left are the settings, by their names in Azure, that are still as the spec says or as they were written.
func (w world) left() []string {
	if w.throughCAPZ() {
		return w.declared.Ours
	}
	differing := autoscalerprofile.Differing(w.wanted, w.azure.Values)
	var out []string
	for _, f := range autoscalerprofile.Fields() {
		if _, is := w.wanted[f.Key]; is && !slices.Contains(differing, f.Key) {
			out = append(out, f.Key)
		}
	}
	return out
}
