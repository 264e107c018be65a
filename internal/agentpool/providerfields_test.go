package agentpool

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// upstream is what hack/fieldtable/upstream read from the sources of CAPZ and
// Azure Service Operator.
type upstream struct {
	Module, Version            string
	Fields, Preview, Immutable []string
}

func read(t *testing.T) (aso, capz upstream) {
	t.Helper()
	text, err := os.ReadFile("testdata/upstream.json")
	if err != nil {
		t.Fatal(err)
	}
	var both []upstream
	if err := json.Unmarshal(text, &both); err != nil || len(both) != 2 {
		t.Fatalf("%d modules, %v", len(both), err)
	}
	return both[0], both[1]
}

// Another version may have other fields: they must be read, and looked at.
func TestUpstreamIsTheVersionInUse(t *testing.T) {
	aso, capz := read(t)
	for file, of := range map[string]upstream{
		"../../localstack/realcapz/aso/go.mod": aso, "../../localstack/realcapz/capz/go.mod": capz, "../../localstack/go.mod": capz,
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), of.Module+" "+of.Version) {
			t.Errorf("%s has another version of %s than %s: run `go run ./hack/fieldtable/upstream`", file, of.Module, of.Version)
		}
	}
}

// Every field of ManagedClustersAgentPool has a class, and no row is of a field
// that is none.
func TestEveryFieldHasAClass(t *testing.T) {
	aso, _ := read(t)
	used := map[string]bool{}
	for _, path := range append(slices.Clone(aso.Fields), aso.Preview...) {
		field := ProviderFieldOf(path)
		if field.Path == path && field.Typed == "" && !slices.Contains(rows(), path) {
			t.Errorf("%s has no class: add a row to providerFields", path)
		}
		used[field.Path] = true
		if preview := slices.Contains(aso.Preview, path); preview != field.Preview && field.Class != Unsupported {
			t.Errorf("%s: preview is %t, want %t", path, field.Preview, preview)
		}
	}
	for _, path := range rows() {
		if !used[path] {
			t.Errorf("%s is no field of an agent pool", path)
		}
	}
	if !slices.IsSorted(rows()) {
		t.Error("the rows are not in order")
	}
}

func rows() []string {
	var out []string
	for _, f := range providerFields {
		out = append(out, f.Path)
	}
	return out
}

// CAPZ's own webhook says what it refuses.
func TestWebhookRefusesWhatTheTableSays(t *testing.T) {
	_, capz := read(t)
	for _, f := range providerFields {
		if f.Typed != "" && !strings.HasPrefix(f.Typed, OnMachinePool) && f.Webhook != slices.Contains(capz.Immutable, f.Typed) {
			t.Errorf("%s: the webhook refuses a change of %s: %t, the table says %t", f.Path, f.Typed, !f.Webhook, f.Webhook)
		}
		if f.Webhook && f.Class.Effect() == InPlace {
			t.Errorf("%s is changed in place, which the webhook refuses", f.Path)
		}
	}
}

// Every field of an AzureManagedMachinePool is read as one of an agent pool's.
func TestEveryTypedFieldIsInTheTable(t *testing.T) {
	_, capz := read(t)
	known := map[string]bool{"asoManagedClustersAgentPoolPatches": true}
	for _, f := range providerFields {
		known[f.Typed] = true
	}
	for _, path := range capz.Fields {
		if name, _, _ := strings.Cut(path, "."); !known[name] {
			t.Errorf("%s of an AzureManagedMachinePool is in no row", name)
		}
	}
}
