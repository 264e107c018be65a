package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/internal/nodepool"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
)

// The document is what `plan -o json` prints, and what the other formats are made from. Fields are added to it and never
// renamed; durations are whole seconds.

// apiVersion and kind name the document, which no API server knows.
const (
	apiVersion = "cli.fleetwright.io/v1alpha1"
	kind       = "NodepoolPlanList"
)

// List is the plan of all Nodepools in the files, in their order.
type List struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Outcome is the worst of all items.
	Outcome nodepool.Outcome `json:"outcome"`
	// AzureChecked is false without credentials for Azure: quotas, machine types and addresses are not known then, and no
	// pool is foreseen to be replaced in stages.
	AzureChecked bool           `json:"azureChecked"`
	Items        []NodepoolPlan `json:"items"`
}

// NodepoolPlan is what would happen to one Nodepool.
type NodepoolPlan struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Cluster   string `json:"cluster,omitempty"`
	// New is true when there is no such Nodepool yet.
	New bool `json:"new"`
	// Outcome is Nothing, Changes, Blocked, Unknown or Error.
	Outcome nodepool.Outcome `json:"outcome"`
	// Error is why nothing else is said, with outcome Error; Unread what could not be read, with outcome Unknown.
	Error  string `json:"error,omitempty"`
	Unread string `json:"unread,omitempty"`

	// Changes are the fields that differ from the pool as it is, with what each difference leads to.
	Changes []Change `json:"changes"`
	Next    *Next    `json:"next,omitempty"`
	// Strategy is how the pool would be replaced: FullGreen or StagedShift; missing when it is not.
	Strategy        string `json:"strategy,omitempty"`
	StrategyMessage string `json:"strategyMessage,omitempty"`
	// ClusterNodes is how many nodes the cluster has now, PeakNodes at most on the way, of NodeCap allowed.
	ClusterNodes int `json:"clusterNodes,omitempty"`
	PeakNodes    int `json:"peakNodes,omitempty"`
	NodeCap      int `json:"nodeCap,omitempty"`
	// Leaves is the pool that would be emptied.
	Leaves *Leaving `json:"leaves,omitempty"`
	// Drain is what emptying it would meet.
	Drain *Drain `json:"drain,omitempty"`
}

// Change is one field; From or To is missing where there is no value.
type Change struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	// Effect is InPlace, Replace, or Create for a Nodepool that is new.
	Effect string `json:"effect"`
}

// effectCreate is what the fields of a Nodepool lead to that is new.
const effectCreate = "Create"

