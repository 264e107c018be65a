package catalog_test

import (
	"testing"

	"github.com/blang/semver/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

func TestResolve(t *testing.T) {
	c := catalog.Catalog{KubernetesVersions: []string{"1.33.6", "1.34.10", "1.34.9", "1.35.0", "nonsense"}}
	for asked, want := range map[string]string{
		"1.34.9": "1.34.9", "1.34": "1.34.10", "": "1.34.10", "1.33": "1.33.6", "1.3": "", "1.34.1": "", "1": "", "1.36": "", "1.34.": "",
	} {
		got, ok := c.Resolve(asked)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("Resolve(%q) is %s, %v, want %q", asked, got, ok, want)
		}
	}
	if got, ok := (catalog.Catalog{KubernetesVersions: []string{"1.34.1"}}).Resolve(""); !ok || got.String() != "1.34.1" {
		t.Errorf("the only minor is not the default: %s %v", got, ok)
	}
	if _, ok := (catalog.Catalog{}).Resolve(""); ok {
		t.Error("an empty catalog has a version")
	}
}

func TestUpgrades(t *testing.T) {
	got := catalog.Default().Upgrades(semver.MustParse("1.33.5"))
	if diff := cmp.Diff([]string{"1.33.6", "1.34.1", "1.34.2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLookUps(t *testing.T) {
	c := catalog.Default()
	c.Restrictions = []catalog.Restriction{{Location: "West Europe", VMSize: "standard_d4s_v5"}, {Location: "eastus", VMSize: "Standard_D4s_v5", Zones: []string{"1", "2"}}}
	c.Quotas = []catalog.Quota{{Location: "EastUS", Family: "STANDARDDSV5FAMILY", VCPUs: 10}, {Location: "eastus", VCPUs: 20}}
	if l, ok := c.Location("West Europe"); !ok || l.Name != "westeurope" || len(l.Zones) != 3 {
		t.Errorf("location: %+v %v", l, ok)
	}
	if s, ok := c.VMSize("standard_d4s_v5"); !ok || s.VCPUs != 4 || s.MemoryGiB != 16 || s.Family != "standardDSv5Family" {
		t.Errorf("size: %+v %v", s, ok)
	}
	for place, want := range map[string]bool{"westeurope": false, "eastus": true} {
		if got := c.Offered(place, "Standard_D4s_v5"); got != want {
			t.Errorf("Offered(%s) is %v", place, got)
		}
	}
	if c.Offered("eastus", "Standard_Nothing") {
		t.Error("an unknown size is offered")
	}
	if diff := cmp.Diff([]string{"2"}, c.ClosedZones("eastus", "Standard_D4s_v5", []string{"2", "3"})); diff != "" {
		t.Errorf("closed zones (-want +got):\n%s", diff)
	}
	for family, want := range map[string]int{"standardDSv5Family": 10, "": 20} {
		if got, ok := c.Limit("eastus", family); !ok || got != want {
			t.Errorf("Limit(%q) is %d %v", family, got, ok)
		}
	}
	if _, ok := c.Limit("westus2", ""); ok {
		t.Error("a limit where none is set")
	}
}

func TestDefaultHasNoNameTwice(t *testing.T) {
	c, seen := catalog.Default(), map[string]bool{}
	for _, s := range c.VMSizes {
		if seen[s.Name] || s.VCPUs < 1 || s.MemoryGiB < 1 || s.Family == "" {
			t.Errorf("size %+v", s)
		}
		seen[s.Name] = true
	}
	for _, l := range c.LocationNames() {
		if seen[l] {
			t.Errorf("location %s is there twice", l)
		}
		seen[l] = true
	}
}
