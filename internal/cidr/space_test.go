package cidr

import (
	"strings"
	"testing"
	"time"
)

func TestSpaceOf(t *testing.T) {
	for name, tc := range map[string]struct {
		prefixes, reserved, taken string
		want                      Space
	}{
		"empty":                  {"10.64.0.0/16", "", "", Space{100, 16}},
		"half":                   {"10.64.0.0/16", "", "10.64.0.0/17", Space{50, 17}},
		"reserved is no part":    {"10.64.0.0/16", "10.64.0.0/17", "10.64.128.0/18", Space{50, 18}},
		"taken of what reserved": {"10.64.0.0/16", "10.64.0.0/17", "10.64.0.0/18", Space{100, 17}},
		"taken elsewhere":        {"10.64.0.0/16", "", "10.65.0.0/16", Space{100, 16}},
		"rounded down":           {"10.64.0.0/16", "", "10.64.0.0/32", Space{99, 17}},
		"less than a hundredth":  {"10.64.0.0/24", "", "10.64.0.0/25 10.64.0.128/26 10.64.0.192/27 10.64.0.224/28 10.64.0.240/29 10.64.0.248/30 10.64.0.252/31", Space{0, 31}},
		"full":                   {"10.64.0.0/16", "", "10.64.0.0/16", Space{0, 0}},
		"all reserved":           {"10.64.0.0/16", "10.64.0.0/16", "", Space{0, 0}},
		"no prefixes":            {"", "", "", Space{0, 0}},
		"two prefixes":           {"10.64.0.0/16 10.66.0.0/17", "", "10.64.0.0/16", Space{33, 17}},
		"IPv6":                   {"fd00::/32", "", "fd00::/33 fd00:0:8000::/34", Space{25, 34}},
		"everything":             {"0.0.0.0/0", "", "", Space{100, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := SpaceOf(ranges(tc.prefixes), ranges(tc.reserved), ranges(tc.taken))
			if err != nil || got != tc.want {
				t.Errorf("SpaceOf says %+v, %v, want %+v", got, err, tc.want)
			}
		})
	}
	if _, err := SpaceOf(ranges("10.64.0.1/16"), nil, nil); err == nil {
		t.Error("a prefix with host bits is taken")
	}
	if got, err := Usable(ranges("10.64.0.0/16 10.60.0.0/16"), ranges("10.64.128.0/17")); err != nil || line(got) != "10.60.0.0/16 10.64.0.0/17" {
		t.Errorf("Usable says %v, %v", got, err)
	}
}

func TestExhaustedAt(t *testing.T) {
	now := time.Date(2026, 11, 26, 15, 30, 0, 0, time.FixedZone("", 3600))
	// given reads ranges with the days since they were given out, such as "10.64.0.0/18@45"; without them, one that was in use before.
	given := func(text string) []Given {
		var out []Given
		for field := range strings.FieldsSeq(text) {
			cidr, days, dated := strings.Cut(field, "@")
			g := Given{Prefix: ranges(cidr)[0]}
			if dated {
				age, err := time.ParseDuration(days + "h")
				if err != nil {
					t.Fatal(err)
				}
				g.At = now.Add(-24 * age)
			}
			out = append(out, g)
		}
		return out
	}
	for name, tc := range map[string]struct {
		reserved, given, want string
	}{
		"nothing was given":               {"", "", ""},
		"only what was in use before":     {"", "10.64.0.0/17", ""},
		"too little was seen":             {"", "10.64.0.0/18@6", ""},
		"a week":                          {"", "10.64.0.0/17@7", "2026-12-03"},
		"a young pool":                    {"", "10.64.0.0/18@30", "2027-02-24"},
		"a quarter in 90 days":            {"", "10.64.0.0/18@90", "2027-08-23"},
		"what is older does not count":    {"", "10.64.0.0/17@200 10.64.128.0/18@10", "2027-02-24"},
		"nothing in 90 days":              {"", "10.64.0.0/17@91", ""},
		"nor what was in use before":      {"", "10.64.0.0/17 10.64.128.0/18@90", "2027-02-24"},
		"nor what is reserved":            {"10.64.0.0/17", "10.64.128.0/18@90", "2027-02-24"},
		"nor what lies elsewhere":         {"", "10.65.0.0/16@30", ""},
		"nothing is left":                 {"", "10.64.0.0/17@100 10.64.128.0/17@100", "2026-11-26"},
		"nothing is left since yesterday": {"", "10.64.0.0/16@1", "2026-11-26"},
		"not for 20 years":                {"", "10.64.0.0/24@80", ""},
		"given in the future":             {"", "10.64.0.0/17@-1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			said := ""
			if at := ExhaustedAt(ranges("10.64.0.0/16"), ranges(tc.reserved), given(tc.given), now); !at.IsZero() {
				said = at.Format(time.RFC3339)
			}
			if want := tc.want; said != want && said != want+"T00:00:00Z" {
				t.Errorf("ExhaustedAt says %q, want %q", said, want)
			}
		})
	}
	if at := ExhaustedAt(ranges("10.64.0.1/16"), nil, given("10.64.0.0/18@30"), now); !at.IsZero() {
		t.Errorf("of a prefix with host bits it says %s", at)
	}
	if at := ExhaustedAt(ranges("fd00::/32"), nil, []Given{{Prefix: ranges("fd00::/33")[0], At: now.Add(-90 * day)}}, now); at.Format(time.DateOnly) != "2027-02-24" {
		t.Errorf("of IPv6 it says %s", at)
	}
}
