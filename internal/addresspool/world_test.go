package addresspool

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// aPool is one in namespace platform that was made at noon, or so many hours later.
func aPool(name string, hours int, prefixes string, change ...func(*fleetwrightv1.AddressPool)) *fleetwrightv1.AddressPool {
	p := &fleetwrightv1.AddressPool{ObjectMeta: metav1.ObjectMeta{
		Namespace: "platform", Name: name, Generation: 3, CreationTimestamp: metav1.NewTime(noon.Add(time.Duration(hours) * time.Hour)),
	}}
	p.Spec.Prefixes = strings.Fields(prefixes)
	for _, c := range change {
		c(p)
	}
	return p
}

// givingOut is the status of a pool that AddressClaims choose from.
func givingOut(p *fleetwrightv1.AddressPool) {
	p.Status.ObservedGeneration = p.Generation
	p.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: "True", Reason: "Ready", ObservedGeneration: p.Generation}}
}

func reserving(prefix string) func(*fleetwrightv1.AddressPool) {
	return func(p *fleetwrightv1.AddressPool) {
		p.Spec.Reserved = append(p.Spec.Reserved, fleetwrightv1.ReservedPrefix{Prefix: prefix, Reason: "routers"})
	}
}

// choosing is the annotation with one range that AddressClaim prod/new has chosen.
func choosing(name, cidr string) func(*fleetwrightv1.AddressPool) {
	return func(p *fleetwrightv1.AddressPool) {
		p.Annotations = map[string]string{"fleetwright.io/allocating": fmt.Sprintf(
			`{%q: {"spec": {"poolName": %q, "cidr": %q, "claim": {"name": "new", "namespace": "prod", "range": "vnet"}}, "time": "2026-11-26T12:00:00Z"}}`, name, p.Name, cidr)}
	}
}

func annotated(text string) func(*fleetwrightv1.AddressPool) {
	return func(p *fleetwrightv1.AddressPool) {
		p.Annotations = map[string]string{"fleetwright.io/allocating": text}
	}
}

func deleted(policy fleetwrightv1.DeletionPolicy) func(*fleetwrightv1.AddressPool) {
	return func(p *fleetwrightv1.AddressPool) {
		at := metav1.NewTime(noon)
		p.DeletionTimestamp, p.Spec.DeletionPolicy = &at, policy
	}
}

// anAllocation is one of range vnet of AddressClaim prod/<claim>, or an import without one.
func anAllocation(pool, name, cidr, claim string, change ...func(*fleetwrightv1.AddressAllocation)) *fleetwrightv1.AddressAllocation {
	a := &fleetwrightv1.AddressAllocation{ObjectMeta: metav1.ObjectMeta{Namespace: "platform", Name: name, Generation: 1, CreationTimestamp: metav1.NewTime(noon)}}
	a.Spec.PoolName, a.Spec.CIDR = pool, cidr
	if claim != "" {
		a.Spec.Claim = fleetwrightv1.AllocationClaim{Namespace: "prod", Name: claim, Range: "vnet"}
		a.Finalizers = []string{"fleetwright.io/addressclaim"}
	}
	for _, c := range change {
		c(a)
	}
	return a
}

// givenBack is what AddressClaims do at noon when they give a range back.
func givenBack(a *fleetwrightv1.AddressAllocation) {
	a.Spec.ReleasedTime, a.Finalizers = metav1.NewTime(noon), nil
}

// worldOf is a world in which every claim that is named exists and asks for range vnet of the pool, but for claim gone, and for claim other,
// which asks for another range.
func worldOf(pool *fleetwrightv1.AddressPool, others []*fleetwrightv1.AddressPool, allocations ...*fleetwrightv1.AddressAllocation) world {
	w := world{key: types.NamespacedName{Namespace: "platform", Name: "corp"}, pool: pool, others: others, allocations: allocations, claims: map[types.NamespacedName]*fleetwrightv1.AddressClaim{}}
	for _, a := range allocations {
		if !claimed(a) || poolOf(a) != w.key {
			continue
		}
		claim := &fleetwrightv1.AddressClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: a.Spec.Claim.Name}}
		claim.Spec.Ranges = []fleetwrightv1.ClaimedRange{{Name: "vnet", PoolRef: fleetwrightv1.NamespacedReference{Namespace: "platform", Name: "corp"}, PrefixLength: 20}}
		switch a.Spec.Claim.Name {
		case "gone":
			claim = nil
		case "other":
			claim.Spec.Ranges[0].Name = "nodes"
		}
		w.claims[claimOf(a)] = claim
	}
	return w
}

// saidBy is a condition in one line.
func saidBy(t *testing.T, conditions []metav1.Condition, kind string) string {
	t.Helper()
	for _, c := range conditions {
		if c.Type == kind {
			return strings.TrimSuffix(fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message), ": ")
		}
	}
	return ""
}
