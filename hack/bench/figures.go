package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

const mebibyte = 1 << 20

// figure makes one of a single value.
func figure(name string, value float64, unit, note string) measurement.Figure {
	return measurement.Figure{Name: name, Value: number(value), Unit: unit, Note: note}
}

// median makes a figure of several values: their median, and the least and greatest as its spread if they differ.
func median(name string, values []float64, unit, note string) measurement.Figure {
	if len(values) == 0 {
		return figure(name, math.NaN(), unit, note) // refused when it is saved
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	value := sorted[middle]
	if len(sorted)%2 == 0 {
		value = (sorted[middle-1] + sorted[middle]) / 2
	}
	f := figure(name, value, unit, note)
	if least, greatest := number(sorted[0]), number(sorted[len(sorted)-1]); least != greatest {
		f.Spread = fmt.Sprintf("%s to %s", least, greatest)
	}
	return f
}

// number rounds to what can be trusted: one decimal below 100, none above.
func number(value float64) json.Number {
	decimals := 1
	if math.Abs(value) >= 100 || value == math.Trunc(value) {
		decimals = 0
	}
	return json.Number(strconv.FormatFloat(value, 'f', decimals, 64))
}
