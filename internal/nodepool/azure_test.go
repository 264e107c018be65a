package nodepool

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	clocktesting "k8s.io/utils/clock/testing"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// azure does, one step at a time, what Azure, CAPZ, CAPI, the kubelets and the
// ReplicaSet controller do to the objects of one cluster: it is the scripted
// half of these tests, the API server is the real one. Each cluster has a
// namespace of its own; what Nodes and Pods of all clusters share is kept apart
// by names that begin with it.
type azure struct {
	t         *testing.T
	namespace string
	flavor    capi.Flavor
	// clock is the only one: the API server's own dates are replaced where the
	// operator reads them.
	clock *clocktesting.FakePassiveClock
	op    *operator

	// seen is the cluster, of which nothing changes.
	seen capi.Cluster
	// agentPools are what Azure has, by the name of their objects; appeared are
	// those names in the order in which they were first written.
	agentPools map[string]*agentPool
	appeared   []string
	// machines counts those ever made, so that no name comes twice.
	machines int
	// changed is true when the last step did anything: then the next is soon.
	changed bool

	// pods is how many the ReplicaSet wants; budget is how many of them may be
	// away at once, zero for no budget.
	pods, budget int
	// replicaSet is the one of the Deployment that they belong to, empty for none
	// that exists.
	replicaSet types.UID
	// events are those on Nodepools that were asked for so far.
	events []string
	// before runs before each look of the operator.
	before func(*fleetwrightv1.Nodepool)
}

const clusterName = "prod"

var managed, asoManaged capi.Flavor = capi.AzureManaged{}, capi.AzureASOManaged{}

func newAzure(t *testing.T) *azure {
	t.Helper()
	return newAzureOf(t, managed)
}

func newAzureOf(t *testing.T, flavor capi.Flavor) *azure {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "story-"}}
	create(t, ns)
	a := &azure{
		t: t, namespace: ns.Name, flavor: flavor, agentPools: map[string]*agentPool{},
		// After everything that the API server dates by itself.
		clock: clocktesting.NewFakePassiveClock(time.Now().Add(time.Hour).UTC().Truncate(time.Second)),
	}
	a.op = newOperator(a)
	kinds := flavor.Kinds()
	ref := func(kind string) clusterv1.ContractVersionedObjectReference {
		return clusterv1.ContractVersionedObjectReference{APIGroup: kinds.Pool.Group, Kind: kind, Name: clusterName}
	}
	create(t, &clusterv1.Cluster{
		ObjectMeta: metav1.ObjectMeta{Name: clusterName, Namespace: ns.Name, Labels: map[string]string{"ring": "canary"}},
		Spec:       clusterv1.ClusterSpec{InfrastructureRef: ref(kinds.Cluster), ControlPlaneRef: ref(kinds.ControlPlane.Kind)},
	})
	a.makeControlPlane()
	create(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: clusterName + "-kubeconfig", Namespace: ns.Name},
		Data:       map[string][]byte{"value": kubeconfig(t, a.op.serveWorkload())},
	})
	t.Cleanup(a.clean)
	return a
}

// makeControlPlane makes one that has been up for long.
func (a *azure) makeControlPlane() {
	a.t.Helper()
	plane := a.object(a.flavor.Kinds().ControlPlane, clusterName)
	if a.flavor == managed {
		plane.Object["spec"] = map[string]any{"location": "westeurope", "resourceGroupName": "rg", "subscriptionID": "0", "version": "v1.34.2", "identityRef": map[string]any{"kind": "AzureClusterIdentity", "name": "id"}}
		a.createWithStatus(plane, map[string]any{"ready": true, "initialized": true, "version": "v1.34.2"})
		return
	}
	kind := a.flavor.Kinds().Related[0]
	plane.Object["spec"] = map[string]any{"version": "v1.34.2", "resources": []any{map[string]any{
		"apiVersion": kind.GroupVersion().String(), "kind": kind.Kind, "metadata": map[string]any{"name": clusterName},
		"spec": map[string]any{"location": "westeurope", "owner": map[string]any{"name": "rg"}},
	}}}
	a.createWithStatus(plane, map[string]any{"ready": true, "initialized": true, "version": "v1.34.2"})
	a.createWithStatus(a.object(kind, clusterName), map[string]any{
		"id":       "/subscriptions/0/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/prod",
		"location": "westeurope", "currentKubernetesVersion": "1.34.2",
		"conditions": []any{map[string]any{"type": "Ready", "status": "True", "observedGeneration": int64(1)}},
	})
}

func (a *azure) object(kind schema.GroupVersionKind, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(kind)
	u.SetName(name)
	u.SetNamespace(a.namespace)
	return u
}

func (a *azure) createWithStatus(u *unstructured.Unstructured, status map[string]any) {
	a.t.Helper()
	create(a.t, u)
	a.setStatus(u, status)
}

func (a *azure) setStatus(u *unstructured.Unstructured, status map[string]any) {
	a.t.Helper()
	u.Object["status"] = status
	if err := server.Status().Update(a.t.Context(), u); err != nil {
		a.t.Fatal(err)
	}
}

