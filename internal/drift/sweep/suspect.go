package sweep

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/internal/drift"
)

const (
	// lag is how late Resource Graph may be.
	lag = 10 * time.Minute
	// skew is how far clocks may be apart.
	skew = time.Minute
	// many is from how many things on it is strange that most of them look different at once. Then only so many canaries are asked
	// about, until they have said whether it is true.
	many     = 20
	canaries = 10
)

// known is what the last look at a thing itself has shown: a GET or a write of its controller.
type known struct {
	at time.Time
	// drifted tells that it was not as declared before.
	drifted bool
	// shown tells that a row has shown it as declared since. So Resource Graph has caught up, and what it shows next is new.
	shown bool
}

// verdict is what a batch's answer leads to.
type verdict struct {
	// wake are the objects whose controllers should look.
	wake []types.NamespacedName
	// suspects is how many things look different. When strange, only canaries among them are woken.
	suspects int
	strange  bool
	// shown are the times of the looks, by key, since which a row has shown a thing as declared for the first time.
	shown map[string]time.Time
}

// judge compares what is declared with what was found. rows of other things are passed over.
func judge(declared []Declared, found map[string]Found, seen func(key string) (known, bool), rules []drift.Rule, now time.Time) verdict {
	v := verdict{shown: map[string]time.Time{}}
	looked, confirmed := 0, 0
	for _, d := range declared {
		key := idKey(d.ID)
		k, isKnown := seen(key)
		if isKnown && now.Sub(k.at) < lag {
			looked++
			if k.drifted {
				confirmed++
			}
		}
		f, there := found[key]
		if there && len(drift.Compare(d.Fields, orEmpty(f.Fields), rules...)) == 0 {
			if isKnown && !k.shown {
				v.shown[key] = k.at
			}
			continue
		}
		if isKnown && older(f.ChangedAt, k, now) {
			continue
		}
		v.wake = append(v.wake, d.Object)
	}
	v.suspects = len(v.wake)
	// An outage, a right that was taken away or a query that does not fit any more looks as if the whole fleet had drifted. If it has,
	// the canaries say so, and the next sweep believes it.
	believed := looked >= canaries && 2*confirmed > looked
	if len(declared) >= many && 2*v.suspects > len(declared) && !believed {
		v.doubt(looked)
	}
	return v
}

// doubt wakes canaries only, or nobody when as many things were looked at already and nothing was seen there.
func (v *verdict) doubt(looked int) {
	v.strange, v.wake = true, spread(v.wake, canaries)
	if looked >= canaries {
		v.wake = nil
	}
}

func orEmpty(fields map[string]any) map[string]any {
	if fields == nil {
		return map[string]any{}
	}
	return fields
}

// older tells whether a row says less than what is known: the thing was changed at changed (zero when the row does not say, or is not
// there), and looked at itself at k.at. Times within a minute of each other may be out of order, by clocks that differ, so they are
// trusted only until Resource Graph has caught up, or for as long as it may be late.
func older(changed time.Time, k known, now time.Time) bool {
	late := !k.shown && now.Sub(k.at) < lag
	if changed.IsZero() {
		return late
	}
	return changed.Before(k.at.Add(-skew)) || (late && !changed.After(k.at))
}

// spread picks n of all, evenly.
func spread(all []types.NamespacedName, n int) []types.NamespacedName {
	if len(all) <= n {
		return all
	}
	out := make([]types.NamespacedName, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return slices.Clip(out)
}
