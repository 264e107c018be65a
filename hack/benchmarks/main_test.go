package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommittedPageIsUpToDate(t *testing.T) {
	committed, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	generated, err := generate("../../docs/benchmarks")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(generated, string(committed)); diff != "" {
		t.Errorf("docs/benchmarks.md is not what the measurements say: run `make generate` (-generated +committed)\n%s", diff)
	}
}

func TestGenerate(t *testing.T) {
	const machine = `{"cores": 2, "memory": "24 GiB", "os": "linux/amd64", "go": "go1.26.0"}`
	const rest = `"machine": ` + machine + `, "date": "2026-11-23", "repeats": 1`
	for name, tc := range map[string]struct {
		file, want, err string
	}{
		"a measurement": {
			file: `{"name": "x", "title": "Start", "command": "make demo", "machine": ` + machine + `, "date": "2026-11-23", "repeats": 3, "note": "Warm.",
				"figures": [{"name": "until Ready", "value": 41.5, "unit": "s", "spread": "40 to 43", "note": "a|b"}, {"name": "violations", "value": 0}]}`,
			want: "\n## Start\n\n`make demo` on 2 cores, 24 GiB, linux/amd64, go1.26.0, 2026-11-23, median of 3 ([figures](benchmarks/x.json)).\n\n" +
				"| What | | Spread | Note |\n|---|--:|---|---|\n" +
				"| until Ready | 41.5 s | 40 to 43 | a\\|b |\n| violations | 0 |  |  |\n\nWarm.\n",
		},
		"a table": {
			file: `{"name": "x", "title": "Start", "command": "make", ` + rest + `, "figures": [{"name": "a", "value": 1}], "note": "Cold.", "runs": [{"any": 1}],
				"tables": [{"title": "All", "columns": ["Who", "s", "calls"], "rows": [["a|b", "1.5", "2"]], "note": "Warm."}]}`,
			want: "| a | 1 |  |  |\n\n**All**\n\n| Who | s | calls |\n|---|--:|--:|\n| a\\|b | 1.5 | 2 |\n\nWarm.\n\nCold.\n",
		},
		"a crooked table": {
			file: `{"name": "x", "title": "Start", "command": "make", ` + rest + `, "figures": [{"name": "a", "value": 1}],
				"tables": [{"title": "All", "columns": ["Who", "s"], "rows": [["a"]]}]}`,
			err: "table 1",
		},
		"an unknown key":  {file: `{"headline": "Start"}`, err: `unknown field "headline"`},
		"no title":        {file: `{"name": "x", "command": "make", ` + rest + `, "figures": [{"name": "a", "value": 1}]}`, err: "title"},
		"no machine":      {file: `{"name": "x", "title": "Start", "command": "make", "date": "2026-11-23", "repeats": 1, "figures": [{"name": "a", "value": 1}]}`, err: "machine"},
		"no date":         {file: `{"name": "x", "title": "Start", "command": "make", "machine": ` + machine + `, "repeats": 1, "figures": [{"name": "a", "value": 1}]}`, err: "date"},
		"no repeats":      {file: `{"name": "x", "title": "Start", "command": "make", "machine": ` + machine + `, "date": "2026-11-23", "figures": [{"name": "a", "value": 1}]}`, err: "repeats"},
		"no number":       {file: `{"name": "x", "title": "Start", "command": "make", ` + rest + `, "figures": [{"name": "a"}]}`, err: "needs a name and a number"},
		"a number's text": {file: `{"name": "x", "title": "Start", "command": "make", ` + rest + `, "figures": [{"name": "a", "value": "fast"}]}`, err: "invalid number"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "x.json"), []byte(tc.file), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := generate(folder)
			if (err != nil) != (tc.err != "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("generate() = %v, want %q", err, tc.err)
			}
			if !strings.HasSuffix(got, tc.want) {
				t.Errorf("the page is\n%s\nwant at its end\n%s", got, tc.want)
			}
		})
	}
}

func TestNothingMeasured(t *testing.T) {
	got, err := generate(t.TempDir())
	if err != nil || !strings.HasSuffix(got, "\nNothing has been measured yet.\n") {
		t.Errorf("generate() = %q, %v", got, err)
	}
}
