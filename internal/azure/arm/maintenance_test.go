package arm_test

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

const maintained = groupID + "/providers/Microsoft.ContainerService/managedClusters/shop"

func TestMaintenanceConfiguration(t *testing.T) {
	a := newAzure(t)
	const name = "aksManagedAutoUpgradeSchedule"
	read := func() (aks.MaintenanceConfiguration, error) {
		return a.client.MaintenanceConfiguration(t.Context(), maintained, name)
	}
	if _, err := read(); !refusal.Is(err, refusal.Gone) {
		t.Errorf("before there is one: %v", err)
	}
	wanted := aks.MaintenanceConfiguration{Properties: &aks.MaintenanceConfigurationProperties{MaintenanceWindow: &aks.MaintenanceWindow{
		Schedule:  &aks.Schedule{Weekly: &aks.WeeklySchedule{IntervalWeeks: to.Ptr[int32](1), DayOfWeek: to.Ptr(aks.WeekDaySunday)}},
		StartTime: to.Ptr("01:00"), DurationHours: to.Ptr[int32](4),
	}}}
	made, err := a.client.WriteMaintenanceConfiguration(t.Context(), maintained, name, wanted)
	if err != nil || !strings.EqualFold(*made.ID, maintained+"/maintenanceConfigurations/"+name) || *made.Properties.MaintenanceWindow.StartTime != "01:00" {
		t.Fatalf("what was made is %+v %v", made, err)
	}
	if found, err := read(); err != nil || *found.Properties.MaintenanceWindow.Schedule.Weekly.DayOfWeek != aks.WeekDaySunday {
		t.Errorf("what was found is %+v %v", found, err)
	}
	for range 2 { // one that is not there is deleted
		if err := a.client.DeleteMaintenanceConfiguration(t.Context(), maintained, name); err != nil {
			t.Error(err)
		}
	}
	if _, err := read(); !refusal.Is(err, refusal.Gone) {
		t.Errorf("after it was deleted: %v", err)
	}
	if err := a.client.DeleteMaintenanceConfiguration(t.Context(), maintained+"s", name); err != nil {
		t.Errorf("of a cluster that is not there: %v", err)
	}
}

func TestMaintenanceConfigurationRefusals(t *testing.T) {
	a := newAzure(t)
	a.fault("/maintenanceConfigurations/default$", 1, sim.FaultError{Status: 403, Code: "Forbidden", Message: "no"})
	_, err := a.client.MaintenanceConfiguration(t.Context(), maintained, "default")
	got, refused := refusal.Of(err)
	if !refused || got.Action != "Microsoft.ContainerService/managedClusters/maintenanceConfigurations/read" || got.Scope != maintained+"/maintenanceConfigurations/default" ||
		got.Doing != "read maintenance configuration default of cluster shop" {
		t.Errorf("denied: %+v", got)
	}
	for _, id := range []string{"", "shop", groupID, maintained + "/agentPools/blue"} {
		if _, err := a.client.MaintenanceConfiguration(t.Context(), id, "default"); err == nil {
			t.Errorf("%q is taken for a cluster", id)
		} else if _, refused := refusal.Of(err); refused {
			t.Errorf("%q was asked of Azure: %v", id, err)
		}
	}
}
