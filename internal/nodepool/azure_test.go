package nodepool

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// azure does, one step at a time, what Azure, CAPZ, CAPI and the kubelets do to
// the objects of one cluster: it is the scripted half of these tests, the API
// server is the real one.
type azure struct {
	t         *testing.T
	namespace string
	// provisioning and deleting are the pools Azure works at; each takes one step.
	begun map[string]int
	pods  int
}

const clusterName = "prod"

func newAzure(t *testing.T) *azure {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "story-"}}
	create(t, ns)
	a := &azure{t: t, namespace: ns.Name, begun: map[string]int{}}
	create(t, &clusterv1.Cluster{
		ObjectMeta: metav1.ObjectMeta{Name: clusterName, Namespace: ns.Name},
		Spec: clusterv1.ClusterSpec{
			InfrastructureRef: clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureManagedCluster", Name: clusterName},
			ControlPlaneRef:   clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureManagedControlPlane", Name: clusterName},
		},
	})
	plane := capi.ControlPlaneObject()
	plane.SetName(clusterName)
	plane.SetNamespace(ns.Name)
	plane.Object["spec"] = map[string]any{"location": "westeurope", "resourceGroupName": "rg", "subscriptionID": "0", "version": "v1.34.2", "identityRef": map[string]any{"kind": "AzureClusterIdentity", "name": "id"}}
	create(t, plane)
	plane.Object["status"] = map[string]any{"ready": true, "initialized": true, "version": "v1.34.2"}
	if err := server.Status().Update(t.Context(), plane); err != nil {
		t.Fatal(err)
	}
	create(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: clusterName + "-kubeconfig", Namespace: ns.Name},
		Data:       map[string][]byte{"value": kubeconfig(t)},
	})
	t.Cleanup(a.removeNodes)
	return a
}

func kubeconfig(t *testing.T) []byte {
	t.Helper()
	out, err := clientcmd.Write(clientcmdapi.Config{
		CurrentContext: "c",
		Contexts:       map[string]*clientcmdapi.Context{"c": {Cluster: "c", AuthInfo: "c"}},
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: serverConfig.Host, CertificateAuthorityData: serverConfig.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"c": {ClientCertificateData: serverConfig.CertData, ClientKeyData: serverConfig.KeyData}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func create(t *testing.T, o client.Object) {
	t.Helper()
	if err := server.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

// removeNodes outlives the test's own context.
func (a *azure) removeNodes() {
	ctx := context.WithoutCancel(a.t.Context())
	_ = server.DeleteAllOf(ctx, &corev1.Node{}, client.MatchingLabels{"story": a.namespace})
}

func (a *azure) infraPools() []unstructured.Unstructured {
	a.t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(capi.MachinePoolObject().GroupVersionKind())
	if err := server.List(a.t.Context(), list, client.InNamespace(a.namespace)); err != nil {
		a.t.Fatal(err)
	}
	return list.Items
}

// step lets every pool take one step: wanted, being made, made with nodes;
// or being deleted, gone.
func (a *azure) step() {
	a.t.Helper()
	for _, infra := range a.infraPools() {
		var mp clusterv1.MachinePool
		err := server.Get(a.t.Context(), client.ObjectKeyFromObject(&infra), &mp)
		switch {
		case apierrors.IsNotFound(err):
			a.remove(&infra, nil)
		case err != nil:
			a.t.Fatal(err)
		case !mp.DeletionTimestamp.IsZero():
			a.remove(&infra, &mp)
		default:
			a.provision(&infra, &mp)
		}
	}
	a.schedule()
}

func (a *azure) provision(infra *unstructured.Unstructured, mp *clusterv1.MachinePool) {
	a.t.Helper()
	if len(mp.Finalizers) == 0 {
		mp.Finalizers = []string{"machinepool.cluster.x-k8s.io"}
		if err := server.Update(a.t.Context(), mp); err != nil {
			a.t.Fatal(err)
		}
	}
	if a.begun[infra.GetName()]++; a.begun[infra.GetName()] < 2 {
		a.setStatus(infra, false, "Creating")
		return
	}
	pool, _, _ := unstructured.NestedString(infra.Object, "spec", "name")
	var ids []any
	for n := range int(*mp.Spec.Replicas) {
		ids = append(ids, a.node(infra, pool, n, mp.Spec.Template.Spec.Version))
	}
	if err := unstructured.SetNestedSlice(infra.Object, ids, "spec", "providerIDList"); err != nil {
		a.t.Fatal(err)
	}
	if err := server.Update(a.t.Context(), infra); err != nil {
		a.t.Fatal(err)
	}
	a.setStatus(infra, true, "")
}

func (a *azure) setStatus(infra *unstructured.Unstructured, ready bool, reason string) {
	a.t.Helper()
	condition := map[string]any{"type": "AgentPoolsReady", "status": "True", "lastTransitionTime": "2026-11-23T08:00:00Z"}
	if reason != "" {
		condition["status"], condition["reason"], condition["severity"] = "False", reason, "Info"
	}
	infra.Object["status"] = map[string]any{"ready": ready, "replicas": int64(0), "conditions": []any{condition}}
	if err := server.Status().Update(a.t.Context(), infra); err != nil {
		a.t.Fatal(err)
	}
}

func (a *azure) node(infra *unstructured.Unstructured, pool string, n int, version string) string {
	a.t.Helper()
	id := fmt.Sprintf("azure:///subscriptions/0/resourceGroups/mc_%s/providers/Microsoft.Compute/virtualMachineScaleSets/aks-%s-02118794-vmss/virtualMachines/%d", a.namespace, pool, n)
	labels, _, _ := unstructured.NestedStringMap(infra.Object, "spec", "nodeLabels")
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, map[string]string{agentPoolLabel: pool, "story": a.namespace})
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%s-%d", a.namespace, pool, n), Labels: labels},
		Spec:       corev1.NodeSpec{ProviderID: id},
	}
	if err := server.Create(a.t.Context(), node); apierrors.IsAlreadyExists(err) {
		return id
	} else if err != nil {
		a.t.Fatal(err)
	}
	node.Status.NodeInfo.KubeletVersion = version
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}}
	if err := server.Status().Update(a.t.Context(), node); err != nil {
		a.t.Fatal(err)
	}
	return id
}

