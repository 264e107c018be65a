package additionalconfig

import (
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
)

const (
	registryID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr/providers/Microsoft.ContainerRegistry/registries/"
	zoneID     = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/dnsZones/example.org"
)

// Every section is a field of the spec, and every field of the spec is a section or one of those that all objects get.
func TestSectionsAndFieldsAreTheSame(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := fleetwrightv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	fields := map[string]bool{}
	for field := range reflect.TypeFor[fleetwrightv1.AzureClusterAdditionalConfigSpec]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields[name] = true
	}
	inherited := []string{fieldCluster, fieldDriftPolicy, fieldReconcile, fieldDeletionPolicy}
	for _, name := range inherited {
		if !fields[name] {
			t.Errorf("the spec has no %s", name)
		}
		delete(fields, name)
	}
	for _, s := range Sections {
		if !fields[s.Name] {
			t.Errorf("section %s is no field of the spec, or is listed twice", s.Name)
		}
		delete(fields, s.Name)
		spec := specOf(t, scheme, s.Kind)
		for _, name := range append(inherited, s.Fixed...) {
			if !spec[name] {
				t.Errorf("section %s: %s has no field %s", s.Name, s.Kind, name)
			}
		}
	}
	for name := range fields {
		t.Errorf("field %s is no section", name)
	}
}

func specOf(t *testing.T, scheme *runtime.Scheme, kind string) map[string]bool {
	t.Helper()
	object, err := newOf[runtime.Object](scheme, kind)
	if err != nil {
		t.Fatal(err)
	}
	spec, found := reflect.TypeOf(object).Elem().FieldByName("Spec")
	if !found {
		t.Fatalf("%s has no spec", kind)
	}
	out := map[string]bool{}
	for _, field := range reflect.VisibleFields(spec.Type) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		out[name] = true
	}
	return out
}

// The words that people wait for are part of the API.
func TestWordsOfASection(t *testing.T) {
	s := section.Section{Name: "roleAssignments"}
	if s.Condition() != "RoleAssignmentsReady" || s.NotReady() != "RoleAssignmentsNotReady" {
		t.Errorf("condition %s, reason %s", s.Condition(), s.NotReady())
	}
}
