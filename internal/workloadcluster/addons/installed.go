package addons

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// installed asks the installer.
func installed(a fleetwrightv1.WorkloadClusterAddon, o Observed) verdict {
	gk := GroupKind(a.Kind)
	switch {
	case !o.Served:
		return not(fleetwrightv1.ReasonAddonKindNotInstalled, "the API server does not know %s of %s: install what brings it", gk.Kind, gk.Group)
	case selects(a.Kind) && o.Source == nil:
		return not(fleetwrightv1.ReasonAddonObjectNotFound, "%s is not there: apply it in namespace %s, in which it selects Clusters", said(a, o), o.Sought.Namespace)
	case a.Kind == fleetwrightv1.AddonKindClusterResourceSet:
		return applied(a, o)
	case o.PerCluster == nil && selects(a.Kind):
		return notSelected(a, o)
	case o.PerCluster == nil:
		return not(fleetwrightv1.ReasonAddonObjectNotFound, "%s in namespace %s is not there: whoever installs add-ons has to make it", said(a, o), o.Sought.Namespace)
	case a.Kind == fleetwrightv1.AddonKindApplication:
		return application(a, o)
	case a.Kind == fleetwrightv1.AddonKindHelmChartProxy && unseen(o.Source):
		return not(fleetwrightv1.ReasonInstalling, "%s has changed, and its controller has not looked at it yet", said(a, o))
	default:
		return released(a, o)
	}
}

// said is the object that installs an add-on, as people call it.
func said(a fleetwrightv1.WorkloadClusterAddon, o Observed) string {
	return string(a.Kind) + " " + o.Sought.Name
}

// notSelected says why a HelmChartProxy has made nothing: its own condition, if it says, or its selector.
func notSelected(a fleetwrightv1.WorkloadClusterAddon, o Observed) verdict {
	for _, c := range conditionsOf(o.Source) {
		if c.Type == "HelmReleaseProxySpecsUpToDate" && c.failed() {
			return not(fleetwrightv1.ReasonInstallFailed, "%s: %s", said(a, o), c.words())
		}
	}
	return nothingYet(a, o)
}

func nothingYet(a fleetwrightv1.WorkloadClusterAddon, o Observed) verdict {
	return not(fleetwrightv1.ReasonAddonObjectNotFound, "%s has nothing for this cluster: its clusterSelector has to select label %s%s: %s",
		said(a, o), fleetwrightv1.LabelAddonPrefix, a.Name, Enabled)
}

// released sorts the objects that follow kstatus. One without a condition Ready has not been looked at by its controller, which kstatus takes for
// being current.
func released(a fleetwrightv1.WorkloadClusterAddon, o Observed) verdict {
	conditions := conditionsOf(o.PerCluster)
	ready := find(conditions, "Ready")
	result, err := status.Compute(o.PerCluster)
	switch {
	case err != nil:
		return verdict{ready: metav1.ConditionUnknown, reason: fleetwrightv1.ReasonInstalling, message: fmt.Sprintf("%s cannot be understood: %v", said(a, o), err)}
	case result.Status == status.CurrentStatus && ready.Type != "":
		return verdict{ready: metav1.ConditionTrue, reason: fleetwrightv1.ReasonReady, since: ready.LastTransitionTime.Time}
	case result.Status == status.TerminatingStatus:
		return not(fleetwrightv1.ReasonInstalling, "%s %s is being deleted", o.PerCluster.GetKind(), o.PerCluster.GetName())
	case unseen(o.PerCluster):
		return not(fleetwrightv1.ReasonInstalling, "%s has changed, and its controller has not looked at it yet", said(a, o))
	case ready.Type == "":
		return not(fleetwrightv1.ReasonInstalling, "%s: its controller has said nothing yet", said(a, o))
	}
	for _, c := range conditions {
		if c.failed() {
			v := not(fleetwrightv1.ReasonInstallFailed, "%s: %s", said(a, o), c.words())
			v.since = c.LastTransitionTime.Time
			return v
		}
	}
	if result.Status == status.FailedStatus {
		return not(fleetwrightv1.ReasonInstallFailed, "%s: %s", said(a, o), result.Message)
	}
	v := not(fleetwrightv1.ReasonInstalling, "%s: %s", said(a, o), result.Message)
	v.since = ready.LastTransitionTime.Time
	return v
}

// unseen is true when the object's controller has answered for an older generation.
func unseen(u *unstructured.Unstructured) bool {
	seen, found, err := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
	return err == nil && found && seen != u.GetGeneration()
}

// told is one condition, whatever the project's own type of it is.
type told struct {
	metav1.Condition
}

// failed: these projects end a reason with Failed when their controller gave up or comes again later.
func (t told) failed() bool {
	return t.Status == metav1.ConditionFalse && strings.HasSuffix(t.Reason, "Failed")
}

func (t told) words() string {
	if t.Message == "" {
		return t.Reason
	}
	return t.Message
}

func conditionsOf(u *unstructured.Unstructured) []told {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	var out []told
	for _, each := range list {
		fields, ok := each.(map[string]any)
		if !ok {
			continue
		}
		var c metav1.Condition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &c); err == nil {
			out = append(out, told{c})
		}
	}
	return out
}

func find(all []told, kind string) told {
	for _, c := range all {
		if c.Type == kind {
			return c
		}
	}
	return told{}
}

func not(reason, format string, args ...any) verdict {
	return verdict{ready: metav1.ConditionFalse, reason: reason, message: fmt.Sprintf(format, args...)}
}

func latest(times ...time.Time) time.Time {
	var out time.Time
	for _, t := range times {
		if t.After(out) {
			out = t
		}
	}
	return out
}

// clip keeps the words of others within what a condition can quote beside the rest.
func clip(message string) string {
	const most = 600
	if len(message) <= most {
		return message
	}
	return strings.ToValidUTF8(message[:most-len("...")], "") + "..."
}
