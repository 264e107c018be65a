package clusterautoscaler

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/testkit"
	"github.com/fleetwright/fleetwright/internal/testkit/simazure"
)

type simulated struct{ client *arm.Client }

func (s simulated) For(context.Context, capi.Cluster) (Azure, error) { return s.client, nil }

// By the real client, a cluster of the simulated Azure gets the profile, and a change made with Azure's own SDK is healed by exactly one PUT.
func TestDriftInTheSimulatedAzure(t *testing.T) {
	s := newStage(t, managedKind, byARM)
	azure := simazure.Start(t, nil)
	azure.MakeCluster(s.key.Namespace, "c")
	s.reconciler.Azures = simulated{azure.Connect(nil)}
	clusters, err := aks.NewManagedClustersClient(simazure.SubscriptionID, azure.Others.Credential, azure.Others.Options)
	if err != nil {
		t.Fatal(err)
	}
	eventually := func() {
		t.Helper()
		testkit.Eventually(t, "it is applied", func() error {
			_, err := s.reconcile()
			s.refresh()
			if c := meta.FindStatusCondition(s.object.Status.Conditions, "Applied"); err != nil || c == nil || c.Status != "True" || c.Reason != "Applied" {
				return fmt.Errorf("%+v %w", c, err)
			}
			return nil
		})
	}
	puts := func() int {
		n := 0
		for _, r := range azure.Ours() {
			if r.Method == http.MethodPut && r.Status < http.StatusMultipleChoices {
				n++
			}
		}
		return n
	}
	eventually()
	if n := puts(); n != 1 {
		t.Errorf("%d PUTs for the first time", n)
	}
	body, err := clusters.Get(t.Context(), s.key.Namespace, "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	body.Properties.AgentPoolProfiles, body.Properties.AutoScalerProfile.Expander = nil, to.Ptr(aks.ExpanderPriority)
	testkit.Eventually(t, "somebody changes it", func() error {
		_, err := clusters.BeginCreateOrUpdate(t.Context(), s.key.Namespace, "c", body.ManagedCluster, nil)
		return err
	})
	eventually()
	if n := puts(); n != 2 || s.outcomes() != "Healed expander" {
		t.Errorf("%d PUTs in all, drifts %q", n, s.outcomes())
	}
	got, err := clusters.Get(t.Context(), s.key.Namespace, "c", nil)
	if err != nil || *got.Properties.AutoScalerProfile.Expander != aks.ExpanderLeastWaste || len(got.Properties.AgentPoolProfiles) != 1 {
		t.Errorf("%+v, %v", got.Properties, err)
	}
}
