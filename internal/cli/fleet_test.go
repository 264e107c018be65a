package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/cli"
	"github.com/fleetwright/fleetwright/internal/nodepool"
	"github.com/fleetwright/fleetwright/internal/workload"
)

const clusterName = "prod"

// fleet is a namespace with one cluster, and the plugin that looks at it.
type fleet struct {
	t          *testing.T
	namespace  string
	kubeconfig string
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "cli-"}}
	create(t, ns)
	f := &fleet{t: t, namespace: ns.Name}
	f.kubeconfig = f.write("kubeconfig", string(kubeconfig(t, serverConfig.Host)))
	withoutAzure(t)
	reference := clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: "AzureManagedControlPlane", Name: clusterName}
	infra := reference
	infra.Kind = "AzureManagedCluster"
	create(t, &clusterv1.Cluster{
		ObjectMeta: metav1.ObjectMeta{Name: clusterName, Namespace: f.namespace},
		Spec:       clusterv1.ClusterSpec{InfrastructureRef: infra, ControlPlaneRef: reference},
	})
	plane := &unstructured.Unstructured{}
	plane.SetGroupVersionKind(capi.AzureManaged{}.Kinds().ControlPlane)
	plane.SetName(clusterName)
	plane.SetNamespace(f.namespace)
	plane.Object["spec"] = map[string]any{"location": "westeurope", "resourceGroupName": "rg", "subscriptionID": "0", "version": "v1.34.2", "identityRef": map[string]any{"kind": "AzureClusterIdentity", "name": "id"}}
	create(t, plane)
	plane.Object["status"] = map[string]any{"ready": true, "initialized": true, "version": "v1.34.2"}
	if err := server.Status().Update(t.Context(), plane); err != nil {
		t.Fatal(err)
	}
	create(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: clusterName + "-kubeconfig", Namespace: f.namespace},
		Data:       map[string][]byte{"value": kubeconfig(t, serverConfig.Host)},
	})
	t.Cleanup(func() {
		_ = server.DeleteAllOf(context.WithoutCancel(t.Context()), &corev1.Node{}, client.MatchingLabels{"fleet": f.namespace})
	})
	return f
}

// withoutAzure takes from the environment what could be credentials, the Azure CLI included.
func withoutAzure(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "KUBECONFIG"} {
		t.Setenv(name, "")
	}
	t.Setenv("PATH", t.TempDir())
	t.Setenv("HOME", t.TempDir())
}

