package capi

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Field access that takes a wrong type for an unset field: what another
// controller wrote badly is not ours to fail on.

func stringAt(u *unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(u.Object, path...)
	return s
}

func boolAt(u *unstructured.Unstructured, path ...string) bool {
	b, _, _ := unstructured.NestedBool(u.Object, path...)
	return b
}

func intAt(u *unstructured.Unstructured, path ...string) (int32, bool) {
	n, found, err := unstructured.NestedInt64(u.Object, path...)
	return int32(min(max(n, -1<<31), 1<<31-1)), found && err == nil
}

func stringsAt(u *unstructured.Unstructured, path ...string) []string {
	s, _, _ := unstructured.NestedStringSlice(u.Object, path...)
	return s
}

func treeAt(u *unstructured.Unstructured, path ...string) map[string]any {
	value, _, _ := unstructured.NestedFieldNoCopy(u.Object, path...)
	tree, _ := value.(map[string]any)
	return tree
}

func mapAt(u *unstructured.Unstructured, path ...string) map[string]string {
	m, _, _ := unstructured.NestedStringMap(u.Object, path...)
	return m
}
