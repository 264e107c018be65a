package sweep

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/internal/drift"
)

const (
	// many is from how many things on it is strange that most of them look different at once. Then only so many canaries are asked
	// about, until they have said whether it is true.
	many     = 20
	canaries = 10
	// blindRest is how long a thing is left alone that no sweep can see. It is found late then, and for little: seven things of a cluster
	// cost 0.3 requests an hour so.
	blindRest = 24 * time.Hour
)

// suspect is a thing that should be looked at. news tells that its row says something new.
type suspect struct {
	key    string
	object types.NamespacedName
	news   bool
}

// verdict is what an answer about a group of things leads to.
type verdict struct {
	wake   []suspect
	result string
	// different is how many things look so, for the log.
	different int
	// agreed are the rows, by key, that show the same as the last look for the first time.
	agreed map[string]agreement
}

// agreement is of the look at a time, and says whether row and look show the thing as declared.
type agreement struct {
	at         time.Time
	asDeclared bool
}

// judge compares what is declared of a group with what was found. rows of other things are passed over.
func judge(g group, found map[string]Found, seen func(key string) known, rules []drift.Rule, now time.Time) verdict {
	v := verdict{result: resultOK, agreed: map[string]agreement{}}
	looked, confirmed, paused := 0, 0, 0
	for _, d := range g.declared {
		key := idKey(d.ID)
		k := seen(key)
		if k.looked() && now.Sub(k.at) < lag {
			looked++
			if k.outcome != AsDeclared {
				confirmed++
			}
		}
		f, there := found[key]
		asDeclared := there && len(drift.Compare(d.Fields, orEmpty(f.Fields), rules...)) == 0
		if !asDeclared {
			v.different++
		}
		if k.learns(asDeclared) {
			v.agreed[key] = agreement{k.at, asDeclared}
		}
		if wakes, news := k.wakes(asDeclared, f.ChangedAt, now); wakes {
			v.wake = append(v.wake, suspect{key, d.Object, news})
		} else if !asDeclared {
			paused++
		}
	}
	if believed := looked >= canaries && 2*confirmed > looked; len(g.declared) >= many && !believed {
		v.doubt(g, looked, len(g.declared)-paused, seen, now)
	}
	return v
}

// doubt is about many things that look different at once: an outage, a right that is missing or a query that does not fit any more looks as
// if everything had drifted. If it has, the canaries say so, and the next sweep believes it. So many things were looked at just now, and so
// many are open: as declared, or not known to be different.
func (v *verdict) doubt(g group, looked, open int, seen func(key string) known, now time.Time) {
	switch suspects := len(v.wake); {
	case g.silent:
		v.result, v.wake = resultUnreadable, blind(g.declared, v.wake, seen, now)
	case suspects > canaries && 2*suspects > open:
		v.result, v.wake = resultStrange, spread(v.wake, canaries)
		if looked >= canaries {
			v.wake = nil // as many were looked at already, and nothing was seen there
		}
	}
}

// blind says who is looked at among things that no row shows: always the same canaries, ever more rarely, and whatever was looked at long
// ago.
func blind(declared []Declared, suspects []suspect, seen func(key string) known, now time.Time) []suspect {
	out, asked := unseen(declared, seen, now), map[string]bool{}
	for _, d := range spread(declared, canaries) {
		asked[idKey(d.ID)] = true
	}
	for _, s := range out {
		asked[s.key] = false
	}
	for _, s := range suspects {
		if asked[s.key] {
			out = append(out, s)
		}
	}
	return out
}

// unseen are the things that were looked at long ago, among those that no sweep can see.
func unseen(declared []Declared, seen func(key string) known, now time.Time) []suspect {
	var out []suspect
	for _, d := range declared {
		if key := idKey(d.ID); seen(key).stale(now) {
			out = append(out, suspect{key, d.Object, false})
		}
	}
	return out
}

// stale tells whether a thing that no sweep can see was left alone for long enough. Nobody need have looked: a controller that reads by way of
// CAPZ asks Azure only when it is woken. One that is met for the first time is its controller's for as long.
func (k known) stale(now time.Time) bool {
	return k.met() && now.Sub(k.at) >= blindRest && now.Sub(k.woken) >= blindRest && now.Sub(k.hidden) >= blindRest
}

// met tells whether anything is known from which the time can be counted.
func (k known) met() bool { return k.looked() || !k.hidden.IsZero() }

func orEmpty(fields map[string]any) map[string]any {
	if fields == nil {
		return map[string]any{}
	}
	return fields
}

// spread picks n of all, evenly.
func spread[T any](all []T, n int) []T {
	if len(all) <= n {
		return all
	}
	out := make([]T, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}
