package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

func TestFreezeAdmission(t *testing.T) {
	const (
		scope = "spec: scope Selected needs a non-empty clusterSelector; scope All takes none"
		times = "spec: from must be before until"
	)
	for name, test := range map[string]struct {
		spec string
		want []string // field: sentence; empty: accepted
	}{
		"the least":    {spec: "scope: All\nreconcile: Paused\nreason: x"},
		"everything":   {spec: "scope: Selected\nclusterSelector: {matchLabels: {stage: production}}\nreconcile: NonDisruptive\nreason: x\nfrom: 2026-12-20T00:00:00Z\nuntil: 2027-01-04T06:00:00Z"},
		"nothing":      {spec: "{}", want: []string{"spec.reason: Required value", "spec.reconcile: Required value", "spec.scope: Required value"}},
		"no scope":     {spec: "reconcile: Paused\nreason: x", want: []string{"spec.scope: Required value"}},
		"no reason":    {spec: "scope: All\nreconcile: Paused", want: []string{"spec.reason: Required value"}},
		"empty reason": {spec: "scope: All\nreconcile: Paused\nreason: ''", want: []string{"spec.reason: spec.reason in body should be at least 1 chars long"}},
		"long reason":  {spec: "scope: All\nreconcile: Paused\nreason: " + strings.Repeat("x", 513), want: []string{"spec.reason: Too long: may not be more than 512 bytes"}},
		"other scope":  {spec: "scope: Some\nreconcile: Paused\nreason: x", want: []string{`spec.scope: Unsupported value: "Some": supported values: "All", "Selected"`}},
		"Active":       {spec: "scope: All\nreconcile: Active\nreason: x", want: []string{`spec.reconcile: Unsupported value: "Active": supported values: "NonDisruptive", "Paused"`}},

		"F1 expressions alone":      {spec: "scope: Selected\nclusterSelector: {matchExpressions: [{key: stage, operator: Exists}]}\nreconcile: Paused\nreason: x"},
		"F1 no selector":            {spec: "scope: Selected\nreconcile: Paused\nreason: x", want: []string{scope}},
		"F1 empty selector":         {spec: "scope: Selected\nclusterSelector: {}\nreconcile: Paused\nreason: x", want: []string{scope}},
		"F1 empty labels":           {spec: "scope: Selected\nclusterSelector: {matchLabels: {}}\nreconcile: Paused\nreason: x", want: []string{scope}},
		"F1 empty expressions":      {spec: "scope: Selected\nclusterSelector: {matchExpressions: []}\nreconcile: Paused\nreason: x", want: []string{scope}},
		"F1 all, and a selector":    {spec: "scope: All\nclusterSelector: {matchLabels: {a: b}}\nreconcile: Paused\nreason: x", want: []string{scope}},
		"F1 all, an empty selector": {spec: "scope: All\nclusterSelector: {}\nreconcile: Paused\nreason: x", want: []string{scope}},

		"F2 only from":        {spec: "scope: All\nreconcile: Paused\nreason: x\nfrom: 2026-12-20T00:00:00Z"},
		"F2 only until":       {spec: "scope: All\nreconcile: Paused\nreason: x\nuntil: 2026-12-20T00:00:00Z"},
		"F2 the same time":    {spec: "scope: All\nreconcile: Paused\nreason: x\nfrom: 2026-12-20T00:00:00Z\nuntil: 2026-12-20T00:00:00Z", want: []string{times}},
		"F2 the wrong order":  {spec: "scope: All\nreconcile: Paused\nreason: x\nfrom: 2026-12-21T00:00:00Z\nuntil: 2026-12-20T00:00:00Z", want: []string{times}},
		"F2 as instants":      {spec: "scope: All\nreconcile: Paused\nreason: x\nfrom: 2026-12-20T01:00:00+02:00\nuntil: 2026-12-20T00:00:00Z"},
		"until is not a time": {spec: "scope: All\nreconcile: Paused\nreason: x\nuntil: tomorrow", want: []string{`spec.until: spec.until in body must be of type date-time: "tomorrow"`}},
		"no mode":             {spec: "scope: All\nreason: x", want: []string{"spec.reconcile: Required value"}},
	} {
		t.Run(name, func(t *testing.T) {
			object := &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "fleetwright.io/v1alpha1", "kind": "Freeze", "metadata": map[string]any{"name": "incident", "namespace": "default"},
			}}
			var spec map[string]any
			if err := yaml.Unmarshal([]byte(test.spec), &spec); err != nil {
				t.Fatal(err)
			}
			object.Object["spec"] = spec
			if diff := cmp.Diff(test.want, refusals(t, server.Create(t.Context(), object, client.DryRunAll))); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}
