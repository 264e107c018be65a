package sim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// machineIDs finds the machines of a pool the way CAPZ does: by the tag on one of the scale sets.
func (a *azure) machineIDs(pool string) []string {
	a.t.Helper()
	var out []string
	for sets := a.scaleSets.NewListPager(nodeGroup, nil); sets.More(); {
		page, err := sets.NextPage(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		for _, s := range page.Value {
			if *s.Tags["poolName"] != pool || *s.Tags["aks-managed-poolName"] != pool {
				continue
			}
			for machines := a.machines.NewListPager(nodeGroup, *s.Name, nil); machines.More(); {
				page, err := machines.NextPage(a.t.Context())
				if err != nil {
					a.t.Fatal(err)
				}
				for _, m := range page.Value {
					out = append(out, *m.InstanceID)
				}
			}
		}
	}
	return out
}

func TestScaleSetsAndMachines(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	p, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 2), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.scaleSets.Get(t.Context(), nodeGroup, "aks-blue-80356398-vmss", nil)
	wantCode(t, err, http.StatusNotFound, "ResourceNotFound", "") // it comes with its first machine
	done(a, p, nil)
	a.boot()
	a.eventually("nodes", countNodes(a, 4))
	// Both pools have instances 0 and 1: only the whole id tells them apart.
	for _, pool := range []string{"sys", "blue"} {
		if diff := cmp.Diff([]string{"0", "1"}, a.machineIDs(pool)); diff != "" {
			t.Errorf("machines of %s (-want +got):\n%s", pool, diff)
		}
	}
	var fromARM, fromNodes []string
	for _, pool := range []string{"sys", "blue"} {
		scaleSet := "aks-" + pool + "-80356398-vmss"
		machine, err := a.machines.Get(t.Context(), nodeGroup, scaleSet, "0", nil)
		if err != nil {
			t.Fatal(err)
		}
		id := strings.Replace(*machine.ID, "/resourceGroups/"+nodeGroup+"/", "/resourceGroups/"+strings.ToLower(nodeGroup)+"/", 1)
		fromARM = append(fromARM, "azure://"+id)
		n, ok := a.world.node(*machine.Properties.OSProfile.ComputerName)
		if !ok {
			t.Fatalf("no node is called %s", *machine.Properties.OSProfile.ComputerName)
		}
		fromNodes = append(fromNodes, n.ProviderID)
	}
	slices.Sort(fromARM)
	slices.Sort(fromNodes)
	if diff := cmp.Diff(fromARM, fromNodes); diff != "" {
		t.Errorf("provider ids of ARM and of nodes (-ARM +nodes):\n%s", diff)
	}
	if _, err := a.scaleSets.Get(t.Context(), strings.ToLower(nodeGroup), "AKS-blue-80356398-VMSS", nil); err != nil {
		t.Errorf("scale set in other letters: %v", err)
	}
	_, err = a.machines.Get(t.Context(), nodeGroup, "aks-blue-80356398-vmss", "7", nil)
	wantCode(t, err, http.StatusNotFound, "ResourceNotFound", "")
	_, err = a.scaleSets.NewListPager("nowhere", nil).NextPage(t.Context())
	wantCode(t, err, http.StatusNotFound, "ResourceGroupNotFound", "")
}
