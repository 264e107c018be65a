package plan

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"
)

// writeText is for people at a terminal. What could not be planned is told on the error stream.
func writeText(to io.Writer, document List) error {
	said := 0
	for _, p := range document.Items {
		if p.Outcome == outcomeError {
			continue
		}
		if said++; said > 1 {
			fmt.Fprintln(to)
		}
		if err := writeOne(to, p); err != nil {
			return err
		}
	}
	if len(document.Items) > 1 {
		fmt.Fprintf(to, "\n%s: %s\n", count(len(document.Items), "Nodepool", "Nodepools"), tally(document.Items))
	}
	return nil
}

func writeOne(to io.Writer, p NodepoolPlan) error {
	title := fmt.Sprintf("Nodepool %s in cluster %s", shown(p.Namespace+"/"+p.Name), shown(p.Cluster))
	if p.New {
		title += ", which is new"
	}
	fmt.Fprintf(to, "%s: %s\n\n", title, p.Outcome)
	if len(p.Changes) > 0 {
		if err := printers.NewTablePrinter(printers.PrintOptions{}).PrintObj(changesTable(p.Changes), to); err != nil {
			return err
		}
		fmt.Fprintln(to)
	}
	out := printers.GetNewTabWriter(to)
	for _, line := range lines(p) {
		fmt.Fprintf(out, "%s:\t%s\n", line.what, shown(line.says))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if p.Drain != nil && len(p.Drain.Warnings) > 0 {
		fmt.Fprintln(to, "\nFindings, the worst first:")
		for _, w := range p.Drain.Warnings {
			fmt.Fprintln(to, "- "+shown(w))
		}
	}
	return nil
}

func changesTable(changes []Change) *metav1.Table {
	table := &metav1.Table{ColumnDefinitions: []metav1.TableColumnDefinition{
		{Name: "Field", Type: "string"}, {Name: "From", Type: "string"}, {Name: "To", Type: "string"}, {Name: "Effect", Type: "string"},
	}}
	for _, c := range changes {
		table.Rows = append(table.Rows, metav1.TableRow{Cells: []any{c.Field, cmp.Or(c.From, "<none>"), cmp.Or(c.To, "<none>"), c.Effect}})
	}
	return table
}

// shown is text that others wrote, a file or an object, which must not steer the
// terminal or the log that it is printed to.
func shown(s string) string { return printers.EscapeTerminal(s) }

// line is one thing to say of a plan.
type line struct{ what, says string }

// lines are what text and markdown say of a plan besides its changes and findings.
func lines(p NodepoolPlan) []line {
	var out []line
	add := func(what, format string, args ...any) { out = append(out, line{what, fmt.Sprintf(format, args...)}) }
	if n := p.Next; n != nil {
		add("Next", "%s, %s: %s", n.Verdict, n.Reason, n.Message)
		if n.Action != "None" {
			add("Action", "%s", strings.TrimSpace(n.Action+" "+n.Pool))
		}
	}
	if p.Strategy != "" {
		add("Strategy", "%s: %s", p.Strategy, p.StrategyMessage)
	}
	if p.Leaves != nil {
		add("Leaving", "%s of pool %s", count(p.Leaves.Nodes, "node", "nodes"), p.Leaves.Pool)
	}
	if p.PeakNodes > 0 {
		add("Cluster", "%s now, %d at the peak, %d allowed", count(p.ClusterNodes, "node", "nodes"), p.PeakNodes, p.NodeCap)
	}
	if d := p.Drain; d != nil {
		add("Pods", "%s, %s", count(d.PodsToMove, "moves", "move"), count(d.PodsStaying, "stays until its node goes", "stay until their nodes go"))
		if d.PodsToMove > 0 {
			add("Drain", "takes %s%s", d.estimate, besides(d.WithoutEnd))
		}
		if c := d.Longest; c != nil {
			add("Longest", "%s: %s, %d at once", c.name, count(c.Pods, "pod", "pods"), c.AtOnce)
		}
		if d.WithoutEnd > 0 {
			add("No end", "%s", strings.Join(d.Unbounded, "; "))
		}
	}
	if p.Unread != "" {
		add("Not read", "%s", p.Unread)
	}
	return out
}

func besides(withoutEnd int) string {
	if withoutEnd == 0 {
		return ""
	}
	return fmt.Sprintf(", besides %s without an end in sight", count(withoutEnd, "chain", "chains"))
}

// tally counts the outcomes, the worst first.
func tally(items []NodepoolPlan) string {
	var parts []string
	for _, o := range slices.Backward(outcomes) {
		n := 0
		for _, p := range items {
			if p.Outcome == o.outcome {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o.outcome))
		}
	}
	return strings.Join(parts, ", ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
