package sim_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

func TestRestartInTheMiddleOfAnOperation(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	poller, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	resume, err := poller.ResumeToken()
	if err != nil {
		t.Fatal(err)
	}
	url, oldToken := a.server.URL(), a.token()
	a.clock.Step(2 * time.Second)
	a.eventually("the machine exists", func() error {
		if ids := a.machineIDs("blue"); len(ids) != 1 {
			return errorOf("machines %v", ids)
		}
		return nil
	})
	a.world = newFakeWorld() // as after a kill of everything
	a.start()
	if a.server.URL() != url {
		t.Errorf("the port changed from %s to %s", url, a.server.URL())
	}
	got, err := a.pools.Get(t.Context(), group, cluster, "blue", nil)
	if err != nil || *got.Properties.ProvisioningState != "Creating" {
		t.Fatalf("pool after the restart: %+v %v", got.Properties, err)
	}
	_, err = a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "green", userPool("Standard_D4s_v5", 1), nil)
	wantCode(t, err, http.StatusConflict, "OperationNotAllowed", "blue - Creating")
	resumed, err := a.pools.BeginCreateOrUpdate(t.Context(), "", "", "", aks.AgentPool{}, &aks.AgentPoolsClientBeginCreateOrUpdateOptions{ResumeToken: resume})
	done(a, resumed, err)
	a.boot()
	a.eventually("the world is made anew", countNodes(a, 3))
	// What a client holds from before is still good: tokens, and the certificate.
	if status := a.raw("GET", "/subscriptions/"+subscription+"/resourceGroups?api-version=2021-04-01", "", oldToken, nil); status != http.StatusOK {
		t.Errorf("a token from before the restart is answered %d", status)
	}
}

func TestOperationsDueWhileDownGoOnAtTheStart(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	if _, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 1), nil); err != nil {
		t.Fatal(err)
	}
	a.server.Close()
	a.clock.Step(time.Hour)
	a.start()
	a.eventually("the pool is made", func() error {
		a.clock.Step(time.Second) // its machines exist since the start, and are nodes some time later
		got, err := a.pools.Get(t.Context(), group, cluster, "blue", nil)
		if err != nil || *got.Properties.ProvisioningState != "Succeeded" {
			return errorOf("pool after the restart: %+v %v", got.Properties, err)
		}
		return nil
	})
}

// TestPoolsAreMadeWhenTheirMachinesAreNodes: who waits for Azure may count on the nodes, as CAPZ does.
func TestPoolsAreMadeWhenTheirMachinesAreNodes(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) { s.Durations.NodeBoot.Duration = time.Minute })
	a.makeGroup()
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(systemPool("sys")), nil)
	done(a, p, err)
	if err := countNodes(a, 2)(); err != nil {
		t.Errorf("a cluster is made: %v", err)
	}
	created, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 1), nil)
	done(a, created, err)
	if err := countNodes(a, 3)(); err != nil {
		t.Errorf("a pool is made: %v", err)
	}
	scaled, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 4), nil)
	done(a, scaled, err)
	if err := countNodes(a, 6)(); err != nil {
		t.Errorf("a pool is scaled: %v", err)
	}
}

func TestStateHoldsNoSecret(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	token := a.token()
	for _, name := range []string{"state.json", "ports.json", "ca.pem", "tls.crt"} {
		raw, err := os.ReadFile(filepath.Join(a.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"kubeconfig of", token, "PRIVATE KEY"} {
			if strings.Contains(string(raw), secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
	info, err := os.Stat(filepath.Join(a.dir, "tls.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("tls.key: %v %v", info.Mode(), err)
	}
}

func TestBrokenStateIsRefused(t *testing.T) {
	for name, content := range map[string]string{"not JSON": "{", "another format": `{"format": 99}`} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "state.json"), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err := sim.Start(t.Context(), sim.Options{Dir: dir, Kubernetes: newFakeWorld()}); err == nil {
				s.Close()
				t.Error("started all the same")
			}
		})
	}
}

func TestClusterWaitsForItsAPIServer(t *testing.T) {
	a := newAzure(t)
	a.world.set(func(w *fakeWorld) { w.hold = true })
	a.makeGroup()
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(systemPool("sys")), nil)
	if err != nil {
		t.Fatal(err)
	}
	a.clock.Step(time.Minute)
	if _, err := p.Poll(t.Context()); err != nil || p.Done() {
		t.Fatalf("the operation ended without an API server: %v", err)
	}
	a.world.set(func(w *fakeWorld) { w.hold = false })
	done(a, p, nil)
}

