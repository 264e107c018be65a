// Command chart keeps the Helm chart in step with what is generated elsewhere: it copies definitions, rights and policies from
// config, and writes the table of values in the chart's README from the comments in values.yaml.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run . -root ../..

func main() {
	root := flag.String("root", ".", "folder of the repository")
	flag.Parse()
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string) error {
	chart := filepath.Join(root, "charts", "fleetwright")
	for _, folder := range []string{"crd", "rbac", "policy"} {
		if err := mirror(filepath.Join(root, "config", folder), filepath.Join(chart, "files", folder)); err != nil {
			return err
		}
	}
	return describe(filepath.Join(chart, "values.yaml"), filepath.Join(chart, "README.md"))
}

// mirror makes the YAML files in to the same as those in from.
func mirror(from, to string) error {
	wanted, err := filepath.Glob(filepath.Join(from, "*.yaml"))
	if err != nil {
		return fmt.Errorf("list %s: %w", from, err)
	}
	if len(wanted) == 0 {
		return fmt.Errorf("there are no YAML files in %s: run the generators first", from)
	}
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("empty %s: %w", to, err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", to, err)
	}
	for _, file := range wanted {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(file)), content, 0o644); err != nil {
			return fmt.Errorf("copy %s: %w", file, err)
		}
	}
	return nil
}
