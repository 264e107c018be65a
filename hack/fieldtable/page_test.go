package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

const page = "../../docs/nodepool.md"

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestCommittedPageIsUpToDate(t *testing.T) {
	committed := read(t, page)
	generated, err := update(committed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(generated, committed); diff != "" {
		t.Errorf("docs/nodepool.md is not what the code says: run `make generate` (-generated +committed)\n%s", diff)
	}
}

func TestCommittedFieldsPageIsUpToDate(t *testing.T) {
	if diff := cmp.Diff(fieldsPage(), read(t, "../../docs/agent-pool-fields.md")); diff != "" {
		t.Errorf("docs/agent-pool-fields.md is not what the code says: run `make generate` (-generated +committed)\n%s", diff)
	}
}

// One row of each sort, as people read it.
func TestFieldsPage(t *testing.T) {
	text := fieldsPage()
	for _, row := range []string{
		"| `vmSize` | **replaces the pool**: AKS refuses it | `sku`; CAPZ refuses a change | `vmSize` | `machineType` |",
		"| `count` | in place | `MachinePool`: `replicas` | `MachinePool`: `replicas` | `replicas` |",
		"| `powerState` | cannot be set: it stops every machine of the pool at once; ask for 0 nodes with replicas |  |  |  |",
		"| `upgradeSettings.maxSurge` | in place | patch | `upgradeSettings.maxSurge` | `providerOverrides` |",
		"| `nodeInitializationTaints` *(preview)* | **replaces the pool**: AKS changes new nodes only | patch | `nodeInitializationTaints` | `providerOverrides` |",
		"| `osSKU` | **replaces the pool**: AKS drains and reimages every node itself | patch | `osSKU` | `os.sku` |",
	} {
		if !strings.Contains(text, row+"\n") {
			t.Errorf("there is no row %s", row)
		}
	}
}

// Every field that a Nodepool is said to have is one.
func TestFieldsPageNamesFieldsOfANodepool(t *testing.T) {
	rows, err := table()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"scaling.min": true, "scaling.max": true}
	for _, r := range rows {
		known[r.field] = true
	}
	for _, f := range agentpool.ProviderFields() {
		if f.Nodepool != "" && !known[f.Nodepool] {
			t.Errorf("%s is said to be set by %s, which a Nodepool does not have", f.Path, f.Nodepool)
		}
	}
}

func TestTable(t *testing.T) {
	rows, err := table()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range rows {
		got[r.field] = r.change
	}
	for field, want := range map[string]string{
		"machineType":                 "**replaces the pool**",
		"version":                     "**replaces the pool**",
		"disk.sizeGiB":                "**replaces the pool**",
		"labels":                      "in place",
		"scaling":                     "in place",
		"scaling.downMode":            "in place",
		"spot.evictionPolicy":         "**replaces the pool**",
		"podSubnet":                   "**replaces the pool**",
		"rolloutAfter":                "**replaces the pool**",
		"providerOverrides":           "as each key says",
		"clusterName":                 "refused",
		"replacement.minReadySeconds": "at the next look",
	} {
		if got[field] != want {
			t.Errorf("a change of %s is %q, want %q", field, got[field], want)
		}
	}
}

// What the notes in the table claim.
func TestNotes(t *testing.T) {
	noExecute := agentpool.Spec{Taints: []agentpool.Taint{{Key: "k", Effect: "NoExecute"}}}
	for name, tc := range map[string]struct {
		wanted, existing agentpool.Spec
		want             string
	}{
		"adding NoExecute replaces":        {noExecute, agentpool.Spec{}, "taints Replace"},
		"taking NoExecute away does not":   {agentpool.Spec{}, noExecute, "taints InPlace"},
		"the order of zones":               {agentpool.Spec{Zones: []string{"1", "2"}}, agentpool.Spec{Zones: []string{"2", "1"}}, ""},
		"Regular is what is not said":      {agentpool.Spec{Type: "Regular"}, agentpool.Spec{}, ""},
		"Linux is what is not said":        {agentpool.Spec{OSType: "Linux"}, agentpool.Spec{}, ""},
		"User is what is not said":         {agentpool.Spec{Mode: "User"}, agentpool.Spec{}, ""},
		"unset is no opinion":              {agentpool.Spec{}, agentpool.Spec{MachineType: "D4", MaxPods: 30}, ""},
		"a label taken out is taken off":   {agentpool.Spec{}, agentpool.Spec{Labels: map[string]string{"a": "b"}}, "labels InPlace"},
		"replicas take the autoscaler off": {agentpool.Spec{Replicas: new(int32(3))}, agentpool.Spec{Replicas: new(int32(3)), Scaling: &agentpool.Scaling{Min: 1, Max: 3}}, "scaling InPlace"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range agentpool.Changes(tc.wanted, tc.existing) {
				got = append(got, c.Field+" "+string(c.Effect))
			}
			if strings.Join(got, ", ") != tc.want {
				t.Errorf("changes are %q, want %q", got, tc.want)
			}
		})
	}
}

