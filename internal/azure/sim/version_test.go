package sim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

// putVersion puts the cluster as it was created but for its version, without pools, as CAPZ does after creation.
func (a *azure) putVersion(version string) (aks.ManagedCluster, error) {
	a.t.Helper()
	body := newCluster()
	body.Properties.KubernetesVersion = to.Ptr(version)
	p, err := a.clusters.BeginCreateOrUpdate(a.t.Context(), group, cluster, body, nil)
	got, err := ended(a, p, err)
	return got.ManagedCluster, err
}

func poolVersion(version string) aks.AgentPool {
	pool := userPool("Standard_D4s_v5", 2)
	pool.Properties.OrchestratorVersion = to.Ptr(version)
	return pool
}

func TestControlPlaneVersion(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) {
		s.Catalog.KubernetesVersions = []string{"1.33.6", "1.34.1", "1.34.2", "1.35.0", "1.36.0", "1.37.0"}
	})
	a.makeCluster()
	_, err := a.putVersion("1.33.6")
	wantCode(t, err, http.StatusBadRequest, "OperationNotAllowed", "Downgrading Kubernetes version 1.34.1 to 1.33.6 is not allowed.")
	_, err = a.putVersion("1.36.0")
	wantCode(t, err, http.StatusBadRequest, "OperationNotAllowed", "Upgrading Kubernetes version 1.34.1 to 1.36.0 is not allowed. Available upgrades: [1.34.2 1.35.0].")
	_, err = a.putVersion("1.40.0")
	wantCode(t, err, http.StatusBadRequest, "K8sVersionNotSupported", "")
	got, err := a.putVersion("1.35.0")
	if err != nil || *got.Properties.CurrentKubernetesVersion != "1.35.0" || *got.Properties.AgentPoolProfiles[0].CurrentOrchestratorVersion != "1.34.1" {
		t.Fatalf("after the upgrade: %+v %v", got.Properties, err)
	}
	if _, err := a.putVersion("1.36.0"); err != nil {
		t.Fatal(err)
	}
	_, err = a.putVersion("1.37.0")
	wantCode(t, err, http.StatusBadRequest, "NodePoolMcVersionIncompatible", "Minor version of node pool cannot be more than 2 versions less than control plane's version. Minor version of node pool is 34 and control plane is 37.")
}

func TestVersionIsUpgradedOnlyAtTheEnd(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	body := newCluster()
	body.Properties.KubernetesVersion = to.Ptr("1.35.0")
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, body, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.clusters.Get(t.Context(), group, cluster, nil)
	if err != nil || *got.Properties.ProvisioningState != "Upgrading" || *got.Properties.CurrentKubernetesVersion != "1.34.1" || *got.Properties.KubernetesVersion != "1.35.0" {
		t.Fatalf("while upgrading: %+v %v", got.Properties, err)
	}
	done(a, p, nil)
}

func TestMinorVersionMeansNewestPatch(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	body := newCluster(systemPool("sys"))
	body.Properties.KubernetesVersion = to.Ptr("1.34")
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, body, nil)
	got := done(a, p, err).Properties
	if *got.KubernetesVersion != "1.34" || *got.CurrentKubernetesVersion != "1.34.2" || *got.AgentPoolProfiles[0].CurrentOrchestratorVersion != "1.34.2" {
		t.Errorf("versions: %s, %s, %s", *got.KubernetesVersion, *got.CurrentKubernetesVersion, *got.AgentPoolProfiles[0].CurrentOrchestratorVersion)
	}
	if got, err := a.putVersion("1.34"); err != nil || *got.Properties.CurrentKubernetesVersion != "1.34.2" {
		t.Errorf("put again: %v", err)
	}
}

func TestFirstPoolsHaveTheControlPlanesVersion(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	pool := systemPool("sys")
	pool.OrchestratorVersion = to.Ptr("1.33.6")
	_, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(pool), nil)
	wantCode(t, err, http.StatusBadRequest, "NodePoolMcVersionIncompatible", "must be that of the control plane")
}

func TestPoolUpgradeReplacesEveryNode(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.mustPutPool("blue", poolVersion("1.33.5"))
	a.boot()
	a.eventually("blue's nodes", countNodes(a, 4))
	p, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", poolVersion("1.34.1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.pools.Get(t.Context(), group, cluster, "blue", nil)
	if err != nil || *got.Properties.ProvisioningState != "Upgrading" || *got.Properties.CurrentOrchestratorVersion != "1.33.5" {
		t.Fatalf("while upgrading: %+v %v", got.Properties, err)
	}
	// After the first step there is one machine more, and none is gone.
	a.clock.Step(4 * time.Second)
	if n := len(a.machineIDs("blue")); n != 3 {
		t.Errorf("%d machines after the first step, want 3", n)
	}
	upgraded := done(a, p, nil).AgentPool.Properties
	if *upgraded.CurrentOrchestratorVersion != "1.34.1" || *upgraded.Count != 2 {
		t.Errorf("after the upgrade: %+v", upgraded)
	}
	a.boot()
	a.eventually("only new nodes", func() error {
		for _, name := range []string{"aks-blue-80356398-vmss000002", "aks-blue-80356398-vmss000003"} {
			if n, ok := a.world.node(name); !ok || n.Version != "v1.34.1" || len(a.world.nodeNames()) != 4 {
				return errorOf("nodes %v, version %s", a.world.nodeNames(), n.Version)
			}
		}
		return nil
	})
	_, err = a.putPool("blue", poolVersion("1.33.6"))
	wantCode(t, err, http.StatusBadRequest, "OperationNotAllowed", "Downgrading")
}

