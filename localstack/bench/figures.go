package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

// figure is the median of the values, with the least and the greatest if they differ as shown.
func figure(name string, of []float64, decimals int, unit, note string) measurement.Figure {
	f := measurement.Figure{Name: name, Value: json.Number(decimal(middle(of), decimals)), Unit: unit, Note: note}
	if least, greatest := decimal(slices.Min(of), decimals), decimal(slices.Max(of), decimals); least != greatest {
		f.Spread = least + " to " + greatest
	}
	return f
}

// spread says the same in one cell.
func spread(of []float64, decimals int) string {
	least, greatest := decimal(slices.Min(of), decimals), decimal(slices.Max(of), decimals)
	if least == greatest {
		return least
	}
	return fmt.Sprintf("%s (%s–%s)", decimal(middle(of), decimals), least, greatest)
}

func decimal(value float64, decimals int) string {
	if value == math.Trunc(value) {
		decimals = 0
	}
	return strconv.FormatFloat(value, 'f', decimals, 64)
}

// middle is the median; NaN, which is refused when it is saved, without values.
func middle(of []float64) float64 {
	if len(of) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(of))
	i := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[i-1] + sorted[i]) / 2
	}
	return sorted[i]
}

func values[T any](of []T, value func(T) float64) []float64 {
	all := make([]float64, len(of))
	for i, v := range of {
		all[i] = value(v)
	}
	return all
}

func ratios(of []drained) []float64 { return values(of, drained.ratio) }

func makespan(d drained) float64 { return d.MakespanSeconds }

func violations(d drained) float64 { return float64(len(d.Violations)) }

// perLink is the time over the bound for each link of the chain that sets it, in milliseconds.
func perLink(d drained) float64 {
	return 1000 * (d.MakespanSeconds - d.BoundSeconds) / float64(d.BoundLinks)
}

func times(of []drained) string { return spread(values(of, makespan), 1) + " s" }

func of(all []drained, name string) []drained {
	var some []drained
	for _, d := range all {
		if d.Drainer == name {
			some = append(some, d)
		}
	}
	return some
}

func contestedOf(all []contested, name string, budgets int) []contested {
	var some []contested
	for _, c := range all {
		if c.Drainer == name && c.Budgets == budgets {
			some = append(some, c)
		}
	}
	return some
}

// names of the drainers that ran, in the published order.
func names(all []drained) []string {
	var found []string
	for _, name := range append(slices.Clone(publishedDrainers), optionalDrainers...) {
		if len(of(all, name)) > 0 {
			found = append(found, name)
		}
	}
	return found
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
