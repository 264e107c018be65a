package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// address is an object of one of the three kinds for addresses.
func address(t *testing.T, kind, name, spec string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "fleetwright.io/v1alpha1", "kind": kind, "metadata": map[string]any{"name": name, "namespace": "default"},
	}}
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatal(err)
	}
	object.Object["spec"] = fields
	return object
}

func TestAddressPoolAdmission(t *testing.T) {
	const (
		hostBits = "spec.prefixes: each prefix must be a CIDR without host bits, such as 10.64.0.0/11"
		inside   = "spec: a reserved prefix must lie inside one of the pool's prefixes"
	)
	for name, test := range map[string]struct {
		name, spec string
		want       []string // field: sentence; empty: accepted
	}{
		"the least": {spec: "prefixes: [10.64.0.0/11]"},
		"everything": {spec: `prefixes: [10.64.0.0/11, 172.16.0.0/12]
reserved: [{prefix: 10.64.0.0/16, reason: on-premises}, {prefix: 172.16.5.0/24, reason: routers}]
quarantineSeconds: 0
allowedNamespaces: {selector: {matchLabels: {stage: production}}}
deletionPolicy: Protect`},
		"IPv6":                {spec: `prefixes: ["fd00:10::/32"]`},
		"nobody":              {spec: "prefixes: [10.64.0.0/11]\nallowedNamespaces: {selector: {}}"},
		"no prefix":           {spec: "prefixes: []", want: []string{"spec.prefixes: spec.prefixes in body should have at least 1 items"}},
		"no selector":         {spec: "prefixes: [10.64.0.0/11]\nallowedNamespaces: {}", want: []string{"spec.allowedNamespaces.selector: Required value"}},
		"host bits":           {spec: "prefixes: [10.64.0.1/11]", want: []string{hostBits}},
		"no range":            {spec: "prefixes: [ten.one]", want: []string{hostBits}},
		"two families":        {spec: `prefixes: [10.64.0.0/11, "fd00::/48"]`, want: []string{"spec.prefixes: all prefixes must be of one address family: make another pool for the other"}},
		"reserved elsewhere":  {spec: "prefixes: [10.64.0.0/11]\nreserved: [{prefix: 10.0.0.0/16, reason: x}]", want: []string{inside}},
		"reserved host bits":  {spec: "prefixes: [10.64.0.0/11]\nreserved: [{prefix: 10.64.0.1/16, reason: x}]", want: []string{"spec.reserved[0].prefix: a reserved prefix must be a CIDR without host bits, such as 10.64.0.0/16"}},
		"reserved for no one": {spec: "prefixes: [10.64.0.0/11]\nreserved: [{prefix: 10.64.0.0/16}]", want: []string{"spec.reserved[0].reason: Required value"}},
		"retained": {
			spec: "prefixes: [10.64.0.0/11]\ndeletionPolicy: Retain",
			want: []string{"spec.deletionPolicy: deletionPolicy must be Delete or Protect: nothing is left behind that could be retained"},
		},
		"a dot in the name": {
			name: "corp.eu", spec: "prefixes: [10.64.0.0/11]",
			want: []string{"<nil>: name must be at most 63 characters without dots: the names of ranges begin with it"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.name == "" {
				test.name = "corp"
			}
			err := server.Create(t.Context(), address(t, "AddressPool", test.name, test.spec), client.DryRunAll)
			if diff := cmp.Diff(test.want, refusals(t, err)); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddressClaimAdmission(t *testing.T) {
	const pool = "poolRef: {name: corp, namespace: platform}"
	for name, test := range map[string]struct {
		ranges string
		want   []string
	}{
		"a vnet as large as needed": {ranges: "[{name: vnet, " + pool + "}, {name: nodes, within: vnet, sizing: {purpose: Nodes, mode: Overlay, maxNodes: 950, maxPods: 30, surgePercent: 0}}]"},
		"a range in use":            {ranges: "[{name: vnet, " + pool + ", cidr: 10.64.0.0/20}, {name: nodes, within: vnet, cidr: 10.64.0.0/22}]"},
		"of nobody":                 {ranges: "[{name: pods, cidr: 100.64.0.0/12}, {name: six, cidr: \"fd00::/64\"}]"},

		"of two":     {ranges: "[{name: vnet, prefixLength: 20}, {name: nodes, " + pool + ", within: vnet, prefixLength: 22}]", want: []string{"spec.ranges[0]: give poolRef, within or cidr", "spec.ranges[1]: give poolRef or within, not both"}},
		"of nothing": {ranges: "[{name: vnet, prefixLength: 20}]", want: []string{"spec.ranges[0]: give poolRef, within or cidr"}},
		"two sizes":  {ranges: "[{name: vnet, " + pool + ", prefixLength: 20, cidr: 10.64.0.0/20}]", want: []string{"spec.ranges[0]: give only one of cidr, prefixLength and sizing"}},
		"no size":    {ranges: "[{name: vnet, " + pool + "}]", want: []string{"spec.ranges: give cidr, prefixLength or sizing, or ranges within it"}},
		"within what is within": {
			ranges: "[{name: vnet, " + pool + ", prefixLength: 20}, {name: a, within: vnet, prefixLength: 22}, {name: b, within: a, prefixLength: 24}]",
			want:   []string{"spec.ranges: within must name another range of this claim that is within none"},
		},
		"within nothing": {ranges: "[{name: a, within: b, prefixLength: 24}]", want: []string{"spec.ranges: within must name another range of this claim that is within none"}},
		"within itself":  {ranges: "[{name: a, within: a, prefixLength: 24}]", want: []string{"spec.ranges: within must name another range of this claim that is within none"}},
		"pods of CNI": {
			ranges: "[{name: a, " + pool + ", sizing: {purpose: Pods, mode: CNI, maxNodes: 3}}]",
			want:   []string{"spec.ranges[0].sizing: with mode CNI pods have addresses of the nodes' range: ask for a range of purpose Nodes"},
		},
		"host bits": {ranges: "[{name: a, cidr: 10.64.0.1/20}]", want: []string{"spec.ranges[0].cidr: cidr must be a range without host bits, such as 10.64.0.0/20"}},
		"IPv4 in IPv6": {
			ranges: `[{name: a, cidr: "::ffff:10.64.0.0/116"}]`, want: []string{"spec.ranges[0].cidr: cidr must be a range without host bits, such as 10.64.0.0/20"},
		},
		"no ranges": {ranges: "[]", want: []string{"spec.ranges: spec.ranges in body should have at least 1 items"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := server.Create(t.Context(), address(t, "AddressClaim", "c1", "clusterName: c1\nranges: "+test.ranges), client.DryRunAll)
			if diff := cmp.Diff(test.want, refusals(t, err)); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}

// What was given out stays what it is.
func TestAddressesStayWhatTheyAre(t *testing.T) {
	for name, test := range map[string]struct {
		kind, spec, path, want string
		value                  any
	}{
		"ranges":       {"AddressClaim", "{clusterName: c1, ranges: [{name: a, cidr: 10.0.0.0/8}]}", "spec.ranges", "spec.ranges: the ranges of a claim cannot change: make another AddressClaim", []any{map[string]any{"name": "a", "cidr": "10.0.0.0/9"}}},
		"cluster":      {"AddressClaim", "{clusterName: c1, ranges: [{name: a, cidr: 10.0.0.0/8}]}", "spec.clusterName", "spec.clusterName: clusterName is immutable: make another AddressClaim", "c2"},
		"reconcile":    {"AddressClaim", "{clusterName: c1, ranges: [{name: a, cidr: 10.0.0.0/8}]}", "spec.reconcile", "", "Paused"},
		"the range":    {"AddressAllocation", "{poolName: corp, cidr: 10.64.0.0/20}", "spec.cidr", "spec: an allocation cannot change: delete it and make another", "10.64.0.0/21"},
		"its claim":    {"AddressAllocation", "{poolName: corp, cidr: 10.64.0.0/20}", "spec.claim", "spec: an allocation cannot change: delete it and make another", map[string]any{"name": "a", "namespace": "b", "range": "c"}},
		"given back":   {"AddressAllocation", "{poolName: corp, cidr: 10.64.0.0/20}", "spec.releasedTime", "", "2026-11-26T00:00:00Z"},
		"taken again":  {"AddressAllocation", "{poolName: corp, cidr: 10.64.0.0/20, releasedTime: \"2026-11-26T00:00:00Z\"}", "spec.releasedTime", "spec: what was given back cannot be taken again before it has rested", nil},
		"more to give": {"AddressPool", "{prefixes: [10.64.0.0/11]}", "spec.prefixes", "", []any{"10.64.0.0/11", "10.96.0.0/11"}},
	} {
		t.Run(name, func(t *testing.T) {
			object := address(t, test.kind, "stays-"+strings.ReplaceAll(name, " ", "-"), test.spec)
			if err := server.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			if test.value == nil {
				unstructured.RemoveNestedField(object.Object, strings.Split(test.path, ".")...)
			} else if err := unstructured.SetNestedField(object.Object, test.value, strings.Split(test.path, ".")...); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(refusals(t, server.Update(t.Context(), object)), "\n")
			if got != test.want && !(test.want != "" && strings.Contains(got, test.want)) {
				t.Errorf("refused with %q, want %q", got, test.want)
			}
		})
	}
}