// remove deletes a pool as AKS does: the nodes are gone, whatever runs there.
func (a *azure) remove(infra *unstructured.Unstructured, mp *clusterv1.MachinePool) {
	a.t.Helper()
	pool, _, _ := unstructured.NestedString(infra.Object, "spec", "name")
	for _, n := range a.nodes() {
		if n.Labels[agentPoolLabel] != pool {
			continue
		}
		for _, p := range a.podsOn(n.Name) {
			a.t.Errorf("I3: pool %s was deleted while pod %s ran on node %s", pool, p.Name, n.Name)
		}
		if err := server.Delete(a.t.Context(), &n); err != nil {
			a.t.Fatal(err)
		}
	}
	if err := client.IgnoreNotFound(server.Delete(a.t.Context(), infra)); err != nil {
		a.t.Fatal(err)
	}
	if mp != nil {
		mp.Finalizers = nil
		if err := server.Update(a.t.Context(), mp); err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *azure) nodes() []corev1.Node {
	a.t.Helper()
	var list corev1.NodeList
	if err := server.List(a.t.Context(), &list, client.MatchingLabels{"story": a.namespace}); err != nil {
		a.t.Fatal(err)
	}
	return list.Items
}

func (a *azure) podsOn(node string) []corev1.Pod {
	a.t.Helper()
	var list corev1.PodList
	if err := server.List(a.t.Context(), &list, client.InNamespace(a.namespace)); err != nil {
		a.t.Fatal(err)
	}
	return slices.DeleteFunc(list.Items, func(p corev1.Pod) bool { return node != "" && p.Spec.NodeName != node })
}

// schedule is the ReplicaSet controller and the scheduler: it keeps the wanted
// number of pods, on nodes that take them.
func (a *azure) schedule() {
	a.t.Helper()
	var open []string
	for _, n := range a.nodes() {
		if !n.Spec.Unschedulable {
			open = append(open, n.Name)
		}
	}
	for n := len(a.podsOn("")); n < a.pods && len(open) > 0; n++ {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				GenerateName: "cart-", Namespace: a.namespace, Labels: map[string]string{"app": "cart"},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "cart", UID: "rs", Controller: new(true)}},
			},
			Spec: corev1.PodSpec{
				NodeName: open[n%len(open)], TerminationGracePeriodSeconds: new(int64),
				Containers: []corev1.Container{{Name: "c", Image: "cart"}},
			},
		}
		create(a.t, pod)
		pod.Status.Phase = corev1.PodRunning
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		if err := server.Status().Update(a.t.Context(), pod); err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *azure) nodepool(machineType string) *fleetwrightv1.Nodepool {
	a.t.Helper()
	np := &fleetwrightv1.Nodepool{
		ObjectMeta: metav1.ObjectMeta{Name: clusterName + "-general", Namespace: a.namespace},
		Spec: fleetwrightv1.NodepoolSpec{
			ClusterName: clusterName, MachineType: machineType, Replicas: new(int32(2)),
			Replacement: fleetwrightv1.ReplacementPolicy{MinReadySeconds: new(int32)},
		},
	}
	create(a.t, np)
	return np
}

func (a *azure) key() types.NamespacedName {
	return types.NamespacedName{Namespace: a.namespace, Name: clusterName + "-general"}
}
