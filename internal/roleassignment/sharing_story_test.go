package roleassignment

import (
	"context"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// TestTwoObjectsHaveOneAssignment: the first that goes leaves it to the other, whether that has written it down, is new or may write
// nothing, and however it names the same.
func TestTwoObjectsHaveOneAssignment(t *testing.T) {
	for name, test := range map[string]struct {
		other  func(*stage, *fleetwrightv1.AzureRoleAssignment)
		shared bool
	}{
		"written down": {func(s *stage, a *fleetwrightv1.AzureRoleAssignment) {
			a.Spec.Principal = fleetwrightv1.AzurePrincipal{ObjectID: testPrincipal}
			a.Annotations = map[string]string{fleetwrightv1.AnnotationRoleAssignments: s.kubelet + "=" + strings.ToUpper(s.own()[:15]) + s.own()[15:]}
		}, true},
		"new": {func(*stage, *fleetwrightv1.AzureRoleAssignment) {}, true},
		"paused": {func(_ *stage, a *fleetwrightv1.AzureRoleAssignment) {
			a.Spec.Reconcile = fleetwrightv1.ReconcileModePaused
		}, true},
		"by other words": {func(s *stage, a *fleetwrightv1.AzureRoleAssignment) {
			a.Namespace, a.Spec.ClusterName, a.Spec.Scope = "elsewhere", "", strings.ToUpper(testScope)
			a.Spec.Role, a.Spec.Principal = fleetwrightv1.AzureRole{ID: strings.ToUpper(testRole)}, fleetwrightv1.AzurePrincipal{ObjectID: strings.ToUpper(s.kubelet)}
		}, true},
		"deleted": {func(_ *stage, a *fleetwrightv1.AzureRoleAssignment) { a.Finalizers = []string{"test/stays"} }, false},
		"of another principal": {func(_ *stage, a *fleetwrightv1.AzureRoleAssignment) {
			a.Spec.Principal = fleetwrightv1.AzurePrincipal{ObjectID: testPrincipal}
		}, false},
		"of another cluster": {func(_ *stage, a *fleetwrightv1.AzureRoleAssignment) { a.Spec.ClusterName = "test" }, false},
		"of another role": {func(_ *stage, a *fleetwrightv1.AzureRoleAssignment) {
			a.Spec.Role = fleetwrightv1.AzureRole{Name: "Reader"}
		}, false},
		"of a role that is none": {func(_ *stage, a *fleetwrightv1.AzureRoleAssignment) {
			a.Spec.Role = fleetwrightv1.AzureRole{Name: "Network Wizard"}
		}, false},
		"of another scope": {func(_ *stage, a *fleetwrightv1.AzureRoleAssignment) { a.Spec.Scope = groupID }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, newAssignment())
			s.look()
			// The cache knows nothing of the other yet.
			s.reconciler.Client = interceptor.NewClient(s.client.(client.WithWatch), interceptor.Funcs{
				List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return nil },
			})
			other := newAssignment()
			other.Name, other.UID = "another", "uid-2"
			test.other(s, other)
			if err := s.client.Create(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			if name == "deleted" {
				if err := s.client.Delete(t.Context(), other); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.client.Delete(t.Context(), s.object()); err != nil {
				t.Fatal(err)
			}
			s.look()
			if gone := s.object() == nil; gone != test.shared {
				t.Errorf("gone %t", gone)
			}
			want := []string{"PUT 201"}
			if !test.shared {
				want = append(want, "DELETE 200")
			}
			s.wantWrites(want...)
		})
	}
}
