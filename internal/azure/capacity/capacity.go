// Package capacity is what Azure has left for more nodes of one pool: the machine type, vCPU quotas and subnet
// addresses. It holds values, arithmetic and the port through which they are read; package arm reads them from Azure.
//
// An answer is a forecast and no promise. Azure can still refuse a machine (AllocationFailed), and others may take what
// was free a moment ago. So what is unknown limits nothing: Azure has the last word.
package capacity

import (
	"context"
	"time"
)

// Source answers what Azure has for a pool. Implementations are safe for concurrent use.
type Source interface {
	// Capacity answers as much as it can. An error goes together with an answer: the parts that could not be read are
	// unknown and say why, the others hold. Parts that this operator may not read are unknown without an error, because
	// asking again does not help.
	Capacity(ctx context.Context, q Query) (Answer, error)
}

// Query is what a pool asks of Azure.
type Query struct {
	// SubscriptionID is the subscription of the cluster, a GUID.
	SubscriptionID string
	// Location is the region, for instance westeurope; "West Europe" is the same.
	Location string
	// MachineType is the VM size, for instance Standard_D8ds_v5.
	MachineType string
	// Spot asks for Spot machines, which have a quota of their own.
	Spot bool
	// Zones are the availability zones the pool wants; empty for none.
	Zones []string
	// NodeSubnetID and PodSubnetID are ARM ids; empty means none, or one that AKS manages itself.
	NodeSubnetID, PodSubnetID string
	// Since is when what is asked about last changed: quotas and addresses that were read before are read again.
	Since time.Time
}

// Answer is what Azure has. The zero Answer knows nothing.
type Answer struct {
	// SKU is the machine type in the pool's location.
	SKU SKU
	// Quotas are the vCPU limits that new nodes count against, the widest first.
	Quotas Quotas
	// Subnets are the subnets of the query: of the nodes first, then of the pods.
	Subnets []Subnet
}

// SKU is one machine type as a subscription sees it in one location.
type SKU struct {
	// Known tells whether Azure answered; Why says why not, for people.
	Known bool
	Why   string

	// Offered says that the location has the machine type at all. The fields below are zero when it has not.
	Offered bool
	// Family is the name that quota goes by, for instance standardDSv5Family.
	Family string
	// VCPUs is what one machine takes from a quota; 0 if Azure does not say.
	VCPUs int32
	// Restricted is why this subscription cannot use the machine type here, in Azure's words, for instance
	// NotAvailableForSubscription. Empty when it can.
	Restricted string
	// ZonesMissing are those of the query's zones in which it cannot be used, sorted; ZonesWhy is Azure's reason, or
	// empty where Azure simply does not offer it.
	ZonesMissing []string
	ZonesWhy     string
	// EphemeralOSDisk says that the OS disk can live on the machine itself; CacheGiB is the size of its cache disk, in
	// whole GiB, 0 for none.
	EphemeralOSDisk bool
	CacheGiB        int32
}

// Quotas are the vCPU limits that nodes of one machine type count against.
type Quotas struct {
	// Known tells whether Azure answered; Why says why not, for people.
	Known bool
	Why   string
	// Of are the limits.
	Of []Quota
}

// Quota is one limit of a subscription in a location, in vCPUs.
type Quota struct {
	// Name is what Azure's portal calls it, for instance "Standard DSv5 Family vCPUs".
	Name string
	// Limit and Used are vCPUs; Used may be the greater one after a limit was lowered.
	Limit, Used int64
}

// Left is how many vCPUs more the quota holds, never negative.
func (q Quota) Left() int64 { return max(q.Limit-q.Used, 0) }

// Subnet is the room in one subnet.
type Subnet struct {
	// ID is the ARM id as it was asked for.
	ID string
	// Known tells whether Azure answered; Why says why not, for people.
	Known bool
	Why   string
	// Usable is how many addresses machines and pods can have: all but the five that Azure keeps in every range.
	Usable int64
	// Used is how many of them are taken.
	Used int64
}

// Free is how many addresses are left, never negative.
func (s Subnet) Free() int64 { return max(s.Usable-s.Used, 0) }

// Unknown is a Source that knows nothing: for an operator without Azure credentials.
type Unknown struct {
	// Why is said for each part; empty means "no Azure credentials are configured".
	Why string
}

// Capacity answers that everything is unknown.
func (u Unknown) Capacity(_ context.Context, q Query) (Answer, error) {
	why := u.Why
	if why == "" {
		why = "no Azure credentials are configured"
	}
	answer := Answer{SKU: SKU{Why: why}, Quotas: Quotas{Why: why}}
	for _, id := range q.Subnets() {
		answer.Subnets = append(answer.Subnets, Subnet{ID: id, Why: why})
	}
	return answer, nil
}

// Subnets are the ids of the subnets that the query names, of the nodes first, each once.
func (q Query) Subnets() []string {
	var ids []string
	if q.NodeSubnetID != "" {
		ids = append(ids, q.NodeSubnetID)
	}
	if q.PodSubnetID != "" && !sameID(q.PodSubnetID, q.NodeSubnetID) {
		ids = append(ids, q.PodSubnetID)
	}
	return ids
}
