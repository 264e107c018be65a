package maintenanceconfiguration

import (
	"fmt"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/drift"
)

// decideRemoval says what happens to the window of an object that is deleted. Only a window of its own is taken out: without one, AKS may
// begin at any time, and whose window it is has not asked for that.
func decideRemoval(w world) plan {
	if p, settled := settledRemoval(w); settled {
		return p
	}
	p := plan{verdict: working, action: letGo, reason: fleetwrightv1.ReasonDeletingWindow}
	switch {
	case w.obstacle != nil && !w.everApplied && !w.obstacle.passing():
		p.message = "nothing was ever written to Azure" // nor could it be
	case w.obstacle != nil:
		return plan{
			verdict: w.obstacle.verdict, action: nothing, reason: w.obstacle.reason, again: w.obstacle.again,
			message: w.obstacle.message + "; deletionPolicy Retain leaves the window in Azure",
		}
	case w.found == nil:
		p.message = "Azure has no such window"
	case !w.own:
		p.message = "the window in Azure is somebody else's and stays: " + w.foreign()
	default:
		p.action, p.message = takeOut, "the window is taken out of Azure"
	}
	return p
}

// settledRemoval is what happens whatever Azure has; false when Azure must be asked.
func settledRemoval(w world) (plan, bool) {
	p := plan{verdict: working, action: letGo, reason: fleetwrightv1.ReasonDeletingWindow}
	switch {
	case w.spec.DeletionPolicy == fleetwrightv1.DeletionPolicyProtect:
		return plan{verdict: held, action: nothing, reason: fleetwrightv1.ReasonDeletionProtected, message: "deletionPolicy is Protect: set it to Delete or Retain"}, true
	case w.hold.Everything():
		return plan{verdict: held, action: nothing, reason: w.hold.Reason, message: w.hold.Message}, true
	case w.spec.DeletionPolicy == fleetwrightv1.DeletionPolicyRetain:
		p.reason, p.message = fleetwrightv1.ReasonRetaining, "the window stays in Azure"
	case w.clusterGone:
		p.message = fmt.Sprintf("the window goes with Cluster %s", w.spec.ClusterName)
	case w.hold.Disruption():
		return plan{verdict: held, action: nothing, reason: w.hold.Reason, message: w.hold.Message + "; the window stays meanwhile"}, true
	default:
		return plan{}, false
	}
	return p, true
}

// foreign says in what a window is not this object's, and whose it is where Azure says so.
func (w world) foreign() string {
	text := "not as declared in " + strings.Join(drift.Paths(w.fields), ", ")
	if w.found.changedBy != "" {
		text += ", last written by " + w.found.changedBy
	}
	return text
}