func TestClusterIsGoneWhenItsAPIServerIs(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.world.set(func(w *fakeWorld) { w.failures = 1 << 30 })
	p, err := a.clusters.BeginDelete(t.Context(), group, cluster, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.clock.Step(time.Minute)
	if _, err := p.Poll(t.Context()); err != nil || p.Done() {
		t.Fatalf("the operation ended before its API server: %v", err)
	}
	a.world.set(func(w *fakeWorld) { w.failures = 0 })
	done(a, p, nil)
}

func TestWorldIsTriedAgain(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.world.set(func(w *fakeWorld) { w.failures = 3 })
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 2))
	a.boot()
	a.eventually("all nodes in the end", func() error {
		a.clock.Step(time.Second) // the wait between tries
		return countNodes(a, 4)()
	})
}

func TestClusterDeletion(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	// Deleting preempts an operation that runs.
	update, err := a.clusters.BeginUpdateTags(t.Context(), group, cluster, aks.TagsObject{Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.clusters.BeginDelete(t.Context(), group, cluster, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ended(a, update, nil)
	wantCode(t, err, http.StatusOK, "OperationPreempted", "")
	_, err = a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 1), nil)
	wantCode(t, err, http.StatusConflict, "OperationNotAllowed", "Another operation (Deleting)")
	done(a, p, nil)
	if n := a.world.clusterCount(); n != 0 {
		t.Errorf("%d API servers are left", n)
	}
	for _, g := range []string{group, nodeGroup} {
		exists, err := a.groups.CheckExistence(t.Context(), g, nil)
		if err != nil || exists.Success != (g == group) {
			t.Errorf("group %s exists: %v %v", g, exists.Success, err)
		}
	}
	// The same name again: a new cluster with a new identity and with machines numbered from 0.
	a.makeCluster()
	if got := a.machineIDs("sys"); len(got) != 2 || got[0] != "0" {
		t.Errorf("machines of the second cluster: %v", got)
	}
}

func TestGroupDeletionTakesItsClusters(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	_, err := a.groups.BeginDelete(t.Context(), nodeGroup, nil)
	wantCode(t, err, http.StatusForbidden, "DenyAssignmentAuthorizationFailed", "delete that instead")
	p, err := a.groups.BeginDelete(t.Context(), group, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.clusters.BeginCreateOrUpdate(t.Context(), group, "other", newCluster(systemPool("sys")), nil)
	wantCode(t, err, http.StatusConflict, "ResourceGroupBeingDeleted", "")
	done(a, p, nil)
	if n := a.world.clusterCount(); n != 0 {
		t.Errorf("%d API servers are left", n)
	}
	for pager := a.groups.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil || len(page.Value) != 0 {
			t.Fatalf("groups left: %v %v", page.Value, err)
		}
	}
	_, err = a.clusters.Get(t.Context(), group, cluster, nil)
	wantCode(t, err, http.StatusNotFound, "ResourceGroupNotFound", "")
}

func TestGroups(t *testing.T) {
	a := newAzure(t)
	_, err := a.groups.CreateOrUpdate(t.Context(), group, armresources.ResourceGroup{Location: to.Ptr("atlantis")}, nil)
	wantCode(t, err, http.StatusBadRequest, "LocationNotAvailableForResourceGroup", "atlantis")
	a.makeGroup()
	_, err = a.groups.CreateOrUpdate(t.Context(), group, armresources.ResourceGroup{Location: to.Ptr("eastus")}, nil)
	wantCode(t, err, http.StatusConflict, "InvalidResourceGroupLocation", "")
	got, err := a.groups.Get(t.Context(), strings.ToUpper(group), nil)
	if err != nil || *got.Name != group {
		t.Errorf("group in upper case: %v %v", got.Name, err)
	}
	patched, err := a.groups.Update(t.Context(), group, armresources.ResourceGroupPatchable{Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
	if err != nil || *patched.Tags["a"] != "b" {
		t.Errorf("patch: %v %v", patched.Tags, err)
	}
}

func TestPatchWithoutTagsKeepsThem(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	p, err := a.networks.BeginCreateOrUpdate(t.Context(), group, network, vnet("10.0.0.0/8"), nil)
	done(a, p, err)
	for name, path := range map[string]string{
		"group":   groupPath + "?api-version=2021-04-01",
		"network": groupPath + "/providers/Microsoft.Network/virtualNetworks/" + network + "?api-version=2025-05-01",
		"cluster": clusterID + "?api-version=2025-10-01",
	} {
		t.Run(name, func(t *testing.T) {
			for _, step := range []struct{ body, want string }{{`{"tags": {"env": "test"}}`, "test"}, {`{}`, "test"}, {`{"tags": {}}`, ""}} {
				var got struct{ Tags map[string]string }
				if status := a.raw("PATCH", path, step.body, a.token(), &got); status != http.StatusOK || got.Tags["env"] != step.want {
					t.Errorf("PATCH with %s is answered %d, tags %v", step.body, status, got.Tags)
				}
				a.clock.Step(time.Minute)
			}
		})
	}
}
