package chart_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// giveAddresses makes an AddressPool and an AddressClaim, waits until that has its range, gives it back and takes all away.
func (s *site) giveAddresses(t *testing.T, m *manager) {
	t.Helper()
	pool := &fleetwrightv1.AddressPool{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "corp"}}
	pool.Spec = fleetwrightv1.AddressPoolSpec{
		Prefixes: []string{"10.64.0.0/16"}, QuarantineSeconds: ptr.To[int32](0), DeletionPolicy: fleetwrightv1.DeletionPolicyDelete,
	}
	claim := &fleetwrightv1.AddressClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "next"}}
	claim.Spec = fleetwrightv1.AddressClaimSpec{
		ClusterName: "next", Ranges: []fleetwrightv1.ClaimedRange{{Name: "vnet", PoolRef: fleetwrightv1.NamespacedReference{Name: "corp"}, PrefixLength: 20}},
	}
	for _, o := range []client.Object{claim, pool} {
		if err := s.client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	s.awaitAddresses(t, m, "the range", func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(claim), claim); err != nil {
			return err
		}
		var allocations fleetwrightv1.AddressAllocationList
		if err := s.client.List(ctx, &allocations, client.InNamespace("default")); err != nil {
			return err
		}
		if len(claim.Status.Ranges) != 1 || claim.Status.Ranges[0].CIDR != "10.64.0.0/20" {
			return fmt.Errorf("the AddressClaim has %v and says %v", claim.Status.Ranges, claim.Status.Conditions)
		}
		if len(allocations.Items) != 1 || !meta.IsStatusConditionTrue(allocations.Items[0].Status.Conditions, fleetwrightv1.ConditionReady) {
			return fmt.Errorf("the AddressAllocations are %v", allocations.Items)
		}
		return nil
	})
	for _, o := range []client.Object{pool, claim} {
		if err := s.client.Delete(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	s.awaitAddresses(t, m, "the end", func(ctx context.Context) error {
		err := s.client.Get(ctx, client.ObjectKeyFromObject(pool), pool)
		if err == nil {
			return fmt.Errorf("the AddressPool is there and says %v", pool.Status.Conditions)
		}
		return client.IgnoreNotFound(err)
	})
}

func (s *site) awaitAddresses(t *testing.T, m *manager, what string, check func(context.Context) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		if err := m.refused(); err != nil {
			return false, err
		}
		last = check(ctx)
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v: %v", what, err, last)
	}
}
