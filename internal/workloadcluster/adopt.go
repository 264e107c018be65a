package workloadcluster

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
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
