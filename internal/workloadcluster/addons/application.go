package addons

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// application sorts an Application of Argo CD, which has words for health and for being in step with its source, and no condition Ready.
func application(a fleetwrightv1.WorkloadClusterAddon, o Observed) verdict {
	app := o.PerCluster
	if app.GetDeletionTimestamp() != nil {
		return not(fleetwrightv1.ReasonInstalling, "%s is being deleted", said(a, o))
	}
	text := func(path ...string) string {
		s, _, _ := unstructured.NestedString(app.Object, append([]string{"status"}, path...)...)
		return s
	}
	health, sync, phase := text("health", "status"), text("sync", "status"), text("operationState", "phase")
	complaint := complaintOf(app)
	switch {
	case health == "" && sync == "" && complaint == "":
		return not(fleetwrightv1.ReasonInstalling, "%s: its controller has said nothing yet", said(a, o))
	case complaint != "":
		return not(fleetwrightv1.ReasonInstallFailed, "%s: %s", said(a, o), complaint)
	case phase == "Failed" || phase == "Error":
		if sync != "Synced" {
			return not(fleetwrightv1.ReasonInstallFailed, "%s: its last sync failed: %s", said(a, o), text("operationState", "message"))
		}
	}
	switch {
	case health == "Healthy" && sync == "Synced":
		return verdict{ready: metav1.ConditionTrue, reason: fleetwrightv1.ReasonReady, since: latest(
			timeIn(app.Object, "status", "health", "lastTransitionTime"), timeIn(app.Object, "status", "operationState", "finishedAt"))}
	case health == "Degraded" || health == "Suspended":
		return not(fleetwrightv1.ReasonUnhealthy, "%s is %s%s", said(a, o), health, after(": ", text("health", "message")))
	default:
		return not(fleetwrightv1.ReasonInstalling, "%s is %s and %s%s", said(a, o), sync, health, after(": ", text("health", "message")))
	}
}

// complaintOf is the first condition that is an error, such as ComparisonError: Argo CD has conditions only for what is wrong.
func complaintOf(app *unstructured.Unstructured) string {
	list, _, _ := unstructured.NestedSlice(app.Object, "status", "conditions")
	for _, each := range list {
		fields, ok := each.(map[string]any)
		if !ok {
			continue
		}
		kind, _, _ := unstructured.NestedString(fields, "type")
		message, _, _ := unstructured.NestedString(fields, "message")
		if strings.HasSuffix(kind, "Error") {
			return kind + after(": ", message)
		}
	}
	return ""
}

func after(mark, text string) string {
	if text == "" {
		return ""
	}
	return mark + text
}

// versionOf is what the installer says is installed: a chart's version, or a source's revision. Empty where it says none.
func versionOf(kind fleetwrightv1.AddonKind, u *unstructured.Unstructured) string {
	if u == nil {
		return ""
	}
	var out string
	switch kind {
	case fleetwrightv1.AddonKindHelmChartProxy:
		out, _, _ = unstructured.NestedString(u.Object, "spec", "version")
	case fleetwrightv1.AddonKindHelmRelease:
		out = chartVersion(u)
	case fleetwrightv1.AddonKindKustomization:
		out, _, _ = unstructured.NestedString(u.Object, "status", "lastAppliedRevision")
	case fleetwrightv1.AddonKindApplication:
		out, _, _ = unstructured.NestedString(u.Object, "status", "sync", "revision")
		if out == "" {
			several, _, _ := unstructured.NestedStringSlice(u.Object, "status", "sync", "revisions")
			out = strings.Join(several, ",")
		}
	case fleetwrightv1.AddonKindClusterResourceSet:
	}
	const most = 256 // of the status field
	return strings.ToValidUTF8(out[:min(len(out), most)], "")
}

// chartVersion is that of the newest release in a HelmRelease's history, which is sorted so.
func chartVersion(u *unstructured.Unstructured) string {
	history, _, _ := unstructured.NestedSlice(u.Object, "status", "history")
	if len(history) == 0 {
		return ""
	}
	newest, ok := history[0].(map[string]any)
	if !ok {
		return ""
	}
	version, _, _ := unstructured.NestedString(newest, "chartVersion")
	return version
}
