package cidr

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
)

func TestNext(t *testing.T) {
	const pool = "10.64.0.0/16"
	for name, tc := range map[string]struct {
		prefixes, reserved, taken, asked, want string
	}{
		"the first":                         {pool, "", "", "a/20", "10.64.0.0/20"},
		"the whole":                         {pool, "", "", "a/16", "10.64.0.0/16"},
		"beside what is reserved":           {pool, "10.64.0.0/17", "", "a/20", "10.64.128.0/20"},
		"beside what is taken":              {pool, "", "10.64.0.0/20 10.64.32.0/20", "a/20", "10.64.16.0/20"},
		"the smallest hole that is enough":  {pool, "", "10.64.0.0/18 10.64.64.0/20", "a/20", "10.64.80.0/20"},
		"a small hole and not the first":    {pool, "", "10.64.128.0/24", "a/24", "10.64.129.0/24"},
		"the lowest of equal holes":         {pool, "", "10.64.0.0/24 10.64.2.0/24", "a/24", "10.64.1.0/24"},
		"the largest first":                 {pool, "", "", "small/24 large/18 middle/20", "10.64.80.0/24 10.64.0.0/18 10.64.64.0/20"},
		"equals by name":                    {pool, "", "", "b/20 a/20", "10.64.16.0/20 10.64.0.0/20"},
		"exactly":                           {pool, "", "", "a=10.64.48.0/20", "10.64.48.0/20"},
		"exactly before anything":           {pool, "", "", "a/20 b=10.64.0.0/20", "10.64.16.0/20 10.64.0.0/20"},
		"two prefixes":                      {"10.64.0.0/20 10.70.0.0/20", "", "10.64.0.0/21", "a/20", "10.70.0.0/20"},
		"the prefixes' order is nothing":    {"10.70.0.0/20 10.64.0.0/20", "", "", "a/21", "10.64.0.0/21"},
		"what is taken elsewhere":           {pool, "10.65.0.0/16", "192.168.0.0/16", "a/16", pool},
		"taken twice":                       {pool, "10.64.0.0/17", "10.64.0.0/17 10.64.0.0/20", "a/17", "10.64.128.0/17"},
		"taken by more than a prefix":       {"10.64.0.0/16 10.66.0.0/16", "", "10.64.0.0/15", "a/16", "10.66.0.0/16"},
		"IPv6":                              {"fd00:10::/44", "fd00:10::/48", "fd00:10:2::/48", "a/48 b/64", "fd00:10:1::/48 fd00:10:3::/64"},
		"an address":                        {"10.64.0.0/30", "10.64.0.0/32", "10.64.0.2/32", "a/32 b/32", "10.64.0.1/32 10.64.0.3/32"},
		"nothing is asked for":              {pool, "", "", "", ""},
		"not over two prefixes":             {"10.64.0.0/17 10.64.128.0/17", "", "", "a/16", "no /16 is free for range a: the largest free range is a /17"},
		"full":                              {pool, "", "10.64.0.0/17 10.64.128.0/17", "a/28", "no /28 is free for range a: nothing is free"},
		"no large hole":                     {pool, "10.64.128.0/17", "10.64.32.0/20", "a/17", "no /17 is free for range a: the largest free range is a /18"},
		"all or none":                       {pool, "", "", "a/17 b/17 c/28", "no /28 is free for range c beside the 2 that are asked for with it: nothing is free"},
		"larger than the pool":              {pool, "", "", "a/15", "no /15 is free for range a: the largest free range is a /16"},
		"no prefixes":                       {"", "", "", "a/20", "no /20 is free for range a: nothing is free"},
		"exactly outside":                   {pool, "", "", "a=10.65.0.0/20", "10.65.0.0/20 for range a does not lie in one of the prefixes"},
		"exactly what is larger":            {pool, "", "", "a=10.64.0.0/15", "10.64.0.0/15 for range a does not lie in one of the prefixes"},
		"exactly what is reserved":          {pool, "10.64.16.0/24", "", "a=10.64.16.0/20", "10.64.16.0/20 for range a overlaps 10.64.16.0/24, which is reserved"},
		"exactly what is taken":             {pool, "", "10.64.16.0/24 10.64.0.0/17", "a=10.64.16.0/20", "10.64.16.0/20 for range a overlaps 10.64.0.0/17, which is taken"},
		"exactly the same twice":            {pool, "", "", "a=10.64.0.0/20 b=10.64.0.0/20", "10.64.0.0/20 for range b overlaps 10.64.0.0/20, which is taken"},
		"a length of the other family":      {pool, "", "", "a/64", "range a cannot be a /64: give a length from 1 to 32"},
		"a length that is none":             {pool, "", "", "a/0", "range a cannot be a /0: give a length from 1 to 32"},
		"a length that is less":             {pool, "", "", "a/-1", "range a cannot be a /-1: give a length from 1 to 32"},
		"a prefix with host bits":           {"10.64.0.1/16", "", "", "a/20", "10.64.0.1/16 is no range without host bits"},
		"reserved with host bits":           {pool, "10.64.0.1/24", "", "a/20", "10.64.0.1/24 is no range without host bits"},
		"exactly with host bits":            {pool, "", "", "a=10.64.0.1/20", "10.64.0.1/20 is no range without host bits"},
		"the half of all there is, at most": {"0.0.0.0/0", "", "", "a/1 b/1", "0.0.0.0/1 128.0.0.0/1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Next(ranges(tc.prefixes), ranges(tc.reserved), ranges(tc.taken), asked(tc.asked))
			said := line(got)
			if err != nil {
				said = err.Error()
			}
			if said != tc.want {
				t.Errorf("Next says %s, want %s", said, tc.want)
			}
		})
	}
}

