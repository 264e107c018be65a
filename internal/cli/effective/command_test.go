package effective_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cli"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// run is the plugin as a person types it where no management cluster is.
func run(t *testing.T, input string, args ...string) (code int, out, errOut string) {
	t.Helper()
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	var o, e bytes.Buffer
	code = cli.Run(t.Context(), cli.New(genericiooptions.IOStreams{In: strings.NewReader(input), Out: &o, ErrOut: &e}), append([]string{"effective"}, args...))
	return code, o.String(), e.String()
}

func file(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A class that is in the files needs no management cluster: a pipeline sees what a change amounts to.
func TestFormats(t *testing.T) {
	for name, args := range map[string][]string{
		"plain.golden": nil, "sources.golden": {"--sources"}, "json.golden": {"-o", "json", "--sources"},
	} {
		code, out, errOut := run(t, file(t, "input.yaml"), append([]string{"-f", "-"}, args...)...)
		if code != 0 || errOut != "" {
			t.Errorf("%s: exit code %d, %s", name, code, errOut)
		}
		if *update {
			if err := os.WriteFile(filepath.Join("testdata", name), []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(file(t, name), out); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// Comments are all that --sources adds.
	var plain, explained fleetwrightv1.WorkloadClusterTemplate
	for name, into := range map[string]any{"plain.golden": &plain, "sources.golden": &explained} {
		if err := yaml.UnmarshalStrict([]byte(file(t, name)), into); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(plain, explained); diff != "" {
		t.Errorf("with its sources it is something else:\n%s", diff)
	}
}

func TestFilesSayWhatIsWrong(t *testing.T) {
	const head = "apiVersion: fleetwright.io/v1alpha1\nkind: WorkloadCluster\nmetadata: {name: c%s}\nspec:\n  "
	cluster := func(name, spec string) string { return strings.Replace(head, "c%s", name, 1) + spec + "\n---\n" }
	sound := "{version: v1.34.2, azure: {location: westeurope}, nodepools: [{name: s, spec: {mode: System, machineType: D4}}]}"
	for name, c := range map[string]struct {
		input string
		args  []string
		code  int
		out   []string
		err   string
	}{
		"two, and other kinds": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\n" + cluster("a", sound) + cluster("b", sound), nil, 0,
			[]string{"# WorkloadCluster default/a, hash ", "\n---\n# WorkloadCluster default/b, hash "}, "",
		},
		"a namespace": {cluster("a", sound), []string{"-n", "prod"}, 0, []string{"# WorkloadCluster prod/a,"}, ""},
		"another namespace": {
			cluster("a, namespace: other", sound), []string{"-n", "prod"}, 1, nil, "error: WorkloadCluster a is of namespace other, and --namespace says prod\n",
		},
		"problems": {
			cluster("a", "{limits: {maxNodes: 3}, providerOverrides: {location: x, networkProfile: y}}"), nil, 1, []string{"  maxNodes: 3\n"},
			`error: WorkloadCluster default/a: InvalidSpec: version is set neither here nor in the class: set it, for example v1.34.2
error: WorkloadCluster default/a: InvalidSpec: azure.location is set neither here nor in the class: set it, for example westeurope
error: WorkloadCluster default/a: InvalidSpec: nodepools are set neither here nor in the class: a cluster needs one with mode System
error: WorkloadCluster default/a: OverrideConflict: providerOverrides.location belongs to a field of the spec, or to another object: take it out
error: WorkloadCluster default/a: OverrideConflict: providerOverrides.networkProfile belongs to a field of the spec, or to another object: take it out
`,
		},
		"what shows only underneath": {
			cluster("a", strings.Replace(sound, "nodepools:", "network: {addresses: [{name: services, cidr: 10.3.0.0/29}]}, nodepools:", 1)), nil, 1, []string{"  - cidr: 10.3.0.0/29\n"},
			"error: WorkloadCluster default/a: InvalidSpec: network.addresses[services]: 10.3.0.0/29 has no room for the address of the DNS service, its eleventh: give a /28 or larger\n",
		},
		"a field that does not exist": {cluster("a", "{machineTypes: D4}"), nil, 1, nil, "error: WorkloadCluster a: strict decoding error: unknown field \"spec.machineTypes\"\n"},
		"a list with a name twice": {
			cluster("a", "{nodepools: [{name: s}, {name: s}]}"), nil, 1, nil, "error: WorkloadCluster default/a: reading the spec: nodepools has \"s\" twice: tell its entries apart by name\n",
		},
		"nothing":        {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", nil, 1, nil, "error: there is no WorkloadCluster (fleetwright.io/v1alpha1) in what was read\n"},
		"both":           {"", []string{"c"}, 1, nil, "error: name either WorkloadClusters or, with -f, files\n"},
		"a wrong format": {"", []string{"-o", "xml"}, 1, nil, "error: --output \"xml\" is none of yaml, json\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := run(t, c.input, append(c.args, "-f", "-")...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, word := range c.out {
				if !strings.Contains(out, word) {
					t.Errorf("missing %q in:\n%s", word, out)
				}
			}
			if diff := cmp.Diff(c.err, errOut); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if code, _, errOut := run(t, ""); code != 1 || !strings.HasPrefix(errOut, "error: say which: NAME of a WorkloadCluster, or -f FILE") {
		t.Errorf("exit code %d, %s", code, errOut)
	}
	// Programs read what is wrong as well.
	_, out, _ := run(t, cluster("a", "{limits: {maxNodes: 3}}"), "-f", "-", "-o", "json")
	var document struct {
		Kind  string
		Items []struct {
			Problems []struct{ Reason, Message string }
		}
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil || document.Kind != "EffectiveWorkloadClusterList" || document.Items[0].Problems[0].Reason != "InvalidSpec" {
		t.Errorf("%v in:\n%s", err, out)
	}
}
