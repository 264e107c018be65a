package chart_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// configureExtras makes an AzureClusterAdditionalConfig with every section, waits until its objects are told of, and deletes it. No Azure
// answers to the operator here, so nothing gets ready.
func (s *site) configureExtras(t *testing.T, m *manager) {
	t.Helper()
	config := &fleetwrightv1.AzureClusterAdditionalConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "quickstart"}}
	config.Spec = fleetwrightv1.AzureClusterAdditionalConfigSpec{
		ClusterName: "quickstart",
		Registries: []fleetwrightv1.AdditionalRegistry{{
			Name: "shared", ID: "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr/providers/Microsoft.ContainerRegistry/registries/shared",
		}},
		Autoscaler: fleetwrightv1.AutoscalerProfile{AutoscalerSettings: fleetwrightv1.AutoscalerSettings{Expander: fleetwrightv1.AutoscalerExpanderLeastWaste}},
		MaintenanceConfigurations: []fleetwrightv1.MaintenancePlan{{Type: fleetwrightv1.MaintenanceTypeDefault, Window: fleetwrightv1.AzureMaintenanceWindow{
			Schedule:  fleetwrightv1.MaintenanceSchedule{Weekly: fleetwrightv1.MaintenanceEveryWeeks{IntervalWeeks: 1, DayOfWeek: "Sunday"}},
			StartTime: "01:00", DurationHours: 4,
		}}},
		DeletionPolicy: fleetwrightv1.DeletionPolicyRetain,
	}
	if err := s.client.Create(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	s.awaitConfig(t, m, func(now *fleetwrightv1.AzureClusterAdditionalConfig, found bool) error {
		if !found || len(now.Status.Resources) < 3 {
			return fmt.Errorf("it has %d objects", len(now.Status.Resources))
		}
		for _, r := range now.Status.Resources {
			// Nobody sees to it that the others say something without Azure.
			if r.Reason == fleetwrightv1.ReasonCreating || r.Reason == fleetwrightv1.ReasonNotReported && r.Kind == "AzureMaintenanceConfiguration" {
				return fmt.Errorf("%s %s is %s", r.Kind, r.Name, r.Reason)
			}
		}
		return nil
	})
	if err := s.client.Delete(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	s.awaitConfig(t, m, func(now *fleetwrightv1.AzureClusterAdditionalConfig, found bool) error {
		if found {
			return fmt.Errorf("it is there, and has %+v", now.Status.Resources)
		}
		return nil
	})
}

func (s *site) awaitConfig(t *testing.T, m *manager, check func(*fleetwrightv1.AzureClusterAdditionalConfig, bool) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		if err := m.refused(); err != nil {
			return false, err
		}
		var now fleetwrightv1.AzureClusterAdditionalConfig
		err := s.client.Get(ctx, client.ObjectKey{Namespace: "default", Name: "quickstart"}, &now)
		if client.IgnoreNotFound(err) != nil {
			return false, err
		}
		last = check(&now, !apierrors.IsNotFound(err))
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("the AzureClusterAdditionalConfig: %v: %v", err, last)
	}
}
