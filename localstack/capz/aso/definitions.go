package aso

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

// Definitions returns the custom resource definitions of all kinds. Azure Service Operator's own describe every field in every
// version; 700 kB that the API server keeps several times. These leave all but the few fields that work here undescribed,
// and convert between versions by name only.
func Definitions() []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, kind := range asospec.Kinds() {
		all = append(all, definition(kind))
	}
	return all
}

func definition(kind *asospec.Kind) *unstructured.Unstructured {
	versions := make([]any, len(kind.Versions))
	for i, version := range kind.Versions {
		versions[i] = map[string]any{
			"name": version, "served": true, "storage": i == 0,
			"schema":                   map[string]any{"openAPIV3Schema": loose()},
			"subresources":             map[string]any{"status": map[string]any{}},
			"additionalPrinterColumns": columns(),
		}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{
			"name":   kind.Plural + "." + kind.Group,
			"labels": map[string]any{"app.kubernetes.io/name": "azure-service-operator"},
		},
		"spec": map[string]any{
			"group": kind.Group, "scope": "Namespaced",
			"names": map[string]any{
				"kind": kind.Kind, "listKind": kind.Kind + "List", "plural": kind.Plural,
				"categories": []any{"azure"},
			},
			"versions": versions,
		},
	}}
}

func loose() map[string]any {
	text := map[string]any{"type": "string"}
	return map[string]any{
		"type": "object",
		"properties": map[string]any{
			"apiVersion": text, "kind": text, "metadata": map[string]any{"type": "object"},
			"spec": map[string]any{
				"type": "object", "x-kubernetes-preserve-unknown-fields": true,
				"properties": map[string]any{
					"azureName": text,
					"owner": map[string]any{
						"type": "object", "properties": map[string]any{"armId": text, "name": text},
					},
				},
			},
			"status": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
		},
	}
}

func columns() []any {
	var all []any
	for _, each := range [][2]string{{"Ready", "status"}, {"Severity", "severity"}, {"Reason", "reason"}, {"Message", "message"}} {
		all = append(all, map[string]any{
			"name": each[0], "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')]." + each[1],
		})
	}
	return all
}
