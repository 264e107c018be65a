// Command apidocs writes one Markdown page per kind from the generated CustomResourceDefinitions: every field with its
// type, whether it is required, its bounds and its description, and every rule with the message a user gets. Conditions
// and reasons come from the comments of the kind's Go file <kind>_conditions.go.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	crds := flag.String("crds", "config/crd", "folder with the definitions")
	types := flag.String("types", "api", "folder with the Go types, one folder per version in it")
	out := flag.String("out", "docs/reference", "folder for the pages")
	flag.Parse()
	if err := run(*crds, *types, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(crds, types, out string) error {
	files, err := filepath.Glob(filepath.Join(crds, "*.yaml"))
	if err != nil {
		return fmt.Errorf("list definitions: %w", err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("make the folder for the pages: %w", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read a definition: %w", err)
		}
		var d definition
		if err := yaml.Unmarshal(content, &d); err != nil {
			return fmt.Errorf("parse %s: %w", file, err)
		}
		if d.Kind != "CustomResourceDefinition" {
			continue
		}
		for _, version := range d.Spec.Versions {
			kind := strings.ToLower(d.Spec.Names.Kind)
			words, err := reasons(filepath.Join(types, version.Name, kind+"_conditions.go"))
			if err != nil {
				return err
			}
			name := kind + ".md"
			if len(d.Spec.Versions) > 1 {
				name = version.Name + "-" + name
			}
			if err := os.WriteFile(filepath.Join(out, name), []byte(page(d, version)+words), 0o644); err != nil {
				return fmt.Errorf("write a page: %w", err)
			}
		}
	}
	return nil
}
