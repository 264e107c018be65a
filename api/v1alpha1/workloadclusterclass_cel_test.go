package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// template is the spec of a class with that template.
func template(of string) string {
	return "template:\n  " + strings.ReplaceAll(strings.TrimSpace(of), "\n", "\n  ") + "\n"
}

func TestWorkloadClusterClassAdmission(t *testing.T) {
	for name, test := range map[string]struct {
		name string // of the object; empty: prod-eu-v7
		spec string
		want []string // field: sentence; empty: accepted
	}{
		"the least":      {spec: template("version: v1.34.2")},
		"everything":     {spec: template(wholeTemplate) + "allowedNamespaces: {selector: {matchLabels: {stage: production}}}"},
		"for one tenant": {spec: template("tenancy: {mode: Single}")},
		"the clusters say where": {
			spec: template("network: {addresses: [{name: nodes, prefixLength: 24}]}"),
		},
		"nothing":           {spec: "{}", want: []string{"spec.template: Required value"}},
		"an empty template": {spec: "template: {}", want: []string{"spec.template: spec.template in body should have at least 1 properties"}},
		"a resource group":  {spec: template("azure: {resourceGroup: rg}"), want: []string{"spec.template: each cluster has a resource group of its own: leave it out of the class"}},
		"adopted pools":     {spec: template("nodepools: [{name: a}, {name: b, machinePools: [np1]}]"), want: []string{"spec.template: machinePools are those of one cluster: leave them out of the class"}},
		"a tenant":          {spec: template("tenancy: {mode: Single, tenant: shop}"), want: []string{"spec.template: a tenant is that of one cluster: leave it out of the class"}},
		"an impossible pool": {
			spec: template("nodepoolDefaults: {mode: System, os: {type: Windows}}"), want: []string{"spec.template.nodepoolDefaults: a System pool must run Linux"},
		},
		"no selector":   {spec: template("version: v1.34.2") + "allowedNamespaces: {}", want: []string{"spec.allowedNamespaces.selector: Required value"}},
		"longest name":  {name: strings.Repeat("c", 63), spec: template("version: v1.34.2")},
		"name too long": {name: strings.Repeat("c", 64), spec: template("version: v1.34.2"), want: []string{"<nil>: name must be at most 63 characters"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.name == "" {
				test.name = "prod-eu-v7"
			}
			err := server.Create(t.Context(), workloadCluster(t, "WorkloadClusterClass", test.name, test.spec), client.DryRunAll)
			if diff := cmp.Diff(test.want, refusals(t, err)); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}

// A class is immutable, in what the schema does not know as well; who may use it is not.
func TestAClassStaysWhatItIs(t *testing.T) {
	const immutable = "spec.template: a class is immutable: make one under a new name and point clusters to it"
	object := workloadCluster(t, "WorkloadClusterClass", "stays", template("version: v1.34.2\nproviderOverrides: {apiServerAccessProfile: {authorizedIPRanges: [10.0.0.0/8]}}"))
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*unstructured.Unstructured)
		want   []string
	}{
		"a value":      {func(o *unstructured.Unstructured) { set(t, o, "v1.35.0", "spec", "template", "version") }, []string{immutable}},
		"a field more": {func(o *unstructured.Unstructured) { set(t, o, "AzureManaged", "spec", "template", "flavor") }, []string{immutable}},
		"a field less": {func(o *unstructured.Unstructured) {
			unstructured.RemoveNestedField(o.Object, "spec", "template", "version")
		}, []string{immutable}},
		"a raw override": {func(o *unstructured.Unstructured) {
			set(t, o, []any{"10.0.0.0/9"}, "spec", "template", "providerOverrides", "apiServerAccessProfile", "authorizedIPRanges")
		}, []string{immutable}},
		"who may use it": {func(o *unstructured.Unstructured) {
			set(t, o, map[string]any{"selector": map[string]any{}}, "spec", "allowedNamespaces")
		}, nil},
		"labels and others": {func(o *unstructured.Unstructured) { o.SetLabels(map[string]string{"stage": "production"}) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			changed := object.DeepCopy()
			test.change(changed)
			if diff := cmp.Diff(test.want, refusals(t, server.Update(t.Context(), changed, client.DryRunAll))); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}
