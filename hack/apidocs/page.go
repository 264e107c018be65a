package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The parts of a CustomResourceDefinition that a page shows.
type (
	definition struct {
		Kind string `json:"kind"`
		Spec struct {
			Group string `json:"group"`
			Names struct {
				Kind       string   `json:"kind"`
				Plural     string   `json:"plural"`
				ShortNames []string `json:"shortNames"`
			} `json:"names"`
			Scope    string    `json:"scope"`
			Versions []version `json:"versions"`
		} `json:"spec"`
	}
	version struct {
		Name    string   `json:"name"`
		Columns []column `json:"additionalPrinterColumns"`
		Schema  struct {
			Schema schema `json:"openAPIV3Schema"`
		} `json:"schema"`
	}
	column struct {
		Name     string `json:"name"`
		JSONPath string `json:"jsonPath"`
		Priority int    `json:"priority"`
	}
	schema struct {
		Type        string            `json:"type"`
		Format      string            `json:"format"`
		Description string            `json:"description"`
		Enum        []string          `json:"enum"`
		Pattern     string            `json:"pattern"`
		Minimum     *int64            `json:"minimum"`
		Maximum     *int64            `json:"maximum"`
		MaxLength   *int64            `json:"maxLength"`
		MaxItems    *int64            `json:"maxItems"`
		MaxEntries  *int64            `json:"maxProperties"`
		Required    []string          `json:"required"`
		Properties  map[string]schema `json:"properties"`
		Items       *schema           `json:"items"`
		Values      *schema           `json:"additionalProperties"`
		Rules       []rule            `json:"x-kubernetes-validations"`
	}
	rule struct {
		Rule    string `json:"rule"`
		Message string `json:"message"`
	}
)

// page is the whole Markdown page of one version of a kind.
func page(d definition, v version) string {
	root := v.Schema.Schema
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n<!-- Generated from the definition by `make generate`; edit the Go type instead. -->\n\n", d.Spec.Names.Kind)
	fmt.Fprintf(&b, "`%s/%s`, %s", d.Spec.Group, v.Name, strings.ToLower(d.Spec.Scope))
	if len(d.Spec.Names.ShortNames) > 0 {
		fmt.Fprintf(&b, "; short name `%s`", strings.Join(d.Spec.Names.ShortNames, "`, `"))
	}
	fmt.Fprintf(&b, ".\n\n%s\n", oneLine(root.Description))
	for _, part := range []string{"spec", "status"} {
		if s, ok := root.Properties[part]; ok {
			fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| Field | Type | Needed | Allowed | What it is |\n|---|---|---|---|---|\n", part, oneLine(s.Description))
			fields(&b, "", s)
		}
	}
	rules := collectRules("", root)
	if len(rules) > 0 {
		fmt.Fprint(&b, "\n## Rules\n\nThe API server refuses what breaks one of these, with this sentence.\n\n| On | Sentence |\n|---|---|\n")
		for _, r := range rules {
			fmt.Fprintf(&b, "| %s | %s |\n", r[0], cell(r[1]))
		}
	}
	fmt.Fprint(&b, "\n## Columns of `kubectl get`\n\n| Column | From | Shown |\n|---|---|---|\n")
	for _, c := range v.Columns {
		shown := "always"
		if c.Priority > 0 {
			shown = "with `-o wide`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", c.Name, c.JSONPath, shown)
	}
	return b.String()
}

func fields(b *strings.Builder, prefix string, s schema) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		field := s.Properties[name]
		needed := ""
		if slices.Contains(s.Required, name) {
			needed = "yes"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", prefix+name, typeName(field), needed, cell(allowed(field)), cell(oneLine(field.Description)))
		if inner, suffix := nested(field); inner != nil && prefix+name != "conditions" {
			fields(b, prefix+name+suffix+".", *inner)
		}
	}
}

// nested returns the structure under a field, if there is one, and what its path needs: nothing, or [] for a list.
func nested(s schema) (*schema, string) {
	switch {
	case len(s.Properties) > 0:
		return &s, ""
	case s.Items != nil && len(s.Items.Properties) > 0:
		return s.Items, "[]"
	}
	return nil, ""
}

func typeName(s schema) string {
	switch {
	case s.Type == "array" && s.Items != nil:
		return "list of " + typeName(*s.Items)
	case s.Type == "object" && s.Values != nil:
		return "map of " + typeName(*s.Values)
	case s.Format == "date-time":
		return "time"
	}
	return s.Type
}

// allowed says what a value must look like, in few words.
func allowed(s schema) string {
	var parts []string
	if len(s.Enum) > 0 {
		parts = append(parts, "`"+strings.Join(s.Enum, "`, `")+"`")
	}
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		parts = append(parts, fmt.Sprintf("%d to %d", *s.Minimum, *s.Maximum))
	case s.Minimum != nil:
		parts = append(parts, fmt.Sprintf("at least %d", *s.Minimum))
	}
	if s.MaxLength != nil {
		parts = append(parts, fmt.Sprintf("at most %d characters", *s.MaxLength))
	}
	if s.MaxItems != nil {
		parts = append(parts, fmt.Sprintf("at most %d", *s.MaxItems))
	}
	if s.MaxEntries != nil {
		parts = append(parts, fmt.Sprintf("at most %d", *s.MaxEntries))
	}
	if s.Pattern != "" {
		parts = append(parts, "`"+s.Pattern+"`")
	}
	if s.Items != nil && s.Items.Pattern != "" {
		parts = append(parts, "each `"+s.Items.Pattern+"`")
	}
	return strings.Join(parts, "; ")
}

// collectRules walks the schema and returns pairs of path and message, parents first.
func collectRules(path string, s schema) [][2]string {
	var found [][2]string
	on := "the object"
	if path != "" {
		on = "`" + path + "`"
	}
	for _, r := range s.Rules {
		found = append(found, [2]string{on, r.Message})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		field, child := s.Properties[name], name
		if path != "" {
			child = path + "." + name
		}
		if field.Items != nil {
			found = append(found, collectRules(child+"[]", *field.Items)...)
		}
		found = append(found, collectRules(child, field)...)
	}
	return found
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
