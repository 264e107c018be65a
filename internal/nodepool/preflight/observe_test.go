package preflight

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// TestObserveOnARealServer reads what a kube-apiserver admitted and defaulted, by node and from one list of all.
func TestObserveOnARealServer(t *testing.T) {
	config := testkit.APIServer(t)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	one := term("topology.kubernetes.io/zone", "In", "eu-1")
	storage := boundClaim("data", corev1.ReadWriteOnce, one)
	complete(storage)
	create(t, client, objects(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, storage, node("old-1"),
		newPod("db-0", "StatefulSet/db", claim("data"), grace(45)), newPod("db-1", "StatefulSet/db", on("new-1"), claim("data")),
		newPod("web-1", "Deployment/web", selects("agentpool", "blue")), budget("web", "web", 0, 1, 1, 1),
	)...)
	refs := []drain.NodeRef{{Name: "old-1"}}
	want := func(r Report) {
		t.Helper()
		check(t, 2, r.PodsToMove)
		check(t, map[string]int{"eu-1": 1}, r.ZonesNeeded)
		check(t, []BlockedBudget{{
			Budget: "shop/web", Workload: Workload{Namespace: "shop", Kind: "Deployment", Name: "web"}, Pods: 1, Never: true,
			Message: "PodDisruptionBudget shop/web can never allow a disruption: 1 expected, 1 needed",
		}}, r.Budgets.Items)
		check(t, []string{"Deployment shop/web"}, []string{r.Selectors.Items[0].Workload.String()})
		check(t, db, r.Longest.Workload)
		check(t, "45s", r.Longest.Grace.String())
	}
	snapshot, err := Observe(t.Context(), client, refs, drain.Policy{})
	if err != nil {
		t.Fatalf("Observe() = %v", err)
	}
	want(Look(snapshot, drain.Policy{}, noon))

	for i := range few {
		refs = append(refs, drain.NodeRef{Name: fmt.Sprintf("gone-%d", i)})
	}
	many, err := Observe(t.Context(), client, refs, drain.Policy{})
	if err != nil {
		t.Fatalf("Observe() of many nodes = %v", err)
	}
	want(Look(many, drain.Policy{}, noon))
	if diff := cmp.Diff(snapshot.Facts, many.Facts, cmpopts.SortSlices(func(a, b PodFacts) bool { return a.Pod.Name < b.Pod.Name })); diff != "" {
		t.Errorf("facts by node and from the list of all differ (-few +many):\n%s", diff)
	}
}

// complete adds to a volume and its claim what a server insists on.
func complete(storage []runtime.Object) {
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	volume, claim := storage[0].(*corev1.PersistentVolume), storage[1].(*corev1.PersistentVolumeClaim)
	volume.Spec.Capacity, volume.Spec.AccessModes = size, claim.Spec.AccessModes
	volume.Spec.CSI = &corev1.CSIPersistentVolumeSource{Driver: "disk.csi.azure.com", VolumeHandle: "x"}
	claim.Spec.Resources.Requests = size
}

// create writes the objects and, for pods and budgets, their status.
func create(t *testing.T, client kubernetes.Interface, all ...runtime.Object) {
	t.Helper()
	for _, object := range all {
		var err error
		switch o := object.(type) {
		case *corev1.Namespace:
			_, err = client.CoreV1().Namespaces().Create(t.Context(), o, metav1.CreateOptions{})
		case *corev1.Node:
			_, err = client.CoreV1().Nodes().Create(t.Context(), o, metav1.CreateOptions{})
		case *corev1.PersistentVolume:
			_, err = client.CoreV1().PersistentVolumes().Create(t.Context(), o, metav1.CreateOptions{})
		case *corev1.PersistentVolumeClaim:
			_, err = client.CoreV1().PersistentVolumeClaims(o.Namespace).Create(t.Context(), o, metav1.CreateOptions{})
		case *policyv1.PodDisruptionBudget:
			err = createBudget(t, client, o)
		case *corev1.Pod:
			err = createPod(t, client, o)
		}
		if err != nil {
			t.Fatalf("create %T: %v", object, err)
		}
	}
}

