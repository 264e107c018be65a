package effective

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// class reads the template of a class platform/eu-v7.
func class(t *testing.T, template string) *fleetwrightv1.WorkloadClusterClass {
	t.Helper()
	out := &fleetwrightv1.WorkloadClusterClass{}
	out.Namespace, out.Name = "platform", "eu-v7"
	read(t, template, &out.Spec.Template)
	return out
}

// cluster reads the spec of a WorkloadCluster prod/c.
func cluster(t *testing.T, spec string) *fleetwrightv1.WorkloadCluster {
	t.Helper()
	out := &fleetwrightv1.WorkloadCluster{}
	out.Namespace, out.Name = "prod", "c"
	read(t, spec, &out.Spec)
	return out
}

func read(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

func merged(t *testing.T, classText, clusterText string) Effective {
	t.Helper()
	var c *fleetwrightv1.WorkloadClusterClass
	if classText != "" {
		c = class(t, classText)
	}
	e, err := Of(c, cluster(t, clusterText))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// said is the result as one line of JSON per value, with its source, without defaults and the names of pools.
func said(t *testing.T, e Effective) string {
	t.Helper()
	values, err := e.Values()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, v := range values {
		if v.Source == Default || (strings.HasPrefix(v.Path, "nodepools[") && strings.HasSuffix(v.Path, "].name")) {
			continue
		}
		text, err := json.Marshal(v.Value)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s = %s (%s)", v.Path, strings.Trim(string(text), `"`), v.Source))
	}
	return strings.Join(lines, "\n")
}

func TestRules(t *testing.T) {
	for name, c := range map[string]struct{ class, cluster, want string }{
		"without a class": {"", "version: v1.34.2", "version = v1.34.2 (cluster)"},
		"a scalar":        {"version: v1.33.1", "version: v1.34.2", "version = v1.34.2 (cluster)"},
		"versions begin with v": {
			"version: 1.34.2\nnodepools: [{name: a, spec: {version: 1.33.1}}]", "",
			"nodepools[a].spec.version = v1.33.1 (class nodepool)\nversion = v1.34.2 (class)",
		},
		"structs field by field": {
			"azure: {location: westeurope, tier: Free}", "azure: {tier: Standard, resourceGroup: rg}",
			"azure.location = westeurope (class)\nazure.resourceGroup = rg (cluster)\nazure.tier = Standard (cluster)",
		},
		"maps of strings key by key": {
			"azure: {tags: {team: a, cost/center: '1'}}", "azure: {tags: {team: b}}",
			"azure.tags[cost/center] = 1 (class)\nazure.tags.team = b (cluster)",
		},
		"overrides as a JSON merge patch": {
			"providerOverrides: {oidc: {enabled: true}, gone: {a: 1, b/c: 2}, list: [1, 2], large: 12345678901234567890}",
			"providerOverrides: {oidc: {issuer: x}, gone: null, list: [3], empty: {}}",
			"providerOverrides.empty = {} (cluster)\nproviderOverrides.large = 12345678901234567890 (class)\nproviderOverrides.list = [3] (cluster)\n" +
				"providerOverrides.oidc.enabled = true (class)\nproviderOverrides.oidc.issuer = x (cluster)",
		},
		"an object in the place of a scalar, and filled later": {
			"providerOverrides: {a: 1, b: {}, c: {d: 1}}", "providerOverrides: {a: {x: 1}, b: {w: 2}, c: 3}",
			"providerOverrides.a.x = 1 (cluster)\nproviderOverrides.b.w = 2 (cluster)\nproviderOverrides.c = 3 (cluster)",
		},
		"a reference is one value, and a class's own namespace is told": {
			"azure: {clusterIdentity: {name: fleet}}\nnetwork: {addresses: [{name: vnet, poolRef: {name: corp}}, {name: pods, poolRef: {name: p, namespace: other}}]}", "",
			`azure.clusterIdentity = {"name":"fleet","namespace":"platform"} (class)` + "\n" +
				`network.addresses[pods] = {"name":"pods","poolRef":{"name":"p","namespace":"other"}} (class)` + "\n" +
				`network.addresses[vnet] = {"name":"vnet","poolRef":{"name":"corp","namespace":"platform"}} (class)`,
		},
		"a reference is replaced as a whole": {
			"azure: {clusterIdentity: {name: fleet, namespace: elsewhere}}", "azure: {clusterIdentity: {name: own}}",
			`azure.clusterIdentity = {"name":"own"} (cluster)`,
		},
		"addresses by name, each as a whole": {
			"network: {addresses: [{name: vnet, poolRef: {name: corp}, prefixLength: 20}, {name: services, cidr: 10.0.0.0/16}]}",
			"network: {addresses: [{name: vnet, cidr: 10.1.0.0/16}]}",
			`network.addresses[services] = {"cidr":"10.0.0.0/16","name":"services"} (class)` + "\n" + `network.addresses[vnet] = {"cidr":"10.1.0.0/16","name":"vnet"} (cluster)`,
		},
		"add-ons by name, each as a whole": {
			"addons: [{name: b, kind: HelmRelease, after: [a]}, {name: a, kind: HelmRelease}]", "addons: [{name: b, kind: Kustomization}, {name: c, kind: HelmRelease}]",
			`addons[a] = {"kind":"HelmRelease","name":"a"} (class)` + "\n" + `addons[b] = {"kind":"Kustomization","name":"b"} (cluster)` + "\n" +
				`addons[c] = {"kind":"HelmRelease","name":"c"} (cluster)`,
		},
		"the additional config's lists by their keys, its profile field by field": {
			"additionalConfig: {registries: [{name: a, id: x}], roleAssignments: [{name: r, scope: /1}], maintenanceConfigurations: [{type: Default}], autoscaler: {expander: random, scanIntervalSeconds: 10}}",
			"additionalConfig: {registries: [{name: b, id: z}], roleAssignments: [{name: r, scope: /2}], maintenanceConfigurations: [{type: NodeOS}], autoscaler: {expander: priority}}",
			"additionalConfig.autoscaler.expander = priority (cluster)\nadditionalConfig.autoscaler.scanIntervalSeconds = 10 (class)\n" +
				`additionalConfig.maintenanceConfigurations[Default] = {"type":"Default"} (class)` + "\n" +
				`additionalConfig.maintenanceConfigurations[NodeOS] = {"type":"NodeOS"} (cluster)` + "\n" +
				`additionalConfig.registries[a] = {"id":"x","name":"a"} (class)` + "\n" + `additionalConfig.registries[b] = {"id":"z","name":"b"} (cluster)` + "\n" +
				`additionalConfig.roleAssignments[r] = {"name":"r","scope":"/2"} (cluster)`,
		},
		"windows as a whole": {
			"maintenance: {windows: [{name: a, schedule: s, durationSeconds: 900}]}", "maintenance: {windows: [{name: b, schedule: s, durationSeconds: 900}]}",
			`maintenance.windows = [{"durationSeconds":900,"name":"b","schedule":"s"}] (cluster)`,
		},
		"a tenant of a class for single tenants": {
			"tenancy: {mode: Single}", "tenancy: {tenant: t}", "tenancy.mode = Single (class)\ntenancy.tenant = t (cluster)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimSpace(c.want), said(t, merged(t, c.class, c.cluster))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	for flavor, want := range map[string]string{
		"": "azure.resourceGroup = c, azure.resourceGroupPolicy = Keep, flavor = AzureASOManaged, limits.maxNodes = 950, network.mode = Overlay, tenancy.mode = Shared",
		// CAPZ deletes the group, whatever is said.
		"AzureManaged": "azure.resourceGroup = c, limits.maxNodes = 950, network.mode = Overlay, tenancy.mode = Shared",
	} {
		e := merged(t, "version: v1.34.2", "flavor: "+flavor)
		values, err := e.Values()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range values {
			if v.Source == Default {
				got = append(got, fmt.Sprintf("%s = %v", v.Path, v.Value))
			}
		}
		if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("flavour %q (-want +got):\n%s", flavor, diff)
		}
	}
	if got := merged(t, "", "azure: {resourceGroup: g, resourceGroupPolicy: Delete}").Spec.Azure; got.ResourceGroup != "g" || got.ResourceGroupPolicy != "Delete" {
		t.Errorf("defaults took the place of %+v", got)
	}
}
