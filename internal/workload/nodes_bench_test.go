package workload

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	testingclock "k8s.io/utils/clock/testing"
)

// BenchmarkNodes reads a cluster of 1,000 nodes. B/op is what one reading
// allocates, held-B what stays of it.
func BenchmarkNodes(b *testing.B) {
	server := httptest.NewServer(nodePages(b, 1000))
	defer server.Close()
	c := New(&secrets{value: kubeconfig(server.URL, `{"token":"a"}`)}, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	read := func() Reading {
		got, err := c.Nodes(b.Context(), cluster)
		if err != nil || len(got.Nodes) != 1000 {
			b.Fatalf("%d nodes, %v", len(got.Nodes), err)
		}
		return got
	}
	read() // has the server make its pages
	c.Forget(cluster)
	before := heap()
	b.ReportAllocs()
	b.ResetTimer()
	var kept Reading
	for range b.N {
		kept = read()
	}
	b.StopTimer()
	b.ReportMetric(float64(heap()-before), "held-B")
	runtime.KeepAlive(kept)
}

// nodePages answers as an API server does that has that many Nodes as AKS makes
// them, some 11 KB each.
func nodePages(b *testing.B, count int) http.Handler {
	b.Helper()
	encoder := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	pages := map[string][]byte{}
	page := func(from, limit int) []byte {
		list := corev1.NodeList{TypeMeta: metav1.TypeMeta{Kind: "NodeList", APIVersion: "v1"}}
		for i := from; i < min(from+limit, count); i++ {
			list.Items = append(list.Items, aksNode(i))
		}
		if from+limit < count {
			list.Continue = strconv.Itoa(from + limit)
		}
		var out strings.Builder
		if err := encoder.Encode(&list, &out); err != nil {
			b.Fatal(err)
		}
		return []byte(out.String())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if pages[r.URL.RawQuery] == nil {
			limit, _ := strconv.Atoi(query.Get("limit"))
			from, _ := strconv.Atoi(query.Get("continue"))
			pages[r.URL.RawQuery] = page(from, limit)
		}
		w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf")
		_, _ = w.Write(pages[r.URL.RawQuery])
	})
}

func aksNode(i int) corev1.Node {
	name := fmt.Sprintf("aks-general-12345678-vmss%06d", i)
	n := corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(fmt.Sprintf("0f2b7c1e-1234-4a5b-8c9d-%012d", i)), CreationTimestamp: metav1.Unix(1, 0),
			Labels: map[string]string{"kubernetes.azure.com/agentpool": "general", "topology.kubernetes.io/zone": "westeurope-1"},
			Annotations: map[string]string{
				"csi.volume.kubernetes.io/nodeid": `{"disk.csi.azure.com":"` + name + `","file.csi.azure.com":"` + name + `"}`,
			},
			ManagedFields: []metav1.ManagedFieldsEntry{
				{Manager: "kubelet", FieldsV1: metav1.NewFieldsV1(strings.Repeat(`{"f:status":{"f:conditions":{}}}`, 60))},
				{Manager: "cloud-node-manager", FieldsV1: metav1.NewFieldsV1(strings.Repeat(`{"f:metadata":{"f:labels":{}}}`, 30))},
			},
		},
		Spec: corev1.NodeSpec{ProviderID: "azure:///subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/mc_prod_prod_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets/aks-general-12345678-vmss/virtualMachines/" + strconv.Itoa(i)},
		Status: corev1.NodeStatus{
			Capacity: corev1.ResourceList{}, Allocatable: corev1.ResourceList{},
			NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v1.34.2", OSImage: "Ubuntu 24.04.3 LTS", ContainerRuntimeVersion: "containerd://2.0.0"},
		},
	}
	for l := range 30 {
		n.Labels[fmt.Sprintf("kubernetes.azure.com/label-number-%d", l)] = "some-value-of-it"
	}
	for _, r := range []corev1.ResourceName{"cpu", "memory", "pods", "ephemeral-storage", "hugepages-1Gi", "hugepages-2Mi"} {
		n.Status.Capacity[r], n.Status.Allocatable[r] = resource.MustParse("32Gi"), resource.MustParse("30Gi")
	}
	for c := range 14 {
		n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{
			Type: corev1.NodeConditionType(fmt.Sprintf("Problem%d", c)), Status: corev1.ConditionFalse, Reason: "NoProblem", Message: "the problem detector found nothing of that kind",
		})
	}
	n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Unix(60, 0)})
	for image := range 25 {
		n.Status.Images = append(n.Status.Images, corev1.ContainerImage{SizeBytes: 100 << 20, Names: []string{
			fmt.Sprintf("mcr.microsoft.com/oss/kubernetes/component-%d@sha256:%064d", image, image), fmt.Sprintf("mcr.microsoft.com/oss/kubernetes/component-%d:v1.34.2", image),
		}})
	}
	return n
}
