package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The table stands between these lines; everything else in the file is a person's.
const (
	tableBegins = "<!-- values: begin (generated from values.yaml by `make generate`) -->\n"
	tableEnds   = "<!-- values: end -->\n"
)

// value is one row: a setting that has no settings in it.
type value struct{ path, fallback, meaning string }

func describe(valuesFile, readme string) error {
	content, err := os.ReadFile(valuesFile)
	if err != nil {
		return fmt.Errorf("read the values: %w", err)
	}
	rows, err := read(content)
	if err != nil {
		return fmt.Errorf("read %s: %w", valuesFile, err)
	}
	page, err := os.ReadFile(readme)
	if err != nil {
		return fmt.Errorf("read the chart's README: %w", err)
	}
	before, rest, found := strings.Cut(string(page), tableBegins)
	_, after, foundEnd := strings.Cut(rest, tableEnds)
	if !found || !foundEnd {
		return fmt.Errorf("%s has no lines %q and %q to put the table between", readme, tableBegins, tableEnds)
	}
	if err := os.WriteFile(readme, []byte(before+tableBegins+table(rows)+tableEnds+after), 0o644); err != nil {
		return fmt.Errorf("write the chart's README: %w", err)
	}
	return nil
}

func table(rows []value) string {
	var b strings.Builder
	b.WriteString("| Value | Default | What it is |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", r.path, r.fallback, r.meaning)
	}
	return b.String()
}

func read(content []byte) ([]value, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, err
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("it is not one map")
	}
	return collect(nil, "", document.Content[0])
}

// collect adds the settings of one map. A comment that stands above several settings without a blank line in between is for all
// of them, as values.yaml writes it.
func collect(rows []value, prefix string, settings *yaml.Node) ([]value, error) {
	shared, sharedLine := "", 0
	for i := 0; i < len(settings.Content); i += 2 {
		key, setting := settings.Content[i], settings.Content[i+1]
		path := prefix + key.Value
		comment := sentence(key.HeadComment)
		if comment == "" && key.Line == sharedLine+1 {
			comment = shared
		}
		shared, sharedLine = comment, key.Line
		if setting.Kind == yaml.MappingNode && len(setting.Content) > 0 && (key.HeadComment == "" || prefix != "") {
			var err error
			if rows, err = collect(rows, path+".", setting); err != nil {
				return nil, err
			}
			continue
		}
		if comment == "" {
			return nil, fmt.Errorf("%s has no comment that says what it is", path)
		}
		fallback, err := inline(setting)
		if err != nil {
			return nil, fmt.Errorf("print %s: %w", path, err)
		}
		rows = append(rows, value{path: path, fallback: fallback, meaning: comment})
	}
	return rows, nil
}

func sentence(comment string) string {
	lines := strings.Split(comment, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "#"))
	}
	return strings.ReplaceAll(strings.TrimSpace(strings.Join(lines, " ")), "|", `\|`)
}

func inline(n *yaml.Node) (string, error) {
	var decoded any
	if err := n.Decode(&decoded); err != nil {
		return "", err
	}
	encoded, err := json.Marshal(decoded)
	return string(encoded), err
}
