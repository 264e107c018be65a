package addons

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Enabled is the value of an add-on's own label.
const Enabled = "enabled"

// Labels are those that the Cluster is to have for its add-ons: of those whose turn has come, and of those that have theirs already (present
// are the Cluster's labels), since an add-on is not taken out because one before it fails. waiting names what the others come after.
func Labels(all []fleetwrightv1.WorkloadClusterAddon, states map[string]State, present map[string]string) (labels, waiting map[string]string) {
	labels, waiting = map[string]string{}, map[string]string{}
	for _, a := range all {
		own := fleetwrightv1.LabelAddonPrefix + a.Name
		if _, has := present[own]; !has {
			if before := unready(a.After, states); len(before) > 0 {
				waiting[a.Name] = strings.Join(before, ", ")
				continue
			}
		}
		labels[own] = Enabled
		for key, value := range a.ClusterLabels {
			labels[key] = string(value)
		}
	}
	return labels, waiting
}

func unready(names []string, states map[string]State) []string {
	var out []string
	for _, name := range names {
		if states[name].Ready != metav1.ConditionTrue {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Order checks after: unknown names and circles. The order is that of the spec, predecessors first.
func Order(all []fleetwrightv1.WorkloadClusterAddon) ([]fleetwrightv1.WorkloadClusterAddon, error) {
	known := map[string]bool{}
	for _, a := range all {
		known[a.Name] = true
	}
	for _, a := range all {
		for _, name := range a.After {
			if !known[name] {
				return nil, fmt.Errorf("addons[%s].after: there is no add-on %q", a.Name, name)
			}
		}
	}
	var out []fleetwrightv1.WorkloadClusterAddon
	placed := map[string]bool{}
	for len(out) < len(all) {
		next := slices.IndexFunc(all, func(a fleetwrightv1.WorkloadClusterAddon) bool {
			return !placed[a.Name] && !slices.ContainsFunc(a.After, func(name string) bool { return !placed[name] })
		})
		if next < 0 {
			return nil, fmt.Errorf("addons: %s come after each other in a circle: take one out of after", strings.Join(circle(all, placed), ", "))
		}
		out = append(out, all[next])
		placed[all[next].Name] = true
	}
	return out, nil
}

// circle is one of those that are left, and what it comes after, until one comes again.
func circle(all []fleetwrightv1.WorkloadClusterAddon, placed map[string]bool) []string {
	after := map[string]string{}
	for _, a := range all {
		for _, name := range a.After {
			if !placed[name] && !placed[a.Name] {
				after[a.Name] = name
			}
		}
	}
	at := slices.Sorted(maps.Keys(after))[0]
	var way []string
	for !slices.Contains(way, at) {
		way = append(way, at)
		at = after[at]
	}
	way = way[slices.Index(way, at):]
	slices.Sort(way)
	return way
}
