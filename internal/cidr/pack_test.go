package cidr

import (
	"net/netip"
	"testing"
)

// What Pack has answered once is in use and written down nowhere else: a line here is never changed, only added.
func TestPack(t *testing.T) {
	const vnet = "10.66.16.0/20"
	for name, tc := range map[string]struct {
		outer, asked, want string
	}{
		"the whole":                        {vnet, "nodes/20", "10.66.16.0/20"},
		"the first":                        {vnet, "nodes/21", "10.66.16.0/21"},
		"two halves, by name":              {vnet, "nodes/21 pods/21", "10.66.16.0/21 10.66.24.0/21"},
		"by name, however they are listed": {vnet, "pods/21 nodes/21", "10.66.24.0/21 10.66.16.0/21"},
		"the largest first":                {vnet, "bastion/28 nodes/21 gateway/24", "10.66.25.0/28 10.66.16.0/21 10.66.24.0/24"},
		"four of a size":                   {vnet, "d/22 c/22 b/22 a/22", "10.66.28.0/22 10.66.24.0/22 10.66.20.0/22 10.66.16.0/22"},
		"around one that says where":       {vnet, "nodes/21 fixed=10.66.16.0/24", "10.66.24.0/21 10.66.16.0/24"},
		"the lowest, not the tightest":     {vnet, "fixed=10.66.31.0/25 a/25", "10.66.31.0/25 10.66.16.0/25"},
		"between two":                      {vnet, "a=10.66.16.0/24 b=10.66.18.0/24 c/24 d/24 e/23", "10.66.16.0/24 10.66.18.0/24 10.66.17.0/24 10.66.19.0/24 10.66.20.0/23"},
		"IPv6":                             {"fd00:10::/48", "nodes/64 pods/56", "fd00:10:0:100::/64 fd00:10::/56"},
		"nothing":                          {vnet, "", ""},
		"no room":                          {vnet, "a/21 b/21 c/28", "no /28 is free for range c beside the 2 that are asked for with it: nothing is free"},
		"no room for a large one":          {vnet, "a=10.66.16.0/28 b/20", "no /20 is free for range b beside the 1 that are asked for with it: the largest free range is a /21"},
		"larger than the outer":            {vnet, "a/19", "no /19 is free for range a: the largest free range is a /20"},
		"outside":                          {vnet, "a=10.66.32.0/24", "10.66.32.0/24 for range a does not lie in one of the prefixes"},
		"two that overlap":                 {vnet, "a=10.66.16.0/22 b=10.66.17.0/24", "10.66.17.0/24 for range b overlaps 10.66.16.0/22, which is taken"},
		"a length that is none":            {vnet, "a/33", "range a cannot be a /33: give a length from 1 to 32"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Pack(netip.MustParsePrefix(tc.outer), asked(tc.asked))
			said := line(got)
			if err != nil {
				said = err.Error()
			}
			if said != tc.want {
				t.Errorf("Pack says %s, want %s", said, tc.want)
			}
		})
	}
}
