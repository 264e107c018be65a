package v1alpha1_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

const (
	registryID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr/providers/Microsoft.ContainerRegistry/registries/"
	zoneID     = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/dnsZones/example.org"
)

const aWindow = `{type: aksManagedAutoUpgradeSchedule, window: {schedule: {weekly: {intervalWeeks: 2, dayOfWeek: Sunday}}, startTime: "01:00", durationHours: 4}}`

func additionalConfig(t *testing.T, name, spec string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "fleetwright.io/v1alpha1", "kind": "AzureClusterAdditionalConfig", "metadata": map[string]any{"name": name, "namespace": "default"},
	}}
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatal(err)
	}
	object.Object["spec"] = fields
	return object
}

func TestAzureClusterAdditionalConfigAdmission(t *testing.T) {
	const (
		once  = "spec.registries: a registry must be named only once"
		check = "spec.roleAssignments[0]: pullCheck needs a registry as scope"
	)
	for name, test := range map[string]struct {
		spec string
		want []string // field: sentence; empty: accepted
	}{
		"the least": {spec: "clusterName: c1"},
		"everything": {spec: `
clusterName: c1
registries: [{name: shared, id: ` + registryID + `shared1, pullCheck: {image: "probe/pause:3.10"}}, {name: team, id: ` + registryID + `team1}]
roleAssignments:
- {name: dns, scope: ` + zoneID + `, role: {name: DNS Zone Contributor}, principal: {clusterIdentity: ControlPlane}, existingPolicy: Report}
- {name: acr, scope: ` + registryID + `other1, role: {name: AcrPull}, principal: {clusterIdentity: Kubelet}, pullCheck: {image: pause}}
autoscaler: {expander: least-waste, scaleDownUtilizationThresholdPercent: 65}
maintenanceConfigurations: [{type: default, window: {schedule: {weekly: {intervalWeeks: 1, dayOfWeek: Sunday}}, startTime: "01:00", durationHours: 4}}]
driftPolicy: Report
reconcile: NonDisruptive
deletionPolicy: Retain`},
		"nothing":      {spec: "{}", want: []string{"spec.clusterName: Required value"}},
		"another name": {spec: "clusterName: c2", want: []string{"<nil>: name must equal spec.clusterName: one AzureClusterAdditionalConfig per cluster"}},
		"an empty autoscaler": {
			spec: "clusterName: c1\nautoscaler: {}", want: []string{
				"spec.autoscaler: spec.autoscaler in body should have at least 1 properties",
				`<nil>: "spec.autoscaler" must validate all the schemas (allOf). None validated`,
			},
		},
		"a registry twice": {
			spec: "clusterName: c1\nregistries: [{name: a, id: " + registryID + "shared1}, {name: b, id: " + registryID + "SHARED1}]", want: []string{once},
		},
		"two registries of one name": {
			spec: "clusterName: c1\nregistries: [{name: a, id: " + registryID + "shared1}, {name: a, id: " + registryID + "team1}]",
			want: []string{`spec.registries[1]: Duplicate value: {"name":"a"}`},
		},
		"no registry": {
			spec: "clusterName: c1\nregistries: [{name: a, id: " + zoneID + "}]",
			want: []string{`spec.registries[0].id: spec.registries[0].id in body should match '^/[sS]ubscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/[rR]esource[gG]roups/[^/?#%\\\s]+/providers/[mM]icrosoft[.][cC]ontainer[rR]egistry/registries/[A-Za-z0-9]{5,50}$'`},
		},
		"two windows of one type": {
			spec: "clusterName: c1\nmaintenanceConfigurations: [" + aWindow + ", " + aWindow + "]",
			want: []string{`spec.maintenanceConfigurations[1]: Duplicate value: {"type":"aksManagedAutoUpgradeSchedule"}`},
		},
		"pullCheck without a registry": {
			spec: "clusterName: c1\nroleAssignments: [{name: dns, scope: " + zoneID + ", role: {name: Reader}, principal: {clusterIdentity: Kubelet}, pullCheck: {image: pause}}]",
			want: []string{check},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := server.Create(t.Context(), additionalConfig(t, "c1", test.spec), client.DryRunAll)
			if diff := cmp.Diff(test.want, refusals(t, err)); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAzureClusterAdditionalConfigStaysWithItsCluster(t *testing.T) {
	object := additionalConfig(t, "c1", "clusterName: c1")
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	set(t, object, "c2", "spec", "clusterName")
	want := []string{
		"<nil>: name must equal spec.clusterName: one AzureClusterAdditionalConfig per cluster",
		"spec.clusterName: clusterName is immutable: create another AzureClusterAdditionalConfig",
	}
	if diff := cmp.Diff(want, refusals(t, server.Update(t.Context(), object))); diff != "" {
		t.Errorf("refused differently (-want +got):\n%s", diff)
	}
}
