package aks_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/blang/semver/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

// code is the ARM code of an error; empty for none.
func code(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *armerr.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is not an ARM error", err)
	}
	return e.Code
}

func TestOverlay(t *testing.T) {
	current := armjson.Object{
		"vmSize": "Standard_D4s_v5", "mode": "User", "count": 3.0, "provisioningState": "Succeeded", "currentOrchestratorVersion": "1.34.1",
		"nodeLabels": armjson.Object{"a": "b"}, "nodeTaints": []any{"k=v:NoSchedule"}, "tags": armjson.Object{"t": "u"}, "minCount": 1.0, "maxCount": 5.0, "enableAutoScaling": true,
	}
	request := armjson.Object{"mode": "System", "provisioningState": "Lies", "eTag": "x", "count": nil, "nodeLabels": armjson.Object{"c": "d"}}
	want := armjson.Object{
		"vmSize": "Standard_D4s_v5", "mode": "System", "count": 3.0, "provisioningState": "Succeeded", "currentOrchestratorVersion": "1.34.1",
		"nodeLabels": armjson.Object{"c": "d"},
	}
	before := armjson.Clone(current)
	if diff := cmp.Diff(want, aks.Overlay(current, request)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, current); diff != "" {
		t.Errorf("the current properties changed (-before +after):\n%s", diff)
	}
	if _, ok := request["count"]; !ok {
		t.Error("the request changed")
	}
}

func TestCheckPoolChange(t *testing.T) {
	current := armjson.Object{
		"vmSize": "Standard_D4s_v5", "osType": "Linux", "availabilityZones": []any{"1", "2"}, "maxPods": 30.0,
		"kubeletConfig": armjson.Object{"podMaxPids": 100.0, "cpuManagerPolicy": "none"},
	}
	for name, test := range map[string]struct {
		request armjson.Object
		refused string
	}{
		"nothing":              {armjson.Object{}, ""},
		"null":                 {armjson.Object{"vmSize": nil}, ""},
		"letter case":          {armjson.Object{"vmSize": "STANDARD_D4S_V5"}, ""},
		"zones in other order": {armjson.Object{"availabilityZones": []any{"2", "1"}}, ""},
		"one zone fewer":       {armjson.Object{"availabilityZones": []any{"1"}}, "availabilityZones"},
		"no zones":             {armjson.Object{"availabilityZones": []any{}}, "availabilityZones"},
		"false is absent":      {armjson.Object{"enableUltraSSD": false}, ""},
		"naming a default":     {armjson.Object{"scaleSetPriority": "Regular"}, ""},
		"set later":            {armjson.Object{"enableUltraSSD": true}, "enableUltraSSD"},
		"part of an object":    {armjson.Object{"kubeletConfig": armjson.Object{"podMaxPids": 100.0}}, ""},
		"change in an object":  {armjson.Object{"kubeletConfig": armjson.Object{"podMaxPids": 101.0}}, "kubeletConfig"},
		"number":               {armjson.Object{"maxPods": 31.0}, "maxPods"},
		"mutable":              {armjson.Object{"count": 9.0, "mode": "System", "osSKU": "AzureLinux"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := aks.CheckPoolChange(current, test.request)
			if (test.refused != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), "'properties."+test.refused+"'") {
				t.Errorf("got %v, want %q refused", err, test.refused)
			}
		})
	}
	windows := armjson.Object{"osType": "Windows", "osSKU": "Windows2022"}
	if got := code(t, aks.CheckPoolChange(windows, armjson.Object{"osSKU": "Windows2025"})); got != "PropertyChangeNotAllowed" {
		t.Errorf("osSKU of a Windows pool: %q", got)
	}
}