func kubeconfig(t *testing.T, host string) []byte {
	t.Helper()
	out, err := clientcmd.Write(clientcmdapi.Config{
		CurrentContext: "c",
		Contexts:       map[string]*clientcmdapi.Context{"c": {Cluster: "c", AuthInfo: "c"}},
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: host, CertificateAuthorityData: serverConfig.CAData}},
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

// write makes a file and returns its path.
func (f *fleet) write(name, content string) string {
	f.t.Helper()
	path := filepath.Join(f.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
	return path
}

// answer is what the plugin printed, and its exit code.
type answer struct {
	code     int
	out, err string
}

// run is the plugin as a person types it, in the fleet's namespace.
func (f *fleet) run(args ...string) answer { return f.runWith("", args...) }

func (f *fleet) runWith(input string, args ...string) answer {
	f.t.Helper()
	var out, errOut bytes.Buffer
	streams := genericiooptions.IOStreams{In: strings.NewReader(input), Out: &out, ErrOut: &errOut}
	code := cli.Run(f.t.Context(), cli.New(streams), append([]string{"--kubeconfig", f.kubeconfig, "--namespace", f.namespace}, args...))
	return answer{code, out.String(), errOut.String()}
}

// expect fails unless the exit code is this one and the text holds all of the words.
func (a answer) expect(t *testing.T, code int, text string, words ...string) {
	t.Helper()
	if a.code != code {
		t.Errorf("exit code %d, want %d\n%s\n%s", a.code, code, a.out, a.err)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("missing %q in:\n%s\n(stdout)\n%s\n(stderr)\n%s", word, text, a.out, a.err)
		}
	}
}

func (f *fleet) key() types.NamespacedName {
	return types.NamespacedName{Namespace: f.namespace, Name: clusterName + "-general"}
}

// serving makes a Nodepool of two nodes and lets the operator and Azure work until it is as wanted.
func (f *fleet) serving() {
	f.t.Helper()
	create(f.t, &fleetwrightv1.Nodepool{
		ObjectMeta: metav1.ObjectMeta{Name: f.key().Name, Namespace: f.namespace},
		Spec: fleetwrightv1.NodepoolSpec{
			ClusterName: clusterName, MachineType: "D4", Replicas: new(int32(2)), Tags: map[string]string{"owner": "shop"},
			Replacement: fleetwrightv1.ReplacementPolicy{MinReadySeconds: new(int32)},
		},
	})
	r := &nodepool.Reconciler{
		Client: server, Live: server, Clusters: workload.New(server, "test", clock.RealClock{}),
		Recorder: events.NewFakeRecorder(1000), Clock: clock.RealClock{},
	}
	np := &fleetwrightv1.Nodepool{}
	for range 20 {
		if err := server.Get(f.t.Context(), f.key(), np); err != nil {
			f.t.Fatal(err)
		}
		if meta.IsStatusConditionTrue(np.Status.Conditions, fleetwrightv1.ConditionUpToDate) {
			return
		}
		if _, err := r.Reconcile(f.t.Context(), np); err != nil {
			f.t.Fatal(err)
		}
		for _, infra := range f.infraPools() {
			f.provision(&infra)
		}
	}
	f.t.Fatalf("the Nodepool did not come up: %+v", np.Status.Conditions)
}

func (f *fleet) infraPools() []unstructured.Unstructured {
	f.t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(capi.AzureManaged{}.Kinds().Pool)
	if err := server.List(f.t.Context(), list, client.InNamespace(f.namespace)); err != nil {
		f.t.Fatal(err)
	}
	return list.Items
}

// provision does what Azure, CAPZ and two kubelets do.
func (f *fleet) provision(infra *unstructured.Unstructured) {
	f.t.Helper()
	pool, _, _ := unstructured.NestedString(infra.Object, "spec", "name")
	var ids []any
	for n := range 2 {
		ids = append(ids, f.node(pool, n))
	}
	if err := unstructured.SetNestedSlice(infra.Object, ids, "spec", "providerIDList"); err != nil {
		f.t.Fatal(err)
	}
	if err := server.Update(f.t.Context(), infra); err != nil {
		f.t.Fatal(err)
	}
	infra.Object["status"] = map[string]any{"ready": true, "replicas": int64(2), "conditions": []any{
		map[string]any{"type": "AgentPoolsReady", "status": "True", "lastTransitionTime": "2026-11-23T08:00:00Z"},
	}}
	if err := server.Status().Update(f.t.Context(), infra); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) nodeName(n int) string { return fmt.Sprintf("%s-%d", f.namespace, n) }

func (f *fleet) node(pool string, n int) string {
	f.t.Helper()
	id := fmt.Sprintf("azure:///subscriptions/0/resourceGroups/mc_%s/providers/Microsoft.Compute/virtualMachineScaleSets/aks-%s-02118794-vmss/virtualMachines/%d", f.namespace, pool, n)
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: f.nodeName(n), Labels: map[string]string{"kubernetes.azure.com/agentpool": pool, "fleet": f.namespace}},
		Spec:       corev1.NodeSpec{ProviderID: id},
	}
	if err := client.IgnoreAlreadyExists(server.Create(f.t.Context(), node)); err != nil {
		f.t.Fatal(err)
	}
	if node.ResourceVersion == "" {
		return id
	}
	node.Status.NodeInfo.KubeletVersion = "v1.34.2"
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}}
	if err := server.Status().Update(f.t.Context(), node); err != nil {
		f.t.Fatal(err)
	}
	return id
}

// workload is a ReplicaSet with ready pods on the nodes in turn.
func (f *fleet) workload(name string, pods int) {
	f.t.Helper()
	labels := map[string]string{"app": name}
	template := corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: name}}}
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: f.namespace},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: new(int32(pods)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: template},
		},
	}
	create(f.t, set)
	owner := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: name, UID: set.UID, Controller: new(true)}
	for n := range pods {
		spec := template
		spec.NodeName = f.nodeName(n % 2)
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", name, n), Namespace: f.namespace, Labels: labels, OwnerReferences: []metav1.OwnerReference{owner}},
			Spec:       spec,
		}
		create(f.t, pod)
		pod.Status.Phase = corev1.PodRunning
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		if err := server.Status().Update(f.t.Context(), pod); err != nil {
			f.t.Fatal(err)
		}
	}
}

// neverBudget is a PodDisruptionBudget that never lets a pod of the workload go.
func (f *fleet) neverBudget(name string, pods int32) {
	f.t.Helper()
	none := intstr.FromInt32(0)
	budget := &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: f.namespace},
		Spec:       policyv1.PodDisruptionBudgetSpec{MaxUnavailable: &none, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}},
	}
	create(f.t, budget)
	budget.Status = policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, ExpectedPods: pods, CurrentHealthy: pods, DesiredHealthy: pods}
	if err := server.Status().Update(f.t.Context(), budget); err != nil {
		f.t.Fatal(err)
	}
}

// proposal is a Nodepool in a file, with more lines of its spec.
func (f *fleet) proposal(machineType string, more ...string) string {
	text := "apiVersion: fleetwright.io/v1alpha1\nkind: Nodepool\nmetadata:\n  name: prod-general\nspec:\n" +
		"  clusterName: prod\n  machineType: " + machineType + "\n  tags: {owner: shop}\n  replacement: {minReadySeconds: 0}\n"
	for _, line := range more {
		text += "  " + line + "\n"
	}
	return text
}

// screen is where a command prints that goes on.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
