package asospec

import (
	"fmt"
	"strings"
	"unicode"
)

// Reference points to another resource: by its id in Azure, or by the object that stands for it.
type Reference struct{ ARMID, Group, Kind, Name string }

// Resolve returns the id of what a reference points to.
type Resolve func(Reference) (string, error)

// ByID resolves references that are ids already, and no others.
func ByID(reference Reference) (string, error) {
	if reference.ARMID == "" {
		return "", fmt.Errorf("%s %s/%s is not an id in Azure", reference.Kind, reference.Group, reference.Name)
	}
	return reference.ARMID, nil
}

// ARM returns the body that Azure Resource Manager wants for a spec of this kind.
func (k *Kind) ARM(spec map[string]any, resolve Resolve) (map[string]any, error) {
	fields, err := Properties(spec, resolve)
	if err != nil {
		return nil, err
	}
	if identity, ok := fields["identity"].(map[string]any); ok {
		identify(identity)
	}
	body, properties := map[string]any{}, map[string]any{}
	for field, value := range fields {
		if k.top.Has(field) {
			body[field] = value
		} else {
			properties[field] = value
		}
	}
	if len(properties) > 0 {
		body["properties"] = properties
	}
	return body, nil
}

// Properties returns a spec as Azure Resource Manager wants it: without what only the operator understands, and with ids in
// place of references.
func Properties(spec map[string]any, resolve Resolve) (map[string]any, error) {
	properties := map[string]any{}
	for field, value := range spec {
		switch field {
		case "azureName", "owner", "operatorSpec", "originalVersion":
		case "autoScalerProfile":
			properties[field] = renamed(value, kebab)
		default:
			name, plain, err := dereference(field, value, resolve)
			if err != nil {
				return nil, err
			}
			if plain != nil {
				properties[name] = plain
			}
		}
	}
	return properties, nil
}

// dereference turns {"vnetSubnetReference": {"armId": X}} into vnetSubnetID: X, and so on below.
func dereference(field string, value any, resolve Resolve) (string, any, error) {
	switch v := value.(type) {
	case map[string]any:
		if reference, ok := referenceIn(v); ok {
			id, err := resolve(reference)
			return referenceField(field), id, err
		}
		plain := map[string]any{}
		for name, inner := range v {
			name, inner, err := dereference(name, inner, resolve)
			if err != nil {
				return "", nil, err
			}
			plain[name] = inner
		}
		return field, plain, nil
	case []any:
		plain := make([]any, len(v))
		for i := range v {
			var err error
			if _, plain[i], err = dereference("", v[i], resolve); err != nil {
				return "", nil, err
			}
		}
		return field, plain, nil
	default:
		return field, value, nil
	}
}

// referenceIn says whether an object is a reference: an id alone, or group, kind and name together.
func referenceIn(object map[string]any) (Reference, bool) {
	text := func(field string) string { value, _ := object[field].(string); return value }
	found := Reference{ARMID: text("armId"), Group: text("group"), Kind: text("kind"), Name: text("name")}
	if found.ARMID != "" {
		return found, len(object) == 1
	}
	return found, len(object) == 3 && found.Group != "" && found.Kind != "" && found.Name != ""
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

// identify turns the list of identities that a resource has into what Azure wants: an object with one field for each.
func identify(identity map[string]any) {
	list, ok := identity["userAssignedIdentities"].([]any)
	if !ok {
		return
	}
	ids := map[string]any{}
	for _, each := range list {
		if one, ok := each.(map[string]any); ok {
			if id, ok := one["id"].(string); ok {
				ids[id] = map[string]any{}
			}
		}
	}
	identity["userAssignedIdentities"] = ids
}

// renamed returns an object with other names of its fields.
func renamed(value any, name func(string) string) any {
	fields, ok := value.(map[string]any)
	if !ok {
		return value
	}
	other := map[string]any{}
	for field, inner := range fields {
		other[name(field)] = inner
	}
	return other
}

// kebab spells a field as Azure and Azure Service Operator do in the autoscaler profile: scan-interval. CAPZ's Go code has
// scanInterval.
func kebab(field string) string {
	var name strings.Builder
	for _, letter := range field {
		if unicode.IsUpper(letter) {
			name.WriteByte('-')
		}
		name.WriteRune(unicode.ToLower(letter))
	}
	return name.String()
}
