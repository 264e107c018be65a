package status

import (
	"fmt"
	"io"

	"github.com/liggitt/tabwriter"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// table prints one line per Nodepool. What is added later lines up with what was printed.
type table struct {
	out     *tabwriter.Writer
	printer printers.ResourcePrinter
	wide    bool
}

func newTable(to io.Writer, options printers.PrintOptions) *table {
	return &table{out: printers.GetNewTabWriter(to), printer: printers.NewTablePrinter(options), wide: options.Wide}
}

var columns = []metav1.TableColumnDefinition{
	{Name: "Name", Type: "string", Format: "name"},
	{Name: "Cluster", Type: "string"},
	{Name: "Ready", Type: "string"},
	{Name: "Step", Type: "string"},
	{Name: "Nodes", Type: "string"},
	{Name: "Version", Type: "string"},
	{Name: "Wanted", Type: "string", Priority: 1},
	{Name: "Machine", Type: "string", Priority: 1},
	{Name: "Strategy", Type: "string"},
	{Name: "Drained", Type: "string"},
	{Name: "Blockers", Type: "string"},
	{Name: "Message", Type: "string"},
}

func (t *table) add(nodepools ...fleetwrightv1.Nodepool) error {
	rows := make([]metav1.TableRow, 0, len(nodepools))
	for i := range nodepools {
		rows = append(rows, metav1.TableRow{Cells: t.row(&nodepools[i]), Object: runtime.RawExtension{Object: &nodepools[i]}})
	}
	return t.addRows(rows...)
}

func (t *table) addRows(rows ...metav1.TableRow) error {
	if err := t.printer.PrintObj(&metav1.Table{ColumnDefinitions: columns, Rows: rows}, t.out); err != nil {
		return err
	}
	return t.out.Flush()
}

// row are the cells of a Nodepool, all of them strings.
func (t *table) row(np *fleetwrightv1.Nodepool) []any {
	s := &np.Status
	message := messageOf(np)
	if !t.wide {
		message = cut(message)
	}
	return []any{
		np.Name, np.Spec.ClusterName, readyOf(np), string(s.Replacement.Step), nodesOf(s.ReadyReplicas, s.Replicas), s.Version,
		np.Spec.Version, np.Spec.MachineType, string(s.Replacement.Strategy), drainedOf(s.Replacement), blockersOf(s.Replacement), message,
	}
}

func readyOf(np *fleetwrightv1.Nodepool) string {
	if c := meta.FindStatusCondition(np.Status.Conditions, fleetwrightv1.ConditionReady); c != nil {
		return string(c.Status)
	}
	return string(metav1.ConditionUnknown)
}

// messageOf is what condition Ready says, unless it speaks of another spec.
func messageOf(np *fleetwrightv1.Nodepool) string {
	c := meta.FindStatusCondition(np.Status.Conditions, fleetwrightv1.ConditionReady)
	switch {
	case c == nil:
		return "nothing was reported yet"
	case isStale(np):
		return fmt.Sprintf("(before the last edit) %s", c.Message)
	}
	return c.Message
}

// isStale says that the report is about an older spec.
func isStale(np *fleetwrightv1.Nodepool) bool { return np.Status.ObservedGeneration != np.Generation }

func nodesOf(ready, total *int32) string {
	if total == nil {
		return ""
	}
	return fmt.Sprintf("%d/%d", ptr.Deref(ready, 0), *total)
}

func drainedOf(r fleetwrightv1.ReplacementStatus) string {
	if ptr.Deref(r.NodesTotal, 0) == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", ptr.Deref(r.NodesDrained, 0), *r.NodesTotal)
}

func blockersOf(r fleetwrightv1.ReplacementStatus) string {
	if n := ptr.Deref(r.BlockersTotal, 0); n > 0 {
		return fmt.Sprint(n)
	}
	return ""
}

// maxMessage is how much of a message fits into a line, in characters.
const maxMessage = 80

func cut(s string) string {
	runes := []rune(s)
	if len(runes) <= maxMessage {
		return s
	}
	return string(runes[:maxMessage-len("...")]) + "..."
}
