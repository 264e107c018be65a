package cidr

import (
	"strconv"
	"testing"
)

func TestLength(t *testing.T) {
	for name, tc := range map[string]struct {
		sizing Sizing
		want   string
	}{
		"nodes of a large cluster":              {Sizing{Mode: "Overlay", MaxNodes: 950, MaxPods: 250, SurgePercent: 25}, "21"},
		"with their pods":                       {Sizing{Mode: "CNI", MaxNodes: 950, MaxPods: 250, SurgePercent: 25}, "13"},
		"their overlay":                         {Sizing{Pods: true, Mode: "Overlay", MaxNodes: 950, MaxPods: 250, SurgePercent: 25}, "13"},
		"their subnet of pods":                  {Sizing{Pods: true, Mode: "CNIPodSubnet", MaxNodes: 950, MaxPods: 250, SurgePercent: 25}, "13"},
		"nodes beside a subnet of pods":         {Sizing{Mode: "CNIPodSubnet", MaxNodes: 950, MaxPods: 250, SurgePercent: 25}, "21"},
		"just what a /24 holds beside Azure's":  {Sizing{Mode: "Overlay", MaxNodes: 251, MaxPods: 30}, "24"},
		"one more":                              {Sizing{Mode: "Overlay", MaxNodes: 252, MaxPods: 30}, "23"},
		"a part of a surge node is a node":      {Sizing{Mode: "Overlay", MaxNodes: 203, MaxPods: 30, SurgePercent: 24}, "23"},
		"a whole surge node is one":             {Sizing{Mode: "Overlay", MaxNodes: 200, MaxPods: 30, SurgePercent: 25}, "24"},
		"the smallest subnet of Azure":          {Sizing{Mode: "Overlay", MaxNodes: 1, MaxPods: 10}, "29"},
		"with pods, just what a /23 holds":      {Sizing{Mode: "CNI", MaxNodes: 13, MaxPods: 38}, "23"},
		"with pods, one pod more":               {Sizing{Mode: "CNI", MaxNodes: 13, MaxPods: 39}, "22"},
		"an overlay gives each node a /24":      {Sizing{Pods: true, Mode: "Overlay", MaxNodes: 1, MaxPods: 10}, "24"},
		"just what an overlay of a /16 holds":   {Sizing{Pods: true, Mode: "Overlay", MaxNodes: 256, MaxPods: 10}, "16"},
		"one more node":                         {Sizing{Pods: true, Mode: "Overlay", MaxNodes: 257, MaxPods: 10}, "15"},
		"nodes take addresses of pods by 16":    {Sizing{Pods: true, Mode: "CNIPodSubnet", MaxNodes: 8, MaxPods: 30}, "23"},
		"and so in whole":                       {Sizing{Pods: true, Mode: "CNIPodSubnet", MaxNodes: 7, MaxPods: 32}, "24"},
		"the largest cluster there is":          {Sizing{Mode: "CNI", MaxNodes: 5000, MaxPods: 250, SurgePercent: 100}, "10"},
		"and its overlay":                       {Sizing{Pods: true, Mode: "Overlay", MaxNodes: 5000, MaxPods: 250, SurgePercent: 100}, "10"},
		"more than there is":                    {Sizing{Pods: true, Mode: "Overlay", MaxNodes: 10_000_000, MaxPods: 1}, "10000000 nodes need 2560000000 addresses, which IPv4 does not have: make maxNodes or maxPods smaller"},
		"pods that are in the nodes' subnet":    {Sizing{Pods: true, Mode: "CNI", MaxNodes: 10, MaxPods: 30}, "mode CNI has no range of pods, which are in the subnet of the nodes: give purpose Nodes"},
		"a mode that is none":                   {Sizing{Mode: "Kubenet", MaxNodes: 10, MaxPods: 30}, `mode "Kubenet" is not known: give Overlay, CNI or CNIPodSubnet`},
		"no nodes":                              {Sizing{Mode: "CNI", MaxPods: 30}, "maxNodes is 0: give at least 1"},
		"no pods: a default that was forgotten": {Sizing{Mode: "CNI", MaxNodes: 10}, "maxPods is 0: give at least 1"},
		"less than no surge":                    {Sizing{Mode: "CNI", MaxNodes: 10, MaxPods: 30, SurgePercent: -1}, "surgePercent is -1: give at least 0"},
	} {
		t.Run(name, func(t *testing.T) {
			length, err := Length(tc.sizing)
			said := strconv.Itoa(length)
			if err != nil {
				said = err.Error()
			}
			if said != tc.want {
				t.Errorf("Length says %s, want %s", said, tc.want)
			}
		})
	}
}

func TestHull(t *testing.T) {
	many := make([]int, 256)
	for i := range many {
		many[i] = 24
	}
	for name, tc := range map[string]struct {
		lengths []int
		want    int
	}{
		"none":                     {nil, 0},
		"one":                      {[]int{20}, 20},
		"two halves":               {[]int{20, 20}, 19},
		"a large and a small one":  {[]int{21, 20}, 19},
		"three quarters":           {[]int{24, 24, 24}, 22},
		"a very small one":         {[]int{16, 30}, 15},
		"a half and two quarters":  {[]int{21, 20, 21}, 19},
		"and a little":             {[]int{21, 20, 21, 28}, 18},
		"many":                     {many, 16},
		"one more":                 {append([]int{24}, many...), 15},
		"IPv6":                     {[]int{48, 64, 120}, 47},
		"all there is":             {[]int{1, 1}, 0},
		"more than all there is":   {[]int{1, 1, 1}, -1},
		"small ones to a large":    {[]int{26, 26, 25, 24}, 23},
		"and one that is too many": {[]int{26, 26, 26, 25, 24}, 22},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Hull(tc.lengths); got != tc.want {
				t.Errorf("Hull says %d, want %d", got, tc.want)
			}
		})
	}
}
