package broker

import (
	"strings"

	"golang.org/x/time/rate"
)

// limit is one published token bucket of Azure.
type limit struct {
	// name is the limit in metrics and messages.
	name string
	// size is how many tokens it holds at most, refill how many come back each second. Size 0 is a limit that is not
	// published: only a 429 closes it.
	size   int
	refill rate.Limit
	// single is for a limit of one resource, which there are too many of to tell each by a metric.
	single bool
}

// The limits, with those of docs/azure-budget.md.
var (
	// Resource Manager: per identity and subscription, and the same without a subscription, per identity.
	armReads   = &limit{name: "arm_reads", size: 250, refill: 25}
	armWrites  = &limit{name: "arm_writes", size: 200, refill: 10}
	armDeletes = &limit{name: "arm_deletes", size: 200, refill: 10}
	// The AKS resource provider: each in each region.
	aksList       = &limit{name: "aks_list", size: 500, refill: 1}
	aksListGroup  = &limit{name: "aks_list_group", size: 60, refill: 1, single: true}
	aksGetCluster = &limit{name: "aks_get_cluster", size: 60, refill: 1, single: true}
	aksPutCluster = &limit{name: "aks_put_cluster", size: 20, refill: 1. / 60, single: true}
	aksPutPool    = &limit{name: "aks_put_pool", size: 20, refill: 1. / 60, single: true}
	aksOperations = &limit{name: "aks_operations", size: 200, refill: 2}
	aksOther      = &limit{name: "aks_other", size: 60, refill: 1}
	// Resource Graph: 15 queries of an identity in each window of 5 seconds. A bucket of 5 with 2 a second never lets more
	// through in any 5 seconds; it is 2 larger here by what every bucket is made smaller.
	resourceGraph = &limit{name: "resource_graph", size: 7, refill: 2}
	// Every other provider, by itself, and each region of it where the path names one.
	otherProviders = &limit{name: "provider"}

	limits = []*limit{
		armReads, armWrites, armDeletes, aksList, aksListGroup, aksGetCluster, aksPutCluster, aksPutPool, aksOperations, aksOther,
		resourceGraph, otherProviders,
	}
)

const (
	aksProvider   = "microsoft.containerservice"
	graphProvider = "microsoft.resourcegraph"
	clusters      = "managedclusters"
	pools         = "agentpools"
)

// need is a bucket that a request takes a token of. scope is whose it is; region is set where the bucket is one region's,
// and regional tells that it is. subscription is for metrics.
type need struct {
	limit         *limit
	scope, region string
	regional      bool
	subscription  string
}

// target is what a request counts against.
type target struct {
	needs []need
	// cluster is the managed cluster of the path, empty for none; changes is true when the request changes it.
	cluster string
	changes bool
	// reads is true for a request that changes nothing.
	reads bool
}

// targetOf reads a target out of a request. path is the unescaped one; region is where the caller says that the resource is.
func targetOf(principal, method, path, region string) target {
	p := parsePath(path)
	var t target
	t.reads = method == "GET" || method == "HEAD" || method == "POST" && (p.provider == graphProvider || strings.HasPrefix(p.last(), "list"))
	arm := armWrites
	switch method {
	case "GET", "HEAD":
		arm = armReads
	case "DELETE":
		arm = armDeletes
	}
	t.needs = append(t.needs, need{limit: arm, scope: principal + "/" + p.subscription, subscription: p.subscription})
	switch p.provider {
	case aksProvider:
		t.aks(method, p, region)
	case graphProvider:
		t.needs = append(t.needs, need{limit: resourceGraph, scope: principal})
	default:
		t.needs = append(t.needs, need{limit: otherProviders, scope: p.subscription + "/" + p.provider + "/" + strings.TrimPrefix(arm.name, "arm_"), region: p.location()})
	}
	return t
}

// aks adds the bucket of the AKS resource provider.
func (t *target) aks(method string, p path, region string) {
	region = strings.ToLower(strings.ReplaceAll(region, " ", ""))
	other := aksOther
	if here := p.location(); here != "" {
		region = here
		if strings.HasPrefix(p.at(2), "operation") {
			other = aksOperations
		}
	}
	if p.at(0) == clusters && p.at(1) != "" {
		t.cluster = p.subscription + "/" + p.group + "/" + p.at(1)
		// Aborting must get past what it aborts.
		t.changes = !t.reads && p.last() != "abort"
	}
	n := need{limit: other, scope: p.subscription, region: region, regional: true, subscription: p.subscription}
	if l, scope := t.ofOne(method, p); l != nil {
		n = need{limit: l, scope: scope, subscription: p.subscription}
	}
	t.needs = append(t.needs, n)
}

// ofOne is the limit of a request that does not count with all others of its region, nil for none.
func (t *target) ofOne(method string, p path) (l *limit, scope string) {
	if p.at(0) != clusters {
		return nil, ""
	}
	switch kind := len(p.rest); {
	case kind == 1 && p.group == "":
		// The list of all regions counts in each of them.
		return aksList, p.subscription
	case kind == 1:
		return aksListGroup, p.subscription + "/" + p.group
	case kind == 2 && method == "GET":
		return aksGetCluster, t.cluster
	case kind == 2 && method == "PUT":
		return aksPutCluster, t.cluster
	case kind == 4 && p.at(2) == pools && method == "PUT":
		// Published per pool. Counted per cluster, in case that is meant: nobody changes pools of a cluster once a minute.
		return aksPutPool, t.cluster
	}
	return nil, ""
}

// path is what an ARM path names, in lower case.
type path struct {
	subscription, group string
	// provider is the last one: that of an extension resource answers for it. rest is what follows it.
	provider string
	rest     []string
}

func parsePath(text string) path {
	segments := strings.Split(strings.Trim(strings.ToLower(text), "/"), "/")
	p := path{provider: "microsoft.resources"}
	// Words and names alternate, so that no name is taken for a word.
	for i := 0; i+1 < len(segments); i += 2 {
		switch {
		case i == 0 && segments[i] == "subscriptions":
			p.subscription = segments[i+1]
		case i == 2 && p.subscription != "" && segments[i] == "resourcegroups":
			p.group = segments[i+1]
		case segments[i] == "providers":
			p.provider, p.rest = segments[i+1], segments[i+2:]
		}
	}
	return p
}

func (p path) at(i int) string {
	if i >= len(p.rest) {
		return ""
	}
	return p.rest[i]
}

// location is the region that the path names, empty for none.
func (p path) location() string {
	if p.at(0) == "locations" {
		return p.at(1)
	}
	return ""
}

func (p path) last() string { return p.at(max(len(p.rest)-1, 0)) }
