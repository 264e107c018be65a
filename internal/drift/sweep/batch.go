package sweep

import (
	"cmp"
	"slices"
)

// batch is what is asked about at once: whole subscriptions of one identity.
type batch struct {
	identity string
	// subscriptions are in order; none is for things above all subscriptions.
	subscriptions []string
	declared      []Declared
}

// batches groups what is declared, as many subscriptions together as fit on one page: a page costs the same whether it is full or not.
// They come in an order that stays while the fleet does.
func batches(declared []Declared, rows int) []batch {
	sorted := slices.Clone(declared)
	slices.SortStableFunc(sorted, func(a, b Declared) int {
		return cmp.Or(cmp.Compare(a.Identity, b.Identity), cmp.Compare(subscriptionOf(a.ID), subscriptionOf(b.ID)))
	})
	var out []batch
	for len(sorted) > 0 {
		identity, subscription := sorted[0].Identity, subscriptionOf(sorted[0].ID)
		n := slices.IndexFunc(sorted, func(d Declared) bool { return d.Identity != identity || subscriptionOf(d.ID) != subscription })
		if n < 0 {
			n = len(sorted)
		}
		group := sorted[:n:n]
		sorted = sorted[n:]
		if last := len(out) - 1; last >= 0 && out[last].takes(identity, subscription, n, rows) {
			out[last].subscriptions = append(out[last].subscriptions, subscription)
			out[last].declared = append(out[last].declared, group...)
			continue
		}
		b := batch{identity: identity, declared: group}
		if subscription != "" {
			b.subscriptions = []string{subscription}
		}
		out = append(out, b)
	}
	return out
}

func (b batch) takes(identity, subscription string, n, rows int) bool {
	return b.identity == identity && subscription != "" && len(b.subscriptions) > 0 && len(b.declared)+n <= rows
}
