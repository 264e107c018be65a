package chart_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// makeCluster makes a whole cluster of a class, changes it, and takes it away. No Azure answers to the operator here, so it does not get quite
// ready: its profile of the autoscaler is not seen in Azure.
func (s *site) makeCluster(t *testing.T, m *manager) {
	t.Helper()
	class := &fleetwrightv1.WorkloadClusterClass{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "whole-v1"}}
	class.Spec.Template = fleetwrightv1.WorkloadClusterTemplate{
		Version: "v1.33.6", Flavor: fleetwrightv1.WorkloadClusterFlavorManaged,
		Azure: fleetwrightv1.WorkloadClusterAzure{
			SubscriptionID: "00000000-0000-0000-0000-000000000001", Location: "westeurope", ClusterIdentity: fleetwrightv1.NamespacedReference{Name: "quickstart"},
		},
		Network: fleetwrightv1.WorkloadClusterNetwork{Addresses: []fleetwrightv1.WorkloadClusterRange{{Name: "pods", CIDR: "10.244.0.0/16"}}},
		Limits:  fleetwrightv1.WorkloadClusterLimits{MaxNodes: 100},
		Nodepools: []fleetwrightv1.WorkloadClusterNodepool{{Name: "system", Spec: fleetwrightv1.NodepoolTemplateSpec{
			Mode: "System", MachineType: "Standard_D2ds_v5", Replicas: ptr.To[int32](1),
			Replacement: fleetwrightv1.ReplacementPolicy{MinReadySeconds: ptr.To[int32](0)},
		}}},
		AdditionalConfig: fleetwrightv1.WorkloadClusterAdditionalConfig{
			Autoscaler: fleetwrightv1.AutoscalerProfile{AutoscalerSettings: fleetwrightv1.AutoscalerSettings{Expander: fleetwrightv1.AutoscalerExpanderLeastWaste}},
		},
	}
	cluster := &fleetwrightv1.WorkloadCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "whole"}}
	cluster.Spec = fleetwrightv1.WorkloadClusterSpec{
		ClassRef: fleetwrightv1.NamespacedReference{Name: "whole-v1"}, DeletionPolicy: fleetwrightv1.DeletionPolicyDelete,
	}
	for _, o := range []client.Object{cluster, class} {
		if err := s.client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	s.awaitCluster(t, m, "its nodes", func(now *fleetwrightv1.WorkloadCluster) error {
		for _, kind := range []string{"AddressesReady", "InfrastructureReady", "ControlPlaneReady", "NodepoolsReady"} {
			if now == nil || !meta.IsStatusConditionTrue(now.Status.Conditions, kind) {
				return fmt.Errorf("%s is not True: %+v", kind, now)
			}
		}
		return nil
	})
	s.get(t, "default", "whole", cluster)
	before := cluster.DeepCopy()
	cluster.Labels = map[string]string{"ring": "canary"}
	cluster.Spec.Azure.Tags = map[string]string{"team": "shop"}
	if err := s.client.Patch(t.Context(), cluster, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	s.awaitCluster(t, m, "its label", func(*fleetwrightv1.WorkloadCluster) error {
		made := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "cluster.x-k8s.io/v1beta2", Kind: "Cluster"}}
		if s.get(t, "default", "whole", made); made.Labels["ring"] != "canary" {
			return fmt.Errorf("the Cluster has %v", made.Labels)
		}
		return nil
	})
	for _, o := range []client.Object{class, cluster} {
		if err := s.client.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	s.awaitCluster(t, m, "the end", func(now *fleetwrightv1.WorkloadCluster) error {
		if now != nil {
			return fmt.Errorf("it says %+v", now.Status.Conditions)
		}
		err := s.client.Get(t.Context(), client.ObjectKeyFromObject(class), class)
		if err == nil {
			return fmt.Errorf("its class says %+v", class.Status.Conditions)
		}
		return client.IgnoreNotFound(err)
	})
}

func (s *site) awaitCluster(t *testing.T, m *manager, what string, check func(*fleetwrightv1.WorkloadCluster) error) {
	t.Helper()
	start, last := time.Now(), error(nil)
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		if err := m.refused(); err != nil {
			return false, err
		}
		var now fleetwrightv1.WorkloadCluster
		switch err := s.client.Get(ctx, client.ObjectKey{Namespace: "default", Name: "whole"}, &now); {
		case apierrors.IsNotFound(err):
			last = check(nil)
		case err != nil:
			return false, err
		default:
			last = check(&now)
		}
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("the WorkloadCluster has not come to %s: %v: %v", what, err, last)
	}
	t.Logf("the WorkloadCluster has come to %s after %s", what, time.Since(start).Round(100*time.Millisecond))
}
