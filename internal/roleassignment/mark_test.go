package roleassignment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func newAssignment() *fleetwrightv1.AzureRoleAssignment {
	return &fleetwrightv1.AzureRoleAssignment{
		ObjectMeta: metav1.ObjectMeta{Name: "prod-registry", Namespace: "prod-eu", UID: "uid-1", Generation: 1},
		Spec: fleetwrightv1.AzureRoleAssignmentSpec{
			ClusterName: "prod", Scope: testScope, Role: fleetwrightv1.AzureRole{Name: "AcrPull"},
			Principal: fleetwrightv1.AzurePrincipal{ClusterIdentity: fleetwrightv1.ClusterIdentityKubelet},
		},
	}
}

// TestMarks: the annotation is people's to write, so only what can be an assignment at the scope is read.
func TestMarks(t *testing.T) {
	a := newAssignment()
	other := "77777777-7777-7777-7777-777777777777"
	good := mark{testPrincipal, foreignID}
	for name, entry := range map[string]string{
		"no principal": "=" + foreignID, "no id": testPrincipal + "=", "no sign": testPrincipal, "not a GUID": "x=" + foreignID,
		"another scope":   testPrincipal + "=" + strings.Replace(foreignID, "shared", "other", 1),
		"another type":    testPrincipal + "=" + strings.Replace(foreignID, "roleAssignments", "roleDefinitions", 1),
		"a name in KQL":   testPrincipal + "=" + testScope + "/providers/Microsoft.Authorization/roleAssignments/x')|project",
		"the scope alone": testPrincipal + "=" + testScope,
	} {
		a.Annotations = map[string]string{fleetwrightv1.AnnotationRoleAssignments: entry + " " + testPrincipal + "=" + foreignID + "\n"}
		if diff := cmp.Diff([]mark{good}, marksOf(a), cmp.AllowUnexported(mark{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	a.Annotations[fleetwrightv1.AnnotationRoleAssignments] = strings.ToUpper(testPrincipal) + "=" + strings.ToUpper(foreignID)
	if m, found := markOf(marksOf(a), testPrincipal); !found || !strings.EqualFold(m.id, foreignID) {
		t.Errorf("case matters: %v", m)
	}
	// The newest comes first, one for each principal.
	marks := withMark(withMark(withMark(nil, good), mark{other, ours().ID}), mark{testPrincipal, ours().ID})
	a.Annotations[fleetwrightv1.AnnotationRoleAssignments] = markText(marks)
	if diff := cmp.Diff([]mark{{testPrincipal, ours().ID}, {other, ours().ID}}, marksOf(a), cmp.AllowUnexported(mark{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, found := markOf(marksOf(a), "88888888-8888-8888-8888-888888888888"); found {
		t.Error("found a mark of nobody")
	}
}
