package status

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/liggitt/tabwriter"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// writePool tells all about one Nodepool, what matters most at night first.
func writePool(to io.Writer, np *fleetwrightv1.Nodepool, events []corev1.Event, eventsErr error, now time.Time) error {
	p := &page{to: to, now: now}
	p.head(np)
	p.conditions(np.Status.Conditions)
	p.replacement(np.Status.Replacement)
	p.pools(np.Status.Pools)
	p.blockers(np.Status.Replacement)
	p.forecast(np.Status.Replacement.Forecast)
	p.events(events, eventsErr)
	return p.err
}

// page prints blocks of lines, and tables, with an empty line between them. It keeps the first error.
type page struct {
	to    io.Writer
	block *tabwriter.Writer
	now   time.Time
	err   error
	begun bool
}

// line adds to the block of lines that are printed together.
func (p *page) line(what, format string, args ...any) {
	if p.block == nil {
		p.separate()
		p.block = printers.GetNewTabWriter(p.to)
	}
	fmt.Fprintf(p.block, "%s:\t%s\n", what, printers.EscapeTerminal(fmt.Sprintf(format, args...)))
}

// end ends a block of lines.
func (p *page) end() {
	if p.block != nil {
		p.err = cmp.Or(p.err, p.block.Flush())
		p.block = nil
	}
}

func (p *page) separate() {
	if p.begun {
		fmt.Fprintln(p.to)
	}
	p.begun = true
}

// table prints rows under a title, nothing when there are none.
func (p *page) table(title string, columns []string, rows [][]any) {
	p.end()
	if len(rows) == 0 {
		return
	}
	p.separate()
	if title != "" {
		fmt.Fprintln(p.to, title)
	}
	table := &metav1.Table{}
	for _, name := range columns {
		table.ColumnDefinitions = append(table.ColumnDefinitions, metav1.TableColumnDefinition{Name: name, Type: "string"})
	}
	for _, cells := range rows {
		table.Rows = append(table.Rows, metav1.TableRow{Cells: cells})
	}
	p.err = cmp.Or(p.err, printers.NewTablePrinter(printers.PrintOptions{}).PrintObj(table, p.to))
}

func (p *page) head(np *fleetwrightv1.Nodepool) {
	s := &np.Status
	p.line("Nodepool", "%s/%s", np.Namespace, np.Name)
	p.line("Cluster", "%s", np.Spec.ClusterName)
	if s.Replicas != nil {
		p.line("Nodes", "%d ready of %d", ptr.Deref(s.ReadyReplicas, 0), *s.Replicas)
	}
	version := cmp.Or(s.Version, "unknown")
	if np.Spec.Version != "" {
		version += ", wanted " + np.Spec.Version
	}
	p.line("Version", "%s", version)
	if step := s.Replacement.Step; step != "" {
		p.line("Step", "%s", step)
	}
	if held := heldBy(np); held != "" {
		p.line("Held", "%s", held)
	}
	if next := s.NextWindowTime; !next.IsZero() {
		p.line("Next window", "%s (in %s)", next.UTC().Format(time.RFC3339), duration.HumanDuration(next.Sub(p.now)))
	}
	switch {
	case len(s.Conditions) == 0:
		p.line("Note", "nothing was reported yet: see that the operator runs")
	case isStale(np):
		p.line("Note", "the spec is at generation %d and all below is about generation %d: the operator has not looked since the last edit", np.Generation, s.ObservedGeneration)
	}
}

// quiet are reasons of conditions that say that there is nothing to say.
var quiet = []string{
	fleetwrightv1.ReasonNotBlocked, fleetwrightv1.ReasonNotDeleting, fleetwrightv1.ReasonNotRollingOut,
}

// loud come first.
var loud = []string{fleetwrightv1.ConditionStalled, fleetwrightv1.ConditionReady, fleetwrightv1.ConditionDrainBlocked}

// conditions leaves out what has nothing to say, or what was said: who holds is told at the head.
func (p *page) conditions(all []metav1.Condition) {
	ready := meta.FindStatusCondition(all, fleetwrightv1.ConditionReady)
	shown := slices.DeleteFunc(slices.Clone(all), func(c metav1.Condition) bool {
		again := ready != nil && c.Type == fleetwrightv1.ConditionRollingOut && c.Message == ready.Message
		return again || c.Type == fleetwrightv1.ConditionPaused || slices.Contains(quiet, c.Reason)
	})
	place := func(c metav1.Condition) int {
		if i := slices.Index(loud, c.Type); i >= 0 {
			return i
		}
		return len(loud)
	}
	slices.SortStableFunc(shown, func(a, b metav1.Condition) int { return place(a) - place(b) })
	var rows [][]any
	for _, c := range shown {
		rows = append(rows, []any{c.Type, string(c.Status), c.Reason, p.since(c.LastTransitionTime), c.Message})
	}
	p.table("", []string{"Condition", "Status", "Reason", "Since", "Message"}, rows)
}

