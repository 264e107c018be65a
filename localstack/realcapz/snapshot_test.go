//go:build realcapz

package realcapz_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

// snapshot is everything of the contract once all controllers have come to rest, comparable between the stacks.
func (w *twin) snapshot(pools ...string) map[string]any {
	w.t.Helper()
	w.rest(pools...)
	all := map[string]any{}
	w.add(all, clusterKind, "twin", contract{Spec: true, Status: []string{"phase", "initialization"}})
	w.add(all, azureCluster, "twin", contract{Spec: true, Status: []string{"ready"}, Meta: true})
	w.add(all, controlPlane, "twin", contract{Spec: true, Status: []string{"ready", "initialized", "version", "autoUpgradeVersion", "oidcIssuerProfile"}, Conditions: true, Meta: true})
	for _, pool := range pools {
		w.add(all, azurePool, pool, contract{Spec: true, Status: []string{"ready", "replicas", "errorReason", "errorMessage"}, Conditions: true, Meta: true})
		w.add(all, machinePoolKind, pool, contract{Spec: true, Status: []string{"phase", "replicas", "readyReplicas", "initialization"}, Annotations: true})
	}
	all["Secret twin-kubeconfig"] = w.secret("twin-kubeconfig")
	all["Azure cluster"] = w.azure("/managedClusters/twin", "2025-08-01")
	for _, pool := range pools {
		name := strings.TrimPrefix(pool, "twin-")
		all["Azure pool "+name] = w.azure("/managedClusters/twin/agentPools/"+name, "2025-08-01")
	}
	return all
}

// rest waits for everyone who writes what a snapshot shows: the provider, and Cluster API, which takes the provider's words
// over and counts nodes on its own time.
func (w *twin) rest(pools ...string) {
	w.t.Helper()
	w.until("the control plane is settled", func() string { return w.well(controlPlane, "twin", "ManagedClusterRunning") })
	w.until("the Cluster is provisioned", w.is(clusterKind, "twin", "Provisioned", "status", "phase"))
	w.until("the Cluster knows its control plane", w.is(clusterKind, "twin", "true", "status", "initialization", "controlPlaneInitialized"))
	for _, pool := range pools {
		w.until("pool "+pool+" is settled", w.settled(pool))
		w.until("Cluster API counts all nodes of "+pool, w.is(machinePoolKind, pool, "Running", "status", "phase"))
	}
}

// contract says which parts of an object count.
type contract struct {
	Spec, Conditions, Meta, Annotations bool
	Status                              []string
}

func (w *twin) add(all map[string]any, kind schema.GroupVersionKind, name string, c contract) {
	w.t.Helper()
	object, err := w.get(kind, name)
	if err != nil {
		w.t.Fatal(err)
	}
	part := map[string]any{}
	if c.Spec {
		unstructured.RemoveNestedField(object.Object, "spec", "sshPublicKey") // made up by each at random
		part["spec"] = object.Object["spec"]
	}
	status, _, _ := unstructured.NestedMap(object.Object, "status")
	for _, field := range c.Status {
		if value, ok := status[field]; ok {
			part["status."+field] = value
		}
	}
	if c.Conditions {
		part["conditions"] = conditions(object)
	}
	if c.Meta {
		part["finalizers"] = sorted(object.GetFinalizers())
		part["labels"] = object.GetLabels()
		owners := []string{}
		for _, owner := range object.GetOwnerReferences() {
			owners = append(owners, fmt.Sprintf("%s %s controller=%t", owner.Kind, owner.Name, owner.Controller != nil && *owner.Controller))
		}
		part["owners"] = sorted(owners)
	}
	if c.Annotations {
		part["annotations"] = object.GetAnnotations()
	}
	all[kind.Kind+" "+name] = plain(w, part)
}

// conditions as type: status and reason; times and messages differ between any two runs.
func conditions(object *unstructured.Unstructured) map[string]string {
	found := map[string]string{}
	list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, each := range list {
		if condition, ok := each.(map[string]any); ok {
			reason, _ := condition["reason"].(string)
			found[fmt.Sprint(condition["type"])] = strings.TrimSpace(fmt.Sprint(condition["status"], " ", reason))
		}
	}
	return found
}

func (w *twin) secret(name string) any {
	w.t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Secret"})
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: "default", Name: name}, object); err != nil {
		w.t.Fatal(err)
	}
	data, _, _ := unstructured.NestedMap(object.Object, "data")
	keys := []string{}
	for key := range data {
		keys = append(keys, key)
	}
	owners := []string{}
	for _, owner := range object.GetOwnerReferences() {
		owners = append(owners, owner.Kind+" "+owner.Name)
	}
	kind, _, _ := unstructured.NestedString(object.Object, "type")
	return plain(w, map[string]any{"keys": sorted(keys), "labels": object.GetLabels(), "owners": owners, "type": kind})
}

// azure is a resource of the twin's group as Azure shows it.
func (w *twin) azure(path, version string) any {
	w.t.Helper()
	const group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-Twin/providers/Microsoft.ContainerService"
	resource, status := w.azureAt(group+path, version)
	if status != http.StatusOK {
		w.t.Fatalf("GET %s: %d %v", path, status, resource)
	}
	return settle(resource)
}

// azureAt is what Azure answers about an id, and the HTTP status.
func (w *twin) azureAt(id, version string) (answer map[string]any, status int) {
	w.t.Helper()
	azure := w.stack.Azure()
	login, err := simclient.New(azure.URL(), azure.CAFile(), simclient.Identity{
		TenantID: "33333333-3333-3333-3333-333333333333", ClientID: "44444444-4444-4444-4444-444444444444", ClientSecret: "x",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := login.Credential.GetToken(w.t.Context(), policy.TokenRequestOptions{Scopes: []string{simclient.Audience + "/.default"}})
	if err != nil {
		w.t.Fatal(err)
	}
	transport, err := simclient.Transport(azure.CAFile())
	if err != nil {
		w.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, azure.URL()+id+"?api-version="+version, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token.Token)
	response, err := transport.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(content, &answer)
	}
	if err != nil {
		w.t.Fatalf("GET %s: %s %s (%v)", id, response.Status, content, err)
	}
	return answer, response.StatusCode
}

// changing are fields of Azure whose values differ between any two resources.
var changing = sets.New("eTag", "etag", "systemData", "principalId", "clientId", "objectId", "resourceUID", "keyData")

// settle drops those, and what says nothing: null, an empty object and an empty list mean the same to Azure.
func settle(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, each := range value {
			if each = settle(each); each == nil || changing.Has(key) {
				delete(value, key)
				continue
			}
			value[key] = each
		}
		if len(value) == 0 {
			return nil
		}
	case []any:
		for i := range value {
			value[i] = settle(value[i])
		}
		if len(value) == 0 {
			return nil
		}
	}
	return value
}

// plain turns a value into what JSON makes of it, so that types do not matter.
func plain(w *twin, value any) any {
	w.t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		w.t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(content, &out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func sorted(list []string) []string {
	sort.Strings(list)
	return list
}
