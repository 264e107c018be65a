package additionalconfig

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/capi"
)

const (
	registryID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr/providers/Microsoft.ContainerRegistry/registries/"
	zoneID     = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/dnsZones/example.org"
)

// sectionTests are what specs become, by section. A section adds its own in a file of its own.
var sectionTests = map[string]map[string]sectionTest{
	"registries": {
		"none": {spec: "autoscaler: {expander: random}"},
		"two": {
			spec: "registries: [{name: shared, id: " + registryID + "shared}, {name: team, id: " + registryID + "team, pullCheck: {image: pause}}]",
			want: []string{
				`c-registry-shared {"principal":{"clusterIdentity":"Kubelet"},"role":{"name":"AcrPull"},"scope":"` + registryID + `shared"}`,
				`c-registry-team {"principal":{"clusterIdentity":"Kubelet"},"pullCheck":{"image":"pause"},"role":{"name":"AcrPull"},"scope":"` + registryID + `team"}`,
			},
		},
	},
	"roleAssignments": {
		"none": {spec: "registries: [{name: shared, id: " + registryID + "shared}]"},
		"one with everything": {
			spec: "roleAssignments: [{name: dns, scope: " + zoneID + ", role: {name: DNS Zone Contributor}, principal: {clusterIdentity: ControlPlane}, existingPolicy: Report, pullCheck: {image: pause}}]",
			want: []string{`c-role-dns {"existingPolicy":"Report","principal":{"clusterIdentity":"ControlPlane"},"pullCheck":{"image":"pause"},"role":{"name":"DNS Zone Contributor"},"scope":"` + zoneID + `"}`},
		},
	},
	"autoscaler": {
		"none": {spec: "registries: [{name: shared, id: " + registryID + "shared}]"},
		"a profile": {
			spec: "autoscaler: {expander: least-waste, newPodScaleUpDelaySeconds: 0}",
			want: []string{`c {"profile":{"expander":"least-waste","newPodScaleUpDelaySeconds":0}}`},
		},
	},
}

type sectionTest struct {
	spec string
	want []string // name and spec of each object
}

func TestWhatSectionsBecome(t *testing.T) {
	for _, s := range Sections {
		tests := sectionTests[s.Name]
		if len(tests) < 2 {
			t.Errorf("section %s is not tested: add it to sectionTests, also without anything", s.Name)
		}
		for name, test := range tests {
			t.Run(s.Name+"/"+name, func(t *testing.T) {
				spec := fleetwrightv1.AzureClusterAdditionalConfigSpec{ClusterName: "c"}
				if err := yaml.UnmarshalStrict([]byte(test.spec), &spec); err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, child := range s.Children(spec, capi.Cluster{Name: "c"}) {
					got = append(got, child.Name+" "+jsonOf(t, child.Spec))
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("it becomes something else (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// jsonOf has the fields in the order of their names.
func jsonOf(t *testing.T, v any) string {
	t.Helper()
	fields, err := plain(v)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

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
