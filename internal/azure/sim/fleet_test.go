package sim_test

import (
	"fmt"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
)

// BenchmarkFleet measures one PUT of a pool, one GET and one LIST when the subscription has 200 clusters of two pools
// of ten nodes each.
func BenchmarkFleet(b *testing.B) {
	a := newAzure(b)
	a.makeGroup()
	pollers := make([]*runtime.Poller[aks.ManagedClustersClientCreateOrUpdateResponse], 0, 200)
	for n := range 200 {
		sys, apps := systemPool("sys"), systemPool("apps")
		ten := int32(10)
		sys.Count, apps.Count = &ten, &ten
		p, err := a.clusters.BeginCreateOrUpdate(b.Context(), group, fmt.Sprintf("shop-%d", n), newCluster(sys, apps), nil)
		if err != nil {
			b.Fatal(err)
		}
		pollers = append(pollers, p)
	}
	for _, p := range pollers {
		done(a, p, nil)
	}
	a.boot()
	a.eventually("4000 nodes", countNodes(a, 4000))
	b.Run("PUT pool", func(b *testing.B) {
		for b.Loop() {
			p, err := a.pools.BeginCreateOrUpdate(b.Context(), group, "shop-7", "apps", userPool("Standard_D4s_v5", 10), nil)
			done(a, p, err)
		}
	})
	b.Run("GET cluster", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.clusters.Get(b.Context(), group, "shop-7", nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("LIST clusters", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.clusters.NewListPager(nil).NextPage(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
