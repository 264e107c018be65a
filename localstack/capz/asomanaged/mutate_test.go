package asomanaged

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

func managed(spec map[string]any) *found {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	object.SetGroupVersionKind(asospec.ManagedCluster.GroupVersionKind())
	return &found{object, "spec.resources[1]"}
}

func cluster() *clusterv1.Cluster {
	c := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "demo"}}
	c.Spec.ClusterNetwork.Services.CIDRBlocks = []string{"192.168.0.0/16", "fd00::/108"}
	return c
}

func TestRangesComeFromTheCluster(t *testing.T) {
	resource := managed(map[string]any{"networkProfile": map[string]any{"networkPlugin": "azure"}})
	if err := setRanges(resource, cluster()); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"networkPlugin": "azure", "serviceCidr": "192.168.0.0/16"}
	if diff := cmp.Diff(want, resource.Object["spec"].(map[string]any)["networkProfile"]); diff != "" {
		t.Errorf("networkProfile (-want +got):\n%s", diff)
	}
}

func TestAnotherWordThanClusterAPIsIsRefusedInCAPZsWords(t *testing.T) {
	resource := managed(map[string]any{"networkProfile": map[string]any{"serviceCidr": "10.0.0.0/16"}})
	err := setRanges(resource, cluster())
	want := "incompatible value: value at spec.resources[1].spec.networkProfile.serviceCidr set by user to 10.0.0.0/16 but CAPZ must set it to 192.168.0.0/16 " +
		"because spec.clusterNetwork.services.cidrBlocks[0] in Cluster team/demo is set to 192.168.0.0/16. " +
		"The user-defined value must not be defined, or must match CAPZ's desired value."
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPoolsAreNotTheClustersToDescribe(t *testing.T) {
	resource := managed(map[string]any{"agentPoolProfiles": []any{map[string]any{"name": "pool1"}}})
	err := setFirstPools(t.Context(), nil, resource, cluster())
	if err == nil || !strings.Contains(err.Error(), "value at spec.resources[1].spec.agentPoolProfiles set by user to <slice of length 1> but CAPZ must set it to nil") {
		t.Errorf("got %v", err)
	}
}

func TestKubeconfigsGoWhereTheUserWants(t *testing.T) {
	ours := map[string]any{"adminCredentials": map[string]any{"name": "demo-kubeconfig", "key": "value"}}
	theirs := map[string]any{"userCredentials": map[string]any{"name": "mine", "key": "kubeconfig"}}
	for name, test := range map[string]struct{ have, want map[string]any }{
		"nowhere yet": {nil, ours},
		"elsewhere":   {theirs, theirs},
	} {
		t.Run(name, func(t *testing.T) {
			spec := map[string]any{}
			if test.have != nil {
				spec["operatorSpec"] = map[string]any{"secrets": test.have}
			}
			resource := managed(spec)
			if err := setCredentials(resource, cluster()); err != nil {
				t.Fatal(err)
			}
			got, _, _ := unstructured.NestedMap(resource.Object, "spec", "operatorSpec", "secrets")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoScales(t *testing.T) {
	const annotation = clusterv1.ReplicasManagedByAnnotation
	for name, test := range map[string]struct {
		autoscaling bool
		have, want  map[string]string
		refused     bool
	}{
		"AKS begins":            {autoscaling: true, want: map[string]string{annotation: "aks"}},
		"AKS goes on":           {autoscaling: true, have: map[string]string{annotation: "aks"}, want: map[string]string{annotation: "aks"}},
		"AKS ends":              {have: map[string]string{annotation: "aks"}, want: map[string]string{}},
		"somebody else does":    {have: map[string]string{annotation: "other"}, want: map[string]string{annotation: "other"}},
		"both is not possible":  {autoscaling: true, have: map[string]string{annotation: "other"}, refused: true},
		"nobody but the person": {},
	} {
		t.Run(name, func(t *testing.T) {
			machinePool := &clusterv1.MachinePool{ObjectMeta: metav1.ObjectMeta{Name: "pool", Annotations: test.have}}
			err := sayWhoScales(managed(map[string]any{"enableAutoScaling": test.autoscaling}), machinePool)
			if test.refused {
				if err == nil || !strings.HasPrefix(err.Error(), "failed to enable autoscaling, replicas are already being managed by other") {
					t.Fatalf("got %v", err)
				}
				return
			}
			if diff := cmp.Diff(test.want, machinePool.Annotations); err != nil || diff != "" {
				t.Errorf("%v, annotations (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestAPausedResourceMustNotBeManaged(t *testing.T) {
	resource := managed(map[string]any{})
	if err := paused([]*unstructured.Unstructured{resource.Unstructured}); err != nil || resource.GetAnnotations()[policyAnnotation] != "skip" {
		t.Errorf("%v, annotations %v", err, resource.GetAnnotations())
	}
	resource.SetAnnotations(map[string]string{policyAnnotation: "manage"})
	err := paused([]*unstructured.Unstructured{resource.Unstructured})
	if err == nil || !strings.Contains(err.Error(), "set by user to manage but CAPZ must set it to skip because the CAPZ resource is paused") {
		t.Errorf("got %v", err)
	}
}

func TestPoolsInsideTheirCluster(t *testing.T) {
	pool := managed(map[string]any{
		"azureName": "pool1", "owner": map[string]any{"name": "demo"}, "operatorSpec": map[string]any{}, "count": int64(2), "mode": "System",
	})
	want := map[string]any{"name": "pool1", "count": int64(2), "mode": "System"}
	if diff := cmp.Diff(want, profile(pool)); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
}

func TestKindsThatWereMadeAreRemembered(t *testing.T) {
	owner := &infrav1.AzureASOManagedCluster{}
	group, cluster := asospec.ResourceGroup.GroupVersionKind(), asospec.ManagedCluster.GroupVersionKind()
	remember(owner, []infrav1.ResourceStatus{status(group, "one", true), status(group, "two", false), status(cluster, "demo", false)})
	got := owner.Annotations[ownedKinds]
	if want := "ResourceGroup.v1api20200601.resources.azure.com;ManagedCluster.v1api20250801.containerservice.azure.com"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	kinds, err := parseKinds(got)
	if err != nil || len(kinds) != 2 || kinds[0] != group || kinds[1] != cluster {
		t.Errorf("read again: %v, %v", kinds, err)
	}
	remember(owner, nil)
	if _, still := owner.Annotations[ownedKinds]; still || owner.Status.Resources != nil {
		t.Errorf("nothing is left, but %v, %v", owner.Annotations, owner.Status.Resources)
	}
	if _, err := parseKinds("ResourceGroup"); err == nil {
		t.Error("a kind without its group was accepted")
	}
}

func TestReadyIsAboutThePresentSpec(t *testing.T) {
	for name, test := range map[string]struct {
		status   string
		observed int64
		want     bool
	}{
		"ready":            {"True", 2, true},
		"not ready":        {"False", 2, false},
		"of an older spec": {"True", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			object := managed(nil).Unstructured
			object.SetGeneration(2)
			object.Object["status"] = map[string]any{"conditions": []any{
				map[string]any{"type": "Ready", "status": test.status, "observedGeneration": test.observed},
			}}
			if got := isReady(object); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
	if isReady(managed(nil).Unstructured) {
		t.Error("ready without a condition")
	}
}

func TestResourcesThatAreNoObjectsAreRefused(t *testing.T) {
	if _, err := mutated([]runtime.RawExtension{{Raw: []byte(`{"kind":"ManagedCluster"`)}}); err == nil || !strings.Contains(err.Error(), "failed to unmarshal resource JSON") {
		t.Errorf("got %v", err)
	}
}
