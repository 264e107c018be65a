package desired

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"
)

// asoObject is the spec of an Azure Service Operator object.
type asoObject map[string]any

// patch applies merge patches, in YAML or JSON, that were written for the whole object, as CAPZ does, see applyPatches in
// azure/services/aso/aso.go.
func patch(spec asoObject, patches []string) (asoObject, error) {
	document, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	for i, each := range patches {
		change, err := yaml.YAMLToJSON([]byte(each))
		if err != nil {
			return nil, fmt.Errorf("failed to convert patch at index %d to JSON: %w", i, err)
		}
		if document, err = jsonpatch.MergePatch(document, change); err != nil {
			return nil, fmt.Errorf("failed to apply patch at index %d: %w", i, err)
		}
	}
	var patched struct {
		Spec asoObject `json:"spec"`
	}
	if err := json.Unmarshal(document, &patched); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return patched.Spec, nil
}

// arm returns the object as Azure Resource Manager wants it: without what only the operator understands, and with ids in
// place of references.
func (o asoObject) arm() map[string]any {
	properties := map[string]any{}
	for field, value := range o {
		switch field {
		case "azureName", "owner", "operatorSpec", "originalVersion":
		case "autoScalerProfile":
			properties[field] = kebab(value)
		default:
			name, plain := dereference(field, value)
			if plain != nil {
				properties[name] = plain
			}
		}
	}
	return properties
}

// dereference turns {"vnetSubnetReference": {"armId": X}} into vnetSubnetID: X, and so on below.
func dereference(field string, value any) (string, any) {
	switch v := value.(type) {
	case map[string]any:
		if id, ok := v["armId"]; ok && len(v) == 1 {
			return referenceField(field), id
		}
		plain := map[string]any{}
		for name, inner := range v {
			name, inner = dereference(name, inner)
			plain[name] = inner
		}
		return field, plain
	case []any:
		plain := make([]any, len(v))
		for i := range v {
			_, plain[i] = dereference("", v[i])
		}
		return field, plain
	default:
		return field, value
	}
}

func referenceField(field string) string {
	switch stem, found := strings.CutSuffix(field, "Reference"); {
	case field == "reference":
		return "id"
	case !found:
		return field
	case strings.HasSuffix(stem, "esource"):
		return stem + "Id"
	default:
		return stem + "ID"
	}
}

// kebab renames fields as Azure spells those of the autoscaler profile: scan-interval for scanInterval.
func kebab(value any) any {
	fields, ok := value.(map[string]any)
	if !ok {
		return value
	}
	renamed := map[string]any{}
	for field, inner := range fields {
		var name strings.Builder
		for _, letter := range field {
			if unicode.IsUpper(letter) {
				name.WriteByte('-')
			}
			name.WriteRune(unicode.ToLower(letter))
		}
		renamed[name.String()] = inner
	}
	return renamed
}
