package sim_test

import (
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"

	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

// TestSoldOutSizeStopsOnlyWhatNeedsMachines: a region that has run out of a size still lets pools of it be changed.
func TestSoldOutSizeStopsOnlyWhatNeedsMachines(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*properties)
		refused bool
	}{
		"same again":      {change: func(*properties) {}},
		"fewer nodes":     {change: func(p *properties) { p.Count = to.Ptr[int32](1) }},
		"labels":          {change: func(p *properties) { p.NodeLabels = map[string]*string{"tier": to.Ptr("gold")} }},
		"more nodes":      {change: func(p *properties) { p.Count = to.Ptr[int32](3) }, refused: true},
		"nodes anew":      {change: func(p *properties) { p.OSSKU = to.Ptr(aks.OSSKUAzureLinux) }, refused: true},
		"a higher bound":  {change: autoscale(2, 1, 9)},
		"autoscaled more": {change: autoscale(3, 1, 9), refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAzure(t)
			a.makeCluster()
			a.mustPutPool("blue", userPool("Standard_D8s_v5", 2))
			settings := a.server.Settings()
			settings.Catalog.Restrictions = []catalog.Restriction{{Location: location, VMSize: "Standard_D8s_v5"}}
			a.server.SetSettings(settings)
			pool := userPool("Standard_D8s_v5", 2)
			test.change(pool.Properties)
			_, err := a.putPool("blue", pool)
			if test.refused {
				wantCode(t, err, http.StatusConflict, "SkuNotAvailable", "Standard_D8s_v5")
				return
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSoldOutSizeStopsNoUpdateOfTheCluster: the same for pools that are named in a PUT of their cluster.
func TestSoldOutSizeStopsNoUpdateOfTheCluster(t *testing.T) {
	a := newAzure(t)
	created := a.makeCluster()
	settings := a.server.Settings()
	settings.Catalog.Restrictions = []catalog.Restriction{{Location: location, VMSize: "Standard_D4s_v5"}}
	a.server.SetSettings(settings)
	body := newCluster(created.Properties.AgentPoolProfiles...)
	body.Tags = map[string]*string{"env": to.Ptr("test")}
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, body, nil)
	done(a, p, err)
	body.Properties.AgentPoolProfiles[0].Count = to.Ptr[int32](3)
	_, err = a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, body, nil)
	wantCode(t, err, http.StatusConflict, "SkuNotAvailable", "Standard_D4s_v5")
}
