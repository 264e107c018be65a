//go:build realcapz

package realcapz_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

var (
	asoCluster      = schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: "AzureASOManagedCluster"}
	asoControlPlane = schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: "AzureASOManagedControlPlane"}
	asoPool         = schema.GroupVersionKind{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: "AzureASOManagedMachinePool"}
	resourceGroup   = schema.GroupVersionKind{Group: "resources.azure.com", Version: "v1api20200601", Kind: "ResourceGroup"}
	subnet          = schema.GroupVersionKind{Group: "network.azure.com", Version: "v1api20201101", Kind: "VirtualNetworksSubnet"}
	managedCluster  = schema.GroupVersionKind{Group: "containerservice.azure.com", Version: "v1api20250801", Kind: "ManagedCluster"}
	agentPool       = schema.GroupVersionKind{Group: "containerservice.azure.com", Version: "v1api20250801", Kind: "ManagedClustersAgentPool"}
)

// TestStandInIsLikeCAPZAndASO is TestStandInIsLikeCAPZ with the kinds AzureASOManaged*, and with Azure Service Operator's objects, which
// people see too in this flavour.
func TestStandInIsLikeCAPZAndASO(t *testing.T) {
	t.Parallel()
	compare(t, playASO)
}

func playASO(t *testing.T, name string, provider stack.Provider, patience time.Duration) record {
	t.Helper()
	w := startTwin(t, "aso-"+name, provider, patience, asoControlPlane, asoPool, managedCluster, agentPool)
	snapshots, answers := map[string]map[string]any{}, map[string]string{}

	w.apply("testdata/aso")
	snapshots["1 created"] = w.asoSnapshot("twin-system", "twin-user")
	for name, body := range map[string]string{
		"another name":  `{"spec":{"azureName":"other"}}`,
		"another owner": `{"spec":{"owner":{"name":"other"}}}`,
		"other labels":  `{"spec":{"nodeLabels":{"example.com/team":"x"}}}`,
	} {
		answers[name] = answer(w.patch(agentPool, "twin-user", body, clientDryRun))
	}

	w.recorder.begin("2 labels in place")
	w.setInPool("twin-user", map[string]any{"nodeLabels": map[string]any{"example.com/team": "b"}})
	w.until("labels are on Azure", w.azureHas("user", "b", "properties", "nodeLabels", "example.com/team"))
	w.asoSettled("twin-user")

	w.recorder.begin("3 a version that Cluster API does not want")
	w.setInPool("twin-user", map[string]any{"orchestratorVersion": "1.33.6"})
	w.until("the pool is not ready", w.is(asoPool, "twin-user", "false", "status", "ready"))
	w.setInPool("twin-user", map[string]any{"orchestratorVersion": "1.34.1"})
	w.asoSettled("twin-user")

	w.recorder.begin("4 what Azure never does")
	w.setInPool("twin-user", map[string]any{"vmSize": "Standard_D8ds_v5"})
	w.until("the refusal is told", func() string { return wanted("PropertyChangeNotAllowed", w.asoReason("twin-user")) })
	snapshots["4 refused"] = map[string]any{"conditions": w.asoConditions(agentPool, "twin-user")}
	w.setInPool("twin-user", map[string]any{"vmSize": "Standard_D4ds_v5"})
	w.asoSettled("twin-user")

	w.recorder.begin("5 autoscaling")
	w.setInPool("twin-user", map[string]any{"minCount": int64(1), "maxCount": int64(4), "enableAutoScaling": true})
	w.until("the autoscaler is on", w.azureHas("user", true, "properties", "enableAutoScaling"))
	w.until("the MachinePool says who scales", w.is(machinePoolKind, "twin-user", "aks", "metadata", "annotations", "cluster.x-k8s.io/replicas-managed-by"))
	w.asoSettled("twin-user")
	snapshots["5 scaling"] = w.asoSnapshot("twin-system", "twin-user")

	w.recorder.begin("6 upgrade")
	w.mustPatch(asoControlPlane, "twin", `{"spec":{"version":"v1.34.2"}}`)
	w.until("the control plane is upgraded", w.is(asoControlPlane, "twin", "v1.34.2", "status", "version"))
	w.until("the control plane is settled", w.is(asoControlPlane, "twin", "true", "status", "ready"))

	w.recorder.begin("7 conflict")
	if _, err := w.stack.Azure().AddFault(sim.Fault{Method: "PUT", Path: "/agentPools/user$", Count: 3, Effect: sim.Effect{Error: &sim.FaultError{
		Status: 409, Code: "OperationNotAllowed",
		Message: "Operation is not allowed: Another agentpool operation (nodepool1 - Creating) is in progress, please wait for it to finish before starting a new operation.",
	}}}); err != nil {
		t.Fatal(err)
	}
	w.setInPool("twin-user", map[string]any{"nodeLabels": map[string]any{"example.com/team": "c"}})
	w.until("labels are on Azure after a conflict", w.azureHas("user", "c", "properties", "nodeLabels", "example.com/team"))
	w.asoSettled("twin-user")

	w.recorder.begin("8 deletion")
	object, err := w.get(machinePoolKind, "twin-user")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	w.until("pool twin-user is gone", func() string {
		for _, kind := range []schema.GroupVersionKind{machinePoolKind, asoPool, agentPool} {
			if err := second(w.get(kind, "twin-user")); !apierrors.IsNotFound(err) {
				return kind.Kind + " is still there"
			}
		}
		return ""
	})
	w.recorder.begin("")
	snapshots["8 deleted"] = w.asoSnapshot("twin-system")
	states := w.recorder.states()
	delete(states, "")
	return record{Snapshots: snapshots, Answers: answers, States: asoStates(states)}
}

