package render_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

func asking(flavor fleetwrightv1.WorkloadClusterFlavor, mode fleetwrightv1.NetworkMode, ranges ...fleetwrightv1.WorkloadClusterRange) render.Input {
	return render.Input{Namespace: "prod", Name: "c", Effective: effective.Effective{Spec: fleetwrightv1.WorkloadClusterTemplate{
		Flavor: flavor, Azure: fleetwrightv1.WorkloadClusterAzure{ResourceGroup: "c", Location: "westeurope"},
		Network: fleetwrightv1.WorkloadClusterNetwork{Mode: mode, Addresses: ranges}, Limits: fleetwrightv1.WorkloadClusterLimits{MaxNodes: 100},
	}}}
}

// lines are the ranges of a claim in short.
func lines(claim *fleetwrightv1.AddressClaimSpec) []string {
	if claim == nil {
		return nil
	}
	var out []string
	for _, r := range claim.Ranges {
		words := []string{r.Name}
		if r.PoolRef.Name != "" {
			words = append(words, "from "+r.PoolRef.Name)
		}
		if r.Within != "" {
			words = append(words, "in "+r.Within)
		}
		if r.CIDR != "" {
			words = append(words, r.CIDR)
		}
		if r.PrefixLength != 0 {
			words = append(words, "/"+strings.Repeat("i", int(r.PrefixLength)))
		}
		if s := r.Sizing; s != (fleetwrightv1.RangeSizing{}) {
			words = append(words, "for "+strings.ToLower(string(s.Purpose)))
			if s.MaxPods != 0 {
				words = append(words, "with pods")
			}
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

func TestClaim(t *testing.T) {
	const aso, capz = fleetwrightv1.WorkloadClusterFlavorASO, fleetwrightv1.WorkloadClusterFlavorManaged
	pool := fleetwrightv1.NamespacedReference{Name: "corp"}
	vnet := fleetwrightv1.WorkloadClusterRange{Name: "vnet", PoolRef: pool}
	many := asking(aso, fleetwrightv1.NetworkModeCNI, vnet)
	many.Effective.Spec.Nodepools = []fleetwrightv1.WorkloadClusterNodepool{
		{Spec: fleetwrightv1.NodepoolTemplateSpec{MaxPods: 30}}, {Spec: fleetwrightv1.NodepoolTemplateSpec{MaxPods: 60}},
	}
	open := asking(aso, fleetwrightv1.NetworkModeCNI, vnet)
	open.Effective.Spec.Nodepools = []fleetwrightv1.WorkloadClusterNodepool{{Spec: fleetwrightv1.NodepoolTemplateSpec{MaxPods: 30}}, {}}
	adopted := asking(aso, fleetwrightv1.NetworkModeOverlay, fleetwrightv1.WorkloadClusterRange{Name: "vnet", CIDR: "10.1.0.0/16"})
	adopted.Adopted = true
	for name, test := range map[string]struct {
		in   render.Input
		want []string
	}{
		"asks for nothing":         {asking(aso, fleetwrightv1.NetworkModeOverlay), nil},
		"overlay":                  {asking(aso, fleetwrightv1.NetworkModeOverlay, vnet), []string{"vnet from corp", "nodes in vnet for nodes", "pods 100.64.0.0/17", "services 100.96.0.0/16"}},
		"subnet of the pods":       {asking(aso, fleetwrightv1.NetworkModeCNIPodSubnet, vnet), []string{"vnet from corp", "nodes in vnet for nodes", "pods in vnet for pods", "services 100.96.0.0/16"}},
		"pods among the nodes":     {asking(aso, fleetwrightv1.NetworkModeCNI, vnet), []string{"vnet from corp", "nodes in vnet for nodes", "services 100.96.0.0/16"}},
		"pods that are counted":    {many, []string{"vnet from corp", "nodes in vnet for nodes with pods", "services 100.96.0.0/16"}},
		"pods that AKS counts":     {open, []string{"vnet from corp", "nodes in vnet for nodes", "services 100.96.0.0/16"}},
		"a cluster that was there": {adopted, []string{"vnet 10.1.0.0/16"}},
		"all told": {
			asking(aso, fleetwrightv1.NetworkModeOverlay,
				fleetwrightv1.WorkloadClusterRange{Name: "services", PoolRef: pool, PrefixLength: 3}, fleetwrightv1.WorkloadClusterRange{Name: "vnet", PoolRef: pool, PrefixLength: 2},
				fleetwrightv1.WorkloadClusterRange{Name: "pods", PoolRef: pool}, fleetwrightv1.WorkloadClusterRange{Name: "nodes", PrefixLength: 4}),
			[]string{"vnet from corp /ii", "nodes in vnet /iiii", "pods from corp for pods", "services from corp /iii"},
		},
		"no network of its own":   {asking(aso, fleetwrightv1.NetworkModeCNIPodSubnet, fleetwrightv1.WorkloadClusterRange{Name: "services", CIDR: "10.3.0.0/20"}), []string{"services 10.3.0.0/20"}},
		"only pods":               {asking(aso, fleetwrightv1.NetworkModeOverlay, fleetwrightv1.WorkloadClusterRange{Name: "pods", CIDR: "10.244.0.0/16"}), []string{"pods 10.244.0.0/16"}},
		"only pods, AzureManaged": {asking(capz, fleetwrightv1.NetworkModeOverlay, fleetwrightv1.WorkloadClusterRange{Name: "pods", CIDR: "10.244.0.0/16"}), []string{"pods 10.244.0.0/16", "services 100.96.0.0/16"}},
	} {
		t.Run(name, func(t *testing.T) {
			claim, err := render.Claim(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, lines(claim)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRangesOfACluster(t *testing.T) {
	const aso, capz = fleetwrightv1.WorkloadClusterFlavorASO, fleetwrightv1.WorkloadClusterFlavorManaged
	type ranges struct{ VNet, Nodes, PodSubnet, Pods, Services, DNS string }
	bound := func(in render.Input, pairs ...string) render.Input {
		for i := 0; i < len(pairs); i += 2 {
			in.Bound = append(in.Bound, fleetwrightv1.BoundRange{Name: pairs[i], CIDR: pairs[i+1]})
		}
		return in
	}
	largest := asking(aso, fleetwrightv1.NetworkModeOverlay)
	largest.Effective.Spec.Limits.MaxNodes = 5000
	for name, test := range map[string]struct {
		in   render.Input
		want ranges
	}{
		"without a claim":               {asking(aso, fleetwrightv1.NetworkModeOverlay), ranges{Pods: "100.64.0.0/17"}},
		"as large as the API has it":    {largest, ranges{Pods: "100.64.0.0/11"}},
		"without a claim, AzureManaged": {asking(capz, fleetwrightv1.NetworkModeOverlay), ranges{Pods: "100.64.0.0/17", Services: "100.96.0.0/16", DNS: "100.96.0.10"}},
		"pods among the nodes":          {asking(aso, fleetwrightv1.NetworkModeCNI), ranges{}},
		"what is bound counts": {
			bound(asking(aso, fleetwrightv1.NetworkModeOverlay), "vnet", "10.1.0.0/16", "nodes", "10.1.0.0/20", "pods", "10.2.0.0/16", "services", "10.3.0.0/20"),
			ranges{VNet: "10.1.0.0/16", Nodes: "10.1.0.0/20", Pods: "10.2.0.0/16", Services: "10.3.0.0/20", DNS: "10.3.0.10"},
		},
		"subnet of the pods": {
			bound(asking(aso, fleetwrightv1.NetworkModeCNIPodSubnet), "vnet", "10.1.0.0/16", "nodes", "10.1.0.0/20", "pods", "10.1.16.0/20"),
			ranges{VNet: "10.1.0.0/16", Nodes: "10.1.0.0/20", PodSubnet: "10.1.16.0/20", Services: "100.96.0.0/16", DNS: "100.96.0.10"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := render.Cluster(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, ranges{w.VNet, w.Nodes, w.PodSubnet, w.Pods, w.Services, w.DNSServiceIP}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRangesThatCannotBe(t *testing.T) {
	huge := asking(fleetwrightv1.WorkloadClusterFlavorASO, fleetwrightv1.NetworkModeOverlay, fleetwrightv1.WorkloadClusterRange{Name: "vnet", CIDR: "10.1.0.0/16"})
	huge.Effective.Spec.Limits.MaxNodes = 7000
	narrow := asking(fleetwrightv1.WorkloadClusterFlavorASO, fleetwrightv1.NetworkModeOverlay)
	narrow.Bound = []fleetwrightv1.BoundRange{{Name: "services", CIDR: "10.3.0.0/29"}}
	for in, want := range map[*render.Input]string{
		&huge:   "limits.maxNodes: the pods of 7000 nodes do not fit into 100.64.0.0/11: give network.addresses[pods] a cidr",
		&narrow: "network.addresses[services]: 10.3.0.0/29 has no room for the address of the DNS service, its eleventh: give a /28 or larger",
	} {
		if _, err := render.Cluster(*in); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := render.Claim(huge); err == nil {
		t.Error("a claim was made of a range that there is not")
	}
}
