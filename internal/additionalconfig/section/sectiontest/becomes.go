// Package sectiontest says in tests of sections what a spec becomes.
package sectiontest

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// Becomes compares what a section makes of specs of Cluster "c" with what is wanted: by a name for the case, the spec as YAML, then name
// and spec of each object, the spec as JSON in the order of its fields. Whether a spec without the section becomes nothing is asked in any case.
func Becomes(t *testing.T, s section.Section, cases map[string][]string) {
	t.Helper()
	cases["a spec that asks for nothing"] = []string{"{}"}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			spec := fleetwrightv1.AzureClusterAdditionalConfigSpec{ClusterName: "c"}
			if err := yaml.UnmarshalStrict([]byte(c[0]), &spec); err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, child := range s.Children(spec, capi.Cluster{Namespace: "n", Name: "c", Found: true}) {
				raw, err := json.Marshal(child.Spec)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, child.Name+" "+string(raw))
			}
			if diff := cmp.Diff(c[1:], got); diff != "" {
				t.Errorf("it becomes something else (-want +got):\n%s", diff)
			}
		})
	}
}
