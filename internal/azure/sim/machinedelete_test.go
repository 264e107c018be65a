package sim_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/google/go-cmp/cmp"
)

const blueMachine = "aks-blue-80356398-vmss00000"

func (a *azure) beginDeleteMachines(pool string, names ...string) (*runtime.Poller[aks.AgentPoolsClientDeleteMachinesResponse], error) {
	a.t.Helper()
	var sent []*string
	for _, n := range names {
		sent = append(sent, &n)
	}
	return a.pools.BeginDeleteMachines(a.t.Context(), group, cluster, pool, aks.AgentPoolDeleteMachinesParameter{MachineNames: sent}, nil)
}

// withBlue is a cluster whose pool "blue" has three nodes beside the System pool's two.
func withBlue(t *testing.T) *azure {
	t.Helper()
	a := newAzure(t)
	a.makeCluster()
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 3))
	a.boot()
	a.eventually("nodes", countNodes(a, 5))
	return a
}

func TestDeleteMachinesTakesExactlyThose(t *testing.T) {
	a := withBlue(t)
	p, err := a.beginDeleteMachines("blue", blueMachine+"0", blueMachine+"2", blueMachine+"0")
	if err != nil {
		t.Fatal(err)
	}
	// The cluster's one slot is taken until the end.
	_, err = a.beginDeleteMachines("blue", blueMachine+"1")
	wantCode(t, err, http.StatusConflict, "OperationNotAllowed", "Another agentpool operation (blue - Updating) is in progress")
	done(a, p, nil)
	if diff := cmp.Diff([]string{"1"}, a.machineIDs("blue")); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
	got, err := a.pools.Get(t.Context(), group, cluster, "blue", nil)
	if err != nil || *got.Properties.Count != 1 || *got.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("pool: %+v %v", got.Properties, err)
	}
	a.eventually("the nodes go", countNodes(a, 3))
	if left := a.world.nodeNames(); !slices.Contains(left, blueMachine+"1") {
		t.Errorf("nodes left are %v", left)
	}
	// The same again is a pool's wish that is met: no machine comes back.
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	if diff := cmp.Diff([]string{"1"}, a.machineIDs("blue")); diff != "" {
		t.Errorf("machines after a PUT (-want +got):\n%s", diff)
	}
}

func TestDeleteMachinesRefuses(t *testing.T) {
	a := withBlue(t)
	for name, test := range map[string]struct {
		pool          string
		machines      []string
		status        int
		code, message string
	}{
		"an unknown machine": {"blue", []string{blueMachine + "0", blueMachine + "7"}, http.StatusBadRequest, "InvalidParameter", "Not among them: " + blueMachine + "7."},
		"another pool's":     {"blue", []string{"aks-sys-80356398-vmss000000"}, http.StatusBadRequest, "InvalidParameter", "Cannot find any valid machines to delete"},
		"no machine":         {"blue", nil, http.StatusBadRequest, "InvalidParameter", "machineNames"},
		"no such pool":       {"green", []string{blueMachine + "0"}, http.StatusNotFound, "ResourceNotFound", "green"},
		"all of a System pool": {"sys", []string{"aks-sys-80356398-vmss000000", "aks-sys-80356398-vmss000001"},
			http.StatusBadRequest, "SystemPoolNotEnoughNodes", "sys"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.beginDeleteMachines(test.pool, test.machines...)
			wantCode(t, err, test.status, test.code, test.message)
		})
	}
	if n := len(a.machineIDs("blue")); n != 3 {
		t.Errorf("%d machines after refusals, want 3", n)
	}
}

func TestDeleteMachinesGoesBelowTheAutoscalersBound(t *testing.T) {
	a := withBlue(t)
	pool := userPool("Standard_D4s_v5", 3)
	autoscale(3, 3, 5)(pool.Properties)
	a.mustPutPool("blue", pool)
	p, err := a.beginDeleteMachines("blue", blueMachine+"1")
	done(a, p, err)
	if diff := cmp.Diff([]string{"0", "2"}, a.machineIDs("blue")); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
}

func TestDeleteMachinesSurvivesARestart(t *testing.T) {
	a := withBlue(t)
	if _, err := a.beginDeleteMachines("blue", blueMachine+"0"); err != nil {
		t.Fatal(err)
	}
	a.start()
	a.boot()
	a.eventually("the machine goes", countNodes(a, 4))
	if diff := cmp.Diff([]string{"1", "2"}, a.machineIDs("blue")); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
}