func TestCheckSkew(t *testing.T) {
	for name, test := range map[string]struct{ pool, controlPlane, want string }{
		"equal":          {"1.34.1", "1.34.1", ""},
		"two behind":     {"1.32.0", "1.34.1", ""},
		"three behind":   {"1.31.9", "1.34.1", "NodePoolMcVersionIncompatible"},
		"minor ahead":    {"1.35.0", "1.34.1", "NodePoolMcVersionIncompatible"},
		"patch ahead":    {"1.34.2", "1.34.1", "NodePoolMcVersionIncompatible"},
		"older by major": {"1.34.1", "2.0.0", "NodePoolMcVersionIncompatible"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := code(t, aks.CheckSkew(semver.MustParse(test.pool), semver.MustParse(test.controlPlane))); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestOnVersion(t *testing.T) {
	for asked, want := range map[string]bool{
		"1.34.1": true, "1.34": true, "1": false, "": false, "1.34.": false, "1.3": false, "1.34.2": false, "1.34.1.0": false, "v1.34": false,
	} {
		if got := aks.OnVersion("1.34.1", asked); got != want {
			t.Errorf("OnVersion(1.34.1, %q) is %t", asked, got)
		}
	}
}

func TestOSSKU(t *testing.T) {
	for sku, test := range map[string]struct{ linux, windows string }{
		"Ubuntu":      {"", "InvalidOSSKU"},
		"Ubuntu2404":  {"", "InvalidOSSKU"},
		"AzureLinux":  {"", "InvalidOSSKU"},
		"Windows2022": {"InvalidOSSKU", ""},
		"Windows2025": {"InvalidOSSKU", ""},
	} {
		for osType, want := range map[string]string{"Linux": test.linux, "Windows": test.windows} {
			properties := armjson.Object{"vmSize": "Standard_D4s_v5", "osType": osType, "osSKU": sku}
			aks.DefaultPool(properties, nil)
			p, err := aks.ReadPool("blue", properties)
			if err == nil {
				err = aks.CheckPool(p)
			}
			if got := code(t, err); got != want {
				t.Errorf("%s on %s: %q, want %q", sku, osType, got, want)
			}
		}
	}
}

func TestPodNetworkChange(t *testing.T) {
	for name, test := range map[string]struct {
		current, request armjson.Object
		refused          string
	}{
		"the same in other letters":   {armjson.Object{"networkPlugin": "azure"}, armjson.Object{"networkPlugin": "Azure"}, ""},
		"kubenet to azure":            {armjson.Object{"networkPlugin": "kubenet"}, armjson.Object{"networkPlugin": "azure"}, "networkPlugin"},
		"kubenet to overlay":          {armjson.Object{"networkPlugin": "kubenet"}, armjson.Object{"networkPlugin": "azure", "networkPluginMode": "overlay"}, ""},
		"azure to overlay":            {armjson.Object{"networkPlugin": "azure"}, armjson.Object{"networkPluginMode": "overlay", "podCidr": "192.168.0.0/16"}, ""},
		"azure to kubenet":            {armjson.Object{"networkPlugin": "azure"}, armjson.Object{"networkPlugin": "kubenet"}, "networkPlugin"},
		"overlay to none":             {armjson.Object{"networkPlugin": "azure", "networkPluginMode": "overlay"}, armjson.Object{"networkPlugin": "none", "networkPluginMode": "overlay"}, "networkPlugin"},
		"pod addresses":               {armjson.Object{"podCidr": "10.244.0.0/16"}, armjson.Object{"podCidr": "10.245.0.0/16"}, "podCidr"},
		"pod addresses where none is": {armjson.Object{"networkPlugin": "azure"}, armjson.Object{"podCidr": "10.245.0.0/16"}, "podCidr"},
		"policies for the first time": {armjson.Object{}, armjson.Object{"networkPolicy": "calico"}, ""},
		"policies after none":         {armjson.Object{"networkPolicy": "none"}, armjson.Object{"networkPolicy": "azure"}, ""},
		"no policies any more":        {armjson.Object{"networkPolicy": "calico"}, armjson.Object{"networkPolicy": "none"}, ""},
		"left out":                    {armjson.Object{"networkPolicy": "calico"}, armjson.Object{}, ""},
		"azure to calico":             {armjson.Object{"networkPolicy": "azure"}, armjson.Object{"networkPolicy": "calico"}, "networkPolicy"},
		"to cilium alone":             {armjson.Object{"networkPolicy": "azure"}, armjson.Object{"networkPolicy": "cilium"}, "networkPolicy"},
		"to cilium and its dataplane": {armjson.Object{"networkPolicy": "azure"}, armjson.Object{"networkPolicy": "cilium", "networkDataplane": "cilium"}, ""},
		"cilium to none":              {armjson.Object{"networkPolicy": "cilium"}, armjson.Object{"networkPolicy": "none"}, "networkPolicy"},
	} {
		t.Run(name, func(t *testing.T) {
			err := aks.CheckClusterChange(armjson.Object{"networkProfile": test.current}, armjson.Object{"networkProfile": test.request})
			if test.refused == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if code(t, err) != "PropertyChangeNotAllowed" || !strings.Contains(err.Error(), "'properties.networkProfile."+test.refused+"'") {
				t.Errorf("got %v, want %q refused", err, test.refused)
			}
		})
	}
}

func TestPoolNames(t *testing.T) {
	for name, test := range map[string]struct{ os, want string }{
		"a": {"Linux", ""}, "abcdefghij12": {"Linux", ""}, "abcdefghij123": {"Linux", "InvalidParameter"}, "": {"Linux", "InvalidParameter"},
		"a-b": {"Linux", "InvalidParameter"}, "1a": {"Linux", "InvalidParameter"}, "abcdef": {"Windows", ""}, "abcdefg": {"Windows", "WindowsAgentPoolNameTooLong"},
	} {
		if got := code(t, aks.CheckPoolName(name, test.os)); got != test.want {
			t.Errorf("CheckPoolName(%q, %s) is %q, want %q", name, test.os, got, test.want)
		}
	}
}

func TestParseTaint(t *testing.T) {
	for raw, want := range map[string]aks.Taint{
		"a=b:NoSchedule":           {Key: "a", Value: "b", Effect: "NoSchedule"},
		"a:NoExecute":              {Key: "a", Effect: "NoExecute"},
		"x.io/a=:PreferNoSchedule": {Key: "x.io/a", Effect: "PreferNoSchedule"},
		"a=b":                      {},
		"a=b:Sometimes":            {},
		"=b:NoSchedule":            {},
		"a b=c:NoSchedule":         {},
	} {
		got, err := aks.ParseTaint(raw)
		if got != want || (err == nil) != (want != aks.Taint{}) {
			t.Errorf("ParseTaint(%q) is %+v, %v", raw, got, err)
		}
	}
}

func TestCheckQuota(t *testing.T) {
	c := catalog.Default()
	c.Quotas = []catalog.Quota{
		{Location: "eastus", Family: "standardDSv5Family", VCPUs: 16}, {Location: "eastus", VCPUs: 20}, {Location: "eastus", Spot: true, VCPUs: 8},
	}
	d4, _ := c.VMSize("Standard_D4s_v5")
	e4, _ := c.VMSize("Standard_E4s_v5")
	regular, spot := aks.Pool{}, aks.Pool{ScaleSetPriority: "Spot"}
	used := aks.Usage{}
	used.Add(regular, d4, 3)
	used.Add(spot, d4, 1)
	for name, test := range map[string]struct {
		pool  aks.Pool
		size  catalog.VMSize
		extra int
		want  string
	}{
		"fits": {regular, d4, 1, ""}, "family is full": {regular, d4, 2, "standardDSv5Family"}, "region is full": {regular, e4, 3, "Total Regional"},
		"fewer": {regular, d4, -9, ""}, "none": {regular, d4, 0, ""}, "spot fits": {spot, d4, 1, ""}, "spot is full": {spot, d4, 2, "Low Priority"},
	} {
		t.Run(name, func(t *testing.T) {
			err := aks.CheckQuota(c, "eastus", used, test.pool, test.size, test.extra)
			if (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), "approved "+test.want+" Cores quota") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if err := aks.CheckQuota(c, "westus2", used, regular, d4, 1000); err != nil {
		t.Errorf("no limit is set there: %v", err)
	}
	got := map[string]aks.Quota{}
	for _, q := range aks.Quotas(c, "eastus", used) {
		got[q.Name] = q
	}
	for _, want := range []aks.Quota{
		{Name: "cores", Title: "Total Regional vCPUs", Limit: 20, Used: 12},
		{Name: "lowPriorityCores", Title: "Total Regional Low-priority vCPUs", Limit: 8, Used: 4},
		{Name: "standardDSv5Family", Title: "Standard DSv5 Family vCPUs", Limit: 16, Used: 12},
		{Name: "Standard NCASv3_T4 Family", Title: "Standard NCASv3_T4 Family vCPUs", Limit: aks.Unlimited},
	} {
		if diff := cmp.Diff(want, got[want.Name]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestAddresses(t *testing.T) {
	azure := armjson.Object{"networkPlugin": "azure"}
	overlay := armjson.Object{"networkPlugin": "azure", "networkPluginMode": "overlay"}
	for name, test := range map[string]struct {
		pool        aks.Pool
		network     armjson.Object
		nodes, pods int
	}{
		"flat":       {aks.Pool{MaxPods: 30}, azure, 31, 0},
		"overlay":    {aks.Pool{MaxPods: 250}, overlay, 1, 0},
		"kubenet":    {aks.Pool{MaxPods: 110}, armjson.Object{"networkPlugin": "kubenet"}, 1, 0},
		"pod subnet": {aks.Pool{MaxPods: 110, PodSubnetID: "x"}, azure, 1, 16},
		"blocks":     {aks.Pool{MaxPods: 30, PodSubnetID: "x", PodIPAllocationMode: "StaticBlock"}, azure, 1, 32},
	} {
		if nodes, pods := aks.Addresses(test.pool, test.network); nodes != test.nodes || pods != test.pods {
			t.Errorf("%s: %d and %d, want %d and %d", name, nodes, pods, test.nodes, test.pods)
		}
	}
}

func TestNames(t *testing.T) {
	if got := aks.NodeResourceGroup("RG", "c", "eastus"); got != "MC_RG_c_eastus" {
		t.Errorf("node resource group %s", got)
	}
	if got := aks.NodeResourceGroup(strings.Repeat("g", 90), "c", "eastus"); len(got) != 80 {
		t.Errorf("node resource group of %d characters", len(got))
	}
	if a, b := aks.Digits("/A/b"), aks.Digits("/a/B"); a != b || len(a) != 8 {
		t.Errorf("digits %s and %s", a, b)
	}
}