// Next is the first thing that would happen, or what it waits for, in the words of the conditions.
type Next struct {
	// Verdict is Done, Moving, Waiting, Held or Stuck.
	Verdict string `json:"verdict"`
	Step    string `json:"step"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// Action is the one write that comes first, None if there is none; Pool is the agent pool it is about.
	Action string `json:"action"`
	Pool   string `json:"pool,omitempty"`
}

// Leaving is the pool that would be emptied.
type Leaving struct {
	Pool  string `json:"pool"`
	Nodes int    `json:"nodes"`
}

// Drain is what emptying the old nodes would meet. Lists have at most 50 items; total counts what was found.
type Drain struct {
	Nodes       int `json:"nodes"`
	PodsToMove  int `json:"podsToMove"`
	PodsStaying int `json:"podsStaying"`
	// SecondsLow and SecondsHigh are how long it takes at best and at worst, without the chains in Unbounded, for which no
	// end is foreseen. WithoutEnd counts those.
	SecondsLow  int64    `json:"secondsLow"`
	SecondsHigh int64    `json:"secondsHigh"`
	WithoutEnd  int      `json:"withoutEnd"`
	Unbounded   []string `json:"unbounded,omitempty"`
	// Longest is the chain of pods that takes longest among those with an end.
	Longest *Chain `json:"longest,omitempty"`

	Budgets    Found[Budget]    `json:"budgets"`
	Overlaps   Found[Obstacle]  `json:"overlappingBudgets"`
	Waits      Found[Obstacle]  `json:"waits"`
	Unmanaged  Found[Unmanaged] `json:"unmanagedPods"`
	Singletons Found[Singleton] `json:"singletons"`
	Volumes    Found[Volume]    `json:"pinnedVolumes"`
	Selectors  Found[Selector]  `json:"boundSelectors"`
	// ZonesNeeded is the number of pods by the zone that their volumes keep them in; "" is outside of zones.
	ZonesNeeded map[string]int `json:"zonesNeeded,omitempty"`
	// LocalData counts pods that lose emptyDir volumes, NotSafeToEvict those that ask the cluster autoscaler to leave them.
	LocalData      int `json:"podsLosingLocalData"`
	NotSafeToEvict int `json:"podsNotSafeToEvict"`
	// Warnings say all of this in sentences, the worst first.
	Warnings []string `json:"warnings"`

	// estimate is both seconds as people read them.
	estimate string
}

// Found is the head of a list.
type Found[T any] struct {
	Total int `json:"total"`
	Items []T `json:"items,omitempty"`
}

// Chain is a row of pods of which only AtOnce may be away at a time.
type Chain struct {
	Budget   string `json:"budget,omitempty"`
	Workload string `json:"workload"`
	Pods     int    `json:"pods"`
	AtOnce   int    `json:"atOnce"`

	name string
}

// Budget is a PodDisruptionBudget that allows nothing now; Never says that it never will.
type Budget struct {
	Budget   string     `json:"budget"`
	Workload string     `json:"workload"`
	Pods     int        `json:"pods"`
	Never    bool       `json:"never"`
	Message  string     `json:"message"`
	Since    *time.Time `json:"sinceTime,omitempty"`
}

// Obstacle is a workload whose pods cannot leave now.
type Obstacle struct {
	Workload string `json:"workload"`
	Pods     int    `json:"pods"`
	Reason   string `json:"reason"`
	Message  string `json:"message"`
}

// Unmanaged is a pod that nobody would bring back.
type Unmanaged struct {
	Pod     string `json:"pod"`
	Node    string `json:"node"`
	Evicted bool   `json:"evicted"`
}

// Singleton is a workload of one pod without a budget.
type Singleton struct {
	Workload string `json:"workload"`
	Pod      string `json:"pod"`
}

// Volume ties a pod to a zone, or to a node.
type Volume struct {
	Pod      string `json:"pod"`
	Workload string `json:"workload"`
	Claim    string `json:"claim"`
	Volume   string `json:"volume"`
	Zone     string `json:"zone,omitempty"`
	Node     string `json:"node,omitempty"`
}

// Selector is a workload bound to the present generation of the pool.
type Selector struct {
	Workload string   `json:"workload"`
	Use      string   `json:"use"`
	Label    string   `json:"label"`
	Values   []string `json:"values,omitempty"`
	Strict   bool     `json:"strict"`
	Pods     int      `json:"pods"`
	Instead  string   `json:"instead"`
}

func list(items []NodepoolPlan, azureChecked bool) List {
	return List{APIVersion: apiVersion, Kind: kind, Outcome: worst(items), AzureChecked: azureChecked, Items: items}
}

func describe(f nodepool.Foresight) NodepoolPlan {
	p := NodepoolPlan{
		Namespace: f.Namespace, Name: f.Name, Cluster: f.Cluster, New: f.New, Outcome: f.Outcome(), Unread: f.Unread,
		Changes: []Change{},
		Next: &Next{
			Verdict: string(f.Plan.Verdict), Step: f.Plan.Step, Reason: f.Plan.Reason, Message: f.Plan.Message,
			Action: cmp.Or(string(f.Plan.Action.Kind), "None"), Pool: f.Plan.Action.Pool,
		},
		Strategy: f.Plan.Strategy, StrategyMessage: f.Plan.StrategyMessage,
		ClusterNodes: f.ClusterNodes, PeakNodes: f.Plan.PeakNodes, NodeCap: f.NodeCap,
	}
	for _, c := range f.Plan.Changes {
		effect := string(c.Effect)
		if f.New {
			effect = effectCreate
		}
		p.Changes = append(p.Changes, Change{Field: c.Field, From: c.From, To: c.To, Effect: effect})
	}
	if f.Leaves != "" {
		p.Leaves = &Leaving{Pool: f.Leaves, Nodes: f.Nodes}
	}
	if f.Report != nil {
		p.Drain = describeDrain(*f.Report)
	}
	return p
}

func describeDrain(r preflight.Report) *Drain {
	d := &Drain{
		Nodes: r.Nodes, PodsToMove: r.PodsToMove, PodsStaying: r.PodsStaying,
		SecondsLow: seconds(r.Estimate.Low), SecondsHigh: seconds(r.Estimate.High), estimate: r.Estimate.String(),
		WithoutEnd: r.WithoutEnd, Unbounded: r.Estimate.Unbounded,
		ZonesNeeded: r.ZonesNeeded, LocalData: r.LocalData, NotSafeToEvict: r.NotSafeToEvict,
		Warnings: append([]string{}, r.Warnings()...),
		Budgets: found(r.Budgets, func(b preflight.BlockedBudget) Budget {
			return Budget{Budget: b.Budget, Workload: b.Workload.String(), Pods: b.Pods, Never: b.Never, Message: b.Message, Since: known(b.Since)}
		}),
		Overlaps: found(r.Overlaps, func(o preflight.Overlap) Obstacle {
			return Obstacle{Workload: o.Workload.String(), Pods: o.Pods, Reason: "MultipleBudgets", Message: o.Message}
		}),
		Waits: found(r.Waits, func(w preflight.Wait) Obstacle {
			return Obstacle{Workload: w.Workload.String(), Pods: w.Pods, Reason: string(w.Reason), Message: w.Message}
		}),
		Unmanaged: found(r.Unmanaged, func(u preflight.UnmanagedPod) Unmanaged {
			return Unmanaged{Pod: u.Pod.String(), Node: u.Node, Evicted: u.Evicted}
		}),
		Singletons: found(r.Singletons, func(s preflight.Singleton) Singleton {
			return Singleton{Workload: s.Workload.String(), Pod: s.Pod.String()}
		}),
		Volumes: found(r.Pinned, func(v preflight.PinnedVolume) Volume {
			return Volume{Pod: v.Pod.String(), Workload: v.Workload.String(), Claim: v.Claim, Volume: v.Volume, Zone: v.Zone, Node: v.Node}
		}),
		Selectors: found(r.Selectors, func(s preflight.BoundSelector) Selector {
			return Selector{
				Workload: s.Workload.String(), Use: string(s.Selector.Use), Label: s.Selector.Label, Values: slices.Clone(s.Selector.Values),
				Strict: s.Selector.Strict, Pods: s.Pods, Instead: s.Instead,
			}
		}),
	}
	if c := r.Longest; c.Pods > 0 {
		d.Longest = &Chain{Budget: c.Budget, Workload: c.Workload.String(), Pods: c.Pods, AtOnce: c.AtOnce, name: c.String()}
	}
	return d
}

func found[From, To any](in preflight.Capped[From], describe func(From) To) Found[To] {
	out := Found[To]{Total: in.Total}
	for _, item := range in.Items {
		out.Items = append(out.Items, describe(item))
	}
	return out
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func seconds(d time.Duration) int64 { return int64(d.Round(time.Second) / time.Second) }
