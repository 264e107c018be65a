package arm_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

const shopID = groupID + "/providers/Microsoft.ContainerService/managedClusters/shop"

var profile = autoscalerprofile.Values{"expander": "least-waste", "scan-interval": "20s", "daemonset-eviction-for-empty-nodes": "true"}

func (a *azure) profile() autoscalerprofile.InAzure {
	a.t.Helper()
	got, err := a.client.AutoscalerProfile(a.t.Context(), shopID)
	if err != nil {
		a.t.Fatal(err)
	}
	return got
}

// write writes once Azure lets it.
func (a *azure) writeProfile(set autoscalerprofile.Values, unset ...string) (wrote bool) {
	a.t.Helper()
	a.eventually("the profile is written", func() error {
		var err error
		wrote, err = a.client.WriteAutoscalerProfile(a.t.Context(), shopID, set, unset)
		return err
	})
	return wrote
}

func (a *azure) shop() aks.ManagedCluster {
	a.t.Helper()
	got, err := build(a, aks.NewManagedClustersClient).Get(a.t.Context(), group, "shop", nil)
	if err != nil {
		a.t.Fatal(err)
	}
	return got.ManagedCluster
}

// Of the whole cluster nothing else changes, and a pool whose number changed meanwhile keeps its own.
func TestAutoscalerProfileAloneIsWritten(t *testing.T) {
	a := newAzure(t)
	before := a.shop()
	if !a.writeProfile(profile) {
		t.Error("nothing was written")
	}
	if differing := autoscalerprofile.Differing(profile, a.profile().Values); len(differing) > 0 {
		t.Errorf("%v differ", differing)
	}
	a.eventually("the operation has ended", func() error {
		if busy := a.profile().Busy; busy != "" {
			return &refusal.Error{Message: busy}
		}
		return nil
	})
	after := a.shop()
	before.ETag, after.ETag = nil, nil
	after.Properties.AutoScalerProfile = before.Properties.AutoScalerProfile
	before.SystemData, after.SystemData = nil, nil
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the cluster changed (-before +after):\n%s", diff)
	}
	puts := a.asked("/managedClusters/shop")
	if a.writeProfile(profile) {
		t.Error("what Azure has already was written again")
	}
	if n := a.asked("/managedClusters/shop") - puts; n != 1 {
		t.Errorf("%d requests for nothing to write, want one GET", n)
	}
	if !a.writeProfile(autoscalerprofile.Values{"expander": "random"}, "scan-interval", "max-empty-bulk-delete") {
		t.Error("nothing was written")
	}
	got := a.profile().Values
	want := autoscalerprofile.Values{"expander": "random", "daemonset-eviction-for-empty-nodes": "true"}
	if differing := autoscalerprofile.Differing(want, got); len(differing) > 0 || got["scan-interval"] == "20s" {
		t.Errorf("%v differ, the setting that was given up is %q", differing, got["scan-interval"])
	}
	for _, r := range a.server.Requests() {
		if r.Method == http.MethodPut && strings.HasPrefix(r.UserAgent, "fleetwright") && r.Status >= 300 && r.Code != "OperationNotAllowed" {
			t.Errorf("refused: %+v", r)
		}
	}
}

func TestAutoscalerProfileWaitsForTheSlot(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) { s.Durations.PoolUpdate.Duration = time.Hour })
	_, err := build(a, aks.NewAgentPoolsClient).BeginCreateOrUpdate(t.Context(), group, "shop", "blue", aks.AgentPool{Properties: &aks.ManagedClusterAgentPoolProfileProperties{
		Count: to.Ptr[int32](5), VMSize: to.Ptr("Standard_D8ds_v5"), MaxPods: to.Ptr[int32](30), VnetSubnetID: to.Ptr(nodesID),
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.profile().Busy; got != "pool blue is Updating" {
		t.Errorf("busy: %q", got)
	}
	if _, err := a.client.WriteAutoscalerProfile(t.Context(), shopID, profile, nil); !refusal.Is(err, refusal.Busy) {
		t.Errorf("%v", err)
	}
}

// Somebody else's write between our GET and our PUT is not undone.
func TestAutoscalerProfileDoesNotUndoOthers(t *testing.T) {
	a := newAzure(t)
	if _, err := a.server.AddFault(sim.Fault{Method: http.MethodPut, Path: "/managedClusters/shop$", UserAgent: "^fleetwright", Count: 1, Effect: sim.Effect{
		Error: &sim.FaultError{Status: http.StatusPreconditionFailed, Code: "PreconditionFailed", Message: "the condition in If-Match is not met"},
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.client.WriteAutoscalerProfile(t.Context(), shopID, profile, nil); !refusal.Is(err, refusal.Busy) {
		t.Errorf("%v", err)
	}
	if got := a.profile().Values["expander"]; got == profile["expander"] {
		t.Error("it was written")
	}
}

func TestAutoscalerProfileOfWhatIsNoCluster(t *testing.T) {
	a := newAzure(t)
	for id, kind := range map[string]refusal.Kind{shopID + "x": refusal.Gone, poolID: "", "shop": "", shopID + "/../shop": ""} {
		_, err := a.client.AutoscalerProfile(t.Context(), id)
		_, writeErr := a.client.WriteAutoscalerProfile(t.Context(), id, profile, nil)
		for _, err := range []error{err, writeErr} {
			if r, refused := refusal.Of(err); err == nil || refused != (kind != "") || refused && r.Kind != kind {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
}
