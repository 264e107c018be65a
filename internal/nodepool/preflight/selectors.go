package preflight

import (
	"cmp"
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// SelectorUse is how a workload uses a node label.
type SelectorUse string

const (
	// UseNodeSelector is spec.nodeSelector.
	UseNodeSelector SelectorUse = "NodeSelector"
	// UseRequiredAffinity and UsePreferredAffinity are the two kinds of node affinity.
	UseRequiredAffinity  SelectorUse = "RequiredNodeAffinity"
	UsePreferredAffinity SelectorUse = "PreferredNodeAffinity"
	// UseTopologySpread and UsePodAffinity name the label as topology key of a spread constraint, or of affinity to or
	// against other pods. Spreading over host names is right in every generation, so it is not reported.
	UseTopologySpread SelectorUse = "TopologySpread"
	UsePodAffinity    SelectorUse = "PodAffinity"
)

// Selector is one use of a label that belongs to one generation of a pool (its AKS name) or to one node.
type Selector struct {
	Use   SelectorUse
	Label string
	// Values it names, sorted, at most 10; none for a topology key.
	Values []string
	// Avoids says that it keeps away from the values.
	Avoids bool
	// Strict says that a pod can start only on nodes with one of the values.
	Strict bool
}

// confines says that no other pool will do. With several values another one might stay.
func (s Selector) confines() bool { return s.Strict && len(s.Values) == 1 }

// BoundSelector is a workload whose pods, as they run on the nodes, are bound to the pool's present generation.
type BoundSelector struct {
	Workload Workload
	Selector Selector
	// Pods of the workload on the nodes that carry it.
	Pods int
	// Instead is the label to select: it is the same in every generation of the pool.
	Instead string
}

func (b BoundSelector) strict() bool { return b.Selector.Strict }

// boundSelectors includes DaemonSets, which would not run on new nodes. Strict ones come first.
func (l *look) boundSelectors() []BoundSelector {
	found := map[string]BoundSelector{}
	for _, p := range l.pods {
		if p.Mirror || p.Finished() {
			continue
		}
		for _, s := range p.facts.Selectors {
			key := strings.Join(append([]string{p.workload.String(), s.describe()}, s.Values...), "\n")
			b, known := found[key]
			if !known {
				b = BoundSelector{Workload: p.workload, Selector: s, Instead: fleetwrightv1.LabelNodepool}
			}
			b.Pods++
			found[key] = b
		}
	}
	return sortedValues(found, compareSelectors)
}

func compareUses(a, b Selector) int {
	return cmp.Or(cmp.Compare(a.describe(), b.describe()), slices.Compare(a.Values, b.Values))
}

func compareSelectors(a, b BoundSelector) int {
	return cmp.Or(
		trueFirst(a.Selector.Strict, b.Selector.Strict), compareWorkloads(a.Workload, b.Workload),
		compareUses(a.Selector, b.Selector),
	)
}

// describe returns "agentpool=blue in its node selector", with up to three values.
func (s Selector) describe() string {
	const named = 3
	words := map[SelectorUse]string{
		UseNodeSelector: "node selector", UseRequiredAffinity: "required node affinity", UsePreferredAffinity: "preferred node affinity",
		UseTopologySpread: "topology spread", UsePodAffinity: "pod affinity",
	}
	label := s.Label
	if len(s.Values) > 0 {
		operator := "="
		if s.Avoids {
			operator = "!="
		}
		label += operator + strings.Join(s.Values[:min(named, len(s.Values))], ",")
		if len(s.Values) > named {
			label += ",..."
		}
	}
	return label + " in its " + words[s.Use]
}
