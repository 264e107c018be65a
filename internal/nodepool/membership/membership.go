// Package membership decides which Node belongs to which pool, by full
// provider id and with the node's own label as second witness.
//
// CAPI up to v1.2.0 keyed nodes by the last segment of their provider id, which
// on scale sets is 0, 1, 2 in every pool: shrinking one pool deleted the Nodes
// of others (kubernetes-sigs/cluster-api#4526, fixed by #6971). Here whatever
// does not agree stops everything instead.
package membership

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/armid"
)

// Pool is what the provider says of one pool.
type Pool struct {
	// Name is the AKS agent pool name.
	Name string
	// ProviderIDs are the machines the provider lists for it.
	ProviderIDs []string
}

// Node is what a Node says of itself.
type Node struct {
	Name, ProviderID string
	// PoolLabel is its kubernetes.azure.com/agentpool label, or empty.
	PoolLabel string
}

// Members is what is known of one pool.
type Members struct {
	// Nodes are the names of the Nodes proven to belong to the pool, sorted.
	Nodes []string
	// Listed is the number of machines the provider lists, whether or not they
	// have a Node yet.
	Listed int
	// Unlisted are Nodes that carry the pool's label, or run in its scale set,
	// and that the provider does not list: freshly booted, most likely. The
	// picture is not whole while there are any.
	Unlisted []string
	// Conflict says what contradicts the membership, in one sentence; empty when
	// nothing does.
	Conflict string
}

// Match assigns nodes to pools. All pools of the cluster and all its nodes have
// to be given: a conflict shows only between two of them.
func Match(pools []Pool, nodes []Node) map[string]Members {
	m := matcher{owner: map[string]string{}, sets: map[string]string{}, result: map[string]*Members{}, seen: map[string]string{}}
	for _, p := range pools {
		m.claim(p)
	}
	for _, n := range nodes {
		m.assign(n)
	}
	out := make(map[string]Members, len(m.result))
	for name, members := range m.result {
		slices.Sort(members.Nodes)
		slices.Sort(members.Unlisted)
		out[name] = *members
	}
	return out
}

type matcher struct {
	// owner is the pool that lists a machine, by the id's key.
	owner map[string]string
	// sets is the pool that lists machines of a scale set, by the set's key.
	sets map[string]string
	// seen is the Node that has a machine, by the id's key.
	seen   map[string]string
	result map[string]*Members
}

func (m *matcher) claim(p Pool) {
	members, found := m.result[p.Name]
	if !found {
		members = &Members{}
		m.result[p.Name] = members
	} else {
		members.conflict("two pools of the cluster are called %s", p.Name)
	}
	sets := map[string]armid.ID{}
	for _, text := range p.ProviderIDs {
		id, err := armid.ParseProviderID(text)
		if err != nil {
			members.conflict("the provider lists %v", err)
			continue
		}
		members.Listed++
		sets[id.ScaleSet.Key()] = id.ScaleSet
		if other, taken := m.owner[id.Key()]; taken {
			members.conflict("%s is listed twice, by pools %s and %s", id, other, p.Name)
			m.result[other].conflict("%s is listed twice, by pools %s and %s", id, other, p.Name)
			continue
		}
		m.owner[id.Key()] = p.Name
		if other, taken := m.sets[id.ScaleSet.Key()]; taken && other != p.Name {
			members.conflict("pools %s and %s both list machines of scale set %s", other, p.Name, id.ScaleSet)
			m.result[other].conflict("pools %s and %s both list machines of scale set %s", other, p.Name, id.ScaleSet)
			continue
		}
		m.sets[id.ScaleSet.Key()] = p.Name
	}
	if len(sets) > 1 {
		members.conflict("the provider lists machines of %d scale sets for one pool", len(sets))
	}
}

func (m *matcher) assign(n Node) {
	labelled := m.result[n.PoolLabel]
	if n.ProviderID == "" && labelled != nil {
		// Freshly registered: Azure's node manager writes the id a moment later.
		labelled.Unlisted = append(labelled.Unlisted, n.Name)
		return
	}
	id, err := armid.ParseProviderID(n.ProviderID)
	if err != nil {
		if labelled != nil {
			labelled.conflict("node %s: %v", n.Name, err)
		}
		return
	}
	pool, listed := m.owner[id.Key()]
	named := m.result[nameIn(id.ScaleSet)]
	if !listed {
		m.unlisted(n, id, labelled, named)
		return
	}
	if named != nil && named != m.result[pool] {
		named.conflict("node %s is listed for pool %s and runs in scale set %s", n.Name, pool, id.ScaleSet)
	}
	members := m.result[pool]
	if other, twice := m.seen[id.Key()]; twice {
		members.conflict("nodes %s and %s have the same provider id %s", other, n.Name, id)
		return
	}
	m.seen[id.Key()] = n.Name
	if n.PoolLabel != pool {
		sentence := fmt.Sprintf("node %s is listed for pool %s by its provider id and labelled kubernetes.azure.com/agentpool=%q", n.Name, pool, n.PoolLabel)
		members.conflict("%s", sentence)
		if labelled != nil {
			labelled.conflict("%s", sentence)
		}
		return
	}
	members.Nodes = append(members.Nodes, n.Name)
}

// unlisted counts a node for the pool of its label and for the one whose machine
// it is: CAPZ may list machines by that very label, and where it was taken off
// the list is empty and the pool is not.
func (m *matcher) unlisted(n Node, id armid.Instance, labelled, named *Members) {
	machine := m.result[m.sets[id.ScaleSet.Key()]]
	if machine == nil {
		machine = named
	}
	for _, of := range []*Members{labelled, machine} {
		if of != nil && !slices.Contains(of.Unlisted, n.Name) {
			of.Unlisted = append(of.Unlisted, n.Name)
		}
	}
}

// scaleSetName is how AKS calls the scale set of a pool, aks-<pool>-<digits>-vmss,
// or on Windows, aks<pool>.
var scaleSetName = regexp.MustCompile(`/aks(?:-([a-z0-9]+)-[0-9]+-vmss|([a-z0-9]{1,6}))$`)

// nameIn is the pool that a scale set is named for, or empty.
func nameIn(scaleSet armid.ID) string {
	found := scaleSetName.FindStringSubmatch(strings.ToLower(scaleSet.String()))
	if found == nil {
		return ""
	}
	return found[1] + found[2]
}

// conflict keeps the first contradiction: it is the one to look at.
func (m *Members) conflict(format string, args ...any) {
	if m.Conflict == "" {
		m.Conflict = fmt.Sprintf(format, args...)
	}
}
