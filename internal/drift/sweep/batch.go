package sweep

import (
	"maps"
	"slices"
	"strings"
)

// batch is what is asked about at once: whole subscriptions.
type batch struct {
	// subscriptions are in order; none is for things above all subscriptions.
	subscriptions []string
	declared      []Declared
	// rows is how many show them.
	rows int
}

// batches groups what is declared, as many subscriptions together as fit on one page: a page costs the same whether it is full or not.
// They come in an order that stays while the fleet does. row names the row that shows a thing, nil for its own.
func batches(declared []Declared, row func(Declared) string, page int) []batch {
	bySubscription := inSubscriptions(declared)
	var out []batch
	for _, subscription := range slices.Sorted(maps.Keys(bySubscription)) {
		things := bySubscription[subscription]
		rows := rowsOf(things, row)
		if last := len(out) - 1; last >= 0 && out[last].takes(rows, page) {
			out[last].subscriptions = append(out[last].subscriptions, subscription)
			out[last].declared = append(out[last].declared, things...)
			out[last].rows += rows
			continue
		}
		b := batch{declared: things, rows: rows}
		if subscription != "" {
			b.subscriptions = []string{subscription}
		}
		out = append(out, b)
	}
	return out
}

// takes tells whether a subscription more fits. What is above all subscriptions comes first, and is asked about by itself.
func (b batch) takes(rows, page int) bool { return len(b.subscriptions) > 0 && b.rows+rows <= page }

// inSubscriptions sorts the things of each subscription: caches list in another order each time, and the same canaries are asked about only
// where the order stays.
func inSubscriptions(declared []Declared) map[string][]Declared {
	out := map[string][]Declared{}
	for _, d := range declared {
		subscription := subscriptionOf(d.ID)
		out[subscription] = append(out[subscription], d)
	}
	for _, things := range out {
		slices.SortFunc(things, func(a, b Declared) int { return strings.Compare(idKey(a.ID), idKey(b.ID)) })
	}
	return out
}

func rowsOf(things []Declared, row func(Declared) string) int {
	if row == nil {
		return len(things)
	}
	different := map[string]bool{}
	for _, d := range things {
		different[row(d)] = true
	}
	return len(different)
}

// group is what is judged together. Rights are given by subscription, so a subscription that the operator may not read says nothing about
// the others of its batch.
type group struct {
	subscriptions []string
	declared      []Declared
	// silent tells that no row of these subscriptions has come, also none of something else. Resource Graph leaves out what may not be
	// read, and does not say so.
	silent bool
}

// groups takes the answer about a batch apart: each subscription by itself, but those with few things together, because few say little.
// Those that show nothing are apart from those that do, and from each other: where a row has agreed since the last look the operator may
// read, so that what could never be seen elsewhere makes nothing doubtful that is missing there.
func groups(declared []Declared, found map[string]Found, seen func(key string) known) []group {
	heard := map[string]bool{}
	for _, f := range found {
		heard[subscriptionOf(f.ID)] = true
	}
	var out []group
	few, silentFew, neverHeard := group{}, group{silent: true}, group{silent: true}
	bySubscription := inSubscriptions(declared)
	for _, subscription := range slices.Sorted(maps.Keys(bySubscription)) {
		things, silent := bySubscription[subscription], !heard[subscription]
		switch {
		case len(things) >= many:
			out = append(out, group{[]string{subscription}, things, silent})
		case silent && slices.ContainsFunc(things, func(d Declared) bool { return seen(idKey(d.ID)).shown() }):
			silentFew.add(subscription, things)
		case silent:
			neverHeard.add(subscription, things)
		default:
			few.add(subscription, things)
		}
	}
	for _, g := range []group{few, silentFew, neverHeard} {
		if len(g.declared) > 0 {
			out = append(out, g)
		}
	}
	return out
}

func (g *group) add(subscription string, things []Declared) {
	g.subscriptions, g.declared = append(g.subscriptions, subscription), append(g.declared, things...)
}
