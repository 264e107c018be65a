package sim_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

// fault scripts a fault over the admin endpoint.
func (a *azure) fault(body string) {
	a.t.Helper()
	var answer map[string]any
	if status := a.admin("POST", "faults", body, &answer); status != http.StatusCreated {
		a.t.Fatalf("POST faults answered %d %v", status, answer)
	}
}

func TestFaultAnswersAnError(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.fault(`{"id": "busy", "method": "GET", "path": "agentpools/SYS$", "skip": 1, "count": 2,
		"error": {"status": 429, "code": "TooManyRequests", "message": "slow down", "retryAfterSeconds": 17}}`)
	var got []int
	for range 4 {
		_, err := a.pools.Get(t.Context(), group, cluster, "sys", nil)
		if response, failed := errors.AsType[*azcore.ResponseError](err); failed {
			got = append(got, response.StatusCode)
			if after := response.RawResponse.Header.Get("Retry-After"); after != "17" {
				t.Errorf("Retry-After is %q", after)
			}
			continue
		}
		got = append(got, 200)
	}
	if diff := cmp.Diff([]int{200, 429, 429, 200}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	var faults []sim.Fault
	a.admin("GET", "faults", "", &faults)
	if len(faults) != 1 || faults[0].ID != "busy" || faults[0].Hits != 2 {
		t.Errorf("faults: %+v", faults)
	}
	if status := a.admin("DELETE", "faults/busy", "", nil); status != http.StatusNoContent {
		t.Errorf("DELETE answered %d", status)
	}
	if status := a.admin("DELETE", "faults/busy", "", nil); status != http.StatusNotFound {
		t.Errorf("second DELETE answered %d", status)
	}
}

func TestFaultIsAboutOneClient(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	a.fault(`{"userAgent": "somebody-else", "count": -1, "error": {"code": "Broken", "message": "x"}}`)
	if _, err := a.groups.Get(t.Context(), group, nil); err != nil {
		t.Errorf("struck the wrong client: %v", err)
	}
	a.fault(`{"userAgent": "azsdk-go-armresources", "error": {"code": "Broken", "message": "x"}}`)
	_, err := a.groups.Get(t.Context(), group, nil)
	wantCode(t, err, http.StatusInternalServerError, "Broken", "x")
}

func TestLostReplyHasHadItsEffect(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.fault(`{"method": "PUT", "path": "/agentPools/blue$", "loseReply": true}`)
	_, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 1), nil)
	var response *azcore.ResponseError
	if err == nil || errors.As(err, &response) {
		t.Fatalf("a lost reply shows as %v, want a broken connection", err)
	}
	got, err := a.pools.Get(t.Context(), group, cluster, "blue", nil)
	if err != nil || *got.Properties.ProvisioningState != "Creating" {
		t.Fatalf("pool after the lost reply: %+v %v", got.Properties, err)
	}
	requests := a.server.Requests()
	lost := requests[len(requests)-2]
	if lost.Method != "PUT" || lost.Status != 0 {
		t.Errorf("the log has %+v", lost)
	}
}

func TestDelayedRequest(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	a.fault(`{"method": "GET", "delay": "30s"}`)
	ended := make(chan error, 1)
	go func() {
		_, err := a.groups.Get(t.Context(), group, nil)
		ended <- err
	}()
	a.eventually("the request is held back", func() error {
		var faults []sim.Fault
		a.admin("GET", "faults", "", &faults)
		if faults[0].Hits == 0 {
			return errors.New("not yet")
		}
		return nil
	})
	select {
	case err := <-ended:
		t.Fatalf("answered before its time: %v", err)
	default:
	}
	a.eventually("the request is answered", func() error {
		a.clock.Step(10 * time.Second)
		select {
		case err := <-ended:
			return err
		default:
			return errors.New("still held back")
		}
	})
}

