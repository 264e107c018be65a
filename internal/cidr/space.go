package cidr

import (
	"math/big"
	"net/netip"
	"slices"
	"time"
)

// Space is how full a pool is.
type Space struct {
	// FreePercent is how much of it is free, rounded down. Largest is the length of the largest free range, 0 for none.
	FreePercent, Largest int
}

// SpaceOf tells how full a pool is. What is reserved is no part of it, nor is what is taken elsewhere.
func SpaceOf(prefixes, reserved, taken []netip.Prefix) (Space, error) {
	whole, err := free(prefixes, reserved)
	if err != nil {
		return Space{}, err
	}
	left, err := free(prefixes, slices.Concat(reserved, taken))
	if err != nil {
		return Space{}, err
	}
	out := Space{Largest: largest(left)}
	if all := count(whole); all.Sign() > 0 {
		percent := new(big.Int).Mul(count(left), big.NewInt(100))
		out.FreePercent = int(percent.Div(percent, all).Int64())
	}
	return out, nil
}

// Given is one range that is given out.
type Given struct {
	Prefix netip.Prefix
	// At is when. Zero for a range that was in use before, which tells nothing of the rate.
	At time.Time
}

const (
	day = 24 * time.Hour
	// rateWindow is the time that the rate is taken from.
	rateWindow = 90 * day
	// rateNeeds is the least that has to be seen before a rate is one: the first clusters of a pool are often made at once.
	rateNeeds = 7 * day
	// horizon is when nobody asks any more.
	horizon = 20 * 365 * day
)

// ExhaustedAt foretells the day on which nothing is free at the rate of the last 90 days; zero when that is never, or not for 20 years, or
// nothing can be told yet because the first range was given out less than 7 days ago. Ranges that were given back and went meanwhile are
// not known: where clusters come and go, the day is too early. An estimate is of a day, not of a second, and stays the same for one.
func ExhaustedAt(prefixes, reserved []netip.Prefix, given []Given, now time.Time) time.Time {
	all, older, first := make([]netip.Prefix, 0, len(given)), make([]netip.Prefix, 0, len(given)), now
	for _, g := range given {
		all = append(all, g.Prefix)
		if g.At.Before(now.Add(-rateWindow)) {
			older = append(older, g.Prefix)
		}
		if !g.At.IsZero() && g.At.Before(first) {
			first = g.At
		}
	}
	before, errBefore := free(prefixes, slices.Concat(reserved, older))
	after, errAfter := free(prefixes, slices.Concat(reserved, all))
	if errBefore != nil || errAfter != nil {
		return time.Time{}
	}
	left := count(after)
	gone := new(big.Int).Sub(count(before), left)
	return lasts(left, gone, min(now.Sub(first), rateWindow), now)
}

// lasts is when nothing is left if it goes on to go as in the time that was seen.
func lasts(left, gone *big.Int, seen time.Duration, now time.Time) time.Time {
	if left.Sign() == 0 {
		return now.UTC().Truncate(day)
	}
	if seen < rateNeeds || gone.Sign() <= 0 {
		return time.Time{}
	}
	wait := ratio(left, gone) * float64(seen)
	if wait > float64(horizon) {
		return time.Time{}
	}
	return now.Add(time.Duration(wait)).UTC().Truncate(day)
}

func ratio(part, whole *big.Int) float64 {
	out, _ := new(big.Rat).SetFrac(part, whole).Float64()
	return out
}