func TestFailedUpgradeIsResumedByTheNextPut(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.mustPutPool("blue", poolVersion("1.33.5"))
	if _, err := a.server.AddFault(sim.Fault{Method: "PUT", Path: "agentPools/blue", Effect: sim.Effect{
		FailOperation: &sim.FaultError{Code: "UpgradeFailed", Message: "Drain node failed"},
	}}); err != nil {
		t.Fatal(err)
	}
	_, err := a.putPool("blue", poolVersion("1.34.1"))
	wantCode(t, err, http.StatusOK, "UpgradeFailed", "Drain node failed")
	got, err := a.pools.Get(t.Context(), group, cluster, "blue", nil)
	if err != nil || *got.Properties.ProvisioningState != "Failed" || *got.Properties.CurrentOrchestratorVersion != "1.33.5" {
		t.Fatalf("after the failure: %+v %v", got.Properties, err)
	}
	resumed := a.mustPutPool("blue", poolVersion("1.34.1"))
	if *resumed.Properties.CurrentOrchestratorVersion != "1.34.1" || len(a.machineIDs("blue")) != 2 {
		t.Errorf("after the second try: %+v, machines %v", resumed.Properties, a.machineIDs("blue"))
	}
}

func TestEmptyPoolIsUpgradedToo(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	pool := poolVersion("1.33.5")
	pool.Properties.Count = to.Ptr[int32](0)
	a.mustPutPool("blue", pool)
	pool.Properties.OrchestratorVersion = to.Ptr("1.34.1")
	if got := a.mustPutPool("blue", pool); *got.Properties.CurrentOrchestratorVersion != "1.34.1" {
		t.Errorf("version is %s", *got.Properties.CurrentOrchestratorVersion)
	}
}

// TestOSChangeRollsNodes is about what AKS takes in place but not without new nodes.
func TestOSChangeRollsNodes(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	pool := userPool("Standard_D4s_v5", 1)
	pool.Properties.OSSKU = to.Ptr(aks.OSSKUAzureLinux)
	a.mustPutPool("blue", pool)
	if got := a.machineIDs("blue"); len(got) != 1 || got[0] != "1" {
		t.Errorf("machines %v, want only a new one", got)
	}
}

// TestMajorVersionAloneIsRefused: what is no version is no change neither, although every version begins like it.
func TestMajorVersionAloneIsRefused(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	_, err := a.putPool("sys", poolVersion("1"))
	wantCode(t, err, http.StatusBadRequest, "K8sVersionNotSupported", "version 1,")
	_, err = a.putPool("blue", poolVersion("1"))
	wantCode(t, err, http.StatusBadRequest, "K8sVersionNotSupported", "version 1,")
	body := newCluster()
	body.Properties.KubernetesVersion = to.Ptr("1")
	_, err = a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, body, nil)
	wantCode(t, err, http.StatusBadRequest, "K8sVersionNotSupported", "version 1,")
}

// TestNewPoolHasTheRunningVersion: not the one its cluster asks for, which may be a minor with a newer patch by now, or an
// upgrade that has failed.
func TestNewPoolHasTheRunningVersion(t *testing.T) {
	for name, prepare := range map[string]func(*azure){
		"a patch came out": func(a *azure) {
			if _, err := a.putVersion("1.34"); err != nil {
				a.t.Fatal(err)
			}
		},
		"a failed upgrade": func(a *azure) {
			a.fault(`{"method": "PUT", "path": "managedClusters/shop$", "failOperation": {"code": "UpgradeFailed", "message": "x"}}`)
			if _, err := a.putVersion("1.35.0"); err == nil {
				a.t.Fatal("the upgrade did not fail")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAzure(t)
			a.makeCluster()
			prepare(a)
			got := a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
			if *got.Properties.OrchestratorVersion != "1.34.1" || *got.Properties.CurrentOrchestratorVersion != "1.34.1" {
				t.Errorf("new pool on a control plane of 1.34.1 asks for %s and runs %s", *got.Properties.OrchestratorVersion, *got.Properties.CurrentOrchestratorVersion)
			}
		})
	}
}
