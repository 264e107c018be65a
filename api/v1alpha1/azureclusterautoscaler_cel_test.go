package v1alpha1_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

const aksID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/c1"

func clusterAutoscaler(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "fleetwright.io/v1alpha1", "kind": "AzureClusterAutoscaler", "metadata": map[string]any{"name": "c1", "namespace": "default"},
	}}
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatal(err)
	}
	object.Object["spec"] = fields
	return object
}

func TestAzureClusterAutoscalerAdmission(t *testing.T) {
	const (
		delays  = "spec.profile: scaleDownDelayAfterDeleteSeconds must not be shorter than scanIntervalSeconds"
		minutes = "%s in body should be a multiple of 60"
	)
	profile := func(p string) string { return "clusterName: c1\nprofile: {" + p + "}" }
	field := func(name, sentence string) []string {
		return []string{"spec.profile." + name + ": " + strings.ReplaceAll(sentence, "%s", "spec.profile."+name)}
	}
	for name, test := range map[string]struct {
		spec string
		want []string // field: sentence; empty: accepted
	}{
		"the least": {spec: profile("expander: priority")},
		"everything": {spec: "managedClusterID: " + aksID + "\ndriftPolicy: Adopt\nreconcile: NonDisruptive\ndeletionPolicy: Retain\n" + profile(
			`balanceSimilarNodeGroups: Enabled, expander: least-waste, maxEmptyBulkDelete: 1000, maxGracefulTerminationSeconds: 0, maxNodeProvisionSeconds: 60,
			maxTotalUnreadyPercent: 0, newPodScaleUpDelaySeconds: 0, okTotalUnreadyCount: 0, scanIntervalSeconds: 3600, scaleDownDelayAfterAddSeconds: 0,
			scaleDownDelayAfterDeleteSeconds: 3600, scaleDownDelayAfterFailureSeconds: 0, scaleDownUnneededSeconds: 0, scaleDownUnreadySeconds: 2592000,
			scaleDownUtilizationThresholdPercent: 100, skipNodesWithLocalStorage: Disabled, skipNodesWithSystemPods: Enabled, ignoreDaemonsetsUtilization: Enabled,
			daemonsetEvictionForEmptyNodes: Enabled, daemonsetEvictionForOccupiedNodes: Disabled`)},
		"nothing": {spec: "{}", want: []string{"spec.clusterName: Required value", "spec.profile: Required value"}},
		"an empty profile": {spec: profile(""), want: []string{
			"spec.profile: spec.profile in body should have at least 1 properties",
			`<nil>: "spec.profile" must validate all the schemas (allOf). None validated`,
		}},
		"another name": {spec: "clusterName: c2\nprofile: {expander: random}", want: []string{"<nil>: name must equal spec.clusterName: one autoscaler profile per cluster"}},

		"a word that is none":    {spec: profile("expander: price"), want: field("expander", `Unsupported value: "price": supported values: "least-waste", "most-pods", "priority", "random"`)},
		"a boolean":              {spec: profile("skipNodesWithSystemPods: 'true'"), want: field("skipNodesWithSystemPods", `Unsupported value: "true": supported values: "Enabled", "Disabled"`)},
		"no nodes at once":       {spec: profile("maxEmptyBulkDelete: 0"), want: field("maxEmptyBulkDelete", "%s in body should be greater than or equal to 1")},
		"seconds of a minute":    {spec: profile("scaleDownUnneededSeconds: 90"), want: field("scaleDownUnneededSeconds", minutes)},
		"and of provisioning":    {spec: profile("maxNodeProvisionSeconds: 100"), want: field("maxNodeProvisionSeconds", minutes)},
		"and of growing":         {spec: profile("scaleDownDelayAfterAddSeconds: 61"), want: field("scaleDownDelayAfterAddSeconds", minutes)},
		"and of failing":         {spec: profile("scaleDownDelayAfterFailureSeconds: 1"), want: field("scaleDownDelayAfterFailureSeconds", minutes)},
		"and of being not ready": {spec: profile("scaleDownUnreadySeconds: 59"), want: field("scaleDownUnreadySeconds", minutes)},
		"too much of everything": {spec: profile("maxTotalUnreadyPercent: 101"), want: field("maxTotalUnreadyPercent", "%s in body should be less than or equal to 100")},
		"more than all":          {spec: profile("scaleDownUtilizationThresholdPercent: 101"), want: field("scaleDownUtilizationThresholdPercent", "%s in body should be less than or equal to 100")},
		"less than nothing":      {spec: profile("newPodScaleUpDelaySeconds: -1"), want: field("newPodScaleUpDelaySeconds", "%s in body should be greater than or equal to 0")},

		"C1 the same":              {spec: profile("scanIntervalSeconds: 20, scaleDownDelayAfterDeleteSeconds: 20")},
		"C1 only one":              {spec: profile("scanIntervalSeconds: 20")},
		"C1 only the other":        {spec: profile("scaleDownDelayAfterDeleteSeconds: 0")},
		"C1 shorter":               {spec: profile("scanIntervalSeconds: 20, scaleDownDelayAfterDeleteSeconds: 19"), want: []string{delays}},
		"an id of something else":  {spec: "managedClusterID: " + aksID + "/agentPools/blue\n" + profile("expander: random"), want: []string{"spec.managedClusterID: spec.managedClusterID in body should match '^/subscriptions/[^/]+/resource[gG]roups/[^/]+/providers/Microsoft[.]ContainerService/managedClusters/[^/]+$'"}},
		"a policy that is no such": {spec: "driftPolicy: Ignore\n" + profile("expander: random"), want: []string{`spec.driftPolicy: Unsupported value: "Ignore": supported values: "Heal", "Report", "Adopt"`}},
	} {
		t.Run(name, func(t *testing.T) {
			err := server.Create(t.Context(), clusterAutoscaler(t, test.spec), client.DryRunAll)
			if diff := cmp.Diff(test.want, refusals(t, err)); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAzureClusterAutoscalerCannotBeGivenAnotherCluster(t *testing.T) {
	object := clusterAutoscaler(t, "clusterName: c1\nprofile: {expander: random}\nmanagedClusterID: "+aksID)
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	const immutable = "spec: managedClusterID is immutable: create another AzureClusterAutoscaler"
	for name, test := range map[string]struct{ spec, want string }{
		"another id": {"clusterName: c1\nprofile: {expander: random}\nmanagedClusterID: " + aksID + "2", immutable},
		// With none, the next update could set another: the settings of the first cluster would never be given up.
		"none":      {"clusterName: c1\nprofile: {expander: random}", immutable},
		"a profile": {"clusterName: c1\nprofile: {expander: priority}\nmanagedClusterID: " + aksID, ""},
	} {
		t.Run(name, func(t *testing.T) {
			changed := object.DeepCopy()
			changed.Object["spec"] = clusterAutoscaler(t, test.spec).Object["spec"]
			var want []string
			if test.want != "" {
				want = []string{test.want}
			}
			if diff := cmp.Diff(want, refusals(t, server.Update(t.Context(), changed, client.DryRunAll))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An id that was not set at first may be set once.
func TestAzureClusterAutoscalerIsGivenAClusterOnce(t *testing.T) {
	object := clusterAutoscaler(t, "clusterName: c1\nprofile: {expander: random}")
	object.SetNamespace("kube-system")
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		id   string
		want []string
	}{
		{aksID, nil},
		{"", []string{"spec: managedClusterID is immutable: create another AzureClusterAutoscaler"}},
		{aksID + "2", []string{"spec: managedClusterID is immutable: create another AzureClusterAutoscaler"}},
	} {
		changed := object.DeepCopy()
		spec := map[string]any{"clusterName": "c1", "profile": map[string]any{"expander": "random"}}
		if test.id != "" {
			spec["managedClusterID"] = test.id
		}
		changed.Object["spec"] = spec
		err := server.Update(t.Context(), changed)
		if diff := cmp.Diff(test.want, refusals(t, err)); diff != "" {
			t.Errorf("with id %q (-want +got):\n%s", test.id, diff)
		}
		if err == nil {
			object = changed
		}
	}
}

// What Azure has is reported also where the spec could not ask for it: the rule about two settings is the spec's alone.
func TestAzureClusterAutoscalerStatusTakesWhatAzureHas(t *testing.T) {
	object := clusterAutoscaler(t, "clusterName: c1\nprofile: {expander: random}")
	object.SetNamespace("kube-public")
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	const path = "/apis/fleetwright.io/v1alpha1/namespaces/kube-public/azureclusterautoscalers/c1"
	before := []string{
		"Name=c1", "Cluster=c1", "Ready=<nil>", "Expander=<nil>", "Through=<nil>", "wide Threshold=<nil>", "wide Unneeded=<nil>", "wide Drift=<nil>",
	}
	if diff := cmp.Diff(before, columns(t, path)); diff != "" {
		t.Errorf("columns of a new one (-want +got):\n%s", diff)
	}
	drifts := []any{}
	for _, at := range []string{"2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"} {
		drifts = append(drifts, map[string]any{"time": at, "fields": []any{"expander"}, "outcome": "Healed"})
	}
	object.Object["status"] = map[string]any{
		"writtenThrough": "ARM", "driftHistory": drifts,
		"observed": map[string]any{
			"expander": "priority", "scanIntervalSeconds": int64(20), "scaleDownDelayAfterDeleteSeconds": int64(10), "scaleDownUnneededSeconds": int64(0),
			"scaleDownUtilizationThresholdPercent": int64(65),
		},
		"conditions": []any{map[string]any{"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2026-11-22T13:02:11Z"}},
	}
	if err := server.Status().Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	got := columns(t, path)
	after := []string{
		"Name=c1", "Cluster=c1", "Ready=True", "Expander=priority", "Through=ARM", "wide Threshold=65", "wide Unneeded=0", got[len(got)-1],
	}
	if diff := cmp.Diff(after, got); diff != "" || !strings.HasPrefix(got[len(got)-1], "wide Drift=") || strings.HasSuffix(got[len(got)-1], "<nil>") {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

// columns are what kubectl shows of an object, but for its age.
func columns(t *testing.T, path string) []string {
	t.Helper()
	table := &metav1.Table{}
	request := restClient.Get().AbsPath(path).SetHeader("Accept", "application/json;as=Table;g=meta.k8s.io;v=v1")
	if err := request.Do(t.Context()).Into(table); err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, column := range table.ColumnDefinitions {
		if column.Name == "Age" {
			continue
		}
		shown := fmt.Sprintf("%s=%v", column.Name, table.Rows[0].Cells[i])
		if column.Priority > 0 {
			shown = "wide " + shown
		}
		out = append(out, shown)
	}
	return out
}

func TestExampleOfAnAzureClusterAutoscaler(t *testing.T) {
	text, err := os.ReadFile("../../examples/cluster-autoscaler/profile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &object.Object); err != nil {
		t.Fatal(err)
	}
	object.SetNamespace("default")
	strict := client.WithFieldValidation(server, metav1.FieldValidationStrict)
	if err := strict.Create(t.Context(), object, client.DryRunAll); err != nil {
		t.Error(err)
	}
}