func TestOperationFailsHalfWay(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.fault(`{"method": "PUT", "path": "agentPools/blue", "failOperation": {"code": "VMExtensionProvisioningError", "message": "CSE failed"}}`)
	_, err := a.putPool("blue", userPool("Standard_D4s_v5", 2))
	wantCode(t, err, http.StatusOK, "VMExtensionProvisioningError", "CSE failed")
	got, err := a.pools.Get(t.Context(), group, cluster, "blue", nil)
	if err != nil || *got.Properties.ProvisioningState != "Failed" {
		t.Fatalf("pool after the failure: %+v %v", got.Properties, err)
	}
	if n := len(a.machineIDs("blue")); n != 2 {
		t.Errorf("%d machines after a failure half-way, want 2: they exist, cost money and have to be cleaned up", n)
	}
	if got := a.mustPutPool("blue", userPool("Standard_D4s_v5", 2)); *got.Properties.ProvisioningState != "Succeeded" {
		t.Errorf("state after the second try: %s", *got.Properties.ProvisioningState)
	}
}

func TestFailedClusterCreationIsTriedAgain(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	a.fault(`{"method": "PUT", "path": "managedClusters/shop$", "failOperation": {"code": "InternalOperationError", "message": "x"}}`)
	p, err := a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(systemPool("sys")), nil)
	_, err = ended(a, p, err)
	wantCode(t, err, http.StatusOK, "InternalOperationError", "")
	p, err = a.clusters.BeginCreateOrUpdate(t.Context(), group, cluster, newCluster(systemPool("sys")), nil)
	got := done(a, p, err).Properties
	if *got.ProvisioningState != "Succeeded" || *got.AgentPoolProfiles[0].ProvisioningState != "Succeeded" {
		t.Errorf("after the second try: %s, pool %s", *got.ProvisioningState, *got.AgentPoolProfiles[0].ProvisioningState)
	}
}

func TestMachinesThatNeverBoot(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.fault(`{"method": "PUT", "path": "agentPools/blue", "neverBoot": 1}`)
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 3))
	a.clock.Step(time.Hour)
	a.eventually("two of three nodes", countNodes(a, 4))
	if n := len(a.machineIDs("blue")); n != 3 {
		t.Errorf("%d machines, want 3", n)
	}
	if _, ok := a.world.node("aks-blue-80356398-vmss000000"); ok {
		t.Error("the first machine has become a node")
	}
}

func TestStuckPool(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	var stuck struct{ Operation string }
	if status := a.admin("POST", "stuck", `{"id": "`+clusterID+`/agentPools/blue"}`, &stuck); status != http.StatusCreated {
		t.Fatalf("POST stuck answered %d", status)
	}
	a.clock.Step(time.Hour)
	a.start() // a restart changes nothing about it
	_, err := a.pools.BeginDelete(t.Context(), group, cluster, "blue", nil)
	wantCode(t, err, http.StatusConflict, "OperationNotAllowed", "(blue - Updating)")
	var running []struct{ ID, Kind, Target, Status string }
	a.admin("GET", "operations", "", &running)
	if len(running) != 1 || running[0].ID != stuck.Operation {
		t.Errorf("operations: %+v", running)
	}
	if status := a.admin("POST", "operations/"+stuck.Operation+"/release", "", nil); status != http.StatusNoContent {
		t.Errorf("release answered %d", status)
	}
	p, err := a.pools.BeginDelete(t.Context(), group, cluster, "blue", nil)
	done(a, p, err)
}

func TestStuckOperation(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.fault(`{"method": "DELETE", "stickOperation": true}`)
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	p, err := a.pools.BeginDelete(t.Context(), group, cluster, "blue", nil)
	if err != nil {
		t.Fatal(err)
	}
	a.clock.Step(time.Hour)
	if _, err := p.Poll(t.Context()); err != nil || p.Done() {
		t.Errorf("a stuck operation has ended: %v", err)
	}
}

func TestScriptsWithMistakesAreRefused(t *testing.T) {
	a := newAzure(t)
	for name, body := range map[string]string{
		"unknown key":     `{"delay": "1s", "lookslikeakey": 1}`,
		"no effect":       `{"method": "PUT"}`,
		"bad expression":  `{"path": "(", "delay": "1s"}`,
		"not an error":    `{"error": {"status": 200, "code": "x", "message": "x"}}`,
		"not JSON":        `delay`,
		"unknown setting": "",
	} {
		t.Run(name, func(t *testing.T) {
			method, path := "POST", "faults"
			if body == "" {
				method, path, body = "PATCH", "settings", `{"durations": {"coffee": "1s"}}`
			}
			var answer map[string]string
			if status := a.admin(method, path, body, &answer); status != http.StatusBadRequest || answer["error"] == "" {
				t.Errorf("answered %d %v", status, answer)
			}
		})
	}
}