func (p *page) replacement(r fleetwrightv1.ReplacementStatus) {
	if !r.StartedTime.IsZero() {
		p.line("Began", "%s (%s ago)", r.StartedTime.UTC().Format(time.RFC3339), p.since(r.StartedTime))
	}
	if r.Strategy != "" {
		p.line("Strategy", "%s: %s", r.Strategy, r.StrategyMessage)
	}
	// Before the drain has begun no pod was counted.
	if ptr.Deref(r.NodesDrained, 0)+ptr.Deref(r.PodsRemaining, 0) > 0 {
		p.line("Progress", "%d of %s drained, %s left", ptr.Deref(r.NodesDrained, 0), count(r.NodesTotal, "node"), count(r.PodsRemaining, "pod"))
	}
	var rows [][]any
	for _, c := range r.Changes {
		rows = append(rows, []any{c.Field, cmp.Or(c.From, "<none>"), cmp.Or(c.To, "<none>"), string(c.Effect)})
	}
	p.table("Changes", []string{"Field", "From", "To", "Effect"}, rows)
}

func (p *page) pools(pools []fleetwrightv1.NodepoolPoolStatus) {
	var rows [][]any
	for _, pool := range pools {
		rows = append(rows, []any{pool.Name, string(pool.Role), nodesOf(pool.ReadyReplicas, pool.Replicas), pool.Version, pool.MachinePool})
	}
	p.table("Pools", []string{"Pool", "Role", "Nodes", "Version", "MachinePool"}, rows)
}

func (p *page) blockers(r fleetwrightv1.ReplacementStatus) {
	var rows [][]any
	for _, b := range r.Blockers {
		pod := b.Namespace + "/" + b.Pod
		if more := b.Pods - 1; more > 0 {
			pod += fmt.Sprintf(" and %d more", more)
		}
		rows = append(rows, []any{pod, b.Reason, b.Budget, b.Owner, b.Node, p.since(b.SinceTime), b.Message})
	}
	total := int(ptr.Deref(r.BlockersTotal, 0))
	title := fmt.Sprintf("Pods that cannot leave: %d", total)
	if total > len(rows) {
		title += fmt.Sprintf(", of which the worst %d", len(rows))
	}
	p.table(title, []string{"Pod", "Reason", "Budget", "Owner", "Node", "Since", "Message"}, rows)
}

func (p *page) forecast(f fleetwrightv1.ReplacementForecast) {
	if f.Nodes == nil && len(f.Warnings) == 0 {
		return
	}
	if f.Nodes != nil {
		p.line("Forecast", "%s and %s leave, %s", count(f.Nodes, "node"), count(f.Pods, "pod"), p.drainTime(f))
	}
	if f.PeakNodes != nil {
		p.line("Peak", "%s in the cluster", count(f.PeakNodes, "node"))
	}
	p.end()
	for _, w := range f.Warnings {
		fmt.Fprintln(p.to, "- "+printers.EscapeTerminal(w))
	}
}

// count is so many of a thing, whose plural ends with s; nil is none.
func count(n *int32, thing string) string {
	if ptr.Deref(n, 0) == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", ptr.Deref(n, 0), thing)
}

func (p *page) drainTime(f fleetwrightv1.ReplacementForecast) string {
	if f.DrainSecondsLow == nil || f.DrainSecondsHigh == nil {
		return "without an end in sight"
	}
	human := func(seconds int32) string { return duration.HumanDuration(time.Duration(seconds) * time.Second) }
	return fmt.Sprintf("in %s to %s", human(*f.DrainSecondsLow), human(*f.DrainSecondsHigh))
}

func (p *page) events(events []corev1.Event, err error) {
	var rows [][]any
	for i := range events {
		e := &events[i]
		rows = append(rows, []any{p.since(metav1.NewTime(lastSeen(e))), e.Type, e.Reason, e.Message})
	}
	if err != nil {
		rows = [][]any{{"", "", "", "they cannot be read: " + err.Error()}}
	}
	p.table("Events", []string{"Last seen", "Type", "Reason", "Message"}, rows)
}

// since is how long ago something was, empty when that is not known.
func (p *page) since(t metav1.Time) string {
	if t.IsZero() {
		return ""
	}
	return duration.HumanDuration(p.now.Sub(t.Time))
}