func kubeconfig(t *testing.T, address string) []byte {
	t.Helper()
	out, err := clientcmd.Write(clientcmdapi.Config{
		CurrentContext: "c",
		Contexts:       map[string]*clientcmdapi.Context{"c": {Cluster: "c", AuthInfo: "c"}},
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: address}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"c": {}},
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

// clean takes away what other stories would see; it outlives the test's own
// context.
func (a *azure) clean() {
	a.op.reconciler.drains.close()
	ctx := context.WithoutCancel(a.t.Context())
	_ = server.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(a.namespace), client.GracePeriodSeconds(0))
	_ = server.DeleteAllOf(ctx, &corev1.Node{}, client.MatchingLabels{"story": a.namespace})
	_ = server.DeleteAllOf(ctx, &fleetwrightv1.Freeze{}, client.InNamespace(a.namespace))
}

func (a *azure) cluster() types.NamespacedName {
	return types.NamespacedName{Namespace: a.namespace, Name: clusterName}
}

// key is the Nodepool's that a story is about, if it is about one.
func (a *azure) key() types.NamespacedName { return a.keyOf("general") }

func (a *azure) keyOf(base string) types.NamespacedName {
	return types.NamespacedName{Namespace: a.namespace, Name: clusterName + "-" + base}
}

// nodepool makes the Nodepool, with two nodes unless change says otherwise.
func (a *azure) nodepool(machineType string, change ...func(*fleetwrightv1.NodepoolSpec)) *fleetwrightv1.Nodepool {
	a.t.Helper()
	return a.nodepoolCalled("general", machineType, change...)
}

func (a *azure) nodepoolCalled(base, machineType string, change ...func(*fleetwrightv1.NodepoolSpec)) *fleetwrightv1.Nodepool {
	a.t.Helper()
	np := &fleetwrightv1.Nodepool{
		ObjectMeta: metav1.ObjectMeta{Name: a.keyOf(base).Name, Namespace: a.namespace},
		Spec: fleetwrightv1.NodepoolSpec{
			ClusterName: clusterName, MachineType: machineType, Replicas: new(int32(2)),
			Replacement: fleetwrightv1.ReplacementPolicy{MinReadySeconds: new(int32)},
		},
	}
	for _, do := range change {
		do(&np.Spec)
	}
	create(a.t, np)
	return np
}

// running makes the Nodepool together with a pool that has served it for long.
func (a *azure) running(machineType string, change ...func(*fleetwrightv1.NodepoolSpec)) *fleetwrightv1.Nodepool {
	a.t.Helper()
	return a.runningCalled("general", machineType, change...)
}

func (a *azure) runningCalled(base, machineType string, change ...func(*fleetwrightv1.NodepoolSpec)) *fleetwrightv1.Nodepool {
	a.t.Helper()
	np := a.nodepoolCalled(base, machineType, change...)
	spec := wantedSpec(np.Spec)
	spec.Version = "v1.34.2"
	replicas := int32(2)
	if spec.Replicas != nil {
		replicas = *spec.Replicas
	}
	err := capi.CreatePool(a.t.Context(), server, server, a.cluster(), capi.NewPool{
		Object: np.Name + "-old", Name: a.poolName(base), Nodepool: np.Name, NodepoolUID: string(np.UID), BaseName: base,
		Fingerprint: "1:" + base, Spec: spec, Replicas: replicas, Started: a.clock.Now(),
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.appear(np.Name + "-old")
	for !a.made(np.Name + "-old") {
		a.step()
	}
	a.pass(time.Hour)
	return np
}

// poolName is the name of a pool made by people, in no other cluster.
func (a *azure) poolName(base string) string {
	return base[:min(len(base), 6)] + strings.TrimPrefix(a.namespace, "story-")
}

// change writes to a Nodepool's spec.
func (a *azure) change(do func(*fleetwrightv1.NodepoolSpec)) {
	a.t.Helper()
	a.changeOf("general", do)
}

func (a *azure) changeOf(base string, do func(*fleetwrightv1.NodepoolSpec)) {
	a.t.Helper()
	np := a.get(base)
	do(&np.Spec)
	if err := server.Update(a.t.Context(), np); err != nil {
		a.t.Fatal(err)
	}
}

func (a *azure) get(base string) *fleetwrightv1.Nodepool {
	a.t.Helper()
	var np fleetwrightv1.Nodepool
	if err := server.Get(a.t.Context(), a.keyOf(base), &np); err != nil {
		a.t.Fatal(err)
	}
	return &np
}

func machine(name string) func(*fleetwrightv1.NodepoolSpec) {
	return func(s *fleetwrightv1.NodepoolSpec) { s.MachineType = name }
}

func replicas(n int32) func(*fleetwrightv1.NodepoolSpec) {
	return func(s *fleetwrightv1.NodepoolSpec) { s.Replicas = &n }
}

func (a *azure) pass(d time.Duration) { a.clock.SetTime(a.clock.Now().Add(d)) }
