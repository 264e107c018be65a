package effective

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden is a class and a cluster as people have them. Its hash is that of docs/kubectl-plugin.md; when it changes, the hash of every cluster of
// every fleet does.
func TestGolden(t *testing.T) {
	e := merged(t, file(t, "testdata/class.yaml"), file(t, "testdata/cluster.yaml"))
	values, err := e.Values()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "hash %s\n", e.Hash)
	for _, v := range values {
		fmt.Fprintf(&out, "%v = %v (%s)\n", v.Path, v.Value, v.Source)
	}
	if *update {
		if err := os.WriteFile("testdata/effective.golden", []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(file(t, "testdata/effective.golden"), out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if problems := Problems("prod-eu-1", e, nil); len(problems) > 0 {
		t.Errorf("problems: %v", problems)
	}
}

func file(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestHash(t *testing.T) {
	const base = "version: v1.34.2\nazure: {location: westeurope}\nnodepools: [{name: a, spec: {replicas: 1}}, {name: b}]\nnetwork: {addresses: [{name: vnet, poolRef: {name: p, namespace: platform}}, {name: pods, cidr: 10.0.0.0/12}]}\n"
	want := merged(t, "", base).Hash
	for name, c := range map[string]struct {
		class, cluster string
		equal          bool
	}{
		"itself":               {"", base, true},
		"said by a class":      {base, "", true},
		"said by halves":       {"version: 1.34.2\nnodepools: [{name: b}]", strings.Replace(base, "version: v1.34.2\n", "", 1), true},
		"defaults written out": {"", strings.Replace(base, "{location: westeurope}", "{location: westeurope, resourceGroupPolicy: Keep}", 1) + "flavor: AzureASOManaged\nlimits: {maxNodes: 950}\ntenancy: {mode: Shared}", true},
		"another order":        {"", strings.Replace(base, "[{name: a, spec: {replicas: 1}}, {name: b}]", "[{name: b}, {name: a, spec: {replicas: 1}}]", 1), true},
		"another group":        {"", strings.Replace(base, "westeurope", "westeurope, resourceGroup: g", 1), true},
		"a tenant's name":      {"", base + "tenancy: {tenant: x}", true},
		"other addresses":      {"", strings.Replace(base, "10.0.0.0/12", "11.0.0.0/12", 1), true},
		"adopted":              {"", strings.Replace(base, "name: b", "name: b, machinePools: [x]", 1), true},
		"another pool":         {"", strings.Replace(base, "name: p,", "name: q,", 1), false},
		"another version":      {"", strings.Replace(base, "1.34.2", "1.34.3", 1), false},
		"another number":       {"", strings.Replace(base, "replicas: 1", "replicas: 2", 1), false},
		"an override":          {"", base + "providerOverrides: {a: 1}", false},
	} {
		if got := merged(t, c.class, c.cluster).Hash; (got == want) != c.equal {
			t.Errorf("%s: hash is %s, and that of the first %s", name, got, want)
		}
	}
	for _, twice := range [][2]string{
		{`nodepools: [{name: a, spec: {zones: ["1", "2"]}}]`, `nodepools: [{name: a, spec: {zones: ["2", "1"]}}]`},
		{"nodepools: [{name: a, spec: {taints: [{key: k, effect: NoSchedule}, {key: l, effect: NoSchedule}]}}]", "nodepools: [{name: a, spec: {taints: [{key: l, effect: NoSchedule}, {key: k, effect: NoSchedule}]}}]"},
		{"addons: [{name: a, kind: HelmRelease, after: [b, c]}]", "addons: [{name: a, kind: HelmRelease, after: [c, b]}]"},
	} {
		if one, other := merged(t, "", twice[0]).Hash, merged(t, "", twice[1]).Hash; one != other {
			t.Errorf("%s: hash is %s, and in another order %s", twice[0], one, other)
		}
	}
}
