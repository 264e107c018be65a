package drain

import (
	"fmt"
	"strings"
	"time"
)

const (
	// AnnotationDoNotDisrupt on a pod asks that it be left alone: for good with the value "true", or for a Go duration
	// such as "4h" that counts from the pod's start. Other values mean nothing.
	AnnotationDoNotDisrupt = "fleetwright.io/do-not-disrupt"
	// AnnotationDoNotDisruptKarpenter is read like AnnotationDoNotDisrupt, which goes before it where a pod has both.
	AnnotationDoNotDisruptKarpenter = "karpenter.sh/do-not-disrupt"
)

// quiet is the wish of a do-not-disrupt annotation.
type quiet struct {
	// forEver has no end; until is the end otherwise, zero if there is no wish.
	forEver bool
	until   time.Time
	// unread is a value that means nothing.
	unread string
}

// quietOf reads Pod.DoNotDisrupt. "false" is no wish, and is the way to say so where Karpenter's annotation is set, too.
func quietOf(p Pod) quiet {
	value := strings.TrimSpace(p.DoNotDisrupt)
	switch {
	case value == "" || strings.EqualFold(value, "false"):
		return quiet{}
	case strings.EqualFold(value, "true"):
		return quiet{forEver: true}
	}
	duration, err := time.ParseDuration(value)
	if err != nil || duration < 0 {
		return quiet{unread: p.DoNotDisrupt}
	}
	begun := p.Started
	if begun.IsZero() {
		begun = p.Created
	}
	return quiet{until: begun.Add(duration)}
}

func (q quiet) holds(now time.Time) bool { return q.forEver || now.Before(q.until) }

// quietSentence says what a pod that holds the drain up asks for.
func quietSentence(until time.Time) string {
	if until.IsZero() {
		return "its do-not-disrupt annotation asks to leave it alone, take it off or move the pod by hand"
	}
	return "its do-not-disrupt annotation asks to leave it alone until " + until.UTC().Format(time.RFC3339)
}

// quietNote is added to the reason of an eviction that an annotation did not keep from happening.
func quietNote(p Pod) string {
	switch q := quietOf(p); {
	case q.unread != "":
		return fmt.Sprintf("; its do-not-disrupt annotation means nothing: %.40q is neither true nor a duration", q.unread)
	case !q.until.IsZero():
		return "; its do-not-disrupt annotation ended at " + q.until.UTC().Format(time.RFC3339)
	default:
		return ""
	}
}
