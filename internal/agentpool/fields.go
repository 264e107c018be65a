// Package agentpool is a node pool as a value: what it consists of, in which
// fields two differ, what each difference costs, and how a new one is named.
package agentpool

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
)

// Spec is a node pool in the words of the Nodepool API. The wanted pool
// and the pools that exist are both told in it, so that they can be compared
// field by field. An unset field of the wanted pool is "no opinion".
type Spec struct {
	// Version is the Kubernetes version with its v ("v1.34.2"). Observe resolves
	// an unset one to the control plane's, so that it is part of the comparison.
	Version     string   `json:"version,omitempty"`
	Type        string   `json:"type,omitempty"`
	MachineType string   `json:"machineType,omitempty"`
	DiskSizeGiB int32    `json:"diskSizeGiB,omitempty"`
	DiskType    string   `json:"diskType,omitempty"`
	MaxPods     int32    `json:"maxPods,omitempty"`
	OSType      string   `json:"osType,omitempty"`
	OSSKU       string   `json:"osSKU,omitempty"`
	Zones       []string `json:"zones,omitempty"`
	Subnet      string   `json:"subnet,omitempty"`
	PodSubnet   string   `json:"podSubnet,omitempty"`
	// SpotMaxPrice is in US dollars per hour, -1 the price of Regular machines.
	SpotMaxPrice       string `json:"spotMaxPrice,omitempty"`
	SpotEvictionPolicy string `json:"spotEvictionPolicy,omitempty"`
	// RolloutAfter is the moment (RFC 3339) that pools made earlier are replaced
	// after, once it has come. It names new pools; existing ones are told by the
	// time they were made.
	RolloutAfter string            `json:"rolloutAfter,omitempty"`
	Mode         string            `json:"-"`
	Labels       map[string]string `json:"-"`
	Taints       []Taint           `json:"-"`
	Tags         map[string]string `json:"-"`
	Replicas     *int32            `json:"-"`
	Scaling      *Scaling          `json:"-"`
	// ScaleDownMode says what becomes of machines that the autoscaler takes away.
	ScaleDownMode string `json:"-"`
	// Overrides are fields of the provider's pool that have none here, by their
	// dotted path, as canonical JSON; see ParseOverrides.
	Overrides map[string]string `json:"overrides,omitempty"`
}

// Taint is a node taint.
type Taint struct{ Key, Value, Effect string }

// Scaling are the cluster autoscaler's bounds, in nodes.
type Scaling struct{ Min, Max int32 }

// Effect is what a changed field costs.
type Effect string

const (
	// InPlace fields are accepted by CAPZ and AKS without touching a node.
	InPlace Effect = "InPlace"
	// Replace fields are refused by CAPZ or AKS, or accepted at the price of
	// reimaging every node under a drain that is not ours.
	Replace Effect = "Replace"
)

// Change is one field in which an existing pool differs from the wanted one.
type Change struct {
	Field, From, To string
	Effect          Effect
}

// field is one row of the in-place-or-replace table.
type field struct {
	name   string
	effect Effect
	// text prints the field; "" means unset. Two pools differ in a field when
	// its text differs, and same, if there is one, does not know better.
	text func(Spec) string
	same func(want, have string) bool
	// exact fields are compared although the wanted side is unset: taking the
	// last label out of the spec takes it off the pool.
	exact bool
	// defaulted is what the platform uses when the field is not said.
	defaulted string
}