func TestSettingsCanBeChanged(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	var settings sim.Settings
	status := a.admin("PATCH", "settings", `{"durations": {"poolCreate": "1h"}, "catalog": {"quotas": [{"location": "westeurope", "family": "", "vCPUs": 10}]}}`, &settings)
	if status != http.StatusOK || settings.Durations.PoolCreate.Duration != time.Hour || settings.Durations.PoolUpdate.Duration != 2*time.Second || len(settings.Catalog.VMSizes) == 0 {
		t.Fatalf("answered %d %+v", status, settings.Durations)
	}
	_, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D4s_v5", 1), nil)
	wantCode(t, err, http.StatusBadRequest, "QuotaExceeded", "Total Regional Cores quota")
	p, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", userPool("Standard_D2s_v5", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	a.clock.Step(59 * time.Minute)
	if _, err := p.Poll(t.Context()); err != nil || p.Done() {
		t.Errorf("ended before its hour: %v", err)
	}
	done(a, p, nil)
}

func TestRequestLog(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	_, _ = a.pools.Get(t.Context(), group, "none", "none", nil)
	var page struct {
		Total    int
		ByMethod map[string]int
		Requests []sim.Request
	}
	a.admin("GET", "requests?method=get&path=agentpools", "", &page)
	if len(page.Requests) != 1 {
		t.Fatalf("log: %+v", page)
	}
	got := page.Requests[0]
	if got.Status != 404 || got.Code != "ResourceNotFound" || got.APIVersion != "2025-10-01" || got.UserAgent == "" || got.Path != clusterPath("none")+"/agentPools/none" {
		t.Errorf("log: %+v", got)
	}
	if page.Total < 3 || page.ByMethod["PUT"] != 1 || page.ByMethod["POST"] != 1 {
		t.Errorf("counts: %d %v", page.Total, page.ByMethod)
	}
	a.admin("DELETE", "requests", "", nil)
	a.admin("GET", "requests", "", &page)
	if page.Total != 0 || len(page.Requests) != 0 {
		t.Errorf("log after DELETE: %+v", page)
	}
}

func clusterPath(name string) string {
	return "/subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.ContainerService/managedClusters/" + name
}

func TestThrottling(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) { s.Throttling = true })
	a.makeCluster()
	pool := userPool("Standard_D4s_v5", 1)
	pool.Properties.Mode = to.Ptr(aks.AgentPoolMode("Nonsense")) // refused, but counted all the same
	for range 20 {
		_, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", pool, nil)
		wantCode(t, err, http.StatusBadRequest, "InvalidParameter", "")
	}
	_, err := a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", pool, nil)
	wantCode(t, err, http.StatusTooManyRequests, "Throttled", "")
	var response *azcore.ResponseError
	if errors.As(err, &response) && response.RawResponse.Header.Get("Retry-After") != "60" {
		t.Errorf("Retry-After is %q", response.RawResponse.Header.Get("Retry-After"))
	}
	a.clock.Step(time.Minute)
	_, err = a.pools.BeginCreateOrUpdate(t.Context(), group, cluster, "blue", pool, nil)
	wantCode(t, err, http.StatusBadRequest, "InvalidParameter", "")
}

func TestResourceList(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	var got []struct {
		ID, Type, ProvisioningState string
		Machines, Nodes             int
	}
	a.admin("GET", "resources", "", &got)
	if len(got) != 4 {
		t.Fatalf("resources: %+v", got)
	}
	pool := got[3]
	if pool.ID != clusterID+"/agentPools/sys" || pool.ProvisioningState != "Succeeded" || pool.Machines != 2 || pool.Nodes != 2 {
		t.Errorf("pool: %+v", pool)
	}
}