// What callers tell apart.
func TestErrorsOfNext(t *testing.T) {
	pool := ranges("10.64.0.0/16")
	_, err := Next(pool, nil, nil, asked("a/17 b/17 c/17"))
	var exhausted *Exhausted
	if !errors.Is(err, ErrExhausted) || !errors.As(err, &exhausted) || *exhausted != (Exhausted{Name: "c", Length: 17, Largest: 0, Beside: 2}) {
		t.Errorf("a full pool: %#v", err)
	}
	_, err = Next(pool, nil, ranges("10.64.0.0/24"), asked("a=10.64.0.0/20"))
	var notFree *NotFree
	if errors.Is(err, ErrExhausted) || !errors.As(err, &notFree) || notFree.Outside || notFree.Reserved || notFree.Other != netip.MustParsePrefix("10.64.0.0/24") {
		t.Errorf("a range that is taken: %#v", err)
	}
	_, err = Next(pool, nil, nil, asked("a/64"))
	var impossible *ImpossibleLength
	if !errors.As(err, &impossible) || impossible.Bits != 32 {
		t.Errorf("a length that is none: %#v", err)
	}
}

// How a pool fills, range by range: what is given out goes into the holes that others have left, and large holes stay.
func TestAPoolFills(t *testing.T) {
	prefixes, reserved := ranges("10.64.0.0/11"), ranges("10.64.0.0/16")
	var taken []netip.Prefix
	for _, step := range []struct{ asked, back, want string }{
		{asked: "vnet/20", want: "10.65.0.0/20"},
		{asked: "vnet/20", want: "10.65.16.0/20"},
		{asked: "vnet/16", want: "10.66.0.0/16"},
		{asked: "vnet/24", want: "10.65.32.0/24"},
		{asked: "vnet/20", want: "10.65.48.0/20"},
		{back: "10.65.16.0/20", asked: "vnet/21", want: "10.65.40.0/21"},
		{asked: "vnet/20", want: "10.65.16.0/20"},
		{asked: "vnet/12", want: "10.80.0.0/12"},
		{asked: "vnet/13 other/13", want: "no /13 is free for range vnet beside the 1 that are asked for with it: the largest free range is a /14"},
		{asked: "vnet/13", want: "10.72.0.0/13"},
	} {
		taken = slices.DeleteFunc(taken, func(p netip.Prefix) bool { return p.String() == step.back })
		got, err := Next(prefixes, reserved, taken, asked(step.asked))
		said := line(got)
		if err != nil {
			said = err.Error()
		}
		if said != step.want {
			t.Fatalf("%s is answered with %s, want %s", step.asked, said, step.want)
		}
		taken = append(taken, got...)
	}
}
