//go:build realcapz

package realcapz_test

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// clientDryRun lets admission answer without a change.
var clientDryRun = client.DryRunAll

// asoSnapshot is snapshot with the kinds AzureASOManaged* and those of Azure Service Operator.
func (w *twin) asoSnapshot(pools ...string) map[string]any {
	w.t.Helper()
	w.until("the Cluster is provisioned", w.is(clusterKind, "twin", "Provisioned", "status", "phase"))
	w.until("the Cluster knows its control plane", w.is(clusterKind, "twin", "true", "status", "initialization", "controlPlaneInitialized"))
	w.until("the control plane is ready", w.is(asoControlPlane, "twin", "true", "status", "ready"))
	for _, pool := range pools {
		w.asoSettled(pool)
		w.until("Cluster API counts all nodes of "+pool, w.is(machinePoolKind, pool, "Running", "status", "phase"))
	}
	all := map[string]any{}
	whole := contract{Spec: true, Status: []string{"ready", "initialized", "version", "controlPlaneEndpoint", "replicas", "resources"}, Meta: true, Annotations: true}
	w.add(all, clusterKind, "twin", contract{Spec: true, Status: []string{"phase", "initialization"}})
	w.add(all, asoCluster, "twin", whole)
	w.add(all, asoControlPlane, "twin", whole)
	for _, pool := range pools {
		w.add(all, asoPool, pool, whole)
		w.add(all, machinePoolKind, pool, contract{Spec: true, Status: []string{"phase", "replicas", "readyReplicas", "initialization"}, Annotations: true})
		w.addASO(all, agentPool, pool, "count", "currentOrchestratorVersion", "enableAutoScaling", "mode", "nodeLabels", "nodeTaints", "provisioningState", "properties_type", "type", "vmSize", "vnetSubnetID")
	}
	w.addASO(all, resourceGroup, "rg-twin", "location", "name", "properties")
	w.addASO(all, subnet, "twin-nodes", "addressPrefix", "name", "provisioningState")
	w.addASO(all, managedCluster, "twin", "autoScalerProfile", "currentKubernetesVersion", "dnsPrefix", "fqdn", "location", "nodeResourceGroup", "provisioningState", "tags", "type")
	all["Secret twin-kubeconfig"] = w.secret("twin-kubeconfig")
	all["Azure cluster"] = w.azure("/managedClusters/twin", "2025-08-01")
	for _, pool := range pools {
		name := strings.TrimPrefix(pool, "twin-")
		all["Azure pool "+name] = w.azure("/managedClusters/twin/agentPools/"+name, "2025-08-01")
	}
	return all
}

// addASO adds one of Azure Service Operator's objects, without what only tells its instances apart.
func (w *twin) addASO(all map[string]any, kind schema.GroupVersionKind, name string, status ...string) {
	w.t.Helper()
	w.add(all, kind, name, contract{Spec: true, Status: status, Conditions: true, Meta: true, Annotations: true})
	part, _ := all[kind.Kind+" "+name].(map[string]any)
	for field, keys := range map[string][]string{
		"labels": {"serviceoperator.azure.com/owner-uid", "serviceoperator.azure.com/last-reconciled-version"},
		// Notes of Azure Service Operator to itself.
		"annotations": {
			"serviceoperator.azure.com/operator-namespace", "serviceoperator.azure.com/latest-reconciled-generation",
			"serviceoperator.azure.com/poller-resume-token", "serviceoperator.azure.com/poller-resume-id",
		},
	} {
		if marks, ok := part[field].(map[string]any); ok {
			for _, key := range keys {
				delete(marks, key)
			}
		}
	}
}

// asoConditions are the conditions of an object with their severities and messages.
func (w *twin) asoConditions(kind schema.GroupVersionKind, name string) any {
	w.t.Helper()
	object, err := w.get(kind, name)
	if err != nil {
		w.t.Fatal(err)
	}
	list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, each := range list {
		if condition, ok := each.(map[string]any); ok {
			delete(condition, "lastTransitionTime")
			delete(condition, "observedGeneration")
		}
	}
	return plain(w, list)
}
