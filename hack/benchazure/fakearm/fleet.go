// Package fakearm is an Azure Resource Manager in memory, as far as drift needs it: things that are changed behind one's back, token
// buckets that refuse as Azure's do, and a Resource Graph that is late. It works at whatever time it is told, so a day takes seconds.
//
// It is a model and no simulator: internal/azure/sim is that. What it takes for granted is in docs/benchmarks.md with the figures.
package fakearm

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ThingsPerCluster are one autoscaler profile and six role assignments.
const ThingsPerCluster = 7

// Good is the value of a thing that is as declared. A thing that is gone has the value "".
const Good = "least-waste"

// Role is the role of all assignments, AcrPull.
const Role = "7f951dda-4ed3-4680-a7ca-43fe172d538d"

// Thing is one resource in Azure.
type Thing struct {
	ID           string
	Cluster      int
	Subscription string
	// Profile tells a managed cluster, whose autoscaler profile is what counts, from a role assignment.
	Profile bool
	// Scope, Role and Principal are those of a role assignment.
	Scope, Role, Principal string

	// now is what ARM knows. seen is what Resource Graph knows; pending is what it will know, and when.
	now, seen state
	pending   []arrival
	// episode is the drift that stands, nil for none.
	episode *Episode
}

type state struct {
	value string
	at    time.Time
	// style counts changes that change nothing: letter case, order, settings that nobody owns.
	style int
}

type arrival struct {
	state
	visible time.Time
}

// Episode is one drift from its beginning to its end.
type Episode struct {
	Thing *Thing
	// Storm tells one of those that came all at once.
	Storm bool
	// Drifted, Detected and Healed are when it was made, first seen by a GET, and written back; zero for not yet.
	Drifted, Detected, Healed time.Time
	// Puts are how many writes it took.
	Puts int
}

// Fleet makes the things of so many clusters in so many subscriptions of one region each.
func Fleet(clusters, subscriptions int, random *rand.Rand) []*Thing {
	var out []*Thing
	for c := range clusters {
		subscription := fmt.Sprintf("%08x-0000-4000-8000-000000000000", c%subscriptions)
		group := fmt.Sprintf("/subscriptions/%s/resourceGroups/rg-%04d", subscription, c)
		cluster := fmt.Sprintf("%s/providers/Microsoft.ContainerService/managedClusters/prod-%04d", group, c)
		principal := newGUID(random)
		out = append(out, &Thing{ID: cluster, Cluster: c, Subscription: subscription, Profile: true})
		for i := range ThingsPerCluster - 1 {
			scope := fmt.Sprintf("/subscriptions/%s/resourceGroups/rg-shared/providers/Microsoft.ContainerRegistry/registries/shared%d", subscription, i)
			out = append(out, &Thing{
				ID: scope + "/providers/Microsoft.Authorization/roleAssignments/" + newGUID(random), Cluster: c, Subscription: subscription,
				Scope: scope, Role: Role, Principal: principal,
			})
		}
	}
	for _, t := range out {
		t.now = state{value: Good}
		t.seen = t.now
	}
	return out
}

// SomeSubscriptions are the first n subscriptions of a fleet.
func SomeSubscriptions(things []*Thing, n int) map[string]bool {
	out := map[string]bool{}
	for _, t := range things {
		if len(out) == n {
			break
		}
		out[t.Subscription] = true
	}
	return out
}

func newGUID(random *rand.Rand) string {
	var g uuid.UUID
	for i := range g {
		g[i] = byte(random.Uint32())
	}
	g[6], g[8] = g[6]&0x0f|0x40, g[8]&0x3f|0x80
	return g.String()
}

// group is what one row of a query shows: a cluster, or all role assignments of a principal.
type group struct {
	things []*Thing
	// text is the row as it was last; empty when something has changed.
	text string
}

// row is how Resource Graph shows it at a time; false when nothing of it is there.
func (g *group) row(now time.Time) (string, bool) {
	for _, t := range g.things {
		if t.arrive(now) {
			g.text = ""
		}
	}
	if g.text == "" {
		g.text = g.things[0].profile()
		if !g.things[0].Profile {
			var all []string
			for _, t := range g.things {
				if t.seen.value != "" {
					all = append(all, t.assignment())
				}
			}
			g.text = ""
			if len(all) > 0 {
				g.text = fmt.Sprintf(`{"id":%q,"assignments":[%s]}`, g.things[0].Principal, strings.Join(all, ","))
			}
		}
	}
	return g.text, g.text != ""
}

// arrive makes Resource Graph know what it is told by now.
func (t *Thing) arrive(now time.Time) (changed bool) {
	for len(t.pending) > 0 && !t.pending[0].visible.After(now) {
		// A later change may have been told first: then the older one is dropped.
		if !t.pending[0].at.Before(t.seen.at) {
			t.seen = t.pending[0].state
		}
		t.pending, changed = t.pending[1:], true
	}
	return changed
}

// letters are an id's after so many changes that change nothing.
func (t *Thing) letters(id string) string {
	if t.seen.style%2 == 0 {
		return id
	}
	const prefix = "/subscriptions"
	return strings.ToUpper(id[:len(prefix)]) + id[len(prefix):]
}

func (t *Thing) profile() string {
	return fmt.Sprintf(`{"id":%q,"profile":{"scan-interval":"10s","expander":%q,"max-empty-bulk-delete":"%d"}}`, t.letters(t.ID), t.seen.value, 10+t.seen.style)
}

func (t *Thing) assignment() string {
	role := t.letters("/subscriptions/" + t.Subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + t.Role)
	return fmt.Sprintf("%q", t.letters(t.ID)+"|"+role+"|"+t.seen.at.UTC().Format(time.RFC3339Nano))
}
