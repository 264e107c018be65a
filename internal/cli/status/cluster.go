package status

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// writeCluster tells of a cluster's Nodepools, who waits for its slot, and who is held by whom.
func writeCluster(to io.Writer, cluster string, nodepools *fleetwrightv1.NodepoolList, options printers.PrintOptions) error {
	fmt.Fprintf(to, "Cluster %s\n\n", cluster)
	if err := newTable(to, options).add(nodepools.Items...); err != nil {
		return err
	}
	writeGrouped(to, "Waiting for the slot", nodepools.Items, waitsForSlot)
	writeGrouped(to, "Held", nodepools.Items, heldBy)
	return nil
}

// writeGrouped lists what is said of the Nodepools, each sentence once with all it is said of.
func writeGrouped(to io.Writer, title string, nodepools []fleetwrightv1.Nodepool, says func(*fleetwrightv1.Nodepool) string) {
	var sentences []string
	names := map[string][]string{}
	for i := range nodepools {
		sentence := says(&nodepools[i])
		if sentence == "" {
			continue
		}
		if !slices.Contains(sentences, sentence) {
			sentences = append(sentences, sentence)
		}
		names[sentence] = append(names[sentence], nodepools[i].Name)
	}
	if len(sentences) == 0 {
		fmt.Fprintf(to, "\n%s: nobody\n", title)
		return
	}
	fmt.Fprintf(to, "\n%s:\n", title)
	for _, sentence := range sentences {
		fmt.Fprintf(to, "- %s: %s\n", strings.Join(names[sentence], ", "), printers.EscapeTerminal(sentence))
	}
}

func waitsForSlot(np *fleetwrightv1.Nodepool) string {
	for _, kind := range []string{fleetwrightv1.ConditionRollingOut, fleetwrightv1.ConditionDeleting} {
		if c := meta.FindStatusCondition(np.Status.Conditions, kind); c != nil && c.Reason == fleetwrightv1.ReasonWaitingForSlot {
			return c.Message
		}
	}
	return ""
}

func heldBy(np *fleetwrightv1.Nodepool) string {
	if c := meta.FindStatusCondition(np.Status.Conditions, fleetwrightv1.ConditionPaused); c != nil && c.Status == metav1.ConditionTrue {
		return c.Message
	}
	return ""
}
