package plan

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"

	"github.com/fleetwright/fleetwright/internal/nodepool"
)

const (
	// maxComment is below what GitHub takes as a comment, 65,536 characters; GitLab and Azure DevOps take more.
	maxComment = 60_000
	// maxCell bounds the changes in one cell of the table; all are in the details.
	maxCell = 4
	// marker lets a pipeline find its former comment and write over it.
	marker = "<!-- fleetwright-plan -->"
)

// writeMarkdown is a comment for a pull request: one row per Nodepool, and what else there is to say folded away.
func writeMarkdown(to io.Writer, document List) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n### Nodepool plan: %s\n\n", marker, tally(document.Items))
	fmt.Fprint(&out, "| Nodepool | Outcome | Changes | Strategy | Nodes | Pods | Drain |\n|---|---|---|---|---:|---:|---|\n")
	details, leftOut := "", 0
	for _, p := range document.Items {
		row, more := markdownRow(p), markdownDetails(p)
		fmt.Fprintln(&out, row)
		if out.Len()+len(details)+len(more) > maxComment {
			leftOut++
			continue
		}
		details += more
	}
	out.WriteString(details)
	if leftOut > 0 {
		fmt.Fprintf(&out, "\nThe details of %s are left out, because a comment cannot hold them: see `-o json`.\n", count(leftOut, "Nodepool", "Nodepools"))
	}
	if !document.AzureChecked {
		fmt.Fprintf(&out, "\n_Without credentials for Azure: %s._\n", azureUnchecked)
	}
	_, err := to.Write(out.Bytes())
	return err
}

func markdownRow(p NodepoolPlan) string {
	name := code(p.Namespace + "/" + p.Name)
	if p.New {
		name += " (new)"
	}
	nodes, pods, time := "", "", ""
	if p.Leaves != nil {
		nodes = fmt.Sprint(p.Leaves.Nodes)
	}
	if d := p.Drain; d != nil {
		pods, time = fmt.Sprint(d.PodsToMove), d.estimate
		if d.WithoutEnd > 0 {
			time = "no end foreseen"
		}
	}
	return fmt.Sprintf("| %s | **%s** | %s | %s | %s | %s | %s |", name, p.Outcome, markdownChanges(p.Changes), p.Strategy, nodes, pods, time)
}

func markdownChanges(changes []Change) string {
	shown := changes
	if len(changes) > maxCell {
		shown = changes[:maxCell-1]
	}
	parts := make([]string, 0, maxCell)
	for _, c := range shown {
		parts = append(parts, markdownChange(c))
	}
	if more := len(changes) - len(shown); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, "<br>")
}

func markdownChange(c Change) string {
	return fmt.Sprintf("%s %s → %s", code(c.Field), code(cmp.Or(c.From, "<none>")), code(cmp.Or(c.To, "<none>")))
}

// markdownDetails is everything about one Nodepool, empty when nothing would happen to it.
func markdownDetails(p NodepoolPlan) string {
	if p.Outcome == nodepool.OutcomeNothing {
		return ""
	}
	var items []string
	if p.Error != "" {
		items = append(items, inert(p.Error))
	}
	for _, c := range p.Changes {
		if len(p.Changes) > maxCell {
			items = append(items, fmt.Sprintf("%s (%s)", markdownChange(c), c.Effect))
		}
	}
	for _, l := range lines(p) {
		items = append(items, fmt.Sprintf("%s: %s", l.what, inert(l.says)))
	}
	title := inert(p.Namespace + "/" + p.Name)
	if p.Drain != nil && len(p.Drain.Warnings) > 0 {
		title += ": " + count(len(p.Drain.Warnings), "finding", "findings")
		for _, w := range p.Drain.Warnings {
			items = append(items, "⚠ "+inert(w))
		}
	}
	open := ""
	if p.Outcome == outcomeError {
		open = " open"
	}
	return fmt.Sprintf("\n<details%s><summary>%s</summary>\n\n- %s\n\n</details>\n", open, title, strings.Join(items, "\n- "))
}

// code is a code span within a table.
func code(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", `\|`, "\n", " ", "\r", " ").Replace(s) + "`"
}

// markdownSpecial are what means something to Markdown; the zero-width space keeps a name from being notified, and an
// address from becoming a link, which GitHub makes of "://" and "www.".
var markdownSpecial = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`, "|", `\|`, "@", "@&#8203;", "://", ":&#8203;//", "\n", " ", "\r", " ")

// inert is text from objects of tenants, which may hold anything, as it is read and no more.
func inert(s string) string {
	return markdownWWW.ReplaceAllString(markdownSpecial.Replace(html.EscapeString(s)), "$1&#8203;.")
}

var markdownWWW = regexp.MustCompile(`(?i)(www)\.`)
