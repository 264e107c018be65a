package sweep

import (
	"cmp"
	"maps"
	"slices"
)

// batch is what is asked about at once: whole subscriptions of one identity.
type batch struct {
	identity string
	// subscriptions are in order; none is for things above all subscriptions.
	subscriptions []string
	declared      []Declared
	// rows is how many show them.
	rows int
}

// place is where things are asked about together.
type place struct{ identity, subscription string }

// batches groups what is declared, as many subscriptions together as fit on one page: a page costs the same whether it is full or not.
// They come in an order that stays while the fleet does. row names the row that shows a thing, nil for its own.
func batches(declared []Declared, row func(Declared) string, page int) []batch {
	groups := map[place][]Declared{}
	for _, d := range declared {
		at := place{d.Identity, subscriptionOf(d.ID)}
		groups[at] = append(groups[at], d)
	}
	places := slices.SortedFunc(maps.Keys(groups), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.identity, b.identity), cmp.Compare(a.subscription, b.subscription))
	})
	var out []batch
	for _, at := range places {
		group := groups[at]
		rows := rowsOf(group, row)
		if last := len(out) - 1; last >= 0 && out[last].takes(at, rows, page) {
			out[last].subscriptions = append(out[last].subscriptions, at.subscription)
			out[last].declared = append(out[last].declared, group...)
			out[last].rows += rows
			continue
		}
		b := batch{identity: at.identity, declared: group, rows: rows}
		if at.subscription != "" {
			b.subscriptions = []string{at.subscription}
		}
		out = append(out, b)
	}
	return out
}

func (b batch) takes(at place, rows, page int) bool {
	return b.identity == at.identity && at.subscription != "" && len(b.subscriptions) > 0 && b.rows+rows <= page
}

func rowsOf(group []Declared, row func(Declared) string) int {
	if row == nil {
		return len(group)
	}
	different := map[string]bool{}
	for _, d := range group {
		different[row(d)] = true
	}
	return len(different)
}
