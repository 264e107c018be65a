package roleassignment

import (
	"testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// TestAClusterThatIsNamedIsWaitedFor: for an object id as well, since the Cluster says by whom Azure is asked and whether all is paused.
func TestAClusterThatIsNamedIsWaitedFor(t *testing.T) {
	a := &fleetwrightv1.AzureRoleAssignment{}
	a.Namespace, a.Spec.ClusterName, a.Spec.Principal.ObjectID = "shop", "prod", "11111111-1111-1111-1111-111111111111"
	if got := early(a, capi.Cluster{}); got == nil || got.reason != fleetwrightv1.ReasonWaitingForIdentity || got.message != "there is no Cluster prod in namespace shop" {
		t.Errorf("no Cluster: %+v", got)
	}
	if got := early(a, capi.Cluster{Found: true}); got != nil {
		t.Errorf("a Cluster that is there: %+v", got)
	}
	a.Spec.ClusterName = ""
	if got := early(a, capi.Cluster{}); got != nil {
		t.Errorf("no Cluster is named: %+v", got)
	}
}
