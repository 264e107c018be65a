// Command benchmarks writes docs/benchmarks.md from the measurements in docs/benchmarks/*.json. Numbers are never typed into
// the page, so each one comes with its command, machine and date. `make bench` measures.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

//go:generate go run . -measurements ../../docs/benchmarks -page ../../docs/benchmarks.md

func main() {
	measurements := flag.String("measurements", "docs/benchmarks", "folder with the measurements")
	page := flag.String("page", "docs/benchmarks.md", "the page to write")
	flag.Parse()
	if err := run(*measurements, *page); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder, page string) error {
	text, err := generate(folder)
	if err != nil {
		return err
	}
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func generate(folder string) (string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return "", fmt.Errorf("list the measurements: %w", err)
	}
	var b strings.Builder
	b.WriteString("# Benchmarks\n\n<!-- Generated from benchmarks/*.json by `make generate`; measure again instead of editing. -->\n\n" +
		"Each table is one run of one command on one machine. Run the command to check it.\n")
	if len(files) == 0 {
		b.WriteString("\nNothing has been measured yet.\n")
	}
	for _, file := range files {
		m, err := measurement.Read(file)
		if err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
		write(&b, m, filepath.Base(file))
	}
	return b.String(), nil
}

func write(b *strings.Builder, m measurement.Measurement, file string) {
	fmt.Fprintf(b, "\n## %s\n\n`%s` on %s, %s", m.Title, m.Command, m.Machine, m.Date)
	if m.Repeats > 1 {
		fmt.Fprintf(b, ", median of %d", m.Repeats)
	}
	fmt.Fprintf(b, " ([figures](benchmarks/%s)).\n\n", file)
	b.WriteString("| What | | Spread | Note |\n|---|--:|---|---|\n")
	for _, f := range m.Figures {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", cell(f.Name), cell(strings.TrimSpace(f.Value.String()+" "+f.Unit)), cell(f.Spread), cell(f.Note))
	}
	for _, t := range m.Tables {
		writeTable(b, t)
	}
	if m.Note != "" {
		fmt.Fprintf(b, "\n%s\n", m.Note)
	}
}

// writeTable sets everything but the first column to the right.
func writeTable(b *strings.Builder, t measurement.Table) {
	fmt.Fprintf(b, "\n**%s**\n\n", t.Title)
	fmt.Fprintf(b, "| %s |\n|---%s|\n", strings.Join(cells(t.Columns), " | "), strings.Repeat("|--:", len(t.Columns)-1))
	for _, row := range t.Rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells(row), " | "))
	}
	if t.Note != "" {
		fmt.Fprintf(b, "\n%s\n", t.Note)
	}
}

func cells(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = cell(text)
	}
	return all
}

func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