// asoStates leaves out states whose number depends on who looks when: what waits for something else.
func asoStates(states map[string][]string) map[string][]string {
	for chapter, list := range states {
		var kept []string
		for _, state := range list {
			if !strings.Contains(state, "WaitingForOwner") && !strings.Contains(state, "ReconciliationBlocked") {
				kept = append(kept, state)
			}
		}
		states[chapter] = kept
	}
	return states
}

// setInPool sets fields in the spec of the resource that a pool's spec holds.
func (w *twin) setInPool(name string, fields map[string]any) {
	w.t.Helper()
	object, err := w.get(asoPool, name)
	if err != nil {
		w.t.Fatal(err)
	}
	resources, _, err := unstructured.NestedSlice(object.Object, "spec", "resources")
	if err != nil || len(resources) != 1 {
		w.t.Fatalf("%s has resources %v, %v", name, resources, err)
	}
	resource, _ := resources[0].(map[string]any)
	for field, value := range fields {
		if err := unstructured.SetNestedField(resource, value, "spec", field); err != nil {
			w.t.Fatal(err)
		}
	}
	body, err := json.Marshal(map[string]any{"spec": map[string]any{"resources": resources}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mustPatch(asoPool, name, string(body))
}

// asoSettled waits until a pool has taken over its last change. It is not enough to see it ready: it may not have been looked at.
func (w *twin) asoSettled(name string) {
	w.t.Helper()
	w.until("pool "+name+" is settled", func() string {
		pool, err := w.get(asoPool, name)
		if err != nil {
			return err.Error()
		}
		applied, err := w.get(agentPool, name)
		if err != nil {
			return err.Error()
		}
		resources, _, _ := unstructured.NestedSlice(pool.Object, "spec", "resources")
		resource, _ := resources[0].(map[string]any)
		want, _, _ := unstructured.NestedMap(resource, "spec")
		have, _, _ := unstructured.NestedMap(applied.Object, "spec")
		for field, value := range want {
			if fmt.Sprint(have[field]) != fmt.Sprint(value) {
				return fmt.Sprintf("%s is %v, not %v", field, have[field], value)
			}
		}
		if why := wanted("Succeeded", w.asoReason(name)); why != "" {
			return why
		}
		if why := w.is(asoPool, name, "true", "status", "ready")(); why != "" {
			return why
		}
		if !w.recorder.upTo(pool) || !w.recorder.upTo(applied) {
			return "its last state was not recorded yet"
		}
		return ""
	})
}

func wanted(want, got string) string {
	if got != want {
		return fmt.Sprintf("it is %s, not %s", got, want)
	}
	return ""
}

// asoReason is the reason of a pool's Ready condition, if it is about the present spec.
func (w *twin) asoReason(name string) string {
	object, err := w.get(agentPool, name)
	if err != nil {
		return err.Error()
	}
	list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, each := range list {
		if condition, ok := each.(map[string]any); ok && condition["type"] == "Ready" {
			if observed, _, _ := unstructured.NestedInt64(condition, "observedGeneration"); observed != object.GetGeneration() {
				return "out of date"
			}
			return fmt.Sprint(condition["reason"])
		}
	}
	return "unknown"
}

func answer(err error) string {
	if err == nil {
		return "allowed"
	}
	// Each webhook has a name of its own; the words count.
	_, words, _ := strings.Cut(err.Error(), "denied the request: ")
	return words
}
