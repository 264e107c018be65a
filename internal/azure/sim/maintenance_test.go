package sim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
)

func TestMaintenanceConfigurations(t *testing.T) {
	a := newAzure(t)
	client, ctx := build(a, aks.NewMaintenanceConfigurationsClient), t.Context()
	wanted := aks.MaintenanceConfiguration{Properties: &aks.MaintenanceConfigurationProperties{MaintenanceWindow: &aks.MaintenanceWindow{
		DurationHours: to.Ptr[int32](6), StartTime: to.Ptr("01:30"),
		Schedule: &aks.Schedule{Weekly: &aks.WeeklySchedule{IntervalWeeks: to.Ptr[int32](2), DayOfWeek: to.Ptr(aks.WeekDaySaturday)}},
	}}}
	const name = "aksManagedAutoUpgradeSchedule"
	_, err := client.CreateOrUpdate(ctx, group, cluster, name, wanted, nil)
	wantCode(t, err, http.StatusNotFound, "ParentResourceNotFound", "managedClusters/shop")
	a.makeCluster()
	_, err = client.Get(ctx, group, cluster, name, nil)
	wantCode(t, err, http.StatusNotFound, "ResourceNotFound", "")
	_, err = client.CreateOrUpdate(ctx, group, cluster, "nightly", wanted, nil)
	wantCode(t, err, http.StatusBadRequest, "InvalidParameter", "are allowed configNames")
	today := a.clock.Now().UTC().Format(time.DateOnly)
	created, err := client.CreateOrUpdate(ctx, group, cluster, name, wanted, nil)
	if err != nil || *created.ID != clusterID+"/maintenanceConfigurations/"+name {
		t.Fatalf("%+v %v", created.MaintenanceConfiguration, err)
	}

	a.clock.Step(48 * time.Hour)
	a.start()
	client = build(a, aks.NewMaintenanceConfigurationsClient)
	wanted.Properties.MaintenanceWindow.DurationHours = to.Ptr[int32](8)
	if _, err := client.CreateOrUpdate(ctx, group, cluster, name, wanted, nil); err != nil {
		t.Fatal(err)
	}
	got, err := client.Get(ctx, group, cluster, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	// AKS fills in what was left out, and a date stays once it is there.
	if w := got.Properties.MaintenanceWindow; *w.DurationHours != 8 || *w.UTCOffset != "+00:00" || w.StartDate.Format(time.DateOnly) != today || *w.Schedule.Weekly.IntervalWeeks != 2 {
		t.Errorf("window: %+v", w)
	}
	page, err := client.NewListByManagedClusterPager(group, cluster, nil).NextPage(ctx)
	if err != nil || len(page.Value) != 1 || *page.Value[0].Name != name {
		t.Errorf("list: %+v %v", page.Value, err)
	}
	for range 2 {
		if _, err := client.Delete(ctx, group, cluster, name, nil); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, err := client.CreateOrUpdate(ctx, group, cluster, name, wanted, nil); err != nil {
		t.Fatal(err)
	}
	p, err := a.clusters.BeginDelete(ctx, group, cluster, nil)
	done(a, p, err)
	if _, err = client.Get(ctx, group, cluster, name, nil); err == nil {
		t.Error("the configuration is left of the cluster")
	}
}
