package debt

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// The document is what `debt -o json` prints, and what the other formats are made from. Fields are added to it and never
// renamed.

// apiVersion and kind name the document, which no API server knows.
const (
	apiVersion = "cli.fleetwright.io/v1alpha1"
	kind       = "DrainDebtList"
)

// List is the debt of all Nodepools that were read, the most first.
type List struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// By is what the items are: workload, namespace, budget, cluster or reason.
	By string `json:"by"`
	// Nodepools is how many were read, Seconds the debt of all of them.
	Nodepools int    `json:"nodepools"`
	Seconds   int64  `json:"seconds"`
	Items     []Item `json:"items"`

	// where is the namespace that was read, as people say it.
	where string
}

// Item is the debt of one workload, namespace, budget, cluster or reason. Which one it is, its first fields say: only
// those that name it are set.
type Item struct {
	// Workload is kind and name, Namespace that of the workload or budget in its own cluster.
	Workload  string `json:"workload,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	// Budget is missing for all that no PodDisruptionBudget held up.
	Budget string `json:"budget,omitempty"`
	// Cluster is the namespace and the name of the Cluster.
	Cluster string `json:"cluster,omitempty"`
	Reason  string `json:"reason,omitempty"`

	// Seconds is how long it held up drains, summed up over Nodepools. Of several workloads that held up one drain at a
	// time, each is counted.
	Seconds int64 `json:"seconds"`
	// PodsNow is how many pods are in the way now, and SinceTime since when the oldest of them is; LastTime is when any was
	// seen in the way last.
	PodsNow   int32      `json:"podsNow"`
	SinceTime *time.Time `json:"sinceTime,omitempty"`
	LastTime  *time.Time `json:"lastTime,omitempty"`

	// What is behind it, in each list the one with the most debt first. Workloads and budgets are written with their
	// namespace.
	Workloads  []string `json:"workloads"`
	Namespaces []string `json:"namespaces"`
	Budgets    []string `json:"budgets"`
	Clusters   []string `json:"clusters"`
	Reasons    []string `json:"reasons"`

	parts []part
}

// part is one debt of an item.
type part struct {
	seconds                                      int64
	workload, namespace, budget, cluster, reason string
}

// name is by what an item is found again.
func (i Item) name() [5]string {
	return [5]string{i.Namespace, i.Workload, i.Budget, i.Cluster, i.Reason}
}

// groupNames are the values of --by.
var groupNames = []string{"workload", "namespace", "budget", "cluster", "reason"}

// nameOf is what the item is called that a debt belongs to.
func nameOf(by, cluster string, d fleetwrightv1.WorkloadDebt) Item {
	switch by {
	case "namespace":
		return Item{Namespace: d.Namespace}
	case "budget":
		if d.Budget == "" {
			return Item{}
		}
		return Item{Namespace: d.Namespace, Budget: d.Budget}
	case "cluster":
		return Item{Cluster: cluster}
	case "reason":
		return Item{Reason: d.Reason}
	default:
		return Item{Namespace: d.Namespace, Workload: d.Owner}
	}
}

// rank sums up what the Nodepools report.
func rank(nodepools []fleetwrightv1.Nodepool, by string) List {
	list := List{APIVersion: apiVersion, Kind: kind, By: by, Nodepools: len(nodepools), Items: []Item{}}
	place := map[[5]string]int{}
	for i := range nodepools {
		np := &nodepools[i]
		cluster := np.Namespace + "/" + np.Spec.ClusterName
		for _, d := range np.Status.DrainDebt.Workloads {
			item := nameOf(by, cluster, d)
			at, known := place[item.name()]
			if !known {
				at = len(list.Items)
				place[item.name()] = at
				list.Items = append(list.Items, item)
			}
			list.Items[at].add(cluster, d)
			list.Seconds += ptr.Deref(d.Seconds, 0)
		}
	}
	for i := range list.Items {
		list.Items[i].list()
	}
	slices.SortFunc(list.Items, func(a, b Item) int {
		nameA, nameB := a.name(), b.name()
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(b.PodsNow, a.PodsNow), slices.Compare(nameA[:], nameB[:]))
	})
	return list
}

func (i *Item) add(cluster string, d fleetwrightv1.WorkloadDebt) {
	i.Seconds += ptr.Deref(d.Seconds, 0)
	i.PodsNow += d.Pods
	if since := d.SinceTime.UTC(); !d.SinceTime.IsZero() && (i.SinceTime == nil || since.Before(*i.SinceTime)) {
		i.SinceTime = &since
	}
	if last := d.LastTime.UTC(); !d.LastTime.IsZero() && (i.LastTime == nil || last.After(*i.LastTime)) {
		i.LastTime = &last
	}
	p := part{ptr.Deref(d.Seconds, 0), d.Namespace + "/" + d.Owner, d.Namespace, "", cluster, d.Reason}
	if d.Budget != "" {
		p.budget = d.Namespace + "/" + d.Budget
	}
	i.parts = append(i.parts, p)
}

// list fills in what is behind the item.
func (i *Item) list() {
	i.Workloads = i.worst(func(p part) string { return p.workload })
	i.Namespaces = i.worst(func(p part) string { return p.namespace })
	i.Budgets = i.worst(func(p part) string { return p.budget })
	i.Clusters = i.worst(func(p part) string { return p.cluster })
	i.Reasons = i.worst(func(p part) string { return p.reason })
}

// worst are names of the parts, each once, the one with the most debt first. None is not null in JSON.
func (i *Item) worst(name func(part) string) []string {
	seconds := map[string]int64{}
	for _, p := range i.parts {
		if name(p) != "" {
			seconds[name(p)] += p.seconds
		}
	}
	names := slices.AppendSeq([]string{}, maps.Keys(seconds))
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(seconds[b], seconds[a]), strings.Compare(a, b)) })
	return names
}
