package capi

// subnets are the names of the subnets among the resources of the infrastructure, nil while that is not there. Flavour AzureManaged has no such
// objects.
func (p *parts) subnets() []string {
	if p.infrastructure == nil || p.flavor.Kinds().Related == nil {
		return nil
	}
	out := []string{}
	spec := keyed(treeAt(p.infrastructure, "spec"))
	for _, key := range spec.resourceOrder {
		resource := spec.resources[key]
		name, _ := treeIn(resource, "metadata")["name"].(string)
		if resource["kind"] == asoSubnetKind && name != "" {
			out = append(out, name)
		}
	}
	return out
}
