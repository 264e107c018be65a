package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The committed chart is what the generator makes of the committed sources.
func TestCommittedChartIsUpToDate(t *testing.T) {
	const root = "../.."
	for _, folder := range []string{"crd", "rbac", "policy"} {
		want, got := files(t, filepath.Join(root, "config", folder)), files(t, filepath.Join(root, "charts/fleetwright/files", folder))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("charts/fleetwright/files/%s differs from config/%s: run `make generate` (-config +chart)\n%s", folder, folder, diff)
		}
	}
	committed, err := os.ReadFile(filepath.Join(root, "charts/fleetwright/README.md"))
	if err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(fresh, committed, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := describe(filepath.Join(root, "charts/fleetwright/values.yaml"), fresh); err != nil {
		t.Fatal(err)
	}
	generated, err := os.ReadFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(generated), string(committed)); diff != "" {
		t.Errorf("charts/fleetwright/README.md is not what values.yaml says: run `make generate` (-generated +committed)\n%s", diff)
	}
}

func files(t *testing.T, folder string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = string(content)
	}
	if len(out) == 0 {
		t.Fatalf("there is nothing in %s", folder)
	}
	return out
}

func TestRead(t *testing.T) {
	for name, tc := range map[string]struct {
		values string
		want   []value
		err    string
	}{
		"a setting": {
			values: "# How many.\nreplicas: 1\n",
			want:   []value{{"replicas", "1", "How many."}},
		},
		"a comment over two lines": {
			values: "# How\n# many.\nreplicas: 1\n",
			want:   []value{{"replicas", "1", "How many."}},
		},
		"settings in settings": {
			values: "a:\n  # First.\n  b: x\n  c:\n    # Second.\n    d: true\n",
			want:   []value{{"a.b", `"x"`, "First."}, {"a.c.d", "true", "Second."}},
		},
		"one comment for neighbours": {
			values: "# Both.\na: {}\nb: []\n",
			want:   []value{{"a", "{}", "Both."}, {"b", "[]", "Both."}},
		},
		"a described map is one value": {
			values: "# Sizes.\nresources:\n  requests: {cpu: 1}\n",
			want:   []value{{"resources", `{"requests":{"cpu":1}}`, "Sizes."}},
		},
		"a bar": {
			values: "# a|b\nx: 1\n",
			want:   []value{{"x", "1", `a\|b`}},
		},
		"no comment": {
			values: "# One.\na: 1\n\nb: 2\n",
			err:    "b has no comment that says what it is",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read([]byte(tc.values))
			if (err != nil) != (tc.err != "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("read() = %v, want %q", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(value{})); diff != "" {
				t.Errorf("read() (-want +got)\n%s", diff)
			}
		})
	}
}
