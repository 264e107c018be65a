package demo

import (
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/progress"
	"charm.land/lipgloss/v2"
)

// The widths of the screen's columns, in characters.
const (
	minWidth   = 60
	maxWidth   = 110
	titleWidth = 52
	barWidth   = 24
)

// styles are the screen's colours, from the terminal's own sixteen, so that they fit any background.
type styles struct{ title, done, now, ahead, failed, old, fresh, quiet lipgloss.Style }

func newStyles() styles {
	colour := func(c string) lipgloss.Style { return lipgloss.NewStyle().Foreground(lipgloss.Color(c)) }
	return styles{
		title: lipgloss.NewStyle().Bold(true), done: colour("2"), now: colour("6").Bold(true), ahead: lipgloss.NewStyle().Faint(true),
		failed: colour("1").Bold(true), old: colour("3"), fresh: colour("2"), quiet: lipgloss.NewStyle().Faint(true),
	}
}

// View is the screen: the steps, what the running one does and waits for, and how the workload fares.
func View(m Model, now time.Time, width int) string {
	v := view{styles: newStyles(), width: min(max(width, minWidth), maxWidth)}
	v.line(v.styles.title.Render("Fleetwright: a cluster from one resource, changed while nobody notices") + "  " + v.styles.quiet.Render(clock(m.Begun, now)))
	v.line("")
	for _, step := range m.Steps {
		v.step(step, now)
		for _, bar := range bars(step.Waterfall, barWidth) {
			v.line("      " + v.styles.quiet.Render(bar))
		}
		if !step.Ended {
			v.pools(m.Pools)
			v.progress(m)
		}
	}
	if !m.Over {
		for _, title := range m.Ahead {
			v.line(v.styles.ahead.Render(" ·  " + title))
		}
	}
	v.services(m.Services)
	return v.text.String()
}

type view struct {
	styles styles
	width  int
	text   strings.Builder
}

func (v *view) line(text string) { v.text.WriteString(text + "\n") }

func (v *view) step(s StepView, now time.Time) {
	title := fmt.Sprintf("%-*s", titleWidth, s.Title)
	switch {
	case s.Err != nil:
		v.line(v.styles.failed.Render(" ✗  "+title) + fmt.Sprintf(" %7s", seconds(s.Took)))
	case s.Ended:
		v.line(v.styles.done.Render(" ✓  ") + title + fmt.Sprintf(" %7s", seconds(s.Took)))
	default:
		v.line(v.styles.now.Render(" ▸  "+title) + fmt.Sprintf(" %7s", seconds(max(0, now.Sub(s.Begun)))))
	}
}

func (v *view) pools(p PoolsSeen) {
	for _, pool := range p.Pools {
		style := v.styles.fresh
		if pool.age() == "old" {
			style = v.styles.old
		}
		nodes := strings.Repeat("●", pool.Ready) + strings.Repeat("○", max(0, pool.Nodes-pool.Ready))
		v.line(fmt.Sprintf("      %-5s%-14s%-19s%-9s%s", pool.age(), pool.Name, pool.Machine, pool.Version, style.Render(nodes)))
	}
	if p.Total > 0 && p.PodsLeft > 0 {
		bar := progress.New(progress.WithWidth(barWidth), progress.WithoutPercentage(), progress.WithColors(lipgloss.Color("3")))
		v.line(fmt.Sprintf("      %s %s left on old nodes, %d of %d of them empty",
			bar.ViewAs(float64(p.Drained)/float64(p.Total)), count(p.PodsLeft, "pod"), p.Drained, p.Total))
	}
}

// maxQuoted bounds how much of what the system says is shown, in lines.
const maxQuoted = 4

func (v *view) progress(m Model) {
	if len(m.Progress) == 0 {
		return
	}
	newest := m.Progress[0]
	for _, p := range m.Progress {
		if p.At.After(newest.At) {
			newest = p
		}
	}
	wrapped := lipgloss.NewStyle().Width(v.width - 6).Render(newest.line())
	lines := strings.Split(strings.TrimRight(wrapped, "\n"), "\n")
	for i, line := range lines[:min(len(lines), maxQuoted)] {
		line = strings.TrimRight(line, " ")
		if i == maxQuoted-1 && len(lines) > maxQuoted {
			line += " ..."
		}
		v.line("      " + v.styles.quiet.Render(line))
	}
}

func (v *view) services(services []Service) {
	if len(services) == 0 {
		return
	}
	v.line("")
	for _, s := range services {
		unanswered := fmt.Sprintf("%d unanswered", s.Failed)
		if s.Failed > 0 {
			unanswered = v.styles.failed.Render(unanswered)
		}
		up, down := strings.Repeat("▮", max(0, s.Available)), strings.Repeat("▯", max(0, s.Wanted-s.Available))
		v.line(fmt.Sprintf(" %-8s %d of %d available, never below %d (budget: %d)   %d requests, %s   %s", s.Name,
			s.Available, s.Wanted, s.Least, s.Budget, s.Requests, unanswered, v.styles.fresh.Render(up)+v.styles.old.Render(down)))
	}
}

// clock is the time since the beginning as minutes and seconds.
func clock(begun, now time.Time) string {
	if begun.IsZero() {
		return ""
	}
	total := int(now.Sub(begun).Seconds())
	return fmt.Sprintf("%d:%02d", total/60, total%60)
}
