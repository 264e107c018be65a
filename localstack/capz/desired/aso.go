package desired

import (
	"encoding/json"
	"fmt"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
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

// arm returns the object as Azure Resource Manager wants it. CAPZ itself refers to everything by id.
func (o asoObject) arm() (map[string]any, error) { return asospec.Properties(o, asospec.ByID) }
