package cidr

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ranges reads prefixes that are written in one line.
func ranges(text string) []netip.Prefix {
	var out []netip.Prefix
	for field := range strings.FieldsSeq(text) {
		out = append(out, netip.MustParsePrefix(field))
	}
	return out
}

// line writes prefixes in one line.
func line(prefixes []netip.Prefix) string {
	out := make([]string, 0, len(prefixes))
	for _, p := range prefixes {
		out = append(out, p.String())
	}
	return strings.Join(out, " ")
}

// asked reads requests such as "vnet/20 pods=10.1.0.0/16".
func asked(text string) []Request {
	var out []Request
	for field := range strings.FieldsSeq(text) {
		if name, cidr, exact := strings.Cut(field, "="); exact {
			out = append(out, Request{Name: name, CIDR: netip.MustParsePrefix(cidr)})
			continue
		}
		name, length, _ := strings.Cut(field, "/")
		r := Request{Name: name}
		if _, err := fmt.Sscan(length, &r.Length); err != nil {
			panic(err)
		}
		out = append(out, r)
	}
	return out
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"10.64.0.0/20":         "10.64.0.0/20",
		"0.0.0.0/0":            "0.0.0.0/0",
		"fd00:10::/48":         "fd00:10::/48",
		"10.64.0.1/20":         `"10.64.0.1/20" has host bits: write 10.64.0.0/20`,
		"fd00:10::1/48":        `"fd00:10::1/48" has host bits: write fd00:10::/48`,
		"10.64.0.0":            `"10.64.0.0" is no range of addresses: write an address, a slash and a length, such as 10.64.0.0/20`,
		"10.64.0.0/33":         `"10.64.0.0/33" is no range of addresses: write an address, a slash and a length, such as 10.64.0.0/20`,
		"":                     `"" is no range of addresses: write an address, a slash and a length, such as 10.64.0.0/20`,
		"::ffff:10.0.0.0/104":  `"::ffff:10.0.0.0/104" is IPv4 written as IPv6: write it as IPv4, such as 10.64.0.0/20`,
		"fe80::%eth0/64":       `"fe80::%eth0/64" is no range of addresses: write an address, a slash and a length, such as 10.64.0.0/20`,
		"10.64.0.0/20 or less": `"10.64.0.0/20 or less" is no range of addresses: write an address, a slash and a length, such as 10.64.0.0/20`,
	} {
		t.Run(text, func(t *testing.T) {
			got, err := Parse(text)
			said := got.String()
			if err != nil {
				said = err.Error()
			}
			if said != want {
				t.Errorf("Parse says %s, want %s", said, want)
			}
		})
	}
	if got, err := ParseAll([]string{"10.0.0.0/8", "10.0.0.1/8"}); err == nil || got != nil {
		t.Errorf("ParseAll of a wrong one says %v, %v", got, err)
	}
	if got, err := ParseAll([]string{"10.0.0.0/8", "11.0.0.0/8"}); err != nil || line(got) != "10.0.0.0/8 11.0.0.0/8" {
		t.Errorf("ParseAll says %v, %v", got, err)
	}
}

func TestInside(t *testing.T) {
	for name, tc := range map[string]struct {
		prefixes, cidr string
		want           bool
	}{
		"the whole":             {"10.0.0.0/8", "10.0.0.0/8", true},
		"a part":                {"10.0.0.0/8 11.0.0.0/8", "11.255.255.0/24", true},
		"larger":                {"10.0.0.0/8", "10.0.0.0/7", false},
		"beside":                {"10.0.0.0/8", "11.0.0.0/24", false},
		"over two neighbours":   {"10.0.0.0/9 10.128.0.0/9", "10.0.0.0/8", false},
		"of no prefix":          {"", "10.0.0.0/8", false},
		"of the other family":   {"0.0.0.0/0", "fd00::/64", false},
		"IPv6":                  {"fd00::/32", "fd00:0:1::/48", true},
		"IPv4 in all IPv6":      {"::/0", "10.0.0.0/8", false},
		"the last of a prefix":  {"10.0.0.0/24", "10.0.0.255/32", true},
		"the first behind it":   {"10.0.0.0/24", "10.0.1.0/32", false},
		"the first of a prefix": {"10.0.0.0/24", "10.0.0.0/32", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Inside(ranges(tc.prefixes), netip.MustParsePrefix(tc.cidr)); got != tc.want {
				t.Errorf("Inside says %t", got)
			}
		})
	}
}

func TestOverlapping(t *testing.T) {
	for name, tc := range map[string]struct {
		prefixes, want string
	}{
		"none":                       {"", "0 0 false"},
		"one":                        {"10.0.0.0/8", "0 0 false"},
		"neighbours":                 {"10.0.0.0/24 10.0.1.0/24 9.255.255.0/24", "0 0 false"},
		"the same twice":             {"10.0.1.0/24 10.0.0.0/24 10.0.1.0/24", "0 2 true"},
		"one holds another":          {"10.0.1.0/24 11.0.0.0/24 10.0.0.0/16", "0 2 true"},
		"with others between them":   {"10.0.0.0/8 10.1.0.0/16 10.2.0.0/16", "0 1 true"},
		"the first of several pairs": {"10.0.0.0/8 11.0.0.0/8 12.0.0.0/8 11.1.0.0/16 10.1.0.0/16", "0 4 true"},
		"of two families":            {"0.0.0.0/0 ::/0", "0 0 false"},
		"IPv6":                       {"fd00::/48 fd00:1::/48 fd00::/64", "0 2 true"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b, overlap := Overlapping(ranges(tc.prefixes))
			if diff := cmp.Diff(tc.want, fmt.Sprint(a, b, overlap)); diff != "" {
				t.Errorf("Overlapping (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for cidr, want := range map[string]string{
		"10.66.16.0/20": "corp-0a421000-20", "0.0.0.0/1": "corp-00000000-1", "fd00:10::/48": "corp-fd000010000000000000000000000000-48",
	} {
		if got := AllocationName("corp", netip.MustParsePrefix(cidr)); got != want {
			t.Errorf("%s is called %s, want %s", cidr, got, want)
		}
	}
	for cidr, want := range map[string]string{
		"10.0.0.0/16": "10.0.0.10", "100.96.0.0/16": "100.96.0.10", "10.0.0.16/28": "10.0.0.26", "10.0.0.0/29": "invalid IP", "fd00::/108": "fd00::a",
	} {
		if got := DNSServiceIP(netip.MustParsePrefix(cidr)).String(); got != want {
			t.Errorf("the DNS service of %s is %s, want %s", cidr, got, want)
		}
	}
}
