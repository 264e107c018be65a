package stack

import (
	"context"
	"testing"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

// pullAnswers are pulls by image; every cluster's are the same.
type pullAnswers map[string]sim.Pull

func (a pullAnswers) KubeletPull(_, image string) sim.Pull { return a[image] }

func TestPullsAskTheSimulatedRegistries(t *testing.T) {
	r := newRegistries()
	r.open(pullAnswers{
		"a.azurecr.io/allowed":  {Reason: sim.PullAllowed},
		"a.azurecr.io/secret":   {Reason: sim.PullUnauthorized, Message: "401 Unauthorized"},
		"a.azurecr.io/missing":  {Reason: sim.PullNotFound, Message: "a.azurecr.io/missing: not found"},
		"none.azurecr.io/image": {Reason: sim.PullNoRegistry, Message: "no such host"},
		"registry.k8s.io/pause": {Reason: sim.PullUnauthorized, Message: "is not to be asked"},
	})
	pull := r.puller("cluster")
	for image, want := range map[string]string{
		"a.azurecr.io/allowed":  "",
		"a.azurecr.io/secret":   "401 Unauthorized",
		"a.azurecr.io/missing":  "rpc error: code = NotFound desc = a.azurecr.io/missing: not found",
		"none.azurecr.io/image": "",
		"registry.k8s.io/pause": "",
	} {
		if got := pull(t.Context(), image); got != want {
			t.Errorf("pull of %s = %q, want %q", image, got, want)
		}
	}
}

// A node that starts before Azure is there, as after a restart, waits for it and refuses nothing meanwhile.
func TestPullsWaitForAzure(t *testing.T) {
	r := newRegistries()
	pull := r.puller("cluster")
	pulled := make(chan string)
	go func() { pulled <- pull(context.Background(), "a.azurecr.io/allowed") }()
	r.open(pullAnswers{"a.azurecr.io/allowed": {Reason: sim.PullAllowed}})
	if problem := <-pulled; problem != "" {
		t.Errorf("pull = %q", problem)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if problem := newRegistries().puller("cluster")(ended, "a.azurecr.io/allowed"); problem == "" {
		t.Error("the pull went well without Azure")
	}
}
