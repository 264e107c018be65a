package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

// TestJoiningAStuckDeletion: a client that asks again must neither release an operation that a script holds nor, with a
// script of its own, change how it ends.
func TestJoiningAStuckDeletion(t *testing.T) {
	for name, path := range map[string]string{
		"group":   groupPath,
		"cluster": clusterID,
		"pool":    clusterID + "/agentPools/blue",
	} {
		t.Run(name, func(t *testing.T) {
			a := newAzure(t)
			a.makeCluster()
			a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
			a.fault(`{"method": "DELETE", "stickOperation": true}`)
			a.delete(path)
			a.fault(`{"method": "DELETE", "failOperation": {"code": "Broken", "message": "x"}}`)
			a.delete(path)
			a.delete(path)
			a.clock.Step(time.Hour)
			var running []operation
			a.admin("GET", "operations", "", &running)
			if len(running) != 1 || !running[0].Stuck {
				t.Fatalf("operations: %+v", running)
			}
			a.admin("POST", "operations/"+running[0].ID+"/release", "", nil)
			a.expectOperation(running[0].ID, "Succeeded")
		})
	}
}

// TestFailedDeletionLeavesWhatWorks: nothing is gone, the next PUT ends, and so does the next DELETE.
func TestFailedDeletionLeavesWhatWorks(t *testing.T) {
	for name, path := range map[string]string{"cluster": clusterID, "group": groupPath} {
		t.Run(name, func(t *testing.T) {
			a := newAzure(t)
			a.makeCluster()
			a.fault(`{"method": "DELETE", "failOperation": {"code": "Broken", "message": "x"}}`)
			a.delete(path)
			a.expectOperation(a.running(), "Failed")
			want := map[string]string{"cluster": "Failed", "group": "Succeeded"}[name]
			got, err := a.clusters.Get(t.Context(), group, cluster, nil)
			if err != nil || *got.Properties.ProvisioningState != want {
				t.Fatalf("cluster after the failure: %v, want %s: %v", got.Properties, want, err)
			}
			a.makeGroup()
			p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(), nil)
			if got := done(a, p, err); *got.Properties.ProvisioningState != "Succeeded" {
				t.Errorf("cluster after a PUT: %s", *got.Properties.ProvisioningState)
			}
			a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
			a.boot()
			a.eventually("the nodes of both pools", countNodes(a, 3))
			a.delete(path)
			a.expectOperation(a.running(), "Succeeded")
			if n := a.world.clusterCount(); n != 0 {
				t.Errorf("%d API servers are left", n)
			}
		})
	}
}

// TestFailedDeletionCancelsWhatRan: a pool that was being made is not Creating for ever.
func TestFailedDeletionCancelsWhatRan(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	if _, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 1), nil); err != nil {
		t.Fatal(err)
	}
	a.fault(`{"method": "DELETE", "failOperation": {"code": "Broken", "message": "x"}}`)
	a.delete(clusterID)
	a.expectOperation(a.running(), "Failed")
	got, err := a.pools.Get(t.Context(), group, cluster, "blue", nil)
	if err != nil || *got.Properties.ProvisioningState != "Canceled" {
		t.Fatalf("pool after the failed deletion: %+v, want Canceled: %v", got.Properties, err)
	}
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(), nil)
	done(a, p, err)
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
}

// TestDeletionsUnderADeletedGroup: whoever deletes something and sees its group go first has got what was asked for.
func TestDeletionsUnderADeletedGroup(t *testing.T) {
	for name, before := range map[string]time.Duration{"in its first half": 0, "in its second half": 40 * time.Second} {
		t.Run("cluster "+name, func(t *testing.T) {
			a := newAzure(t, func(s *sim.Settings) { s.Durations.ClusterDelete.Duration = time.Minute })
			a.makeCluster()
			a.delete(clusterID)
			ofCluster := a.running()
			a.clock.Step(before)
			a.delete(groupPath)
			a.expectOperation(ofCluster, "Succeeded")
			if n := a.world.clusterCount(); n != 0 {
				t.Errorf("%d API servers are left", n)
			}
		})
	}
	t.Run("network", func(t *testing.T) {
		a := newAzure(t, func(s *sim.Settings) { s.Durations.NetworkWrite.Duration = time.Minute })
		a.makeGroup()
		p, err := a.networks.BeginCreateOrUpdate(t.Context(), group, network, vnet("10.0.0.0/8"), nil)
		done(a, p, err)
		a.delete(groupPath + "/providers/Microsoft.Network/virtualNetworks/" + network)
		ofNetwork := a.running()
		a.delete(groupPath)
		a.expectOperation(ofNetwork, "Succeeded")
	})
}

const groupPath = "/subscriptions/" + subscription + "/resourceGroups/" + group

// operation is one as the admin endpoint shows it.
type operation struct {
	ID, Kind, Target, Status, Error string
	Stuck                           bool
}

// delete sends a DELETE that nobody follows, and checks that it is accepted.
func (a *azure) delete(path string) {
	a.t.Helper()
	version := "2025-10-01"
	switch {
	case path == groupPath:
		version = "2021-04-01"
	case strings.Contains(path, "Microsoft.Network"):
		version = "2025-05-01"
	}
	if status := a.raw("DELETE", path+"?api-version="+version, "", a.token(), nil); status != 202 {
		a.t.Fatalf("DELETE %s is answered %d", path, status)
	}
}

// expectOperation lets time go by until an operation has ended, and checks how.
func (a *azure) expectOperation(id, status string) {
	a.t.Helper()
	a.eventually("operation "+id+" ends", func() error {
		a.clock.Step(time.Second)
		if o := a.operation(id); o.Status == "InProgress" {
			return errorOf("it runs: %+v", o)
		}
		return nil
	})
	if o := a.operation(id); o.Status != status {
		a.t.Errorf("operation ended %s (%s), want %s", o.Status, o.Error, status)
	}
}

func (a *azure) operation(id string) operation {
	a.t.Helper()
	var all []operation
	a.admin("GET", "operations?all=true", "", &all)
	for _, o := range all {
		if o.ID == id {
			return o
		}
	}
	a.t.Fatalf("there is no operation %s", id)
	return operation{}
}

// running is the one operation that runs.
func (a *azure) running() string {
	a.t.Helper()
	var running []operation
	a.admin("GET", "operations", "", &running)
	if len(running) != 1 {
		a.t.Fatalf("operations: %+v", running)
	}
	return running[0].ID
}
