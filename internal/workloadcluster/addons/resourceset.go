package addons

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// resource is a ConfigMap or a Secret of a ClusterResourceSet, and what the binding says about it.
type resource struct {
	name    string
	applied bool
	when    time.Time
}

// applied sorts a ClusterResourceSet by the binding of this cluster: the set's own conditions are of all its clusters.
func applied(a fleetwrightv1.WorkloadClusterAddon, o Observed) verdict {
	bound, found := binding(o.PerCluster, o.Sought.Name)
	if !found {
		return nothingYet(a, o)
	}
	var missing, failed []string
	var since, tried time.Time
	for _, name := range resourcesOf(o.Source, "spec", "resources") {
		at := slices.IndexFunc(bound, func(r resource) bool { return r.name == name.name })
		switch {
		case at < 0:
			missing = append(missing, name.name)
		case !bound[at].applied:
			failed, tried = append(failed, name.name), latest(tried, bound[at].when)
		default:
			since = latest(since, bound[at].when)
		}
	}
	switch {
	case len(failed) > 0:
		v := not(fleetwrightv1.ReasonInstallFailed, "%s: %s could not be applied%s", said(a, o), strings.Join(failed, ", "), cause(o.Source))
		v.since = tried
		return v
	case len(missing) > 0:
		return not(fleetwrightv1.ReasonInstalling, "%s: %s not applied yet: is it in namespace %s?", said(a, o), strings.Join(missing, ", "), o.Sought.Namespace)
	default:
		return verdict{ready: metav1.ConditionTrue, reason: fleetwrightv1.ReasonReady, since: since}
	}
}

// cause is what the set says about its last failure, which may have been at another cluster.
func cause(set *unstructured.Unstructured) string {
	c := find(conditionsOf(set), "ResourcesApplied")
	if c.Status != metav1.ConditionFalse || c.Message == "" {
		return ""
	}
	return fmt.Sprintf(" (its condition ResourcesApplied: %s)", c.Message)
}

// binding is the entry of one ClusterResourceSet in the ClusterResourceSetBinding of a cluster.
func binding(u *unstructured.Unstructured, set string) ([]resource, bool) {
	if u == nil {
		return nil, false
	}
	entries, _, _ := unstructured.NestedSlice(u.Object, "spec", "bindings")
	for _, each := range entries {
		entry, ok := each.(map[string]any)
		if ok && entry["clusterResourceSetName"] == set {
			return resourcesOf(&unstructured.Unstructured{Object: entry}, "resources"), true
		}
	}
	return nil, false
}

func resourcesOf(u *unstructured.Unstructured, path ...string) []resource {
	list, _, _ := unstructured.NestedSlice(u.Object, path...)
	var out []resource
	for _, each := range list {
		fields, ok := each.(map[string]any)
		if !ok {
			continue
		}
		kind, _, _ := unstructured.NestedString(fields, "kind")
		name, _, _ := unstructured.NestedString(fields, "name")
		applied, _, _ := unstructured.NestedBool(fields, "applied")
		out = append(out, resource{name: kind + " " + name, applied: applied, when: timeIn(fields, "lastAppliedTime")})
	}
	return out
}

func timeIn(fields map[string]any, path ...string) time.Time {
	text, _, _ := unstructured.NestedString(fields, path...)
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return when
}
