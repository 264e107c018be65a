package crds

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetwright/fleetwright/localstack/loopback"
)

func definitions(t *testing.T, provider Provider) map[string]*unstructured.Unstructured {
	t.Helper()
	found, err := Definitions(provider)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*unstructured.Unstructured{}
	for _, each := range found {
		byName[each.GetName()] = each
	}
	return byName
}

func TestDefinitionsAreReadFromTheModules(t *testing.T) {
	capi := definitions(t, ClusterAPI)
	for _, name := range []string{"clusters.cluster.x-k8s.io", "machinepools.cluster.x-k8s.io"} {
		if capi[name] == nil {
			t.Errorf("Cluster API's %s is missing", name)
		}
	}
	for name, definition := range definitions(t, Azure) {
		if got := definition.GetLabels()["cluster.x-k8s.io/v1beta1"]; got != "v1beta1" {
			t.Errorf("%s has contract label %q, want v1beta1: Cluster API would not find it", name, got)
		}
	}
	if version, err := Version(ClusterAPI); err != nil || !strings.HasPrefix(version, "v1.") {
		t.Errorf("version %q, %v", version, err)
	}
}

func TestWebhooksGoToTheURLAndOnlyForInstalledKinds(t *testing.T) {
	hooks := loopback.Endpoint{URL: "https://127.0.0.1:1", CABundle: []byte("ca")}
	for provider, dropped := range map[Provider]string{ClusterAPI: "clusterclasses", Azure: "azuremachines"} {
		configurations, err := WebhookConfigurations(provider)
		if err != nil {
			t.Fatal(err)
		}
		defined, err := Definitions(provider)
		if err != nil {
			t.Fatal(err)
		}
		installed := resources(defined)
		for _, configuration := range configurations {
			if err := callAt(configuration, hooks, installed); err != nil {
				t.Fatal(err)
			}
			webhooks, _, _ := unstructured.NestedSlice(configuration.Object, "webhooks")
			if len(webhooks) == 0 {
				t.Errorf("%s %s has no webhook left", provider, configuration.GetKind())
			}
			for _, each := range webhooks {
				webhook := each.(map[string]any)
				url, _, _ := unstructured.NestedString(webhook, "clientConfig", "url")
				if !strings.HasPrefix(url, hooks.URL+"/") {
					t.Errorf("%s is called at %q", webhook["name"], url)
				}
				if strings.Contains(webhook["name"].(string), dropped) {
					t.Errorf("%s is kept although %s are not installed", webhook["name"], dropped)
				}
			}
		}
	}
}

func TestOnlySeveralVersionsNeedConversion(t *testing.T) {
	hooks := loopback.Endpoint{URL: "https://127.0.0.1:1", CABundle: []byte("ca")}
	for _, test := range []struct {
		name string
		from *unstructured.Unstructured
		want string
	}{
		{"several versions", definitions(t, ClusterAPI)["clusters.cluster.x-k8s.io"], "https://127.0.0.1:1/convert"},
		{"one version", definitions(t, Azure)["azuremanagedmachinepools.infrastructure.cluster.x-k8s.io"], ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := convertAt(test.from, hooks); err != nil {
				t.Fatal(err)
			}
			got, _, _ := unstructured.NestedString(test.from.Object, "spec", "conversion", "webhook", "clientConfig", "url")
			if got != test.want {
				t.Errorf("converts at %q, want %q", got, test.want)
			}
		})
	}
}
