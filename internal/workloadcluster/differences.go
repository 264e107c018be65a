package workloadcluster

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

// differences says what would change in what exists. Labels and annotations of ours change nothing that anybody else sees.
func differences(w world, in *intention) string {
	var lines []string
	for _, name := range in.carved {
		lines = append(lines, fmt.Sprintf("range %s would be carved from a pool, and is none of the cluster's own: give its cidr, or take a class without it", name))
	}
	for _, c := range w.state.Changes {
		lines = append(lines, c.String())
	}
	for _, c := range w.state.Fixed {
		lines = append(lines, c.String()+", which nobody can change")
	}
	for _, pool := range w.effective.Spec.Nodepools {
		lines = append(lines, poolDifferences(w, in, pool)...)
	}
	switch {
	case in.config == nil:
	case w.config == nil:
		fields := in.differ(*in.config, &child{})
		lines = append(lines, fmt.Sprintf("%s would be made, with %s", in.config.target, some(fields, maxChanges)))
	default:
		if fields := in.differ(*in.config, w.config); len(fields) > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s", in.config.target, some(fields, maxChanges)))
		}
		lines = append(lines, w.config.modeChange(w)...)
	}
	if len(lines) == 0 {
		return "nothing would change"
	}
	return "it would be changed: " + some(lines, maxChanges)
}

func poolDifferences(w world, in *intention, pool fleetwrightv1.WorkloadClusterNodepool) []string {
	name := render.NodepoolName(w.name(), pool.Name)
	is := w.nodepool(name)
	switch {
	case is == nil && len(pool.MachinePools) > 0:
		return append([]string{fmt.Sprintf("Nodepool %s would take over %s", name, strings.Join(pool.MachinePools, " and "))}, w.poolChanges[name]...)
	case is == nil:
		return []string{fmt.Sprintf("Nodepool %s would be made, with nodes of its own", name)}
	}
	var lines []string
	for i := range in.nodepools {
		if in.nodepools[i].target != is.target {
			continue
		}
		if fields := in.differ(in.nodepools[i], is); len(fields) > 0 {
			lines = append(lines, fmt.Sprintf("Nodepool %s: %s", name, some(fields, maxChanges)))
		}
	}
	return append(lines, is.modeChange(w)...)
}

// modeChange tells what would go on, or stop, because it is told so.
func (c *child) modeChange(w world) []string {
	is, _ := c.spec[fieldReconcile].(string)
	if line := render.ModeChange(c.target.String(), fleetwrightv1.ReconcileMode(is), toldMode(w)); line != "" {
		return []string{line}
	}
	return nil
}

// differ are the fields of an object's spec that would be changed, besides how much is done. What a deletion does is the WorkloadCluster's word now.
func (in *intention) differ(want wanted, is *child) []string {
	var out []string
	for field, value := range want.spec {
		switch version, _ := is.spec["version"].(string); {
		case field == fieldReconcile, field == fieldDeletionPolicy, field == "clusterName" && is.spec == nil:
		case field == "version" && withV(cmp.Or(version, in.versions.ControlPlane)) == value:
			// It says so without a v, or nothing: then it follows the control plane, and has that version.
		case !reflect.DeepEqual(is.spec[field], value):
			out = append(out, field)
		}
	}
	slices.Sort(out)
	return out
}