func createBudget(t *testing.T, client kubernetes.Interface, budget *policyv1.PodDisruptionBudget) error {
	t.Helper()
	budgets := client.PolicyV1().PodDisruptionBudgets(budget.Namespace)
	created, err := budgets.Create(t.Context(), budget, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	created.Status = budget.Status
	created.Status.ObservedGeneration = created.Generation
	_, err = budgets.UpdateStatus(t.Context(), created, metav1.UpdateOptions{})
	return err
}

func createPod(t *testing.T, client kubernetes.Interface, pod *corev1.Pod) error {
	t.Helper()
	pod.Spec.Containers = []corev1.Container{{Name: "app", Image: "app"}}
	pods := client.CoreV1().Pods(pod.Namespace)
	created, err := pods.Create(t.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	created.Status = pod.Status
	_, err = pods.UpdateStatus(t.Context(), created, metav1.UpdateOptions{})
	return err
}

func TestObserveIsWholeOrNothing(t *testing.T) {
	for _, resource := range []string{"pods", "deployments", "persistentvolumeclaims", "persistentvolumes", "poddisruptionbudgets"} {
		t.Run(resource, func(t *testing.T) {
			world := objects(
				boundClaim("data", corev1.ReadWriteOnce), node("old-1"), deployment("cart", 1, 1), newPod("cart-1", "Deployment/cart", claim("data")),
			)
			client := fake.NewClientset(world...)
			forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", nil)
			client.PrependReactor("*", resource, func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, forbidden })
			got, err := Observe(t.Context(), client, []drain.NodeRef{{Name: "old-1"}}, drain.Policy{})
			if !apierrors.IsForbidden(err) {
				t.Errorf("Observe() = %v, want forbidden", err)
			}
			if diff := cmp.Diff(Snapshot{}, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Snapshot{})); diff != "" {
				t.Errorf("Observe() knows something in spite of an error:\n%s", diff)
			}
		})
	}
}

func TestObserveReadsManyNamespacesAndVolumesInOneList(t *testing.T) {
	world := objects(node("old-1"))
	for i := range few + 1 {
		name, namespace := fmt.Sprintf("data-%d", i), fmt.Sprintf("team-%d", i)
		pod := newPod(name, "Deployment/"+name, claim(name))
		part := objects(deployment(name, 1, 1), boundClaim(name, corev1.ReadWriteOnce, term("topology.kubernetes.io/zone", "In", "eu-1")), pod)
		for _, object := range part {
			switch o := object.(type) {
			case *corev1.Pod:
				o.Namespace = namespace
			case *corev1.PersistentVolumeClaim:
				o.Namespace = namespace
			case *appsv1.ReplicaSet:
				o.Namespace = namespace
			case *appsv1.Deployment:
				o.Namespace = namespace
			}
		}
		world = append(world, part...)
	}
	client := fake.NewClientset(world...)
	got, err := Observe(t.Context(), client, []drain.NodeRef{{Name: "old-1"}}, drain.Policy{})
	if err != nil {
		t.Fatalf("Observe() = %v", err)
	}
	r := Look(got, drain.Policy{}, noon)
	check(t, map[string]int{"eu-1": few + 1}, r.ZonesNeeded)
	check(t, few+1, r.Singletons.Total)
	requests := map[string]int{}
	for _, action := range client.Actions() {
		requests[action.GetVerb()+" "+action.GetResource().Resource]++
	}
	check(t, []int{1, 1, 1, 1, 0}, []int{
		requests["list pods"], requests["list deployments"], requests["list persistentvolumeclaims"], requests["list persistentvolumes"], requests["get persistentvolumes"],
	})
}
