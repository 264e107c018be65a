package workloadcluster

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

// maxChanges is how many changes a message lists; the others are counted.
const maxChanges = 8

// adopted is condition Adopted.
func adopted(w world, in *intention) metav1.Condition {
	no := func(reason, format string, args ...any) metav1.Condition {
		return condition.New(fleetwrightv1.ConditionAdopted, metav1.ConditionFalse, reason, format, args...)
	}
	switch {
	case !w.state.Found:
		return no(fleetwrightv1.ReasonDiffers, "there is no Cluster %s: it would be made", w.name())
	case unsupported(w) != "":
		return no(fleetwrightv1.ReasonUnsupportedCluster, "%s", unsupported(w))
	case w.state.Labels[fleetwrightv1.LabelWorkloadCluster] != "" && !w.state.Ours:
		return no(fleetwrightv1.ReasonAlreadyOwned, "Cluster %s carries label %s=%s: take the label off if that WorkloadCluster is gone", w.name(),
			fleetwrightv1.LabelWorkloadCluster, w.state.Labels[fleetwrightv1.LabelWorkloadCluster])
	case w.state.Ours && w.adopts() == fleetwrightv1.AdoptionPolicyAdopt:
		return condition.New(fleetwrightv1.ConditionAdopted, metav1.ConditionTrue, fleetwrightv1.ReasonAdopted, "Cluster %s is this WorkloadCluster's%s", w.name(), others(w))
	case w.unmerged != "" || len(w.problems) > 0:
		return no(fleetwrightv1.ReasonDiffers, "what would change cannot be told before the spec is right")
	}
	return no(fleetwrightv1.ReasonDiffers, "%s%s%s", stalls(w, in), differences(w, in), others(w))
}

// unsupported says why a Cluster cannot be taken over, or is empty.
func unsupported(w world) string {
	switch {
	case w.state.Topology:
		return fmt.Sprintf("Cluster %s is of a ClusterClass, which writes its objects itself", w.name())
	case w.state.Unsupported != "":
		return fmt.Sprintf("Cluster %s: %s", w.name(), w.state.Unsupported)
	case w.state.Labels[fleetwrightv1.LabelWorkloadCluster] != "" && !w.state.Ours:
		return fmt.Sprintf("Cluster %s belongs to WorkloadCluster %s", w.name(), w.state.Labels[fleetwrightv1.LabelWorkloadCluster])
	}
	return ""
}

// differences says what would change in what exists. Labels and annotations of ours change nothing that anybody else sees.
func differences(w world, in *intention) string {
	var lines []string
	for _, c := range w.state.Changes {
		lines = append(lines, c.String())
	}
	for _, c := range w.state.Fixed {
		lines = append(lines, c.String()+", which nobody can change")
	}
	for _, pool := range w.effective.Spec.Nodepools {
		name := render.NodepoolName(w.name(), pool.Name)
		switch is := w.nodepool(name); {
		case is != nil:
			if fields := in.differ(is); len(fields) > 0 {
				lines = append(lines, fmt.Sprintf("Nodepool %s: %s", name, some(fields, maxChanges)))
			}
			lines = append(lines, is.modeChange(w)...)
		case len(pool.MachinePools) > 0:
			lines = append(lines, fmt.Sprintf("Nodepool %s would take over %s", name, strings.Join(pool.MachinePools, " and ")))
		default:
			lines = append(lines, fmt.Sprintf("Nodepool %s would be made, with nodes of its own", name))
		}
	}
	if w.config != nil {
		lines = append(lines, w.config.modeChange(w)...)
	}
	if len(lines) == 0 {
		return "nothing would change"
	}
	return "it would be changed: " + some(lines, maxChanges)
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
func (in *intention) differ(is *child) []string {
	var out []string
	for i := range in.nodepools {
		want := in.nodepools[i]
		if want.target != is.target {
			continue
		}
		for field, value := range want.spec {
			if version, _ := is.spec["version"].(string); field == "version" && withV(cmp.Or(version, in.versions.ControlPlane)) == value {
				continue // it says so without a v, or nothing: then it follows the control plane, and has that version
			}
			if !reflect.DeepEqual(is.spec[field], value) && field != fieldReconcile && field != fieldDeletionPolicy {
				out = append(out, field)
			}
		}
	}
	slices.Sort(out)
	return out
}

// others are MachinePools that people made and that the spec does not name: they are left alone.
func others(w world) string {
	named := map[string]bool{}
	for _, pool := range w.effective.Spec.Nodepools {
		for _, name := range pool.MachinePools {
			named[name] = true
		}
	}
	var names []string
	for i := range w.machinePools {
		if p := &w.machinePools[i]; p.Nodepool == "" && p.UID != "" && !named[p.Object] {
			names = append(names, p.Object)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; MachinePools that no entry of nodepools names are left alone: %s", some(names, maxChanges))
}

// some are the first lines, and how many more there are.
func some(lines []string, most int) string {
	if len(lines) <= most {
		return strings.Join(lines, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(lines[:most], ", "), len(lines)-most)
}
