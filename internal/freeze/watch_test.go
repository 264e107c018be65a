package freeze_test

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/freeze"
)

// A Freeze reaches the objects of its namespace, and in the manager's own namespace those of the fleet.
func TestInReach(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := fleetwrightv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	pool := func(namespace string) *fleetwrightv1.Nodepool {
		return &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "general"}}
	}
	cache := fake.NewClientBuilder().WithScheme(scheme).WithObjects(pool("prod-eu"), pool("prod-us")).Build()
	for namespace, want := range map[string][]string{"prod-eu": {"prod-eu/general"}, "manager": {"prod-eu/general", "prod-us/general"}, "empty": nil} {
		f := &fleetwrightv1.Freeze{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "incident"}}
		var got []string
		for _, request := range freeze.InReach(cache, "manager", &fleetwrightv1.NodepoolList{})(t.Context(), f) {
			got = append(got, request.String())
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("in reach of a Freeze in %s: %v, want %v", namespace, got, want)
		}
	}
}
