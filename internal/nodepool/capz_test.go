package nodepool

import (
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/capi"
)

// agentPoolSpec is where a flavour keeps the fields of an agent pool.
func agentPoolSpec(f capi.Flavor, infra *unstructured.Unstructured) map[string]any {
	spec, _ := infra.Object["spec"].(map[string]any)
	if f == managed {
		return spec
	}
	return resourceOf(infra)["spec"].(map[string]any)
}

func resourceOf(infra *unstructured.Unstructured) map[string]any {
	resources, _, _ := unstructured.NestedSlice(infra.Object, "spec", "resources")
	return resources[0].(map[string]any)
}

// tell is what CAPZ says of a pool's progress, each flavour in its own way.
func (a *azure) tell(infra *unstructured.Unstructured, p *agentPool) {
	a.t.Helper()
	if a.flavor == managed {
		a.tellManaged(infra, p)
		return
	}
	a.tellASO(infra, p)
}

// tellManaged: ready is taken back for the time of each change.
func (a *azure) tellManaged(infra *unstructured.Unstructured, p *agentPool) {
	a.t.Helper()
	said := map[string]any{"type": "AgentPoolsReady", "status": "True"}
	if p.working != "" && p.working != shrinking {
		said["status"], said["reason"], said["severity"] = "False", p.working, "Info"
	}
	dated(said, infra, a.clock.Now())
	a.setStatus(infra, map[string]any{"ready": said["status"] == "True", "replicas": int64(len(p.nodes)), "conditions": []any{said}})
}

// dated gives a condition the time at which it became what it is.
func dated(condition map[string]any, before *unstructured.Unstructured, now time.Time) {
	condition["lastTransitionTime"] = now.Format(time.RFC3339)
	list, _, _ := unstructured.NestedSlice(before.Object, "status", "conditions")
	if len(list) == 1 {
		old := list[0].(map[string]any)
		if old["status"] == condition["status"] && old["reason"] == condition["reason"] {
			condition["lastTransitionTime"] = old["lastTransitionTime"]
		}
	}
}

// tellASO: CAPZ makes an object of Azure Service Operator's, which tells more
// than CAPZ itself.
func (a *azure) tellASO(infra *unstructured.Unstructured, p *agentPool) {
	a.t.Helper()
	resource := resourceOf(infra)
	name, kind := resource["metadata"].(map[string]any)["name"].(string), a.flavor.Kinds().Related[1]
	related := a.object(kind, name)
	if err := server.Get(a.t.Context(), client.ObjectKeyFromObject(related), related); err != nil {
		related.Object["spec"] = resource["spec"]
		create(a.t, related)
	} else if !cmp.Equal(related.Object["spec"], resource["spec"]) {
		related.Object["spec"] = resource["spec"]
		if err := server.Update(a.t.Context(), related); err != nil {
			a.t.Fatal(err)
		}
	}
	said := map[string]any{"type": "Ready", "status": "True", "reason": "Succeeded", "observedGeneration": related.GetGeneration()}
	state := "Succeeded"
	if p.working != "" && p.working != shrinking {
		said["status"], said["reason"], said["severity"] = "False", "Reconciling", "Info"
		state = p.working
	}
	dated(said, related, a.clock.Now())
	a.setStatus(related, map[string]any{
		"id": poolID(p.name), "provisioningState": state, "conditions": []any{said},
	})
	ready := said["status"] == "True"
	a.setStatus(infra, map[string]any{"ready": ready, "replicas": int64(len(p.nodes)), "resources": []any{map[string]any{
		"ready": ready, "resource": map[string]any{"group": kind.Group, "version": kind.Version, "kind": kind.Kind, "name": name},
	}}})
}

func poolID(name string) string {
	return "/subscriptions/0/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/prod/agentPools/" + name
}

func (a *azure) removeRelated(infra *unstructured.Unstructured) {
	a.t.Helper()
	if a.flavor == managed {
		return
	}
	name := resourceOf(infra)["metadata"].(map[string]any)["name"].(string)
	related := a.object(a.flavor.Kinds().Related[1], name)
	if err := client.IgnoreNotFound(server.Delete(a.t.Context(), related)); err != nil {
		a.t.Fatal(err)
	}
}