// fields is the table of docs/nodepool.md. What AKS and CAPZ do with each field
// is in providerFields. RolloutAfter is not in it: whether a pool is too old is
// asked of the time it was made.
var fields = []field{
	{name: "version", effect: Replace, text: func(s Spec) string { return s.Version }},
	{name: "type", effect: Replace, text: func(s Spec) string { return s.Type }, defaulted: "Regular"},
	{name: "spot.maxPrice", effect: Replace, text: func(s Spec) string { return s.SpotMaxPrice }, same: samePrice, defaulted: "-1"},
	{name: "spot.evictionPolicy", effect: Replace, text: func(s Spec) string { return s.SpotEvictionPolicy }, defaulted: "Delete"},
	{name: "machineType", effect: Replace, text: func(s Spec) string { return s.MachineType }},
	{name: "disk.sizeGiB", effect: Replace, text: func(s Spec) string { return number(s.DiskSizeGiB) }},
	{name: "disk.type", effect: Replace, text: func(s Spec) string { return s.DiskType }},
	{name: "maxPods", effect: Replace, text: func(s Spec) string { return number(s.MaxPods) }},
	{name: "os.type", effect: Replace, text: func(s Spec) string { return s.OSType }, defaulted: "Linux"},
	{name: "os.sku", effect: Replace, text: func(s Spec) string { return s.OSSKU }, same: sameSKU},
	{name: "zones", effect: Replace, text: func(s Spec) string { return strings.Join(sorted(s.Zones), ",") }},
	{name: "subnet", effect: Replace, text: func(s Spec) string { return s.Subnet }, same: sameSubnet},
	{name: "podSubnet", effect: Replace, text: func(s Spec) string { return s.PodSubnet }, same: sameSubnet},
	{name: "mode", effect: InPlace, text: func(s Spec) string { return s.Mode }, defaulted: "User"},
	{name: "labels", effect: InPlace, text: func(s Spec) string { return pairs(s.Labels) }, exact: true},
	{name: "taints", effect: InPlace, text: func(s Spec) string { return taints(s.Taints) }, exact: true},
	{name: "tags", effect: InPlace, text: func(s Spec) string { return pairs(s.Tags) }, exact: true},
	{name: "replicas", effect: InPlace, text: func(s Spec) string { return pointer(s.Replicas) }},
	{name: "scaling", effect: InPlace, text: scaling},
	{name: "scaling.downMode", effect: InPlace, text: func(s Spec) string { return s.ScaleDownMode }, defaulted: "Delete"},
}

// Changes lists the fields in which the pool that exists differs from the
// wanted one, in the order of the table.
func Changes(wanted, existing Spec) []Change {
	var out []Change
	for _, f := range fields {
		want, have := f.text(wanted), f.text(existing)
		if have == "" {
			have = f.defaulted
		}
		if want == have || (want == "" && !f.exact) || (f.same != nil && f.same(want, have)) {
			continue
		}
		effect := f.effect
		if f.name == "taints" && addsNoExecute(wanted.Taints, existing.Taints) {
			// In place, NoExecute deletes running pods past their budgets.
			effect = Replace
		}
		out = append(out, Change{Field: f.name, From: have, To: want, Effect: effect})
	}
	// Asking for a fixed number of nodes takes the autoscaler off.
	if wanted.Replicas != nil && existing.Scaling != nil {
		out = append(out, Change{Field: "scaling", From: scaling(existing), Effect: InPlace})
	}
	return append(out, overrideChanges(wanted, existing)...)
}

// Split separates what can be written to the pool from what needs another.
func Split(changes []Change) (inPlace, replace []Change) {
	for _, c := range changes {
		if c.Effect == Replace {
			replace = append(replace, c)
		} else {
			inPlace = append(inPlace, c)
		}
	}
	return inPlace, replace
}

// Describe prints changes as a person would: "machineType D4 -> D8, maxPods 30 -> 60".
func Describe(changes []Change) string {
	parts := make([]string, 0, len(changes))
	for _, c := range changes {
		parts = append(parts, fmt.Sprintf("%s %s -> %s", c.Field, orNone(c.From), orNone(c.To)))
	}
	return strings.Join(parts, ", ")
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

func addsNoExecute(wanted, existing []Taint) bool {
	for _, t := range wanted {
		if t.Effect == "NoExecute" && !slices.Contains(existing, t) {
			return true
		}
	}
	return false
}

func number(n int32) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func pointer(n *int32) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}

func scaling(s Spec) string {
	if s.Scaling == nil {
		return ""
	}
	return fmt.Sprintf("%d..%d", s.Scaling.Min, s.Scaling.Max)
}

func sorted(in []string) []string {
	out := slices.Clone(in)
	sort.Strings(out)
	return out
}

func pairs(m map[string]string) string {
	parts := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+"="+m[k])
	}
	return strings.Join(parts, ",")
}

func taints(in []Taint) string {
	parts := make([]string, 0, len(in))
	for _, t := range in {
		parts = append(parts, fmt.Sprintf("%s=%s:%s", t.Key, t.Value, t.Effect))
	}
	sort.Strings(parts)
	return strings.Join(parts, ",")
}
