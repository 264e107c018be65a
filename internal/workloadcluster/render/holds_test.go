package render

import (
	"testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func TestMostNodes(t *testing.T) {
	for name, test := range map[string]struct {
		mode fleetwrightv1.NetworkMode
		name fleetwrightv1.ClusterRangeName
		cidr string
		pods []int32
		want int32
	}{
		"nodes only":                        {mode: "Overlay", name: "nodes", cidr: "10.0.0.0/24", want: 251},
		"each with its pods":                {mode: "CNI", name: "nodes", cidr: "10.0.0.0/20", pods: []int32{0, 60}, want: 131},
		"with those of the smallest pool":   {mode: "CNI", name: "nodes", cidr: "10.0.0.0/20", pods: []int32{60, 10}, want: 371},
		"in batches":                        {mode: "CNIPodSubnet", name: "pods", cidr: "10.0.0.0/20", pods: []int32{30}, want: 127},
		"large enough":                      {mode: "Overlay", name: "nodes", cidr: "10.0.0.0/16", want: 950},
		"not even one":                      {mode: "CNI", name: "nodes", cidr: "10.0.0.0/29", pods: []int32{0}, want: 1},
		"a range that has nothing to do":    {mode: "CNI", name: "services", cidr: "10.0.0.0/29", want: 950},
		"none that is known":                {mode: "CNI", name: "nodes", want: 950},
		"of another family":                 {mode: "CNI", name: "nodes", cidr: "fd00::/120", want: 950},
		"CNI has no range of pods to be in": {mode: "CNI", name: "pods", cidr: "10.0.0.0/29", want: 950},
	} {
		t.Run(name, func(t *testing.T) {
			spec := fleetwrightv1.WorkloadClusterTemplate{}
			spec.Network.Mode, spec.Limits.MaxNodes = test.mode, 950
			for _, pods := range test.pods {
				spec.Nodepools = append(spec.Nodepools, fleetwrightv1.WorkloadClusterNodepool{Spec: fleetwrightv1.NodepoolTemplateSpec{MaxPods: pods}})
			}
			if got := MostNodes(spec, test.name, test.cidr); got != test.want {
				t.Errorf("%d nodes, want %d", got, test.want)
			}
		})
	}
}
