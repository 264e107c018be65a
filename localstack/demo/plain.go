package demo

import (
	"fmt"
	"io"
	"time"
)

// quiet is how long an object whose reason has not changed is not quoted again.
const quiet = 3 * time.Second

// Transcript turns events into lines, where a screen cannot be redrawn: for a file, or in continuous integration. What was
// said before is not repeated, and what changes all the time is said now and then. The zero value is ready to use.
type Transcript struct {
	model Model
	// quoted is what was printed last of each object in the running step.
	quoted map[string]Progress
	pools  PoolsSeen
}

// Next returns the lines that an event adds.
func (t *Transcript) Next(e Event) []string {
	before := t.model
	t.model = before.Apply(e)
	begun := t.model.Begun
	switch e := e.(type) {
	case StepBegan:
		t.quoted, t.pools = map[string]Progress{}, PoolsSeen{}
		return []string{"", stamp(begun, e.At) + e.Title}
	case StepEnded:
		step, _ := before.Running()
		took := e.At.Sub(step.Begun)
		if e.Err != nil {
			return []string{stamp(begun, e.At) + fmt.Sprintf("  FAILED after %s: %v", seconds(took), e.Err)}
		}
		return []string{stamp(begun, e.At) + "  done in " + seconds(took)}
	case Progress:
		last, spoke := t.quoted[e.About]
		if spoke && last.Reason == e.Reason && (last.Text == e.Text || e.At.Sub(last.At) < quiet) {
			return nil
		}
		t.quoted[e.About] = e
		return []string{stamp(begun, e.At) + "  " + e.line()}
	case WaterfallSeen:
		var lines []string
		for _, bar := range bars(e.Steps, barWidth) {
			lines = append(lines, stamp(begun, e.At)+"  "+bar)
		}
		return lines
	case PoolsSeen:
		if len(e.Pools) == 0 || samePools(t.pools, e) || e.At.Sub(t.pools.At) < quiet {
			return nil
		}
		t.pools = e
		return []string{stamp(begun, e.At) + "  Pools: " + e.line()}
	default:
		return nil
	}
}

// Printer returns a listener that writes a transcript.
func Printer(w io.Writer) func(Event) {
	var transcript Transcript
	return func(e Event) {
		for _, line := range transcript.Next(e) {
			_, _ = fmt.Fprintln(w, line) // a closed terminal is no reason to fail
		}
	}
}

// line is what an object says, in one sentence.
func (p Progress) line() string {
	switch {
	case p.Reason == "":
		return p.About + ": " + p.Text
	case p.Text == "":
		return p.About + ": " + p.Reason
	default:
		return p.About + ": " + p.Reason + ": " + p.Text
	}
}

// stamp is the time since the beginning, right-aligned.
func stamp(begun, at time.Time) string { return fmt.Sprintf("%7s  ", seconds(at.Sub(begun))) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }
