package debt

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"
)

// column is one of the table, which all formats for people have in common.
type column struct {
	title string
	// number is true for what is read from the right.
	number bool
	cell   func(Item, time.Time) string
}

var (
	hours = column{"Hours", true, func(i Item, _ time.Time) string { return inHours(i.Seconds) }}
	now   = column{"Now", true, func(i Item, _ time.Time) string { return fmt.Sprint(i.PodsNow) }}
	since = column{"Since", false, func(i Item, now time.Time) string {
		if i.SinceTime == nil {
			return ""
		}
		return duration.HumanDuration(now.Sub(*i.SinceTime))
	}}
	workload  = column{"Workload", false, func(i Item, _ time.Time) string { return i.Workload }}
	namespace = column{"Namespace", false, func(i Item, _ time.Time) string { return i.Namespace }}
	cluster   = column{"Cluster", false, func(i Item, _ time.Time) string { return i.Cluster }}
	reason    = column{"Reason", false, func(i Item, _ time.Time) string { return i.Reason }}
	budget    = column{"Budget", false, func(i Item, _ time.Time) string { return cmp.Or(i.Budget, "<none>") }}

	workloads  = column{"Workloads", true, func(i Item, _ time.Time) string { return fmt.Sprint(len(i.Workloads)) }}
	namespaces = column{"Namespaces", true, func(i Item, _ time.Time) string { return fmt.Sprint(len(i.Namespaces)) }}
	clusters   = column{"Clusters", true, func(i Item, _ time.Time) string { return fmt.Sprint(len(i.Clusters)) }}
	reasons    = column{"Reason", false, func(i Item, _ time.Time) string { return some(i.Reasons) }}
	// budgets are all of one namespace.
	budgets = column{"Budget", false, func(i Item, _ time.Time) string {
		names := make([]string, 0, len(i.Budgets))
		for _, name := range i.Budgets {
			names = append(names, strings.TrimPrefix(name, i.Namespace+"/"))
		}
		return some(names)
	}}
)

// columns are those of each --by.
var columns = map[string][]column{
	"workload":  {hours, now, workload, namespace, clusters, budgets, reasons, since},
	"namespace": {hours, now, namespace, workloads, clusters, budgets, reasons, since},
	"budget":    {hours, now, budget, namespace, workloads, clusters, reasons, since},
	"cluster":   {hours, now, cluster, namespaces, workloads, reasons, since},
	"reason":    {hours, now, reason, workloads, namespaces, clusters, since},
}

func inHours(seconds int64) string {
	return fmt.Sprintf("%.1f", time.Duration(seconds*int64(time.Second)).Hours())
}

// some names the first of a list that must fit into a cell.
func some(names []string) string {
	const named = 2
	if len(names) <= named {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:named], ", "), len(names)-named)
}

// nothing is what people are told when nobody owes anything.
func nothing(list List) string {
	pools := fmt.Sprintf("the %d Nodepools", list.Nodepools)
	if list.Nodepools == 1 {
		pools = "the Nodepool"
	}
	return fmt.Sprintf("no workload has held up a drain of %s %s", pools, strings.Replace(list.where, "in any namespace", "in all namespaces", 1))
}

func writeTable(to io.Writer, list List, at time.Time) error {
	if len(list.Items) == 0 {
		_, err := fmt.Fprintln(to, nothing(list))
		return err
	}
	table := &metav1.Table{}
	for _, c := range columns[list.By] {
		table.ColumnDefinitions = append(table.ColumnDefinitions, metav1.TableColumnDefinition{Name: c.title, Type: "string"})
	}
	for _, item := range list.Items {
		var cells []any
		for _, c := range columns[list.By] {
			cells = append(cells, c.cell(item, at))
		}
		table.Rows = append(table.Rows, metav1.TableRow{Cells: cells})
	}
	return printers.NewTablePrinter(printers.PrintOptions{}).PrintObj(table, to)
}

func writeJSON(to io.Writer, list List, _ time.Time) error {
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(list)
}

// writeMarkdown is a section of a report.
func writeMarkdown(to io.Writer, list List, at time.Time) error {
	var out strings.Builder
	fmt.Fprintf(&out, "### Drain debt by %s: %s hours\n\n", list.By, inHours(list.Seconds))
	if len(list.Items) == 0 {
		fmt.Fprintln(&out, "There is none: "+nothing(list)+".")
		_, err := io.WriteString(to, out.String())
		return err
	}
	titles, rules := "|", "|"
	for _, c := range columns[list.By] {
		titles += " " + c.title + " |"
		if rules += "---"; c.number {
			rules += ":"
		}
		rules += "|"
	}
	fmt.Fprintf(&out, "%s\n%s\n", titles, rules)
	for _, item := range list.Items {
		out.WriteString("|")
		for _, c := range columns[list.By] {
			out.WriteString(" " + inert(c.cell(item, at), c.number) + " |")
		}
		out.WriteString("\n")
	}
	_, err := io.WriteString(to, out.String())
	return err
}

// inert is a cell as it is read and no more: names of tenants stand in code spans.
func inert(s string, number bool) string {
	if number || s == "" {
		return s
	}
	return "`" + strings.NewReplacer("`", "'", "|", `\|`, "\n", " ", "\r", " ").Replace(printers.EscapeTerminal(s)) + "`"
}
