package sim_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/google/go-cmp/cmp"
)

// TestWriteBackOfWhatWasRead: a program that writes one value of the autoscaler profile reads the cluster and puts all of it
// back. Nothing else may change by that, and no node be replaced.
func TestWriteBackOfWhatWasRead(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	scaled := userPool("Standard_D4s_v5", 1)
	scaled.Properties.EnableAutoScaling, scaled.Properties.MinCount, scaled.Properties.MaxCount = to.Ptr(true), to.Ptr[int32](1), to.Ptr[int32](3)
	scaled.Properties.NodeLabels = map[string]*string{"a": to.Ptr("b")}
	scaled.Properties.NodeTaints = []*string{to.Ptr("k=v:NoSchedule")}
	a.mustPutPool("blue", scaled)
	path := clusterID + "?api-version=2025-10-01"
	read := func() map[string]any {
		var got map[string]any
		if status := a.raw("GET", path, "", a.token(), &got); status != http.StatusOK {
			t.Fatalf("GET: %d", status)
		}
		return got
	}
	before, nodes := read(), a.world.nodeNames()
	changed := read()
	properties := changed["properties"].(map[string]any)
	properties["autoScalerProfile"].(map[string]any)["scan-interval"] = "20s"
	body, err := json.Marshal(changed)
	if err != nil {
		t.Fatal(err)
	}
	var refused answer
	if status := a.raw("PUT", path, string(body), a.token(), &refused); status != http.StatusOK {
		t.Fatalf("PUT: %d %+v", status, refused.Error)
	}
	a.eventually("the cluster is updated", func() error {
		a.clock.Step(500 * time.Millisecond)
		if state := read()["properties"].(map[string]any)["provisioningState"]; state != "Succeeded" {
			return errorOf("it is %v", state)
		}
		return nil
	})
	after := read()
	want := before["properties"].(map[string]any)
	want["autoScalerProfile"].(map[string]any)["scan-interval"] = "20s"
	forget := func(o map[string]any) {
		delete(o, "eTag")
		delete(o, "systemData")
		for _, p := range o["properties"].(map[string]any)["agentPoolProfiles"].([]any) {
			delete(p.(map[string]any), "eTag")
		}
	}
	forget(before)
	forget(after)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("(-wanted +got):\n%s", diff)
	}
	if diff := cmp.Diff(nodes, a.world.nodeNames()); diff != "" {
		t.Errorf("nodes (-before +after):\n%s", diff)
	}
}