// The page explains every condition, every step and every reason that a person must act on.
func TestPageExplainsTheWords(t *testing.T) {
	text := read(t, page)
	conditions := constants(t, "../../api/v1alpha1/nodepool_conditions.go")
	steps := constants(t, "../../api/v1alpha1/nodepool_status_types.go")
	for title, words := range map[string][]string{
		"condition types": conditions["Condition types of a Nodepool."],
		"Stalled":         conditions["Reasons of condition Stalled;"],
		"DrainBlocked":    conditions["Reasons of condition DrainBlocked:"],
		"waiting":         conditions["Reasons of condition RollingOut while it is False;"],
		"steps":           steps["ReplacementStep"],
	} {
		if len(words) < 3 {
			t.Errorf("%s: found only %q in the Go files", title, words)
		}
		for _, word := range words {
			if word != "NotBlocked" && word != "NotRollingOut" && !strings.Contains(text, "| `"+word+"` |") {
				t.Errorf("docs/nodepool.md has no row for %s of %s", word, title)
			}
		}
	}
}

// The page of autoscaler profiles explains every word of its own kind that condition Applied or Stalled can have.
func TestPageOfAutoscalerProfilesExplainsTheWords(t *testing.T) {
	text := read(t, "../../docs/cluster-autoscaler.md")
	for title, words := range constants(t, "../../api/v1alpha1/azureclusterautoscaler_conditions.go") {
		for _, word := range words {
			if !strings.Contains(text, "`"+word+"`") {
				t.Errorf("docs/cluster-autoscaler.md does not speak of %s (%s)", word, title)
			}
		}
	}
}

// Whatever can be in a drain's way is explained where people look: the engine's page has a row for each reason, and the Nodepool has
// the same reasons but for the one that passes by itself.
func TestEveryReasonOfADrainIsExplained(t *testing.T) {
	const cordoned = "NotCordoned"
	reasons := constants(t, "../../drain/blocker.go")["Reason"]
	if len(reasons) < 10 || !slices.Contains(reasons, cordoned) {
		t.Fatalf("found only %q in drain/blocker.go", reasons)
	}
	_, section, _ := strings.Cut(read(t, "../../docs/drain.md"), "\n## What is in the way\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var explained []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			explained = append(explained, cells[1])
		}
	}
	for _, reason := range reasons {
		if !slices.ContainsFunc(explained, func(cell string) bool { return strings.Contains(cell, "`"+reason+"`") }) {
			t.Errorf("docs/drain.md has no row for %s in the table of what is in the way", reason)
		}
	}
	ours := constants(t, "../../api/v1alpha1/nodepool_conditions.go")["Reasons of condition DrainBlocked:"]
	want := slices.DeleteFunc(slices.Clone(reasons), func(r string) bool { return r == cordoned })
	if diff := cmp.Diff(slices.Sorted(slices.Values(append(want, "NotBlocked"))), slices.Sorted(slices.Values(ours))); diff != "" {
		t.Errorf("condition DrainBlocked has other reasons than the drain engine (-engine +condition):\n%s", diff)
	}
}

// constants are a Go file's string constants, by the first sentence of their block's comment or, where they have one, by their type.
func constants(t *testing.T, file string) map[string][]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, declaration := range parsed.Decls {
		block, ok := declaration.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		for _, spec := range block.Specs {
			constant := spec.(*ast.ValueSpec)
			literal, ok := constant.Values[0].(*ast.BasicLit)
			if !ok {
				continue
			}
			word, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			key := block.Doc.Text()
			if kind, ok := constant.Type.(*ast.Ident); ok {
				key = kind.Name
			}
			if i := strings.IndexAny(key, ".;:"); i >= 0 {
				key = key[:i+1]
			}
			out[key] = append(out[key], word)
		}
	}
	return out
}
