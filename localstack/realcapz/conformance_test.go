//go:build realcapz

package realcapz_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// record is what one of the two did and said.
type record struct {
	Snapshots map[string]map[string]any
	Answers   map[string]string
	States    map[string][]string
}

// TestStandInIsLikeCAPZ does the same on the stand-in and on the real managers and compares what operators can see of it.
// Where they differ the stand-in is wrong.
func TestStandInIsLikeCAPZ(t *testing.T) {
	t.Parallel()
	compare(t, play)
}

// compare plays a story on the real managers and on the stand-in at the same time.
func compare(t *testing.T, play func(t *testing.T, name string, provider stack.Provider, patience time.Duration) record) {
	t.Helper()
	records := map[string]*record{"real": {}, "stand-in": {}}
	t.Run("play", func(t *testing.T) {
		t.Run("real", func(t *testing.T) {
			t.Parallel()
			*records["real"] = play(t, "real", realProvider(t), 8*time.Minute)
		})
		t.Run("stand-in", func(t *testing.T) {
			t.Parallel()
			*records["stand-in"] = play(t, "stand-in", stack.StandIn, 3*time.Minute)
		})
	})
	if t.Failed() {
		return
	}
	for name, difference := range map[string]string{
		"objects and Azure resources": cmp.Diff(records["real"].Snapshots, records["stand-in"].Snapshots),
		"answers of admission":        cmp.Diff(records["real"].Answers, records["stand-in"].Answers),
		"states on the way":           cmp.Diff(records["real"].States, records["stand-in"].States),
	} {
		t.Run(name, func(t *testing.T) {
			if difference != "" {
				t.Errorf("the stand-in (+) differs from the real CAPZ (-):\n%s", difference)
			}
		})
	}
}

func play(t *testing.T, name string, provider stack.Provider, patience time.Duration) record {
	t.Helper()
	w := startTwin(t, name, provider, patience, controlPlane, azurePool)
	snapshots := map[string]map[string]any{}

	w.recorder.begin("1 creation")
	w.apply("testdata")
	snapshots["1 created"] = w.snapshot("twin-system", "twin-user")
	answers := w.answers()

	w.recorder.begin("2 labels in place")
	w.mustPatch(azurePool, "twin-user", `{"spec":{"nodeLabels":{"example.com/team":"b"}}}`)
	w.until("labels are on Azure", w.azureHas("user", "b", "properties", "nodeLabels", "example.com/team"))
	w.until("pool shows the change", w.busy("twin-user"))
	w.until("pool is settled again", w.settled("twin-user"))
	w.recorder.begin("3 autoscaling")
	w.mustPatch(azurePool, "twin-user", `{"spec":{"scaling":{"minSize":1,"maxSize":4}}}`)
	w.until("the autoscaler is on", w.azureHas("user", true, "properties", "enableAutoScaling"))
	w.until("the MachinePool says who scales", w.is(machinePoolKind, "twin-user", "true", "metadata", "annotations", "cluster.x-k8s.io/replicas-managed-by"))
	w.until("pool shows the change", w.busy("twin-user"))
	w.until("pool is settled again", w.settled("twin-user"))
	snapshots["3 scaling"] = w.snapshot("twin-system", "twin-user")

	w.recorder.begin("4 upgrade")
	w.mustPatch(controlPlane, "twin", `{"spec":{"version":"v1.34.2"}}`)
	w.until("the control plane is upgraded", w.is(controlPlane, "twin", "v1.34.2", "status", "version"))
	w.until("the control plane is settled", func() string { return w.well(controlPlane, "twin", "ManagedClusterRunning") })

	w.recorder.begin("5 conflict")
	if _, err := w.stack.Azure().AddFault(sim.Fault{Method: "PUT", Path: "/agentPools/user$", Count: 4, Effect: sim.Effect{Error: &sim.FaultError{
		Status: 409, Code: "OperationNotAllowed",
		Message: "Operation is not allowed: Another agentpool operation (nodepool1 - Creating) is in progress, please wait for it to finish before starting a new operation.",
	}}}); err != nil {
		t.Fatal(err)
	}
	w.mustPatch(azurePool, "twin-user", `{"spec":{"nodeLabels":{"example.com/team":"c"}}}`)
	w.until("labels are on Azure after a conflict", w.azureHas("user", "c", "properties", "nodeLabels", "example.com/team"))
	w.until("pool shows the change", w.busy("twin-user"))
	w.until("pool is settled again", w.settled("twin-user"))

	w.recorder.begin("6 deletion")
	object, err := w.get(machinePoolKind, "twin-user")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	w.until("pool twin-user is gone", w.gone("twin-user"))
	w.recorder.begin("")
	snapshots["6 deleted"] = w.snapshot("twin-system")
	states := w.recorder.states()
	delete(states, "")
	return record{Snapshots: snapshots, Answers: answers, States: states}
}

func (w *twin) azureHas(pool string, want any, path ...string) func() string {
	return func() string {
		resource, _ := w.azure("/managedClusters/twin/agentPools/"+pool, "2025-08-01").(map[string]any)
		got, _, err := unstructured.NestedFieldNoCopy(resource, path...)
		if err != nil || got != want {
			return asText(w, resource)
		}
		return ""
	}
}

func (w *twin) gone(name string) func() string {
	return func() string {
		for _, err := range []error{second(w.get(machinePoolKind, name)), second(w.get(azurePool, name))} {
			if !apierrors.IsNotFound(err) {
				return "it is still there"
			}
		}
		return ""
	}
}

func second(_ *unstructured.Unstructured, err error) error { return err }

func asText(w *twin, value any) string {
	w.t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(content)
}
