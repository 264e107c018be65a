package render_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

func TestSubnetsOfANodepool(t *testing.T) {
	in := func(flavor fleetwrightv1.WorkloadClusterFlavor, mode fleetwrightv1.NetworkMode, ranges ...string) render.Input {
		out := asking(flavor, mode)
		for _, name := range ranges {
			out.Bound = append(out.Bound, fleetwrightv1.BoundRange{Name: name, CIDR: "10.0.0.0/16"})
		}
		return out
	}
	const aso, capz = fleetwrightv1.WorkloadClusterFlavorASO, fleetwrightv1.WorkloadClusterFlavorManaged
	const overlay, podSubnet = fleetwrightv1.NetworkModeOverlay, fleetwrightv1.NetworkModeCNIPodSubnet
	const id = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v/subnets/x"
	for name, test := range map[string]struct {
		in                 render.Input
		subnet, podSubnet  string
		nodesWant, podWant string
	}{
		"the cluster's own":                {in: in(aso, overlay, "vnet", "nodes", "pods"), nodesWant: "c-nodes"},
		"the cluster's own, AzureManaged":  {in: in(capz, overlay, "vnet", "nodes", "pods")},
		"no network of its own":            {in: in(aso, overlay, "pods")},
		"with a subnet of the pods":        {in: in(aso, podSubnet, "vnet", "nodes", "pods"), nodesWant: "c-nodes", podWant: "c-pods"},
		"range by name":                    {in: in(aso, podSubnet, "vnet", "nodes", "pods"), subnet: "nodes", podSubnet: "pods", nodesWant: "c-nodes", podWant: "c-pods"},
		"range by name, AzureManaged":      {in: in(capz, overlay, "vnet", "nodes"), subnet: "nodes", nodesWant: "nodes"},
		"another one of that name":         {in: in(aso, overlay, "pods"), subnet: "nodes", nodesWant: "nodes"},
		"a subnet that is not the cluster": {in: in(aso, overlay, "vnet", "nodes"), subnet: id, podSubnet: "x", nodesWant: id, podWant: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := render.Nodepool(test.in, fleetwrightv1.WorkloadClusterNodepool{Spec: fleetwrightv1.NodepoolTemplateSpec{Subnet: test.subnet, PodSubnet: test.podSubnet}}, "v1.34.2")
			if diff := cmp.Diff([]string{test.nodesWant, test.podWant}, []string{spec.Subnet, spec.PodSubnet}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGroupOfTheMachines(t *testing.T) {
	named := func(group string) string {
		in := asking(fleetwrightv1.WorkloadClusterFlavorASO, fleetwrightv1.NetworkModeOverlay)
		in.Name, in.Effective.Spec.Azure.ResourceGroup = strings.Repeat("c", 36), group
		w, err := render.Cluster(in)
		if err != nil {
			t.Fatal(err)
		}
		return w.NodeResourceGroup
	}
	// MC_ and two underscores, the name of the cluster and westeurope leave 29 of 80.
	if got := named(strings.Repeat("g", 29)); got != "" {
		t.Errorf("80 characters are short enough, but it is named %s", got)
	}
	thirty, ninety := named(strings.Repeat("g", 30)), named(strings.Repeat("g", 90))
	if want := "MC_" + strings.Repeat("c", 36) + "_"; !strings.HasPrefix(thirty, want) || len(thirty) != len(want)+8 || len(ninety) != len(thirty) || thirty == ninety {
		t.Errorf("got %s and %s", thirty, ninety)
	}
	if again := named(strings.Repeat("g", 30)); again != thirty {
		t.Errorf("the same cluster got %s and %s", thirty, again)
	}
}

func TestLabelsOfACluster(t *testing.T) {
	in := asking(fleetwrightv1.WorkloadClusterFlavorASO, fleetwrightv1.NetworkModeOverlay)
	in.Labels = map[string]string{
		"team": "shop", "app.kubernetes.io/instance": "clusters", "argocd.argoproj.io/instance": "clusters", "applyset.kubernetes.io/part-of": "x", "kustomize.toolkit.fluxcd.io/name": "clusters",
		"helm.toolkit.fluxcd.io/name": "clusters", fleetwrightv1.LabelWorkloadCluster: "another", fleetwrightv1.LabelTenant: "another",
	}
	in.AddonLabels = map[string]string{"addons.fleetwright.io/agent": "enabled"}
	in.Effective.Spec.Tenancy = fleetwrightv1.WorkloadClusterTenancy{Mode: fleetwrightv1.TenancyModeSingle, Tenant: "c"}
	w, err := render.Cluster(in)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"team": "shop", "addons.fleetwright.io/agent": "enabled", "fleetwright.io/workloadcluster": "c", "fleetwright.io/tenant": "c",
	}
	if diff := cmp.Diff(want, w.Labels); diff != "" {
		t.Error(diff)
	}
}

func TestNodesOfATenant(t *testing.T) {
	in := asking(fleetwrightv1.WorkloadClusterFlavorASO, fleetwrightv1.NetworkModeOverlay)
	in.Effective.Spec.Tenancy = fleetwrightv1.WorkloadClusterTenancy{Mode: fleetwrightv1.TenancyModeSingle, Tenant: "shop"}
	const key = "tenancy.fleetwright.io/tenant"
	ours := fleetwrightv1.NodepoolTaint{Key: key, Value: "shop", Effect: "NoSchedule"}
	gpu := fleetwrightv1.NodepoolTaint{Key: "gpu", Effect: "NoSchedule"}
	for name, test := range map[string]struct {
		mode   fleetwrightv1.NodepoolMode
		taints []fleetwrightv1.NodepoolTaint
		want   []fleetwrightv1.NodepoolTaint
	}{
		"system":              {fleetwrightv1.NodepoolModeSystem, []fleetwrightv1.NodepoolTaint{gpu}, []fleetwrightv1.NodepoolTaint{gpu}},
		"user":                {fleetwrightv1.NodepoolModeUser, []fleetwrightv1.NodepoolTaint{gpu}, []fleetwrightv1.NodepoolTaint{gpu, ours}},
		"no mode":             {"", nil, []fleetwrightv1.NodepoolTaint{ours}},
		"a spec says another": {"", []fleetwrightv1.NodepoolTaint{{Key: key, Value: "mine", Effect: "NoSchedule"}}, []fleetwrightv1.NodepoolTaint{ours}},
	} {
		t.Run(name, func(t *testing.T) {
			labels := map[string]fleetwrightv1.LabelValue{"a": "b", key: "mine"}
			before := slices.Clone(test.taints)
			pool := fleetwrightv1.WorkloadClusterNodepool{Spec: fleetwrightv1.NodepoolTemplateSpec{Mode: test.mode, Taints: test.taints, Labels: labels}}
			spec := render.Nodepool(in, pool, "v1.34.2")
			if diff := cmp.Diff(test.want, spec.Taints); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(map[string]fleetwrightv1.LabelValue{"a": "b", key: "shop"}, spec.Labels); diff != "" {
				t.Error(diff)
			}
			if labels[key] != "mine" || !slices.Equal(before, test.taints) {
				t.Error("the input was changed")
			}
		})
	}
	in.Effective.Spec.Tenancy.Mode = fleetwrightv1.TenancyModeShared
	if spec := render.Nodepool(in, fleetwrightv1.WorkloadClusterNodepool{}, "v1.34.2"); spec.Labels != nil || spec.Taints != nil {
		t.Errorf("a shared cluster got %v and %v", spec.Labels, spec.Taints)
	}
}
