package addressclaim

import (
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// The example is taken as it is, and its ranges lie beside the one that is in use, where they leave the large holes.
func TestTheExample(t *testing.T) {
	s := newStage(t)
	edit(s, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.here}}, func(ns *corev1.Namespace) { ns.Labels["stage"] = "production" })
	strict := client.WithFieldValidation(server, metav1.FieldValidationStrict)
	for _, file := range []string{"pool", "claim"} {
		text, err := os.ReadFile("../../examples/addresses/" + file + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		here := strings.NewReplacer("namespace: platform", "namespace: "+s.platform, "namespace: prod-eu", "namespace: "+s.here).Replace(string(text))
		for document := range strings.SplitSeq(here, "\n---\n") {
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
				t.Fatal(err)
			}
			if err := strict.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.report(&fleetwrightv1.AddressPool{ObjectMeta: metav1.ObjectMeta{Namespace: s.platform, Name: "corp-eu"}}, metav1.ConditionTrue, "Ready", "")
	a := &fleetwrightv1.AddressClaim{ObjectMeta: metav1.ObjectMeta{Namespace: s.here, Name: "prod-eu-1"}}
	s.expect(a, "it is bound", fine, "vnet 10.66.16.0/20, nodes 10.66.16.0/21, endpoints 10.66.24.0/26, services 10.66.32.0/22")
	s.wantGiven("beside the import", "10.66.16.0/20 prod-eu-1/vnet kept, 10.66.32.0/22 prod-eu-1/services kept, 10.66.0.0/20 nobody")
}
