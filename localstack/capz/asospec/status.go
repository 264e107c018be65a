package asospec

// Status returns what Azure says about a resource of this kind as Azure Service Operator writes it: the properties beside
// everything else. A property with the name of something else, such as the type, is called properties_type there.
func (k *Kind) Status(body map[string]any) map[string]any {
	status := map[string]any{}
	for field, value := range body {
		if field != "properties" || k.nested {
			status[field] = value
		}
	}
	properties, _ := body["properties"].(map[string]any)
	if k.nested {
		return status
	}
	for field, value := range properties {
		if _, taken := body[field]; taken {
			field = "properties_" + field
		}
		status[field] = value
	}
	return status
}
