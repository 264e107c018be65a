package autoscalerprofile_test

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
)

// As Azure's documentation writes its defaults.
func TestDefaultsOfAKS(t *testing.T) {
	n := func(n int32) *int32 { return &n }
	settings := fleetwrightv1.AutoscalerSettings{
		BalanceSimilarNodeGroups: "Disabled", Expander: "random", MaxEmptyBulkDelete: 10, MaxGracefulTerminationSeconds: n(600),
		MaxNodeProvisionSeconds: 900, MaxTotalUnreadyPercent: n(45), NewPodScaleUpDelaySeconds: n(0), OKTotalUnreadyCount: n(3),
		ScanIntervalSeconds: 10, ScaleDownDelayAfterAddSeconds: n(600), ScaleDownDelayAfterDeleteSeconds: n(10),
		ScaleDownDelayAfterFailureSeconds: n(180), ScaleDownUnneededSeconds: n(600), ScaleDownUnreadySeconds: n(1200),
		ScaleDownUtilizationThresholdPercent: n(50), SkipNodesWithLocalStorage: "Disabled", SkipNodesWithSystemPods: "Enabled",
		IgnoreDaemonsetsUtilization: "Disabled", DaemonsetEvictionForEmptyNodes: "Disabled", DaemonsetEvictionForOccupiedNodes: "Enabled",
	}
	const azure = `{"balance-similar-node-groups":"false","daemonset-eviction-for-empty-nodes":false,"daemonset-eviction-for-occupied-nodes":true,` +
		`"expander":"random","ignore-daemonsets-utilization":false,"max-empty-bulk-delete":"10","max-graceful-termination-sec":"600",` +
		`"max-node-provision-time":"15m","max-total-unready-percentage":"45","new-pod-scale-up-delay":"0s","ok-total-unready-count":"3",` +
		`"scale-down-delay-after-add":"10m","scale-down-delay-after-delete":"10s","scale-down-delay-after-failure":"3m",` +
		`"scale-down-unneeded-time":"10m","scale-down-unready-time":"20m","scale-down-utilization-threshold":"0.5","scan-interval":"10s",` +
		`"skip-nodes-with-local-storage":"false","skip-nodes-with-system-pods":"true"}`
	body, err := json.Marshal(autoscalerprofile.Tree(autoscalerprofile.Of(settings)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(azure, string(body)); diff != "" {
		t.Errorf("to Azure (-want +got):\n%s", diff)
	}
	var tree map[string]any
	if err := json.Unmarshal([]byte(azure), &tree); err != nil {
		t.Fatal(err)
	}
	back, unreadable := autoscalerprofile.Settings(autoscalerprofile.FromTree(tree))
	if diff := cmp.Diff(settings, back); diff != "" || len(unreadable) > 0 {
		t.Errorf("from Azure, without %v (-want +got):\n%s", unreadable, diff)
	}
}

func TestWhatTheAPICannotSay(t *testing.T) {
	for text, readable := range map[string]bool{
		"expander: random": true, "expander: price": false, "expander: ''": false,
		"scan-interval: 20s": true, "scan-interval: '20'": true, "scan-interval: 1m": true, "scan-interval: 0s": false, "scan-interval: 2h": false, "scan-interval: 500ms": false,
		"scale-down-unneeded-time: 1h": true, "scale-down-unneeded-time: 90s": false, "scale-down-unneeded-time: -1m": false, "scale-down-unneeded-time: soon": false,
		"max-node-provision-time: 0m":           false,
		"scale-down-utilization-threshold: '1'": true, "scale-down-utilization-threshold: '0.655'": false, "scale-down-utilization-threshold: '0.29'": true,
		"scale-down-utilization-threshold: '1.1'": false, "scale-down-utilization-threshold: nan": false, "scale-down-utilization-threshold: inf": false,
		"max-total-unready-percentage: '101'": false, "max-total-unready-percentage: '4.5'": false, "max-empty-bulk-delete: '0'": false,
		"ok-total-unready-count: '99999999999999999999'": false, "skip-nodes-with-system-pods: 'yes'": false, "ignore-daemonsets-utilization: 'true'": true,
	} {
		var values autoscalerprofile.Values
		if err := yaml.Unmarshal([]byte(text), &values); err != nil {
			t.Fatal(err)
		}
		settings, unreadable := autoscalerprofile.Settings(values)
		if given := settings != (fleetwrightv1.AutoscalerSettings{}); given != readable || given == (len(unreadable) == 1) {
			t.Errorf("%s: %+v, unreadable %v", text, settings, unreadable)
		}
	}
}

func TestSame(t *testing.T) {
	for _, same := range [][3]string{
		{"scale-down-utilization-threshold", "0.5", "0.50"}, {"scan-interval", "60s", "1m"}, {"scan-interval", "10", "10s"},
		{"max-empty-bulk-delete", "10", "010"}, {"expander", "random", "random"}, {"unknown", "a", "a"},
	} {
		if !autoscalerprofile.Same(same[0], same[1], same[2]) {
			t.Errorf("%v differ", same)
		}
	}
	for _, other := range [][3]string{
		{"scale-down-utilization-threshold", "0.5", "0.51"}, {"scan-interval", "10s", "10m"}, {"expander", "random", "Random"},
		{"skip-nodes-with-system-pods", "true", "false"}, {"expander", "10s", "10"}, {"unknown", "1", "01"}, {"scan-interval", "x", "0s"},
	} {
		if autoscalerprofile.Same(other[0], other[1], other[2]) {
			t.Errorf("%v are the same", other)
		}
	}
}

func TestDiffering(t *testing.T) {
	wanted := autoscalerprofile.Values{"scan-interval": "20s", "expander": "priority", "max-empty-bulk-delete": "5", "scale-down-unready-time": "60m"}
	found := autoscalerprofile.Values{"scan-interval": "20", "expander": "random", "scale-down-unready-time": "1h", "ok-total-unready-count": "7"}
	if diff := cmp.Diff([]string{"expander", "max-empty-bulk-delete"}, autoscalerprofile.Differing(wanted, found)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What the spec can say reaches Azure in the form that it and CAPZ take, and comes back the same.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		settings := drawn(t)
		values := autoscalerprofile.Of(settings)
		back, unreadable := autoscalerprofile.Settings(autoscalerprofile.FromTree(autoscalerprofile.Tree(values)))
		if diff := cmp.Diff(settings, back); diff != "" || len(unreadable) > 0 {
			t.Fatalf("by way of %v, without %v (-want +got):\n%s", values, unreadable, diff)
		}
		if differing := autoscalerprofile.Differing(values, values); len(differing) > 0 {
			t.Fatalf("%v differ from themselves", differing)
		}
		for key, text := range values {
			f, known := autoscalerprofile.FieldOf(key)
			if !known || f.Form == autoscalerprofile.Minutes && !strings.HasSuffix(text, "m") || f.Form == autoscalerprofile.Seconds && !strings.HasSuffix(text, "s") {
				t.Fatalf("%s is written as %q", key, text)
			}
		}
	})
}

// drawn is a profile that the API's schema takes: numbers within their bounds, whole minutes where Azure counts minutes.
func drawn(t *rapid.T) fleetwrightv1.AutoscalerSettings {
	content := map[string]any{}
	for _, f := range autoscalerprofile.Fields() {
		if !rapid.Bool().Draw(t, "has "+f.Name) {
			continue
		}
		switch f.Form {
		case autoscalerprofile.Word:
			content[f.Name] = rapid.SampledFrom([]string{"least-waste", "most-pods", "priority", "random"}).Draw(t, f.Name)
		case autoscalerprofile.Switch, autoscalerprofile.Boolean:
			content[f.Name] = rapid.SampledFrom([]string{"Enabled", "Disabled"}).Draw(t, f.Name)
		case autoscalerprofile.Minutes:
			content[f.Name] = 60 * rapid.Int32Range((f.Min+59)/60, f.Max/60).Draw(t, f.Name)
		default:
			content[f.Name] = rapid.Int32Range(f.Min, f.Max).Draw(t, f.Name)
		}
	}
	body, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	var out fleetwrightv1.AutoscalerSettings
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Nothing that Azure may have makes it panic, and what is read fits into status.
func FuzzSettings(f *testing.F) {
	f.Add("scan-interval", "10s")
	f.Add("scale-down-utilization-threshold", "1e400")
	f.Fuzz(func(t *testing.T, key, text string) {
		values := autoscalerprofile.Values{key: text}
		settings, unreadable := autoscalerprofile.Settings(values)
		if len(unreadable) > 0 || settings == (fleetwrightv1.AutoscalerSettings{}) {
			return
		}
		if differing := autoscalerprofile.Differing(autoscalerprofile.Of(settings), values); len(differing) > 0 {
			t.Errorf("%q of %s is read as something else: %v", text, key, autoscalerprofile.Of(settings))
		}
	})
}

// The table has every field of the API's structure, with the bounds of the definition.
func TestTheTableIsWhole(t *testing.T) {
	body, err := os.ReadFile("../../config/crd/fleetwright.io_azureclusterautoscalers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var definition struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema schema `json:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(body, &definition); err != nil {
		t.Fatal(err)
	}
	properties := definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["profile"].Properties
	names := []string{}
	for _, f := range autoscalerprofile.Fields() {
		names = append(names, f.Name)
		p, found := properties[f.Name]
		if !found || int32(p.Minimum) != f.Min || int32(p.Maximum) != f.Max {
			t.Errorf("%s: the definition has %+v, the table from %d to %d", f.Name, p, f.Min, f.Max)
		}
		if minutes := p.MultipleOf == 60; minutes != (f.Form == autoscalerprofile.Minutes) {
			t.Errorf("%s: multipleOf is %v", f.Name, p.MultipleOf)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(properties)), names); diff != "" {
		t.Errorf("fields (-definition +table):\n%s", diff)
	}
	if fields := reflect.TypeFor[fleetwrightv1.AutoscalerSettings]().NumField(); fields != len(names) || fields != 20 {
		t.Errorf("%d fields, %d in the table", fields, len(names))
	}
}

type schema struct {
	Minimum, Maximum, MultipleOf float64
	Properties                   map[string]schema
}
